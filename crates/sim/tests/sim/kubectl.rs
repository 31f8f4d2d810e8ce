//! The requests of kubectl 1.33.
//!
//! The README promises that `get`, `describe`, `logs`, `exec` and `delete` work on the demo. Logs
//! and exec have tests of their own.

use reqwest::Method;
use reqwest::header::ACCEPT;
use serde_json::{Value, json};

use crate::client::{Api, Frames, answer};

/// The `Accept` header of `kubectl get`.
const TABLE: &str =
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";

/// The `Accept` header of discovery. A server that answers plain JSON is asked group by group.
const DISCOVERY: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
                         application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

async fn table(api: &Api, path: &str) -> Value {
    answer(api.request(Method::GET, path).header(ACCEPT, TABLE)).await.1
}

#[tokio::test]
async fn discovery_is_answered_group_by_group() {
    let api = Api::start().await;
    for (path, kind) in [("/api", "APIVersions"), ("/apis", "APIGroupList")] {
        let request = api.request(Method::GET, path).header(ACCEPT, DISCOVERY);
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(response.json::<Value>().await.unwrap()["kind"], kind);
    }
    let resources = api.get("/api/v1").await.1;
    let names = |field: &str| -> Vec<String> {
        let resources = resources["resources"].as_array().unwrap();
        resources
            .iter()
            .map(|resource| resource[field].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        names("name"),
        ["events", "namespaces", "nodes", "pods", "pods/exec", "pods/log"]
    );
    assert_eq!(names("singularName")[3], "pod");
    assert_eq!(resources["resources"][3]["shortNames"], json!(["po"]));
    assert_eq!(
        api.get("/apis/authorization.k8s.io/v1").await.1["resources"][0]["kind"],
        "SelfSubjectAccessReview"
    );
    assert_eq!(api.get("/version").await.1["minor"], "36");
    assert_eq!(api.get("/apis/apps/v1").await.0, 404);
    assert_eq!(api.get("/openapi/v2").await.0, 404);
}

#[tokio::test]
async fn get_prints_every_kind() {
    let api = Api::start().await;
    api.sim.run_pod("shop", "web", &["app", "proxy"]);
    api.sim.put(json!({"kind": "Event", "metadata": {"namespace": "shop", "name": "web.1"}, "reason": "Started", "type": "Normal",
        "message": "Started container app", "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web"}}));
    let pods = table(&api, "/api/v1/namespaces/shop/pods?limit=500").await;
    let names: Vec<&str> = pods["columnDefinitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "Name",
            "Ready",
            "Status",
            "Restarts",
            "Age",
            "IP",
            "Node",
            "Nominated Node",
            "Readiness Gates"
        ]
    );
    let row = &pods["rows"][0];
    assert_eq!(row["cells"].as_array().unwrap()[..4], ["web", "2/2", "Running", "0"]);
    assert_eq!(
        (&row["object"]["kind"], &row["object"]["spec"]),
        (&json!("PartialObjectMetadata"), &Value::Null)
    );
    for (path, columns) in [
        ("/api/v1/namespaces?limit=500", 3),
        ("/api/v1/nodes?limit=500", 10),
        ("/api/v1/events?limit=500", 10),
        ("/api/v1/nodes/node-1", 10),
    ] {
        let table = table(&api, path).await;
        assert_eq!(table["columnDefinitions"].as_array().unwrap().len(), columns, "{path}");
        assert_eq!(table["rows"][0]["cells"].as_array().unwrap().len(), columns, "{path}");
    }
}

#[tokio::test]
async fn get_sorts_by_whole_objects_and_reads_pages() {
    let api = Api::start().await;
    for name in ["one", "two", "three"] {
        api.sim.run_pod("shop", name, &["app"]);
    }
    api.sim.end_container("shop", "one", "app", 0);
    let page = table(&api, "/api/v1/pods?limit=2&includeObject=None").await;
    assert_eq!(
        (page["rows"].as_array().unwrap().len(), &page["rows"][0]["object"]),
        (2, &Value::Null)
    );
    assert!(page["metadata"]["continue"].is_string());
    assert_eq!(page["rows"][0]["conditions"][0]["reason"], "Succeeded");
    let whole = table(&api, "/api/v1/pods?includeObject=Object").await;
    assert!(whole["rows"][0]["object"]["spec"]["containers"].is_array());
    assert_eq!(table(&api, "/api/v1/pods?includeObject=Some").await["code"], 400);
}

#[tokio::test]
async fn get_watches_tables() {
    let api = Api::start().await;
    api.sim.run_pod("a", "one", &["app"]);
    let request = api.request(Method::GET, "/api/v1/pods?watch=true");
    let mut watch = Frames::open(request.header(ACCEPT, TABLE)).await;
    let (kind, table) = watch.event().await;
    assert_eq!(
        (kind.as_str(), &table["kind"], &table["rows"][0]["cells"][2]),
        ("ADDED", &json!("Table"), &json!("Running"))
    );
    assert_eq!(table["columnDefinitions"][1]["name"], "Ready");
    api.sim.restart_container("a", "one", "app", 1);
    let (_, table) = watch.event().await;
    assert_eq!(table["columnDefinitions"], json!(null), "the columns come once");
}

#[tokio::test]
async fn describe_reads_a_pod_and_its_events() {
    let api = Api::start().await;
    api.sim.run_pod("shop", "web", &["app"]);
    let uid = api.sim.get("Pod", "shop", "web").unwrap()["metadata"]["uid"].clone();
    for (name, uid) in [("web.1", uid.clone()), ("web.2", json!("of-another-pod"))] {
        api.sim.put(json!({"kind": "Event", "metadata": {"namespace": "shop", "name": name}, "reason": "Started", "type": "Normal",
            "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web", "uid": uid}}));
    }
    let accept = "application/vnd.kubernetes.protobuf,application/json";
    let pod = api.request(Method::GET, "/api/v1/namespaces/shop/pods/web");
    let pod = pod.header(ACCEPT, accept).send().await.unwrap();
    assert_eq!(pod.headers()["content-type"], "application/vnd.kubernetes.protobuf");
    let selector = format!(
        "involvedObject.name%3Dweb%2CinvolvedObject.namespace%3Dshop%2CinvolvedObject.uid%3D{}",
        uid.as_str().unwrap()
    );
    let path = format!("/api/v1/namespaces/shop/events?fieldSelector={selector}&limit=500");
    let events = answer(api.request(Method::GET, &path).header(ACCEPT, accept)).await.1;
    assert_eq!(crate::client::names(&events), ["web.1"]);
}

#[tokio::test]
async fn delete_waits_for_the_end_of_the_pod() {
    let api = Api::start().await;
    api.sim.run_pod("shop", "web", &["app"]);
    let web = "/api/v1/namespaces/shop/pods/web";
    let body = json!({"propagationPolicy": "Background"});
    let (status, pod) = answer(api.request(Method::DELETE, web).json(&body)).await;
    assert_eq!(status, 200);
    let path = format!(
        "/api/v1/namespaces/shop/pods?watch=true&fieldSelector=metadata.name%3Dweb&resourceVersion={}",
        pod["metadata"]["resourceVersion"].as_str().unwrap()
    );
    let mut watch = api.watch(&path).await;
    while watch.change().await != "DELETED web" {}
    assert_eq!(api.get(web).await.0, 404);
}
