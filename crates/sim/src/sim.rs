//! The handle of a simulated cluster.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio_rustls::TlsAcceptor;

use crate::faults::Faults;
use crate::object::Kind;
use crate::options::{Content, Options};
use crate::runtime::Run;
use crate::server::{self, Session};
use crate::state::{Request, State};
use crate::{content, kubeconfig, manifest, time, tls};

/// A running simulated cluster.
///
/// Cheap to clone. The server ends when [`Sim::stop`] is called or the last handle is dropped.
#[derive(Clone)]
pub struct Sim {
    inner: Arc<Inner>,
}

struct Inner {
    state: Arc<State>,
    address: SocketAddr,
    authority: String,
    tls: TlsAcceptor,
    session: Mutex<Option<Session>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.state.stop.cancel();
    }
}

impl Sim {
    /// Starts a cluster and listens.
    ///
    /// # Errors
    ///
    /// An error if the address can't be bound or the certificates can't be made.
    pub async fn start(options: Options) -> io::Result<Sim> {
        let (config, authority) = tls::setup(&options.name)?;
        let listener = server::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::new(options));
        for namespace in ["default", "kube-node-lease", "kube-public", "kube-system"] {
            let object = manifest::namespace(namespace);
            let empty = state.options.content == Content::Empty;
            state.put(Kind::Namespace, if empty { object } else { content::backdated(object) });
        }
        if state.options.content == Content::Empty {
            state.put(Kind::Node, manifest::node("node-1"));
        }
        content::fill(&state);
        let tls = TlsAcceptor::from(config);
        let session = Session::begin(listener, tls.clone(), state.clone());
        let session = Mutex::new(Some(session));
        Ok(Sim {
            inner: Arc::new(Inner {
                state,
                address,
                authority,
                tls,
                session,
            }),
        })
    }

    /// Returns the address that the cluster listens on.
    pub fn address(&self) -> SocketAddr {
        self.inner.address
    }

    /// Returns the administrator's kubeconfig in YAML, with an inline CA and the bearer token
    /// `admin-token`.
    pub fn kubeconfig(&self) -> String {
        self.kubeconfig_for("admin")
    }

    /// Returns the kubeconfig of a user, whose token is `<user>-token`.
    ///
    /// The users are `admin`, `editor` (edits in `shop`), `viewer` (views in `staging`) and
    /// `nobody` (has no permissions).
    pub fn kubeconfig_for(&self, user: &str) -> String {
        let server = format!("https://{}", self.inner.address);
        kubeconfig::write(&self.inner.state.options.name, &server, &self.inner.authority, user)
    }

    /// Creates or replaces a Pod, Namespace, Node or Event (by `kind`) and returns it as stored.
    ///
    /// A missing `uid`, `creationTimestamp` or namespace (`default`) is added. Watchers see the
    /// change, and the containers of a pod run as its status says. A value of another kind is
    /// returned unchanged and not stored.
    pub fn put(&self, object: Value) -> Value {
        match object.get("kind").and_then(Value::as_str).and_then(Kind::from_name) {
            Some(kind) => self.inner.state.put(kind, object).value(),
            None => {
                tracing::error!(
                    "the simulated cluster can't store an object of kind {}; use Pod, Namespace, Node or Event",
                    object["kind"]
                );
                object
            }
        }
    }

    /// Returns one object. The namespace is ignored for cluster-scoped kinds.
    pub fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        let kind = Kind::from_name(kind)?;
        let namespace = if kind.namespaced() { namespace } else { "" };
        self.inner
            .state
            .store
            .get(kind, namespace, name)
            .map(|object| object.value())
    }

    /// Removes an object at once and returns whether it existed.
    pub fn remove(&self, kind: &str, namespace: &str, name: &str) -> bool {
        let Some(kind) = Kind::from_name(kind) else {
            return false;
        };
        let namespace = if kind.namespaced() { namespace } else { "" };
        self.inner.state.remove(kind, namespace, name, None).is_some()
    }

    /// Creates a pod that is Running and Ready, with these containers, whose image is `busybox:1`.
    ///
    /// Its namespace is created if missing.
    pub fn run_pod(&self, namespace: &str, name: &str, containers: &[&str]) {
        let state = &self.inner.state;
        if state.store.get(Kind::Namespace, "", namespace).is_none() {
            state.put(Kind::Namespace, manifest::namespace(namespace));
        }
        let ip = state.next_ip();
        state.put(Kind::Pod, manifest::running_pod(namespace, name, containers, &ip));
    }

    /// Appends bytes to a container's log and returns whether the container has a run to write to.
    ///
    /// The time of a line is that of its first byte.
    pub fn write_log(&self, namespace: &str, pod: &str, container: &str, bytes: &[u8]) -> bool {
        self.write_log_at(namespace, pod, container, Timestamp::now(), bytes)
    }

    /// Appends bytes to a container's log. Lines that start in them get this time.
    pub fn write_log_at(&self, namespace: &str, pod: &str, container: &str, time: Timestamp, bytes: &[u8]) -> bool {
        let run = self.run(namespace, pod, container);
        if let Some(run) = &run {
            run.append(time, bytes);
        }
        run.is_some()
    }

    /// Rotates a container's log as a kubelet does.
    ///
    /// New readers see only later lines. An open follow reads its old file to the end and goes on
    /// in the newest file, so one that is behind skips the files between.
    pub fn rotate_log(&self, namespace: &str, pod: &str, container: &str) {
        if let Some(run) = self.run(namespace, pod, container) {
            run.rotate();
        }
    }

    /// Ends a container's run and starts the next.
    ///
    /// Open follows of its log end successfully, the log becomes the previous one, and
    /// `restartCount` grows by one.
    pub fn restart_container(&self, namespace: &str, pod: &str, container: &str, exit_code: i32) {
        let now = time::seconds(Timestamp::now());
        self.inner.state.update_pod(namespace, pod, |pod| {
            let Some(status) = container_status(pod, container) else {
                return false;
            };
            let restarts = status["restartCount"].as_u64().unwrap_or(0) + 1;
            status["lastState"] = json!({ "terminated": terminated(status, exit_code, &now) });
            status["state"] = json!({"running": {"startedAt": now}});
            status["restartCount"] = restarts.into();
            if let Some(status) = status.as_object_mut() {
                status.remove("containerID");
            }
            true
        });
    }

    /// Ends a container for good.
    ///
    /// Once all containers have ended, the pod is Succeeded, or Failed if one of them exited with a
    /// code other than 0.
    pub fn end_container(&self, namespace: &str, pod: &str, container: &str, exit_code: i32) {
        let now = time::seconds(Timestamp::now());
        self.inner.state.update_pod(namespace, pod, |pod| {
            let Some(status) = container_status(pod, container) else {
                return false;
            };
            status["state"] = json!({ "terminated": terminated(status, exit_code, &now) });
            status["ready"] = false.into();
            status["started"] = false.into();
            set_phase(pod, &now);
            true
        });
    }

    /// Returns the cluster's faults.
    pub fn faults(&self) -> &Faults {
        &self.inner.state.faults
    }

    /// Returns the last 10,000 requests, oldest first.
    pub fn requests(&self) -> Vec<Request> {
        self.inner.state.requests()
    }

    /// Returns the number of open log follows, execs and watches. Tests use it to check that
    /// streams end with their clients.
    pub fn open_streams(&self) -> usize {
        self.open_logs() + self.open_execs() + self.open_watches()
    }

    /// Returns the number of open log follows.
    pub fn open_logs(&self) -> usize {
        self.inner.state.logs.count()
    }

    /// Returns the number of open execs.
    pub fn open_execs(&self) -> usize {
        self.inner.state.execs.count()
    }

    /// Returns the number of open watches.
    pub fn open_watches(&self) -> usize {
        self.inner.state.watches.count()
    }

    /// Returns the number of bytes of all log responses so far. Tests use it to check
    /// back-pressure.
    pub fn log_bytes_sent(&self) -> u64 {
        self.inner.state.log_bytes.load(Ordering::SeqCst)
    }

    /// Returns the number of responses in protobuf so far, including failures.
    pub fn protobuf_answers(&self) -> u64 {
        self.inner.state.protobuf_answers.load(Ordering::SeqCst)
    }

    /// Stops listening and cuts every connection. Objects and logs are kept.
    pub async fn pause(&self) {
        let session = self.inner.session.lock().await.take();
        if let Some(session) = session {
            session.end().await;
        }
    }

    /// Listens again on the same port, unless the cluster already listens.
    ///
    /// Logs an error if the port can't be bound.
    pub async fn resume(&self) {
        let mut session = self.inner.session.lock().await;
        if session.is_some() {
            return;
        }
        match server::bind(self.inner.address).await {
            Ok(listener) => {
                *session = Some(Session::begin(
                    listener,
                    self.inner.tls.clone(),
                    self.inner.state.clone(),
                ));
            }
            Err(error) => {
                tracing::error!(%error, address = %self.inner.address, "the simulated cluster can't listen on its address again");
            }
        }
    }

    /// Stops the cluster for every handle and waits until its connections are gone.
    pub async fn stop(self) {
        self.inner.state.stop.cancel();
        self.pause().await;
    }

    fn run(&self, namespace: &str, pod: &str, container: &str) -> Option<Arc<Run>> {
        let state = &self.inner.state;
        let pod = state.store.get(Kind::Pod, namespace, pod)?;
        state.runtime.runs(&pod.uid, container)?.current
    }
}

/// Returns the status of a container of any sort.
fn container_status<'a>(pod: &'a mut Value, container: &str) -> Option<&'a mut Value> {
    let status = pod.get_mut("status")?.as_object_mut()?;
    let lists = status.iter_mut().filter(|(key, _)| key.ends_with("ontainerStatuses"));
    lists
        .filter_map(|(_, list)| list.as_array_mut())
        .flatten()
        .find(|status| status["name"] == container)
}

/// Builds the `terminated` state of the run that a status shows.
fn terminated(status: &Value, exit_code: i32, now: &str) -> Value {
    let started = status
        .pointer("/state/running/startedAt")
        .and_then(Value::as_str)
        .unwrap_or(now);
    json!({"exitCode": exit_code, "reason": if exit_code == 0 { "Completed" } else { "Error" },
        "startedAt": started, "finishedAt": now, "containerID": status["containerID"]})
}

/// Sets a pod's final phase if all its containers have ended, and its conditions otherwise.
fn set_phase(pod: &mut Value, now: &str) {
    let statuses = pod
        .pointer("/status/containerStatuses")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let codes: Option<Vec<i64>> = statuses
        .iter()
        .map(|status| status.pointer("/state/terminated/exitCode").and_then(Value::as_i64))
        .collect();
    if let Some(codes) = codes {
        pod["status"]["phase"] = if codes.iter().all(|code| *code == 0) {
            "Succeeded"
        } else {
            "Failed"
        }
        .into();
    }
    for condition in pod
        .pointer_mut("/status/conditions")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if matches!(condition["type"].as_str(), Some("Ready" | "ContainersReady")) && condition["status"] == "True" {
            condition["status"] = "False".into();
            condition["lastTransitionTime"] = now.into();
        }
    }
}
