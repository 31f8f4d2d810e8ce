//! `WS …/pods/{name}/logs`.

use std::time::Duration;

use jiff::Timestamp;
use podgate_api::Options;
use serde_json::{Value, json};

use crate::{
    pods_detail::pod_path,
    support::{Server, Setup, Socket, within},
};

const PATH: &str = "/ws/clusters/sim/namespaces/shop/pods/web/logs";

/// Starts a server with pod `shop/web` and its containers.
async fn server(containers: &[&str]) -> Server {
    let server = Server::start().await;
    server.run_pod("shop", "web", containers).await;
    server
}

fn write(server: &Server, container: &str, text: &str) {
    let time: Timestamp = "2026-01-07T10:00:00Z".parse().unwrap();
    assert!(server.sim.write_log_at("shop", "web", container, time, text.as_bytes()));
}

/// Opens a stream, subscribes, and takes the answer to that.
async fn subscribe(server: &Server, frame: Value) -> Socket {
    let mut socket = server.ws(PATH).await;
    socket.send(frame).await;
    assert_eq!(socket.next().await["type"], "subscribed");
    socket
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waited = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(
        tokio::time::timeout(crate::support::PATIENCE, waited).await.is_ok(),
        "{what}"
    );
}

#[tokio::test]
async fn a_line_is_a_frame_with_its_time() {
    let server = server(&["nginx"]).await;
    let mut socket = server.ws(PATH).await;
    socket
        .send(json!({"type": "subscribe", "container": "nginx", "follow": true}))
        .await;
    assert_eq!(
        socket.next().await,
        json!({"type": "subscribed", "containers": ["nginx"]})
    );
    write(&server, "nginx", "line\n\na\u{e9}\r\n");
    let time = "2026-01-07T10:00:00.000000000Z";
    assert_eq!(
        socket.next().await,
        json!({"type": "log", "data": format!("{time} line")})
    );
    assert_eq!(socket.next().await, json!({"type": "log", "data": format!("{time} ")}));
    assert_eq!(
        socket.next().await,
        json!({"type": "log", "data": format!("{time} a\u{e9}\r")})
    );
    socket.close().await;
    server.stop().await;
}

#[tokio::test]
async fn without_follow_a_log_ends_after_its_last_line() {
    let server = server(&["nginx"]).await;
    write(&server, "nginx", "one\ntwo\nno end");
    let mut socket = subscribe(
        &server,
        json!({"type": "subscribe", "timestamps": false, "tailLines": 2}),
    )
    .await;
    let (frames, close) = socket.rest().await;
    assert_eq!(frames[0], json!({"type": "log", "data": "two"}));
    assert_eq!(frames[1], json!({"type": "log", "data": "no end"}));
    assert_eq!(frames[2]["type"], "end");
    assert!(frames[2]["reason"].as_str().unwrap().contains("`nginx`"));
    assert_eq!((frames.len(), close), (3, 1000));
    server.stop().await;
}

#[tokio::test]
async fn lines_of_several_containers_say_which_and_may_come_in_batches() {
    let server = server(&["a", "b"]).await;
    let all = json!({"type": "subscribe", "containers": ["*"], "follow": true, "timestamps": false});
    let mut socket = subscribe(&server, all).await;
    write(&server, "b", "x\n");
    assert_eq!(
        socket.next().await,
        json!({"type": "log", "data": "x", "container": "b"})
    );
    // A second subscription replaces the first.
    socket
        .send(json!({"type": "subscribe", "container": "b", "batch": true, "follow": true, "timestamps": false}))
        .await;
    assert_eq!(socket.next_of("subscribed").await["containers"], json!(["b"]));
    assert_eq!(
        socket.next().await,
        json!({"type": "logs", "container": "b", "lines": ["x"]})
    );
    write(&server, "b", "y\nz\n");
    let mut lines = Vec::new();
    while lines.len() < 2 {
        let frame = socket.next().await;
        assert_eq!((&frame["type"], &frame["container"]), (&json!("logs"), &json!("b")));
        lines.extend(frame["lines"].as_array().unwrap().clone());
    }
    assert_eq!(lines, [json!("y"), json!("z")]);
    socket.close().await;
    server.stop().await;
}

/// The most that `data` may have, as text and as JSON.
const MAX_PIECE: usize = 128 << 10;

/// Returns the bytes that one line takes within a JSON string.
fn json_len(text: &str) -> usize {
    serde_json::to_string(text).unwrap().len() - 2
}

#[tokio::test]
async fn a_long_line_comes_in_pieces_that_make_it_up_again() {
    let server = server(&["nginx"]).await;
    let time = "2026-01-07T10:00:00.000000000Z";
    for (text, count) in [
        ("x".repeat(MAX_PIECE - time.len() - 1), 1),
        ("x".repeat(MAX_PIECE - time.len()), 2),
        ("\u{20ac}".repeat(200_000), 5),
        ("\0".repeat(50_000), 3),
    ] {
        write(&server, "nginx", &format!("{text}\n"));
        let mut socket = subscribe(&server, json!({"type": "subscribe", "tailLines": 1})).await;
        let (mut line, mut pieces) = (String::new(), 0);
        loop {
            let frame = socket.next().await;
            assert_eq!(frame["type"], "log");
            let data = frame["data"].as_str().unwrap();
            assert!(data.len() <= MAX_PIECE && json_len(data) <= MAX_PIECE, "{}", data.len());
            line.push_str(data);
            pieces += 1;
            if frame.get("partial").is_none() {
                break;
            }
            assert_eq!(frame["partial"], true);
        }
        assert!(line == format!("{time} {text}"), "{} bytes", line.len());
        assert_eq!(pieces, count);
        assert_eq!(socket.rest().await.1, 1000);
    }
    server.stop().await;
}

#[tokio::test]
async fn in_a_batch_a_piece_is_a_frame_of_its_own() {
    let server = server(&["nginx"]).await;
    let long = "x".repeat(300_000);
    write(&server, "nginx", &format!("one\n{long}\ntwo\n"));
    let asked = json!({"type": "subscribe", "batch": true, "timestamps": false});
    let mut socket = subscribe(&server, asked).await;
    let (mut lines, mut begun) = (Vec::new(), false);
    loop {
        let frame = socket.next().await;
        if frame["type"] == "end" {
            break;
        }
        for line in frame["lines"].as_array().unwrap() {
            let line = line.as_str().unwrap();
            match lines.last_mut() {
                Some(last) if begun => *last += line,
                _ => lines.push(line.to_owned()),
            }
            begun = false;
        }
        begun = frame["partial"] == true;
        assert!(!begun || frame["lines"].as_array().unwrap().len() == 1);
    }
    assert!(lines == ["one", long.as_str(), "two"]);
    server.stop().await;
}

#[tokio::test]
async fn omissions_of_a_wildcard_are_counted() {
    let names: Vec<String> = (0..67).map(|n| format!("c{n:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let server = server(&names).await;
    let mut socket = server.ws(PATH).await;
    socket.send(json!({"type": "subscribe", "containers": ["*"]})).await;
    let subscribed = socket.next().await;
    assert_eq!(subscribed["containers"], json!(&names[..64]));
    assert_eq!(subscribed["leftOut"], 3);
    socket.close().await;
    server.stop().await;
}

#[tokio::test]
async fn streams_beyond_the_memory_budget_are_refused() {
    let api = Options {
        // Two log streams, or one terminal.
        stream_memory: (2 << 20) + (384 << 10),
        ..Options::default()
    };
    let server = Server::with(Setup {
        api,
        ..Setup::default()
    })
    .await;
    let names: Vec<String> = (0..64).map(|n| format!("c{n:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    server.run_pod("shop", "web", &names).await;
    let one = json!({"type": "subscribe", "container": "c00", "follow": true});
    let first = subscribe(&server, one.clone()).await;
    let mut all = server.ws(PATH).await;
    all.send(json!({"type": "subscribe", "containers": ["*"], "follow": true}))
        .await;
    let (code, message) = all.fails().await;
    assert!(code == 429_001 && message.contains("2 MiB"), "{code} {message}");
    let mut terminal = server.ws(&PATH.replace("/logs", "/exec?container=c00")).await;
    assert_eq!(terminal.fails().await.0, 429_001);
    let second = subscribe(&server, one).await;
    let logs = "/api/clusters/sim/namespaces/shop/pods/web/logs?download=true&container=c00";
    server.get(logs).await.fails(429_001);
    first.close().await;
    second.close().await;
    let mut terminal = server.ws(&PATH.replace("/logs", "/exec?container=c00")).await;
    terminal.send(json!({"type": "ping"})).await;
    assert_eq!(terminal.next_of("pong").await["type"], "pong");
    terminal.close().await;
    server.stop().await;
}

#[tokio::test]
async fn a_restart_a_gap_and_the_end_are_reported() {
    let server = server(&["nginx"]).await;
    let mut socket = subscribe(
        &server,
        json!({"type": "subscribe", "follow": true, "timestamps": false}),
    )
    .await;
    write(&server, "nginx", "old\n");
    assert_eq!(socket.next().await["data"], "old");
    server.sim.restart_container("shop", "web", "nginx", 1);
    let restarted = socket.next().await;
    assert_eq!(
        (&restarted["type"], &restarted["container"], &restarted["restartCount"]),
        (&json!("restarted"), &json!("nginx"), &json!(1)),
        "{restarted}"
    );
    assert_last(&restarted["last"], 0, 1);
    write(&server, "nginx", "new\n");
    assert_eq!(socket.next().await["data"], "new");
    server.sim.pause().await;
    server.sim.rotate_log("shop", "web", "nginx");
    server.sim.write_log("shop", "web", "nginx", b"later\n");
    server.sim.resume().await;
    let gap = socket.next().await;
    assert_eq!(
        (&gap["type"], &gap["before"]),
        (&json!("gap"), &json!("2026-01-07T10:00:00.000000000Z")),
        "{gap}"
    );
    assert!(
        gap["reason"].is_string() && gap["after"].as_str().unwrap().ends_with('Z'),
        "{gap}"
    );
    assert_eq!(socket.next().await["data"], "later");
    server.sim.end_container("shop", "web", "nginx", 7);
    let (frames, close) = socket.rest().await;
    assert_eq!(
        (frames.len(), &frames[0]["type"], close),
        (1, &json!("end"), 1000),
        "{frames:?}"
    );
    assert!(frames[0]["reason"].as_str().unwrap().contains("code 7"), "{frames:?}");
    assert_last(&frames[0]["last"]["nginx"], 1, 7);
    server.stop().await;
}

/// Makes containers of the pod end for good while others go on.
fn never_restart(server: &Server) {
    let mut pod = server.sim.get("Pod", "shop", "web").unwrap();
    pod["spec"]["restartPolicy"] = json!("Never");
    server.sim.put(pod);
}

/// Asserts how a run ended.
#[track_caller]
fn assert_last(last: &Value, restart_count: u32, exit_code: i32) {
    let said = (
        &last["restartCount"],
        &last["exitCode"],
        &last["signal"],
        &last["reason"],
    );
    let want = (&json!(restart_count), &json!(exit_code), &json!(0), &json!("Error"));
    assert_eq!(said, want, "{last}");
    for time in [&last["startedAt"], &last["finishedAt"]] {
        assert!(time.as_str().is_some_and(|time| time.ends_with('Z')), "{last}");
    }
}

#[tokio::test]
async fn a_container_that_ends_says_so_while_others_go_on() {
    let server = server(&["a", "b", "c"]).await;
    never_restart(&server);
    let all = json!({"type": "subscribe", "containers": ["*"], "follow": true, "timestamps": false});
    let mut socket = subscribe(&server, all).await;
    server.sim.end_container("shop", "web", "a", 3);
    let ended = socket.next().await;
    assert_eq!(
        (&ended["type"], &ended["container"], &ended["restartCount"]),
        (&json!("ended"), &json!("a"), &json!(0)),
        "{ended}"
    );
    assert!(ended.get("error").is_none(), "{ended}");
    assert_last(&ended["last"], 0, 3);
    write(&server, "b", "still here\n");
    assert_eq!(
        socket.next().await,
        json!({"type": "log", "data": "still here", "container": "b"})
    );
    server.sim.end_container("shop", "web", "b", 4);
    assert_eq!(socket.next_of("ended").await["container"], "b");
    server.sim.end_container("shop", "web", "c", 5);
    let (frames, close) = socket.rest().await;
    assert_eq!((frames.len(), close), (1, 1000), "{frames:?}");
    assert_eq!(frames[0]["type"], "end");
    for (container, code) in [("a", 3), ("b", 4), ("c", 5)] {
        assert_last(&frames[0]["last"][container], 0, code);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_container_that_cannot_be_read_ends_only_its_own_part() {
    let server = server(&["a", "b"]).await;
    never_restart(&server);
    server
        .sim
        .faults()
        .fail_requests("web/log?container=a", 403, usize::MAX);
    let all = json!({"type": "subscribe", "containers": ["*"], "follow": true, "timestamps": false});
    let mut socket = subscribe(&server, all).await;
    let ended = socket.next().await;
    assert_eq!(
        (&ended["type"], &ended["container"], ended.get("last")),
        (&json!("ended"), &json!("a"), None),
        "{ended}"
    );
    assert!(ended["error"]["code"].is_u64(), "{ended}");
    let message = ended["error"]["message"].as_str().unwrap();
    assert!(message.contains("web"), "{message}");
    write(&server, "b", "still here\n");
    assert_eq!(socket.next().await["data"], "still here");
    server.sim.end_container("shop", "web", "b", 1);
    let (frames, close) = socket.rest().await;
    assert_eq!(
        (frames.len(), &frames[0]["type"], close),
        (1, &json!("end"), 1000),
        "{frames:?}"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_stream_fails_once_all_its_containers_have_failed() {
    let server = server(&["a", "b"]).await;
    server.sim.faults().fail_requests("web/log?", 403, usize::MAX);
    let all = json!({"type": "subscribe", "containers": ["*"], "follow": true});
    let mut socket = subscribe(&server, all).await;
    let ended = socket.next().await;
    assert!(ended["type"] == "ended" && ended["error"].is_object(), "{ended}");
    let (code, _) = socket.fails().await;
    assert_eq!(ended["error"]["code"], code);
    server.stop().await;
}

#[tokio::test]
async fn a_second_subscription_that_fails_leaves_the_first() {
    let server = server(&["a", "b"]).await;
    let first = json!({"type": "subscribe", "container": "a", "follow": true, "timestamps": false});
    let mut socket = subscribe(&server, first).await;
    for (container, code) in [(json!("c"), 404_003), (Value::Null, 400_001)] {
        socket
            .send(json!({"type": "subscribe", "container": container, "follow": true}))
            .await;
        let error = socket.next().await;
        assert_eq!(
            (&error["type"], &error["code"]),
            (&json!("error"), &json!(code)),
            "{error}"
        );
        write(&server, "a", "still here\n");
        assert_eq!(socket.next().await["data"], "still here");
    }
    socket.close().await;
    server.stop().await;
}

#[tokio::test]
async fn a_malformed_frame_leaves_the_connection_and_the_stream() {
    let server = server(&["nginx"]).await;
    let mut socket = subscribe(
        &server,
        json!({"type": "subscribe", "follow": true, "timestamps": false}),
    )
    .await;
    let nested = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for (frame, code) in [
        ("nonsense", 400_002),
        ("{}", 400_002),
        (r#"{"type":"subscribed"}"#, 400_002),
        (r#"{"type":"subscribe","folow":true}"#, 400_002),
        (nested.as_str(), 400_002),
        (r#"{"type":"subscribe","follow":true,"previous":true}"#, 400_001),
    ] {
        socket.send_text(frame).await;
        let error = socket.next().await;
        assert_eq!(
            (&error["type"], &error["code"]),
            (&json!("error"), &json!(code)),
            "{frame}"
        );
        assert!(error["message"].as_str().unwrap().len() < 1000);
    }
    socket.send_binary(b"{\"type\":\"subscribe\"}").await;
    assert_eq!(socket.next().await["code"], 400_002);
    write(&server, "nginx", "still here\n");
    assert_eq!(socket.next().await["data"], "still here");
    socket.send(json!({"type": "ping"})).await;
    assert_eq!(socket.next().await, json!({"type": "pong"}));
    socket.close().await;
    server.stop().await;
}

#[tokio::test]
async fn unsubscribe_ends_the_reading_and_leaves_the_connection() {
    let server = server(&["nginx"]).await;
    let mut socket = subscribe(
        &server,
        json!({"type": "subscribe", "follow": true, "timestamps": false}),
    )
    .await;
    until("it is read", || server.sim.open_logs() == 1).await;
    socket.send(json!({"type": "unsubscribe"})).await;
    until("it is no longer read", || server.sim.open_logs() == 0).await;
    write(&server, "nginx", "x\n");
    socket
        .send(json!({"type": "subscribe", "tailLines": 1, "timestamps": false}))
        .await;
    assert_eq!(socket.next_of("log").await["data"], "x");
    assert_eq!(socket.rest().await.1, 1000);
    server.stop().await;
}

#[tokio::test]
async fn a_missing_object_is_reported_by_a_frame_and_a_close() {
    let server = server(&["a", "b"]).await;
    let fails = async |path: &str, frame: Value| {
        let mut socket = server.ws(path).await;
        socket.send(frame).await;
        socket.fails().await
    };
    let gone = PATH.replace("web", "gone");
    let (code, message) = fails(&gone, json!({"type": "subscribe"})).await;
    assert!(code == 404_001 && message.contains("gone"), "{code} {message}");
    let (code, message) = fails(PATH, json!({"type": "subscribe", "container": "c"})).await;
    assert!(code == 404_003 && message.contains("`a`, `b`"), "{code} {message}");
    let (code, message) = fails(PATH, json!({"type": "subscribe"})).await;
    assert!(code == 400_001 && message.contains("`a`, `b`"), "{code} {message}");
    let (code, message) = fails(PATH, json!({"type": "subscribe", "container": "a", "previous": true})).await;
    assert!(code == 409_001 && message.contains("previous"), "{code} {message}");
    let nowhere = PATH.replace("sim", "nowhere");
    assert_eq!(server.ws(&nowhere).await.fails().await.0, 404_002);
    let odd = format!("{PATH}?follow=true");
    assert_eq!(server.ws(&odd).await.fails().await.0, 400_001);
    server.ws_with(PATH, &[]).await.unwrap_err().fails(401_003);
    server.stop().await;
}

#[tokio::test]
async fn the_end_of_the_session_and_of_the_server_end_it() {
    let server = server(&["nginx"]).await;
    let mut socket = subscribe(&server, json!({"type": "subscribe", "follow": true})).await;
    until("it is read", || server.sim.open_logs() == 1).await;
    server.post("/api/auth/logout", json!({})).await;
    let (frames, close) = socket.rest().await;
    assert_eq!((frames[0]["code"].as_u64(), close), (Some(401_002), 4401), "{frames:?}");
    until("it is no longer read", || server.sim.open_logs() == 0).await;
    let token = server.login("admin", crate::support::PASSWORD).await;
    let authorization = format!("Bearer {token}");
    let mut socket = server
        .ws_with(PATH, &[("authorization", &authorization)])
        .await
        .unwrap();
    socket.send(json!({"type": "subscribe", "follow": true})).await;
    assert_eq!(socket.next().await["type"], "subscribed");
    server.begin_shutdown();
    assert_eq!(socket.rest().await, (vec![], 1001));
    until("it is no longer read", || server.sim.open_logs() == 0).await;
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_never_reads_stops_the_reading_upstream() {
    let server = server(&["nginx"]).await;
    let block = format!("{}\n", "x".repeat(999)).repeat(1000);
    for _ in 0..60 {
        write(&server, "nginx", &block);
    }
    let mut socket = subscribe(&server, json!({"type": "subscribe", "follow": true})).await;
    let mut before = 0;
    let stopped = async {
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let sent = server.sim.log_bytes_sent();
            if sent == before && sent > 0 {
                return sent;
            }
            before = sent;
        }
    };
    let sent = within(stopped).await;
    assert!(sent < 40 << 20, "{sent} bytes were read for a client that reads none");
    for _ in 0..60_000 {
        assert_eq!(socket.next().await["type"], "log");
    }
    drop(socket);
    until("it is no longer read", || server.sim.open_logs() == 0).await;
    server.stop().await;
}

#[tokio::test]
async fn a_pod_of_more_parts_than_the_watch_takes_is_refused_on_each_live_path() {
    let server = Server::start().await;
    let names: Vec<String> = (0..1_001).map(|number| format!("c{number}")).collect();
    let containers: Vec<Value> = names.iter().map(|name| json!({"name": name, "image": "app"})).collect();
    let statuses: Vec<Value> = names
        .iter()
        .map(|name| json!({"name": name, "ready": true, "restartCount": 0, "state": {"running": {}}}))
        .collect();
    server.sim.put(json!({
        "kind": "Pod", "metadata": {"namespace": "shop", "name": "huge"},
        "spec": {"containers": containers}, "status": {"phase": "Running", "containerStatuses": statuses},
    }));
    let refused = |message: &str| {
        let said = ["pod `shop/huge`", "cluster `sim`", "more than 2000 containers"];
        assert!(said.iter().all(|part| message.contains(part)), "{message}");
    };
    refused(
        &server
            .get(&format!("{}/logs", pod_path("shop", "huge")))
            .await
            .fails(502_001),
    );
    let path = "/ws/clusters/sim/namespaces/shop/pods/huge";
    let mut logs = server.ws(&format!("{path}/logs")).await;
    logs.send(json!({"type": "subscribe", "containers": ["*"], "follow": true}))
        .await;
    let (code, message) = logs.fails().await;
    assert_eq!(code, 502_001);
    refused(&message);
    let mut terminal = server.ws(&format!("{path}/exec?container=c0&command=sh")).await;
    let (code, message) = terminal.fails().await;
    assert_eq!(code, 502_001);
    refused(&message);
    server.stop().await;
}
