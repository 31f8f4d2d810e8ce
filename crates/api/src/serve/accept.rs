//! The accept loop.

use std::{io, net::SocketAddr};

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Connections, io::Io, task};

/// Accepts and serves connections until `stop` is cancelled, then drains.
pub(super) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    connections: Connections,
    stop: CancellationToken,
) {
    let tasks = TaskTracker::new();
    let times = connections.limits().times;
    let accepting = async {
        loop {
            let Some((stream, peer)) = accept(&listener, &connections).await else {
                continue;
            };
            let Some(place) = connections.enter(peer).await else {
                continue;
            };
            // Each part of an answer is sent at once.
            let _ = stream.set_nodelay(true);
            let io = Io::new(stream, place, times.stall);
            tasks.spawn(task::run(io, tls.clone(), peer, router.clone(), times));
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = accepting => {}
    }
    drop(listener);
    connections.drain();
    tasks.close();
    if tokio::time::timeout(times.drain, tasks.wait()).await.is_err() {
        tracing::warn!(
            count = tasks.len(),
            "closed the connections of requests that did not end in time"
        );
        connections.stop();
        tasks.wait().await;
    }
}

/// Accepts the next connection. Returns `None` if that failed, after a wait if the cause was not
/// the connection itself.
async fn accept(listener: &TcpListener, connections: &Connections) -> Option<(TcpStream, SocketAddr)> {
    match listener.accept().await {
        Ok(accepted) => Some(accepted),
        Err(error) => {
            if !is_of_connection(&error) {
                connections.make_room(&error).await;
            }
            None
        }
    }
}

/// Returns whether an error means that the peer closed its connection before it was accepted
/// (accept(2)).
fn is_of_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset
    )
}
