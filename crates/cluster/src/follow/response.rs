//! A log response in progress, and where in it the new lines begin.

use std::time::Duration;

use kube::client::Body;
use tokio::time::Instant;

use super::{
    lines::{Splitter, Stamped},
    resume::{LineContinuation, Search, Step},
};

/// How long a response that is being searched must be silent before the held lines are sent.
const SETTLE: Duration = Duration::from_secs(2);

/// A log response in progress.
pub(super) struct LogResponse {
    pub(super) body: Body,
    pub(super) splitter: Splitter,
    /// Set until the place where the log was left is found.
    pub(super) search: Option<Search>,
    /// Set until a partly sent line is found again.
    pub(super) continuation: Option<LineContinuation>,
    /// Whether new lines were found.
    pub(super) progress: bool,
    /// How long it may be silent before we check whether the log has advanced elsewhere.
    pub(super) silence: Duration,
    pub(super) quiet_since: Instant,
    /// Whether the log has advanced, but not in this response.
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

    /// Takes a piece. Returns the new lines, and whether lines are missing before them.
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

    /// Returns the held lines, because nothing arrives that would decide about them.
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
