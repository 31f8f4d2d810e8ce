//! Clusters: their specifications, and the state that the tasks of a cluster share.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use podgate_index::{ClusterId, Index};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::{
    Source,
    client::{Client, Policy, SharedClient},
    error::Result,
    removal::Removal,
    sync::{Sync, tracker::SyncTracker},
    warnings::Warnings,
    watch::metrics::{Counters, Counts},
};

/// The specification of a cluster.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The cluster's number, which the index uses too.
    pub id: ClusterId,
    /// The cluster's unique name, for messages.
    pub name: String,
    /// How to reach it.
    pub source: Source,
    /// The namespaces to watch; empty for all.
    pub namespaces: Vec<String>,
}

/// Facts about a cluster other than its pods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// `gitVersion`, or empty while unknown.
    pub version: String,
    /// The number of nodes; `None` if it is unknown or the credential may not list them.
    pub nodes: Option<usize>,
}

/// A cluster. Cheap to clone. After its removal it can still be used by calls in progress, but its
/// streams end.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub(crate) inner: Arc<Inner>,
    sync_changes: watch::Receiver<Sync>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) spec: Spec,
    pub(crate) policy: Policy,
    client: SharedClient,
    /// The client for [`Cluster::probe`], which is separate so that a probe neither waits for other
    /// calls nor delays them.
    pub(crate) probe: SharedClient,
    /// The signal that the cluster was removed or replaced, which ends all its streams.
    pub(crate) removed: Removal,
    /// The tasks of its open logs and terminals.
    pub(crate) streams: TaskTracker,
    pub(crate) sync_tracker: SyncTracker,
    pub(crate) index: Index,
    /// The Warnings of its pods.
    pub(crate) warnings: Warnings,
    /// The number of pods that were skipped so far because they did not parse.
    pub(crate) skipped: AtomicU64,
    /// The number of labels that were left out of rows.
    pub(crate) labels_left_out: AtomicU64,
    pub(crate) counters: Counters,
    pub(crate) info: Mutex<Info>,
    /// The namespaces that are watched now; empty for all. If the cluster forbids listing all
    /// namespaces, it is the one that the context names.
    watched: watch::Sender<Arc<[String]>>,
    /// Notified of every change of this cluster in the index.
    changes: watch::Sender<()>,
}

impl Inner {
    /// Notifies waiters that rows of this cluster may have changed.
    pub(crate) fn rows_changed(&self) {
        self.changes.send_replace(());
    }

    /// Returns the namespaces that are watched now; empty for all.
    pub(crate) fn watched(&self) -> Arc<[String]> {
        self.watched.borrow().clone()
    }

    /// Limits the watch to one namespace, because the cluster forbids listing all.
    pub(crate) fn narrow(&self, namespace: &str) {
        self.watched.send_replace([namespace.to_owned()].into());
    }

    /// Lets the watch cover all namespaces again.
    pub(crate) fn widen(&self) {
        self.watched.send_replace(Arc::new([]));
    }

    /// Returns whether only one namespace is watched although all of them should be.
    pub(crate) fn is_narrowed(&self) -> bool {
        self.spec.namespaces.is_empty() && !self.watched.borrow().is_empty()
    }

    /// Waits until all namespaces are watched again.
    pub(crate) async fn widened(&self) {
        let mut watched = self.watched.subscribe();
        if watched.wait_for(|watched| watched.is_empty()).await.is_err() {
            // The sender belongs to `self`, so it still exists.
            std::future::pending::<()>().await;
        }
    }

    /// Returns the client for one call. Do not keep it for later calls, because a new one is made
    /// when its credential was refused.
    pub(crate) async fn client(&self) -> Result<Client> {
        self.client.get().await
    }
}

impl Cluster {
    /// Makes a cluster that no task watches yet. `changes` is notified of every change of its rows.
    pub(crate) fn new(spec: Spec, index: Index, policy: Policy, changes: watch::Sender<()>) -> Self {
        let sync_tracker = SyncTracker::new(spec.namespaces.len(), changes.clone());
        let sync_changes = sync_tracker.subscribe();
        let inner = Inner {
            client: SharedClient::new(spec.source.clone(), spec.name.clone(), policy.clone()),
            probe: SharedClient::new(spec.source.clone(), spec.source.api_server(), policy.clone()),
            watched: watch::Sender::new(spec.namespaces.as_slice().into()),
            spec,
            policy,
            removed: Removal::default(),
            streams: TaskTracker::new(),
            sync_tracker,
            index,
            warnings: Warnings::default(),
            skipped: AtomicU64::new(0),
            labels_left_out: AtomicU64::new(0),
            counters: Counters::default(),
            info: Mutex::default(),
            changes,
        };
        Self {
            inner: Arc::new(inner),
            sync_changes,
        }
    }

    /// Returns the cluster's number.
    pub fn id(&self) -> ClusterId {
        self.inner.spec.id
    }

    /// Returns the cluster's name.
    pub fn name(&self) -> &str {
        &self.inner.spec.name
    }

    /// Returns the watched namespaces in order; empty for all. They are the ones that the cluster
    /// was added with, or that of the operator's context if the cluster forbids listing all.
    pub fn watched(&self) -> Arc<[String]> {
        self.inner.watched()
    }

    /// Returns the API server's address.
    pub fn api_server(&self) -> String {
        self.inner.spec.source.api_server()
    }

    /// Returns how up to date the cluster's pods in the index are.
    pub fn sync(&self) -> Sync {
        self.inner.sync_tracker.sync()
    }

    /// Waits until the state or the error of [`Cluster::sync`] has changed since the last call on
    /// this handle.
    pub async fn sync_changed(&mut self) {
        if self.sync_changes.changed().await.is_err() {
            // The sender belongs to `self`, so it still exists.
            std::future::pending::<()>().await;
        }
    }

    /// Returns the version and the number of nodes as last seen. They are refreshed about once a
    /// minute.
    pub fn info(&self) -> Info {
        self.inner.info.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns how many pods were skipped so far because they did not parse. A pod counts each time
    /// it arrives.
    pub fn skipped(&self) -> u64 {
        self.inner.skipped.load(Ordering::Relaxed)
    }

    /// Returns how many labels were left out of rows so far because a pod had too many or too long
    /// ones. A pod's labels count each time it arrives.
    pub fn labels_left_out(&self) -> u64 {
        self.inner.labels_left_out.load(Ordering::Relaxed)
    }

    /// Returns the counts of the cluster's watches.
    pub fn counts(&self) -> Counts {
        self.inner.counters.read()
    }

    /// Returns the client for one call, as [`Inner::client`] does.
    pub(crate) async fn client(&self) -> Result<Client> {
        self.inner.client().await
    }
}
