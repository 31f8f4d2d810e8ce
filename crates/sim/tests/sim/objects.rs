//! Objects, their forms and their paths.

use reqwest::Method;
use reqwest::header::ACCEPT;
use serde_json::{Value, json};

use crate::client::{Api, pod};

#[tokio::test]
async fn a_pod_that_runs_is_listed_and_got() {
    let api = Api::start().await;
    api.sim.run_pod("shop", "web", &["app", "proxy"]);
    let (status, list) = api.get("/api/v1/pods").await;
    assert_eq!(
        (status, &list["kind"], &list["items"][0]["metadata"]["name"]),
        (200, &"PodList".into(), &"web".into())
    );
    assert_eq!(list["items"][0]["kind"], Value::Null, "items of a list have no kind");
    let (status, pod) = api.get("/api/v1/namespaces/shop/pods/web").await;
    assert_eq!(
        (status, &pod["kind"], &pod["status"]["phase"]),
        (200, &"Pod".into(), &"Running".into())
    );
    assert_eq!(api.get("/api/v1/namespaces/other/pods").await.1["items"], json!([]));
    let (status, error) = api.get("/api/v1/namespaces/other/pods/web").await;
    assert_eq!(
        (status, &error["reason"], &error["message"]),
        (404, &"NotFound".into(), &"pods \"web\" not found".into())
    );
    assert_eq!(error["details"], json!({"name": "web", "kind": "pods"}));
    assert!(api.names("/api/v1/namespaces").await.contains(&"shop".to_owned()));
    assert_eq!(api.names("/api/v1/nodes").await, ["node-1"]);
}

#[tokio::test]
async fn put_completes_metadata_and_keeps_the_identity() {
    let api = Api::start().await;
    let first = api.sim.put(pod("shop", "web", json!({})));
    let second = api.sim.put(pod("shop", "web", json!({"app": "web"})));
    assert_eq!(first["metadata"]["uid"], second["metadata"]["uid"]);
    assert_eq!(
        first["metadata"]["creationTimestamp"],
        second["metadata"]["creationTimestamp"]
    );
    assert_ne!(
        first["metadata"]["resourceVersion"],
        second["metadata"]["resourceVersion"]
    );
    assert_eq!(api.sim.get("Pod", "shop", "web"), Some(second));
    assert!(api.sim.remove("Pod", "shop", "web"));
    assert!(!api.sim.remove("Pod", "shop", "web"));
    assert_ne!(
        api.sim.put(pod("shop", "web", json!({})))["metadata"]["uid"],
        first["metadata"]["uid"]
    );
}

#[tokio::test]
async fn restarts_and_ends_show_in_the_status() {
    let api = Api::start().await;
    api.sim.run_pod("shop", "web", &["app", "proxy"]);
    api.sim.restart_container("shop", "web", "app", 3);
    let pod = api.sim.get("Pod", "shop", "web").unwrap();
    let status = &pod["status"]["containerStatuses"][0];
    assert_eq!(
        (&status["restartCount"], &status["lastState"]["terminated"]["exitCode"]),
        (&json!(1), &json!(3))
    );
    assert_ne!(status["containerID"], status["lastState"]["terminated"]["containerID"]);
    assert!(status["state"]["running"].is_object());
    api.sim.end_container("shop", "web", "app", 0);
    assert_eq!(api.sim.get("Pod", "shop", "web").unwrap()["status"]["phase"], "Running");
    api.sim.end_container("shop", "web", "proxy", 1);
    let pod = api.sim.get("Pod", "shop", "web").unwrap();
    assert_eq!(pod["status"]["phase"], "Failed");
    assert_eq!(
        pod["status"]["containerStatuses"][1]["state"]["terminated"]["reason"],
        "Error"
    );
}

#[tokio::test]
async fn an_object_comes_in_the_form_that_is_asked_for() {
    let api = Api::start().await;
    api.sim.put(pod("shop", "web", json!({"app": "web"})));
    let form = async |accept: &str| {
        let path = "/api/v1/namespaces/shop/pods/web";
        let response = api
            .request(Method::GET, path)
            .header(ACCEPT, accept)
            .send()
            .await
            .unwrap();
        let content_type = response.headers()["content-type"].to_str().unwrap().to_owned();
        (response.status().as_u16(), content_type, response.text().await.unwrap())
    };
    let (status, content_type, yaml) = form("application/yaml").await;
    assert_eq!((status, content_type.as_str()), (200, "application/yaml"));
    assert!(
        yaml.contains("kind: Pod\n") && yaml.contains("- image: busybox:1\n") && yaml.contains("  name: app\n"),
        "{yaml}"
    );
    assert_eq!(form("application/cbor").await.0, 406);
    assert_eq!(form("application/cbor,application/json").await.1, "application/json");
}

#[tokio::test]
async fn unknown_paths_and_verbs_are_refused_as_kubernetes_does() {
    let api = Api::start().await;
    for (method, path, expected) in [
        (Method::PUT, "/api/v1/pods", 405),
        (Method::DELETE, "/api/v1/namespaces/shop/pods/x/log", 405),
        (Method::GET, "/api/v1/secrets", 404),
        (Method::GET, "/api/v2/pods", 404),
        (Method::GET, "/apis/apps/v1/deployments", 404),
        (Method::GET, "/api/v1/namespaces/shop/pods/x/y/z", 404),
        (Method::GET, "/api/v1/namespaces/shop/nodes", 404),
        (Method::POST, "/api/v1/pods", 405),
        (Method::GET, "/nothing", 404),
    ] {
        let response = api.send(method, path).await;
        assert_eq!(response.status().as_u16(), expected, "{path}");
        let status: Value = response.json().await.unwrap();
        assert_eq!(
            (&status["kind"], &status["code"]),
            (&json!("Status"), &json!(expected)),
            "{path}"
        );
    }
}

#[tokio::test]
async fn requests_are_recorded() {
    let api = Api::start().await;
    let request = api
        .request(Method::GET, "/api/v1/pods?limit=3")
        .header("Impersonate-User", "alice");
    let request = request
        .header("Impersonate-Group", "a")
        .header("Impersonate-Group", "b")
        .header(ACCEPT, "application/json");
    assert_eq!(request.send().await.unwrap().status(), 403);
    let requests = api.sim.requests();
    let last = requests.last().unwrap();
    assert_eq!(
        (last.method.as_str(), last.path.as_str(), last.query.as_str()),
        ("GET", "/api/v1/pods", "limit=3")
    );
    assert_eq!(
        (last.user.as_str(), last.accept.as_str()),
        ("admin", "application/json")
    );
    assert_eq!(last.impersonated_user.as_deref(), Some("alice"));
    assert_eq!(last.impersonated_groups, ["a", "b"]);
}
