//! Finds the place again where a log was left, by content.
//!
//! `sinceTime` is in whole seconds, and the lines of stdout and stderr are stamped by different threads, so that the order of lines is not
//! that of their times. So a log is asked again from the second before the newest line's, and what was already passed on is recognised
//! there as a sequence: times, bytes and order. No two stamps may be more than a second out of order.

use std::{
    collections::{VecDeque, hash_map::RandomState},
    hash::BuildHasher,
};

use jiff::Timestamp;

use super::lines::Stamped;

/// Lines of the last seconds whose content is remembered; of those before only how many there were.
const KEPT: usize = 4096;
/// Bytes of lines that are held back while it is not clear whether they were already passed on.
const HELD: usize = 1 << 20;

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
        }
    }

    /// Remembers a line that was passed on.
    pub(super) fn record(&mut self, stamped: &Stamped) {
        let Some(at) = stamped.at else { return };
        self.last_time.clone_from(&stamped.line.time);
        let second = at.as_second();
        // Of the second in which an asked-for part begins, and within the disorder of stamps, lines may have been left out.
        self.complete_from.get_or_insert(second + 2);
        self.advance(at);
        if self.from().is_some_and(|from| second < from) {
            return;
        }
        self.kept.push_back((second, hash(&self.hasher, stamped)));
        if self.kept.len() > self.capacity {
            self.forget();
        }
    }

    /// The second from which the log is to be asked again; none when nothing was passed on.
    pub(super) fn from(&self) -> Option<i64> {
        Some(self.newest?.as_second() - 1)
    }

    /// The newest time that was passed on.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        self.newest
    }

    /// The last line's time, as it was called.
    pub(super) fn last_time(&self) -> &str {
        &self.last_time
    }

    /// A search in a log that is asked again from [`Sent::from`] on; none when nothing was passed on.
    pub(super) fn search(&self) -> Option<Search> {
        let (newest, from) = (self.newest?, self.from()?);
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
            held: None,
            held_bytes: 0,
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

impl Search {
    /// Takes the next line.
    pub(super) fn push(&mut self, stamped: Stamped) -> Step {
        // A message of the kubelet's own is not part of the log; what is older than was asked for can only be an old line.
        let Some(at) = stamped.at.filter(|at| at.as_second() >= self.from) else {
            return Step::Wait;
        };
        self.untouched = false;
        if at > self.newest {
            return self.decide(stamped);
        }
        if self.skip > 0 {
            self.skip -= 1;
            return Step::Wait;
        }
        let hash = hash(&self.hasher, &stamped);
        self.begin();
        self.fits.retain_mut(|next| {
            let fits = self.expected.get(*next) == Some(&hash);
            *next += 1;
            fits
        });
        self.seen += 1;
        let complete = self.fits.last() == Some(&self.expected.len());
        if complete {
            self.fits.pop();
            self.held = Some(Vec::new());
            self.held_bytes = 0;
        } else if let Some(held) = &mut self.held {
            self.held_bytes += stamped.line.text.len() + 1;
            held.push(stamped);
        } else if self.fits.is_empty() && self.anchored {
            return Step::Lost(vec![stamped]);
        }
        if self.fits.is_empty() || self.held_bytes > HELD {
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

fn hash(hasher: &RandomState, stamped: &Stamped) -> u64 {
    hasher.hash_one((stamped.at, &stamped.line.text))
}

#[cfg(test)]
mod tests;
