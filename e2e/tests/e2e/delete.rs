//! Deletion.

use http::Method;

use crate::support::{Lab, Server, pod, shell_pod};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn a_pod_is_deleted_with_its_own_grace() {
    let lab = Lab::new("delete").await;
    let server = Server::start().await;
    lab.run(shell_pod("gentle")).await;
    let path = server.pod(&lab.namespace, "gentle");

    server.ok(Method::DELETE, &format!("{path}?dryRun=true"), None).await;
    assert!(
        lab.pods()
            .get("gentle")
            .await
            .unwrap()
            .metadata
            .deletion_timestamp
            .is_none()
    );
    let (code, _) = server
        .refused(
            Method::DELETE,
            &format!("{path}?uid=00000000-0000-0000-0000-000000000000"),
            None,
        )
        .await;
    assert_eq!(code, 409_001);
    let (code, _) = server
        .refused(Method::DELETE, &format!("{path}?force=true&gracePeriod=5"), None)
        .await;
    assert_eq!(code, 400_001);
    assert!(
        lab.pods()
            .get("gentle")
            .await
            .unwrap()
            .metadata
            .deletion_timestamp
            .is_none()
    );

    let (_, answer) = server.call(Method::DELETE, &path, None).await;
    assert_eq!(
        answer,
        serde_json::json!({"code": 200, "message": "Pod deleted successfully", "data": null})
    );
    lab.wait_gone("gentle").await;
    assert_eq!(server.refused(Method::DELETE, &path, None).await.0, 404_001);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn force_removes_a_stubborn_pod_at_once() {
    let lab = Lab::new("force").await;
    let server = Server::start().await;
    let mut stubborn = pod("stubborn", &[("main", "trap '' TERM; while :; do sleep 1; done")]);
    stubborn["spec"]["terminationGracePeriodSeconds"] = 600.into();
    lab.run(stubborn).await;
    server
        .ok(
            Method::DELETE,
            &format!("{}?force=true", server.pod(&lab.namespace, "stubborn")),
            None,
        )
        .await;
    assert!(lab.pods().get_opt("stubborn").await.unwrap().is_none());
}
