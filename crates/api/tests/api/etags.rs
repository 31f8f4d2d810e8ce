//! Answers that have not changed: `ETag` and `If-None-Match`.

use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::json;

use crate::{
    pods_detail::pod_path,
    support::{Answer, Server, cluster, send, synced, within},
};

const PODS: &str = "/api/clusters/sim/pods";

impl Server {
    /// Sends a `GET` as the admin with `If-None-Match`.
    async fn get_unless(&self, path: &str, known: &str) -> Answer {
        send(self.build("GET", path).header("if-none-match", known)).await
    }

    /// Returns the tag of an answer.
    async fn tag(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.header("etag").to_owned()
    }
}

#[tokio::test]
async fn a_list_that_has_not_changed_is_not_sent_again() {
    let server = Server::start().await;
    server.run_pod("default", "web", &["main"]).await;
    for path in [PODS, "/api/pods", "/api/pods?search=web&facets=status&pageSize=3"] {
        let first = server.get(path).await;
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with("W/\"") && tag.ends_with('"'), "{tag}");
        for known in [
            tag.clone(),
            format!("\"other\", {tag}"),
            tag.replace("W/", ""),
            "*".into(),
        ] {
            let request = server.build("GET", path).header("if-none-match", &known);
            let answer = send(request.header("x-request-id", "my-id")).await;
            assert_eq!((answer.status, answer.bytes.len()), (304, 0), "{path} {known}");
            assert_eq!(answer.header("etag"), tag);
            assert_eq!(answer.header("x-request-id"), "my-id");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            for answer in [&first, &answer] {
                assert_eq!(answer.header("cache-control"), "no-cache, private");
                assert_eq!(answer.header("vary"), "authorization, cookie, accept, accept-encoding");
            }
        }
        let head = send(server.build("HEAD", path).header("if-none-match", &tag)).await;
        assert_eq!(head.status, 304);
        for other in ["\"other\"", "W/\"\"", "", "nonsense"] {
            let answer = server.get_unless(path, other).await;
            assert_eq!((answer.status, answer.header("etag")), (200, &*tag), "{other}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_large_list_is_compressed_for_who_takes_gzip() {
    let server = Server::start().await;
    for number in 0..40 {
        server.run_pod("default", &format!("web-{number}"), &["main"]).await;
    }
    let get =
        |path: &'static str, accept: &'static str| send(server.build("GET", path).header("accept-encoding", accept));
    let path = "/api/clusters/sim/pods?pageSize=40";
    let plain = get(path, "identity").await;
    assert!(plain.bytes.len() > 16 << 10 && plain.header("content-encoding").is_empty());
    let packed = get(path, "br, gzip").await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.bytes.len() < plain.bytes.len() / 2, "{}", packed.bytes.len());
    let mut unpacked = Vec::new();
    GzDecoder::new(&*packed.bytes).read_to_end(&mut unpacked).unwrap();
    let unpacked: serde_json::Value = serde_json::from_slice(&unpacked).unwrap();
    assert_eq!(unpacked["data"]["items"], plain.data()["items"]);
    assert_ne!(packed.header("etag"), plain.header("etag"));
    let again = server.build("GET", path).header("accept-encoding", "gzip");
    let again = send(again.header("if-none-match", packed.header("etag"))).await;
    assert_eq!(again.status, 304);
    for (path, accept) in [
        ("/api/clusters/sim/pods?pageSize=1", "gzip"),
        ("/api/clusters/sim/pods?pageSize=40", "gzip;q=0"),
        ("/api/openapi.json", "gzip"),
    ] {
        let answer = get(path, accept).await;
        assert_eq!(
            (answer.status, answer.header("content-encoding")),
            (200, ""),
            "{path} {accept}"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn only_a_change_of_what_it_shows_makes_a_list_new() {
    let server = Server::start().await;
    let other = cluster("other").await;
    synced(server.add(&other, 9)).await;
    server.run_pod("a", "web", &["main"]).await;
    let (in_a, of_other) = (format!("{PODS}?namespace=a"), "/api/pods?cluster=other");
    let tags = [server.tag(&in_a).await, server.tag(of_other).await];

    server.run_pod("b", "web", &["main"]).await;
    assert_eq!(server.get_unless(&in_a, &tags[0]).await.status, 304);
    assert_eq!(server.get_unless(of_other, &tags[1]).await.status, 304);

    let all = server.tag(PODS).await;
    server.run_pod("a", "new", &["main"]).await;
    assert_eq!(server.get_unless(PODS, &all).await.data()["total"], 3);
    assert_eq!(server.get_unless(&in_a, &tags[0]).await.data()["total"], 2);
    assert_eq!(server.get_unless(of_other, &tags[1]).await.status, 304);
    server.stop().await;
    within(other.stop()).await;
}

#[tokio::test]
async fn answers_to_different_questions_have_different_tags() {
    let server = Server::start().await;
    let mut tags = Vec::new();
    for path in [
        PODS,
        "/api/pods",
        "/api/clusters/sim/pods?page=2",
        "/api/clusters/sim/pods?pageSize=21",
        "/api/clusters/sim/pods?search=a",
        "/api/clusters/sim/pods?order=asc",
        "/api/clusters/sim/pods?problem=true",
        "/api/clusters/sim/pods?facets=status",
        "/api/clusters/sim/pods?facets=phase",
    ] {
        tags.push(server.tag(path).await);
    }
    let count = tags.len();
    tags.sort_unstable();
    tags.dedup();
    assert_eq!(tags.len(), count);
    let same = [
        server
            .tag(&format!("{PODS}?namespace=b&namespace=a&status=Running"))
            .await,
        server
            .tag(&format!("{PODS}?status=running&namespace=a&namespace=b&page="))
            .await,
    ];
    assert_eq!(same[0], same[1]);
    server.stop().await;
}

#[tokio::test]
async fn a_caller_is_authorised_before_it_hears_that_nothing_changed() {
    let server = Server::start().await;
    let tag = server.tag(PODS).await;
    let get = |token: String, path: &'static str| {
        let request = server.client.get(server.url(path)).bearer_auth(token);
        let tag = format!("{tag}, *");
        async move { send(request.header("if-none-match", tag)).await }
    };
    get(server.nobody().await, PODS).await.fails(403_001);
    get("nonsense".into(), PODS).await.fails(401_003);
    get(server.token.clone(), "/api/pods?page=0").await.fails(400_001);
    get(server.token.clone(), "/api/pods?cluster=nowhere")
        .await
        .fails(404_002);

    let second = server.user("second", "admin").await;
    let request = server.client.get(server.url(PODS)).bearer_auth(&second);
    let answer = send(request.header("if-none-match", &tag)).await;
    assert_eq!(answer.status, 200, "a tag is its caller's own");
    assert_ne!(answer.header("etag"), tag);

    let logout = server
        .request("POST", "/api/auth/logout", Some(&server.token), None)
        .await;
    assert_eq!(logout.status, 200);
    get(server.token.clone(), PODS).await.fails(401_003);
    server.stop().await;
}

#[tokio::test]
async fn a_sync_that_breaks_makes_a_list_new() {
    let server = Server::start().await;
    server.run_pod("default", "web", &["main"]).await;
    let tags = [server.tag(PODS).await, server.tag("/api/pods").await];
    server.sim.pause().await;
    server
        .until(PODS, |answer| answer.data()["sync"]["state"] == "stale")
        .await;
    for (path, tag) in [PODS, "/api/pods"].iter().zip(&tags) {
        let answer = server.get_unless(path, tag).await;
        assert_eq!(answer.status, 200, "{path}");
    }
    server.sim.resume().await;
    server
        .until(PODS, |answer| answer.data()["sync"]["state"] == "synced")
        .await;
    server.stop().await;
}

#[tokio::test]
async fn a_pod_and_its_events_that_have_not_changed_are_not_sent_again() {
    let server = Server::start().await;
    server.run_pod("shop", "web", &["main"]).await;
    let pod = pod_path("shop", "web");
    let events = pod.clone() + "/events";
    let manifest = |known: &str| {
        let request = server.build("GET", &pod).header("accept", "application/yaml");
        send(request.header("if-none-match", known))
    };
    let [of_pod, of_events] = [server.tag(&pod).await, server.tag(&events).await];
    let of_manifest = manifest("").await.header("etag").to_owned();
    assert!(
        of_manifest != of_pod && of_pod.starts_with("W/\""),
        "{of_manifest} {of_pod}"
    );
    for (answer, tag) in [
        (server.get_unless(&pod, &of_pod).await, &of_pod),
        (server.get_unless(&events, &of_events).await, &of_events),
        (manifest(&of_manifest).await, &of_manifest),
    ] {
        assert_eq!((answer.status, answer.bytes.len()), (304, 0), "{tag}");
        assert_eq!(answer.header("etag"), tag);
        assert_eq!(answer.header("cache-control"), "no-cache, private");
    }
    assert_eq!(manifest(&of_pod).await.status, 200, "another form of the pod");

    let uid = server.get(&pod).await.data()["uid"].take();
    server.sim.put(json!({
        "kind": "Event", "metadata": {"name": "a", "namespace": "shop"}, "type": "Normal", "reason": "Pulled", "message": "",
        "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web", "uid": uid}, "lastTimestamp": "2026-01-01T12:00:00Z"
    }));
    let answer = server.get_unless(&events, &of_events).await;
    assert!(answer.text().contains("Pulled"), "{}", answer.text());
    assert_eq!(server.get_unless(&pod, &of_pod).await.status, 304);
    server.sim.restart_container("shop", "web", "main", 1);
    assert_eq!(server.get_unless(&pod, &of_pod).await.data()["restarts"], 1);
    assert_eq!(manifest(&of_manifest).await.status, 200);

    server.sim.remove("Pod", "shop", "web");
    server.get_unless(&pod, "*").await.fails(404_001);
    server.stop().await;
}
