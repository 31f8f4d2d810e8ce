//! The search for the place where a log was left, by the content of its lines.
//!
//! `sinceTime` is in whole seconds, and different threads stamp the lines of stdout and stderr, so
//! lines are not in the order of their times. A log is therefore requested again from the second
//! before the newest line, and the lines that were already sent are recognised by their times,
//! their bytes and their order. Stamps may be at most one second out of order.
//!
//! Long lines arrive in pieces, which are cut differently each time. Therefore whole lines are
//! compared, and a partly sent line is continued where it was left ([`LineContinuation`]).

use std::{
    collections::VecDeque,
    hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState},
};

use bytes::Bytes;
use jiff::Timestamp;

use super::lines::Stamped;

/// How many lines of the last seconds are remembered by their content. Earlier ones are only
/// counted.
const KEPT: usize = 1024;
/// The most bytes of memory that lines take which are held while it is undecided whether they were
/// already sent.
const HELD: usize = 32 << 10;

/// A record of the sent lines of one run's log, as far as it is needed to find the place again.
#[derive(Debug)]
pub(super) struct Sent {
    hasher: RandomState,
    /// The last line's time, as printed.
    last_time: String,
    newest: Option<Timestamp>,
    /// The second from which on all lines were sent. Earlier ones may have been left out on
    /// purpose.
    complete_from: Option<i64>,
    /// The numbers of lines that are no longer in `kept`: those in the second of [`Sent::from`] or
    /// later, and those in the next second or later.
    forgotten: [u64; 2],
    /// The seconds and hashes of the last lines.
    kept: VecDeque<(i64, u64)>,
    capacity: usize,
    /// The hash of the line that is being sent, or was sent last.
    line: LineHash,
    /// The time of a partly sent line; `None` after a whole line.
    open: Option<Timestamp>,
}

/// The hash of a line that arrives in pieces.
#[derive(Clone, Debug)]
struct LineHash {
    hasher: DefaultHasher,
    bytes: usize,
}

/// A search for the place in a log that was requested again.
#[derive(Debug)]
pub(super) struct Search {
    hasher: RandomState,
    newest: Timestamp,
    from: i64,
    expected: Vec<u64>,
    /// The number of sent lines before `expected`, which are skipped.
    skip: u64,
    /// Whether `expected` begins right after the skipped lines, with no other lines in between.
    anchored: bool,
    untouched: bool,
    /// The number of lines compared so far, after the skipped ones.
    seen: usize,
    /// The possible positions of the next line in `expected`, in ascending order: one for each way
    /// in which the lines so far fit.
    fits: Vec<usize>,
    /// The lines that are held because the lines before them may be the last ones of `expected`.
    held: Option<Vec<Stamped>>,
    held_bytes: usize,
    /// The hash of the line that is arriving in pieces. Its last piece is in `last`.
    line: LineHash,
    last: Option<Stamped>,
}

/// The meaning of a line for a search.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The line was already sent, or that is undecided yet.
    Wait,
    /// The place was found. These lines are new, and so are all later ones.
    Found(Vec<Stamped>),
    /// The place is not in the log. Lines are, or may be, missing before these lines.
    Lost(Vec<Stamped>),
}

impl Sent {
    /// Makes an empty record. `whole` says whether the log is read from its beginning.
    pub(super) fn new(whole: bool) -> Self {
        Self::with_capacity(whole, KEPT)
    }

    fn with_capacity(whole: bool, capacity: usize) -> Self {
        Self {
            hasher: RandomState::new(),
            last_time: String::new(),
            newest: None,
            complete_from: whole.then_some(i64::MIN),
            forgotten: [0; 2],
            kept: VecDeque::new(),
            capacity,
            line: LineHash::default(),
            open: None,
        }
    }

    /// Records a sent line, or a sent piece of one.
    pub(super) fn record(&mut self, stamped: &Stamped) {
        let Some(at) = stamped.at else { return };
        if stamped.first {
            self.last_time.clone_from(&stamped.line.time);
        }
        let hash = self.line.take(&self.hasher, stamped);
        if stamped.line.partial {
            self.open = Some(at);
            return;
        }
        self.open = None;
        let second = at.as_second();
        // Lines may have been left out in the second in which the part begins, and in the next one,
        // because stamps may be out of order.
        self.complete_from.get_or_insert(second + 2);
        self.advance(at);
        if self.from().is_some_and(|from| second < from) {
            return;
        }
        self.kept.push_back((second, hash));
        if self.kept.len() > self.capacity {
            self.forget();
        }
    }

    /// Returns the second from which to request the log again; `None` if nothing was sent.
    pub(super) fn from(&self) -> Option<i64> {
        Some(self.newest.or(self.open)?.as_second() - 1)
    }

    /// Returns the newest time among the sent lines.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        self.newest.max(self.open)
    }

    /// Returns the last line's time, as printed.
    pub(super) fn last_time(&self) -> &str {
        &self.last_time
    }

    /// Returns a search in the log from [`Sent::from`] on; `None` if nothing was sent.
    pub(super) fn search(&self) -> Option<Search> {
        let before = |open: Timestamp| open.checked_sub(jiff::SignedDuration::from_nanos(1)).ok();
        let (newest, from) = (self.newest.or_else(|| before(self.open?))?, self.from()?);
        let anchored = self.complete_from.is_some_and(|complete| from >= complete);
        Some(Search {
            hasher: self.hasher.clone(),
            newest,
            from,
            expected: self.kept.iter().map(|(_, hash)| *hash).collect(),
            skip: if anchored { self.forgotten[0] } else { 0 },
            anchored,
            untouched: true,
            seen: 0,
            fits: Vec::new(),
            // If no whole line was sent, all lines are new.
            held: self.kept.is_empty().then(Vec::new),
            held_bytes: 0,
            line: LineHash::default(),
            last: None,
        })
    }

    /// Returns the continuation of a partly sent line; `None` if the last line was whole.
    pub(super) fn continuation(&self) -> Option<LineContinuation> {
        Some(LineContinuation {
            at: self.open?,
            passed: self.line.clone(),
            hasher: self.hasher.clone(),
            again: None,
        })
    }

    fn advance(&mut self, at: Timestamp) {
        if self.newest.is_some_and(|newest| newest >= at) {
            return;
        }
        let old = self.from();
        self.newest = Some(at);
        let Some(from) = self.from() else { return };
        match old.map(|old| from - old) {
            Some(0) => return,
            Some(1) => self.forgotten = [self.forgotten[1], 0],
            _ => self.forgotten = [0; 2],
        }
        self.kept.retain(|(second, _)| *second >= from);
    }

    fn forget(&mut self) {
        let (Some((second, _)), Some(from)) = (self.kept.pop_front(), self.from()) else {
            return;
        };
        self.forgotten[0] += 1;
        if second > from {
            self.forgotten[1] += 1;
        }
    }
}

impl LineHash {
    /// Takes the next piece. Returns the hash of its line so far, including the line's time.
    fn take(&mut self, hasher: &RandomState, stamped: &Stamped) -> u64 {
        if stamped.first {
            *self = Self {
                hasher: hasher.build_hasher(),
                bytes: 0,
            };
            stamped.at.hash(&mut self.hasher);
        }
        self.hasher.write(&stamped.line.text);
        self.bytes += stamped.line.text.len();
        self.hasher.finish()
    }
}

impl Default for LineHash {
    fn default() -> Self {
        Self {
            hasher: DefaultHasher::new(),
            bytes: 0,
        }
    }
}

impl Search {
    /// Takes the next line, or piece of one.
    pub(super) fn push(&mut self, stamped: Stamped) -> Step {
        // A message of the kubelet itself is not part of the log. A line from before the search's
        // start was certainly sent.
        let Some(at) = stamped.at.filter(|at| at.as_second() >= self.from) else {
            return Step::Wait;
        };
        self.untouched = false;
        if at > self.newest {
            return self.decide(stamped);
        }
        // Only the beginning of a line was sent, so the lines before it were left out on purpose.
        if self.expected.is_empty() {
            return Step::Wait;
        }
        if self.skip > 0 {
            self.skip -= u64::from(!stamped.line.partial);
            return Step::Wait;
        }
        let hash = self.line.take(&self.hasher, &stamped);
        let (first, partial) = (stamped.first, stamped.line.partial);
        if let Some(held) = &mut self.held {
            self.held_bytes += stamped.line.memory_size();
            held.push(stamped);
        } else if !partial {
            self.last = Some(stamped);
        }
        let step = if partial { Step::Wait } else { self.whole(hash, first) };
        match step {
            Step::Wait if self.held_bytes > HELD => self.settle(),
            step => step,
        }
    }

    /// Handles a complete line.
    fn whole(&mut self, hash: u64, in_one_piece: bool) -> Step {
        let last = self.last.take();
        self.begin();
        self.fits.retain_mut(|next| {
            let fits = self.expected.get(*next) == Some(&hash);
            *next += 1;
            fits
        });
        self.seen += 1;
        if self.fits.last() == Some(&self.expected.len()) {
            self.fits.pop();
            self.held = Some(Vec::new());
            self.held_bytes = 0;
        } else if self.held.is_none() && self.fits.is_empty() && self.anchored {
            // The last piece of a line is useless if its first pieces were not kept.
            return Step::Lost(last.filter(|_| in_one_piece).into_iter().collect());
        }
        if self.fits.is_empty() {
            return self.settle();
        }
        Step::Wait
    }

    /// Decides that the held lines are new, because nothing more arrives for now.
    pub(super) fn settle(&mut self) -> Step {
        self.held.take().map_or(Step::Wait, Step::Found)
    }

    /// Returns whether no line of the log has arrived.
    pub(super) fn is_untouched(&self) -> bool {
        self.untouched
    }

    /// Handles the first line that is certainly new.
    fn decide(&mut self, stamped: Stamped) -> Step {
        match self.held.take() {
            Some(mut held) => {
                held.push(stamped);
                Step::Found(held)
            }
            None => Step::Lost(vec![stamped]),
        }
    }

    /// Adds the positions of `expected` that the next line may have. The log may begin within
    /// `expected`, because a rotation removed lines, or before it, with lines that were left out on
    /// purpose.
    fn begin(&mut self) {
        if self.seen == 0 {
            self.fits = (0..self.expected.len()).collect();
        } else if !self.anchored {
            self.fits.insert(0, 0);
        }
    }
}

/// The continuation of a partly sent line in a log that was requested again.
#[derive(Debug)]
pub(super) struct LineContinuation {
    at: Timestamp,
    /// The hash of the beginning that was sent.
    passed: LineHash,
    hasher: RandomState,
    /// The hash of the part of the beginning that has arrived again.
    again: Option<LineHash>,
}

/// The meaning of a piece for a line that is continued.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Continued {
    /// The piece was sent before.
    Old,
    /// The rest of the piece, if any, is new, and so are all later lines.
    New(Option<Stamped>),
    /// The line is no longer in the log. The piece belongs to another line.
    Lost(Stamped),
}

impl LineContinuation {
    /// Takes the next piece after the place where the log was left.
    pub(super) fn take(&mut self, mut piece: Stamped) -> Continued {
        let mut again = match self.again.take() {
            None if piece.first && piece.at == Some(self.at) => LineHash::default(),
            Some(again) if !piece.first => again,
            _ => return Continued::Lost(piece),
        };
        let as_it_came = piece.clone();
        let missing = self.passed.bytes.saturating_sub(again.bytes);
        let rest = if piece.line.text.len() > missing {
            Some(piece.line.text.split_off(missing))
        } else {
            None
        };
        let hash = again.take(&self.hasher, &piece);
        if again.bytes < self.passed.bytes && piece.line.partial {
            self.again = Some(again);
            return Continued::Old;
        }
        let partial = piece.line.partial;
        if again.bytes != self.passed.bytes || hash != self.passed.hasher.finish() {
            // This line has the same time but another text.
            return Continued::Lost(Stamped {
                first: true,
                ..as_it_came
            });
        }
        if rest.is_none() && partial {
            return Continued::New(None);
        }
        let mut rest = Stamped::rest(rest.unwrap_or_else(Bytes::new), piece.at);
        rest.line.partial = partial;
        Continued::New(Some(rest))
    }

    /// Takes the pieces of the log's last line, which has no line feed, and returns the new ones.
    pub(super) fn rest(&mut self, pieces: Vec<Stamped>) -> Vec<Stamped> {
        let mut new = Vec::new();
        let mut pieces = pieces.into_iter();
        for piece in pieces.by_ref() {
            match self.take(piece) {
                Continued::Old => continue,
                Continued::New(rest) => new.extend(rest),
                Continued::Lost(piece) => new.push(piece),
            }
            break;
        }
        new.extend(pieces);
        new
    }
}

#[cfg(test)]
mod tests;
