//! Attacks that need no credential.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use super::{Attack, Held};
use crate::{Result, server::Server};

pub(super) const ATTACKS: &[Attack] = &[
    Attack {
        name: "30 HTTP/2 connections with window 0, 100 streams each, ask for the API description",
        files: None,
        tls: false,
        bound: "HTTP/1.1 only; one copy of the description",
        open: |server| Box::pin(windows(server)),
    },
    Attack {
        name: "300 silent connections under a limit of 256 files",
        files: Some(256),
        tls: false,
        bound: "20 s to the end of the first head; at the cap the one that has waited longest is closed",
        open: |server| Box::pin(silent(server, b"")),
    },
    Attack {
        name: "300 connections that send `P` under a limit of 256 files",
        files: Some(256),
        tls: false,
        bound: "as above",
        open: |server| Box::pin(silent(server, b"P")),
    },
    Attack {
        name: "300 connections that begin a TLS handshake and stop, under a limit of 256 files",
        files: Some(256),
        tls: true,
        bound: "as above; the handshake is within the same time",
        // The beginning of a record with a ClientHello of 512 bytes.
        open: |server| Box::pin(silent(server, &[22, 3, 1, 2, 0, 1])),
    },
    Attack {
        name: "1,000 heads of 90 kB without an end",
        files: None,
        tls: false,
        bound: "8 KiB each; 32 MiB for all larger ones together",
        open: |server| Box::pin(heads(server)),
    },
    Attack {
        name: "500 unread API descriptions",
        files: None,
        tls: false,
        bound: "one copy of the description; 2 minutes without progress",
        open: |server| Box::pin(unread(server)),
    },
    Attack {
        name: "300 log-ins from another address whose body does not come, under a limit of 256 files",
        files: Some(256),
        tls: false,
        bound: "30 s for a body; a quarter of the cap for one address",
        open: |server| Box::pin(bodies(server)),
    },
];

/// The addresses of a client that asks for `/healthz`, and of an attacker. On Linux all of
/// 127.0.0.0/8 is loopback.
const OWN: Ipv4Addr = Ipv4Addr::LOCALHOST;
const OTHER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Opens a connection with a small receive buffer.
pub(super) async fn connect(address: SocketAddr) -> Result<TcpStream> {
    connect_from(OWN, address).await
}

async fn connect_from(from: Ipv4Addr, address: SocketAddr) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(16 << 10)?;
    socket.bind((from, 0).into())?;
    Ok(timeout(Duration::from_secs(5), socket.connect(address)).await??)
}

/// Opens a number of connections, sends the same bytes on each and reads nothing. Connections that
/// the server has closed already count too.
async fn send_on(server: &Server, from: Ipv4Addr, count: usize, bytes: &[u8]) -> Result<Held> {
    let mut held = Held::default();
    for _ in 0..count {
        // Some attacks end only when the server takes no more.
        let Ok(mut stream) = connect_from(from, server.address).await else {
            break;
        };
        let _ = timeout(Duration::from_millis(500), stream.write_all(bytes)).await;
        held.connections.push(Box::new(stream));
    }
    Ok(held)
}

fn silent<'a>(server: &'a Server, bytes: &'static [u8]) -> BoxFuture<'a, Result<Held>> {
    Box::pin(send_on(server, OWN, 300, bytes))
}

async fn heads(server: &Server) -> Result<Held> {
    let mut head = b"GET / HTTP/1.1\r\nhost: localhost\r\nx-filler: ".to_vec();
    head.resize(90_000, b'x');
    send_on(server, OWN, 1_000, &head).await
}

async fn unread(server: &Server) -> Result<Held> {
    let request = b"GET /api/openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n";
    send_on(server, OWN, 500, request).await
}

async fn bodies(server: &Server) -> Result<Held> {
    let head = b"POST /api/auth/login HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    send_on(server, OTHER, 300, head).await
}

/// Speaks HTTP/2 by prior knowledge (RFC 9113): sends a window of 0, then as many requests as a
/// connection may have.
async fn windows(server: &Server) -> Result<Held> {
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    // SETTINGS_INITIAL_WINDOW_SIZE = 0.
    bytes.extend(frame(4, 0, 0, &[0, 4, 0, 0, 0, 0]));
    // HPACK (RFC 7541): `:method: GET`, `:scheme: http`, then `:authority` and `:path` as literals.
    let mut block = vec![0x82, 0x86];
    for (index, text) in [(1, "localhost"), (4, "/api/openapi.json")] {
        block.push(index);
        block.push(u8::try_from(text.len())?);
        block.extend(text.as_bytes());
    }
    for stream in (1..200).step_by(2) {
        // END_STREAM and END_HEADERS.
        bytes.extend(frame(1, 5, stream, &block));
    }
    // Done before the attack: later the server may be too busy to answer.
    let mut probe = connect(server.address).await?;
    let _ = probe.write_all(&bytes).await;
    let mut answer = [0; 9];
    let read = timeout(Duration::from_secs(2), probe.read_exact(&mut answer)).await;
    // The server's own SETTINGS.
    let spoken = matches!(read, Ok(Ok(_))) && answer[3] == 4;
    let mut held = send_on(server, OWN, 30, &bytes).await?;
    held.note = Some(
        if spoken {
            "HTTP/2 is spoken"
        } else {
            "HTTP/2 is refused"
        }
        .to_owned(),
    );
    Ok(held)
}

/// Returns a frame of HTTP/2 (RFC 9113, section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    // Shorter than 64 kB.
    let length = u32::try_from(payload.len()).unwrap_or(0).to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}
