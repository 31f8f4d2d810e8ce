//! Attacks of a user, with or without a hostile cluster.

use std::time::Duration;

use bytes::Bytes;
use futures_util::SinkExt;
use http::Request;
use http_body_util::Full;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use super::{
    Attack, Held,
    hostile::{CLUSTER, FLOODING, MANY, PINGING},
    strangers::connect,
};
use crate::{Result, http1::Connection, server::Server};

/// How long an attack that writes takes.
const WRITING: Duration = Duration::from_secs(3);

pub(super) const ATTACKS: &[Attack] = &[
    Attack {
        name: "100 unread plain logs, then a log-out",
        files: None,
        tls: false,
        bound: "the log-out ends them; 2 minutes without progress",
        open: |server| Box::pin(logged_out(server)),
    },
    Attack {
        name: "4 WebSockets send pings for 3 s and read nothing",
        files: None,
        tls: false,
        bound: "stops reading from a peer that takes no pongs",
        open: |server| Box::pin(pings(server)),
    },
    Attack {
        name: "4 terminals whose API server sends pings and reads nothing",
        files: None,
        tls: false,
        bound: "as above",
        open: |server| Box::pin(sockets(server, PINGING, "exec", None, 4)),
    },
    Attack {
        name: "8 unread terminals whose process floods",
        files: None,
        tls: false,
        bound: "2 MiB each",
        open: |server| Box::pin(sockets(server, FLOODING, "exec", None, 8)),
    },
    Attack {
        name: "8 unread log streams of a line without an end",
        files: None,
        tls: false,
        bound: "1 MiB each, and 128 KiB for each container",
        open: |server| {
            Box::pin(sockets(
                server,
                FLOODING,
                "logs",
                Some(r#"{"type":"subscribe","follow":true}"#),
                8,
            ))
        },
    },
    Attack {
        name: "a log stream of all 900 containers of a pod",
        files: None,
        tls: false,
        bound: "64 containers a stream",
        open: |server| {
            let subscribe = r#"{"type":"subscribe","containers":["*"],"follow":true}"#;
            Box::pin(sockets(server, MANY, "logs", Some(subscribe), 1))
        },
    },
];

/// Opens a WebSocket of a pod.
async fn socket(server: &Server, path: &str) -> Result<WebSocketStream<TcpStream>> {
    let stream = connect(server.address).await?;
    let mut request = format!("ws://{}{path}", server.address).into_client_request()?;
    let token = format!("Bearer {}", server.token).parse()?;
    request.headers_mut().insert(http::header::AUTHORIZATION, token);
    Ok(client_async(request, stream).await?.0)
}

/// Opens a number of WebSockets, sends a frame on each, and reads nothing.
async fn sockets(server: &Server, pod: &str, kind: &str, frame: Option<&'static str>, count: usize) -> Result<Held> {
    let files = server.open_files()?;
    let mut held = Held::default();
    let path = format!("/ws/clusters/{CLUSTER}/namespaces/default/pods/{pod}/{kind}");
    for _ in 0..count {
        let mut socket = socket(server, &path).await?;
        if let Some(frame) = frame {
            socket.send(Message::text(frame)).await?;
        }
        held.connections.push(Box::new(socket));
    }
    sleep(WRITING).await;
    let opened = server.open_files()?.saturating_sub(files);
    held.note = Some(format!("{opened} sockets"));
    Ok(held)
}

/// Writes pings as fast as the server takes them. A mask of zeros leaves the payload as it is (RFC
/// 6455, section 5.3).
async fn pings(server: &Server) -> Result<Held> {
    let mut ping = vec![0x89, 0x80 | 125, 0, 0, 0, 0];
    ping.resize(6 + 125, b'x');
    let pings = ping.repeat(500);
    let mut writers = JoinSet::new();
    for _ in 0..4 {
        let mut socket = socket(server, "/ws/pods").await?;
        let pings = pings.clone();
        writers.spawn(async move {
            let writing = async { while socket.get_mut().write_all(&pings).await.is_ok() {} };
            let _ = timeout(WRITING, writing).await;
            socket
        });
    }
    let mut held = Held::default();
    while let Some(socket) = writers.join_next().await {
        held.connections.push(Box::new(socket?));
    }
    Ok(held)
}

/// Begins to read logs, stops reading, and logs out.
async fn logged_out(server: &Server) -> Result<Held> {
    const COUNT: usize = 100;
    let token = server.session().await?;
    let before = server.open_files()?;
    let mut held = Held::default();
    for _ in 0..COUNT {
        let mut stream = connect(server.address).await?;
        let head = format!(
            "GET /api/clusters/{CLUSTER}/namespaces/default/pods/{FLOODING}/logs HTTP/1.1\r\nhost: localhost\r\naccept: text/plain\r\n\
             authorization: Bearer {token}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await?;
        let mut begin = [0; 12];
        timeout(Duration::from_secs(5), stream.read_exact(&mut begin)).await??;
        held.connections.push(Box::new(stream));
    }
    let mut connection = Connection::open(server.address, &token).await?;
    let logout = Request::post("/api/auth/logout").body(Full::<Bytes>::default())?;
    connection.call(logout).await?.successful("the log-out")?;
    sleep(WRITING).await;
    let left = server.open_files()?.saturating_sub(before);
    held.note = Some(format!("{left} sockets left after the log-out"));
    Ok(held)
}
