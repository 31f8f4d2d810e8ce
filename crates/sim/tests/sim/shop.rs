//! The shop of the demo.

use crate::client::{Api, DEADLINE, until};
use podgate_sim::{Content, Options};
use reqwest::Method;
use serde_json::Value;
use std::collections::BTreeSet;

async fn shop(cluster: &str) -> Api {
    Api::with(Options {
        content: Content::Shop {
            cluster: cluster.to_owned(),
        },
        ..Options::default()
    })
    .await
}

async fn pods(api: &Api) -> Vec<Value> {
    api.get("/api/v1/pods").await.1["items"].as_array().unwrap().clone()
}

/// Returns the reason of the first container's state, or else the pod's phase.
fn reason(pod: &Value) -> &str {
    let state = &pod["status"]["containerStatuses"][0]["state"];
    let reason = state["waiting"]["reason"]
        .as_str()
        .or(state["terminated"]["reason"].as_str());
    reason.or(pod["status"]["phase"].as_str()).unwrap()
}

#[tokio::test]
async fn every_sort_of_problem_is_there_from_the_start() {
    for (cluster, expected) in [
        ("production", ["Running", "CrashLoopBackOff", "Completed", "Pending"]),
        ("staging", ["CrashLoopBackOff", "ImagePullBackOff", "Error", "Pending"]),
    ] {
        let api = shop(cluster).await;
        let pods = pods(&api).await;
        let reasons: BTreeSet<&str> = pods.iter().map(reason).collect();
        let image = |reason: &&str| **reason == *"ImagePullBackOff" && reasons.contains("ErrImagePull");
        for reason in expected {
            assert!(
                reasons.contains(reason) || image(&reason),
                "{cluster}: no {reason} in {reasons:?}"
            );
        }
        let namespaces: BTreeSet<&str> = pods
            .iter()
            .filter_map(|pod| pod["metadata"]["namespace"].as_str())
            .collect();
        assert_eq!(
            namespaces,
            BTreeSet::from(["kube-system", "monitoring", "payments", "shop"])
        );
        let owners: BTreeSet<&str> = pods
            .iter()
            .filter_map(|pod| pod["metadata"]["ownerReferences"][0]["kind"].as_str())
            .collect();
        assert_eq!(
            owners,
            BTreeSet::from(["DaemonSet", "Job", "ReplicaSet", "StatefulSet"])
        );
        assert!(
            pods.iter()
                .any(|pod| pod["spec"]["initContainers"][0]["restartPolicy"] == "Always")
        );
        assert!(
            pods.iter()
                .any(|pod| pod["status"]["containerStatuses"][0]["restartCount"].as_u64() > Some(5))
        );
    }
}

#[tokio::test]
async fn running_containers_have_logs_and_keep_writing() {
    let api = shop("production").await;
    let pods = pods(&api).await;
    let web = pods
        .iter()
        .find(|pod| pod["metadata"]["labels"]["app"] == "storefront")
        .unwrap();
    let path = format!(
        "/api/v1/namespaces/shop/pods/{}/log?container=nginx",
        web["metadata"]["name"].as_str().unwrap()
    );
    let past = api.send(Method::GET, &path).await.text().await.unwrap();
    assert!(past.lines().count() > 50, "{past}");
    let mut follow = api.send(Method::GET, &format!("{path}&follow=true&tailLines=0")).await;
    let line = tokio::time::timeout(DEADLINE, follow.chunk()).await;
    assert!(line.expect("it is silent").unwrap().is_some());
    let crashed = pods
        .iter()
        .find(|pod| pod["metadata"]["labels"]["app"] == "recommendations")
        .unwrap();
    let path = format!(
        "/api/v1/namespaces/shop/pods/{}/log?previous=true",
        crashed["metadata"]["name"].as_str().unwrap()
    );
    assert!(
        api.send(Method::GET, &path)
            .await
            .text()
            .await
            .unwrap()
            .contains("resident memory")
    );
}

#[tokio::test]
async fn a_deleted_pod_is_replaced_by_its_owner() {
    let api = shop("staging").await;
    let of = |pods: Vec<Value>, app: &str| -> Vec<String> {
        let mine = pods.into_iter().filter(|pod| pod["metadata"]["labels"]["app"] == app);
        mine.map(|pod| pod["metadata"]["uid"].as_str().unwrap().to_owned())
            .collect()
    };
    let cart = of(pods(&api).await, "cart");
    let redis = of(pods(&api).await, "redis");
    for pod in pods(&api).await {
        let (app, name) = (
            pod["metadata"]["labels"]["app"].as_str().unwrap(),
            pod["metadata"]["name"].as_str().unwrap(),
        );
        if matches!(app, "cart" | "redis") {
            let path = format!("/api/v1/namespaces/shop/pods/{name}?gracePeriodSeconds=0");
            assert_eq!(api.send(Method::DELETE, &path).await.status(), 200);
        }
    }
    let sim = api.sim.clone();
    until("the StatefulSet's pod comes back under its name", || {
        sim.get("Pod", "shop", "redis-0")
            .is_some_and(|pod| pod["metadata"]["uid"] != redis[0].as_str())
    })
    .await;
    let deadline = tokio::time::Instant::now() + DEADLINE;
    loop {
        let now = of(pods(&api).await, "cart");
        if now.len() == 1 && now != cart {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "{now:?}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn problems_have_their_events() {
    let api = shop("staging").await;
    let sim = api.sim.clone();
    let deadline = tokio::time::Instant::now() + DEADLINE;
    loop {
        let events = api.get("/api/v1/events?fieldSelector=type%3DWarning").await.1;
        let reasons: BTreeSet<String> = events["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| event["reason"].as_str().unwrap().to_owned())
            .collect();
        if reasons.contains("FailedScheduling") && reasons.contains("BackOff") {
            let event = &events["items"][0];
            let namespace = event["involvedObject"]["namespace"].as_str().unwrap();
            let pod = sim
                .get("Pod", namespace, event["involvedObject"]["name"].as_str().unwrap())
                .unwrap();
            assert_eq!(pod["metadata"]["uid"], event["involvedObject"]["uid"]);
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "{reasons:?}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
