//! How current a cluster is.

use crate::Error;

pub(crate) mod tracker;

/// How current a cluster's pods in the index are.
#[derive(Clone, Debug)]
pub struct Sync {
    /// Where the watch is.
    pub state: SyncState,
    /// When the index last was known to equal the cluster, in milliseconds since the epoch; none before the first sync.
    pub synced_at: Option<i64>,
    /// What is wrong now, or empty.
    pub error: Option<Error>,
}

/// Where a cluster's watch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncState {
    /// Never synced, trying for the first time.
    Syncing,
    /// The watch is live.
    Synced,
    /// Synced once, and the watch is broken or being renewed: rows may be old.
    Stale,
    /// Never synced, and the last try failed.
    Failed,
}
