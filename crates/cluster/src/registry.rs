//! Which clusters there are: their clients, their watches, their state.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use podgate_index::{ClusterId, Index};
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::task::TaskTracker;

use self::removal::{Removal, RemovalReason};
use crate::{
    Error, Source,
    client::{Client, Policy, SharedClient},
    error::Result,
    warnings::Warnings,
    watch::{metrics::Counters, sync_tracker::SyncTracker},
};

pub use crate::watch::metrics::Counts;

mod info;
pub(crate) mod removal;
mod supervise;

/// Namespaces of one cluster that are watched at most: each costs a connection.
const MAX_NAMESPACES: usize = 100;

/// All clusters of this process. Cheap to clone. Owns every watch task; [`Registry::shutdown`] ends them.
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

/// For the end of all logs and terminals at the shutdown.
const STREAMS_END: Duration = Duration::from_secs(3);

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
    changes: watch::Receiver<Sync>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) spec: Spec,
    pub(crate) policy: Policy,
    client: SharedClient,
    /// For [`Cluster::probe`], which waits for nobody's calls and holds none up.
    probe: SharedClient,
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
    info: Mutex<Info>,
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

impl Registry {
    /// No clusters yet. Must be called within a tokio runtime.
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

    /// Adds a cluster and starts its watch; replaces (and clears) one with the same number. Of the namespaces at most 100 are watched: with more
    /// of them the cluster stays [`SyncState::Failed`].
    pub fn add(&self, mut spec: Spec) -> Cluster {
        spec.namespaces.retain(|namespace| !namespace.is_empty());
        spec.namespaces.sort_unstable();
        spec.namespaces.dedup();
        let id = spec.id;
        let sync_tracker = SyncTracker::new(spec.namespaces.len(), self.state.changes.clone());
        let changes = sync_tracker.subscribe();
        let inner = Arc::new(Inner {
            client: SharedClient::new(spec.source.clone(), spec.name.clone(), self.state.policy.clone()),
            probe: SharedClient::new(spec.source.clone(), spec.source.api_server(), self.state.policy.clone()),
            watched: watch::Sender::new(spec.namespaces.as_slice().into()),
            spec,
            policy: self.state.policy.clone(),
            removed: Removal::default(),
            streams: TaskTracker::new(),
            sync_tracker,
            index: self.state.index.clone(),
            warnings: Warnings::default(),
            skipped: AtomicU64::new(0),
            labels_left_out: AtomicU64::new(0),
            counters: Counters::default(),
            info: Mutex::default(),
            changes: self.state.changes.clone(),
        });
        let cluster = Cluster { inner, changes };
        let mut clusters = self.state.clusters();
        let before = clusters.remove(&id).map(|entry| {
            entry.cluster.inner.removed.cancel(RemovalReason::Replaced);
            entry.task
        });
        let task = tokio::spawn(supervise::run(cluster.inner.clone(), self.state.index.clone(), before));
        let entry = Entry {
            cluster: cluster.clone(),
            task,
        };
        clusters.insert(id, entry);
        self.state.changes.send_replace(());
        cluster
    }

    /// Wakes when rows in the index, a cluster's sync state or the set of clusters may have changed. Many changes wake once.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.state.changes.subscribe()
    }

    /// Ends a cluster's watch and drops its rows.
    pub async fn remove(&self, id: ClusterId) {
        let entry = self.state.clusters().remove(&id);
        if let Some(entry) = entry {
            end(entry, RemovalReason::Removed).await;
            // Unless one with the same number has come meanwhile, which has cleared them itself.
            if self.get(id).is_none() {
                self.state.index.remove_cluster(id);
            }
            self.state.changes.send_replace(());
        }
    }

    /// The cluster with a number.
    pub fn get(&self, id: ClusterId) -> Option<Cluster> {
        self.state.clusters().get(&id).map(|entry| entry.cluster.clone())
    }

    /// The cluster with a name.
    pub fn named(&self, name: &str) -> Option<Cluster> {
        let clusters = self.state.clusters();
        let found = clusters.values().find(|entry| entry.cluster.name() == name);
        found.map(|entry| entry.cluster.clone())
    }

    /// All clusters, by number.
    pub fn all(&self) -> Vec<Cluster> {
        let clusters = self.state.clusters();
        clusters.values().map(|entry| entry.cluster.clone()).collect()
    }

    /// Tries a source without keeping it: version, and whether pods can be listed and watched (in the namespaces, if any are named). Tells nothing of
    /// the upstream's body.
    ///
    /// # Errors
    /// What failed, as [`Error`].
    pub async fn probe(&self, source: &Source, namespaces: &[String]) -> Result<Info> {
        let policy = &self.state.policy;
        let shared = SharedClient::new(source.clone(), source.api_server(), policy.clone());
        info::probe(&shared, namespaces, policy).await
    }

    /// Ends all watches, logs and terminals and waits for them: for terminals a few seconds, which the end of a process's input takes.
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

impl Cluster {
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
        if self.changes.changed().await.is_err() {
            // Its sender is our own: this can't be, and if it were, nothing would ever change again.
            std::future::pending::<()>().await;
        }
    }

    /// Tries the cluster's source now, as [`Registry::probe`] does.
    ///
    /// # Errors
    /// What failed, as [`Error`].
    pub async fn probe(&self) -> Result<Info> {
        let Inner { policy, probe, .. } = self.inner.as_ref();
        info::probe(probe, &self.watched(), policy).await
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

    /// The names of its namespaces, by name, asked of the cluster; where that is not allowed, those the cluster is watched in.
    ///
    /// # Errors
    /// What failed, as [`Error`].
    pub async fn namespaces(&self) -> Result<Vec<String>> {
        match info::namespaces(&self.client().await?).await {
            Err(Error::Forbidden(_)) if !self.watched().is_empty() => Ok(self.watched().to_vec()),
            other => other,
        }
    }

    /// As [`Inner::client`].
    pub(crate) async fn client(&self) -> Result<Client> {
        self.inner.client().await
    }
}
