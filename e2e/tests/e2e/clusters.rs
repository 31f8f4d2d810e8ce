//! Clusters added through the API, with what their credentials may do.

use http::Method;
use serde_json::{Value, json};

use crate::support::{Got, Lab, Server, Socket, shell_pod, until};

/// Returns the administrator's kubeconfig with another user's token, as text.
fn kubeconfig_of(token: &str) -> String {
    let path = std::env::var("KUBECONFIG").unwrap();
    let mut config = kube::config::Kubeconfig::read_from(path).unwrap();
    for user in &mut config.auth_infos {
        user.auth_info = Some(serde_json::from_value(json!({"token": token})).unwrap());
    }
    serde_json::to_string(&config).unwrap()
}

/// Adds a cluster and waits for the end of its first sync, good or bad.
async fn add(server: &Server, body: Value) -> Value {
    let added = server.ok(Method::POST, "/api/clusters", Some(body)).await;
    let path = format!("/api/clusters/{}", added["id"]);
    until("the first sync has ended", || async {
        let cluster = server.get(&path).await;
        (cluster["sync"]["state"] != "syncing").then_some(cluster)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn a_kubeconfig_context_is_a_read_only_cluster() {
    let server = Server::start().await;
    let clusters = server.get("/api/clusters").await;
    assert_eq!(clusters["total"], 1);
    let path = format!("/api/clusters/{}", server.cluster);
    // The version is requested separately, so it may be known after the pods.
    until("the version is known and the nodes are counted", || async {
        let cluster = server.get(&path).await;
        let version = cluster["version"].as_str().unwrap();
        (version.starts_with("v1.") && cluster["nodeCount"].as_i64() >= Some(1)).then_some(())
    })
    .await;
    assert_eq!(server.refused(Method::DELETE, &path, None).await.0, 409_001);
    server.ok(Method::POST, &format!("{path}/test"), None).await;
    let namespaces = server.get(&format!("{path}/namespaces")).await;
    assert!(namespaces.to_string().contains("kube-system"), "{namespaces}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn loopback_needs_the_operators_word() {
    let server = Server::start().await;
    let body = json!({"name": "mine", "kubeConfig": kubeconfig_of("admin-token")});
    let (code, message) = server.refused(Method::POST, "/api/clusters", Some(body)).await;
    assert!(code == 400_002 || code == 502_001, "{code}");
    assert!(message.contains("127.0.0.1"), "{message}");
    assert_eq!(server.get("/api/clusters").await["total"], 1, "nothing was stored");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e; its users are those of kubelab"]
async fn a_limited_credential_sees_its_namespace_and_no_more() {
    let lab = Lab::new("limited").await;
    let server = Server::start_with(&["--allowed-network", "127.0.0.0/8"]).await;
    lab.run(shell_pod("box")).await;

    let (code, _) = server
        .refused(
            Method::POST,
            "/api/clusters",
            Some(json!({"name": "bad", "kubeConfig": kubeconfig_of("wrong-token")})),
        )
        .await;
    assert_eq!(code, 502_001, "the cluster's 401 is not the caller's");

    let viewer = add(
        &server,
        json!({"name": "viewer", "kubeConfig": kubeconfig_of("viewer-token"), "namespaces": ["staging"]}),
    )
    .await;
    assert_eq!(viewer["sync"]["state"], "synced", "{viewer}");
    assert!(!viewer.to_string().contains("viewer-token"));
    let list = server.get("/api/clusters/viewer/pods?pageSize=1000").await;
    assert!(
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|pod| pod["namespace"] == "staging"),
        "{list}"
    );

    let path = format!("/api/clusters/viewer/namespaces/{}/pods/box", lab.namespace);
    let (code, message) = server.refused(Method::GET, &path, None).await;
    assert_eq!(code, 403_001);
    assert!(
        message.contains("viewer") && message.contains(&lab.namespace) && message.contains("pods"),
        "{message}"
    );
    let socket = format!("/ws/clusters/viewer/namespaces/{}/pods/box/exec", lab.namespace);
    let (frames, close) = Socket::open(&server.base, &socket, &server.token).await.rest().await;
    assert_eq!((frames[0]["code"].as_i64(), close), (Some(403_001), 4403), "{frames:?}");

    server.ok(Method::DELETE, "/api/clusters/viewer", None).await;
    assert_eq!(
        server.refused(Method::GET, "/api/clusters/viewer/pods", None).await.0,
        404_002
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn a_ticket_opens_one_socket_once() {
    let lab = Lab::new("ticket").await;
    let server = Server::start().await;
    lab.run(shell_pod("box")).await;
    let path = format!(
        "/ws/clusters/{}/namespaces/{}/pods/box/logs",
        server.cluster, lab.namespace
    );
    let ticket = server
        .ok(Method::POST, "/api/ws-tickets", Some(json!({"path": path})))
        .await["ticket"]
        .as_str()
        .unwrap()
        .to_owned();
    let url = format!("{}{path}?ticket={ticket}", server.base.replacen("http", "ws", 1));
    let (socket, _) = tokio_tungstenite::connect_async(&url).await.unwrap();
    drop(socket);
    let refused = tokio_tungstenite::connect_async(&url).await.unwrap_err();
    assert!(refused.to_string().contains("401"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn a_server_that_ends_says_goodbye() {
    let lab = Lab::new("drain").await;
    let server = Server::start().await;
    lab.run(shell_pod("box")).await;
    let mut shell = server.socket(&lab.namespace, "box", "exec").await;
    shell.frame("output").await;
    let killed = std::process::Command::new("kill")
        .arg(server.pid().to_string())
        .status()
        .unwrap();
    assert!(killed.success());
    loop {
        match shell.next().await {
            Got::Closed(code) => break assert_eq!(code, 1001),
            Got::Frame(_) => {}
        }
    }
}
