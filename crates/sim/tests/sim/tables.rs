//! Tables: what kubectl prints.

use reqwest::Method;
use reqwest::header::ACCEPT;
use serde_json::{Value, json};

use crate::client::{Api, answer};

async fn table(api: &Api, path: &str) -> Value {
    let accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
    answer(api.request(Method::GET, path).header(ACCEPT, accept)).await.1
}

#[tokio::test]
async fn every_kind_has_its_columns() {
    let api = Api::start().await;
    api.sim.run_pod("shop", "web", &["app", "proxy"]);
    api.sim.put(json!({"kind": "Event", "metadata": {"namespace": "shop", "name": "web.1"}, "reason": "Started", "type": "Normal",
        "message": "Started container app", "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web"}}));
    let pods = table(&api, "/api/v1/namespaces/shop/pods").await;
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
        ("/api/v1/namespaces", 3),
        ("/api/v1/nodes", 10),
        ("/api/v1/events", 10),
        ("/api/v1/nodes/node-1", 10),
    ] {
        let table = table(&api, path).await;
        assert_eq!(table["columnDefinitions"].as_array().unwrap().len(), columns, "{path}");
        assert_eq!(table["rows"][0]["cells"].as_array().unwrap().len(), columns, "{path}");
    }
}

#[tokio::test]
async fn rows_include_what_is_asked_for_and_pages_hold() {
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
