//! A running Podgate on a simulated cluster, and short ways to call it.

pub(crate) mod described;
mod socket;

use std::{net::SocketAddr, sync::Once, time::Duration};

use podgate_access::{Gate, Sessions, clusters::Clusters, sessions, tickets::Tickets};
use podgate_api::{Options, Route, Shape, State, serve::Listening};
use podgate_cluster::{Cluster, Policy, Registry, Source, SyncState};
use podgate_index::Index;
use podgate_sim::Sim;
use podgate_store::{NewUser, Priority, Store};
use serde_json::Value;
use tokio_tungstenite::tungstenite::{self, client::IntoClientRequest};
use tokio_util::sync::CancellationToken;

pub(crate) use self::socket::Socket;

/// How long a test waits for anything. It is generous, because it only ends tests that hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The admin's password.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// The settings of a server that a test may change.
pub(crate) struct Setup {
    /// The options of the simulated cluster.
    pub(crate) sim: podgate_sim::Options,
    /// The options of the API.
    pub(crate) api: Options,
    /// The options of sessions.
    pub(crate) sessions: sessions::Options,
    /// The policy of calls to clusters, apart from the allowed networks.
    pub(crate) policy: Policy,
    /// Whether clusters that are added through the API may have loopback addresses.
    pub allow_loopback: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            sim: podgate_sim::Options {
                name: "sim".into(),
                ..podgate_sim::Options::default()
            },
            api: Options::default(),
            sessions: sessions::Options::default(),
            policy: Policy::default(),
            allow_loopback: true,
        }
    }
}

/// A running server with one cluster, `sim`, which is synced. Ends with [`Server::stop`], or when
/// dropped.
pub(crate) struct Server {
    /// The simulated cluster.
    pub(crate) sim: Sim,
    /// The API's state.
    pub(crate) state: State,
    /// The clusters.
    pub(crate) registry: Registry,
    /// The database.
    pub(crate) store: Store,
    /// The sessions. No task sweeps them.
    pub(crate) sessions: Sessions,
    /// `127.0.0.1:PORT`.
    pub(crate) address: SocketAddr,
    /// The admin's access token.
    pub(crate) token: String,
    /// Sends requests.
    pub(crate) client: reqwest::Client,
    base: String,
    shutdown: CancellationToken,
    server: tokio::task::JoinHandle<()>,
    _dir: tempfile::TempDir,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: u16,
    /// Headers.
    pub(crate) headers: reqwest::header::HeaderMap,
    /// Body.
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    /// Returns the body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Returns the body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Returns the `data` of a success.
    #[track_caller]
    pub(crate) fn data(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        let mut json = self.json();
        assert_eq!(json["code"], 200);
        json["data"].take()
    }

    /// Returns the code of the envelope.
    pub(crate) fn code(&self) -> u64 {
        self.json()["code"].as_u64().unwrap_or_default()
    }

    /// Asserts a failure with all its fields, and returns its message.
    #[track_caller]
    pub(crate) fn fails(&self, code: u64) -> String {
        assert!(self.status >= 400, "{} {}", self.status, self.text());
        let json = self.json();
        assert_eq!(json["code"], code, "{json}");
        assert_eq!(u64::from(self.status), code / 1000, "{json}");
        assert!(json["data"].is_null(), "{json}");
        assert_eq!(json.as_object().unwrap().len(), 3, "{json}");
        let message = json["message"].as_str().unwrap().to_owned();
        assert!(message.len() > 8, "{json}");
        message
    }

    /// Holds it against the OpenAPI document, if the path is a route's.
    fn check(&self, method: &str, path: &str) {
        if let Some(route) = described::route(method, path) {
            described::answered(route, self.status, &self.bytes);
        }
    }

    /// Returns a header's value.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Installs the crypto provider once.
pub(crate) fn crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    });
}

impl Server {
    /// Starts a server with the default settings.
    pub(crate) async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    /// Starts a server with the test's own settings.
    pub(crate) async fn with(setup: Setup) -> Self {
        crypto();
        let dir = tempfile::tempdir().unwrap();
        let sim = Sim::start(setup.sim).await.unwrap();
        let store = open_store(dir.path()).await;
        let index = Index::new();
        let networks: Vec<ipnet::IpNet> = if setup.allow_loopback {
            vec!["127.0.0.0/8".parse().unwrap()]
        } else {
            Vec::new()
        };
        let policy = Policy {
            allowed_networks: networks.into(),
            ..setup.policy
        };
        let registry = Registry::new(index.clone(), policy);
        let clusters = Clusters::new(store.clone(), registry.clone(), index.clone());
        let file = dir.path().join("kubeconfig");
        std::fs::write(&file, sim.kubeconfig()).unwrap();
        for context in Source::from_kubeconfig_file(&file).unwrap() {
            clusters
                .start_fixed(
                    &context.original,
                    &context.name,
                    &context.original,
                    context.source,
                    Vec::new(),
                )
                .await
                .unwrap();
        }
        let sessions = Sessions::new(store.clone(), setup.sessions);
        sessions.ensure_admin(Some(PASSWORD)).await.unwrap();
        let gate = Gate::new(index, registry.clone(), clusters);
        let shutdown = CancellationToken::new();
        let base = setup.api.base_path.clone();
        let state = State::new(gate, sessions.clone(), Tickets::default(), shutdown.clone(), setup.api);
        let (address, server) = serve(state.clone(), shutdown.clone());
        let mut server = Self {
            sim,
            state,
            registry,
            store,
            sessions,
            address,
            token: String::new(),
            client: client(),
            base,
            shutdown,
            server,
            _dir: dir,
        };
        server.token = server.login("admin", PASSWORD).await;
        for cluster in server.registry.all() {
            synced(cluster).await;
        }
        server
    }

    /// Logs in and returns the access token.
    pub(crate) async fn login(&self, username: &str, password: &str) -> String {
        let body = serde_json::json!({"username": username, "password": password});
        let answer = self
            .request("POST", &format!("{}/api/auth/login", self.base), None, Some(&body))
            .await;
        answer.data()["token"].as_str().unwrap().to_owned()
    }

    /// Creates a user without any role and logs it in; its access token.
    pub(crate) async fn nobody(&self) -> String {
        self.user("nobody", "").await
    }

    /// Creates a user and logs it in; its access token.
    pub(crate) async fn user(&self, username: &str, role: &str) -> String {
        let password = self
            .store
            .passwords()
            .turn(Priority::High)
            .await
            .unwrap()
            .hash(PASSWORD, username)
            .await
            .unwrap();
        let new = NewUser {
            username: username.into(),
            email: String::new(),
            role: role.into(),
            password,
        };
        self.store.create_user(new, 0).await.unwrap();
        self.login(username, PASSWORD).await
    }

    /// Returns the URL of a path: `http://127.0.0.1:PORT/…`.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sends a request with an optional token and an optional body.
    pub(crate) async fn request(&self, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Answer {
        let mut request = self.client.request(method.parse().unwrap(), self.url(path));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        send(request).await
    }

    /// Sends a `GET` as the admin.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request("GET", path, Some(&self.token), None).await
    }

    /// Sends a `DELETE` as the admin.
    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.request("DELETE", path, Some(&self.token), None).await
    }

    /// Sends a `POST` as the admin.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.request("POST", path, Some(&self.token), Some(&body)).await
    }

    /// Sends a `PUT` as the admin.
    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.request("PUT", path, Some(&self.token), Some(&body)).await
    }

    /// Builds a request as the admin, to which headers can be added.
    pub(crate) fn build(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.client
            .request(method.parse().unwrap(), self.url(path))
            .bearer_auth(&self.token)
    }

    /// Opens a WebSocket as the admin.
    pub(crate) async fn ws(&self, path: &str) -> Socket {
        let authorization = format!("Bearer {}", self.token);
        self.ws_with(path, &[("authorization", &authorization)]).await.unwrap()
    }

    /// Opens a WebSocket with these headers; or the HTTP answer that refused it.
    pub(crate) async fn ws_with(&self, path: &str, headers: &[(&str, &str)]) -> Result<Socket, Answer> {
        let mut request = format!("ws://{}{path}", self.address).into_client_request().unwrap();
        for (name, value) in headers {
            let name: http::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        match within(tokio_tungstenite::connect_async(request)).await {
            Ok((stream, _)) => Ok(Socket::new(stream, described::route("GET", path))),
            Err(tungstenite::Error::Http(response)) => {
                let (parts, body) = response.into_parts();
                let answer = Answer {
                    status: parts.status.as_u16(),
                    headers: parts.headers,
                    bytes: body.unwrap_or_default(),
                };
                answer.check("GET", path);
                Err(answer)
            }
            Err(error) => panic!("{path}: {error}"),
        }
    }

    /// Calls a route for pod `web` over HTTP, or opens its WebSocket, with these headers and no
    /// others; the code that it fails with.
    pub(crate) async fn refusal(&self, route: &Route, headers: &[(&str, &str)]) -> u64 {
        let path = path_of(route);
        if route.shape == Shape::WebSocket {
            return match self.ws_with(&path, headers).await {
                Ok(mut socket) => socket.fails().await.0,
                Err(answer) => answer.code(),
            };
        }
        let mut request = self.client.request(route.method.clone(), self.url(&path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if route.wants_body() {
            request = request.json(&serde_json::json!({}));
        }
        let answer = send(request).await;
        assert!(answer.status >= 400, "{route:?}: {}", answer.text());
        answer.code()
    }

    /// Waits until a `GET` answers what the test wants, and gives that answer. For what reaches the
    /// index through a watch.
    pub(crate) async fn until(&self, path: &str, wanted: impl Fn(&Answer) -> bool) -> Answer {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let answer = self.get(path).await;
            if wanted(&answer) {
                return answer;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "{path} stayed {}",
                answer.text()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Runs a pod in the simulated cluster and waits until the list shows it.
    pub(crate) async fn run_pod(&self, namespace: &str, name: &str, containers: &[&str]) {
        self.sim.run_pod(namespace, name, containers);
        let path = format!("/api/clusters/sim/pods?namespace={namespace}&search={name}");
        self.until(&path, |answer| {
            answer.status == 200 && answer.json()["data"]["total"] != 0
        })
        .await;
    }

    /// Adds a simulated cluster under its name, as if from a kubeconfig.
    pub(crate) fn add(&self, sim: &Sim, id: u32) -> Cluster {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("kubeconfig");
        std::fs::write(&file, sim.kubeconfig()).unwrap();
        let context = Source::from_kubeconfig_file(&file).unwrap().remove(0);
        self.registry.add(podgate_cluster::Spec {
            id: podgate_index::ClusterId(id),
            name: context.name,
            source: context.source,
            namespaces: Vec::new(),
        })
    }

    /// Starts the shutdown, as SIGTERM does, and leaves the rest to the test.
    pub(crate) fn begin_shutdown(&self) {
        self.shutdown.cancel();
    }

    /// Ends everything and waits for it.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        within(self.state.drained()).await;
        within(self.server).await.unwrap();
        within(self.registry.shutdown()).await;
        within(self.sim.stop()).await;
    }
}

/// Starts another simulated cluster.
pub(crate) async fn cluster(name: &str) -> Sim {
    let options = podgate_sim::Options {
        name: name.into(),
        ..podgate_sim::Options::default()
    };
    Sim::start(options).await.unwrap()
}

async fn open_store(dir: &std::path::Path) -> Store {
    let url = format!("sqlite:{}?mode=rwc", dir.join("podgate.db").display());
    Store::open(&url, &dir.join("key")).await.unwrap()
}

fn serve(state: State, shutdown: CancellationToken) -> (SocketAddr, tokio::task::JoinHandle<()>) {
    let listening = Listening::open("127.0.0.1:0".parse().unwrap(), None).unwrap();
    let address = listening.address();
    (
        address,
        tokio::spawn(async move {
            let router = podgate_api::router(state.clone());
            listening.serve(router, &state, shutdown).await;
        }),
    )
}

fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .timeout(PATIENCE)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap()
}

/// Sends a request and reads the answer.
pub(crate) async fn send(request: reqwest::RequestBuilder) -> Answer {
    let (client, request) = request.build_split();
    let request = request.unwrap();
    let (method, path) = (request.method().clone(), request.url().path().to_owned());
    let response = client.execute(request).await.unwrap();
    let answer = Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        bytes: response.bytes().await.unwrap().to_vec(),
    };
    answer.check(method.as_str(), &path);
    answer
}

/// Waits for a cluster's first sync.
pub(crate) async fn synced(mut cluster: Cluster) {
    within(async {
        while cluster.sync().state != SyncState::Synced {
            cluster.sync_changed().await;
        }
    })
    .await;
}

/// Ends a test that hangs.
pub(crate) async fn within<F: Future>(work: F) -> F::Output {
    tokio::time::timeout(PATIENCE, work).await.expect("it took too long")
}

/// Returns the path of a route with pod `web` in namespace `default` of cluster `sim` in it.
pub(crate) fn path_of(route: &podgate_api::Route) -> String {
    route
        .path
        .replace("{clusterId}", "sim")
        .replace("{namespace}", "default")
        .replace("{name}", "web")
}
