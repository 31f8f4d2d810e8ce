//! `WS …/pods/{name}/exec`.

use std::time::Duration;

use podgate_api::{Options, WebSocketLimits};
use serde_json::{Value, json};

use crate::support::{PASSWORD, PATIENCE, Server, Setup, Socket};

const PATH: &str = "/ws/clusters/sim/namespaces/shop/pods/web/exec";

/// Starts a server with pod `shop/web` and its container `nginx`.
async fn server() -> Server {
    let server = Server::start().await;
    server.run_pod("shop", "web", &["nginx"]).await;
    server
}

async fn exec(server: &Server, query: &str) -> Socket {
    server.ws(&format!("{PATH}?{query}")).await
}

fn input(text: &str) -> Value {
    json!({"type": "input", "data": text})
}

/// Reads until the output so far holds a text.
async fn output_with(socket: &mut Socket, wanted: &str) -> String {
    let mut text = String::new();
    while !text.contains(wanted) {
        let frame = socket.next().await;
        assert_eq!(frame["type"], "output", "{frame} after {text:?}");
        text.push_str(frame["data"].as_str().unwrap());
    }
    text
}

/// Returns the output and the exit code of a command that ends by itself.
async fn rest(socket: &mut Socket) -> (String, String, i64) {
    let (mut frames, close) = socket.rest().await;
    assert_eq!(close, 1000, "{frames:?}");
    let exit = frames.pop().unwrap();
    assert_eq!(exit["type"], "exit", "{exit}");
    let (mut stdout, mut stderr) = (String::new(), String::new());
    for frame in frames {
        assert_eq!(frame["type"], "output", "{frame}");
        let stream = if frame["stream"] == "stderr" {
            &mut stderr
        } else {
            &mut stdout
        };
        stream.push_str(frame["data"].as_str().unwrap());
    }
    (stdout, stderr, exit["code"].as_i64().unwrap())
}

async fn until_gone(server: &Server) {
    let gone = async {
        while server.sim.open_execs() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(
        tokio::time::timeout(PATIENCE, gone).await.is_ok(),
        "the command is still there"
    );
}

#[tokio::test]
async fn a_shell_takes_input_and_sizes_and_ends_with_its_code() {
    let server = server().await;
    let mut socket = exec(&server, "").await;
    // Before the shell is up.
    socket.send(json!({"type": "resize", "cols": 120, "rows": 40})).await;
    socket.send(input("stty size\n")).await;
    output_with(&mut socket, "40 120\r\n").await;
    socket.send(json!({"type": "resize", "cols": 80, "rows": 24})).await;
    socket.send(input("stty size\n")).await;
    output_with(&mut socket, "24 80\r\n").await;
    socket.send_binary(b"echo bin''ary\n").await;
    output_with(&mut socket, "binary\r\n").await;
    socket.send(json!({"type": "ping"})).await;
    assert_eq!(socket.next_of("pong").await, json!({"type": "pong"}));
    socket.send(input("exit 5\n")).await;
    assert_eq!(rest(&mut socket).await.2, 5);
    server.stop().await;
}

#[tokio::test]
async fn a_command_is_not_split_and_its_streams_stay_separate() {
    let server = server().await;
    let mut socket = exec(&server, "tty=false&command=echo&command=a%20%20b&command=%24HOME").await;
    assert_eq!(rest(&mut socket).await, ("a  b $HOME\n".to_owned(), String::new(), 0));
    let script = "command=sh&command=-c&command=echo%20out%3B%20echo%20err%20%3E%262%3B%20exit%203";
    let mut socket = exec(&server, &format!("tty=false&container=nginx&{script}")).await;
    assert_eq!(rest(&mut socket).await, ("out\n".to_owned(), "err\n".to_owned(), 3));
    server.stop().await;
}

#[tokio::test]
async fn a_paste_comes_back_whole_and_eof_ends_the_input() {
    let server = server().await;
    let mut socket = exec(&server, "tty=false&command=cat").await;
    // All input is sent before any output is read: neither direction blocks the other.
    let paste = "0123456789 \u{e9}\u{20ac}\u{1f600}\n".repeat(40_000);
    for part in paste.as_bytes().chunks(99_999) {
        socket.send_binary(part).await;
    }
    socket.send(json!({"type": "eof"})).await;
    let (stdout, _, code) = rest(&mut socket).await;
    assert!(stdout == paste, "{} of {} bytes", stdout.len(), paste.len());
    assert_eq!(code, 0);
    server.stop().await;
}

#[tokio::test]
async fn a_character_is_never_split() {
    let server = server().await;
    let mut socket = exec(&server, "tty=false&command=cat").await;
    socket.send_binary(b"a\xe2\x82").await;
    assert_eq!(socket.next().await["data"], "a");
    socket.send_binary(b"\xac\xff").await;
    assert_eq!(socket.next().await["data"], "\u{20ac}\u{fffd}");
    socket.send_binary(b"\xe2").await;
    socket.send(json!({"type": "eof"})).await;
    assert_eq!(rest(&mut socket).await, ("\u{fffd}".to_owned(), String::new(), 0));
    server.stop().await;
}

#[tokio::test]
async fn a_malformed_frame_leaves_the_shell() {
    let server = server().await;
    let mut socket = exec(&server, "tty=false&command=cat").await;
    for frame in [
        "nonsense",
        r#"{"type":"subscribe"}"#,
        r#"{"type":"resize","cols":0,"rows":1}"#,
        r#"{"type":"input"}"#,
    ] {
        socket.send_text(frame).await;
        let error = socket.next().await;
        assert_eq!(
            (&error["type"], &error["code"]),
            (&json!("error"), &json!(400_002)),
            "{frame}"
        );
    }
    socket.send(input("on\n")).await;
    assert_eq!(socket.next().await["data"], "on\n");
    // One that is too large ends it.
    socket.send_binary(&vec![b'x'; 1 << 20 | 1]).await;
    assert_eq!(socket.fails().await.0, 413_001);
    until_gone(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn a_command_that_cannot_run_is_reported_by_a_frame_and_a_close() {
    let server = server().await;
    server.run_pod("shop", "bare", &["distroless"]).await;
    server.run_pod("shop", "done", &["nginx"]).await;
    server.sim.end_container("shop", "done", "nginx", 0);
    let fails = async |path: &str| server.ws(path).await.fails().await;
    let (code, message) = fails(&PATH.replace("web", "gone")).await;
    assert!(code == 404_001 && message.contains("gone"), "{code} {message}");
    let (code, message) = fails(&format!("{PATH}?container=x")).await;
    assert!(code == 404_003 && message.contains("`nginx`"), "{code} {message}");
    let (code, message) = fails(&PATH.replace("web", "bare")).await;
    assert!(code == 409_002 && message.contains("`/bin/sh`"), "{code} {message}");
    assert_eq!(fails(&PATH.replace("web", "done")).await.0, 409_001);
    assert_eq!(fails(&format!("{PATH}?tty=yes")).await.0, 400_001);
    assert_eq!(fails(&format!("{PATH}?shell=bash")).await.0, 400_001);
    server.ws_with(PATH, &[]).await.unwrap_err().fails(401_003);
    server.stop().await;
}

#[tokio::test]
async fn a_cluster_that_breaks_off_is_reported() {
    let server = server().await;
    let mut socket = exec(&server, "").await;
    socket.send(input("echo u''p\n")).await;
    output_with(&mut socket, "up\r\n").await;
    server.sim.faults().cut_execs();
    let (code, message) = socket.fails().await;
    assert!(code == 502_001 && message.contains("broke off"), "{code} {message}");
    server.stop().await;
}

#[tokio::test]
async fn without_v5_the_end_of_input_is_an_error_frame_and_the_shell_stays() {
    let server = server().await;
    server.sim.faults().only_v4_exec(true);
    let mut socket = exec(&server, "tty=false&command=cat").await;
    socket.send(input("a\n")).await;
    assert_eq!(socket.next().await["data"], "a\n");
    socket.send(json!({"type": "eof"})).await;
    assert_eq!(socket.next().await["code"], 502_001);
    assert_eq!(server.sim.open_execs(), 1);
    socket.close().await;
    until_gone(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn when_the_client_the_session_or_the_server_goes_so_does_the_shell() {
    let server = server().await;
    let up = async |mut socket: Socket| {
        socket.send(input("echo u''p\n")).await;
        output_with(&mut socket, "up\r\n").await;
        socket
    };
    let socket = up(exec(&server, "").await).await;
    drop(socket);
    until_gone(&server).await;
    let socket = up(exec(&server, "").await).await;
    socket.close().await;
    until_gone(&server).await;
    let mut socket = up(exec(&server, "").await).await;
    server.post("/api/auth/logout", json!({})).await;
    assert_eq!(socket.rest().await.1, 4401);
    until_gone(&server).await;
    let authorization = format!("Bearer {}", server.login("admin", PASSWORD).await);
    let socket = server
        .ws_with(PATH, &[("authorization", &authorization)])
        .await
        .unwrap();
    let mut socket = up(socket).await;
    server.begin_shutdown();
    let ((_, close), ()) = tokio::join!(socket.rest(), server.state.drained());
    assert_eq!(close, 1001);
    until_gone(&server).await;
    server.stop().await;
}

/// Its answers to pings can't be read behind the input that the process does not take.
#[tokio::test]
async fn a_client_that_waits_for_a_process_to_take_input_is_not_gone() {
    let websockets = WebSocketLimits {
        ping_every: Duration::from_millis(50),
        gone_after: Duration::from_secs(3),
        ..WebSocketLimits::default()
    };
    let api = Options {
        websockets,
        ..Options::default()
    };
    let server = Server::with(Setup {
        api,
        ..Setup::default()
    })
    .await;
    server.run_pod("shop", "web", &["nginx"]).await;
    let mut socket = exec(&server, "tty=false&command=sleep&command=1000").await;
    let full = async {
        loop {
            socket.send_binary(&[b'x'; 1 << 20]).await;
        }
    };
    // Once nothing moves, nothing is heard of the client for far longer than a client may be
    // silent. To be closed would fail a send.
    assert!(tokio::time::timeout(Duration::from_secs(12), full).await.is_err());
    assert_eq!(server.sim.open_execs(), 1);
    server.sim.end_container("shop", "web", "nginx", 0);
    until_gone(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_never_reads_stops_the_command() {
    let server = server().await;
    let mut socket = exec(&server, "tty=false&command=yes").await;
    // All buffers on the way are full. The answer to a ping follows once the client reads.
    socket.send(json!({"type": "ping"})).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(server.sim.open_execs(), 1);
    while socket.next().await["type"] != "pong" {}
    drop(socket);
    until_gone(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn output_of_any_bytes_comes_in_frames_of_64_kb() {
    let server = server().await;
    let mut socket = exec(&server, "tty=false&command=cat").await;
    let zeros = vec![0_u8; 300_000];
    socket.send_binary(&zeros).await;
    socket.send(json!({"type": "eof"})).await;
    let mut taken = 0;
    loop {
        let frame = socket.next().await;
        if frame["type"] == "exit" {
            break;
        }
        let data = frame["data"].as_str().unwrap();
        taken += data.len();
        assert!(
            frame.to_string().len() <= (64 << 10) + 100,
            "{} bytes",
            frame.to_string().len()
        );
    }
    assert_eq!(taken, zeros.len());
    server.stop().await;
}

#[tokio::test]
async fn a_cluster_that_goes_ends_the_output_at_once_and_says_why() {
    for replaced in [false, true] {
        let server = server().await;
        let mut socket = exec(&server, "tty=false&command=yes").await;
        assert_eq!(socket.next().await["type"], "output");
        // Its client does not read: everything on the way is full.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let cluster = server.registry.all().remove(0);
        if replaced {
            server.add(&server.sim, cluster.id().0);
        } else {
            server.registry.remove(cluster.id()).await;
        }
        let (code, message) = socket.fails().await;
        let word = if replaced { "replaced" } else { "removed" };
        assert!(code == 502_001 && message.contains(word), "{code} {message}");
        until_gone(&server).await;
        server.stop().await;
    }
}
