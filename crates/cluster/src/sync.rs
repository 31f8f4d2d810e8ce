//! How current a cluster is.

use crate::Error;

pub(crate) mod tracker;

/// How current a cluster's pods in the index are.
#[derive(Clone, Debug)]
pub struct Sync {
    /// Where the watch is.
    pub state: SyncState,
    /// When the index was last known to equal the cluster, in milliseconds since the epoch; `None`
    /// before the first sync.
    pub synced_at: Option<i64>,
    /// The current error, if there is one.
    pub error: Option<Error>,
}

/// The state of a cluster's watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncState {
    /// It has never synced, and tries for the first time.
    Syncing,
    /// The watch is live.
    Synced,
    /// It has synced, but the watch is broken or being renewed: rows may be old.
    Stale,
    /// It has never synced, and the last try failed.
    Failed,
}
