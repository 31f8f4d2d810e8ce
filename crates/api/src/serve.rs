//! The listener and its connections.
//!
//! HTTP/1.1 only, over TCP or TLS, one task a connection. A connection that sends no head, or takes
//! nothing of its answer, ends by a time limit. There is a cap on connections, at which a new one
//! takes the place of the one that has waited longest; and any connection can be ended from
//! outside, whatever it does.

mod accept;
mod connection;
mod connections;
mod files;
mod io;
mod limits;
mod order;
mod task;
mod tls;

use std::{net::SocketAddr, path::Path};

use axum::Router;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

pub(crate) use self::{connection::Connection, connections::Connections};
pub use self::{
    files::raise_limit,
    limits::{Limits, Times},
};
use crate::State;

/// Connections that wait in the system until they are accepted.
const BACKLOG: i32 = 1024;
/// Bytes of an answer that the system takes before the peer's window has room for them. Without
/// this limit it takes up to 4 MB, and reports progress to us only once a third of them is gone,
/// for which a slow peer may need longer than [`Times::stall`].
#[cfg(target_os = "linux")]
const UNSENT: u32 = 128 << 10;
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
    /// Listens on an address; with TLS if there are PEM files of a certificate chain and its key.
    /// Must be called within a tokio runtime.
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

    /// Serves the router of [`crate::router`] until `stop` is cancelled, then takes no new
    /// connections, and waits for the requests under way as long as [`Times::drain`] allows.
    /// WebSockets go on: [`State::drained`] ends them.
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
