//! The listener and its connections.
//!
//! HTTP/1.1 only, over TCP or TLS, one task a connection. A connection that sends no head, or takes nothing of its answer, ends by a time
//! limit. There is a cap on connections, at which a new one takes the place of the one that has waited longest; and any connection can be
//! ended from outside, whatever it does.

mod accept;
mod connection;
mod connections;
mod files;
mod io;
mod order;
mod task;
mod tls;

use std::{net::SocketAddr, path::Path, time::Duration};

use axum::Router;
use ipnet::IpNet;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

pub use self::files::raise_limit;
pub(crate) use self::{connection::Connection, connections::Connections};
use crate::State;

/// Connections that wait in the system until they are accepted.
const BACKLOG: i32 = 1024;
/// Bytes of an answer that the system takes before the peer's window has room for them. Without this limit it takes up to 4 MB, and reports progress to us only
/// once a third of them is gone, for which a slow peer may need longer than [`Times::stall`].
#[cfg(target_os = "linux")]
const UNSENT: u32 = 128 << 10;
/// The most connections by default.
const MAX_TOTAL: usize = 16_384;
/// The limit on open files where the system knows none.
const ENDLESS_FILES: u64 = 1 << 20;

/// The caps and time limits of connections.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at once in all.
    pub total: usize,
    /// Connections at once from one address (of IPv6: from one /64).
    pub per_address: usize,
    /// Networks without a cap per address: those of trusted proxies.
    pub exempt: Vec<IpNet>,
    /// Bytes that incomplete heads and TLS handshakes over 8 KiB may take together.
    pub large_heads: usize,
    /// Time limits.
    pub times: Times,
}

/// The time limits of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// From the accept to the end of the first head, the TLS handshake included; and from the first byte of a later head to its end.
    pub head: Duration,
    /// From the end of an answer to the next request.
    pub idle: Duration,
    /// The longest that a peer may take nothing of what is written to it.
    pub stall: Duration,
    /// The longest that requests under way may take once the server stops.
    pub drain: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(20),
            // Longer than proxies and browsers keep their connections, so that they close them and not we: a request that crosses our close fails.
            idle: Duration::from_secs(330),
            stall: Duration::from_secs(120),
            drain: Duration::from_secs(10),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::for_files(None, None, None)
    }
}

impl Limits {
    /// Returns the limits for a process that may open so many files (`None`: as many as it likes). The connections are at most `total`, by default half the files,
    /// because a stream may take a second one upstream, and at most 16,384. From one address they are at most `per_address`, by default a quarter of the total.
    pub fn for_files(files: Option<u64>, total: Option<usize>, per_address: Option<usize>) -> Self {
        let half = usize::try_from(files.unwrap_or(ENDLESS_FILES) / 2).unwrap_or(usize::MAX);
        let total = total.unwrap_or_else(|| half.clamp(1, MAX_TOTAL));
        Self {
            total,
            per_address: per_address.unwrap_or((total / 4).max(1)),
            exempt: Vec::new(),
            large_heads: 32 << 20,
            times: Times::default(),
        }
    }
}

/// An open listener. What connects before [`Listening::serve`] waits.
pub struct Listening {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
}

impl std::fmt::Debug for Listening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listening")
            .field("address", &self.address)
            .field("tls", &self.tls.is_some())
            .finish_non_exhaustive()
    }
}

impl Listening {
    /// Listens on an address; with TLS if there are PEM files of a certificate chain and its key. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// A sentence that names the address or the files.
    pub fn open(address: SocketAddr, tls: Option<(&Path, &Path)>) -> Result<Self, String> {
        let tls = tls
            .map(|(certificates, key)| tls::acceptor(certificates, key))
            .transpose()?;
        let listener = listen(address).map_err(|error| format!("cannot listen on {address}: {error}"))?;
        let address = listener
            .local_addr()
            .map_err(|error| format!("cannot listen on {address}: {error}"))?;
        Ok(Self { listener, address, tls })
    }

    /// Returns the address, with the port that was chosen if it was 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves the router of [`crate::router`] until `stop` is cancelled, then takes no new connections, and waits for the requests under way as long as [`Times::drain`] allows. WebSockets
    /// go on: [`State::drained`] ends them.
    pub async fn serve(self, router: Router, state: &State, stop: CancellationToken) {
        let connections = state.connections().clone();
        accept::serve(self.listener, self.tls, router, connections, stop).await;
    }
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    use socket2::{Domain, Protocol, Socket, Type};
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // As std does: an address whose old connections have not timed out yet can be taken again.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    // Negotiated connections inherit this. A system without it does without.
    #[cfg(target_os = "linux")]
    if let Err(error) = socket.set_tcp_notsent_lowat(UNSENT) {
        tracing::debug!(%error, "the system does not bound what it takes of an answer before it is sent");
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

#[cfg(test)]
mod tests;
