//! The inputs and decisions of the machine.

use crate::error::StaleReason;

/// A request to the API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// A streaming list: a watch that begins with all pods.
    Stream,
    /// A page of a list; the first one if the token is empty.
    Page { token: String },
    /// A list in one piece.
    Whole,
    /// A watch of the changes after a version.
    Watch { version: String },
}

impl Call {
    /// Returns whether a list begins with this call.
    pub(crate) fn begins_list(&self) -> bool {
        match self {
            Self::Stream | Self::Whole => true,
            Self::Page { token } => token.is_empty(),
            Self::Watch { .. } => false,
        }
    }
}

/// Something that happened to the current call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Input<'a> {
    /// The call succeeded; events or pods follow.
    Opened,
    /// A pod was added, changed or deleted. The version is empty if it could not be read.
    Changed { version: &'a str },
    /// A bookmark. `end` says whether all initial events have been sent.
    Bookmark { version: &'a str, end: bool },
    /// A page with this number of pods is complete. It was the last one if the token is empty.
    Page {
        version: &'a str,
        token: &'a str,
        pods: usize,
    },
    /// The cluster has more pods than Podgate keeps, or its list does not end.
    Excess,
    /// The server answered 410, or has not reached the requested version yet.
    Gone,
    /// Any other status than success.
    Refused { status: u16 },
    /// The server ended the watch.
    Ended,
    /// No connection was made, the connection broke, or the response was not that of a Kubernetes
    /// API.
    Broken,
    /// Nothing arrived within [`super::Machine::wait`].
    Silent,
}

/// How long to wait for the next input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// A list must make progress within this time.
    Progress,
    /// A watch that lasts this long after it was opened is settled: call
    /// [`super::Machine::settle`].
    Settle,
    /// A watch must not be silent for longer.
    Silence,
}

/// The effect of an input on the state of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// The state is unchanged.
    Unchanged,
    /// The rows equal the cluster now.
    Confirmed,
    /// The watch works again.
    Recovered,
    /// The rows may be out of date. The reason is `None` if an error explains it.
    Stale(Option<StaleReason>),
}

/// The next thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Continue to read the response.
    Read,
    /// Give up the current call and make the one that [`super::Machine::call`] returns.
    Call,
    /// As `Call`, but after a pause that grows with the number of failures in a row.
    Retry { failures: u32 },
}

/// The machine's decision for an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Whether the list is complete, so that the rows that it did not bring must be removed.
    pub(crate) finish: bool,
    pub(crate) health: Health,
    pub(crate) next: Next,
}
