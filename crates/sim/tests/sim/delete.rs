//! Deletion.

use reqwest::Method;
use serde_json::json;

use crate::client::{Api, answer, pod, until};

const WEB: &str = "/api/v1/namespaces/shop/pods/web";

#[tokio::test]
async fn a_pod_is_removed_after_its_grace_period() {
    let api = Api::start().await;
    api.sim.run_pod("shop", "web", &["app"]);
    let mut watch = api
        .watch(&format!(
            "/api/v1/pods?watch=true&resourceVersion={}",
            api.version().await
        ))
        .await;
    let (status, marked) = answer(api.request(Method::DELETE, WEB)).await;
    assert_eq!(
        (status, &marked["metadata"]["deletionGracePeriodSeconds"]),
        (200, &json!(30))
    );
    assert!(marked["metadata"]["deletionTimestamp"].is_string());
    assert_eq!(watch.change().await, "MODIFIED web");
    let (_, ended) = watch.event().await;
    assert!(
        ended["status"]["containerStatuses"][0]["state"]["terminated"].is_object(),
        "{ended}"
    );
    assert_eq!(watch.change().await, "DELETED web");
    assert_eq!(answer(api.request(Method::DELETE, WEB)).await.0, 404);
}

#[tokio::test]
async fn force_removes_at_once_and_a_second_deletion_shortens_the_grace_period() {
    let api = Api::start().await;
    api.sim.run_pod("shop", "web", &["app"]);
    answer(api.request(Method::DELETE, &format!("{WEB}?gracePeriodSeconds=20"))).await;
    let longer = json!({"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 60});
    let (_, same) = answer(api.request(Method::DELETE, WEB).json(&longer)).await;
    assert_eq!(same["metadata"]["deletionGracePeriodSeconds"], 20);
    let force = json!({"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0, "propagationPolicy": "Background"});
    assert_eq!(answer(api.request(Method::DELETE, WEB).json(&force)).await.0, 200);
    assert_eq!(api.sim.get("Pod", "shop", "web"), None);
}

#[tokio::test]
async fn preconditions_protect_a_successor() {
    let api = Api::start().await;
    let web = api.sim.put(pod("shop", "web", json!({})));
    for (precondition, word) in [
        (json!({"uid": "other"}), "UID"),
        (json!({"resourceVersion": "1"}), "ResourceVersion"),
    ] {
        let body = json!({ "preconditions": precondition });
        let (status, conflict) = answer(api.request(Method::DELETE, WEB).json(&body)).await;
        assert_eq!((status, &conflict["reason"]), (409, &json!("Conflict")));
        let message = conflict["message"].as_str().unwrap();
        assert!(
            message.starts_with(&format!(
                "Operation cannot be fulfilled on Pod \"web\": the {word} in the precondition"
            )),
            "{message}"
        );
    }
    let body = json!({"preconditions": {"uid": web["metadata"]["uid"]}, "dryRun": ["All"]});
    assert_eq!(answer(api.request(Method::DELETE, WEB).json(&body)).await.0, 200);
    assert_eq!(
        api.sim.get("Pod", "shop", "web"),
        Some(web),
        "a dry run changes nothing"
    );
    assert_eq!(
        answer(api.request(Method::DELETE, &format!("{WEB}?dryRun=Some")))
            .await
            .0,
        422
    );
    assert_eq!(
        answer(api.request(Method::DELETE, &format!("{WEB}?propagationPolicy=Some")))
            .await
            .0,
        422
    );
    assert_eq!(answer(api.request(Method::DELETE, WEB).body("{")).await.0, 400);
}

#[tokio::test]
async fn a_finalizer_keeps_a_pod_and_an_unscheduled_one_is_removed_at_once() {
    let api = Api::start().await;
    let mut held = pod("shop", "held", json!({}));
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    api.sim.put(held);
    answer(api.request(Method::DELETE, "/api/v1/namespaces/shop/pods/held?gracePeriodSeconds=0")).await;
    assert!(api.sim.get("Pod", "shop", "held").unwrap()["metadata"]["deletionTimestamp"].is_string());
    let mut free = pod("shop", "free", json!({}));
    free["spec"]["nodeName"] = json!(null);
    api.sim.put(free);
    answer(api.request(Method::DELETE, "/api/v1/namespaces/shop/pods/free")).await;
    assert_eq!(api.sim.get("Pod", "shop", "free"), None);
}

#[tokio::test]
async fn deleting_a_namespace_deletes_its_pods() {
    let api = Api::start().await;
    api.sim.run_pod("shop", "web", &["app"]);
    let (status, done) = answer(api.request(Method::DELETE, "/api/v1/namespaces/shop")).await;
    assert_eq!((status, &done["kind"]), (200, &json!("Namespace")));
    until("the pod is gone", || api.sim.get("Pod", "shop", "web").is_none()).await;
    assert_eq!(api.sim.get("Namespace", "", "shop"), None);
}
