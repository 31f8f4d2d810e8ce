//! Pods and failures in protobuf, read by a decoder that knows no schema.

use bytes::{Bytes, BytesMut};
use podgate_sim::{Content, Options};
use reqwest::{Method, Response};
use serde_json::json;

use crate::client::{Api, DEADLINE, pod};

const PROTOBUF: &str = "application/vnd.kubernetes.protobuf, application/json";

/// Returns the bytes of the fields at a path of field numbers, one message deeper with each number.
fn find<'a>(message: &'a [u8], path: &[u64]) -> Vec<&'a [u8]> {
    let Some((number, rest)) = path.split_first() else {
        return vec![message];
    };
    let mut found = Vec::new();
    let mut bytes = message;
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        match key & 7 {
            0 => {
                varint(&mut bytes);
            }
            2 => {
                let length = usize::try_from(varint(&mut bytes)).unwrap();
                let (content, after) = bytes.split_at(length);
                bytes = after;
                if key >> 3 == *number {
                    found.extend(find(content, rest));
                }
            }
            other => panic!("wire type {other}"),
        }
    }
    found
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return value;
        }
    }
    panic!("a number of more than 64 bits")
}

fn text(message: &[u8], path: &[u64]) -> String {
    let found = find(message, path);
    assert_eq!(found.len(), 1, "{path:?}");
    String::from_utf8(found[0].to_vec()).unwrap()
}

/// Returns status, content type and body.
async fn get(api: &Api, path: &str, accept: &str) -> (u16, String, Bytes) {
    let response = api
        .request(Method::GET, path)
        .header("Accept", accept)
        .send()
        .await
        .unwrap();
    let media_type = response.headers()["content-type"].to_str().unwrap().to_owned();
    (response.status().as_u16(), media_type, response.bytes().await.unwrap())
}

/// Returns kind and message of an object in its envelope.
fn unwrap(bytes: &[u8]) -> (String, Vec<u8>) {
    let unknown = bytes.strip_prefix(b"k8s\0").expect("the magic");
    (text(unknown, &[1, 2]), find(unknown, &[2])[0].to_vec())
}

/// Returns type, kind and object of the next frames of a watch.
async fn frames(response: &mut Response, count: usize) -> Vec<(String, String, Vec<u8>)> {
    let mut buffer = BytesMut::new();
    let mut frames = Vec::new();
    while frames.len() < count {
        let chunk = tokio::time::timeout(DEADLINE, response.chunk())
            .await
            .expect("a frame within the deadline");
        buffer.extend_from_slice(&chunk.unwrap().expect("more frames"));
        while let Some((length, rest)) = buffer.split_first_chunk() {
            let length = usize::try_from(u32::from_be_bytes(*length)).unwrap();
            let Some(event) = rest.get(..length) else { break };
            let (kind, object) = unwrap(find(event, &[2, 1])[0]);
            frames.push((text(event, &[1]), kind, object));
            let _ = buffer.split_to(4 + length);
        }
    }
    frames
}

#[tokio::test]
async fn a_list_and_its_pages_come_in_protobuf() {
    let api = Api::start().await;
    for name in ["a", "b", "c"] {
        api.sim.put(pod("x", name, json!({"app": name})));
    }
    let (status, media_type, body) = get(&api, "/api/v1/pods?limit=2", PROTOBUF).await;
    assert_eq!(
        (status, media_type.as_str()),
        (200, "application/vnd.kubernetes.protobuf")
    );
    let (kind, list) = unwrap(&body);
    assert_eq!(kind, "PodList");
    assert_eq!(find(&list, &[2, 1, 1]), [b"a", b"b"]);
    assert_eq!(find(&list, &[2, 1, 11, 2]), [b"a", b"b"], "the labels' values");
    assert_eq!(find(&list, &[2, 2, 10]), [b"node-1", b"node-1"]);
    assert_eq!(find(&list, &[2, 3, 1]), [b"Running", b"Running"]);
    let version = text(&list, &[1, 2]);
    assert_eq!(version, api.version().await);
    let next = format!("/api/v1/pods?limit=2&continue={}", text(&list, &[1, 3]));
    let (_, list) = unwrap(&get(&api, &next, PROTOBUF).await.2);
    assert_eq!(
        (find(&list, &[2, 1, 1]), find(&list, &[1, 3]).len()),
        (vec![&b"c"[..]], 0)
    );
    let (_, one) = unwrap(&get(&api, "/api/v1/namespaces/x/pods/b", PROTOBUF).await.2);
    assert_eq!(text(&one, &[1, 1]), "b");
}

#[tokio::test]
async fn a_large_list_is_as_long_as_it_says() {
    let api = Api::with(Options {
        content: Content::Synthetic {
            pods: 300,
            nodes: 7,
            namespaces: 5,
            churn: 0.0,
        },
        ..Options::default()
    })
    .await;
    let (_, list) = unwrap(&get(&api, "/api/v1/pods", PROTOBUF).await.2);
    let (names, json) = (find(&list, &[2, 1, 1]), api.names("/api/v1/pods").await);
    assert_eq!(names, json.iter().map(String::as_bytes).collect::<Vec<_>>());
    for pod in find(&list, &[2]) {
        assert_eq!(find(pod, &[2, 2, 1]), [&b"main"[..], b"proxy"], "the shared containers");
        assert_eq!(
            (find(pod, &[1, 11]).len(), find(pod, &[2, 2, 7]).len()),
            (8, 54),
            "labels and variables"
        );
        assert!((5_000..17_000).contains(&pod.len()), "{} bytes", pod.len());
    }
}

#[tokio::test]
async fn a_watch_and_its_bookmarks_come_in_protobuf() {
    let api = Api::start().await;
    api.sim.put(pod("x", "a", json!({})));
    let path =
        "/api/v1/pods?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let request = api.request(Method::GET, path).header("Accept", PROTOBUF);
    let mut response = request.send().await.unwrap();
    assert_eq!(
        response.headers()["content-type"],
        "application/vnd.kubernetes.protobuf;stream=watch"
    );
    api.sim.put(pod("x", "b", json!({})));
    api.sim.remove("Pod", "x", "a");
    let frames = frames(&mut response, 4).await;
    let events: Vec<_> = frames
        .iter()
        .map(|(event, kind, pod)| {
            format!(
                "{event} {kind} {}",
                String::from_utf8_lossy(find(pod, &[1, 1]).concat().as_slice())
            )
        })
        .collect();
    assert_eq!(events, ["ADDED Pod a", "BOOKMARK Pod ", "ADDED Pod b", "DELETED Pod a"]);
    let bookmark = &frames[1].2;
    assert_eq!(text(bookmark, &[1, 12, 1]), "k8s.io/initial-events-end");
    assert_eq!(text(bookmark, &[1, 12, 2]), "true");
    assert!(text(bookmark, &[1, 6]) < text(&frames[3].2, &[1, 6]));
}

#[tokio::test]
async fn failures_come_in_protobuf() {
    let api = Api::start().await;
    let (status, media_type, body) = get(&api, "/api/v1/pods?continue=abc", PROTOBUF).await;
    assert_eq!(
        (status, media_type.as_str()),
        (400, "application/vnd.kubernetes.protobuf")
    );
    let (kind, failure) = unwrap(&body);
    assert_eq!((kind.as_str(), text(&failure, &[4]).as_str()), ("Status", "BadRequest"));
    let (status, _, body) = get(&api.user("nobody"), "/api/v1/pods", PROTOBUF).await;
    assert_eq!((status, text(&unwrap(&body).1, &[5, 3]).as_str()), (403, "pods"));
    api.sim.faults().fail_requests("/pods", 503, 1);
    assert_eq!(unwrap(&get(&api, "/api/v1/pods", PROTOBUF).await.2).0, "Status");
    let request = api
        .request(Method::GET, "/api/v1/pods?watch=true")
        .header("Accept", PROTOBUF);
    let mut response = request.send().await.unwrap();
    api.sim.faults().expire_history();
    let frames = frames(&mut response, 1).await;
    let (event, kind, failure) = &frames[0];
    assert_eq!(
        (event.as_str(), kind.as_str(), text(failure, &[4]).as_str()),
        ("ERROR", "Status", "Expired")
    );
}

#[tokio::test]
async fn without_protobuf_the_answer_is_json_or_406() {
    let api = Api::start().await;
    let media_type = async |path: &str, accept: &str| {
        let (status, media_type, _) = get(&api, path, accept).await;
        (status, media_type)
    };
    let json = || (200, "application/json".to_owned());
    assert_eq!(media_type("/api/v1/nodes", PROTOBUF).await, json());
    assert_eq!(
        media_type("/api/v1/pods", "application/json, application/vnd.kubernetes.protobuf").await,
        json()
    );
    assert_eq!(api.sim.protobuf_answers(), 0);
    assert_eq!(
        media_type("/api/v1/pods", PROTOBUF).await.1,
        "application/vnd.kubernetes.protobuf"
    );
    assert_eq!(api.sim.protobuf_answers(), 1);
    api.sim.faults().no_protobuf(true);
    assert_eq!(media_type("/api/v1/pods", PROTOBUF).await, json());
    assert_eq!(
        media_type("/api/v1/pods?watch=1&timeoutSeconds=1", PROTOBUF).await,
        json()
    );
    let only = media_type("/api/v1/pods", "application/vnd.kubernetes.protobuf").await;
    assert_eq!(only, (406, "application/json".to_owned()));
}
