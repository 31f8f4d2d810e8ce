//! What a cluster's watches have been through, counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a watch tells, the initial events of a streaming list among it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// A pod is there, or changed.
    Applied,
    /// A pod is gone.
    Deleted,
    Bookmark,
    /// A `Status`: the watch is over.
    Error,
}

/// Why a list begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListCause {
    /// It is the first.
    Start,
    /// The server no longer has the changes, or the pages, since the last one seen.
    Expired,
    /// The watch fell silent.
    Silence,
    /// The cluster's versions went backwards.
    Backwards,
    /// The server refuses to watch from the last version.
    Refused,
    /// The server does not stream lists.
    Unsupported,
    /// The cluster has more pods than are kept.
    Excess,
    /// The list before it failed.
    Failure,
}

const EVENT_KINDS: [(EventKind, &str); 4] = [
    (EventKind::Applied, "applied"),
    (EventKind::Deleted, "deleted"),
    (EventKind::Bookmark, "bookmark"),
    (EventKind::Error, "error"),
];

const LIST_CAUSES: [(ListCause, &str); 8] = [
    (ListCause::Start, "start"),
    (ListCause::Expired, "expired"),
    (ListCause::Silence, "silence"),
    (ListCause::Backwards, "backwards"),
    (ListCause::Refused, "refused"),
    (ListCause::Unsupported, "unsupported"),
    (ListCause::Excess, "excess"),
    (ListCause::Failure, "failure"),
];

/// Counts since the cluster was added or changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// What its watches told: `applied`, `deleted`, `bookmark`, `error`.
    pub events: Vec<(&'static str, u64)>,
    /// Lists begun, by why: `start`, `expired`, `silence`, `backwards`, `refused`, `unsupported`, `excess`, `failure`.
    pub lists: Vec<(&'static str, u64)>,
}

/// The counters behind [`Counts`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    events: [AtomicU64; EVENT_KINDS.len()],
    lists: [AtomicU64; LIST_CAUSES.len()],
}

impl Counters {
    pub(crate) fn record_event(&self, kind: EventKind) {
        add(&self.events, &EVENT_KINDS, kind);
    }

    pub(crate) fn record_list(&self, cause: ListCause) {
        add(&self.lists, &LIST_CAUSES, cause);
    }

    pub(crate) fn read(&self) -> Counts {
        Counts {
            events: read(&self.events, &EVENT_KINDS),
            lists: read(&self.lists, &LIST_CAUSES),
        }
    }
}

fn add<K: PartialEq>(counters: &[AtomicU64], names: &[(K, &str)], key: K) {
    for (counter, _) in counters.iter().zip(names).filter(|(_, (name, _))| *name == key) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

fn read<K>(counters: &[AtomicU64], names: &[(K, &'static str)]) -> Vec<(&'static str, u64)> {
    let each = counters.iter().zip(names);
    each.map(|(counter, (_, name))| (*name, counter.load(Ordering::Relaxed)))
        .collect()
}
