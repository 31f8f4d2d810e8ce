//! Watches: their start, their events and their end.

use std::time::Duration;

use podgate_sim::Options;
use serde_json::json;

use crate::client::{Api, Frame, pod, until};

#[tokio::test]
async fn a_watch_sends_every_change_after_its_version() {
    let api = Api::start().await;
    api.sim.put(pod("a", "old", json!({})));
    let version = api.version().await;
    api.sim.put(pod("a", "one", json!({})));
    let mut watch = api
        .watch(&format!("/api/v1/pods?watch=true&resourceVersion={version}"))
        .await;
    assert_eq!(watch.change().await, "ADDED one");
    api.sim.put(pod("a", "one", json!({"new": "label"})));
    api.sim.remove("Pod", "a", "one");
    assert_eq!(watch.change().await, "MODIFIED one");
    let (kind, gone) = watch.event().await;
    assert_eq!(kind, "DELETED");
    assert_eq!(
        gone["metadata"]["resourceVersion"].as_str(),
        Some(api.version().await.as_str())
    );
}

#[tokio::test]
async fn a_selection_adds_and_deletes_what_enters_and_leaves_it() {
    let api = Api::start().await;
    let version = api.version().await;
    let path = format!("/api/v1/namespaces/a/pods?watch=1&labelSelector=on%3Dyes&resourceVersion={version}");
    let mut watch = api.watch(&path).await;
    api.sim.put(pod("b", "elsewhere", json!({"on": "yes"})));
    api.sim.put(pod("a", "web", json!({"on": "no"})));
    api.sim.put(pod("a", "web", json!({"on": "yes"})));
    api.sim.put(pod("a", "web", json!({"on": "yes", "more": ""})));
    api.sim.put(pod("a", "web", json!({"on": "no"})));
    assert_eq!(watch.change().await, "ADDED web");
    assert_eq!(watch.change().await, "MODIFIED web");
    let (kind, left) = watch.event().await;
    assert_eq!(
        (kind.as_str(), &left["metadata"]["labels"]["on"]),
        ("DELETED", &json!("yes"))
    );
    assert_eq!(
        left["metadata"]["resourceVersion"].as_str(),
        Some(api.version().await.as_str())
    );
}

#[tokio::test]
async fn a_streaming_list_ends_with_its_bookmark() {
    let api = Api::start().await;
    api.sim.put(pod("a", "one", json!({})));
    api.sim.put(pod("b", "two", json!({})));
    let path =
        "/api/v1/pods?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut watch = api.watch(path).await;
    assert_eq!(watch.change().await, "ADDED one");
    assert_eq!(watch.change().await, "ADDED two");
    let end = watch.bookmark().await;
    assert_eq!(end["annotations"]["k8s.io/initial-events-end"], "true");
    assert_eq!(end["resourceVersion"].as_str(), Some(api.version().await.as_str()));
    api.sim.remove("Pod", "a", "one");
    assert_eq!(watch.change().await, "DELETED one");
    assert_eq!(
        api.get(&path.replace("&resourceVersionMatch=NotOlderThan", "")).await.0,
        422
    );
    assert_eq!(
        api.get("/api/v1/pods?watch=true&resourceVersion=1&resourceVersionMatch=NotOlderThan")
            .await
            .0,
        422
    );
    assert_eq!(api.get(&format!("{path}&resourceVersion=99999999")).await.0, 504);
}

#[tokio::test]
async fn a_watch_without_a_version_begins_with_all_objects() {
    let api = Api::start().await;
    api.sim.put(pod("a", "one", json!({})));
    let mut watch = api.watch("/api/v1/pods?watch=true").await;
    assert_eq!(watch.change().await, "ADDED one");
    api.sim.put(pod("a", "two", json!({})));
    assert_eq!(watch.change().await, "ADDED two");
    let mut silent = api
        .watch("/api/v1/pods?watch=true&sendInitialEvents=false&resourceVersionMatch=NotOlderThan")
        .await;
    api.sim.remove("Pod", "a", "one");
    assert_eq!(silent.change().await, "DELETED one");
}

#[tokio::test]
async fn bookmarks_are_sent_on_request() {
    let options = Options {
        bookmark_every: Duration::from_millis(20),
        ..Options::default()
    };
    let api = Api::with(options).await;
    let version = api.version().await;
    let mut watch = api
        .watch(&format!(
            "/api/v1/pods?watch=true&allowWatchBookmarks=true&resourceVersion={version}"
        ))
        .await;
    assert_eq!(
        watch.bookmark().await["resourceVersion"].as_str(),
        Some(version.as_str())
    );
    let mut without = api
        .watch(&format!("/api/v1/pods?watch=true&resourceVersion={version}"))
        .await;
    watch.bookmark().await;
    api.sim.put(pod("a", "one", json!({})));
    assert_eq!(without.event().await.0, "ADDED");
}

#[tokio::test]
async fn a_watch_ends_cleanly_after_its_timeout() {
    let api = Api::start().await;
    let mut watch = api.watch("/api/v1/pods?watch=true&timeoutSeconds=1").await;
    assert_eq!(watch.next().await, Frame::End);
    until("the watch is gone", || api.sim.open_watches() == 0).await;
}

#[tokio::test]
async fn a_version_that_is_too_old_is_an_error_event() {
    let api = Api::with(Options {
        history: 3,
        ..Options::default()
    })
    .await;
    let version = api.version().await;
    for index in 0..3 {
        api.sim.put(pod("a", &format!("pod-{index}"), json!({})));
    }
    let path = format!("/api/v1/pods?watch=true&resourceVersion={version}");
    assert_eq!(api.watch(&path).await.change().await, "ADDED pod-0");
    api.sim.put(pod("a", "pod-3", json!({})));
    let mut watch = api.watch(&path).await;
    let (kind, status) = watch.event().await;
    assert_eq!(
        (kind.as_str(), &status["code"], &status["reason"]),
        ("ERROR", &json!(410), &json!("Expired"))
    );
    assert_eq!(watch.next().await, Frame::End);
}

#[tokio::test]
async fn fresh_events_are_kept_however_many_came_since() {
    let api = Api::with(Options {
        history: 3,
        fresh: Duration::from_secs(3600),
        ..Options::default()
    })
    .await;
    let version = api.version().await;
    // More than an open watch may lag behind.
    for index in 0..5000 {
        api.sim.put(pod("a", &format!("pod-{index}"), json!({})));
    }
    let path = format!("/api/v1/pods?watch=true&resourceVersion={version}");
    assert_eq!(api.watch(&path).await.change().await, "ADDED pod-0");
}

#[tokio::test]
async fn a_watch_from_a_future_version_is_silent_until_then() {
    let api = Api::start().await;
    let version: u64 = api.version().await.parse().unwrap();
    let mut watch = api
        .watch(&format!("/api/v1/pods?watch=true&resourceVersion={}", version + 2))
        .await;
    for name in ["one", "two", "three"] {
        api.sim.put(pod("a", name, json!({})));
    }
    assert_eq!(watch.change().await, "ADDED three");
}

#[tokio::test]
async fn a_watcher_that_lags_too_far_behind_is_dropped_with_410() {
    let api = Api::start().await;
    let version = api.version().await;
    let mut watch = api
        .watch(&format!("/api/v1/pods?watch=true&resourceVersion={version}"))
        .await;
    // Without an await in between, the watch can't keep up with these.
    for index in 0..5000 {
        api.sim.put(pod("a", &format!("pod-{}", index % 10), json!({})));
    }
    let last = loop {
        let (kind, object) = watch.event().await;
        if kind == "ERROR" {
            break object;
        }
    };
    assert_eq!(last["code"], 410);
    assert_eq!(watch.next().await, Frame::End);
}

#[tokio::test]
async fn a_client_that_disconnects_ends_its_watch() {
    let api = Api::start().await;
    let watch = api.watch("/api/v1/pods?watch=true").await;
    assert_eq!((api.sim.open_watches(), api.sim.open_streams()), (1, 1));
    drop(watch);
    until("the watch is gone", || api.sim.open_streams() == 0).await;
}

#[tokio::test]
async fn a_watch_by_an_unknown_field_is_refused() {
    let api = Api::start().await;
    assert_eq!(api.get("/api/v1/pods?watch=true&fieldSelector=x%3D1").await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_event_follows_a_bookmark_of_a_later_version() {
    let api = Api::with(Options {
        bookmark_every: Duration::from_millis(1),
        ..Options::default()
    })
    .await;
    let version = api.version().await;
    let path = format!("/api/v1/pods?watch=true&allowWatchBookmarks=true&resourceVersion={version}");
    let mut watch = api.watch(&path).await;
    let sim = api.sim.clone();
    let changes = std::thread::spawn(move || {
        for number in 0..3_000 {
            sim.put(pod(
                "a",
                &format!("pod-{}", number % 50),
                json!({"number": number.to_string()}),
            ));
        }
    });
    let (mut last, mut events) = (0, 0);
    while events < 3_000 {
        let (kind, object) = watch.event().await;
        let version: u64 = object["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap();
        assert!(version >= last, "a {kind} of {version} after {last}");
        last = version;
        events += usize::from(kind != "BOOKMARK");
    }
    changes.join().unwrap();
}
