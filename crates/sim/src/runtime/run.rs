//! One run of a container, with its log.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::watch;

/// The most bytes that the log of a run keeps. Beyond that, the oldest lines are dropped.
const MAX_BYTES: usize = 64 << 20;

/// The most lines that the log of a run keeps.
const MAX_LINES: usize = 1 << 20;

/// One line of a log, or the beginning of one.
#[derive(Debug)]
struct Line {
    time: Timestamp,
    bytes: Vec<u8>,
}

#[derive(Debug)]
struct Buffer {
    lines: VecDeque<Line>,
    /// The number of the first kept line.
    first: u64,
    bytes: usize,
    /// The first line that new readers see. Earlier ones were rotated away.
    start: u64,
    /// The first line of each file after the first one, in ascending order.
    files: Vec<u64>,
    exit: Option<i32>,
    max_bytes: usize,
}

impl Default for Buffer {
    fn default() -> Buffer {
        Buffer {
            lines: VecDeque::new(),
            first: 0,
            bytes: 0,
            start: 0,
            files: Vec::new(),
            exit: None,
            max_bytes: MAX_BYTES,
        }
    }
}

impl Buffer {
    fn next(&self) -> u64 {
        self.first + self.lines.len() as u64
    }

    /// Returns the end of the file that has this line: the first line of the next file, if any.
    fn file_end(&self, line: u64) -> u64 {
        let next = self.files.iter().find(|start| **start > line);
        next.copied().unwrap_or_else(|| self.next())
    }

    fn append(&mut self, time: Timestamp, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let end = bytes
                .iter()
                .position(|byte| *byte == b'\n')
                .map_or(bytes.len(), |at| at + 1);
            let (part, rest) = bytes.split_at(end);
            let rotated = self.start >= self.next();
            match self.lines.back_mut() {
                // A rotation also ends a line, so that new readers start with a whole one.
                Some(line) if line.bytes.last() != Some(&b'\n') && !rotated => line.bytes.extend_from_slice(part),
                _ => self.lines.push_back(Line {
                    time,
                    bytes: part.to_vec(),
                }),
            }
            self.bytes += part.len();
            bytes = rest;
        }
        while (self.bytes > self.max_bytes || self.lines.len() > MAX_LINES) && self.lines.len() > 1 {
            if let Some(line) = self.lines.pop_front() {
                self.bytes -= line.bytes.len();
                self.first += 1;
            }
        }
    }
}

/// A position in a run's log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    /// The line's number since the run began.
    pub(crate) line: u64,
    /// The bytes of the line before this position.
    pub(crate) offset: usize,
}

/// Some bytes of one line of a log.
#[derive(Debug, PartialEq)]
pub(crate) struct Piece {
    /// The time of the line's first byte.
    pub(crate) time: Timestamp,
    /// Whether these bytes are the beginning of the line.
    pub(crate) begins: bool,
    /// The bytes: at most a whole line with its line feed.
    pub(crate) bytes: Bytes,
}

/// The result of [`Run::read`].
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) pieces: Vec<Piece>,
    /// The position of the next read.
    pub(crate) next: Position,
    /// Whether the run has ended and everything has been read.
    pub(crate) over: bool,
}

/// One run of a container, from its start to its end, with its log.
#[derive(Debug)]
pub(crate) struct Run {
    /// `containerd://` and 64 hexadecimal digits.
    pub(crate) container_id: String,
    buffer: Mutex<Buffer>,
    changed: watch::Sender<()>,
}

impl Run {
    /// Starts a run.
    pub(crate) fn new() -> Arc<Run> {
        Arc::new(Run {
            container_id: format!("containerd://{}", crate::names::container_id()),
            buffer: Mutex::default(),
            changed: watch::Sender::new(()),
        })
    }

    fn with<T>(&self, read: impl FnOnce(&mut Buffer) -> T) -> T {
        read(&mut self.buffer.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Appends to the log. Does nothing once the run has ended.
    pub(crate) fn append(&self, time: Timestamp, bytes: &[u8]) {
        self.with(|buffer| {
            if buffer.exit.is_none() {
                buffer.append(time, bytes);
            }
        });
        self.changed.send_replace(());
    }

    /// Sets how many bytes the log keeps at most, instead of 64 MiB.
    pub(crate) fn set_max_bytes(&self, bytes: usize) {
        self.with(|buffer| buffer.max_bytes = bytes);
    }

    /// Hides the log so far from new readers.
    pub(crate) fn rotate(&self) {
        self.with(|buffer| {
            buffer.start = buffer.next();
            let (first, start) = (buffer.first, buffer.start);
            buffer.files.retain(|file| *file > first && *file < start);
            buffer.files.push(start);
        });
        self.changed.send_replace(());
    }

    /// Ends the run. Follows end once they have read everything.
    pub(crate) fn end(&self, exit: i32) {
        self.with(|buffer| buffer.exit = buffer.exit.or(Some(exit)));
        self.changed.send_replace(());
    }

    /// Returns the exit code; `None` while it runs.
    pub(crate) fn exit(&self) -> Option<i32> {
        self.with(|buffer| buffer.exit)
    }

    /// Returns a receiver of later changes. Subscribe before reading, so that no change is missed.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Returns the first position that a new reader sees.
    pub(crate) fn start(&self) -> Position {
        self.with(|buffer| Position {
            line: buffer.start.max(buffer.first),
            offset: 0,
        })
    }

    /// Returns the start of the last `lines` lines; for 0, the end of the log.
    pub(crate) fn tail(&self, lines: u64) -> Position {
        self.with(|buffer| {
            let start = buffer.start.max(buffer.first);
            Position {
                line: buffer.next().saturating_sub(lines).max(start),
                offset: 0,
            }
        })
    }

    /// Returns the start of the first line after `from` that is not older than `time`.
    pub(crate) fn not_before(&self, from: Position, time: Timestamp) -> Position {
        self.with(|buffer| {
            let skip = usize::try_from(from.line.saturating_sub(buffer.first)).unwrap_or(usize::MAX);
            let at = buffer.lines.iter().skip(skip).position(|line| line.time >= time);
            match at {
                Some(at) => Position {
                    line: from.line.max(buffer.first) + at as u64,
                    offset: 0,
                },
                None => Position {
                    line: buffer.next(),
                    offset: 0,
                },
            }
        })
    }

    /// Reads up to about `most` bytes (at least 1) from a position on. A long line comes in several
    /// pieces.
    ///
    /// A reader whose position is no longer kept continues with the oldest line. One that comes to
    /// the end of an old file continues with the newest file, as a kubelet does: files between are
    /// skipped.
    pub(crate) fn read(&self, from: Position, most: usize) -> Read {
        self.with(|buffer| {
            let mut next = if from.line < buffer.first {
                Position {
                    line: buffer.first,
                    offset: 0,
                }
            } else {
                from
            };
            let mut left = most.max(1);
            let mut pieces = Vec::new();
            loop {
                let end = buffer.file_end(next.line);
                let skip = usize::try_from(next.line - buffer.first).unwrap_or(usize::MAX);
                let count = usize::try_from(end - next.line).unwrap_or(usize::MAX);
                for line in buffer.lines.iter().skip(skip).take(count) {
                    let rest = line.bytes.get(next.offset..).unwrap_or_default();
                    let part = rest.get(..left).unwrap_or(rest);
                    if !part.is_empty() {
                        pieces.push(Piece {
                            time: line.time,
                            begins: next.offset == 0,
                            bytes: Bytes::copy_from_slice(part),
                        });
                    }
                    left -= part.len();
                    let done = part.len() == rest.len();
                    // The last line may still grow if it is unfinished.
                    if done && (line.bytes.last() == Some(&b'\n') || next.line + 1 < buffer.next()) {
                        next = Position {
                            line: next.line + 1,
                            offset: 0,
                        };
                    } else {
                        next.offset += part.len();
                    }
                    if left == 0 || !done {
                        break;
                    }
                }
                if next.line < end || end >= buffer.start {
                    break;
                }
                next = Position {
                    line: buffer.start.max(buffer.first),
                    offset: 0,
                };
                if left == 0 {
                    break;
                }
            }
            let end = next.line >= buffer.next()
                || (next.line + 1 == buffer.next()
                    && buffer.lines.back().is_some_and(|line| line.bytes.len() == next.offset));
            Read {
                pieces,
                next,
                over: end && buffer.exit.is_some(),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Returns everything from a position on, as the second and the text of each line.
    fn lines(run: &Run, mut from: Position, most: usize) -> Vec<(i64, String)> {
        let mut lines: Vec<(i64, String)> = Vec::new();
        loop {
            let read = run.read(from, most);
            if read.pieces.is_empty() {
                return lines;
            }
            assert!(read.next > from);
            from = read.next;
            for piece in read.pieces {
                let text = String::from_utf8_lossy(&piece.bytes);
                match lines.last_mut().filter(|_| !piece.begins) {
                    Some((_, line)) => line.push_str(&text),
                    None => lines.push((piece.time.as_second(), text.into_owned())),
                }
            }
        }
    }

    #[test]
    fn a_line_has_the_time_of_its_first_byte_however_it_is_written_and_read() {
        let run = Run::new();
        run.append(at(1), b"one\ntw");
        run.append(at(2), b"o\n\nth");
        run.append(at(3), b"ree\r\nend");
        let expected = [(1, "one\n"), (1, "two\n"), (2, "\n"), (2, "three\r\n"), (3, "end")];
        let expected: Vec<(i64, String)> = expected.map(|(time, line)| (time, line.to_owned())).to_vec();
        for most in [1, 2, 5, 100] {
            assert_eq!(lines(&run, run.start(), most), expected, "{most}");
        }
        assert_eq!(lines(&run, run.tail(2), 9)[0].1, "three\r\n");
        assert_eq!(lines(&run, run.tail(0), 9), []);
        assert_eq!(
            lines(&run, run.not_before(run.start(), at(3)), 9),
            [(3, "end".to_owned())]
        );
        assert_eq!(lines(&run, run.not_before(run.start(), at(4)), 9), []);
    }

    #[test]
    fn an_unfinished_line_continues_where_the_reader_is() {
        let run = Run::new();
        run.append(at(1), b"ab");
        let read = run.read(run.start(), 100);
        assert!(!read.over);
        run.append(at(2), b"c\nd");
        let read = run.read(read.next, 100);
        assert_eq!((&read.pieces[0].bytes[..], read.pieces[0].begins), (&b"c\n"[..], false));
        run.end(0);
        run.append(at(3), b"too late");
        let read = run.read(read.next, 100);
        assert!(read.pieces.is_empty() && read.over);
        assert!(run.read(run.start(), 3).pieces.len() == 1 && !run.read(run.start(), 3).over);
    }

    #[test]
    fn a_rotation_hides_the_log_from_new_readers_only() {
        let run = Run::new();
        run.append(at(1), b"old\nhal");
        let reader = run.read(run.start(), 5).next;
        run.rotate();
        assert_eq!(lines(&run, run.start(), 9), []);
        run.append(at(2), b"f\nnew\n");
        assert_eq!(
            lines(&run, run.start(), 9),
            [(2, "f\n".to_owned()), (2, "new\n".to_owned())]
        );
        assert_eq!(run.tail(9), run.start());
        let rest: String = lines(&run, reader, 9).into_iter().map(|(_, line)| line).collect();
        assert_eq!(rest, "alf\nnew\n");
    }

    #[test]
    fn a_reader_behind_two_rotations_skips_the_file_between() {
        let texts = |run: &Run, from| -> String { lines(run, from, 3).into_iter().map(|(_, line)| line).collect() };
        let run = Run::new();
        run.append(at(1), b"a\nb\n");
        let stalled = run.read(run.start(), 2).next;
        let current = run.read(run.start(), 9).next;
        run.rotate();
        run.append(at(2), b"c\nd\n");
        assert_eq!(
            (texts(&run, stalled), texts(&run, current)),
            ("b\nc\nd\n".into(), "c\nd\n".into())
        );
        let current = run.read(current, 9).next;
        run.rotate();
        run.append(at(3), b"e\n");
        assert_eq!(
            (texts(&run, stalled), texts(&run, current)),
            ("b\ne\n".into(), "e\n".into())
        );
        assert_eq!(texts(&run, run.start()), "e\n");
        run.rotate();
        assert_eq!(texts(&run, stalled), "b\n");
        run.append(at(4), b"f\n");
        assert_eq!(texts(&run, stalled), "b\nf\n");
    }

    #[test]
    fn the_oldest_lines_go_when_there_are_too_many_bytes() {
        let run = Run::new();
        let start = run.start();
        let line = [vec![b'x'; (1 << 20) - 1], b"\n".to_vec()].concat();
        for second in 0..70 {
            run.append(at(second), &line);
        }
        assert_eq!(run.start().line, 6);
        assert_eq!(run.read(start, 1).pieces[0].time, at(6));
    }
}
