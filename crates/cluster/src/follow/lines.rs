//! Cuts a log's bytes into lines and takes each one's time off.

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;

use super::Line;

/// The longest line that is kept whole; a longer one comes as several with one time.
pub(super) const MAX_LINE: usize = 16 << 20;
/// More than the longest RFC 3339 time.
const MAX_TIME: usize = 40;

/// A line, and its time as a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamped {
    pub(super) line: Line,
    /// None when the cluster printed no time: a message of the kubelet's own.
    pub(super) at: Option<Timestamp>,
}

/// Cuts what comes in any pieces. Holds at most the beginning of one line.
#[derive(Debug)]
pub(super) struct Splitter {
    begun: BytesMut,
    /// The time of a line whose beginning was passed on because it is too long.
    continued: Option<(String, Option<Timestamp>)>,
    max: usize,
}

impl Default for Splitter {
    fn default() -> Self {
        Self {
            begun: BytesMut::new(),
            continued: None,
            max: MAX_LINE,
        }
    }
}

impl Splitter {
    /// The lines that are whole with this piece.
    pub(super) fn push(&mut self, mut piece: Bytes) -> Vec<Stamped> {
        let mut lines = Vec::new();
        while let Some(end) = memchr::memchr(b'\n', &piece) {
            let raw = piece.split_to(end + 1).slice(..end);
            self.fill(raw, true, &mut lines);
        }
        self.fill(piece, false, &mut lines);
        lines
    }

    /// What is left at the end: a line without a line feed.
    pub(super) fn finish(mut self) -> Option<Stamped> {
        let rest = self.begun.split().freeze();
        (!rest.is_empty()).then(|| self.stamp(rest, true))
    }

    fn fill(&mut self, mut raw: Bytes, whole: bool, lines: &mut Vec<Stamped>) {
        while self.begun.len() + raw.len() > self.max {
            let room = self.max.saturating_sub(self.begun.len());
            self.begun.extend_from_slice(&raw.split_to(room));
            let part = self.begun.split().freeze();
            lines.push(self.stamp(part, false));
        }
        if !whole {
            self.begun.extend_from_slice(&raw);
            return;
        }
        if !self.begun.is_empty() {
            self.begun.extend_from_slice(&raw);
            raw = self.begun.split().freeze();
        }
        lines.push(self.stamp(raw, true));
    }

    fn stamp(&mut self, raw: Bytes, whole: bool) -> Stamped {
        let (time, at, text) = match self.continued.take() {
            Some((time, at)) => (time, at, raw),
            None => split_time(raw),
        };
        if !whole {
            self.continued = Some((time.clone(), at));
        }
        Stamped {
            line: Line { time, text },
            at,
        }
    }
}

/// The time before the first space, in UTC, and what follows the space.
fn split_time(mut raw: Bytes) -> (String, Option<Timestamp>, Bytes) {
    let end = raw.iter().take(MAX_TIME).position(|byte| *byte == b' ');
    // An empty line may come without the space.
    let time = raw
        .get(..end.unwrap_or(raw.len().min(MAX_TIME)))
        .and_then(|time| std::str::from_utf8(time).ok());
    let Some((text, at)) = time.and_then(|text| Some((text, text.parse::<Timestamp>().ok()?))) else {
        return (String::new(), None, raw);
    };
    let time = if text.ends_with('Z') {
        text.to_owned()
    } else {
        at.to_string()
    };
    let rest = raw.split_off(end.map_or(raw.len(), |end| end + 1));
    (time, Some(at), rest)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    const TIME: &str = "2026-01-07T10:00:00.123456789Z";

    /// Time and text of each line, for each way to cut the bytes in two.
    fn split(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
        let all = Bytes::copy_from_slice(bytes);
        let cut = |at: usize| {
            let mut splitter = Splitter::default();
            let mut lines = splitter.push(all.slice(..at));
            lines.extend(splitter.push(all.slice(at..)));
            lines.extend(splitter.finish());
            let plain = lines
                .into_iter()
                .map(|stamped| (stamped.line.time, stamped.line.text.to_vec()));
            plain.collect::<Vec<_>>()
        };
        let whole = cut(0);
        for at in 1..=bytes.len() {
            assert_eq!(cut(at), whole, "cut at {at}");
        }
        whole
    }

    #[test]
    fn a_line_is_what_is_before_its_line_feed() {
        let lines = split(format!("{TIME} one\n{TIME} \n{TIME} \x1b[31mred\x1b[0m\r\n{TIME} no end").as_bytes());
        let texts: Vec<_> = lines.iter().map(|(_, text)| text.as_slice()).collect();
        assert_eq!(texts, [b"one".as_slice(), b"", b"\x1b[31mred\x1b[0m\r", b"no end"]);
        assert!(lines.iter().all(|(time, _)| time == TIME));
    }

    #[test]
    fn bytes_that_are_not_utf8_stay() {
        let lines = split(&[TIME.as_bytes(), b" \xff\xfe\x00\n"].concat());
        assert_eq!(lines, [(TIME.to_owned(), b"\xff\xfe\x00".to_vec())]);
    }

    #[test]
    fn a_time_with_an_offset_is_told_in_utc() {
        let lines = split(b"2026-01-07T18:00:00.5+08:00 x\n");
        assert_eq!(lines, [("2026-01-07T10:00:00.5Z".to_owned(), b"x".to_vec())]);
    }

    #[test]
    fn what_has_no_time_is_passed_on_whole() {
        let lines = split(b"unable to retrieve container logs for containerd://x\n\nx");
        assert_eq!(
            lines[0],
            (
                String::new(),
                b"unable to retrieve container logs for containerd://x".to_vec()
            )
        );
        assert_eq!(lines[1], (String::new(), Vec::new()));
        assert_eq!(lines[2], (String::new(), b"x".to_vec()));
    }

    #[test]
    fn a_line_that_is_too_long_comes_in_parts_with_one_time() {
        let mut splitter = Splitter {
            max: 50,
            ..Splitter::default()
        };
        let long = format!("{TIME} {}\n{TIME} next\n", "x".repeat(100));
        let lines: Vec<_> = long
            .as_bytes()
            .chunks(7)
            .flat_map(|piece| splitter.push(Bytes::copy_from_slice(piece)))
            .collect();
        let (last, parts) = lines.split_last().unwrap();
        let joined: Vec<u8> = parts.iter().flat_map(|part| part.line.text.to_vec()).collect();
        assert_eq!(joined, vec![b'x'; 100]);
        assert!(
            parts.len() > 1
                && parts
                    .iter()
                    .all(|part| part.line.time == TIME && part.line.text.len() <= 50)
        );
        assert_eq!(last.line.text, "next");
    }

    #[test]
    fn a_line_of_several_megabytes_stays_whole() {
        let mut splitter = Splitter::default();
        let text = vec![b'x'; 5 << 20];
        let bytes = [TIME.as_bytes(), b" ", &text, b"\n"].concat();
        let lines: Vec<_> = bytes
            .chunks(8 << 10)
            .flat_map(|piece| splitter.push(Bytes::copy_from_slice(piece)))
            .collect();
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].line.text, text);
    }
}
