//! The registry of clusters: their clients, their watches and their state.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use podgate_index::{ClusterId, Index};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    Cluster, Source, Spec,
    client::{Policy, SharedClient},
    cluster::Info,
    error::Result,
    info,
    removal::RemovalReason,
};

mod supervise;

/// The most namespaces of one cluster that are watched. Each of them costs a connection.
const MAX_NAMESPACES: usize = 100;

/// The clusters of this process. It owns every watch task; [`Registry::shutdown`] ends them. Cheap
/// to clone.
#[derive(Clone, Debug)]
pub struct Registry {
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    index: Index,
    policy: Policy,
    /// See [`Registry::changes`].
    changes: watch::Sender<()>,
    clusters: Mutex<BTreeMap<ClusterId, Entry>>,
}

/// A cluster and the task that runs its watches.
#[derive(Debug)]
struct Entry {
    cluster: Cluster,
    task: JoinHandle<()>,
}

impl Drop for State {
    fn drop(&mut self) {
        for entry in self.clusters().values() {
            entry.cluster.inner.removed.cancel(RemovalReason::Shutdown);
        }
    }
}

impl State {
    fn clusters(&self) -> MutexGuard<'_, BTreeMap<ClusterId, Entry>> {
        self.clusters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long all logs and terminals together may take to end at the shutdown.
const STREAMS_END: Duration = Duration::from_secs(3);

impl Registry {
    /// Makes an empty registry. Must be called within a tokio runtime.
    pub fn new(index: Index, policy: Policy) -> Self {
        Self {
            state: Arc::new(State {
                index,
                policy,
                changes: watch::Sender::new(()),
                clusters: Mutex::default(),
            }),
        }
    }

    /// Adds a cluster and starts its watch. It replaces a cluster with the same number, whose rows
    /// are removed.
    ///
    /// At most 100 namespaces are watched. With more, the cluster stays
    /// [`crate::SyncState::Failed`].
    pub fn add(&self, mut spec: Spec) -> Cluster {
        spec.namespaces.retain(|namespace| !namespace.is_empty());
        spec.namespaces.sort_unstable();
        spec.namespaces.dedup();
        let id = spec.id;
        let State {
            index, policy, changes, ..
        } = self.state.as_ref();
        let cluster = Cluster::new(spec, index.clone(), policy.clone(), changes.clone());
        let mut clusters = self.state.clusters();
        let before = clusters.remove(&id).map(|entry| {
            entry.cluster.inner.removed.cancel(RemovalReason::Replaced);
            entry.task
        });
        let task = tokio::spawn(supervise::run(cluster.inner.clone(), before));
        let entry = Entry {
            cluster: cluster.clone(),
            task,
        };
        clusters.insert(id, entry);
        self.state.changes.send_replace(());
        cluster
    }

    /// Returns a receiver that is notified when rows in the index, a cluster's sync state or the
    /// set of clusters may have changed. One notification may stand for many changes.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.state.changes.subscribe()
    }

    /// Ends a cluster's watch and removes its rows.
    pub async fn remove(&self, id: ClusterId) {
        let entry = self.state.clusters().remove(&id);
        if let Some(entry) = entry {
            end(entry, RemovalReason::Removed).await;
            // If a new cluster has the same number already, it has removed the rows itself.
            if self.get(id).is_none() {
                self.state.index.remove_cluster(id);
            }
            self.state.changes.send_replace(());
        }
    }

    /// Returns the cluster with a number.
    pub fn get(&self, id: ClusterId) -> Option<Cluster> {
        self.state.clusters().get(&id).map(|entry| entry.cluster.clone())
    }

    /// Returns the cluster with a name.
    pub fn named(&self, name: &str) -> Option<Cluster> {
        let clusters = self.state.clusters();
        let found = clusters.values().find(|entry| entry.cluster.name() == name);
        found.map(|entry| entry.cluster.clone())
    }

    /// Returns all clusters in the order of their numbers.
    pub fn all(&self) -> Vec<Cluster> {
        let clusters = self.state.clusters();
        clusters.values().map(|entry| entry.cluster.clone()).collect()
    }

    /// Tries a source without keeping it. It asks for the version and checks that pods can be
    /// listed and watched, in `namespaces` or, if that is empty, in all namespaces.
    ///
    /// The error repeats nothing of a response's body.
    ///
    /// # Errors
    /// The failed call, as [`crate::Error`].
    pub async fn probe(&self, source: &Source, namespaces: &[String]) -> Result<Info> {
        let policy = &self.state.policy;
        let shared = SharedClient::new(source.clone(), source.api_server(), policy.clone());
        info::probe(&shared, namespaces, policy).await
    }

    /// Ends all watches, logs and terminals, and waits for them. It waits a few seconds for
    /// terminals, because it takes time to end a process's input.
    pub async fn shutdown(&self) {
        let entries = std::mem::take(&mut *self.state.clusters());
        for entry in entries.values() {
            entry.cluster.inner.removed.cancel(RemovalReason::Shutdown);
        }
        let clusters: Vec<_> = entries.values().map(|entry| entry.cluster.clone()).collect();
        for entry in entries.into_values() {
            end(entry, RemovalReason::Shutdown).await;
        }
        let streams = async {
            for cluster in clusters {
                cluster.inner.streams.close();
                cluster.inner.streams.wait().await;
            }
        };
        if tokio::time::timeout(STREAMS_END, streams).await.is_err() {
            tracing::warn!("some logs or terminals did not end in time");
        }
    }
}

async fn end(entry: Entry, why: RemovalReason) {
    entry.cluster.inner.removed.cancel(why);
    if let Err(error) = entry.task.await {
        tracing::error!(cluster = entry.cluster.name(), %error, "the watch of a cluster failed");
    }
}
