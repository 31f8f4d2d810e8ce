//! `GET /api/clusters/{clusterId}/namespaces/{namespace}/pods/{name}/logs`.

use std::time::Duration;

use futures_util::StreamExt;
use podgate_api::{Options, WebSocketLimits};
use podgate_cluster::Policy;
use serde_json::{Value, json};

use crate::{
    pods_detail::pod_path,
    support::{Answer, PATIENCE, Server, Setup, send, within},
};

/// The most of a log that the JSON form holds.
const MAX: usize = 10 << 20;

async fn started() -> Server {
    let server = Server::start().await;
    server.sim.run_pod("shop", "web-1", &["app"]);
    server
}

fn path(query: &str) -> String {
    format!("{}/logs{query}", pod_path("shop", "web-1"))
}

fn write(server: &Server, bytes: &[u8]) {
    assert!(server.sim.write_log("shop", "web-1", "app", bytes));
}

fn write_at(server: &Server, time: &str, bytes: &[u8]) {
    assert!(
        server
            .sim
            .write_log_at("shop", "web-1", "app", time.parse().unwrap(), bytes)
    );
}

async fn plain(server: &Server, query: &str) -> Answer {
    send(server.build("GET", &path(query)).header("accept", "text/plain")).await
}

async fn text(server: &Server, query: &str) -> String {
    let data = server.get(&path(query)).await.data();
    assert_eq!(data.as_object().unwrap().len(), 1, "nothing beside `logs`");
    data["logs"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn both_forms_hold_what_the_cluster_holds() {
    let server = started().await;
    assert_eq!(server.get(&path("")).await.data(), json!({"logs": ""}));
    let log = b"one\r\n\n\x1b[31mred\x1b[0m\ttab\n\xff\xfe not text \xe2\x82\n\xe2\x82\xac\x00end without a line feed";
    write(&server, log);
    let lossy = String::from_utf8_lossy(log).into_owned();
    assert!(lossy.contains("\u{fffd}\u{fffd} not text \u{fffd}\n€\0end"));
    assert_eq!(text(&server, "").await, lossy);
    let answer = plain(&server, "").await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, "text/plain; charset=utf-8")
    );
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("content-disposition"), "");
    assert_eq!(answer.bytes, log);
    server.stop().await;
}

#[tokio::test]
async fn each_parameter_narrows_as_in_kubernetes() {
    let server = started().await;
    write_at(&server, "2026-01-01T00:00:00.5Z", b"one\n");
    write_at(&server, "2026-01-01T00:00:10Z", b"two\n");
    write_at(&server, "2026-01-01T00:00:20Z", b"three\n");
    for (query, want) in [
        ("?tailLines=2", "two\nthree\n"),
        ("?tailLines=0", ""),
        ("?tailLines=9223372036854775807", "one\ntwo\nthree\n"),
        ("?limitBytes=5", "one\nt"),
        ("?sinceTime=2026-01-01T00:00:10Z", "two\nthree\n"),
        ("?sinceTime=2026-01-01T02:00:20%2B02:00", "three\n"),
        ("?sinceSeconds=1", ""),
        ("?sinceSeconds=4294967295", "one\ntwo\nthree\n"),
        ("?timestamps=false&container=&tailLines=&previous=", "one\ntwo\nthree\n"),
        ("?container=app&tailLines=1", "three\n"),
    ] {
        assert_eq!(text(&server, query).await, want, "{query}");
        assert_eq!(plain(&server, query).await.text(), want, "{query}");
    }
    let stamped = text(&server, "?timestamps=true&tailLines=1").await;
    let (time, line) = stamped.split_once(' ').unwrap();
    assert_eq!(
        (time.parse::<jiff::Timestamp>().unwrap(), line),
        ("2026-01-01T00:00:20Z".parse().unwrap(), "three\n")
    );
    server.stop().await;
}

#[tokio::test]
async fn a_previous_run_is_read_and_its_absence_is_a_conflict() {
    let server = started().await;
    write(&server, b"first run\n");
    let message = server.get(&path("?previous=true")).await.fails(409_001);
    assert!(
        message.contains("`app`") && message.contains("shop/web-1") && message.contains("previous run"),
        "{message}"
    );
    server.sim.restart_container("shop", "web-1", "app", 1);
    write(&server, b"second run\n");
    assert_eq!(text(&server, "?previous=true").await, "first run\n");
    assert_eq!(text(&server, "").await, "second run\n");
    server.sim.end_container("shop", "web-1", "app", 0);
    assert_eq!(
        text(&server, "").await,
        "second run\n",
        "the log of a container that has ended"
    );
    server.stop().await;
}

#[tokio::test]
async fn the_container_is_the_one_named_or_annotated_or_the_only_one() {
    let server = Server::start().await;
    server.sim.run_pod("shop", "web-1", &["app", "proxy"]);
    let mut pod = server.sim.get("Pod", "shop", "web-1").unwrap();
    let running = |name: &str| {
        json!({"name": name, "image": "busybox:1", "imageID": "", "ready": true, "restartCount": 0,
        "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}, "lastState": {}})
    };
    pod["spec"]["initContainers"] = json!([{"name": "mesh", "image": "busybox:1", "restartPolicy": "Always"}]);
    pod["spec"]["ephemeralContainers"] = json!([{"name": "debug", "image": "busybox:1"}]);
    pod["status"]["initContainerStatuses"] = json!([running("mesh")]);
    pod["status"]["ephemeralContainerStatuses"] = json!([running("debug")]);
    let mut pod = server.sim.put(pod);
    for container in ["app", "proxy", "mesh", "debug"] {
        assert!(
            server.sim.write_log("shop", "web-1", container, container.as_bytes()),
            "{container}"
        );
        assert_eq!(text(&server, &format!("?container={container}")).await, container);
    }
    let message = server.get(&path("")).await.fails(400_001);
    for part in ["`app`", "`proxy`", "`mesh`", "`debug`", "shop/web-1", "sim"] {
        assert!(message.contains(part), "{message}");
    }
    let message = server.get(&path("?container=nope")).await.fails(404_003);
    for part in ["`nope`", "`app`", "`proxy`", "`mesh`", "`debug`"] {
        assert!(message.contains(part), "{message}");
    }
    for odd in ["a%26b%3Dc", "..%2f..", "APP", "%E2%82%AC"] {
        server.get(&path(&format!("?container={odd}"))).await.fails(404_003);
    }
    pod["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/default-container": "proxy"});
    server.sim.put(pod);
    assert_eq!(text(&server, "").await, "proxy");
    server.stop().await;
}

#[tokio::test]
async fn a_container_that_has_not_started_is_a_conflict() {
    let server = Server::start().await;
    let put = |name: &str, node: &str, statuses: Value| {
        server
            .sim
            .put(json!({"kind": "Pod", "metadata": {"namespace": "shop", "name": name},
            "spec": {"nodeName": node, "containers": [{"name": "app", "image": "busybox:1"}]},
            "status": {"phase": "Pending", "containerStatuses": statuses}}));
    };
    put("unscheduled", "", json!(null));
    put("no-status", "node-1", json!(null));
    put(
        "waiting",
        "node-1",
        json!([{"name": "app", "state": {"waiting": {"reason": "ContainerCreating"}}}]),
    );
    for name in ["unscheduled", "no-status", "waiting"] {
        for accept in ["application/json", "text/plain"] {
            let path = pod_path("shop", name) + "/logs";
            let message = send(server.build("GET", &path).header("accept", accept))
                .await
                .fails(409_001);
            assert!(message.contains("not started") && message.contains(name), "{message}");
            assert_eq!(message.contains("ContainerCreating"), name == "waiting", "{message}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_long_log_is_cut_in_json_and_whole_in_plain() {
    let server = started().await;
    let line = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n";
    let log = line.repeat((MAX + (2 << 20)) / line.len());
    write(&server, log.as_bytes());
    let data = server.get(&path("")).await.data();
    assert_eq!(data["truncated"], true);
    let logs = data["logs"].as_str().unwrap();
    assert!(
        logs == &log[log.len() - MAX..],
        "64 divides 10 MiB: the last lines fit exactly"
    );
    let answer = plain(&server, "").await;
    assert!(answer.bytes == log.as_bytes(), "{} bytes", answer.bytes.len());
    let data = server.get(&path("?limitBytes=100")).await.data();
    assert_eq!(
        data,
        json!({"logs": log[..100]}),
        "what the caller limits is not called truncated"
    );
    server.stop().await;
}

#[tokio::test]
async fn of_one_huge_line_the_end_comes() {
    let server = started().await;
    write(&server, "€".repeat(MAX / 3 + 100_000).as_bytes());
    let data = server.get(&path("")).await.data();
    assert_eq!(data["truncated"], true);
    let logs = data["logs"].as_str().unwrap();
    assert!(logs.len() <= MAX && logs.len() > MAX - 3 && logs.chars().all(|c| c == '€'));
    server.stop().await;
}

/// A JSON answer stays in memory until its client has read it, and clients may be slow.
#[tokio::test]
async fn large_logs_in_json_take_a_bounded_part_of_memory() {
    let api = Options {
        json_logs: MAX + (4 << 20),
        ..Options::default()
    };
    let server = Server::with(Setup {
        api,
        ..Setup::default()
    })
    .await;
    server.sim.run_pod("shop", "web-1", &["app"]);
    write(&server, &b"0123456789abcde\n".repeat(MAX / 16 + 1));
    let unread = server.build("GET", &path("")).send().await.unwrap();
    assert_eq!(unread.status(), 200);
    let refused = server.get(&path("")).await;
    let message = refused.fails(429_001);
    assert!(message.contains("`tailLines`"), "{message}");
    assert_ne!(refused.header("retry-after"), "");
    assert!(plain(&server, "").await.bytes.len() > MAX);
    assert_eq!(text(&server, "?tailLines=1").await, "0123456789abcde\n");
    drop(unread);
    within(async {
        while server.get(&path("")).await.status == 429 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(server.get(&path("")).await.data()["truncated"], true);
    server.stop().await;
}

#[tokio::test]
async fn a_log_in_json_is_written_while_it_is_sent_whatever_its_bytes_are() {
    let server = started().await;
    for byte in [b'\0', 0xff, b'"'] {
        write(&server, &vec![byte; MAX + 1000]);
        let answer = server.get(&path("?tailLines=1")).await;
        assert_eq!(answer.header("content-length"), "");
        let data = answer.data();
        let logs = data["logs"].as_str().unwrap();
        assert_eq!(
            (data["truncated"].as_bool(), logs.len() <= MAX, logs.len() > MAX - 3),
            (Some(true), true, true)
        );
        let want = if byte == 0xff { '\u{fffd}' } else { char::from(byte) };
        assert!(logs.chars().all(|c| c == want));
        write(&server, b"\n");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_session_has_a_quarter_of_the_memory_and_its_end_gives_it_back() {
    let api = Options {
        // Two logs a session.
        json_logs: 8 * (MAX + (1 << 20)),
        ..Options::default()
    };
    let server = Server::with(Setup {
        api,
        ..Setup::default()
    })
    .await;
    server.sim.run_pod("shop", "web-1", &["app"]);
    write(&server, &b"0123456789abcde\n".repeat(MAX / 16 + 1));
    let token = server.login("admin", crate::support::PASSWORD).await;
    let ask = |token: &str| server.client.get(server.url(&path(""))).bearer_auth(token).send();
    let mut unread = Vec::new();
    let refused = loop {
        let answer = ask(&token).await.unwrap();
        if answer.status() != 200 {
            break answer;
        }
        unread.push(answer);
        assert!(unread.len() < 20, "a session takes more than its share");
    };
    assert_eq!(refused.status(), 429);
    assert!(refused.text().await.unwrap().contains("this session"));
    // Others have theirs.
    assert_eq!(server.get(&path("")).await.data()["truncated"], true);
    server.request("POST", "/api/auth/logout", Some(&token), None).await;
    for answer in unread {
        assert!(answer.bytes().await.is_err(), "the answer breaks off");
    }
    server.stop().await;
}

#[tokio::test]
async fn log_downloads_of_a_session_are_capped_as_its_websockets_are() {
    let api = Options {
        websockets: WebSocketLimits {
            per_session: 2,
            ..WebSocketLimits::default()
        },
        ..Options::default()
    };
    let server = Server::with(Setup {
        api,
        ..Setup::default()
    })
    .await;
    server.sim.run_pod("shop", "web-1", &["app"]);
    for _ in 0..20 {
        write(&server, &b"0123456789abcde\n".repeat(1 << 16));
    }
    let ask = || server.build("GET", &path("?download=true")).send();
    let unread = [ask().await.unwrap(), ask().await.unwrap()];
    let refused = send(server.build("GET", &path("?download=true"))).await;
    let message = refused.fails(429_001);
    assert!(message.contains("this session has 2 open log downloads"), "{message}");
    assert_ne!(refused.header("retry-after"), "");
    // Neither JSON nor another session is concerned.
    assert_eq!(server.get(&path("?tailLines=1")).await.status, 200);
    let other = server.login("admin", crate::support::PASSWORD).await;
    let theirs = server
        .client
        .get(server.url(&path("?download=true")))
        .bearer_auth(&other);
    assert_eq!(send(theirs).await.status, 200);
    drop(unread);
    within(async {
        while ask().await.unwrap().status() == 429 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    server.stop().await;
}

#[tokio::test]
async fn a_download_is_a_file_with_a_name() {
    let server = started().await;
    write(&server, b"<script>\n");
    server.sim.restart_container("shop", "web-1", "app", 1);
    for (query, name) in [
        ("?download=true", "web-1-app.log"),
        ("?download=true&container=app&previous=true", "web-1-app-previous.log"),
    ] {
        for accept in ["application/json", "*/*", "text/plain"] {
            let answer = send(server.build("GET", &path(query)).header("accept", accept)).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert_eq!(
                answer.header("content-disposition"),
                format!("attachment; filename=\"{name}\"")
            );
            assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
        }
    }
    server.get(&path("?download=true&container=nope")).await.fails(404_003);
    server.stop().await;
}

#[tokio::test]
async fn a_log_that_breaks_off_is_never_taken_for_whole() {
    let server = started().await;
    write(&server, &b"line\n".repeat(100_000));
    server.sim.faults().cut_logs_after(Some(70_000));
    let message = server.get(&path("")).await.fails(502_001);
    assert!(message.contains("sim"), "{message}");
    let response = server
        .build("GET", &path(""))
        .header("accept", "text/plain")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.is_err(), "the answer breaks off as well");
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_stops_the_reading_upstream() {
    let server = started().await;
    let total = 60 << 20;
    for _ in 0..60 {
        write(
            &server,
            &(vec![b'x'; 1023]
                .into_iter()
                .chain([b'\n'])
                .collect::<Vec<_>>()
                .repeat(1024)),
        );
    }
    let response = server
        .build("GET", &path(""))
        .header("accept", "text/plain")
        .send()
        .await
        .unwrap();
    let sent = steady(&server).await;
    assert!(sent < total, "{sent} of {total} bytes were read for nobody");
    drop(response);
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while server.sim.open_logs() > 0 {
        assert!(tokio::time::Instant::now() < deadline, "the log is still being read");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(server.sim.log_bytes_sent() < total, "the rest was not read either");
    server.stop().await;
}

/// Waits until no more bytes leave the cluster; how many did.
async fn steady(server: &Server) -> u64 {
    let mut sent = 0;
    let mut quiet = 0;
    while quiet < 10 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let now = server.sim.log_bytes_sent();
        quiet = if now == sent && now > 0 { quiet + 1 } else { 0 };
        sent = now;
    }
    sent
}

#[tokio::test]
async fn a_download_ends_with_its_session() {
    let server = started().await;
    for _ in 0..60 {
        write(&server, &b"0123456789abcde\n".repeat(1 << 16));
    }
    let token = server.login("admin", crate::support::PASSWORD).await;
    let request = server
        .client
        .get(server.url(&path("")))
        .bearer_auth(&token)
        .header("accept", "text/plain");
    let mut body = request.send().await.unwrap().bytes_stream();
    within(body.next()).await.unwrap().unwrap();
    let answer = server.request("POST", "/api/auth/logout", Some(&token), None).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let broke = within(async {
        while let Some(piece) = body.next().await {
            if piece.is_err() {
                return true;
            }
        }
        false
    });
    assert!(broke.await, "the log came whole though its session was over");
    server.stop().await;
}

#[tokio::test]
async fn a_log_that_does_not_come_is_given_up() {
    let policy = Policy {
        request_timeout: Duration::from_secs(2),
        ..Policy::default()
    };
    let server = Server::with(Setup {
        policy,
        ..Setup::default()
    })
    .await;
    server.sim.run_pod("shop", "web-1", &["app"]);
    server
        .sim
        .faults()
        .delay_requests("/web-1/log", Duration::from_secs(60));
    let message = server.get(&path("")).await.fails(504_001);
    assert!(message.contains("web-1/log") && message.contains("sim"), "{message}");
    server.stop().await;
}

#[tokio::test]
async fn the_invalid_part_is_named() {
    let server = started().await;
    for (query, part) in [
        ("?sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z", "`sinceTime`"),
        ("?sinceSeconds=0", "`sinceSeconds`"),
        ("?sinceSeconds=-5", "`sinceSeconds`"),
        ("?sinceSeconds=4294967296", "`sinceSeconds`"),
        ("?sinceTime=yesterday", "`sinceTime`"),
        ("?tailLines=-1", "`tailLines`"),
        ("?tailLines=1e3", "`tailLines`"),
        ("?tailLines=1&tailLines=2", "`tailLines`"),
        ("?limitBytes=0", "`limitBytes`"),
        ("?timestamps=1", "`timestamps`"),
        ("?previous=True", "`previous`"),
        ("?download=", ""),
        ("?follow=true", "`follow`"),
        ("?container=a&container=b", "`container`"),
        ("?container=%00", "`container`"),
        ("?container=%ff", "`container`"),
    ] {
        if part.is_empty() {
            server.get(&path(query)).await.data();
            continue;
        }
        let message = server.get(&path(query)).await.fails(400_001);
        assert!(message.contains(part), "{query}: {message}");
    }
    server.stop().await;
}
