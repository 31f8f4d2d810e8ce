//! The clusters: listing, adding, changing, trying and removing them.

use base64::{Engine, engine::general_purpose::STANDARD};
use podgate_sim::Sim;
use serde_json::json;

use crate::support::{Server, Setup};

async fn other() -> Sim {
    let options = podgate_sim::Options {
        name: "other".into(),
        ..podgate_sim::Options::default()
    };
    let sim = Sim::start(options).await.unwrap();
    sim.run_pod("shop", "cart", &["main"]);
    sim
}

#[tokio::test]
async fn the_list_is_paged_and_a_cluster_has_the_specified_fields() {
    let server = Server::start().await;
    let list = server.get("/api/clusters").await.data();
    assert_eq!(
        (&list["total"], &list["page"], &list["pageSize"]),
        (&json!(1), &json!(1), &json!(20))
    );
    let cluster = &list["items"][0];
    assert_eq!(cluster["name"], "sim");
    assert_eq!(cluster["status"], "healthy");
    assert_eq!(cluster["apiServer"], format!("https://{}", server.sim.address()));
    assert_eq!(cluster["readOnly"], true);
    assert_eq!(cluster["sync"]["state"], "synced");
    assert_eq!(cluster["sync"]["error"], "");
    assert!(cluster["sync"]["syncedAt"].as_str().unwrap().ends_with('Z'));
    for field in ["id", "description", "version", "nodeCount", "podCount"] {
        assert!(cluster.get(field).is_some(), "{field}");
    }
    let past = server.get("/api/clusters?page=2&pageSize=1").await.data();
    assert_eq!((&past["items"], &past["total"]), (&json!([]), &json!(1)));
    let by_number = server.get(&format!("/api/clusters/{}", cluster["id"])).await.data();
    let by_name = server.get("/api/clusters/sim").await.data();
    assert_eq!(by_number["name"], by_name["name"]);
    server.get("/api/clusters/nowhere").await.fails(404_002);
    server.get("/api/clusters/4294967296").await.fails(404_002);
    server.stop().await;
}

#[tokio::test]
async fn stats_and_namespaces_are_those_of_the_cluster() {
    let server = Server::start().await;
    server.run_pod("shop", "cart", &["main"]).await;
    server.run_pod("shop", "checkout", &["main"]).await;
    server.run_pod("mail", "queue", &["main"]).await;
    let stats = server.get("/api/clusters/sim/stats").await.data();
    assert_eq!(stats["pods"], 3);
    assert_eq!(stats["byStatus"], json!([{"status": "Running", "count": 3}]));
    assert_eq!(
        stats["byNamespace"],
        json!([{"namespace": "mail", "count": 1}, {"namespace": "shop", "count": 2}])
    );
    let namespaces = server.get("/api/clusters/sim/namespaces").await.data();
    let names: Vec<&str> = namespaces["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"shop") && names.contains(&"mail"), "{names:?}");
    assert!(names.is_sorted());
    assert_eq!(namespaces["total"], names.len());
    server.stop().await;
}

#[tokio::test]
async fn a_cluster_is_added_changed_tried_and_removed() {
    let server = Server::start().await;
    let other = other().await;
    let kubeconfig = other.kubeconfig();
    let new = json!({"name": "other", "description": "The other one", "kubeConfig": STANDARD.encode(&kubeconfig)});
    let answer = server.post("/api/clusters", new.clone()).await;
    let cluster = answer.data();
    assert_eq!(
        (&cluster["name"], &cluster["description"]),
        (&json!("other"), &json!("The other one"))
    );
    assert_eq!(cluster["readOnly"], false);
    let pods = server
        .until("/api/clusters/other/pods", |answer| answer.status == 200)
        .await
        .data();
    assert_eq!(pods["items"][0]["name"], "cart");

    server.post("/api/clusters", new).await.fails(409_001);
    let tried = server.post("/api/clusters/other/test", json!({})).await.data();
    assert!(tried["version"].as_str().unwrap().starts_with('v'), "{tried}");

    let changed = server
        .put("/api/clusters/other", json!({"name": "renamed", "description": ""}))
        .await
        .data();
    assert_eq!(
        (&changed["id"], &changed["name"], &changed["description"]),
        (&cluster["id"], &json!("renamed"), &json!(""))
    );
    server.get("/api/clusters/other").await.fails(404_002);
    server
        .put("/api/clusters/renamed", json!({"name": "sim"}))
        .await
        .fails(409_001);
    for name in ["", "UPPER", "123"] {
        server
            .put("/api/clusters/renamed", json!({"name": name}))
            .await
            .fails(400_002);
    }
    server
        .until("/api/clusters/renamed/pods", |answer| answer.status == 200)
        .await;

    for answer in [
        answer.text(),
        server.get("/api/clusters").await.text(),
        server.get("/api/clusters/renamed").await.text(),
    ] {
        assert!(
            !answer.contains("admin-token") && !answer.contains("BEGIN CERTIFICATE"),
            "{answer}"
        );
    }

    assert_eq!(server.delete("/api/clusters/renamed").await.status, 200);
    server.get("/api/clusters/renamed").await.fails(404_002);
    server.get("/api/clusters/renamed/pods").await.fails(404_002);
    other.stop().await;
    server.stop().await;
}

#[tokio::test]
async fn an_operators_cluster_cannot_be_changed() {
    let server = Server::start().await;
    server
        .put("/api/clusters/sim", json!({"description": "mine"}))
        .await
        .fails(409_001);
    server.delete("/api/clusters/sim").await.fails(409_001);
    assert_eq!(server.get("/api/clusters/sim").await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn an_invalid_cluster_is_refused_with_the_reason() {
    let server = Server::start().await;
    let with_exec = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": "https://192.0.2.1:6443"}}],
        "users": [{"name": "u", "user": {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/sh"}}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    });
    for (body, part) in [
        (json!({"name": "x"}), "kubeConfig"),
        (json!({"name": "x", "kubeConfig": ""}), "kubeConfig"),
        (json!({"name": "x", "kubeConfig": "]["}), ""),
        (json!({"name": "x", "kubeConfig": with_exec.to_string()}), "exec"),
        (
            json!({"name": "x", "apiServer": "http://192.0.2.1", "token": "t"}),
            "https",
        ),
        (
            json!({"name": "x", "apiServer": "file:///etc/passwd", "token": "t"}),
            "https",
        ),
        (
            json!({"name": "UPPER", "apiServer": "https://192.0.2.1", "token": "t"}),
            "name",
        ),
        (
            json!({"name": "123", "apiServer": "https://192.0.2.1", "token": "t"}),
            "name",
        ),
        (
            json!({"name": "", "apiServer": "https://192.0.2.1", "token": "t"}),
            "name",
        ),
    ] {
        let message = server.post("/api/clusters", body.clone()).await.fails(400_002);
        assert!(message.contains(part), "{body}: {message}");
    }
    assert_eq!(server.get("/api/clusters").await.data()["total"], 1);
    server.stop().await;
}

#[tokio::test]
async fn a_loopback_address_is_refused_unless_the_operator_allows_it() {
    let server = Server::with(Setup {
        allow_loopback: false,
        ..Setup::default()
    })
    .await;
    let other = other().await;
    let before = other.requests().len();
    let new = json!({"name": "other", "kubeConfig": other.kubeconfig()});
    let answer = server.post("/api/clusters", new).await;
    assert!(answer.status >= 400, "{}", answer.text());
    let message = answer.json()["message"].as_str().unwrap().to_owned();
    assert!(
        message.contains("127.0.0.1") || message.contains("loopback"),
        "{message}"
    );
    assert_eq!(other.requests().len(), before);
    assert_eq!(server.get("/api/clusters").await.data()["total"], 1);
    other.stop().await;
    server.stop().await;
}

#[tokio::test]
async fn a_wrong_token_is_our_caller_s_to_mend_and_never_a_401_to_it() {
    let server = Server::start().await;
    let other = other().await;
    let new = json!({"name": "other", "kubeConfig": other.kubeconfig()});
    server.post("/api/clusters", new).await.data();
    other.faults().revoke_token("admin");
    let message = server.post("/api/clusters/other/test", json!({})).await.fails(502_001);
    assert!(message.contains("credential"), "{message}");
    other.stop().await;
    server.stop().await;
}

#[tokio::test]
async fn a_cluster_that_forbids_podgate_to_list_is_403001() {
    let server = Server::start().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("kubeconfig");
    std::fs::write(&file, server.sim.kubeconfig_for("viewer")).unwrap();
    let source = podgate_cluster::Source::from_kubeconfig_file(&file)
        .unwrap()
        .remove(0)
        .source;
    let cluster = server.registry.add(podgate_cluster::Spec {
        id: podgate_index::ClusterId(77),
        name: "limited".to_owned(),
        source,
        namespaces: Vec::new(),
    });
    while cluster.sync().state == podgate_cluster::SyncState::Syncing {
        cluster.clone().sync_changed().await;
    }
    let message = server.get("/api/clusters/limited/pods").await.fails(403_001);
    for part in [
        "Podgate's own credential",
        "cluster `limited`",
        "`list pods`",
        "refused by the cluster",
        "--namespaces CONTEXT=a,b",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    server.stop().await;
}
