//! The end of a log of any size, in bounded memory.

use std::collections::VecDeque;

use podgate_cluster::lossy::{Lossy, Run};

/// The most bytes of a log's text.
pub(crate) const MAX: usize = 10 << 20;
/// The bytes of one segment of the kept end.
const SEGMENT: usize = 64 << 10;
/// The most memory that a log takes: the kept end, the unused parts of its first and last segment,
/// and one piece that is being written.
pub(crate) const MEMORY: usize = MAX + 4 * SEGMENT;

/// Takes a log in pieces and keeps the bytes of its end.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    /// At most [`MAX`] bytes, and the one before them, which shows whether they begin a line. As
    /// text they are at least as long.
    segments: VecDeque<Vec<u8>>,
    /// The bytes of the first segment that were dropped.
    begin: usize,
    len: usize,
    /// Whether bytes were dropped.
    cut: bool,
}

impl Tail {
    /// Appends a piece.
    pub(crate) fn push(&mut self, piece: &[u8]) {
        let wanted = MAX + 1;
        let mut rest = piece;
        if let Some((dropped, last)) = piece.split_at_checked(piece.len().saturating_sub(wanted)) {
            self.cut |= !dropped.is_empty();
            rest = last;
        }
        let excess = (self.len + rest.len()).saturating_sub(wanted);
        self.cut |= excess > 0;
        self.skip(excess);
        self.len += rest.len();
        while !rest.is_empty() {
            if self.segments.back().is_none_or(|last| last.len() >= SEGMENT) {
                self.segments.push_back(Vec::with_capacity(rest.len().min(SEGMENT)));
            }
            let Some(last) = self.segments.back_mut() else { return };
            let (now, later) = rest.split_at(rest.len().min(SEGMENT - last.len()));
            let doubled = (2 * last.capacity()).clamp(last.len() + now.len(), SEGMENT);
            if last.capacity() < last.len() + now.len() {
                last.reserve_exact(doubled - last.len());
            }
            last.extend_from_slice(now);
            rest = later;
        }
    }

    /// Drops bytes from the front, and releases the memory of whole segments.
    pub(crate) fn skip(&mut self, bytes: usize) {
        let bytes = bytes.min(self.len);
        self.len -= bytes;
        self.begin += bytes;
        while let Some(first) = self.segments.front() {
            if self.begin < first.len() {
                return;
            }
            self.begin -= first.len();
            self.segments.pop_front();
        }
    }

    /// Returns the number of kept bytes.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Returns the memory that it takes, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.segments.iter().map(Vec::capacity).sum()
    }

    /// Returns up to `most` bytes from the front: at least one, unless nothing is kept.
    pub(crate) fn front(&self, most: usize) -> &[u8] {
        let first = self.segments.front().and_then(|first| first.get(self.begin..));
        let first = first.unwrap_or_default();
        first.get(..most).unwrap_or(first)
    }

    /// Drops the bytes before the text, without copying. Returns whether the text is shorter than
    /// the log.
    ///
    /// The text has U+FFFD for bytes that are not UTF-8. It is the last whole lines that fit into
    /// [`MAX`], or the end of a longer line, from a code point on.
    pub(crate) fn finish(&mut self) -> bool {
        if self.cut {
            // The cut may have split a code point: drop its remaining bytes rather than replace
            // them.
            let continues = |byte: &u8| byte & 0b1100_0000 == 0b1000_0000;
            let within = self
                .slices()
                .flatten()
                .take(3)
                .take_while(|byte| continues(byte))
                .count();
            self.skip(within);
        }
        let mut len = 0;
        self.runs(|run| len += run.as_str().len());
        if !self.cut && len <= MAX {
            return false;
        }
        let mut start = Start::new(len);
        self.runs(|run| start.take(&run));
        self.skip(start.raw());
        true
    }

    fn slices(&self) -> impl Iterator<Item = &[u8]> {
        let begins = std::iter::once(self.begin).chain(std::iter::repeat(0));
        let segments = self.segments.iter().zip(begins);
        segments.map(|(segment, begin)| segment.get(begin..).unwrap_or_default())
    }

    fn runs<F: FnMut(Run<'_>)>(&self, mut take: F) {
        let mut lossy = Lossy::default();
        for slice in self.slices() {
            lossy.push(slice, &mut take);
        }
        lossy.finish(&mut take);
    }
}

/// Finds the beginning of the text: the first line at or after `earliest`, or the next code point
/// if there is none.
#[derive(Debug)]
struct Start {
    /// The bytes of the whole text.
    len: usize,
    earliest: usize,
    /// The bytes of the text, and of its source, that were processed.
    at: usize,
    raw: usize,
    /// Whether the last character was a line feed.
    after_feed: bool,
    /// The raw bytes before the first code point that fits.
    code_point: Option<usize>,
    /// The raw bytes before the first line that fits.
    line: Option<usize>,
}

impl Start {
    fn new(len: usize) -> Self {
        Self {
            len,
            earliest: len.saturating_sub(MAX),
            at: 0,
            raw: 0,
            after_feed: false,
            code_point: None,
            line: None,
        }
    }

    fn take(&mut self, run: &Run<'_>) {
        if self.line.is_none() {
            match run {
                Run::Text(text) => self.look(text),
                Run::Replaced(_) if self.at >= self.earliest => self.fits(0),
                Run::Replaced(_) => {}
            }
        }
        self.after_feed = run.as_str().ends_with('\n');
        self.at += run.as_str().len();
        self.raw += run.raw_len();
    }

    fn look(&mut self, text: &str) {
        let missing = self.earliest.saturating_sub(self.at);
        if missing > text.len() {
            return;
        }
        let first = text.ceil_char_boundary(missing);
        if first == text.len() && missing > 0 {
            // The next run begins there.
            return;
        }
        if first > 0 && self.code_point.is_none() {
            self.after_feed = text.as_bytes().get(first - 1) == Some(&b'\n');
        }
        self.fits(first);
        if self.line.is_some() {
            return;
        }
        let rest = text.get(first..).unwrap_or_default();
        // A line feed at the very end does not count: no line follows it.
        let feed = rest.bytes().position(|byte| byte == b'\n').map(|feed| first + feed + 1);
        self.line = feed
            .filter(|feed| self.at + feed < self.len)
            .map(|feed| self.raw + feed);
    }

    /// Considers a beginning this many bytes into the run. It begins a line if a line feed comes
    /// before it.
    fn fits(&mut self, offset: usize) {
        if self.code_point.is_some() {
            return;
        }
        self.code_point = Some(self.raw + offset);
        if self.after_feed {
            self.line = self.code_point;
        }
    }

    /// Returns the number of raw bytes before the beginning.
    fn raw(&self) -> usize {
        self.line.or(self.code_point).unwrap_or(self.raw)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn tail(log: &[u8], piece: usize) -> (String, bool) {
        let mut tail = Tail::default();
        for piece in log.chunks(piece) {
            tail.push(piece);
            assert!(tail.len <= MAX + 1 && tail.memory() <= MEMORY - SEGMENT);
        }
        let truncated = tail.finish();
        let mut text = String::new();
        tail.runs(|run| text.push_str(run.as_str()));
        (text, truncated)
    }

    /// Returns the tail, however the log is cut into pieces.
    fn read(log: &[u8]) -> (String, bool) {
        let whole = tail(log, log.len().max(1));
        assert!(whole.0.len() <= MAX);
        assert!(whole == tail(log, 65_537), "it depends on the pieces");
        whole
    }

    #[test]
    fn a_text_that_fits_is_not_changed() {
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

    /// Applies the rule to a whole text.
    fn begin(text: &str, max: usize) -> usize {
        let earliest = text.ceil_char_boundary(text.len().saturating_sub(max));
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

    proptest! {
        #[test]
        fn the_text_begins_where_it_does_in_a_copy(
            bytes in vec(prop_oneof![Just(b'x'), Just(b'\n'), Just(0xff), Just(0xe2), Just(0x82), Just(0xac), Just(0xc3)], 0..40),
            most in 0_usize..40,
            piece in 1_usize..9,
        ) {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let mut start = Start { earliest: text.len().saturating_sub(most), ..Start::new(text.len()) };
            let mut lossy = Lossy::default();
            for piece in bytes.chunks(piece) {
                lossy.push(piece, |run| start.take(&run));
            }
            lossy.finish(|run| start.take(&run));
            let rest = String::from_utf8_lossy(&bytes[start.raw()..]).into_owned();
            prop_assert_eq!(rest, &text[begin(&text, most)..]);
        }
    }
}
