//! The listener and its connections.
//!
//! It speaks HTTP/1.1 only, over TCP or TLS, with one task per connection. A connection that sends
//! no head, or whose peer does not read the answer, ends by a time limit. At the cap on
//! connections, a new one takes the place of the one that has waited longest. Any connection can be
//! ended from outside, whatever it is doing.

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

/// The most connections that wait in the kernel until they are accepted.
const BACKLOG: i32 = 1024;
/// The most unsent bytes of an answer that the kernel buffers (`TCP_NOTSENT_LOWAT`).
///
/// Without this limit it buffers up to 4 MB and reports progress only once a third of them is gone,
/// for which a slow peer may need longer than [`Times::stall`].
#[cfg(target_os = "linux")]
const UNSENT: u32 = 128 << 10;
/// An open listener. Connections wait in the kernel until [`Listening::serve`] is called.
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
    /// Listens on an address, with TLS if PEM files of a certificate chain and its key are given.
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

    /// Returns the address, with the port that the system chose if it was 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves the router of [`crate::router`] until `stop` is cancelled.
    ///
    /// Then it takes no new connections, and waits up to [`Times::drain`] for the requests under
    /// way. WebSockets stay open until [`State::drained`] ends them.
    pub async fn serve(self, router: Router, state: &State, stop: CancellationToken) {
        let connections = state.connections().clone();
        accept::serve(self.listener, self.tls, router, connections, stop).await;
    }
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    use socket2::{Domain, Protocol, Socket, Type};
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // As std does, so that an address can be reused before its old connections have timed out.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    // Accepted connections inherit this. On a system without the option there is no limit.
    #[cfg(target_os = "linux")]
    if let Err(error) = socket.set_tcp_notsent_lowat(UNSENT) {
        tracing::debug!(%error, "the system can't limit the unsent bytes that it buffers");
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

#[cfg(test)]
mod tests;
