//! Which clusters there are: their clients, their watches, their state.

use std::sync::Arc;

use podgate_index::{ClusterId, Index};
use tokio_util::sync::CancellationToken;

use crate::{
    Error, Source,
    client::{Client, Policy, Slot},
    error::Result,
};

/// All clusters of this process. Cheap to clone. Owns every watch task; [`Registry::shutdown`] ends them.
#[derive(Clone, Debug)]
pub struct Registry {}

/// What a cluster is made from.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Its number, also in the index.
    pub id: ClusterId,
    /// Its unique name, for messages.
    pub name: String,
    /// How to reach it.
    pub source: Source,
    /// Watched namespaces; empty: all.
    pub namespaces: Vec<String>,
}

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

/// What is known of a cluster beside its pods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// `gitVersion`, or empty while unknown.
    pub version: String,
    /// Number of nodes; none when unknown or not allowed.
    pub nodes: Option<usize>,
}

/// One cluster. Cheap to clone; stays usable for calls under way after its removal, whose streams it ends.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) spec: Spec,
    client: Slot,
    /// Cancelled when the cluster is removed or replaced: every stream of it ends then.
    pub(crate) removed: CancellationToken,
}

impl Registry {
    /// No clusters yet. Must be called within a tokio runtime.
    pub fn new(_index: Index, _policy: Policy) -> Self {
        todo!()
    }

    /// Adds a cluster and starts its watch; replaces (and clears) one with the same number.
    pub fn add(&self, _spec: Spec) -> Cluster {
        todo!()
    }

    /// Ends a cluster's watch and drops its rows.
    pub async fn remove(&self, _id: ClusterId) {
        todo!()
    }

    /// The cluster with a number.
    pub fn get(&self, _id: ClusterId) -> Option<Cluster> {
        todo!()
    }

    /// All clusters, by number.
    pub fn all(&self) -> Vec<Cluster> {
        todo!()
    }

    /// Tries a source without keeping it: version, and whether pods can be listed (in the namespaces, if any are named). Tells nothing of
    /// the upstream's body.
    ///
    /// # Errors
    /// What failed, as [`Error`].
    pub async fn probe(&self, _source: &Source, _namespaces: &[String]) -> Result<Info> {
        todo!()
    }

    /// Ends all watches and waits for them.
    pub async fn shutdown(&self) {
        todo!()
    }
}

impl Cluster {
    /// Its number.
    pub fn id(&self) -> ClusterId {
        self.inner.spec.id
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.inner.spec.name
    }

    /// Its API server's address.
    pub fn api_server(&self) -> String {
        self.inner.spec.source.api_server()
    }

    /// How current its pods in the index are.
    pub fn sync(&self) -> Sync {
        todo!()
    }

    /// Resolves when [`Cluster::sync`]'s state may have changed since the last call on this handle.
    pub async fn sync_changed(&mut self) {
        todo!()
    }

    /// Version and nodes, as last seen (refreshed in the background about once a minute).
    pub fn info(&self) -> Info {
        todo!()
    }

    /// The names of its namespaces, by name, asked of the cluster; where that is not allowed, those the cluster is watched in.
    ///
    /// # Errors
    /// What failed, as [`Error`].
    pub async fn namespaces(&self) -> Result<Vec<String>> {
        todo!()
    }

    /// The client for one call; not to be kept, because it is made anew when its credential was refused.
    pub(crate) async fn client(&self) -> Result<Client> {
        self.inner.client.get().await
    }
}
