//! The splitter that cuts a log's bytes into lines, and long lines into pieces, and parses the
//! lines' times.

use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Line;
use crate::lossy::{is_begun, json_fit, json_len};

/// The most bytes of one piece of a line, both as plain text and in a JSON string. The line's time
/// counts if it is shown.
pub const MAX_PIECE: usize = 128 << 10;
/// The bytes of an incomplete line that each reader may hold. To hold more, it needs the
/// [`LongLine`] of its stream.
const OWN: usize = 8 << 10;
/// The most bytes that one call of [`Splitter::next`] takes. A line within them does not exceed
/// [`MAX_PIECE`] as JSON.
pub(super) const PORTION: usize = 16 << 10;
/// A number of bytes above the length of the longest RFC 3339 time.
const MAX_TIME: usize = 40;

/// A line or a piece of one, with the time of its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamped {
    pub(super) line: Line,
    /// The line's time; `None` if the cluster printed none, as for a message of the kubelet itself.
    pub(super) at: Option<Timestamp>,
    /// Whether this is the line's first piece, or the whole line.
    pub(super) first: bool,
}

/// The right to hold a long line, which only one reader of a stream has at a time. A reader that
/// can't have it does not wait, but sends what it has as a piece. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct LongLine(Arc<Semaphore>);

impl LongLine {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

/// A splitter of bytes that arrive in portions of any size. It holds at most the beginning of one
/// line: 8 KiB, or one piece if it has the [`LongLine`].
#[derive(Debug)]
pub(super) struct Splitter {
    begun: BytesMut,
    /// Whether the line in `begun` is complete.
    ended: bool,
    /// The number of bytes of `begun` that were measured, and their length as JSON.
    measured: (usize, usize),
    /// The time of the current line, if a piece of that line was sent; the inner `None` means that
    /// the line has no time.
    continued: Option<Option<Timestamp>>,
    /// Whether times are shown, and therefore count towards [`MAX_PIECE`].
    timestamps: bool,
    long: LongLine,
    permit: Option<OwnedSemaphorePermit>,
}

impl Splitter {
    pub(super) fn new(long: LongLine, timestamps: bool) -> Self {
        Self {
            begun: BytesMut::new(),
            ended: false,
            measured: (0, 0),
            continued: None,
            timestamps,
            long,
            permit: None,
        }
    }

    /// Takes the next line or piece from a portion of at most [`PORTION`] bytes; `None` if the
    /// portion has no further one. Call it with the same portion until it returns `None`.
    pub(super) fn next(&mut self, portion: &mut Bytes) -> Option<Stamped> {
        if !self.ended {
            let end = memchr::memchr(b'\n', portion);
            let raw = portion.split_to(end.unwrap_or(portion.len()));
            portion.advance(usize::from(end.is_some()));
            if end.is_some() && self.begun.is_empty() && self.continued.is_none() {
                return Some(stamp(raw));
            }
            self.begun.extend_from_slice(&raw);
            self.ended = end.is_some();
        }
        if let Some(end) = self.overflow() {
            return Some(self.piece(end));
        }
        if self.ended {
            return Some(self.last());
        }
        let whole = self.measured.0;
        (self.begun.len() > OWN && whole > 0 && !self.may_hold()).then(|| self.piece(whole))
    }

    /// Returns the next piece of a last line without a line feed, after the end of the bytes.
    pub(super) fn finish(&mut self) -> Option<Stamped> {
        if !self.ended && self.begun.is_empty() && self.continued.is_none() {
            return None;
        }
        self.ended = true;
        Some(match self.overflow() {
            Some(end) => self.piece(end),
            None => self.last(),
        })
    }

    /// Gives back the right to hold a long line, if no long line is in progress. Call it once all
    /// lines were sent.
    pub(super) fn release(&mut self) {
        if self.permit.is_some() && self.begun.len() <= OWN {
            self.begun = BytesMut::from(self.begun.as_ref());
            self.permit = None;
        }
    }

    fn may_hold(&mut self) -> bool {
        if self.permit.is_none() {
            self.permit = self.long.0.clone().try_acquire_owned().ok();
            if self.permit.is_some() {
                self.begun.reserve(MAX_PIECE + PORTION - self.begun.len());
            }
        }
        self.permit.is_some()
    }

    /// Measures the bytes that were not measured yet. Returns where to cut if `begun` exceeds a
    /// piece.
    fn overflow(&mut self) -> Option<usize> {
        let most = self.most();
        let (mut at, mut taken) = self.measured;
        let rest = self.begun.get(at..).unwrap_or_default();
        let mut cut = None;
        for chunk in rest.utf8_chunks() {
            let text = chunk.valid();
            let (fits, takes) = match json_len(text) {
                takes if taken + takes <= most => (text.len(), takes),
                _ => {
                    let fits = json_fit(text, most - taken);
                    (fits, json_len(text.get(..fits).unwrap_or_default()))
                }
            };
            at += fits;
            taken += takes;
            let invalid = chunk.invalid();
            if fits < text.len() {
                cut = Some(at);
                break;
            }
            let may_go_on = !self.ended && at + invalid.len() == self.begun.len() && is_begun(invalid);
            if invalid.is_empty() || may_go_on {
                continue;
            }
            let replaced = char::REPLACEMENT_CHARACTER.len_utf8();
            if taken + replaced > most {
                cut = Some(at);
                break;
            }
            at += invalid.len();
            taken += replaced;
        }
        self.measured = (at, taken);
        cut
    }

    /// Returns the most bytes that `begun` may take as JSON for one piece. If it contains the
    /// line's time and that is not shown, the time is added to [`MAX_PIECE`].
    fn most(&self) -> usize {
        if self.timestamps || self.continued.is_some() {
            return MAX_PIECE;
        }
        let begin = self.begun.get(..self.begun.len().min(MAX_TIME + 1));
        let begin = Bytes::copy_from_slice(begin.unwrap_or_default());
        let length = begin.len();
        MAX_PIECE + length - split_time(begin).2.len()
    }

    fn piece(&mut self, end: usize) -> Stamped {
        self.measured = (0, 0);
        let raw = Bytes::copy_from_slice(&self.begun.split_to(end));
        let mut stamped = self.stamped(raw);
        self.continued = Some(stamped.at);
        stamped.line.partial = true;
        stamped
    }

    fn last(&mut self) -> Stamped {
        self.measured = (0, 0);
        self.ended = false;
        let raw = Bytes::copy_from_slice(&self.begun);
        self.begun.clear();
        let stamped = self.stamped(raw);
        self.continued = None;
        stamped
    }

    fn stamped(&self, raw: Bytes) -> Stamped {
        match self.continued {
            None => stamp(raw),
            Some(at) => Stamped::rest(raw, at),
        }
    }
}

impl Stamped {
    /// Makes the last piece of a line whose beginning was sent.
    pub(super) fn rest(text: Bytes, at: Option<Timestamp>) -> Self {
        let line = Line {
            time: String::new(),
            text,
            partial: false,
        };
        Self { line, at, first: false }
    }
}

fn stamp(raw: Bytes) -> Stamped {
    let (time, at, text) = split_time(raw);
    let line = Line {
        time,
        text,
        partial: false,
    };
    Stamped { line, at, first: true }
}

/// Splits off the time before the first space, and converts it to UTC.
fn split_time(mut raw: Bytes) -> (String, Option<Timestamp>, Bytes) {
    let end = raw.iter().take(MAX_TIME).position(|byte| *byte == b' ');
    // A line without text may lack the space.
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
mod tests;
