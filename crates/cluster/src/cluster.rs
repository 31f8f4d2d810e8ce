//! One cluster: what it was added with, and what its tasks share.

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
    sync_changes: watch::Receiver<Sync>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) spec: Spec,
    pub(crate) policy: Policy,
    client: SharedClient,
    /// For [`Cluster::probe`], which waits for nobody's calls and holds none up.
    pub(crate) probe: SharedClient,
    /// Cancelled when the cluster is removed or replaced: every stream of it ends then.
    pub(crate) removed: Removal,
    /// The tasks of its open logs and terminals.
    pub(crate) streams: TaskTracker,
    pub(crate) sync_tracker: SyncTracker,
    pub(crate) index: Index,
    /// What is known of its pods' events.
    pub(crate) warnings: Warnings,
    /// Pods skipped because they did not parse.
    pub(crate) skipped: AtomicU64,
    /// Labels left out of rows.
    pub(crate) labels_left_out: AtomicU64,
    pub(crate) counters: Counters,
    pub(crate) info: Mutex<Info>,
    /// The namespaces that are watched now; empty: all. One, where the cluster forbids to list all and the context names one.
    watched: watch::Sender<Arc<[String]>>,
    /// Told of whatever this cluster changes in the index.
    changes: watch::Sender<()>,
}

impl Inner {
    /// Tells those who wait that rows of this cluster may have changed.
    pub(crate) fn rows_changed(&self) {
        self.changes.send_replace(());
    }

    /// The namespaces that are watched now; empty: all.
    pub(crate) fn watched(&self) -> Arc<[String]> {
        self.watched.borrow().clone()
    }

    /// Says that one namespace is watched, because the cluster forbids to list all.
    pub(crate) fn narrow(&self, namespace: &str) {
        self.watched.send_replace([namespace.to_owned()].into());
    }

    /// Says that all namespaces may be listed (again).
    pub(crate) fn widen(&self) {
        self.watched.send_replace(Arc::new([]));
    }

    /// Whether one namespace is watched although all should be.
    pub(crate) fn is_narrowed(&self) -> bool {
        self.spec.namespaces.is_empty() && !self.watched.borrow().is_empty()
    }

    /// Resolves when all namespaces may be listed.
    pub(crate) async fn widened(&self) {
        let mut watched = self.watched.subscribe();
        if watched.wait_for(|watched| watched.is_empty()).await.is_err() {
            // Its sender is our own.
            std::future::pending::<()>().await;
        }
    }

    /// The client for one call; not to be kept, because it is made anew when its credential was refused.
    pub(crate) async fn client(&self) -> Result<Client> {
        self.client.get().await
    }
}

impl Cluster {
    /// Makes a cluster that no task watches yet. `changes` is notified of whatever it changes in the index.
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

    /// Its number.
    pub fn id(&self) -> ClusterId {
        self.inner.spec.id
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.inner.spec.name
    }

    /// The namespaces that it is watched in, by name; empty: all. They are those it was added with, or the one of the operator's context when the
    /// cluster forbids to list all.
    pub fn watched(&self) -> Arc<[String]> {
        self.inner.watched()
    }

    /// Its API server's address.
    pub fn api_server(&self) -> String {
        self.inner.spec.source.api_server()
    }

    /// How current its pods in the index are.
    pub fn sync(&self) -> Sync {
        self.inner.sync_tracker.sync()
    }

    /// Resolves when [`Cluster::sync`]'s state or error changed since the last call on this handle.
    pub async fn sync_changed(&mut self) {
        if self.sync_changes.changed().await.is_err() {
            // Its sender is our own: this can't be, and if it were, nothing would ever change again.
            std::future::pending::<()>().await;
        }
    }

    /// Version and nodes, as last seen (refreshed in the background about once a minute).
    pub fn info(&self) -> Info {
        self.inner.info.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many pods were skipped so far because they did not parse. One that stays so counts each time it comes.
    pub fn skipped(&self) -> u64 {
        self.inner.skipped.load(Ordering::Relaxed)
    }

    /// Returns how many labels were left out of rows so far, because a pod has too many or too long ones. Those of one pod count each time it comes.
    pub fn labels_left_out(&self) -> u64 {
        self.inner.labels_left_out.load(Ordering::Relaxed)
    }

    /// What its watches have been through so far.
    pub fn counts(&self) -> Counts {
        self.inner.counters.read()
    }

    /// As [`Inner::client`].
    pub(crate) async fn client(&self) -> Result<Client> {
        self.inner.client().await
    }
}
