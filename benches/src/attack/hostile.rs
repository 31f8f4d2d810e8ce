//! A hostile API server: one pod in its list, logs without a line feed or an end, terminals that
//! flood or ping.

use std::{
    convert::Infallible,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Body,
    extract::{FromRequestParts, Request, WebSocketUpgrade, ws::Message},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::Result;

/// The cluster's name.
pub(super) const CLUSTER: &str = "hostile";
/// A pod whose log is one line without an end, and whose terminal floods.
pub(super) const FLOODING: &str = "flooding";
/// A pod whose terminal sends pings and reads nothing.
pub(super) const PINGING: &str = "pinging";
/// A pod of [`MANY_CONTAINERS`], whose logs never begin.
pub(super) const MANY: &str = "many";
const MANY_CONTAINERS: usize = 900;

/// A running hostile server. Ends when dropped.
pub(super) struct Hostile {
    kubeconfig: PathBuf,
    server: JoinHandle<()>,
    _dir: TempDir,
}

impl Hostile {
    pub(super) async fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let dir = TempDir::new()?;
        let kubeconfig = dir.path().join("kubeconfig");
        let server = format!("http://{}", listener.local_addr()?);
        let text = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": CLUSTER, "cluster": {"server": server}}],
            "users": [{"name": "user", "user": {}}],
            "contexts": [{"name": CLUSTER, "context": {"cluster": CLUSTER, "user": "user"}}],
            "current-context": CLUSTER,
        });
        std::fs::write(&kubeconfig, text.to_string())?;
        let app = Router::new().fallback(answer);
        let server = tokio::spawn(async move {
            // It never fails: axum continues after a connection that fails.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self {
            kubeconfig,
            server,
            _dir: dir,
        })
    }

    pub(super) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let pod = path
        .strip_prefix("/api/v1/namespaces/default/pods/")
        .unwrap_or_default();
    let (name, rest) = pod.split_once('/').unwrap_or((pod, ""));
    match (path.as_str(), rest) {
        ("/version", _) => Json(json!({"major": "1", "minor": "36", "gitVersion": "v1.36.0"})).into_response(),
        ("/api/v1/pods", _) => pods(&query),
        (_, "log") => log(name),
        (_, "exec") => exec(name, request).await,
        (path, _) if path.ends_with("selfsubjectaccessreviews") => review(path),
        _ if !name.is_empty() => Json(describe(name)).into_response(),
        _ => Json(json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": []}))
            .into_response(),
    }
}

/// Answers a list of one pod, or a watch without events. Refuses streaming lists.
fn pods(query: &str) -> Response {
    if query.contains("sendInitialEvents=true") {
        let status =
            json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 400, "reason": "BadRequest"});
        return (StatusCode::BAD_REQUEST, Json(status)).into_response();
    }
    if query.contains("watch=true") {
        return Body::from_stream(stream::pending::<std::result::Result<Bytes, Infallible>>()).into_response();
    }
    let metadata = json!({"resourceVersion": "1"});
    Json(json!({"kind": "PodList", "apiVersion": "v1", "metadata": metadata, "items": [describe(FLOODING)]}))
        .into_response()
}

fn review(path: &str) -> Response {
    let version = if path.contains("/v1/") {
        "authorization.k8s.io/v1"
    } else {
        "authorization.k8s.io/v1beta1"
    };
    let review = json!({
        "kind": "SelfSubjectAccessReview",
        "apiVersion": version,
        "spec": {},
        "status": {"allowed": true},
    });
    (StatusCode::CREATED, Json(review)).into_response()
}

fn describe(name: &str) -> Value {
    let count = if name == MANY { MANY_CONTAINERS } else { 1 };
    let names = (0..count).map(|number| format!("c{number}"));
    let containers: Vec<Value> = names
        .clone()
        .map(|name| json!({"name": name, "image": "image"}))
        .collect();
    let started = "2026-01-01T00:00:00Z";
    let statuses: Vec<Value> = names
        .map(|name| {
            json!({
                "name": name, "image": "image", "imageID": "", "containerID": format!("containerd://{name}"), "ready": true, "started": true,
                "restartCount": 0, "state": {"running": {"startedAt": started}}, "lastState": {},
            })
        })
        .collect();
    json!({
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": name, "namespace": "default", "uid": name, "resourceVersion": "1", "creationTimestamp": started},
        "spec": {"nodeName": "node", "containers": containers},
        "status": {"phase": "Running", "startTime": started, "containerStatuses": statuses},
    })
}

/// Answers a log: one line without an end. The log of [`MANY`] never begins.
fn log(name: &str) -> Response {
    if name == MANY {
        return Body::from_stream(stream::pending::<std::result::Result<Bytes, Infallible>>()).into_response();
    }
    let begin = stream::iter([Bytes::from_static(b"2026-01-01T00:00:01.000000000Z ")]);
    let rest = stream::repeat(Bytes::from(vec![b'x'; 64 << 10]));
    Body::from_stream(begin.chain(rest).map(Ok::<_, Infallible>)).into_response()
}

async fn exec(name: &str, request: Request) -> Response {
    let pings = name == PINGING;
    let (mut parts, _) = request.into_parts();
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade,
        Err(refusal) => return refusal.into_response(),
    };
    let upgrade = upgrade.protocols(["v5.channel.k8s.io", "v4.channel.k8s.io"]);
    upgrade.on_upgrade(move |mut socket| async move {
        let mut output = vec![b'x'; 32 << 10];
        // The channel of standard output.
        output[0] = 1;
        let (ping, output) = (Bytes::from(vec![b'x'; 125]), Bytes::from(output));
        loop {
            let message = if pings {
                Message::Ping(ping.clone())
            } else {
                Message::Binary(output.clone())
            };
            let sent = tokio::time::timeout(Duration::from_secs(60), socket.send(message)).await;
            if !matches!(sent, Ok(Ok(()))) {
                return;
            }
        }
    })
}
