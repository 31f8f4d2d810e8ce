//! Authentication and authorisation.

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde_json::{Value, json};

use crate::client::{Api, answer};

fn message(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["message"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn tokens_are_needed_and_can_be_revoked() {
    let api = Api::start().await;
    assert_eq!(message(&api.user("unknown").get("/api").await), (401, "Unauthorized"));
    for other in ["Basic YWRtaW46YWRtaW4tdG9rZW4=", "admin-token", ""] {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(other))]);
        let request = api.request(Method::GET, "/api/v1/pods").headers(headers);
        assert_eq!(answer(request).await.0, 401, "{other}");
    }
    api.sim.faults().revoke_token("viewer");
    assert_eq!(api.user("viewer").get("/api").await.0, 401);
    api.sim.faults().restore_token("viewer");
    assert_eq!(api.user("viewer").get("/api").await.0, 200);
}

#[tokio::test]
async fn role_bindings_decide_and_refusals_have_kubernetes_words() {
    let api = Api::start().await;
    api.sim.run_pod("shop", "web", &["app"]);
    let (editor, viewer, nobody) = (api.user("editor"), api.user("viewer"), api.user("nobody"));
    assert_eq!(editor.get("/api/v1/namespaces/shop/pods/web").await.0, 200);
    assert_eq!(viewer.get("/api/v1/namespaces/staging/pods").await.0, 200);
    assert_eq!(
        message(&viewer.get("/api/v1/pods").await),
        (
            403,
            "pods is forbidden: User \"viewer\" cannot list resource \"pods\" in API group \"\" at the cluster scope"
        )
    );
    assert_eq!(
        message(&nobody.get("/api/v1/namespaces/shop/pods?watch=true").await),
        (
            403,
            "pods is forbidden: User \"nobody\" cannot watch resource \"pods\" in API group \"\" in the namespace \"shop\""
        )
    );
    let refused = viewer.get("/api/v1/namespaces/shop/pods/web/log").await;
    assert_eq!(
        message(&refused),
        (
            403,
            "pods \"web\" is forbidden: User \"viewer\" cannot get resource \"pods/log\" in API group \"\" in the namespace \"shop\""
        )
    );
    assert_eq!(refused.1["details"], json!({"name": "web", "kind": "pods"}));
    let refused = viewer
        .get("/api/v1/namespaces/shop/pods?fieldSelector=metadata.name%3Dweb")
        .await;
    assert!(
        message(&refused)
            .1
            .starts_with("pods \"web\" is forbidden: User \"viewer\" cannot list"),
        "{refused:?}"
    );
    let refused = answer(viewer.request(Method::DELETE, "/api/v1/namespaces/staging/pods/web")).await;
    assert_eq!(refused.0, 403);
    assert_eq!(
        message(&nobody.get("/metrics").await),
        (403, "forbidden: User \"nobody\" cannot get path \"/metrics\"")
    );
    assert_eq!(nobody.get("/version").await.0, 200);
}

#[tokio::test]
async fn only_the_administrator_can_impersonate() {
    let api = Api::start().await;
    let as_editor = |api: &Api, path: &str| {
        api.request(Method::GET, path)
            .header("Impersonate-User", "alice")
            .header("Impersonate-Group", "shop-editors")
    };
    assert_eq!(answer(as_editor(&api, "/api/v1/namespaces/shop/pods")).await.0, 200);
    let refused = answer(as_editor(&api, "/api/v1/pods")).await;
    assert!(
        message(&refused)
            .1
            .starts_with("pods is forbidden: User \"alice\" cannot list"),
        "{refused:?}"
    );
    let refused = answer(as_editor(&api.user("viewer"), "/api/v1/namespaces/shop/pods")).await;
    assert!(message(&refused).1.contains("cannot impersonate"), "{refused:?}");
    let groups_alone = api
        .request(Method::GET, "/api/v1/pods")
        .header("Impersonate-Group", "shop-editors");
    assert_eq!(answer(groups_alone).await.0, 400);
}

async fn review(api: &Api, kind: &str, spec: Value) -> (u16, Value) {
    let group = if kind == "SelfSubjectReview" {
        "authentication.k8s.io"
    } else {
        "authorization.k8s.io"
    };
    let path = format!("/apis/{group}/v1/{}s", kind.to_lowercase());
    let body = json!({"kind": kind, "apiVersion": format!("{group}/v1"), "spec": spec});
    let (status, review) = answer(api.request(Method::POST, &path).json(&body)).await;
    (
        status,
        if status == 201 {
            review["status"].clone()
        } else {
            review
        },
    )
}

#[tokio::test]
async fn reviews_return_the_permissions_of_a_user() {
    let api = Api::start().await;
    let list =
        |namespace: &str| json!({"resourceAttributes": {"verb": "list", "resource": "pods", "namespace": namespace}});
    let (viewer, kind) = (api.user("viewer"), "SelfSubjectAccessReview");
    let allowed = review(&viewer, kind, list("staging")).await;
    assert_eq!((allowed.0, &allowed.1["allowed"]), (201, &json!(true)));
    assert!(
        allowed.1["reason"]
            .as_str()
            .unwrap()
            .contains("RoleBinding \"staging-viewers/staging\"")
    );
    assert_eq!(review(&viewer, kind, list("")).await.1, json!({"allowed": false}));
    assert_eq!(
        review(
            &api,
            kind,
            json!({"resourceAttributes": {"verb": "*", "resource": "*"}})
        )
        .await
        .1["allowed"],
        true
    );
    let path = json!({"nonResourceAttributes": {"verb": "get", "path": "/apis/x"}});
    assert_eq!(review(&viewer, kind, path).await.1["allowed"], true);
    let rules = review(
        &api.user("editor"),
        "SelfSubjectRulesReview",
        json!({"namespace": "shop"}),
    )
    .await
    .1;
    let rules = rules["resourceRules"].as_array().unwrap();
    assert!(
        rules
            .iter()
            .any(|rule| rule["resources"].as_array().unwrap().contains(&json!("pods/exec"))),
        "{rules:?}"
    );
    assert_eq!(
        review(&viewer, "SelfSubjectReview", json!({})).await.1["userInfo"]["username"],
        "viewer"
    );
    let (status, _) = answer(
        api.request(Method::POST, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
            .body("{"),
    )
    .await;
    assert_eq!(status, 400);
}
