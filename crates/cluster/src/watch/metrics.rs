//! Counters of a cluster's watch events and lists.

use std::sync::atomic::{AtomicU64, Ordering};

/// The kinds of events of a watch, including the initial events of a streaming list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// A pod was added or changed.
    Applied,
    /// A pod was deleted.
    Deleted,
    Bookmark,
    /// A `Status`, which ends the watch.
    Error,
}

/// The reason why a list begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListCause {
    /// It is the first list.
    Start,
    /// The server has forgotten the changes, or the pages, since the last one seen.
    Expired,
    /// The watch fell silent.
    Silence,
    /// The cluster's versions went backwards.
    Backwards,
    /// The server refuses to watch from the last version.
    Refused,
    /// The server does not stream lists.
    Unsupported,
    /// The cluster has more pods than Podgate keeps.
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

/// The counts since the cluster was added or changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The number of events received, by kind: `applied`, `deleted`, `bookmark`, `error`.
    pub events: Vec<(&'static str, u64)>,
    /// The number of lists begun, by cause: `start`, `expired`, `silence`, `backwards`, `refused`,
    /// `unsupported`, `excess`, `failure`.
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
