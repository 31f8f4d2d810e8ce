//! The state of a cluster's synchronisation, as lists and clusters show it.

use podgate_access::ListedCluster;
use podgate_cluster::{Sync, SyncState};
use serde::Serialize;
use utoipa::ToSchema;

/// The state of a cluster's synchronisation: how current its pods are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Sync)]
pub(crate) struct SyncView {
    /// `syncing` (for the first time), `synced`, `stale` (synced once, and the watch is broken or
    /// being renewed) or `failed` (never synced, and the last try failed).
    #[schema(example = "synced")]
    pub state: &'static str,
    /// The time at which the pods were last known to equal the cluster's; empty before the first
    /// sync.
    pub synced_at: String,
    /// The current error; empty if there is none.
    pub error: String,
}

impl From<&Sync> for SyncView {
    fn from(sync: &Sync) -> Self {
        Self {
            state: state(sync.state),
            synced_at: sync.synced_at.map(crate::time::from_millis).unwrap_or_default(),
            error: sync.error.as_ref().map(ToString::to_string).unwrap_or_default(),
        }
    }
}

/// The state of one cluster, next to a list over several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ListedCluster)]
pub(crate) struct ListedView<'a> {
    /// Its name.
    name: &'a str,
    /// As in `sync` of a list of one cluster.
    #[schema(example = "synced")]
    state: &'static str,
    /// When its pods were last known to equal the cluster's; empty before the first sync.
    synced_at: String,
    /// The current error; empty if there is none.
    error: String,
}

impl<'a> From<&'a ListedCluster> for ListedView<'a> {
    fn from(listed: &'a ListedCluster) -> Self {
        let SyncView {
            state,
            synced_at,
            error,
        } = listed.sync().into();
        Self {
            name: listed.name(),
            state,
            synced_at,
            error,
        }
    }
}

impl ListedView<'_> {
    /// Returns the fields whose change is worth sending.
    ///
    /// The time of a live watch advances with every sign of life, so it is left out.
    pub(crate) fn news(&self) -> (String, &'static str, String) {
        (self.name.to_owned(), self.state, self.error.clone())
    }
}

/// Returns a sync state's name.
pub(crate) fn state(state: SyncState) -> &'static str {
    match state {
        SyncState::Syncing => "syncing",
        SyncState::Synced => "synced",
        SyncState::Stale => "stale",
        SyncState::Failed => "failed",
    }
}
