//! Creating and changing objects.

use reqwest::Method;
use serde_json::json;

use crate::client::{Api, answer, until};

#[tokio::test]
async fn a_created_pod_comes_to_run() {
    let api = Api::start().await;
    let pods = "/api/v1/namespaces/default/pods";
    let pod = json!({"kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": [{"name": "app", "image": "busybox:1"}]}});
    let (status, created) = answer(api.request(Method::POST, pods).json(&pod)).await;
    assert_eq!(
        (status, &created["status"]["phase"], &created["spec"]["nodeName"]),
        (201, &json!("Pending"), &json!("node-1"))
    );
    until("the pod runs", || {
        api.sim.get("Pod", "default", "web").unwrap()["status"]["phase"] == "Running"
    })
    .await;
    assert!(
        api.sim.write_log("default", "web", "app", b"up\n"),
        "its container has a log"
    );
    let (status, again) = answer(api.request(Method::POST, pods).json(&pod)).await;
    assert_eq!((status, &again["reason"]), (409, &json!("AlreadyExists")));
    let nowhere = answer(api.request(Method::POST, "/api/v1/namespaces/none/pods").json(&pod)).await;
    assert_eq!(
        (nowhere.0, &nowhere.1["message"]),
        (404, &json!("namespaces \"none\" not found"))
    );
    for bad in [
        json!({"metadata": {"name": "Up"}, "spec": {"containers": [{}]}}),
        json!({"metadata": {"name": "x"}, "spec": {}}),
    ] {
        assert_eq!(answer(api.request(Method::POST, pods).json(&bad)).await.0, 422);
    }
    let namespace = json!({"kind": "Namespace", "metadata": {"name": "new"}});
    assert_eq!(
        answer(api.request(Method::POST, "/api/v1/namespaces").json(&namespace))
            .await
            .0,
        201
    );
}

#[tokio::test]
async fn an_object_is_patched_and_replaced() {
    let api = Api::start().await;
    api.sim.run_pod("shop", "web", &["app"]);
    let web = "/api/v1/namespaces/shop/pods/web";
    let patch = |patch: serde_json::Value| {
        let request = api
            .request(Method::PATCH, web)
            .header("Content-Type", "application/merge-patch+json");
        request.json(&patch)
    };
    let (status, patched) = answer(patch(
        json!({"metadata": {"labels": {"app": null, "tier": "front"}, "uid": "x"}}),
    ))
    .await;
    assert_eq!(
        (status, &patched["metadata"]["labels"]),
        (200, &json!({"tier": "front"}))
    );
    assert_ne!(patched["metadata"]["uid"], "x");
    assert_eq!(answer(api.request(Method::PATCH, web).json(&json!({}))).await.0, 415);
    let mut changed = patched.clone();
    changed["status"]["phase"] = json!("Failed");
    changed["spec"]["nodeName"] = json!("elsewhere");
    let (status, replaced) = answer(api.request(Method::PUT, &format!("{web}/status")).json(&changed)).await;
    assert_eq!(
        (status, &replaced["status"]["phase"], &replaced["spec"]["nodeName"]),
        (200, &json!("Failed"), &json!("node-1"))
    );
    let (status, stale) = answer(api.request(Method::PUT, web).json(&changed)).await;
    assert_eq!((status, &stale["reason"]), (409, &json!("Conflict")));
}

#[tokio::test]
async fn a_patch_leaves_a_pod_where_and_what_it_is() {
    let api = Api::start().await;
    api.sim.run_pod("shop", "web", &["app"]);
    let web = "/api/v1/namespaces/shop/pods/web";
    let patch = async |patch: serde_json::Value| {
        let request = api
            .request(Method::PATCH, web)
            .header("Content-Type", "application/merge-patch+json");
        answer(request.json(&patch)).await
    };
    let (status, moved) =
        patch(json!({"metadata": {"namespace": "default", "creationTimestamp": null, "labels": {"a": "b"}}})).await;
    assert_eq!((status, &moved["metadata"]["namespace"]), (200, &json!("shop")));
    assert!(moved["metadata"]["creationTimestamp"].is_string());
    assert!(api.sim.get("Pod", "default", "web").is_none());
    for part in ["labels", "annotations"] {
        let (status, refused) = patch(json!({"metadata": {part: "text"}})).await;
        assert_eq!(status, 400, "{refused}");
    }
    assert_eq!(patch(json!({"status": "text"})).await.0, 400);
    assert_eq!(
        api.sim.get("Pod", "shop", "web").unwrap()["metadata"]["labels"]["a"],
        "b"
    );
}

#[tokio::test]
async fn the_last_finalizer_ends_a_deleted_pod() {
    let api = Api::start().await;
    api.sim.run_pod("shop", "web", &["app"]);
    let web = "/api/v1/namespaces/shop/pods/web";
    let finalizers = async |finalizers: serde_json::Value| {
        let request = api
            .request(Method::PATCH, web)
            .header("Content-Type", "application/merge-patch+json");
        answer(request.json(&json!({"metadata": {"finalizers": finalizers}}))).await
    };
    assert_eq!(finalizers(json!(["example.com/kept"])).await.0, 200);
    assert_eq!(
        api.send(Method::DELETE, &format!("{web}?gracePeriodSeconds=0"))
            .await
            .status(),
        200
    );
    let pod = || api.sim.get("Pod", "shop", "web");
    until("its containers have ended", || {
        pod().unwrap()["status"]["containerStatuses"][0]["state"]["terminated"].is_object()
    })
    .await;
    assert!(pod().unwrap()["metadata"]["deletionTimestamp"].is_string());
    assert_eq!(finalizers(json!(null)).await.0, 200);
    assert!(pod().is_none(), "{:?}", pod());
}
