//! How up to date a cluster's rows are.

use crate::Error;

pub(crate) mod tracker;

/// How up to date a cluster's pods in the index are.
#[derive(Clone, Debug)]
pub struct Sync {
    /// The state of the watch.
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
    /// It has not synced yet, and the first try is in progress.
    Syncing,
    /// The watch is live.
    Synced,
    /// It has synced, but the watch is broken or being renewed, so rows may be out of date.
    Stale,
    /// It has not synced yet, and the last try failed.
    Failed,
}
