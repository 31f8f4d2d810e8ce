//! `GET /api/clusters/{clusterId}/namespaces/{namespace}/pods/{name}/events`.

use serde_json::{Value, json};

use crate::{pods_detail::pod_path, support::Server};

fn pod(server: &Server) -> Value {
    server.sim.put(json!({
        "kind": "Pod",
        "metadata": {"name": "web-1", "namespace": "shop", "uid": "mine", "creationTimestamp": "2026-01-01T12:00:00Z",
            "annotations": {"kubernetes.io/config.mirror": "mirrored"}},
        "spec": {"nodeName": "node-1", "containers": [{"name": "app"}]}, "status": {"phase": "Running"}
    }))
}

/// Creates an event about a pod; `more` replaces fields.
fn event(server: &Server, name: &str, uid: &str, last: &str, more: Value) {
    let mut event = json!({
        "kind": "Event", "metadata": {"name": name, "namespace": "shop", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web-1", "uid": uid},
        "type": "Normal", "reason": name, "message": "", "firstTimestamp": null, "lastTimestamp": last, "eventTime": null
    });
    for (field, value) in more.as_object().unwrap() {
        event[field] = value.clone();
    }
    server.sim.put(event);
}

async fn reasons(server: &Server) -> Vec<String> {
    let data = server.get(&(pod_path("shop", "web-1") + "/events")).await.data();
    let reason = |event: &Value| event["reason"].as_str().unwrap().to_owned();
    data.as_array().unwrap().iter().map(reason).collect()
}

#[tokio::test]
async fn an_event_has_the_specified_fields() {
    let server = Server::start().await;
    pod(&server);
    let more = json!({
        "type": "Warning", "reason": "BackOff", "message": "Back-off restarting \u{1b}[31mfailed\u{1b}[0m container", "count": 7,
        "firstTimestamp": "2026-01-01T12:00:01Z", "source": {"component": "kubelet", "host": "node-1"},
        "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web-1", "uid": "mine", "fieldPath": "spec.containers{app}"}
    });
    event(&server, "a", "mine", "2026-01-01T12:30:00Z", more);
    let more = json!({
        "lastTimestamp": null, "eventTime": "2026-01-01T12:05:00.123456Z", "reportingComponent": "scheduler",
        "series": {"count": 3, "lastObservedTime": "2026-01-01T12:10:00.5Z"}
    });
    event(&server, "b", "mine", "", more);
    let answer = server.get(&(pod_path("shop", "web-1") + "/events")).await;
    assert!(answer.json().get("message").is_none(), "nothing is left out");
    let data = answer.data();
    assert_eq!(
        data,
        json!([
            {"type": "Warning", "reason": "BackOff", "message": "Back-off restarting \u{1b}[31mfailed\u{1b}[0m container",
             "firstSeen": "2026-01-01T12:00:01Z", "lastSeen": "2026-01-01T12:30:00Z", "count": 7, "source": "kubelet", "container": "app"},
            {"type": "Normal", "reason": "b", "message": "", "firstSeen": "2026-01-01T12:05:00.123456Z",
             "lastSeen": "2026-01-01T12:10:00.5Z", "count": 3, "source": "scheduler", "container": ""},
        ])
    );
    server.stop().await;
}

#[tokio::test]
async fn only_this_pods_events_come_newest_first() {
    let server = Server::start().await;
    pod(&server);
    assert_eq!(
        server.get(&(pod_path("shop", "web-1") + "/events")).await.data(),
        json!([])
    );
    let about = |kind: &str, namespace: &str, name: &str| json!({"involvedObject": {"kind": kind, "namespace": namespace, "name": name, "uid": "mine"}});
    event(&server, "second", "mine", "2026-01-01T12:02:00Z", json!({}));
    event(&server, "fourth", "mirrored", "2026-01-01T11:00:00Z", json!({}));
    event(&server, "first", "", "2026-01-01T12:03:00Z", json!({}));
    event(&server, "third", "mine", "2026-01-01T12:01:00Z", json!({}));
    event(&server, "predecessor", "theirs", "2026-01-01T12:04:00Z", json!({}));
    event(&server, "older-without-uid", "", "2026-01-01T11:59:59Z", json!({}));
    event(
        &server,
        "other-pod",
        "mine",
        "2026-01-01T12:04:00Z",
        about("Pod", "shop", "web-12"),
    );
    event(
        &server,
        "other-kind",
        "mine",
        "2026-01-01T12:04:00Z",
        about("Node", "shop", "web-1"),
    );
    assert_eq!(reasons(&server).await, ["first", "second", "third", "fourth"]);
    server.stop().await;
}

#[tokio::test]
async fn of_many_events_the_newest_1000_are_listed_and_the_message_says_so() {
    let server = Server::start().await;
    pod(&server);
    for number in 0..1100 {
        let last = format!("2026-01-01T12:{:02}:{:02}Z", number / 60, number % 60);
        event(&server, &format!("e{number:04}"), "mine", &last, json!({}));
    }
    let want: Vec<_> = (100..1100).rev().map(|number| format!("e{number:04}")).collect();
    assert_eq!(reasons(&server).await, want);
    let answer = server.get(&(pod_path("shop", "web-1") + "/events")).await.json();
    let message = answer["message"].as_str().unwrap();
    assert!(message.contains("newest 1000 of 1100"), "{message}");
    let listed = |server: &Server| {
        server
            .sim
            .requests()
            .iter()
            .filter(|r| r.path.ends_with("/events"))
            .count()
    };
    assert_eq!(listed(&server), 6, "pages of 500, read twice");
    // The token of the second page has expired: the list is read again in one piece.
    server.sim.faults().no_pages_after(Some(1));
    assert_eq!(reasons(&server).await, want);
    server.stop().await;
}
