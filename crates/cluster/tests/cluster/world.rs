//! A simulated cluster with the crate watching it, and a reader that never looks away.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use podgate_cluster::{Cluster, Error, Failure, Policy, Registry, Source, Spec, Sync, SyncState, WatchTimeouts};
use podgate_index::{ClusterId, Index, Query};
use podgate_sim::{Options, Sim};

/// The number of the cluster under test.
pub(crate) const ID: ClusterId = ClusterId(7);

/// How long a test waits for anything before it fails.
const DEADLINE: Duration = Duration::from_secs(60);

/// Returns a policy for tests: short pauses, and time-outs that only tests of time-outs reach.
pub(crate) fn policy() -> Policy {
    Policy {
        allowed_networks: Arc::new(["127.0.0.0/8".parse().unwrap()]),
        watch: WatchTimeouts {
            silence: Duration::from_secs(30),
            progress: Duration::from_secs(20),
            list: Duration::from_secs(300),
            retry_min: Duration::from_millis(200),
            retry_max: Duration::from_millis(600),
            settle: Duration::from_millis(300),
            info: Duration::from_millis(200),
        },
        ..Policy::default()
    }
}

pub(crate) fn options() -> Options {
    Options {
        bookmark_every: Duration::from_millis(100),
        ..Options::default()
    }
}

pub(crate) fn untrusted(kubeconfig: &str) -> Source {
    Source::from_untrusted_kubeconfig(kubeconfig).unwrap()
}

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < DEADLINE, "not within {DEADLINE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}

/// Returns whether an error is this failure, of any object.
pub(crate) fn is_failure(error: &Error, failure: &Failure) -> bool {
    matches!(error, Error::Upstream { failure: found, .. } if found == failure)
}

/// The encoding in which the cluster sends its pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Protobuf,
    /// The cluster has no protobuf.
    Json,
}

pub(crate) struct World {
    pub(crate) sim: Sim,
    format: Format,
    pub(crate) index: Index,
    pub(crate) registry: Registry,
    pub(crate) cluster: Cluster,
    reader: Arc<Reader>,
}

/// Reads the list all the time, and notes when it holds fewer pods than it must.
struct Reader {
    index: Index,
    least: AtomicUsize,
    missed: Mutex<Vec<String>>,
    states: Mutex<Vec<Sync>>,
    reads: AtomicUsize,
    ends: AtomicBool,
}

impl World {
    /// Returns a cluster with pods `p0`, `p1`, … in namespace `shop`, watched by an administrator
    /// and synced.
    pub(crate) async fn synced(format: Format, pods: usize) -> Self {
        let world = Self::new(format, pods, policy(), |_| {}).await;
        world.is_synced().await;
        world
    }

    /// Starts a cluster that is not synced yet, after `prepare` has changed it.
    pub(crate) async fn new(format: Format, pods: usize, policy: Policy, prepare: impl FnOnce(&Sim)) -> Self {
        Self::of(format, pods, policy, &[], |sim| {
            prepare(sim);
            untrusted(&sim.kubeconfig())
        })
        .await
    }

    /// Starts a cluster with a given source and named namespaces.
    pub(crate) async fn of(
        format: Format,
        pods: usize,
        policy: Policy,
        namespaces: &[&str],
        source: impl FnOnce(&Sim) -> Source,
    ) -> Self {
        let sim = Sim::start(options()).await.unwrap();
        sim.faults().no_protobuf(format == Format::Json);
        for pod in 0..pods {
            sim.run_pod("shop", &format!("p{pod}"), &["main"]);
        }
        let index = Index::new();
        let registry = Registry::new(index.clone(), policy);
        let cluster = registry.add(Spec {
            id: ID,
            name: "prod".to_owned(),
            source: source(&sim),
            namespaces: namespaces.iter().map(|name| (*name).to_owned()).collect(),
        });
        let reader = Arc::new(Reader {
            index: index.clone(),
            least: AtomicUsize::new(pods),
            missed: Mutex::default(),
            states: Mutex::default(),
            reads: AtomicUsize::new(0),
            ends: AtomicBool::new(false),
        });
        tokio::spawn(read(reader.clone(), cluster.clone()));
        tokio::spawn(note_states(reader.clone(), cluster.clone()));
        Self {
            sim,
            format,
            index,
            registry,
            cluster,
            reader,
        }
    }

    /// Returns the names in the index, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        names(&self.index)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.names().iter().any(|there| there == name)
    }

    pub(crate) fn sync(&self) -> Sync {
        self.cluster.sync()
    }

    pub(crate) async fn is_synced(&self) {
        until("the cluster is synced", || self.sync().state == SyncState::Synced).await;
    }

    /// Waits for a state, and returns the error that comes with it.
    pub(crate) async fn is(&self, state: SyncState) -> Option<Error> {
        until(&format!("the cluster is {state:?}"), || self.sync().state == state).await;
        self.sync().error
    }

    /// Does the same as [`World::is`] for an error that is a failure of this kind.
    pub(crate) async fn fails(&self, state: SyncState, failure: &Failure) {
        let error = self.is(state).await;
        assert!(
            error.as_ref().is_some_and(|error| is_failure(error, failure)),
            "{error:?}"
        );
    }

    /// Makes a pod and waits until it is read.
    pub(crate) async fn sees_new_pod(&self, name: &str) {
        self.sim.run_pod("shop", name, &["main"]);
        until(&format!("pod {name} is there"), || self.has(name)).await;
        self.reader.least.fetch_add(1, Ordering::SeqCst);
    }

    /// Accepts fewer pods from now on.
    pub(crate) fn expect_at_least(&self, pods: usize) {
        self.reader.least.store(pods, Ordering::SeqCst);
    }

    /// Returns whether the cluster was stale with such an error at any time.
    pub(crate) fn was_stale(&self, of: impl Fn(&Failure) -> bool) -> bool {
        let states = self.reader.states.lock().unwrap();
        states.iter().any(|sync| match &sync.error {
            Some(Error::Upstream { failure, .. }) => sync.state == SyncState::Stale && of(failure),
            _ => false,
        })
    }

    /// Does the same as [`World::was_stale`] for one failure.
    pub(crate) fn was_stale_by(&self, failure: &Failure) -> bool {
        self.was_stale(|found| found == failure)
    }

    /// Returns the queries of all requests for pods so far.
    pub(crate) fn queries(&self) -> Vec<String> {
        let pods = |request: &podgate_sim::Request| request.path.ends_with("/pods");
        self.sim
            .requests()
            .into_iter()
            .filter(pods)
            .map(|request| request.query)
            .collect()
    }

    /// Returns the `Accept` headers of all requests for pods so far.
    pub(crate) fn accepted(&self) -> Vec<String> {
        let requests = self.sim.requests().into_iter();
        requests
            .filter(|request| request.path.ends_with("/pods"))
            .map(|request| request.accept)
            .collect()
    }

    /// Lists asked for so far, streamed or not; pages count once.
    pub(crate) fn lists(&self) -> usize {
        let is_list = |query: &&String| {
            query.contains("sendInitialEvents") || (!query.contains("watch=") && !query.contains("continue="))
        };
        self.queries().iter().filter(is_list).count()
    }

    /// Ends all, and fails if the reader ever missed a pod or the cluster was not read in its
    /// format.
    pub(crate) async fn end(self) {
        let format = self.format;
        self.end_in(format).await;
    }

    /// Does the same as [`World::end`], read in another format than the cluster's own.
    pub(crate) async fn end_in(self, format: Format) {
        assert_eq!(self.sim.protobuf_answers() > 0, format == Format::Protobuf);
        let reads = self.reader.reads.load(Ordering::SeqCst);
        until("the reader reads on", || {
            self.reader.reads.load(Ordering::SeqCst) > reads + 2
        })
        .await;
        self.reader.ends.store(true, Ordering::SeqCst);
        let missed = self.reader.missed.lock().unwrap().clone();
        assert!(missed.is_empty(), "a reader saw too few pods: {missed:?}");
        self.registry.shutdown().await;
        let sim = self.sim.clone();
        until("no stream is open", || sim.open_streams() == 0).await;
        self.sim.stop().await;
    }
}

/// Reads as the list's endpoint does: only a cluster that was synced has a list.
async fn read(reader: Arc<Reader>, cluster: Cluster) {
    while !reader.ends.load(Ordering::SeqCst) {
        let least = reader.least.load(Ordering::SeqCst);
        let sync = cluster.sync();
        if matches!(sync.state, SyncState::Synced | SyncState::Stale) {
            let total = total(&reader.index);
            let allowed = reader.least.load(Ordering::SeqCst).min(least);
            if total < allowed {
                reader
                    .missed
                    .lock()
                    .unwrap()
                    .push(format!("{total} of {allowed}, {sync:?}"));
            }
        }
        reader.reads.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
}

async fn note_states(reader: Arc<Reader>, mut cluster: Cluster) {
    while !reader.ends.load(Ordering::SeqCst) {
        let sync = cluster.sync();
        reader.states.lock().unwrap().push(sync);
        let _ = tokio::time::timeout(Duration::from_millis(100), cluster.sync_changed()).await;
    }
}

fn query(limit: usize) -> Query {
    Query {
        clusters: vec![ID],
        limit,
        ..Query::default()
    }
}

pub(crate) fn total(index: &Index) -> usize {
    index.query(&query(1)).total
}

pub(crate) fn names(index: &Index) -> Vec<String> {
    let page = index.query(&query(100_000));
    let mut names: Vec<_> = page.rows.into_iter().map(|row| row.pod.name).collect();
    names.sort_unstable();
    names
}
