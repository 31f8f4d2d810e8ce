//! Finds the place again where a log was left, by content.
//!
//! `sinceTime` is in whole seconds, and the lines of stdout and stderr are stamped by different threads, so that the order of lines is not
//! that of their times. So a log is asked again from the second before the newest line's, and what was already passed on is recognised
//! there as a sequence: times, bytes and order. No two stamps may be more than a second out of order.
//!
//! Long lines come in pieces, which are cut anew each time. So it is whole lines that are compared, and a line of which only a beginning was passed on is
//! gone on with where it was left ([`LineContinuation`]).

use std::{
    collections::VecDeque,
    hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState},
};

use bytes::Bytes;
use jiff::Timestamp;

use super::lines::Stamped;

/// Lines of the last seconds whose content is remembered; of those before only how many there were.
const KEPT: usize = 1024;
/// Bytes of memory of lines that are held back while it is not clear whether they were already passed on.
const HELD: usize = 32 << 10;

/// What was passed on of one run's log, as far as it matters for finding the place again.
#[derive(Debug)]
pub(super) struct Sent {
    hasher: RandomState,
    /// What the last line's time was called.
    last_time: String,
    newest: Option<Timestamp>,
    /// From this second on all lines of the log were passed on; before, some may have been left out on purpose.
    complete_from: Option<i64>,
    /// How many lines of [`Sent::from`]'s second or later, and of the next second or later, are no longer in `kept`.
    forgotten: [u64; 2],
    /// Second and hash of the last lines.
    kept: VecDeque<(i64, u64)>,
    capacity: usize,
    /// The line that is being passed on, or was the last.
    line: LineHash,
    /// The time of the line of which only a beginning was passed on.
    open: Option<Timestamp>,
}

/// A line that comes in pieces.
#[derive(Clone, Debug)]
struct LineHash {
    hasher: DefaultHasher,
    bytes: usize,
}

/// Looks for the place in what comes when the log is asked again.
#[derive(Debug)]
pub(super) struct Search {
    hasher: RandomState,
    newest: Timestamp,
    from: i64,
    expected: Vec<u64>,
    /// Lines of ours before `expected`.
    skip: u64,
    /// Nothing but those is before `expected`.
    anchored: bool,
    untouched: bool,
    /// Lines looked at, after the skipped ones.
    seen: usize,
    /// Where in `expected` the next line may be, for each way that the lines so far fit; ascending.
    fits: Vec<usize>,
    /// The lines so far may end with the last one of `expected`; held since then.
    held: Option<Vec<Stamped>>,
    held_bytes: usize,
    /// The line that comes in pieces now, and the last of them.
    line: LineHash,
    last: Option<Stamped>,
}

/// What a line means for a search.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It was already passed on, or it is not yet clear.
    Wait,
    /// The place is found: these are new, and so is all that follows.
    Found(Vec<Stamped>),
    /// The place is not there: lines are missing, or may be, before these.
    Lost(Vec<Stamped>),
}

impl Sent {
    /// Nothing yet. `whole`: the log is read from its beginning, not only a part that was asked for.
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

    /// Remembers a line, or a piece of one, that was passed on.
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
        // Of the second in which an asked-for part begins, and within the disorder of stamps, lines may have been left out.
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

    /// The second from which the log is to be asked again; none when nothing was passed on.
    pub(super) fn from(&self) -> Option<i64> {
        Some(self.newest.or(self.open)?.as_second() - 1)
    }

    /// The newest time that was passed on.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        self.newest.max(self.open)
    }

    /// The last line's time, as it was called.
    pub(super) fn last_time(&self) -> &str {
        &self.last_time
    }

    /// A search in a log that is asked again from [`Sent::from`] on; none when nothing was passed on.
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
            // Where no whole line was passed on, what follows is new.
            held: self.kept.is_empty().then(Vec::new),
            held_bytes: 0,
            line: LineHash::default(),
            last: None,
        })
    }

    /// What finds the line again of which only a beginning was passed on; none when the last one was whole.
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
    /// Takes the next piece; the hash of its line so far, its time included.
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
        // A message of the kubelet's own is not part of the log; what is older than was asked for can only be an old line.
        let Some(at) = stamped.at.filter(|at| at.as_second() >= self.from) else {
            return Step::Wait;
        };
        self.untouched = false;
        if at > self.newest {
            return self.decide(stamped);
        }
        // Nothing but a beginning of a line was passed on: what is before that was left out on purpose.
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

    /// A line is whole.
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
            // Of a line whose first pieces are gone already, the last one is of no use.
            return Step::Lost(last.filter(|_| in_one_piece).into_iter().collect());
        }
        if self.fits.is_empty() {
            return self.settle();
        }
        Step::Wait
    }

    /// Nothing more comes for now. What may be new is.
    pub(super) fn settle(&mut self) -> Step {
        self.held.take().map_or(Step::Wait, Step::Found)
    }

    /// Whether no line of the log came at all.
    pub(super) fn is_untouched(&self) -> bool {
        self.untouched
    }

    /// A line is certainly new.
    fn decide(&mut self, stamped: Stamped) -> Step {
        match self.held.take() {
            Some(mut held) => {
                held.push(stamped);
                Step::Found(held)
            }
            None => Step::Lost(vec![stamped]),
        }
    }

    /// Where `expected` may begin: in front, with some of its lines gone from the log's beginning by a rotation; or further on, behind
    /// lines that were left out.
    fn begin(&mut self) {
        if self.seen == 0 {
            self.fits = (0..self.expected.len()).collect();
        } else if !self.anchored {
            self.fits.insert(0, 0);
        }
    }
}

/// Goes on with a line of which a beginning was passed on, when the log is asked again.
#[derive(Debug)]
pub(super) struct LineContinuation {
    at: Timestamp,
    /// The beginning that was passed on.
    passed: LineHash,
    hasher: RandomState,
    /// As much of it as has come again.
    again: Option<LineHash>,
}

/// What a piece means for a line that is gone on with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Continued {
    /// It was passed on before.
    Old,
    /// The line goes on with this, if anything is left, and so does the log.
    New(Option<Stamped>),
    /// The line is not there any more. This is of another one.
    Lost(Stamped),
}

impl LineContinuation {
    /// Takes the next piece behind the place where the log was left.
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
            // It has the same time and another text.
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

    /// Takes the last line of a log, which has no line feed; what of it is new.
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
