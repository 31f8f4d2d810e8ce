//! The opening and closing of WebSockets of any kind, tested on the log stream.

use podgate_api::{Options, WebSocketLimits};
use serde_json::json;

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use crate::support::{PASSWORD, Server, Setup, send, within};

const LOGS: &str = "/ws/clusters/sim/namespaces/default/pods/web/logs";

async fn server(limits: WebSocketLimits) -> Server {
    let server = Server::with(Setup {
        api: Options {
            websockets: limits,
            ..Options::default()
        },
        ..Setup::default()
    })
    .await;
    server.run_pod("default", "web", &["main"]).await;
    server
}

#[tokio::test]
async fn a_missing_credential_or_a_foreign_origin_is_refused_before_the_upgrade() {
    let server = server(WebSocketLimits::default()).await;
    let bearer = format!("Bearer {}", server.token);
    let cookie = format!("podgate_session={}", server.token);
    let own = server.url("");
    for (headers, code) in [
        (&[][..], 401_003),
        (&[("origin", own.as_str())], 401_003),
        (&[("authorization", "Bearer nonsense")], 401_003),
        (
            &[("authorization", bearer.as_str()), ("origin", "https://evil.example")],
            403_002,
        ),
        (&[("authorization", bearer.as_str()), ("origin", "null")], 403_002),
        (
            &[("cookie", cookie.as_str()), ("origin", "https://evil.example")],
            403_002,
        ),
        (&[("cookie", cookie.as_str())], 403_002),
    ] {
        server.ws_with(LOGS, headers).await.unwrap_err().fails(code);
    }
    for headers in [
        &[("authorization", bearer.as_str())][..],
        &[("authorization", bearer.as_str()), ("origin", own.as_str())],
        &[("cookie", cookie.as_str()), ("origin", own.as_str())],
    ] {
        server.ws_with(LOGS, headers).await.unwrap().close().await;
    }
    server.stop().await;
}

#[tokio::test]
async fn errors_after_the_upgrade_are_frames() {
    let server = server(WebSocketLimits::default()).await;
    for (path, code) in [
        ("/ws/clusters/nowhere/namespaces/default/pods/web/logs", 404_002),
        ("/ws/clusters/sim/namespaces/default/pods/..%2Fweb/logs", 404_001),
        ("/ws/clusters/sim/namespaces/default/pods/web/logs?nonsense=1", 400_001),
        ("/ws/clusters/sim/namespaces/default/pods/web/exec?tty=yes", 400_001),
        ("/ws/clusters/sim/namespaces/default/pods/nothing/exec", 404_001),
    ] {
        let (found, message) = server.ws(path).await.fails().await;
        assert_eq!(found, code, "{path}: {message}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_plain_request_to_a_websocket_is_400001() {
    let server = server(WebSocketLimits::default()).await;
    let message = server.get(LOGS).await.fails(400_001);
    assert!(message.contains("WebSocket"), "{message}");
    let old = server
        .build("GET", LOGS)
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "8")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    send(old).await.fails(400_001);
    server.stop().await;
}

#[tokio::test]
async fn a_ticket_opens_one_websocket_of_its_path_and_query() {
    let server = server(WebSocketLimits::default()).await;
    let exec = "/ws/clusters/sim/namespaces/default/pods/web/exec?container=main&tty=false";
    let ticket = |path: &'static str| {
        let server = &server;
        async move {
            let data = server.post("/api/ws-tickets", json!({"path": path})).await.data();
            assert!(data["expire"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
            data["ticket"].as_str().unwrap().to_owned()
        }
    };
    let first = ticket(LOGS).await;
    server
        .ws_with(&format!("{LOGS}?ticket={first}"), &[])
        .await
        .unwrap()
        .close()
        .await;
    server
        .ws_with(&format!("{LOGS}?ticket={first}"), &[])
        .await
        .unwrap_err()
        .fails(401_003);

    let other = ticket(LOGS).await;
    server
        .ws_with(&format!("{exec}&ticket={other}"), &[])
        .await
        .unwrap_err()
        .fails(401_003);

    let with_query = ticket(exec).await;
    server
        .ws_with(&format!("{exec}&ticket={with_query}"), &[])
        .await
        .unwrap()
        .close()
        .await;

    let revoked = ticket(LOGS).await;
    server.post("/api/auth/logout", json!({})).await;
    server
        .ws_with(&format!("{LOGS}?ticket={revoked}"), &[])
        .await
        .unwrap_err()
        .fails(401_003);
    server.stop().await;
}

#[tokio::test]
async fn a_log_out_closes_the_sessions_sockets_with_4401_and_no_others() {
    let server = server(WebSocketLimits::default()).await;
    let other = server.login("admin", PASSWORD).await;
    let mut mine = server.ws(LOGS).await;
    let authorization = format!("Bearer {other}");
    let mut theirs = server
        .ws_with(LOGS, &[("authorization", &authorization)])
        .await
        .unwrap();
    theirs.send(json!({"type": "subscribe", "follow": true})).await;
    theirs.next_of("subscribed").await;
    assert_eq!(server.post("/api/auth/logout", json!({})).await.status, 200);
    let (frames, close) = mine.rest().await;
    assert_eq!(close, 4401, "{frames:?}");
    assert_eq!(frames.last().unwrap()["code"], 401_002);
    server.sim.write_log("default", "web", "main", b"still here\n");
    assert!(
        theirs.next_of("log").await["data"]
            .as_str()
            .unwrap()
            .ends_with("still here")
    );
    theirs.close().await;
    server.stop().await;
}

#[tokio::test]
async fn a_shutdown_closes_every_socket_with_1001() {
    let server = server(WebSocketLimits::default()).await;
    let mut sockets = vec![server.ws(LOGS).await, server.ws(LOGS).await];
    server.begin_shutdown();
    for socket in &mut sockets {
        assert_eq!(socket.rest().await.1, 1001);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_clients_close_is_answered() {
    let server = server(WebSocketLimits::default()).await;
    for path in [
        LOGS,
        "/ws/clusters/sim/namespaces/default/pods/web/exec?command=cat&tty=false",
    ] {
        let mut socket = server.ws(path).await;
        let close = CloseFrame {
            code: CloseCode::Normal,
            reason: "".into(),
        };
        within(socket.stream.close(Some(close))).await.unwrap();
        let (frames, code) = socket.rest().await;
        assert!(frames.is_empty() && code == 1000, "{path}: {frames:?} {code}");
        assert!(within(socket.stream.next()).await.is_none(), "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn there_are_caps_on_open_websockets_and_places_come_back() {
    let server = server(WebSocketLimits {
        total: 3,
        per_session: 2,
        ..WebSocketLimits::default()
    })
    .await;
    let first = server.ws(LOGS).await;
    let second = server.ws(LOGS).await;
    let (code, message) = server.ws(LOGS).await.fails().await;
    assert_eq!(code, 429_001);
    assert!(message.contains("this session has 2"), "{message}");
    first.close().await;
    second.close().await;
    let third = server.ws(LOGS).await;
    third.close().await;
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_answers_no_ping_is_given_up() {
    let server = server(WebSocketLimits {
        ping_every: std::time::Duration::from_millis(50),
        // Long enough for one that answers late on a busy machine.
        gone_after: std::time::Duration::from_secs(3),
        ..WebSocketLimits::default()
    })
    .await;
    // Not polled, it does not answer.
    let silent = server.ws(LOGS).await;
    let answering = server.ws(LOGS).await;
    let reader = tokio::spawn(async move {
        let mut answering = answering;
        answering.send(json!({"type": "subscribe", "follow": true})).await;
        answering.next_of("log").await
    });
    let open = |text: String, count: usize| text.contains(&format!("podgate_websockets {count}\n"));
    let deadline = tokio::time::Instant::now() + crate::support::PATIENCE;
    while !open(server.request("GET", "/metrics", None, None).await.text(), 1) {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    server.sim.write_log("default", "web", "main", b"for the living\n");
    assert!(
        reader.await.unwrap()["data"]
            .as_str()
            .unwrap()
            .ends_with("for the living")
    );
    drop(silent);
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_pings_and_does_not_read_is_not_read_either() {
    let server = server(WebSocketLimits::default()).await;
    for path in [
        LOGS,
        "/ws/clusters/sim/namespaces/default/pods/web/exec?command=cat&tty=false",
    ] {
        let mut socket = server.ws(path).await;
        let pings = async {
            loop {
                let ping = Message::Ping(vec![b'x'; 125].into());
                socket.stream.feed(ping).await.unwrap();
            }
        };
        // The pipe is full once the server reads no more. A server that kept the answers would read
        // for ever.
        assert!(
            tokio::time::timeout(std::time::Duration::from_secs(5), pings)
                .await
                .is_err()
        );
        let mut sent = 0_u64;
        let blocked = async {
            loop {
                let ping = Message::Ping(vec![b'x'; 125].into());
                socket.stream.send(ping).await.unwrap();
                sent += 1;
            }
        };
        assert!(
            tokio::time::timeout(std::time::Duration::from_secs(1), blocked)
                .await
                .is_err()
        );
        assert_eq!(sent, 0, "{path}: the server still reads");
        drop(socket);
    }
    server.stop().await;
}
