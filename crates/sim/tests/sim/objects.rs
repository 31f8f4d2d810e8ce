//! Objects, lists and versions.

use crate::client::Api;

#[tokio::test]
async fn a_pod_that_runs_is_listed_and_got() {
    let api = Api::start().await;
    api.sim.run_pod("shop", "web", &["app", "proxy"]);
    let (status, list) = api.get("/api/v1/pods").await;
    assert_eq!(
        (status, &list["kind"], &list["items"][0]["metadata"]["name"]),
        (200, &"PodList".into(), &"web".into())
    );
    let (status, pod) = api.get("/api/v1/namespaces/shop/pods/web").await;
    assert_eq!(
        (status, &pod["kind"], &pod["status"]["phase"]),
        (200, &"Pod".into(), &"Running".into())
    );
    assert_eq!(
        api.get("/api/v1/namespaces/other/pods").await.1["items"],
        serde_json::json!([])
    );
    let (status, error) = api.get("/api/v1/namespaces/other/pods/web").await;
    assert_eq!(
        (status, &error["reason"], &error["message"]),
        (404, &"NotFound".into(), &"pods \"web\" not found".into())
    );
}
