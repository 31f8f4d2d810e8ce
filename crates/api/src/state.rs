//! The state that all handlers share.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use podgate_access::{Gate, Sessions, tickets::Tickets};
use podgate_cluster::MemoryBudget;
use tokio_util::sync::CancellationToken;

use crate::{
    http::{etag::Tags, host::Hosts},
    metrics::Metrics,
    options::Options,
    page_files::Page,
    pods::{answers, live::Hub, memory::StreamMemory, shares::Shares, tail},
    route::RouteTable,
    serve, ws,
};

/// The most bytes that request bodies over 16 KiB may take together until they are parsed.
const BODY_MEMORY: usize = 64 << 20;

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
    sockets: ws::SocketLimiter,
    downloads: ws::StreamLimiter,
    body_memory: MemoryBudget,
    answers: Shares,
    json_logs: Shares,
    stream_memory: StreamMemory,
    metrics: Metrics,
    tags: Tags,
    live: Hub,
    start_page: OnceLock<Bytes>,
    openapi: OnceLock<Bytes>,
    routes: OnceLock<RouteTable>,
}

impl State {
    /// Builds the state from its parts. Cancelling `shutdown` closes every WebSocket except
    /// terminals with 1001. Must be called within a tokio runtime.
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
                sockets: ws::SocketLimiter::new(&options.websockets),
                downloads: ws::StreamLimiter::new("log downloads", &options.websockets),
                body_memory: MemoryBudget::new(BODY_MEMORY),
                answers: Shares::new(options.answers, answers::MOST),
                json_logs: Shares::new(options.json_logs, tail::MEMORY),
                stream_memory: StreamMemory::new(options.stream_memory),
                metrics: Metrics::new(),
                tags: Tags::default(),
                live,
                start_page: OnceLock::new(),
                openapi: OnceLock::new(),
                routes: OnceLock::new(),
                hosts: Hosts::of(&options),
                options,
                shutdown,
            }),
        }
    }

    /// Makes `/readyz` answer 503 from now on. All other routes keep working.
    pub fn leave(&self) {
        self.inner.leaving.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.inner.leaving.load(Ordering::Relaxed)
    }

    /// Waits until every other WebSocket is closed, then closes the terminals with 1001 and waits
    /// for them.
    ///
    /// Call it with a time limit, after `shutdown` was cancelled and the server takes no new
    /// connections.
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

    /// Returns the web page; `None` if the UI was not built.
    pub(crate) fn page(&self) -> Option<&Page> {
        self.inner.options.page.as_ref()
    }

    pub(crate) fn hosts(&self) -> &Hosts {
        &self.inner.hosts
    }

    /// Returns the token that is cancelled when the server shuts down. It ends endless HTTP
    /// answers.
    pub fn shutdown(&self) -> &CancellationToken {
        &self.inner.shutdown
    }

    pub(crate) fn connections(&self) -> &serve::Connections {
        &self.inner.connections
    }

    pub(crate) fn sockets(&self) -> &ws::SocketLimiter {
        &self.inner.sockets
    }

    /// Returns the limiter of logs that are sent as plain text.
    pub(crate) fn downloads(&self) -> &ws::StreamLimiter {
        &self.inner.downloads
    }

    /// Returns the memory budget of large request bodies.
    pub(crate) fn body_memory(&self) -> &MemoryBudget {
        &self.inner.body_memory
    }

    /// Returns the memory budget of large answers that are being sent.
    pub(crate) fn answers(&self) -> &Shares {
        &self.inner.answers
    }

    /// Returns the memory budget of logs in JSON.
    pub(crate) fn json_logs(&self) -> &Shares {
        &self.inner.json_logs
    }

    /// Returns the memory budget of all other streams.
    pub(crate) fn stream_memory(&self) -> &StreamMemory {
        &self.inner.stream_memory
    }

    /// Returns the start page, which the first call builds.
    pub(crate) fn start_page(&self, write: impl FnOnce() -> Bytes) -> Bytes {
        self.inner.start_page.get_or_init(write).clone()
    }

    /// Returns the OpenAPI document, which the first call builds.
    pub(crate) fn openapi(&self, write: impl FnOnce() -> Bytes) -> Bytes {
        self.inner.openapi.get_or_init(write).clone()
    }

    /// Sets the table of routes. Only the first call counts.
    pub(crate) fn set_routes(&self, routes: impl FnOnce() -> RouteTable) {
        self.inner.routes.get_or_init(routes);
    }

    /// Returns the table of routes; it is empty until a router was built for this state.
    pub(crate) fn routes(&self) -> &RouteTable {
        self.inner.routes.get_or_init(RouteTable::default)
    }

    pub(crate) fn live(&self) -> &Hub {
        &self.inner.live
    }

    pub(crate) fn tags(&self) -> &Tags {
        &self.inner.tags
    }

    /// Returns the metrics of the process.
    pub fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }
}
