//! Events that end connections, and events that do not. Their caps and time limits are tested
//! next to `serve`.

use std::time::Duration;

use podgate_api::{Options, State, serve};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
    net::TcpStream,
};

use crate::{
    pods_list::enormous,
    support::{PASSWORD, PATIENCE, Server, Setup, within},
};

const LOGS: &str = "/api/clusters/sim/namespaces/default/pods/web/logs";
const LIST: &str = "/api/clusters/sim/pods?search=large";
const DETAIL: &str = "/api/clusters/sim/namespaces/default/pods/large-0";
const STREAM: &str = "/ws/clusters/sim/namespaces/default/pods/web/logs";
const TERMINAL: &str = "/ws/clusters/sim/namespaces/default/pods/web/exec?command=cat&tty=false";

/// Opens a connection whose client buffers little more than it reads.
async fn connect(server: &Server) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    within(socket.connect(server.address)).await.unwrap()
}

async fn send(stream: &mut TcpStream, path: &str, token: &str, headers: &str) {
    let head = format!("GET {path} HTTP/1.1\r\nhost: podgate\r\nauthorization: Bearer {token}\r\n{headers}\r\n");
    within(stream.write_all(head.as_bytes())).await.unwrap();
}

/// Reads the begin of an answer; its status.
async fn status(stream: &mut TcpStream) -> String {
    let mut begin = [0; 12];
    within(stream.read_exact(&mut begin)).await.unwrap();
    String::from_utf8_lossy(&begin[9..]).into_owned()
}

/// Requests, by path and `Accept`, whose answers are larger than the buffers of a socket.
const LARGE: [(&str, &str); 5] = [
    (LOGS, "accept: text/plain\r\n"),
    (LOGS, "accept: application/json\r\n"),
    (LIST, ""),
    (DETAIL, ""),
    (DETAIL, "accept: application/yaml\r\n"),
];

/// Starts a server that has the answers of [`LARGE`] and closes the connection of a client that
/// reads nothing for `stall`.
async fn with_large_answers(stall: Duration) -> Server {
    let mut connections = serve::Limits::default();
    connections.times.stall = stall;
    let api = Options {
        connections,
        ..Options::default()
    };
    let server = Server::with(Setup {
        api,
        ..Setup::default()
    })
    .await;
    server.run_pod("default", "web", &["main"]).await;
    for _ in 0..9 {
        let lines = b"0123456789abcde\n".repeat(1 << 16);
        server.sim.write_log("default", "web", "main", &lines);
    }
    for number in 0..15 {
        let mut pod = enormous("default", &format!("large-{number}"));
        if number == 0 {
            pod["metadata"]["annotations"] = json!({"note": "x".repeat(4 << 20)});
        }
        server.sim.put(pod);
    }
    server
        .until("/api/clusters/sim/pods?search=large&pageSize=1", |answer| {
            answer.status == 200 && answer.json()["data"]["total"] == 15
        })
        .await;
    server
}

/// Asks for each answer of [`LARGE`] and reads only its status.
async fn ask_without_reading(server: &Server, token: &str) -> Vec<TcpStream> {
    let mut unread = Vec::new();
    for (path, headers) in LARGE {
        let mut stream = connect(server).await;
        send(&mut stream, path, token, headers).await;
        assert_eq!(status(&mut stream).await, "200", "{path} {headers}");
        unread.push(stream);
    }
    unread
}

/// Waits until a gauge of `/metrics` has a wanted value, and returns it.
async fn gauge(server: &Server, name: &str, wanted: impl Fn(usize) -> bool) -> usize {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let text = server.request("GET", "/metrics", None, None).await.text();
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        let value = value.unwrap_or_else(|| panic!("{name} is not in\n{text}"));
        if wanted(value) {
            return value;
        }
        assert!(tokio::time::Instant::now() < deadline, "{name} stayed {value}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until no log of the cluster is being read.
async fn no_log_is_read(server: &Server) {
    let closed = async {
        while server.sim.open_logs() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    within(closed).await;
}

#[tokio::test]
async fn a_log_out_ends_each_connection_with_an_answer_under_way_though_nobody_reads() {
    let server = with_large_answers(serve::Times::default().stall).await;
    let token = server.login("admin", PASSWORD).await;
    let before = gauge(&server, "podgate_connections ", |_| true).await;
    let unread = ask_without_reading(&server, &token).await;
    let authorization = format!("Bearer {token}");
    let mut socket = server
        .ws_with(STREAM, &[("authorization", &authorization)])
        .await
        .unwrap();
    socket.send(json!({"type": "subscribe"})).await;
    socket.next_of("subscribed").await;
    gauge(&server, "podgate_connections ", |open| open == before + 1 + LARGE.len()).await;
    let answer = server.request("POST", "/api/auth/logout", Some(&token), None).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    gauge(&server, "podgate_connections ", |open| open <= before).await;
    gauge(&server, "podgate_websockets ", |open| open == 0).await;
    no_log_is_read(&server).await;
    drop((unread, socket));
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_reads_nothing_of_a_log_a_list_or_a_detail_is_given_up() {
    let server = with_large_answers(Duration::from_secs(1)).await;
    let before = gauge(&server, "podgate_connections ", |_| true).await;
    let unread = ask_without_reading(&server, &server.token).await;
    gauge(&server, "podgate_connections ", |open| open <= before).await;
    no_log_is_read(&server).await;
    drop(unread);
    server.stop().await;
}

#[tokio::test]
async fn removing_a_cluster_ends_an_unread_log_with_the_reason() {
    for replaced in [false, true] {
        let server = with_large_answers(serve::Times::default().stall).await;
        let mut socket = server.ws(STREAM).await;
        socket.send(json!({"type": "subscribe"})).await;
        socket.next_of("subscribed").await;
        let cluster = server.registry.all().remove(0);
        if replaced {
            server.add(&server.sim, cluster.id().0);
        } else {
            server.registry.remove(cluster.id()).await;
        }
        let (code, message) = socket.fails().await;
        let word = if replaced { "replaced" } else { "removed" };
        assert!(code == 502_001 && message.contains(word), "{code} {message}");
        no_log_is_read(&server).await;
        server.stop().await;
    }
}

#[tokio::test]
async fn an_idle_connection_outlives_a_session_that_used_it() {
    let server = Server::start().await;
    let token = server.login("admin", PASSWORD).await;
    let mut stream = connect(&server).await;
    send(&mut stream, "/api/auth/me", &token, "").await;
    let mut answer = Vec::new();
    while !answer.ends_with(b"}}") {
        answer.push(within(stream.read_u8()).await.unwrap());
    }
    let answer = server.request("POST", "/api/auth/logout", Some(&token), None).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    send(&mut stream, "/api/clusters", &token, "").await;
    assert_eq!(status(&mut stream).await, "401");
    server.stop().await;
}

#[tokio::test]
async fn http_2_is_not_spoken() {
    let server = Server::start().await;
    let mut stream = connect(&server).await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    within(stream.write_all(preface)).await.unwrap();
    let mut answer = Vec::new();
    let _ = within(stream.read_to_end(&mut answer)).await;
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{answer:?}");
    server.stop().await;
}

#[tokio::test]
async fn before_a_shutdown_only_readiness_changes() {
    let server = Server::start().await;
    server.run_pod("default", "web", &["main"]).await;
    assert_eq!(server.request("GET", "/readyz", None, None).await.status, 200);
    let mut terminal = server.ws(TERMINAL).await;
    State::leave(&server.state);
    let answer = server.request("GET", "/readyz", None, None).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["ready"], false);
    assert_eq!(server.get("/api/clusters/sim/pods").await.status, 200);
    terminal.send(json!({"type": "ping"})).await;
    terminal.next_of("pong").await;
    server.ws(STREAM).await.close().await;
    server.stop().await;
}

#[tokio::test]
async fn terminals_close_last() {
    let server = Server::start().await;
    server.run_pod("default", "web", &["main"]).await;
    let mut stream = server.ws(STREAM).await;
    let mut live = server.ws("/ws/pods").await;
    let mut terminal = server.ws(TERMINAL).await;
    server.begin_shutdown();
    assert_eq!(stream.rest().await.1, 1001);
    assert_eq!(live.rest().await.1, 1001);
    terminal.send(json!({"type": "ping"})).await;
    terminal.next_of("pong").await;
    let (drained, (_, close)) = within(async { tokio::join!(server.state.drained(), terminal.rest()) }).await;
    assert_eq!((drained, close), ((), 1001));
    server.stop().await;
}
