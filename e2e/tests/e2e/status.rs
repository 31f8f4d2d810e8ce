//! STATUS, RESTARTS and READY compared with the API server's own Table, for every pod of the tables
//! that the unit test reads.

use k8s_openapi::api::core::v1::Node;
use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{Lab, Server, until};

const TABLES: [&str; 5] = [
    include_str!("../../../crates/cluster/tests/data/status/pod.json"),
    include_str!("../../../crates/cluster/tests/data/status/containers.json"),
    include_str!("../../../crates/cluster/tests/data/status/init.json"),
    include_str!("../../../crates/cluster/tests/data/status/sidecars.json"),
    include_str!("../../../crates/cluster/tests/data/status/deleting.json"),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    name: String,
    rule: String,
    #[serde(default)]
    deleting: bool,
    pod: Value,
    status: String,
    restarts: u64,
    ready: String,
    last_restart: Option<String>,
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn every_row_is_what_the_api_server_prints() {
    let lab = Lab::new("status").await;
    let server = Server::start().await;
    let cases: Vec<Case> = TABLES
        .iter()
        .flat_map(|table| serde_json::from_str::<Vec<Case>>(table).unwrap())
        .collect();
    let nodes: Api<Node> = Api::all(lab.kube.clone());
    for (number, case) in cases.iter().enumerate() {
        // A node that does not exist, new for each pod: after some 40 s without its kubelet the
        // cluster writes into its pods' status.
        let node = format!("{}-{number}", lab.namespace);
        let object = serde_json::from_value(json!({"metadata": {"name": node}})).unwrap();
        nodes.create(&PostParams::default(), &object).await.unwrap();
        put(&lab, &node, case).await;
        compare(&lab, &server, case).await;
        let no_finalizers = Patch::Merge(json!({"metadata": {"finalizers": null}}));
        let params = PatchParams::default();
        let _ = lab.pods().patch(&case.name, &params, &no_finalizers).await;
        let _ = lab
            .pods()
            .delete(&case.name, &DeleteParams::default().grace_period(0))
            .await;
        nodes.delete(&node, &DeleteParams::default()).await.unwrap();
    }
}

/// Creates the pod of a case, writes its status, and asks for its deletion if it shall be deleting.
async fn put(lab: &Lab, node: &str, case: &Case) {
    let mut pod = json!({"metadata": {"name": case.name}, "spec": case.pod["spec"]});
    pod["spec"]["automountServiceAccountToken"] = json!(false);
    // A gated pod can't have a node.
    if pod["spec"].get("schedulingGates").is_none() {
        pod["spec"]["nodeName"] = json!(node);
    }
    if case.deleting {
        pod["metadata"]["finalizers"] = json!(["example.com/kept"]);
    }
    let mut created = serde_json::to_value(lab.create(pod).await).unwrap();
    // Written as JSON: a typed status would add fields that the table leaves out.
    created["status"] = case.pod["status"].clone();
    created["metadata"]["resourceVersion"].take();
    let body = serde_json::to_vec(&created).unwrap();
    let path = format!("/api/v1/namespaces/{}/pods/{}/status", lab.namespace, case.name);
    let request = http::Request::put(path)
        .header("content-type", "application/json")
        .body(body)
        .unwrap();
    lab.kube
        .request_text(request)
        .await
        .unwrap_or_else(|error| panic!("{}: {error}", case.name));
    if case.deleting {
        lab.pods().delete(&case.name, &DeleteParams::default()).await.unwrap();
    }
}

/// Compares the case, the API server's Table and the product's list.
async fn compare(lab: &Lab, server: &Server, case: &Case) {
    let printed = printed(lab, &case.name).await;
    let ago = printed.restarts.contains(" ago)");
    let number = printed.restarts.split(' ').next().unwrap().parse::<u64>().unwrap();
    let want = (
        case.status.as_str(),
        case.restarts,
        case.ready.as_str(),
        case.last_restart.is_some(),
    );
    let got = (printed.status.as_str(), number, printed.ready.as_str(), ago);
    assert_eq!(got, want, "the API server prints {}: {}", case.name, case.rule);

    let query = format!("namespace={}&search={}&pageSize=1000", lab.namespace, case.name);
    until(
        &format!("the list shows {} as the API server does", case.name),
        || async {
            let list = server.list(&query).await;
            let row = list["items"]
                .as_array()
                .unwrap()
                .iter()
                .find(|row| row["name"] == case.name)?;
            let last = case.last_restart.as_deref().unwrap_or_default();
            let same = row["status"] == case.status
                && row["restarts"] == case.restarts
                && row["lastRestartAt"] == last
                && format!("{}/{}", row["ready"], row["readyTotal"]) == case.ready;
            same.then_some(())
        },
    )
    .await;
    // The list was read as protobuf, the detail as JSON.
    let path = format!(
        "/api/clusters/{}/namespaces/{}/pods/{}",
        server.cluster, lab.namespace, case.name
    );
    let detail = server.get(&path).await;
    assert_eq!(
        (&detail["statusText"], &detail["restarts"]),
        (&json!(case.status), &json!(case.restarts)),
        "{}: {}",
        case.name,
        case.rule
    );
}

/// The columns that `kubectl get pods` prints.
struct Printed {
    status: String,
    restarts: String,
    ready: String,
}

async fn printed(lab: &Lab, name: &str) -> Printed {
    let path = format!("/api/v1/namespaces/{}/pods/{name}", lab.namespace);
    let request = http::Request::get(path)
        .header("accept", "application/json;as=Table;v=v1;g=meta.k8s.io")
        .body(Vec::new())
        .unwrap();
    let table: Value = lab.kube.request(request).await.unwrap();
    let columns = table["columnDefinitions"].as_array().unwrap();
    let cell = |column: &str| {
        let at = columns
            .iter()
            .position(|definition| definition["name"] == column)
            .unwrap();
        match &table["rows"][0]["cells"][at] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    };
    Printed {
        status: cell("Status"),
        restarts: cell("Restarts"),
        ready: cell("Ready"),
    }
}
