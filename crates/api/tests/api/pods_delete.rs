//! `DELETE /api/clusters/{clusterId}/namespaces/{namespace}/pods/{name}`.

use serde_json::{Value, json};

use crate::{
    pods_detail::pod_path,
    support::{PATIENCE, Server},
};

/// Creates a pod that stays until its finalizer is removed, so that its deletion can be observed.
fn kept(server: &Server, name: &str) -> Value {
    server.sim.run_pod("shop", name, &["app"]);
    let mut pod = server.sim.get("Pod", "shop", name).unwrap();
    pod["metadata"]["finalizers"] = json!(["example.com/kept"]);
    pod["spec"]["terminationGracePeriodSeconds"] = json!(45);
    server.sim.put(pod)
}

async fn gone(server: &Server, name: &str) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while server.sim.get("Pod", "shop", name).is_some() {
        assert!(tokio::time::Instant::now() < deadline, "{name} is still there");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_pod_is_deleted_with_the_grace_asked_for() {
    let server = Server::start().await;
    for (name, query, grace) in [
        ("own", "", 45),
        ("given", "?gracePeriod=7", 7),
        ("zero", "?gracePeriod=0", 1),
        ("no-force", "?force=false&gracePeriod=0", 1),
    ] {
        kept(&server, name);
        let answer = server.delete(&(pod_path("shop", name) + query)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(
            answer.json(),
            json!({"code": 200, "message": "Pod deleted successfully", "data": null})
        );
        let pod = server.sim.get("Pod", "shop", name).unwrap();
        assert!(pod["metadata"]["deletionTimestamp"].is_string(), "{pod}");
        assert_eq!(pod["metadata"]["deletionGracePeriodSeconds"], grace, "{name}");
    }
    server.stop().await;
}

#[tokio::test]
async fn force_removes_a_pod_at_once() {
    let server = Server::start().await;
    for query in ["?force=true", "?force=true&gracePeriod=0", "?force=true&gracePeriod="] {
        server.sim.run_pod("shop", "web-1", &["app"]);
        server.delete(&(pod_path("shop", "web-1") + query)).await.data();
        assert!(server.sim.get("Pod", "shop", "web-1").is_none(), "{query}");
    }
    server.sim.run_pod("shop", "web-2", &["app"]);
    server.delete(&pod_path("shop", "web-2")).await.data();
    gone(&server, "web-2").await;
    server.delete(&pod_path("shop", "web-2")).await.fails(404_001);
    server.stop().await;
}

#[tokio::test]
async fn a_stale_page_never_deletes_the_successor() {
    let server = Server::start().await;
    server.sim.run_pod("shop", "web-1", &["app"]);
    let path = pod_path("shop", "web-1");
    let read = server.get(&path).await.data();
    let (uid, version) = (read["uid"].as_str().unwrap(), read["resourceVersion"].as_str().unwrap());
    server.sim.remove("Pod", "shop", "web-1");
    server.sim.run_pod("shop", "web-1", &["app"]);
    let message = server.delete(&format!("{path}?uid={uid}")).await.fails(409_001);
    assert!(
        message.contains("UID") && message.contains("web-1") && message.contains("sim"),
        "{message}"
    );
    server
        .delete(&format!("{path}?resourceVersion={version}&force=true"))
        .await
        .fails(409_001);
    assert!(server.sim.get("Pod", "shop", "web-1").unwrap()["metadata"]["deletionTimestamp"].is_null());
    let read = server.get(&path).await.data();
    let (uid, version) = (read["uid"].as_str().unwrap(), read["resourceVersion"].as_str().unwrap());
    server
        .delete(&format!("{path}?uid={uid}&resourceVersion={version}&force=true"))
        .await
        .data();
    gone(&server, "web-1").await;
    server.stop().await;
}

#[tokio::test]
async fn a_dry_run_checks_and_deletes_nothing() {
    let server = Server::start().await;
    server.sim.run_pod("shop", "web-1", &["app"]);
    let path = pod_path("shop", "web-1");
    let before = server.sim.get("Pod", "shop", "web-1").unwrap();
    let answer = server.delete(&format!("{path}?dryRun=true&force=true")).await;
    assert_eq!(
        answer.json(),
        json!({"code": 200, "message": "Pod would be deleted (dry run)", "data": null})
    );
    server
        .delete(&format!("{path}?dryRun=true&uid=other"))
        .await
        .fails(409_001);
    assert_eq!(server.sim.get("Pod", "shop", "web-1").unwrap(), before);
    server
        .delete(&(pod_path("shop", "gone") + "?dryRun=true"))
        .await
        .fails(404_001);
    server.stop().await;
}

#[tokio::test]
async fn an_invalid_request_deletes_nothing() {
    let server = Server::start().await;
    server.sim.run_pod("shop", "web-1", &["app"]);
    for (query, part) in [
        ("force=true&gracePeriod=1", "`gracePeriod`"),
        ("force=yes", "`force`"),
        ("force=TRUE", "`force`"),
        ("force=true&force=true", "`force`"),
        ("gracePeriod=-1", "`gracePeriod`"),
        ("gracePeriod=4294967296", "`gracePeriod`"),
        ("gracePeriod=1.5", "`gracePeriod`"),
        ("gracePeriod=1&gracePeriod=1", "`gracePeriod`"),
        ("grace=1", "`grace`"),
        ("dryRun=All", "`dryRun`"),
        ("uid=a&uid=b", "`uid`"),
        ("uid=%00", "`uid`"),
    ] {
        let message = server
            .delete(&format!("{}?{query}", pod_path("shop", "web-1")))
            .await
            .fails(400_001);
        assert!(message.contains(part), "{query}: {message}");
    }
    assert!(server.sim.get("Pod", "shop", "web-1").unwrap()["metadata"]["deletionTimestamp"].is_null());
    server.stop().await;
}
