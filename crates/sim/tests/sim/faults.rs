//! Faults on request.

use std::time::Duration;

use podgate_sim::Options;
use reqwest::Method;
use serde_json::json;

use crate::client::{Api, Frame, pod, until};

const STREAMING: &str =
    "/api/v1/pods?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";

#[tokio::test]
async fn watches_can_break_and_carry_garbage() {
    let api = Api::start().await;
    let mut watch = api.watch("/api/v1/pods?watch=true").await;
    api.sim.faults().garbage_in_watches();
    assert_eq!(watch.next().await, Frame::Garbage);
    api.sim.put(pod("a", "one", json!({})));
    assert_eq!(watch.change().await, "ADDED one");
    api.sim.faults().drop_watches();
    assert_eq!(watch.next().await, Frame::Broken);
    assert_eq!(api.watch("/api/v1/pods?watch=true").await.change().await, "ADDED one");
}

#[tokio::test]
async fn a_stalled_watch_is_silent_until_the_stall_ends() {
    let api = Api::with(Options {
        bookmark_every: Duration::from_millis(10),
        ..Options::default()
    })
    .await;
    let mut stalled = api.watch("/api/v1/pods?watch=true&allowWatchBookmarks=true").await;
    stalled.bookmark().await;
    api.sim.faults().stall_watches(true);
    // Frames that were under way before the stall may still arrive.
    while tokio::time::timeout(Duration::from_millis(200), stalled.next())
        .await
        .is_ok()
    {}
    api.sim.put(pod("a", "one", json!({})));
    let mut later = api.watch("/api/v1/pods?watch=true").await;
    assert_eq!(later.change().await, "ADDED one");
    assert!(
        tokio::time::timeout(Duration::from_millis(200), stalled.next())
            .await
            .is_err()
    );
    api.sim.faults().stall_watches(false);
    assert_eq!(stalled.change().await, "ADDED one");
}

#[tokio::test]
async fn an_expired_history_ends_watches_and_refuses_older_versions() {
    let api = Api::start().await;
    let version = api.version().await;
    let path = format!("/api/v1/pods?watch=true&resourceVersion={version}");
    let mut watch = api.watch(&path).await;
    api.sim.faults().expire_history();
    let (kind, status) = watch.event().await;
    assert_eq!((kind.as_str(), &status["code"]), ("ERROR", &json!(410)));
    assert_eq!(watch.next().await, Frame::End);
    let (status, refused) = api.get(&path).await;
    assert_eq!((status, &refused["reason"]), (410, &json!("Expired")));
    let fresh = api.version().await;
    let mut watch = api
        .watch(&format!("/api/v1/pods?watch=true&resourceVersion={fresh}"))
        .await;
    api.sim.put(pod("a", "one", json!({})));
    assert_eq!(watch.change().await, "ADDED one");
}

#[tokio::test]
async fn a_streaming_list_can_lack_its_end_be_ignored_or_refused() {
    let api = Api::with(Options {
        bookmark_every: Duration::from_millis(20),
        ..Options::default()
    })
    .await;
    api.sim.put(pod("a", "one", json!({})));
    let faults = api.sim.faults();
    faults.no_initial_events_end(true);
    let mut watch = api.watch(STREAMING).await;
    assert_eq!(watch.change().await, "ADDED one");
    assert_eq!(watch.bookmark().await.get("annotations"), None);
    faults.no_initial_events_end(false);
    faults.ignore_send_initial_events(true);
    let version = api.version().await;
    let mut watch = api.watch(&format!("{STREAMING}&resourceVersion={version}")).await;
    assert_eq!(watch.bookmark().await.get("annotations"), None);
    faults.ignore_send_initial_events(false);
    faults.refuse_streaming_list(true);
    assert_eq!(api.get(STREAMING).await.0, 422);
    faults.refuse_streaming_list(false);
    faults.no_bookmarks(true);
    let mut watch = api.watch(STREAMING).await;
    watch.change().await;
    assert!(
        watch.bookmark().await["annotations"].is_object(),
        "the bookmark that ends the list is not a periodic one"
    );
    api.sim.put(pod("a", "two", json!({})));
    assert_eq!(watch.event().await.0, "ADDED");
}

#[tokio::test]
async fn versions_can_go_backwards() {
    let api = Api::with(Options {
        bookmark_every: Duration::from_millis(20),
        ..Options::default()
    })
    .await;
    api.sim.put(pod("a", "one", json!({})));
    let before = api.version().await;
    let path = format!("/api/v1/pods?watch=true&allowWatchBookmarks=true&resourceVersion={before}");
    let mut watch = api.watch(&path).await;
    api.sim.faults().reset_resource_version(500);
    api.sim.put(pod("a", "two", json!({})));
    let (_, lower) = loop {
        let event = watch.event().await;
        if event.0 == "ADDED" {
            break event;
        }
    };
    assert_eq!(lower["metadata"]["resourceVersion"], "501");
    assert_eq!(api.version().await, "501");
    assert_eq!(
        api.watch(&path).await.bookmark().await["resourceVersion"],
        "501",
        "a watch from before stays silent"
    );
    let list = api.get("/api/v1/pods").await.1;
    assert_eq!(list["items"][0]["metadata"]["resourceVersion"], "500");
}

#[tokio::test]
async fn requests_fail_and_wait_on_demand() {
    let api = Api::start().await;
    api.sim.faults().fail_requests("/pods?limit=7", 503, 2);
    let response = api.send(Method::GET, "/api/v1/pods?limit=7").await;
    assert_eq!(
        (
            response.status().as_u16(),
            response.headers().contains_key("retry-after")
        ),
        (503, true)
    );
    assert_eq!(api.get("/api/v1/pods").await.0, 200);
    assert_eq!(api.get("/api/v1/pods?limit=7").await.0, 503);
    assert_eq!(api.get("/api/v1/pods?limit=7").await.0, 200);
    api.sim
        .faults()
        .delay_requests("/api/v1/nodes", Duration::from_secs(600));
    let slow = api.get("/api/v1/nodes");
    assert!(tokio::time::timeout(Duration::from_millis(100), slow).await.is_err());
    api.sim.faults().delay_requests("/api/v1/nodes", Duration::ZERO);
    assert_eq!(api.get("/api/v1/nodes").await.0, 200);
}

#[tokio::test]
async fn pages_can_expire() {
    let api = Api::start().await;
    for index in 0..6 {
        api.sim.put(pod("a", &format!("pod-{index}"), json!({})));
    }
    api.sim.faults().no_pages_after(Some(2));
    let mut token = String::new();
    for expected in [200, 200, 410] {
        let (status, page) = api.get(&format!("/api/v1/pods?limit=2&continue={token}")).await;
        assert_eq!(status, expected);
        token = page["metadata"]["continue"].as_str().unwrap().to_owned();
    }
}

#[tokio::test]
async fn a_pause_cuts_everything_and_a_resume_has_the_same_objects() {
    let api = Api::start().await;
    api.sim.put(pod("a", "one", json!({})));
    let mut watch = api.watch("/api/v1/pods?watch=true").await;
    assert_eq!(watch.change().await, "ADDED one");
    api.sim.pause().await;
    assert_eq!(watch.next().await, Frame::Broken);
    assert!(api.request(Method::GET, "/api/v1/pods").send().await.is_err());
    assert_eq!(api.sim.open_streams(), 0);
    api.sim.resume().await;
    assert_eq!(api.names("/api/v1/pods").await, ["one"]);
    let sim = api.sim.clone();
    sim.stop().await;
    assert!(api.request(Method::GET, "/api/v1/pods").send().await.is_err());
}

#[tokio::test]
async fn the_last_handle_stops_the_server() {
    let api = Api::start().await;
    let address = api.sim.address();
    drop(api);
    let free = || std::net::TcpStream::connect(address).is_err();
    until("nothing listens", free).await;
}
