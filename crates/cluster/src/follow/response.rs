//! A log response in progress, and the place in it where new lines begin.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    lines::{Splitter, Stamped},
    resume::{LineContinuation, Search, Step},
};

/// How long a response must be silent, during a search, before the held lines are sent.
const SETTLE: Duration = Duration::from_secs(2);

/// A log response in progress.
pub(super) struct LogResponse {
    pub(super) splitter: Splitter,
    /// The search for the place where the log was left; `None` once that is found.
    pub(super) search: Option<Search>,
    /// The continuation of a partly sent line; `None` once that line is found.
    pub(super) continuation: Option<LineContinuation>,
    /// Whether new lines were found.
    pub(super) progress: bool,
    /// How long the response may be silent before we check whether the log has newer lines.
    pub(super) silence: Duration,
    pub(super) quiet_since: Instant,
    /// Whether the log has newer lines that did not arrive in this response.
    pub(super) suspect: bool,
}

impl LogResponse {
    pub(super) fn idle_limit(&self) -> Duration {
        if self.search.is_some() || self.suspect {
            SETTLE.min(self.silence)
        } else {
            self.silence
        }
    }

    /// Takes a piece and returns the lines that are new, and whether lines are missing before them.
    pub(super) fn accept(&mut self, piece: Stamped) -> (Vec<Stamped>, bool) {
        let Some(search) = &mut self.search else {
            return (vec![piece], false);
        };
        let (new, lost) = match search.push(piece) {
            Step::Wait => return (Vec::new(), false),
            Step::Found(lines) => (lines, false),
            Step::Lost(lines) => (lines, true),
        };
        self.search = None;
        (new, lost)
    }

    /// Returns the held lines, because nothing arrives that could decide whether they are new.
    pub(super) fn settle(&mut self) -> Vec<Stamped> {
        match self.search.as_mut().map(Search::settle) {
            Some(Step::Found(lines)) => {
                self.search = None;
                lines
            }
            _ => Vec::new(),
        }
    }
}
