//! The end of a log of any size, in bounded memory.

use std::collections::VecDeque;

/// Bytes that the text of a log may have.
pub(crate) const MAX: usize = 10 << 20;

/// Takes a log in pieces and keeps its end.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    /// Raw bytes, at most [`MAX`] and the one before them, which tells whether they begin with a line. As text they are no shorter.
    kept: VecDeque<u8>,
    /// Bytes were dropped.
    cut: bool,
}

impl Tail {
    /// Appends a piece.
    pub(crate) fn push(&mut self, piece: &[u8]) {
        let wanted = MAX + 1;
        let piece = piece
            .split_at_checked(piece.len().saturating_sub(wanted))
            .map_or(piece, |(dropped, rest)| {
                self.cut |= !dropped.is_empty();
                rest
            });
        let excess = (self.kept.len() + piece.len()).saturating_sub(wanted);
        self.kept.drain(..excess);
        self.cut |= excess > 0;
        self.kept.extend(piece);
    }

    /// Bytes that are kept now.
    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }

    /// The text, bytes that are not UTF-8 as U+FFFD, and whether it is not all: then the last whole lines that fit into [`MAX`], or of one
    /// longer line its end, from a code point.
    pub(crate) fn finish(self) -> (String, bool) {
        let mut bytes = Vec::from(self.kept);
        if self.cut {
            // What is left of a code point that was cut is not a byte that the log has wrongly.
            let within = bytes
                .iter()
                .take(3)
                .take_while(|&&byte| byte & 0b1100_0000 == 0b1000_0000)
                .count();
            bytes.drain(..within);
        }
        let mut text =
            String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        if !self.cut && text.len() <= MAX {
            return (text, false);
        }
        let start = start(&text, text.len().saturating_sub(MAX));
        text.drain(..start);
        (text, true)
    }
}

/// Where to begin in a text of which what is before `earliest` does not fit: with the first line from there on, else with a code point.
fn start(text: &str, earliest: usize) -> usize {
    let earliest = text.ceil_char_boundary(earliest);
    // The line feed before a line that begins right there counts, that at the very end does not: no line follows it.
    let from = earliest.saturating_sub(1);
    let feeds = text
        .as_bytes()
        .get(from..text.len().saturating_sub(1))
        .unwrap_or_default();
    match feeds.iter().position(|&byte| byte == b'\n') {
        Some(feed) => from + feed + 1,
        None => earliest,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn tail(log: &[u8], piece: usize) -> (String, bool) {
        let mut tail = Tail::default();
        for piece in log.chunks(piece) {
            tail.push(piece);
            assert!(tail.kept.len() <= MAX + 1);
        }
        tail.finish()
    }

    /// The same however the log arrives.
    fn read(log: &[u8]) -> (String, bool) {
        let whole = tail(log, log.len().max(1));
        assert!(whole.0.len() <= MAX);
        assert!(whole == tail(log, 65_537), "it depends on the pieces");
        whole
    }

    #[test]
    fn what_fits_comes_as_it_is() {
        for log in ["", "\n", "one\ntwo", "\u{1b}[31mred\u{1b}[0m\r\n\n\n", "ä\u{0}ö\n"] {
            assert_eq!(read(log.as_bytes()), (log.to_owned(), false));
        }
        let just = "x".repeat(MAX - 1) + "\n";
        assert!(read(just.as_bytes()) == (just, false));
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_replaced() {
        assert_eq!(read(b"a\xffb\n\xe2\x82"), ("a\u{fffd}b\n\u{fffd}".to_owned(), false));
    }

    #[test]
    fn of_a_longer_log_the_last_whole_lines_come() {
        let line = "0123456789abcde\n";
        let log = "first\n".to_owned() + &line.repeat(MAX / 16);
        let (text, truncated) = read(log.as_bytes());
        assert!(truncated);
        assert!(text == log[6..], "all lines but the first fit exactly");
        let (text, truncated) = read(&log.as_bytes()[..log.len() - 1]);
        assert!(truncated);
        assert!(
            text == log[6..log.len() - 1],
            "a last line without a line feed is whole as well"
        );
        let (text, _) = read((log + "x").as_bytes());
        assert_eq!(text.len(), MAX - 16 + 1, "the line that does not fit whole is left out");
        assert!(text.starts_with(line) && text.ends_with("\nx"));
    }

    #[test]
    fn of_one_longer_line_its_end_comes_from_a_code_point() {
        for end in ["", "\n"] {
            let log = "€".repeat(MAX) + end;
            let (text, truncated) = read(log.as_bytes());
            assert!(truncated);
            assert!(log.ends_with(&text), "nothing was replaced");
            assert!(text.len() > MAX - 3, "{}", text.len());
        }
    }

    #[test]
    fn a_long_line_gives_way_to_the_lines_after_it() {
        let log = "x".repeat(MAX) + "\ntwo\nthree\n";
        assert_eq!(read(log.as_bytes()), ("two\nthree\n".to_owned(), true));
    }

    #[test]
    fn replaced_bytes_do_not_make_it_longer() {
        let log = b"\xff\xff\xff\n".repeat(MAX / 4);
        let (text, truncated) = read(&log);
        assert!(truncated);
        assert!(text.len() > MAX - 10 && text.starts_with("\u{fffd}\u{fffd}\u{fffd}\n"));
        let (text, _) = read(&b"\x80".repeat(MAX + 9));
        assert!(text.len() > MAX - 3);
    }
}
