//! Many ordinary pods.

use crate::client::{Api, until};
use podgate_sim::{Content, Options};
use reqwest::Method;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

async fn synthetic(pods: usize, churn: f64) -> Api {
    Api::with(Options {
        content: Content::Synthetic {
            pods,
            nodes: 7,
            namespaces: 5,
            churn,
        },
        ..Options::default()
    })
    .await
}

async fn pods(api: &Api) -> Vec<Value> {
    api.get("/api/v1/pods").await.1["items"].as_array().unwrap().clone()
}

fn names(pods: &[Value]) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    pods.iter()
        .map(|pod| (text(&pod["metadata"]["name"]), text(&pod["metadata"]["uid"])))
        .collect()
}

#[tokio::test]
async fn pods_are_of_ordinary_size_and_shape() {
    let api = synthetic(650, 0.0).await;
    let pods = pods(&api).await;
    assert_eq!(pods.len(), 650);
    for pod in &pods {
        assert_eq!(pod["spec"]["containers"].as_array().unwrap().len(), 2);
        assert_eq!(pod["metadata"]["labels"].as_object().unwrap().len(), 8);
        let size = pod.to_string().len();
        assert!((17_000..23_000).contains(&size), "{size}");
    }
    let distinct = |pointer: &str| -> BTreeSet<String> {
        pods.iter()
            .filter_map(|pod| pod.pointer(pointer)?.as_str().map(str::to_owned))
            .collect()
    };
    assert_eq!(distinct("/metadata/namespace").len(), 5);
    assert_eq!(distinct("/spec/nodeName").len(), 7);
    assert_eq!(distinct("/metadata/uid").len(), 650);
    assert_eq!(
        distinct("/status/podIP").len(),
        649,
        "all but the one that no node takes"
    );
    let owners = distinct("/metadata/ownerReferences/0/kind");
    assert_eq!(
        owners,
        BTreeSet::from(["Job", "ReplicaSet", "StatefulSet"].map(str::to_owned))
    );
    let waiting = distinct("/status/containerStatuses/0/state/waiting/reason");
    assert_eq!(
        waiting,
        BTreeSet::from(["CrashLoopBackOff", "ImagePullBackOff"].map(str::to_owned))
    );
    let phases = distinct("/status/phase");
    assert_eq!(
        phases,
        BTreeSet::from(["Failed", "Pending", "Running", "Succeeded"].map(str::to_owned))
    );
}

#[tokio::test]
async fn every_hundredth_pod_has_one_of_thirteen_problems() {
    let api = synthetic(2400, 0.0).await;
    let mut ways = BTreeSet::new();
    for pod in pods(&api).await {
        let status = &pod["status"];
        let of = |pointer: &str| {
            status
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let ended = status["containerStatuses"][0]["lastState"]["terminated"]["exitCode"].to_string();
        let waiting = of("/containerStatuses/0/state/waiting/reason");
        let message = of("/containerStatuses/0/state/waiting/message");
        let cause = message.rsplit(": ").next().unwrap_or_default().to_owned();
        if !waiting.is_empty() {
            ways.insert((
                waiting,
                ended,
                if message.contains("pulling") {
                    cause
                } else {
                    String::new()
                },
            ));
        } else if of("/phase") == "Failed" || of("/phase") == "Pending" {
            ways.insert((of("/phase"), of("/reason"), of("/conditions/0/message")));
        }
    }
    // Three variants each of crash loops, images and unschedulable pods; one each of pods that run
    // out of memory, fail, are evicted or lack their configuration.
    assert_eq!(ways.len(), 13, "{ways:#?}");
}

#[tokio::test]
async fn the_same_size_makes_the_same_cluster() {
    let (one, two) = (synthetic(120, 0.0).await, synthetic(120, 0.0).await);
    assert_eq!(names(&pods(&one).await), names(&pods(&two).await));
}

#[tokio::test]
async fn a_deleted_pod_is_replaced_by_its_owner() {
    let api = synthetic(40, 0.0).await;
    let before = names(&pods(&api).await);
    let gone = before.keys().next().unwrap();
    let path = format!("/api/v1/namespaces/team-001/pods/{gone}?gracePeriodSeconds=0");
    assert_eq!(api.send(Method::DELETE, &path).await.status(), 200);
    let after = names(&pods(&api).await);
    assert_eq!((after.len(), after.contains_key(gone)), (40, false));
}

#[tokio::test]
async fn churn_restarts_deletes_and_replaces() {
    let api = synthetic(20, 50.0).await;
    let before = names(&pods(&api).await);
    let sim = api.sim.clone();
    let name = before.keys().next().unwrap().clone();
    until("the first pod's change or end", || {
        sim.get("Pod", "team-001", &name).is_none_or(|pod| {
            let restarts = pod["status"]["containerStatuses"][0]["restartCount"].as_u64();
            restarts > Some(1) || pod["metadata"]["deletionTimestamp"].is_string()
        })
    })
    .await;
}
