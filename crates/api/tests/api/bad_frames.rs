//! Bad input on every WebSocket of the table of routes: frames that are not what they should be,
//! clients that do not read, and many at once.

use futures_util::{SinkExt, StreamExt, future::join_all};
use podgate_api::{Route, Shape, routes};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{PATIENCE, Server, Socket, described, path_of, within};

const LOGS: &str = "/ws/clusters/sim/namespaces/default/pods/web/logs";

fn sockets() -> Vec<Route> {
    routes::table()
        .into_iter()
        .filter(|route| route.shape == Shape::WebSocket)
        .collect()
}

async fn start() -> Server {
    let server = Server::start().await;
    server.run_pod("default", "web", &["main"]).await;
    server
}

/// Returns a path of a route that stays open while nothing is sent.
fn quiet(route: &Route) -> String {
    let path = path_of(route);
    if path.ends_with("/exec") {
        format!("{path}?command=cat&tty=false")
    } else {
        path
    }
}

async fn unharmed(server: &Server) {
    assert_eq!(server.get("/healthz").await.text(), "ok\n");
    assert_eq!(server.get("/api/clusters/sim/pods?search=web").await.data()["total"], 1);
}

/// Waits until no stream is open but the watches, which were open before.
async fn nothing_left(server: &Server) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while server.sim.open_logs() + server.sim.open_execs() > 0 {
        assert!(
            tokio::time::Instant::now() < deadline,
            "streams to the cluster stay open"
        );
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// Returns the frame that starts a route's stream, and the type of its first answer: on a terminal
/// a ping, which needs no stream.
fn first(path: &str) -> (Value, &'static str) {
    if path.contains("/exec") {
        (json!({"type": "ping"}), "pong")
    } else if path.ends_with("/logs") {
        (json!({"type": "subscribe", "follow": true}), "subscribed")
    } else {
        (json!({"type": "subscribe"}), "snapshot")
    }
}

/// Checks that the connection still answers.
async fn alive(path: &str, socket: &mut Socket) {
    let (frame, answer) = first(path);
    socket.send(frame).await;
    socket.next_of(answer).await;
}

#[tokio::test]
async fn a_malformed_frame_is_reported_and_the_connection_stays() {
    let server = start().await;
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let texts = [
        "",
        " ",
        "nonsense",
        "{",
        "[]",
        "null",
        "1",
        "\"text\"",
        "{}",
        r#"{"type":1}"#,
        r#"{"type":null}"#,
        r#"{"type":"nonsense"}"#,
        r#"{"type":"SUBSCRIBE"}"#,
        r#"{"type":"subscribe","nonsense":1}"#,
        r#"{"type":"subscribe","follow":"yes"}"#,
        r#"{"type":"subscribe","tailLines":-1}"#,
        r#"{"type":"subscribe","tailLines":99999999999999999999999}"#,
        r#"{"type":"subscribe","sinceTime":"yesterday"}"#,
        r#"{"type":"subscribe","container":{"a":1}}"#,
        r#"{"type":"subscribe","containers":"main"}"#,
        r#"{"type":"input"}"#,
        r#"{"type":"input","data":1}"#,
        r#"{"type":"resize"}"#,
        r#"{"type":"resize","cols":0,"rows":24}"#,
        r#"{"type":"resize","cols":65536,"rows":24}"#,
        r#"{"type":"resize","cols":-1,"rows":24}"#,
        r#"{"type":"resize","cols":"80","rows":24}"#,
        r#"{"type":"resize","cols":80.5,"rows":24}"#,
        &deep,
    ];
    for route in sockets() {
        let path = quiet(&route);
        let mut socket = server.ws(&path).await;
        for text in texts {
            socket.send_text(text).await;
            let frame = socket.next_of("error").await;
            let code = frame["code"].as_u64().unwrap();
            assert!(
                matches!(code, 400_001 | 400_002),
                "{path}: {}: {frame}",
                &text[..text.len().min(60)]
            );
            assert!(frame["message"].as_str().unwrap().len() < 1000, "{frame}");
        }
        if !path.contains("/exec") {
            socket.send_binary(br#"{"type":"subscribe"}"#).await;
            assert_eq!(socket.next_of("error").await["code"], 400_002, "{path}");
        }
        alive(&path, &mut socket).await;
        socket.close().await;
    }
    unharmed(&server).await;
    nothing_left(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn text_that_is_not_utf_8_ends_the_connection() {
    use tokio_tungstenite::tungstenite::protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    };

    let server = start().await;
    for route in sockets() {
        let mut socket = server.ws(&quiet(&route)).await;
        let frame = Frame::message(b"{\"type\":\"\xff\xfe\"}".to_vec(), OpCode::Data(Data::Text), true);
        within(socket.stream.send(Message::Frame(frame))).await.unwrap();
        let (code, _) = socket.fails().await;
        assert_eq!(code, 400_002, "{}", route.path);
    }
    unharmed(&server).await;
    nothing_left(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn a_frame_of_10_mb_is_refused_and_closed_with_4413() {
    let server = start().await;
    for route in sockets() {
        for binary in [false, true] {
            let socket = server.ws(&quiet(&route)).await;
            let (mut sink, mut stream) = socket.stream.split();
            let huge = if binary {
                Message::binary(vec![b'x'; 10_000_000])
            } else {
                Message::text("x".repeat(10_000_000))
            };
            // The server does not read the frame to its end, so sending it may fail.
            let sending = tokio::spawn(async move { sink.send(huge).await.is_ok() });
            let mut told = None;
            let close = loop {
                match within(stream.next()).await {
                    Some(Ok(Message::Text(text))) => {
                        let frame: Value = serde_json::from_str(&text).unwrap();
                        described::received(&route, &frame);
                        told = Some(frame);
                    }
                    Some(Ok(Message::Close(close))) => break close.map(|close| u16::from(close.code)),
                    Some(Ok(_)) => {}
                    other => panic!("{}: {other:?}", route.path),
                }
            };
            assert_eq!(close, Some(4413), "{}", route.path);
            assert_eq!(told.unwrap()["code"], 413_001, "{}", route.path);
            drop(stream);
            let _ = within(sending).await;
        }
    }
    unharmed(&server).await;
    nothing_left(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_never_reads_harms_no_other() {
    let server = start().await;
    let line = [&[b'x'; 1000][..], b"\n"].concat();
    server.sim.write_log("default", "web", "main", &line.repeat(20_000));
    let mut idle = Vec::new();
    for route in sockets() {
        let path = path_of(&route);
        let path = if path.ends_with("/exec") {
            format!("{path}?command=yes&tty=false")
        } else {
            path
        };
        for _ in 0..3 {
            let mut socket = server.ws(&path).await;
            socket.send(first(&path).0).await;
            idle.push(socket);
        }
    }
    // Other connections still work.
    unharmed(&server).await;
    let mut reader = server.ws(LOGS).await;
    reader.send(json!({"type": "subscribe", "tailLines": 1})).await;
    reader.next_of("log").await;
    reader.close().await;
    drop(idle);
    nothing_left(&server).await;
    unharmed(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn two_hundred_at_once_all_work() {
    let server = start().await;
    server.sim.write_log("default", "web", "main", b"hello\n");
    for route in sockets() {
        let path = quiet(&route);
        let one = async || {
            let mut socket = server.ws(&path).await;
            alive(&path, &mut socket).await;
            socket
        };
        let open = join_all((0..200).map(|_| one())).await;
        unharmed(&server).await;
        join_all(open.into_iter().map(Socket::close)).await;
        nothing_left(&server).await;
    }
    server.stop().await;
}
