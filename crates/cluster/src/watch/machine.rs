//! The state machine of one list and watch. It turns inputs into decisions, does no I/O and has no
//! clock.
//!
//! A list is streamed if the server supports that (KEP-3157, `sendInitialEvents`), and read in
//! pages otherwise. Then the changes after the list's version are watched. Old rows are removed
//! only when a list is complete, so readers never see an empty or partial list.

mod step;

pub(crate) use self::step::{Call, Health, Input, Next, Step, Wait};
use super::metrics::ListCause;
use crate::error::StaleReason;

/// How many times a paged list is restarted because its continue token expired, before it is
/// requested in one piece.
const MAX_RESTARTS: u8 = 2;
/// How many streaming lists in a row may break off before the list is read in pages.
const MAX_LOSSES: u8 = 2;
/// How many pages in a row may be empty, although another one follows, before the list is given up.
const MAX_EMPTY_PAGES: u8 = 4;
/// How many times in a row one page may fail before the list starts again.
const MAX_PAGE_FAILURES: u32 = 4;

#[derive(Clone, Debug)]
enum Phase {
    Streaming,
    Paging {
        /// The version of the first page, which all later pages share.
        version: String,
        token: String,
        restarts: u8,
        whole: bool,
        /// The number of empty pages in a row.
        empty: u8,
        /// The number of failures in a row before the current page.
        before: u32,
    },
    Watching {
        version: String,
        /// Whether the connection counts as working, after an event, a bookmark or some time.
        settled: bool,
    },
}

/// The state machine of one list and watch: see the module.
#[derive(Debug)]
pub(crate) struct Machine {
    phase: Phase,
    /// Whether the server supports streaming lists, as far as is known.
    streams: bool,
    /// The number of failures in a row.
    failures: u32,
    /// The number of streaming lists in a row that broke off.
    losses: u8,
    /// Why the current list began, or the next one will.
    cause: ListCause,
}

impl Machine {
    pub(crate) fn new() -> Self {
        Self {
            phase: Phase::Streaming,
            streams: true,
            failures: 0,
            losses: 0,
            cause: ListCause::Start,
        }
    }

    /// Returns why the list that begins with [`Machine::call`] is needed.
    pub(crate) fn cause(&self) -> ListCause {
        self.cause
    }

    /// Returns the request to make now.
    pub(crate) fn call(&self) -> Call {
        match &self.phase {
            Phase::Streaming => Call::Stream,
            Phase::Paging { whole: true, .. } => Call::Whole,
            Phase::Paging { token, .. } => Call::Page { token: token.clone() },
            Phase::Watching { version, .. } => Call::Watch {
                version: version.clone(),
            },
        }
    }

    /// Returns how long to wait for the next input.
    pub(crate) fn wait(&self) -> Wait {
        match self.phase {
            Phase::Streaming | Phase::Paging { .. } => Wait::Progress,
            Phase::Watching { settled: false, .. } => Wait::Settle,
            Phase::Watching { settled: true, .. } => Wait::Silence,
        }
    }

    /// Records that the connection lasted for [`Wait::Settle`].
    pub(crate) fn settle(&mut self) -> Step {
        self.proven();
        step(Health::Recovered, Next::Read)
    }

    /// Returns the decision for an input.
    pub(crate) fn step(&mut self, input: Input<'_>) -> Step {
        match &self.phase {
            Phase::Streaming => self.streaming(input),
            Phase::Paging { .. } => self.paging(input),
            Phase::Watching { .. } => self.watching(input),
        }
    }

    fn streaming(&mut self, input: Input<'_>) -> Step {
        match input {
            Input::Opened | Input::Changed { .. } => step(Health::Unchanged, Next::Read),
            Input::Bookmark { version, end: true } if !version.is_empty() => {
                self.losses = 0;
                self.watch_from(version.to_owned());
                Step {
                    finish: true,
                    health: Health::Confirmed,
                    next: Next::Read,
                }
            }
            // A server without streaming lists treats the call as a plain watch. Its bookmarks do
            // not mark the end of a list, or it sends none and falls silent.
            Input::Bookmark { .. } | Input::Silent => {
                self.streams = false;
                self.list(ListCause::Unsupported);
                step(Health::Unchanged, Next::Call)
            }
            Input::Refused { status } if means_unknown(status) => {
                self.streams = false;
                self.list(ListCause::Unsupported);
                step(Health::Unchanged, Next::Call)
            }
            Input::Refused { .. } => {
                self.cause = ListCause::Failure;
                self.failed()
            }
            Input::Excess => self.failed_and_lists(ListCause::Excess),
            Input::Gone | Input::Page { .. } | Input::Ended | Input::Broken => {
                self.losses = self.losses.saturating_add(1);
                self.failed_and_lists(ListCause::Failure)
            }
        }
    }

    fn paging(&mut self, input: Input<'_>) -> Step {
        let Phase::Paging {
            version,
            token,
            restarts,
            whole,
            empty,
            before,
        } = &mut self.phase
        else {
            return self.failed();
        };
        match input {
            Input::Opened | Input::Changed { .. } => step(Health::Unchanged, Next::Read),
            Input::Page {
                version: of_page,
                token: more,
                pods,
            } => {
                if version.is_empty() {
                    of_page.clone_into(version);
                }
                *empty = if pods == 0 { empty.saturating_add(1) } else { 0 };
                if !more.is_empty() && (more == token || *empty > MAX_EMPTY_PAGES) {
                    return Step {
                        health: Health::Stale(Some(StaleReason::Repeats)),
                        ..self.failed_and_lists(ListCause::Failure)
                    };
                }
                if !more.is_empty() {
                    more.clone_into(token);
                    // Forget only this page's failures, because it is not known yet whether the
                    // list can be watched.
                    self.failures = *before;
                    return step(Health::Unchanged, Next::Call);
                }
                let version = std::mem::take(version);
                self.watch_from(version);
                Step {
                    finish: true,
                    health: Health::Confirmed,
                    next: Next::Call,
                }
            }
            Input::Gone if !token.is_empty() => {
                *whole = *restarts >= MAX_RESTARTS;
                *restarts = restarts.saturating_add(1);
                version.clear();
                token.clear();
                self.cause = ListCause::Expired;
                step(Health::Unchanged, Next::Call)
            }
            Input::Excess => self.failed_and_lists(ListCause::Excess),
            Input::Refused { status } if means_unknown(status) => {
                token.clear();
                version.clear();
                self.cause = ListCause::Failure;
                self.failed()
            }
            Input::Broken
            | Input::Silent
            | Input::Gone
            | Input::Refused { .. }
            | Input::Ended
            | Input::Bookmark { .. } => {
                if self.failures >= before.saturating_add(MAX_PAGE_FAILURES) {
                    *before = self.failures;
                    token.clear();
                    version.clear();
                }
                self.cause = ListCause::Failure;
                self.failed()
            }
        }
    }

    fn watching(&mut self, input: Input<'_>) -> Step {
        match input {
            Input::Opened => step(Health::Unchanged, Next::Read),
            Input::Changed { version } | Input::Bookmark { version, .. } => self.advance(version),
            Input::Gone => {
                let why = Health::Stale(Some(StaleReason::Expired));
                // Pause first, so as not to list in a loop if no list of the server can be watched.
                if self.wait() == Wait::Silence {
                    self.list(ListCause::Expired);
                    return step(why, Next::Call);
                }
                Step {
                    health: why,
                    ..self.failed_and_lists(ListCause::Expired)
                }
            }
            Input::Silent => {
                self.list(ListCause::Silence);
                step(Health::Stale(Some(StaleReason::Silent)), Next::Call)
            }
            Input::Ended if self.wait() == Wait::Silence => {
                self.unsettle();
                step(Health::Unchanged, Next::Call)
            }
            Input::Refused { status: 400 | 422 } => self.failed_and_lists(ListCause::Refused),
            Input::Excess => self.failed_and_lists(ListCause::Excess),
            Input::Ended | Input::Broken | Input::Refused { .. } | Input::Page { .. } => {
                self.unsettle();
                self.failed()
            }
        }
    }

    /// Handles the version of a change or a bookmark of a watch.
    fn advance(&mut self, to: &str) -> Step {
        let Phase::Watching { version, .. } = &mut self.phase else {
            return step(Health::Unchanged, Next::Read);
        };
        if is_before(to, version) {
            self.list(ListCause::Backwards);
            return step(Health::Stale(Some(StaleReason::Backwards)), Next::Call);
        }
        if !to.is_empty() {
            to.clone_into(version);
        }
        self.proven();
        step(Health::Confirmed, Next::Read)
    }

    fn proven(&mut self) {
        self.failures = 0;
        if let Phase::Watching { settled, .. } = &mut self.phase {
            *settled = true;
        }
    }

    fn unsettle(&mut self) {
        if let Phase::Watching { settled, .. } = &mut self.phase {
            *settled = false;
        }
    }

    fn watch_from(&mut self, version: String) {
        self.phase = Phase::Watching {
            version,
            settled: false,
        };
    }

    /// Begins a list.
    fn list(&mut self, cause: ListCause) {
        self.cause = cause;
        self.phase = if self.streams && self.losses < MAX_LOSSES {
            Phase::Streaming
        } else {
            self.losses = 0;
            Phase::Paging {
                version: String::new(),
                token: String::new(),
                restarts: 0,
                whole: false,
                empty: 0,
                before: self.failures,
            }
        };
    }

    /// Counts a failure and begins a list. The failure does not count against the new list.
    fn failed_and_lists(&mut self, cause: ListCause) -> Step {
        let step = self.failed();
        self.list(cause);
        step
    }

    fn failed(&mut self) -> Step {
        self.failures = self.failures.saturating_add(1);
        step(
            Health::Stale(None),
            Next::Retry {
                failures: self.failures,
            },
        )
    }
}

fn step(health: Health, next: Next) -> Step {
    Step {
        finish: false,
        health,
        next,
    }
}

/// Returns whether a status may mean that the server does not understand the request, rather than
/// that it refuses the request now.
fn means_unknown(status: u16) -> bool {
    matches!(status, 400..=499) && !matches!(status, 401 | 403 | 408 | 410 | 429)
}

/// Returns whether a version is certainly older than another. Versions are opaque by contract but
/// numbers in practice; if one is not a number, the result is false.
fn is_before(version: &str, than: &str) -> bool {
    match (version.parse::<u64>(), than.parse::<u64>()) {
        (Ok(version), Ok(than)) => version < than,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
