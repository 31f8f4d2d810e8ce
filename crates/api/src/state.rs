//! What every handler can reach.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use ipnet::IpNet;
use podgate_access::{Gate, Sessions, tickets::Tickets};
use podgate_cluster::MemoryBudget;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    body,
    etag::Tags,
    host::Hosts,
    metrics::Metrics,
    pods::{answers, live::Hub, memory::StreamMemory, shares::Shares, tail},
    serve, ws,
};

/// How the server is reached, and by whom.
#[derive(Clone, Debug)]
pub struct Options {
    /// Path under which everything lives, such as `/podgate`; empty for the root. No slash at its end.
    pub base_path: String,
    /// The address that users type, if the operator named it. Its origin is our own.
    pub public_url: Option<Url>,
    /// Further origins (`https://host[:port]`) whose pages may use the API.
    pub allowed_origins: Vec<String>,
    /// Names beside those of `public_url` and `allowed_origins` that a request may have in `Host`.
    pub allowed_hosts: Vec<String>,
    /// Networks of the proxies whose `X-Forwarded-For`, `-Proto` and `-Host` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Our own listener speaks TLS.
    pub https: bool,
    /// Networks that may read `/metrics`. `None` is loopback, where nothing says that there is a proxy: neither a public URL nor a trusted proxy nor a
    /// base path.
    pub metrics_networks: Option<Vec<IpNet>>,
    /// A bearer token that may read `/metrics` from anywhere.
    pub metrics_token: Option<String>,
    /// Caps and time limits of connections.
    pub connections: serve::Limits,
    /// Caps and times of WebSockets.
    pub websockets: ws::Limits,
    /// Bytes of memory that lists, details, manifests and events over 64 KiB may take together while they are sent, of which one session may hold a quarter.
    pub answers: usize,
    /// Bytes of memory that logs in JSON may take together; one takes up to about 10 MiB, and one session a quarter.
    pub json_logs: usize,
    /// Bytes of memory that log streams, log downloads and terminals may take together; each reserves at most 2 MiB, and a log stream 128 KiB more for each
    /// further container.
    pub stream_memory: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            base_path: String::new(),
            public_url: None,
            allowed_origins: Vec::new(),
            allowed_hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            https: false,
            metrics_networks: None,
            metrics_token: None,
            connections: serve::Limits::default(),
            websockets: ws::Limits::default(),
            answers: 128 << 20,
            json_logs: 128 << 20,
            stream_memory: 512 << 20,
        }
    }
}

/// The API's state. Cheap to clone.
#[derive(Clone, Debug)]
pub struct State {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    gate: Gate,
    sessions: Sessions,
    tickets: Tickets,
    hosts: Hosts,
    options: Options,
    shutdown: CancellationToken,
    leaving: AtomicBool,
    connections: serve::Connections,
    sockets: ws::Sockets,
    downloads: ws::Places,
    body_memory: MemoryBudget,
    answers: Shares,
    json_logs: Shares,
    stream_memory: StreamMemory,
    metrics: Metrics,
    tags: Tags,
    live: Hub,
    start_page: OnceLock<Bytes>,
    openapi: OnceLock<Bytes>,
}

impl State {
    /// Puts the parts together. `shutdown` closes every WebSocket but the terminals with 1001. Must be called within a tokio runtime.
    pub fn new(
        gate: Gate,
        sessions: Sessions,
        tickets: Tickets,
        shutdown: CancellationToken,
        options: Options,
    ) -> Self {
        let live = Hub::start(gate.changes(), shutdown.clone(), options.websockets.live_per_user);
        Self {
            inner: Arc::new(Inner {
                gate,
                sessions,
                tickets,
                leaving: AtomicBool::new(false),
                connections: serve::Connections::new(&options.connections),
                sockets: ws::Sockets::new(&options.websockets),
                downloads: ws::Places::new("log downloads", &options.websockets),
                body_memory: MemoryBudget::new(body::MEMORY),
                answers: Shares::new(options.answers, answers::MOST),
                json_logs: Shares::new(options.json_logs, tail::MEMORY),
                stream_memory: StreamMemory::new(options.stream_memory),
                metrics: Metrics::new(),
                tags: Tags::default(),
                live,
                start_page: OnceLock::new(),
                openapi: OnceLock::new(),
                hosts: Hosts::of(&options),
                options,
                shutdown,
            }),
        }
    }

    /// From now on `/readyz` answers 503. All else goes on.
    pub fn leave(&self) {
        self.inner.leaving.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.inner.leaving.load(Ordering::Relaxed)
    }

    /// Waits until every other WebSocket is closed, then closes the terminals with 1001 and waits for them. Call it after `shutdown` was cancelled and the
    /// server takes no new connections; give it a time limit.
    pub async fn drained(&self) {
        self.inner.sockets.drained().await;
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.inner.gate
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        &self.inner.sessions
    }

    pub(crate) fn tickets(&self) -> &Tickets {
        &self.inner.tickets
    }

    pub(crate) fn options(&self) -> &Options {
        &self.inner.options
    }

    pub(crate) fn hosts(&self) -> &Hosts {
        &self.inner.hosts
    }

    /// Cancelled when the server shuts down. Endless HTTP answers end then.
    pub fn shutdown(&self) -> &CancellationToken {
        &self.inner.shutdown
    }

    pub(crate) fn connections(&self) -> &serve::Connections {
        &self.inner.connections
    }

    pub(crate) fn sockets(&self) -> &ws::Sockets {
        &self.inner.sockets
    }

    /// The places of logs that are sent as plain text.
    pub(crate) fn downloads(&self) -> &ws::Places {
        &self.inner.downloads
    }

    /// The memory of large bodies that clients send.
    pub(crate) fn body_memory(&self) -> &MemoryBudget {
        &self.inner.body_memory
    }

    /// The memory of large answers that are being sent.
    pub(crate) fn answers(&self) -> &Shares {
        &self.inner.answers
    }

    /// The memory of logs in JSON.
    pub(crate) fn json_logs(&self) -> &Shares {
        &self.inner.json_logs
    }

    /// The memory of all other streams.
    pub(crate) fn stream_memory(&self) -> &StreamMemory {
        &self.inner.stream_memory
    }

    /// The start page, written when it is first asked for.
    pub(crate) fn start_page(&self, write: impl FnOnce() -> Bytes) -> Bytes {
        self.inner.start_page.get_or_init(write).clone()
    }

    /// The OpenAPI document, written when it is first asked for.
    pub(crate) fn openapi(&self, write: impl FnOnce() -> Bytes) -> Bytes {
        self.inner.openapi.get_or_init(write).clone()
    }

    pub(crate) fn live(&self) -> &Hub {
        &self.inner.live
    }

    pub(crate) fn tags(&self) -> &Tags {
        &self.inner.tags
    }

    /// What the process counts.
    pub fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }
}
