//! The inputs of the machine, and the steps that it answers with.

use crate::error::StaleReason;

/// A request to the API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// A watch that begins with all pods.
    Stream,
    /// A page of a list; without token the first one.
    Page { token: String },
    /// A list in one piece.
    Whole,
    /// A watch from a version on.
    Watch { version: String },
}

impl Call {
    /// Whether a list begins with it.
    pub(crate) fn begins_list(&self) -> bool {
        match self {
            Self::Stream | Self::Whole => true,
            Self::Page { token } => token.is_empty(),
            Self::Watch { .. } => false,
        }
    }
}

/// What happened.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Input<'a> {
    /// The call was answered with success; events or pods follow.
    Opened,
    /// A pod was added, changed or deleted; without a version when that could not be read.
    Changed { version: &'a str },
    /// A bookmark; `end`: all initial events have come.
    Bookmark { version: &'a str, end: bool },
    /// A page of so many pods is complete; without token it was the last.
    Page {
        version: &'a str,
        token: &'a str,
        pods: usize,
    },
    /// The cluster has more pods than are kept, or its list does not end.
    Excess,
    /// 410, or a version that the server does not have (yet).
    Gone,
    /// Any other answer than success.
    Refused { status: u16 },
    /// The server ended the watch.
    Ended,
    /// No connection, or it broke, or what came was no Kubernetes.
    Broken,
    /// Nothing came for as long as [`super::Machine::wait`] allows.
    Silent,
}

/// How long to wait for the next input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// A list makes progress meanwhile.
    Progress,
    /// A watch that was just opened counts as whole afterwards; tell [`super::Machine::settle`].
    Settle,
    /// A watch is not silent for so long.
    Silence,
}

/// What it means for the truth of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// Nothing new.
    Unchanged,
    /// They equal the cluster's as of now.
    Confirmed,
    /// The watch is whole again.
    Recovered,
    /// They may be old; why, where no error says it.
    Stale(Option<StaleReason>),
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Read on.
    Read,
    /// Give up this call, if it is not over, and make [`super::Machine::call`].
    Call,
    /// The same after a pause, the longer the more failures there were in a row.
    Retry { failures: u32 },
}

/// The machine's answer to an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// The list is complete: sweep what it did not have.
    pub(crate) finish: bool,
    pub(crate) health: Health,
    pub(crate) next: Next,
}
