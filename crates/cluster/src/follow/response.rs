//! An answer of the log call that is being read: where in it the new lines begin.

use std::time::Duration;

use kube::client::Body;
use tokio::time::Instant;

use super::{
    lines::{Splitter, Stamped},
    resume::{LineContinuation, Search, Step},
};

/// Silence in an answer that is searched, after which what was held back is passed on.
const SETTLE: Duration = Duration::from_secs(2);

/// An answer that is being read.
pub(super) struct LogResponse {
    pub(super) body: Body,
    pub(super) splitter: Splitter,
    /// Until the place where the log was left is found.
    pub(super) search: Option<Search>,
    /// Until the line is found again of which only a beginning was passed on.
    pub(super) continuation: Option<LineContinuation>,
    /// New lines were found.
    pub(super) progress: bool,
    /// After so much is checked whether the log has gone on elsewhere.
    pub(super) silence: Duration,
    pub(super) quiet_since: Instant,
    /// The log has gone on, and this answer has not yet.
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

    /// The new lines that a piece brings, and whether lines are missing before them.
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

    /// What was held back, since nothing comes that would make it clearer.
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
