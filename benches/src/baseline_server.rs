//! The upper limit of lists: 8 kB that never change, served by axum in a process of its own.

use std::{
    net::{Ipv4Addr, SocketAddr},
    process::Stdio,
};

use axum::{Router, routing::get, serve::ListenerExt};
use bytes::Bytes;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
};

use crate::Result;

/// The argument with which this program is that server.
pub(crate) const FLAG: &str = "--serve-fixed";
/// Bytes of the answer.
const SIZE: usize = 8 * 1024;

/// The server's process. Killed when dropped.
pub(crate) struct Fixed {
    pub(crate) address: SocketAddr,
    _child: Child,
}

impl Fixed {
    pub(crate) async fn start() -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(FLAG)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().ok_or("no standard output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).await?;
        Ok(Self {
            address: line.trim().parse()?,
            _child: child,
        })
    }
}

/// Prints its address, then serves until it is killed.
pub(crate) async fn serve() -> Result<()> {
    let body = Bytes::from(vec![b'x'; SIZE]);
    let app = Router::new().route("/", get(move || std::future::ready(body.clone())));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| {
        // If this fails, the figures are only worse.
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, app).await?)
}
