//! One cluster: its specification, and the state that its tasks share.

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
    /// Its number, which the index uses too.
    pub id: ClusterId,
    /// Its unique name, for messages.
    pub name: String,
    /// How to reach it.
    pub source: Source,
    /// The namespaces to watch; empty for all.
    pub namespaces: Vec<String>,
}

/// Facts about a cluster in addition to its pods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// `gitVersion`, or empty while unknown.
    pub version: String,
    /// The number of nodes; `None` if it is unknown or the credential may not list them.
    pub nodes: Option<usize>,
}

/// One cluster. Cheap to clone. It stays usable after its removal for calls in progress, but its
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
    /// For [`Cluster::probe`], so that it neither waits for other calls nor delays them.
    pub(crate) probe: SharedClient,
    /// Cancelled when the cluster is removed or replaced, which ends all its streams.
    pub(crate) removed: Removal,
    /// The tasks of its open logs and terminals.
    pub(crate) streams: TaskTracker,
    pub(crate) sync_tracker: SyncTracker,
    pub(crate) index: Index,
    /// The Warnings of its pods.
    pub(crate) warnings: Warnings,
    /// The number of pods that were skipped because they did not parse.
    pub(crate) skipped: AtomicU64,
    /// The number of labels that were left out of rows.
    pub(crate) labels_left_out: AtomicU64,
    pub(crate) counters: Counters,
    pub(crate) info: Mutex<Info>,
    /// The namespaces that are watched now; empty for all. It is one if the cluster forbids to list
    /// all and the context names one.
    watched: watch::Sender<Arc<[String]>>,
    /// Notified of every change of this cluster in the index.
    changes: watch::Sender<()>,
}

impl Inner {
    /// Notifies those who wait that rows of this cluster may have changed.
    pub(crate) fn rows_changed(&self) {
        self.changes.send_replace(());
    }

    /// Returns the namespaces that are watched now; empty for all.
    pub(crate) fn watched(&self) -> Arc<[String]> {
        self.watched.borrow().clone()
    }

    /// Watches one namespace only, because the cluster forbids to list all.
    pub(crate) fn narrow(&self, namespace: &str) {
        self.watched.send_replace([namespace.to_owned()].into());
    }

    /// Watches all namespaces again.
    pub(crate) fn widen(&self) {
        self.watched.send_replace(Arc::new([]));
    }

    /// Returns whether one namespace is watched although all should be.
    pub(crate) fn is_narrowed(&self) -> bool {
        self.spec.namespaces.is_empty() && !self.watched.borrow().is_empty()
    }

    /// Waits until all namespaces may be listed.
    pub(crate) async fn widened(&self) {
        let mut watched = self.watched.subscribe();
        if watched.wait_for(|watched| watched.is_empty()).await.is_err() {
            // The sender is our own.
            std::future::pending::<()>().await;
        }
    }

    /// Returns the client for one call. Do not keep it: it is made anew when its credential was
    /// refused.
    pub(crate) async fn client(&self) -> Result<Client> {
        self.client.get().await
    }
}

impl Cluster {
    /// Makes a cluster that no task watches yet. `changes` is notified of every change of it in the
    /// index.
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

    /// Returns its number.
    pub fn id(&self) -> ClusterId {
        self.inner.spec.id
    }

    /// Returns its name.
    pub fn name(&self) -> &str {
        &self.inner.spec.name
    }

    /// Returns the watched namespaces in order; empty for all. They are those it was added with, or
    /// the one of the operator's context if the cluster forbids to list all.
    pub fn watched(&self) -> Arc<[String]> {
        self.inner.watched()
    }

    /// Returns its API server's address.
    pub fn api_server(&self) -> String {
        self.inner.spec.source.api_server()
    }

    /// Returns how current its pods in the index are.
    pub fn sync(&self) -> Sync {
        self.inner.sync_tracker.sync()
    }

    /// Waits until the state or the error of [`Cluster::sync`] has changed since the last call on
    /// this handle.
    pub async fn sync_changed(&mut self) {
        if self.sync_changes.changed().await.is_err() {
            // The sender is our own and can't be gone. If it were, nothing would ever change again.
            std::future::pending::<()>().await;
        }
    }

    /// Returns version and nodes as last seen. They are refreshed about once a minute.
    pub fn info(&self) -> Info {
        self.inner.info.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns how many pods were skipped so far because they did not parse. A pod counts each time
    /// it arrives.
    pub fn skipped(&self) -> u64 {
        self.inner.skipped.load(Ordering::Relaxed)
    }

    /// Returns how many labels were left out of rows so far, because a pod has too many or too long
    /// ones. A pod's labels count each time it arrives.
    pub fn labels_left_out(&self) -> u64 {
        self.inner.labels_left_out.load(Ordering::Relaxed)
    }

    /// Returns the counts of its watches.
    pub fn counts(&self) -> Counts {
        self.inner.counters.read()
    }

    /// Returns the client as [`Inner::client`] does.
    pub(crate) async fn client(&self) -> Result<Client> {
        self.inner.client().await
    }
}
