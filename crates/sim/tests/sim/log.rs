//! `pods/log`.

use crate::client::{Api, DEADLINE, until};
use jiff::Timestamp;
use reqwest::{Method, Response};
use serde_json::json;

const LOG: &str = "/api/v1/namespaces/shop/pods/web/log";

async fn shop() -> Api {
    let api = Api::start().await;
    api.sim.run_pod("shop", "web", &["app"]);
    api
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::new(1_767_780_000 + seconds, 123_456_000).unwrap()
}

/// Returns the log with these parameters, which must succeed.
async fn text(api: &Api, query: &str) -> String {
    let response = api.send(Method::GET, &format!("{LOG}?{query}")).await;
    assert_eq!(response.status(), 200, "{query}");
    assert_eq!(response.headers()["content-type"], "text/plain");
    response.text().await.unwrap()
}

/// Returns the code, reason and message of a refusal.
async fn refusal(api: &Api, path: &str) -> (u16, String, String) {
    let (code, status) = api.get(path).await;
    assert_eq!(status["kind"], "Status", "{path}: {status}");
    (
        code,
        status["reason"].as_str().unwrap().to_owned(),
        status["message"].as_str().unwrap().to_owned(),
    )
}

/// Reads until the bytes so far contain `text`, and returns them.
async fn read_until(response: &mut Response, text: &str) -> String {
    let mut seen = String::new();
    while !seen.contains(text) {
        let chunk = tokio::time::timeout(DEADLINE, response.chunk());
        let chunk = chunk
            .await
            .expect("the log falls silent")
            .unwrap()
            .unwrap_or_else(|| panic!("ended before {text:?}: {seen:?}"));
        seen.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    seen
}

#[tokio::test]
async fn lines_come_as_they_were_written() {
    let api = shop().await;
    let mut bytes = b"plain\n\ncrlf\r\n\x1b[31mred\x1b[0m\n\xff\xfe not UTF-8\n".to_vec();
    bytes.extend(std::iter::repeat_n(b'x', 3_000_000));
    bytes.extend_from_slice(b"\nwithout a line feed");
    api.sim.write_log("shop", "web", "app", &bytes);
    let response = api.send(Method::GET, LOG).await;
    assert!(response.bytes().await.unwrap() == bytes);
    until("the answer's end", || api.sim.open_logs() == 0).await;
    assert_eq!(api.sim.log_bytes_sent(), bytes.len() as u64);
}

#[tokio::test]
async fn parameters_choose_the_lines() {
    let api = shop().await;
    for second in 0..5 {
        api.sim
            .write_log_at("shop", "web", "app", at(second), format!("line {second}\n").as_bytes());
    }
    assert_eq!(text(&api, "tailLines=2").await, "line 3\nline 4\n");
    assert_eq!(text(&api, "tailLines=0").await, "");
    assert_eq!(text(&api, "tailLines=99&limitBytes=9").await, "line 0\nli");
    assert_eq!(
        text(&api, "tailLines=1&timestamps=true").await,
        "2026-01-07T10:00:04.123456000Z line 4\n"
    );
    assert_eq!(
        text(&api, "timestamps=true&limitBytes=32").await,
        "2026-01-07T10:00:00.123456000Z l"
    );
    assert_eq!(text(&api, "sinceTime=2026-01-07T10:00:03Z").await, "line 3\nline 4\n");
    assert_eq!(text(&api, "sinceTime=2026-01-07T10:00:03.5Z").await, "line 4\n");
    assert_eq!(
        text(&api, "sinceTime=2026-01-07T10:00:01Z&tailLines=2").await,
        "line 3\nline 4\n"
    );
    assert_eq!(
        text(&api, "sinceTime=2026-01-07T10:00:04Z&tailLines=3").await,
        "line 4\n"
    );
    assert_eq!(text(&api, "sinceSeconds=1").await, "");
    api.sim.write_log("shop", "web", "app", b"now\n");
    assert_eq!(
        text(
            &api,
            "sinceSeconds=3600&container=app&insecureSkipTLSVerifyBackend=true&stream=All"
        )
        .await,
        "now\n"
    );
}

#[tokio::test]
async fn refusals_are_worded_as_the_api_server_words_them() {
    let api = shop().await;
    api.sim.run_pod("shop", "two", &["app", "proxy"]);
    let invalid = |problem: &str| {
        (
            422,
            "Invalid".to_owned(),
            format!("PodLogOptions \"web\" is invalid: {problem}"),
        )
    };
    let bad = |message: &str| (400, "BadRequest".to_owned(), message.to_owned());
    let cases = [
        (
            "web/log?tailLines=-2",
            invalid("tailLines: Invalid value: -2: must be greater than or equal to 0"),
        ),
        (
            "web/log?sinceSeconds=0",
            invalid("sinceSeconds: Invalid value: 0: must be greater than 0"),
        ),
        (
            "web/log?limitBytes=0",
            invalid("limitBytes: Invalid value: 0: must be greater than 0"),
        ),
        (
            "web/log?sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z",
            invalid("[]: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"),
        ),
        (
            "web/log?stream=Stdout",
            invalid("stream: Forbidden: may not be specified"),
        ),
        (
            "web/log?tailLines=abc",
            bad("strconv.ParseInt: parsing \"abc\": invalid syntax"),
        ),
        (
            "web/log?sinceTime=garbage",
            bad("parsing time \"garbage\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"garbage\" as \"2006\""),
        ),
        ("web/log?container=x", bad("container x is not valid for pod web")),
        (
            "two/log",
            bad("a container name must be specified for pod two, choose one of: [app proxy]"),
        ),
        (
            "web/log?previous=true",
            bad("previous terminated container \"app\" in pod \"web\" not found"),
        ),
        (
            "nope/log",
            (404, "NotFound".to_owned(), "pods \"nope\" not found".to_owned()),
        ),
    ];
    for (path, expected) in cases {
        assert_eq!(
            refusal(&api, &format!("/api/v1/namespaces/shop/pods/{path}")).await,
            expected,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_refused_parameter_is_named_in_the_details() {
    let api = shop().await;
    let (_, status) = api.get(&format!("{LOG}?tailLines=-1")).await;
    assert_eq!(status["details"]["causes"][0]["field"], "tailLines");
    assert_eq!(status["details"]["kind"], "PodLogOptions");
}

#[tokio::test]
async fn a_container_that_waits_says_why() {
    let api = shop().await;
    let waiting = |reason: &str| {
        json!({"kind": "Pod", "metadata": {"namespace": "shop", "name": "slow"},
            "spec": {"nodeName": "node-1", "initContainers": [{"name": "init"}], "containers": [{"name": "app"}]},
            "status": {"phase": "Pending", "containerStatuses": [
                {"name": "app", "restartCount": 0, "state": {"waiting": {"reason": reason}}, "lastState": {}}]}})
    };
    let path = "/api/v1/namespaces/shop/pods/slow/log";
    let cases = [
        (
            "ContainerCreating",
            "container \"app\" in pod \"slow\" is waiting to start: ContainerCreating",
        ),
        (
            "ImagePullBackOff",
            "container \"app\" in pod \"slow\" is waiting to start: trying and failing to pull image",
        ),
        (
            "ErrImagePull",
            "container \"app\" in pod \"slow\" is waiting to start: image can't be pulled",
        ),
    ];
    for (reason, message) in cases {
        api.sim.put(waiting(reason));
        assert_eq!(
            refusal(&api, path).await,
            (400, "BadRequest".to_owned(), message.to_owned())
        );
    }
    let message = "container \"init\" in pod \"slow\" is not available".to_owned();
    assert_eq!(
        refusal(&api, &format!("{path}?container=init")).await,
        (400, "BadRequest".to_owned(), message)
    );
}

#[tokio::test]
async fn a_pod_without_a_node_has_an_empty_log() {
    let api = Api::start().await;
    api.sim.put(
        json!({"kind": "Pod", "metadata": {"namespace": "default", "name": "new"},
        "spec": {"containers": [{"name": "app"}]}, "status": {"phase": "Pending"}}),
    );
    for query in ["", "?follow=true", "?previous=true"] {
        let response = api
            .send(Method::GET, &format!("/api/v1/namespaces/default/pods/new/log{query}"))
            .await;
        assert_eq!(
            (response.status().as_u16(), response.text().await.unwrap().as_str()),
            (204, "")
        );
    }
}

#[tokio::test]
async fn the_previous_run_keeps_its_log() {
    let api = shop().await;
    api.sim.write_log("shop", "web", "app", b"first\n");
    api.sim.restart_container("shop", "web", "app", 1);
    api.sim.write_log("shop", "web", "app", b"second\n");
    assert_eq!(text(&api, "").await, "second\n");
    assert_eq!(text(&api, "previous=true").await, "first\n");
}

#[tokio::test]
async fn while_a_container_waits_its_last_run_is_the_log_and_the_previous_log() {
    let api = shop().await;
    api.sim.write_log("shop", "web", "app", b"fatal\n");
    api.sim.end_container("shop", "web", "app", 1);
    assert_eq!(text(&api, "").await, "fatal\n");
    let mut pod = api.sim.get("Pod", "shop", "web").unwrap();
    let status = &mut pod["status"]["containerStatuses"][0];
    status["lastState"] = status["state"].clone();
    status["state"] = json!({"waiting": {"reason": "CrashLoopBackOff"}});
    api.sim.put(pod);
    assert_eq!(text(&api, "").await, "fatal\n");
    assert_eq!(text(&api, "previous=true").await, "fatal\n");
}

#[tokio::test]
async fn a_follow_lasts_until_the_run_ends() {
    let api = shop().await;
    api.sim.write_log("shop", "web", "app", b"old\nlast\n");
    let mut response = api.send(Method::GET, &format!("{LOG}?follow=true&tailLines=1")).await;
    assert_eq!(read_until(&mut response, "last\n").await, "last\n");
    assert_eq!(api.sim.open_logs(), 1);
    api.sim.write_log("shop", "web", "app", b"half");
    read_until(&mut response, "half").await;
    api.sim.write_log("shop", "web", "app", b" line\n");
    assert_eq!(read_until(&mut response, "\n").await, " line\n");
    api.sim.rotate_log("shop", "web", "app");
    api.sim.write_log("shop", "web", "app", b"rotated\n");
    assert_eq!(read_until(&mut response, "\n").await, "rotated\n");
    assert_eq!(text(&api, "").await, "rotated\n");
    api.sim.restart_container("shop", "web", "app", 1);
    api.sim.write_log("shop", "web", "app", b"next run\n");
    assert_eq!(response.text().await.unwrap(), "");
    until("the follow's end", || api.sim.open_logs() == 0).await;
}

#[tokio::test]
async fn a_follow_ends_with_success_when_the_pod_is_removed_or_a_fault_ends_it() {
    let api = shop().await;
    api.sim.write_log("shop", "web", "app", b"one\n");
    let follow = || {
        api.send(
            Method::GET,
            "/api/v1/namespaces/shop/pods/web/log?follow=true&timestamps=false",
        )
    };
    let mut response = follow().await;
    read_until(&mut response, "one\n").await;
    api.sim.faults().end_follows();
    assert_eq!(response.text().await.unwrap(), "");
    let mut response = follow().await;
    read_until(&mut response, "one\n").await;
    api.sim.remove("Pod", "shop", "web");
    assert_eq!(response.text().await.unwrap(), "");
}

#[tokio::test]
async fn faults_break_the_connection() {
    let api = shop().await;
    api.sim.write_log("shop", "web", "app", b"0123456789\n");
    let mut response = api.send(Method::GET, &format!("{LOG}?follow=true")).await;
    read_until(&mut response, "9\n").await;
    api.sim.faults().cut_logs();
    assert!(response.chunk().await.is_err());
    api.sim.faults().cut_logs_after(Some(4));
    let mut response = api.send(Method::GET, LOG).await;
    assert_eq!(read_until(&mut response, "3").await, "0123");
    assert!(response.chunk().await.is_err());
    api.sim.faults().cut_logs_after(None);
    assert_eq!(text(&api, "").await, "0123456789\n");
}

#[tokio::test]
async fn a_client_that_does_not_read_stops_the_log() {
    const WRITTEN: u64 = 32 << 20;
    let api = shop().await;
    let line = [b"y".repeat(1023), b"\n".to_vec()].concat();
    api.sim.write_log("shop", "web", "app", &line.repeat(32 << 10));
    let response = api.send(Method::GET, &format!("{LOG}?follow=true")).await;
    until("the first bytes", || api.sim.log_bytes_sent() > 0).await;
    // How much the sockets hold differs between machines, so wait until the count stands still,
    // which must be well before the end.
    let mut before = 0;
    loop {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        let sent = api.sim.log_bytes_sent();
        if sent == before {
            break;
        }
        before = sent;
    }
    assert!(before < WRITTEN, "{before}");
    drop(response);
    until("the answer's end", || api.sim.open_logs() == 0).await;
}
