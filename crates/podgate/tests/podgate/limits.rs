//! The limits on connections, files and memory, as the flags and the system set them.

use std::{
    fs::File,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    time::Duration,
};

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{self, Message, WebSocket, client::IntoClientRequest};

use crate::{Running, address, serve, status, under};

/// Longer than anything here takes, and shorter than the time limit of a silent connection.
const PATIENCE: Duration = Duration::from_secs(10);

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Returns whether the peer closed a connection on which nothing was sent.
fn is_closed(mut stream: &TcpStream) -> bool {
    match stream.read(&mut [0]) {
        Ok(read) => read == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

/// Opens more silent connections than the flags allow: the oldest end, the newest is answered, and
/// the log says so in one line with `part`.
#[track_caller]
fn caps_connections(flags: &[&str], part: &str) {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let flags: Vec<_> = ["--listen", "127.0.0.1:0"].iter().chain(flags).copied().collect();
    let command = serve(dir.path(), &flags);
    let (_running, lines) = Running::start_with_log(command, 1, File::create(&log).unwrap());
    let address = address(&lines[0]);
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(connect(&address));
    }
    for oldest in 0..3 {
        open.push(connect(&address));
        assert!(is_closed(&open[oldest]), "{flags:?}: connection {oldest} is still open");
    }
    assert_eq!(status(&address, "/healthz"), 200);
    let log = std::fs::read_to_string(&log).unwrap();
    assert_eq!(log.lines().filter(|line| line.contains(part)).count(), 1, "{log}");
}

#[test]
fn the_caps_on_connections_hold_and_the_log_says_so_once() {
    caps_connections(
        &["--max-connections", "3", "--max-connections-per-address", "100"],
        "the cap on connections is reached",
    );
    caps_connections(
        &["--max-connections", "100", "--max-connections-per-address", "3"],
        "an address has as many connections as it may have",
    );
}

#[test]
fn the_log_cuts_a_request_that_it_quotes() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let command = serve(dir.path(), &["--listen", "127.0.0.1:0"]);
    let (_running, lines) = Running::start_with_log(command, 1, File::create(&log).unwrap());
    let address = address(&lines[0]);
    let path = format!("/{}", "x".repeat(5000));
    assert_eq!(status(&address, &path), 404);
    let log = std::fs::read_to_string(&log).unwrap();
    let line = log.lines().find(|line| line.contains("xxx")).unwrap();
    let quoted = line.matches('x').count();
    assert!((200..=256).contains(&quoted) && line.contains('…'), "{quoted}: {line}");
}

/// Logs in as the administrator of the demo, and returns the token.
fn log_in(address: &str, greeting: &str) -> String {
    let password = greeting.split('`').nth(3).unwrap();
    let body = json!({"username": "admin", "password": password}).to_string();
    let mut stream = connect(address);
    write!(
        stream,
        "POST /api/auth/login HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    json_of(stream)["data"]["token"].as_str().unwrap().to_owned()
}

/// Reads the JSON of an answer.
fn json_of(mut stream: TcpStream) -> Value {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// Finds a pod that runs, and returns the path of its log's WebSocket.
fn log_path(address: &str, token: &str) -> String {
    for _ in 0..500 {
        let mut stream = connect(address);
        write!(
            stream,
            "GET /api/pods?status=Running&pageSize=1 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\r\n"
        )
        .unwrap();
        let answer = json_of(stream);
        if let Some(pod) = answer["data"]["items"].get(0) {
            let [cluster, namespace, name] = ["cluster", "namespace", "name"].map(|key| pod[key].as_str().unwrap());
            return format!("/ws/clusters/{cluster}/namespaces/{namespace}/pods/{name}/logs");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("the demo shows no pod");
}

/// Subscribes to a log, and returns the connection and its first frame.
fn subscribe(address: &str, path: &str, token: &str) -> (WebSocket<TcpStream>, Value) {
    let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
    let bearer = format!("Bearer {token}").parse().unwrap();
    request.headers_mut().insert("authorization", bearer);
    let (mut socket, _) = tungstenite::client(request, connect(address)).unwrap();
    let subscribe = json!({"type": "subscribe", "containers": ["*"], "follow": true});
    socket.send(Message::text(subscribe.to_string())).unwrap();
    let frame = loop {
        if let Message::Text(text) = socket.read().unwrap() {
            break serde_json::from_str(&text).unwrap();
        }
    };
    (socket, frame)
}

fn demo(dir: &Path) -> (Running, String, String) {
    let flags = ["--demo", "--listen", "127.0.0.1:0", "--stream-memory", "2Mi"];
    let (running, lines) = Running::start(serve(dir, &flags), 2);
    let address = address(&lines[0]);
    let token = log_in(&address, &lines[1]);
    (running, address, token)
}

#[test]
fn streams_beyond_their_memory_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (_running, address, token) = demo(dir.path());
    let path = log_path(&address, &token);
    let (open, first) = subscribe(&address, &path, &token);
    assert_eq!(first["type"], "subscribed", "{first}");
    let (_, refused) = subscribe(&address, &path, &token);
    assert_eq!(
        (&refused["type"], &refused["code"]),
        (&json!("error"), &json!(429_001)),
        "{refused}"
    );
    let message = refused["message"].as_str().unwrap();
    assert!(message.contains("all of the 2 MiB"), "{message}");
    drop(open);
}

#[test]
fn silent_connections_leave_room_for_others() {
    let dir = tempfile::tempdir().unwrap();
    let command = under("ulimit -n 256", &serve(dir.path(), &["--listen", "127.0.0.1:0"]));
    let (_running, lines) = Running::start(command, 1);
    let address = address(&lines[0]);
    let mut silent = Vec::new();
    for number in 0..300 {
        let mut stream = TcpStream::connect(&address).unwrap();
        if number % 2 == 0 {
            // One that was closed already takes it as well.
            let _ = stream.write_all(b"P");
        }
        silent.push(stream);
        if number % 100 == 0 {
            assert_eq!(status(&address, "/healthz"), 200);
        }
    }
    assert_eq!(status(&address, "/healthz"), 200);
    assert_eq!(status(&address, "/readyz"), 200);
}

#[cfg(target_os = "linux")]
#[test]
fn the_limit_on_files_is_raised_as_far_as_the_system_allows() {
    let dir = tempfile::tempdir().unwrap();
    let command = under(
        "ulimit -Sn 100 && ulimit -Hn 300",
        &serve(dir.path(), &["--listen", "127.0.0.1:0"]),
    );
    let (running, _) = Running::start(command, 1);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", running.0.id())).unwrap();
    let files = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .unwrap();
    let files: Vec<&str> = files.split_whitespace().collect();
    assert_eq!(files[..2], ["300", "300"]);
}
