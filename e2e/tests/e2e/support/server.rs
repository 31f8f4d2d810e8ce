//! The server under test: the debug binary, on the cluster of `KUBECONFIG`.

use std::process::Stdio;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use super::{Socket, until};

const PASSWORD: &str = "correct-horse-battery-staple";

/// A running `podgate serve` and a client that is logged in. Dropping it kills the process.
pub(crate) struct Server {
    /// `http://127.0.0.1:PORT`.
    pub(crate) base: String,
    pub(crate) token: String,
    /// The name of the cluster of `KUBECONFIG`.
    pub(crate) cluster: String,
    http: reqwest::Client,
    child: Child,
    _data: tempfile::TempDir,
}

impl Server {
    /// Starts the server and waits until the cluster is synced.
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts the server with further flags.
    pub(crate) async fn start_with(flags: &[&str]) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let data = tempfile::tempdir().unwrap();
        let program = std::env::var("PODGATE_BIN").expect("PODGATE_BIN names the binary under test: use `make e2e`");
        let mut child = Command::new(&program)
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data.path())
            .args([
                "--kubeconfig",
                &std::env::var("KUBECONFIG").expect("KUBECONFIG names a cluster"),
            ])
            .args(flags)
            .env("PODGATE_ADMIN_PASSWORD", PASSWORD)
            .env_remove("PODGATE_KUBECONFIG")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let base = loop {
            let line = lines
                .next_line()
                .await
                .unwrap()
                .expect("the server prints its address before it ends");
            if let Some(at) = line.find("http://") {
                break line[at..]
                    .split_whitespace()
                    .next()
                    .unwrap()
                    .trim_end_matches('/')
                    .to_owned();
            }
        };
        // Whatever else it prints must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let mut server = Self {
            base,
            token: String::new(),
            cluster: String::new(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            child,
            _data: data,
        };
        let login = server
            .ok(
                Method::POST,
                "/api/auth/login",
                Some(json!({"username": "admin", "password": PASSWORD})),
            )
            .await;
        server.token = login["token"].as_str().unwrap().to_owned();
        server.cluster = until("the cluster is synced", || async {
            let clusters = server.get("/api/clusters").await;
            let first = &clusters["items"][0];
            (first["sync"]["state"] == "synced").then(|| first["name"].as_str().unwrap().to_owned())
        })
        .await;
        server
    }

    /// Sends a request and returns its status and body.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    /// Sends a request that must succeed, and returns its `data`.
    pub(crate) async fn ok(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let (status, mut body) = self.call(method, path, body).await;
        assert_eq!((status, &body["code"]), (StatusCode::OK, &json!(200)), "{path}: {body}");
        body["data"].take()
    }

    /// Sends a `GET` that must succeed, and returns its `data`.
    pub(crate) async fn get(&self, path: &str) -> Value {
        self.ok(Method::GET, path, None).await
    }

    /// Sends a request that must fail, and returns its `code` and `message`.
    pub(crate) async fn refused(&self, method: Method, path: &str, body: Option<Value>) -> (i64, String) {
        let (status, body) = self.call(method, path, body).await;
        let code = body["code"].as_i64().unwrap();
        assert_eq!(code / 1000, i64::from(status.as_u16()), "{path}: {body}");
        assert!(body["data"].is_null(), "{path}: {body}");
        (code, body["message"].as_str().unwrap().to_owned())
    }

    /// Sends a `GET` for another form than JSON.
    pub(crate) async fn raw(&self, path: &str, accept: &str) -> reqwest::Response {
        self.http
            .get(format!("{}{path}", self.base))
            .bearer_auth(&self.token)
            .header("Accept", accept)
            .send()
            .await
            .unwrap()
    }

    /// Returns the path of a pod: `/api/clusters/…/namespaces/…/pods/NAME`.
    pub(crate) fn pod(&self, namespace: &str, name: &str) -> String {
        format!("/api/clusters/{}/namespaces/{namespace}/pods/{name}", self.cluster)
    }

    /// Opens a WebSocket below `/ws`: `suffix` is `logs` or `exec?…`.
    pub(crate) async fn socket(&self, namespace: &str, name: &str, suffix: &str) -> Socket {
        let path = format!(
            "/ws/clusters/{}/namespaces/{namespace}/pods/{name}/{suffix}",
            self.cluster
        );
        Socket::open(&self.base, &path, &self.token).await
    }

    /// Returns the list of the cluster, filtered.
    pub(crate) async fn list(&self, query: &str) -> Value {
        self.get(&format!("/api/clusters/{}/pods?{query}", self.cluster)).await
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().expect("the server still runs")
    }
}
