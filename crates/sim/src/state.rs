//! The state that the parts of a simulated cluster share.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::faults::Faults;
use crate::names;
use crate::object::{Kind, Object};
use crate::options::Options;
use crate::runtime::Runtime;
use crate::shared_json::Draft;
use crate::store::Store;

/// How many requests are remembered at most.
const REMEMBERED: usize = 10_000;

/// A request that the cluster received.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// `GET`, `DELETE`, …
    pub method: String,
    /// The path as it was sent, without the query.
    pub path: String,
    /// The query as it was sent; empty without one.
    pub query: String,
    /// The user whose token it is; empty if the token was refused.
    pub user: String,
    /// The value of `Impersonate-User`.
    pub impersonated_user: Option<String>,
    /// The values of `Impersonate-Group`, in order.
    pub impersonated_groups: Vec<String>,
    /// The `Accept` header; empty without one.
    pub accept: String,
}

/// A count of open streams.
#[derive(Debug, Default)]
pub(crate) struct Gauge(Arc<AtomicUsize>);

/// A guard that counts an open stream until it is dropped.
#[derive(Debug)]
pub(crate) struct OpenGuard(Arc<AtomicUsize>);

impl Gauge {
    /// Counts one more stream until the guard is dropped.
    pub(crate) fn open(&self) -> OpenGuard {
        self.0.fetch_add(1, Ordering::SeqCst);
        OpenGuard(self.0.clone())
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Drop for OpenGuard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A callback that is called for every pod that a deletion removed, so that the pod can be
/// replaced.
pub(crate) type PodRemoved = Box<dyn Fn(&Arc<State>, &Arc<Object>) + Send + Sync>;

/// The state of a cluster, shared by the server's tasks and the handles.
pub(crate) struct State {
    pub(crate) options: Options,
    pub(crate) store: Arc<Store>,
    pub(crate) runtime: Runtime,
    pub(crate) faults: Faults,
    /// The number of open log follows.
    pub(crate) logs: Gauge,
    pub(crate) execs: Gauge,
    pub(crate) watches: Gauge,
    /// The number of bytes of all log responses so far.
    pub(crate) log_bytes: AtomicU64,
    pub(crate) protobuf_answers: AtomicU64,
    /// The token that ends every task of the cluster.
    pub(crate) stop: CancellationToken,
    /// The callback for removed pods, which the content sets once.
    pub(crate) on_pod_removed: OnceLock<PodRemoved>,
    addresses: AtomicU64,
    requests: Mutex<VecDeque<Request>>,
}

impl State {
    pub(crate) fn new(options: Options) -> State {
        let store = Arc::new(Store::new(options.history, options.fresh));
        State {
            faults: Faults::new(store.clone()),
            store,
            runtime: Runtime::default(),
            logs: Gauge::default(),
            execs: Gauge::default(),
            watches: Gauge::default(),
            log_bytes: AtomicU64::new(0),
            protobuf_answers: AtomicU64::new(0),
            stop: CancellationToken::new(),
            on_pod_removed: OnceLock::new(),
            addresses: AtomicU64::new(0),
            requests: Mutex::default(),
            options,
        }
    }

    /// Creates or replaces an object. A pod's containers then run as its status says.
    pub(crate) fn put(&self, kind: Kind, draft: impl Into<Draft>) -> Arc<Object> {
        let mut draft = draft.into();
        if kind == Kind::Pod {
            self.identify(&mut draft.value);
            self.runtime.reconcile(&mut draft.value);
        }
        self.store.put(kind, draft)
    }

    /// Changes a pod. Returns `None` if it does not exist or `change` returns `false`.
    pub(crate) fn update_pod(
        &self,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut Value) -> bool,
    ) -> Option<Arc<Object>> {
        self.store.update(Kind::Pod, namespace, name, |pod| {
            let changed = change(pod);
            if changed {
                self.runtime.reconcile(pod);
            }
            changed
        })
    }

    /// Removes an object at once. Ends the containers if it is a pod.
    pub(crate) fn remove(&self, kind: Kind, namespace: &str, name: &str, uid: Option<&str>) -> Option<Arc<Object>> {
        let removed = self.store.remove(kind, namespace, name, uid)?;
        if kind == Kind::Pod {
            self.runtime.remove(&removed.uid);
        }
        Some(removed)
    }

    /// Returns the next pod IP. IPs repeat after about 16 million.
    pub(crate) fn next_ip(&self) -> String {
        let [.., b, c, d] = (self.addresses.fetch_add(1, Ordering::Relaxed) + 1).to_be_bytes();
        format!("10.{b}.{c}.{d}")
    }

    /// Notifies the content that a deletion removed an object, if the object is a pod.
    pub(crate) fn pod_removed(self: &Arc<Self>, object: &Arc<Object>) {
        if let Some(notify) = self.on_pod_removed.get().filter(|_| object.kind == Kind::Pod) {
            notify(self, object);
        }
    }

    /// Remembers a request.
    pub(crate) fn record(&self, request: Request) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if requests.len() == REMEMBERED {
            requests.pop_front();
        }
        requests.push_back(request);
    }

    /// Returns the remembered requests, oldest first.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .cloned()
            .collect()
    }

    /// Returns the time between two bookmarks, which is never zero.
    pub(crate) fn bookmark_every(&self) -> Duration {
        self.options.bookmark_every.max(Duration::from_millis(1))
    }

    /// Sets the UID of a pod, which the runtime uses as the key of the pod's runs.
    fn identify(&self, pod: &mut Value) {
        let text = |pointer: &str| {
            pod.pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let (mut namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
        if namespace.is_empty() {
            namespace = "default".to_owned();
        }
        if !text("/metadata/uid").is_empty() {
            return;
        }
        let known = self.store.get(Kind::Pod, &namespace, &name).map(|pod| pod.uid.clone());
        if let Some(pod) = pod.as_object_mut() {
            let metadata = crate::object::metadata_mut(pod);
            metadata.insert(
                "uid".to_owned(),
                known.unwrap_or_else(|| names::uid(&mut fastrand::Rng::new())).into(),
            );
        }
    }
}
