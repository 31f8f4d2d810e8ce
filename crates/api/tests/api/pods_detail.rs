//! `GET /api/clusters/{clusterId}/namespaces/{namespace}/pods/{name}`, and what all routes of one
//! pod have in common.

use std::time::Duration;

use podgate_api::Options;
use podgate_cluster::{MemoryBudget, Policy};
use serde_json::{Value, json};

use crate::support::{Answer, PATIENCE, Server, Setup, send};

/// The routes of one pod, with a parameter that each takes.
const ROUTES: [(&str, &str); 4] = [("GET", ""), ("DELETE", ""), ("GET", "/logs"), ("GET", "/events")];

/// Returns the path of a pod on the simulated cluster.
pub(crate) fn pod_path(namespace: &str, name: &str) -> String {
    format!("/api/clusters/sim/namespaces/{namespace}/pods/{name}")
}

/// Adds the simulated cluster a second time, as `limited`, with the credential of a user who may
/// view namespace `staging` only.
pub(crate) async fn add_limited(server: &Server) {
    server.sim.run_pod("staging", "seen", &["app"]);
    server.sim.run_pod("shop", "hidden", &["app"]);
    let kube_config = server.sim.kubeconfig_for("viewer");
    let body = json!({"name": "limited", "kubeConfig": kube_config, "namespaces": ["staging"]});
    server.post("/api/clusters", body).await.data();
}

fn pod() -> Value {
    json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {
            "name": "web-1", "namespace": "shop", "creationTimestamp": "2026-01-01T00:00:00Z", "labels": {"app": "web"},
            "annotations": {"note": "managedFields:"}, "finalizers": ["example.com/kept"],
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "r", "controller": true}],
            "managedFields": [{"manager": "kubectl", "operation": "Update", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {}}}]
        },
        "spec": {
            "nodeName": "node-1", "volumes": [{"name": "tmp", "emptyDir": {}}], "fieldOfTheFuture": {"deep": [1, null]},
            "containers": [{
                "name": "app", "image": "nginx:1.21", "ports": [{"containerPort": 80, "protocol": "TCP"}],
                "resources": {"limits": {"cpu": "1"}}, "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}], "stdin": true
            }]
        },
        "status": {
            "phase": "Running", "podIP": "10.0.0.9", "conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}],
            "containerStatuses": [{
                "name": "app", "ready": false, "restartCount": 3, "image": "nginx:1.21", "imageID": "",
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
                "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": "2026-01-01T00:10:00Z"}}
            }]
        }
    })
}

#[tokio::test]
async fn a_pod_comes_in_the_specified_form_with_all_that_the_cluster_says() {
    let server = Server::start().await;
    let stored = server.sim.put(pod());
    let answer = server.get(&pod_path("shop", "web-1")).await;
    assert_eq!(answer.header("content-type"), "application/json");
    let data = answer.data();
    for (field, value) in [
        ("name", json!("web-1")),
        ("namespace", json!("shop")),
        ("uid", stored["metadata"]["uid"].clone()),
        ("resourceVersion", stored["metadata"]["resourceVersion"].clone()),
        ("labels", json!({"app": "web"})),
        ("annotations", json!({"note": "managedFields:"})),
        ("ownerReferences", pod()["metadata"]["ownerReferences"].clone()),
        ("createdAt", json!("2026-01-01T00:00:00Z")),
        ("deletionTimestamp", json!("")),
        ("statusText", json!("CrashLoopBackOff")),
        ("restarts", json!(3)),
    ] {
        assert_eq!(data[field], value, "{field}");
    }
    assert!(data.get("managedFields").is_none());
    let (status, spec) = (&data["status"], &data["spec"]);
    assert_eq!(
        (&status["phase"], &status["podIP"]),
        (&json!("Running"), &json!("10.0.0.9"))
    );
    assert_eq!(status["conditions"], pod()["status"]["conditions"]);
    assert_eq!(
        status["containerStatuses"][0]["state"]["waiting"]["message"],
        "back-off"
    );
    assert_eq!(spec["nodeName"], "node-1");
    assert_eq!(spec["volumes"], pod()["spec"]["volumes"]);
    assert_eq!(spec["containers"], pod()["spec"]["containers"]);
    assert_eq!(spec["fieldOfTheFuture"], json!({"deep": [1, null]}));
    server.stop().await;
}

#[tokio::test]
async fn a_pod_is_read_live_and_a_deleting_one_says_so() {
    let server = Server::start().await;
    server.sim.put(pod());
    server.sim.faults().stall_watches(true);
    let mut changed = pod();
    changed["status"]["phase"] = json!("Failed");
    changed["metadata"]["deletionTimestamp"] = json!("2026-01-02T00:00:00Z");
    changed["metadata"]["deletionGracePeriodSeconds"] = json!(30);
    server.sim.put(changed);
    let data = server.get(&pod_path("shop", "web-1")).await.data();
    assert_eq!(data["status"]["phase"], "Failed");
    assert_eq!(data["deletionTimestamp"], "2026-01-02T00:00:00Z");
    server.sim.faults().stall_watches(false);
    server.stop().await;
}

#[tokio::test]
async fn a_manifest_is_the_clusters_own_without_managed_fields() {
    let server = Server::start().await;
    server.sim.put(pod());
    let path = pod_path("shop", "web-1");
    let answer = send(server.build("GET", &path).header("accept", "application/yaml")).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, "application/yaml")
    );
    let text = answer.text();
    assert!(
        text.contains("\nkind: Pod\n") || text.starts_with("kind: Pod\n"),
        "{text}"
    );
    assert!(
        text.contains("fieldOfTheFuture:") && text.contains("name: web-1"),
        "{text}"
    );
    assert!(
        !text.contains("\n  managedFields:") && !text.contains("manager: kubectl"),
        "{text}"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_missing_object_is_named() {
    let server = Server::start().await;
    for (method, rest) in ROUTES {
        let path = pod_path("shop", "gone") + rest;
        let message = server
            .request(method, &path, Some(&server.token), None)
            .await
            .fails(404_001);
        for part in ["gone", "shop", "sim"] {
            assert!(message.contains(part), "{method} {rest}: {message}");
        }
        let path = format!("/api/clusters/nowhere/namespaces/shop/pods/gone{rest}");
        let message = server
            .request(method, &path, Some(&server.token), None)
            .await
            .fails(404_002);
        assert!(message.contains("nowhere"), "{message}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_name_never_leads_elsewhere_in_the_cluster() {
    let server = Server::start().await;
    server.sim.run_pod("shop", "web-1", &["app"]);
    let asked = |server: &Server| {
        server
            .sim
            .requests()
            .iter()
            .filter(|r| r.path.contains("/namespaces/"))
            .count()
    };
    let before = asked(&server);
    for name in [
        "%2e%2e",
        "..%2fweb-1",
        "web-1%2flog",
        "web-1%252flog",
        "WEB-1",
        "web-1%00",
        "web-1%3fx=1",
        "%ff",
        "web%201",
    ] {
        for (method, rest) in ROUTES {
            let answer = server
                .request(method, &(pod_path("shop", name) + rest), Some(&server.token), None)
                .await;
            assert_eq!(answer.status, 404, "{method} {name}{rest}: {}", answer.text());
            let answer = server
                .request(method, &(pod_path(name, "web-1") + rest), Some(&server.token), None)
                .await;
            assert_eq!(answer.status, 404, "{method} {name}{rest}: {}", answer.text());
        }
    }
    assert_eq!(asked(&server), before, "none of them reached the cluster");
    server.stop().await;
}

#[tokio::test]
async fn a_refusal_names_who_refused() {
    let server = Server::start().await;
    add_limited(&server).await;
    let nobody = server.nobody().await;
    for (method, rest) in ROUTES {
        server
            .request(method, &(pod_path("shop", "hidden") + rest), None, None)
            .await
            .fails(401_003);
        let path = pod_path("shop", "hidden") + rest;
        let message = server.request(method, &path, Some(&nobody), None).await.fails(403_001);
        assert!(
            message.contains("Podgate") && message.contains("shop") && message.contains("sim"),
            "{message}"
        );
        let path = format!("/api/clusters/limited/namespaces/shop/pods/hidden{rest}");
        let message = server
            .request(method, &path, Some(&server.token), None)
            .await
            .fails(403_001);
        for part in ["cluster `limited`", "viewer", "pods", "shop"] {
            assert!(message.contains(part), "{method} {rest}: {message}");
        }
    }
    server
        .get("/api/clusters/limited/namespaces/staging/pods/seen")
        .await
        .data();
    let message = server
        .delete("/api/clusters/limited/namespaces/staging/pods/seen")
        .await
        .fails(403_001);
    assert!(message.contains("delete"), "{message}");
    server.stop().await;
}

#[tokio::test]
async fn parameters_methods_and_types_are_strict() {
    let server = Server::start().await;
    server.sim.run_pod("shop", "web-1", &["app"]);
    let path = pod_path("shop", "web-1");
    for (method, rest) in ROUTES {
        let message = server
            .request(method, &format!("{path}{rest}?pretty=1"), Some(&server.token), None)
            .await
            .fails(400_001);
        assert!(message.contains("`pretty`"), "{message}");
        let answer = send(
            server
                .build(method, &format!("{path}{rest}"))
                .header("accept", "image/png"),
        )
        .await;
        let message = answer.fails(406_001);
        assert!(message.contains("application/json"), "{message}");
        server
            .request("PATCH", &format!("{path}{rest}"), Some(&server.token), None)
            .await
            .fails(405_001);
    }
    assert!(server.sim.get("Pod", "shop", "web-1").is_some());
    server.stop().await;
}

#[tokio::test]
async fn a_failing_cluster_and_a_late_one_have_different_errors() {
    let policy = Policy {
        request_timeout: Duration::from_secs(2),
        ..Policy::default()
    };
    let server = Server::with(Setup {
        policy,
        ..Setup::default()
    })
    .await;
    server.sim.run_pod("shop", "web-1", &["app"]);
    let faults = server.sim.faults();
    for (method, rest) in ROUTES {
        let path = pod_path("shop", "web-1") + rest;
        faults.fail_requests("/namespaces/shop/", 500, 1);
        let message = server
            .request(method, &path, Some(&server.token), None)
            .await
            .fails(502_001);
        assert!(message.contains("sim"), "{message}");
        faults.delay_requests("/namespaces/shop/", Duration::from_secs(60));
        let message = server
            .request(method, &path, Some(&server.token), None)
            .await
            .fails(504_001);
        assert!(message.contains("sim"), "{message}");
        faults.delay_requests("/namespaces/shop/", Duration::ZERO);
    }
    faults.revoke_token("admin");
    for (method, rest) in ROUTES {
        let path = pod_path("shop", "web-1") + rest;
        let message = server
            .request(method, &path, Some(&server.token), None)
            .await
            .fails(502_001);
        assert!(
            message.contains("credential"),
            "the cluster's 401 is not the caller's: {message}"
        );
    }
    faults.restore_token("admin");
    server.get(&pod_path("shop", "web-1")).await.data();
    server.stop().await;
}

/// A caller for whom there is no memory waits, and then gets `Retry-After`.
#[tokio::test]
async fn a_detail_without_memory_is_429001() {
    let setup = Setup {
        policy: Policy {
            bodies: MemoryBudget::new(64 << 20),
            body_wait: Duration::from_millis(10),
            ..Policy::default()
        },
        ..Setup::default()
    };
    let bodies = setup.policy.bodies.clone();
    let server = Server::with(setup).await;
    server.sim.run_pod("shop", "web-1", &["app"]);
    let path = pod_path("shop", "web-1");
    server.get(&path).await.data();
    let all = bodies.reserve(bodies.total()).await;
    for what in ["", "/events"] {
        let answer = server.get(&format!("{path}{what}")).await;
        assert_eq!(answer.json()["code"], 429_001);
        assert!(answer.headers.contains_key("retry-after"));
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(
            message.contains("--body-memory") && message.contains("web-1"),
            "{message}"
        );
    }
    drop(all);
    server.get(&path).await.data();
    let all = tokio::time::timeout(PATIENCE, bodies.reserve(bodies.total())).await;
    assert!(all.is_ok(), "what was sent gives its memory back");
    server.stop().await;
}

/// The memory for answers that are sent is not that for calls to clusters.
#[tokio::test]
async fn a_large_answer_without_memory_is_429001() {
    let api = Options {
        answers: 0,
        ..Options::default()
    };
    let setup = Setup {
        api,
        ..Setup::default()
    };
    let bodies = setup.policy.bodies.clone();
    let server = Server::with(setup).await;
    server.sim.put(pod());
    let mut large = pod();
    large["metadata"]["name"] = json!("large");
    large["metadata"]["annotations"]["note"] = "x".repeat(100_000).into();
    server.sim.put(large);
    for (name, code) in [("web-1", 200), ("large", 429_001)] {
        let path = pod_path("shop", name);
        assert_eq!(server.get(&path).await.json()["code"], code);
        let manifest = send(server.build("GET", &path).header("accept", "application/yaml")).await;
        let expected = if code == 200 { 200 } else { 429 };
        assert_eq!(manifest.status, expected, "{}", manifest.text());
    }
    for n in 0..200 {
        server.sim.run_pod("many", &format!("web-{n}"), &["app"]);
    }
    for path in ["/api/pods", "/api/clusters/sim/pods"] {
        let whole = |answer: &Answer| answer.status == 429 || answer.data()["total"] == 202;
        let answer = server.until(&format!("{path}?pageSize=1000"), whole).await;
        answer.fails(429_001);
    }
    assert_eq!(bodies.free(), bodies.total());
    server.stop().await;
}
