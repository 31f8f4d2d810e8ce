//! A cluster's credential goes in, and never comes back out or to another server.

use podgate_sim::Sim;
use serde_json::{Value, json};

use crate::support::{Answer, Server};

const SECRET: &str = "viewer-token";

async fn other() -> Sim {
    let sim = Sim::start(podgate_sim::Options::default()).await.unwrap();
    sim.run_pod("staging", "cart", &["main"]);
    sim
}

/// Returns the address, token and authority of a user as separate fields of the API.
fn parts(sim: &Sim, user: &str) -> Value {
    let kubeconfig = sim.kubeconfig_for(user);
    let authority = kubeconfig
        .lines()
        .find_map(|line| line.trim().strip_prefix("certificate-authority-data: "))
        .unwrap();
    json!({
        "apiServer": format!("https://{}", sim.address()),
        "token": format!("{user}-token"),
        "caCert": authority.trim_matches('"'),
    })
}

fn with(parts: &Value, more: Value) -> Value {
    let mut body = parts.clone();
    let fields = body.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    body
}

#[track_caller]
fn keeps_quiet(answer: &Answer) {
    let text = answer.text();
    assert!(!text.contains(SECRET) && !text.contains("CERTIFICATE"), "{text}");
}

#[tokio::test]
async fn parts_make_a_cluster_watched_in_its_namespaces() {
    let server = Server::start().await;
    let other = other().await;
    let parts = parts(&other, "viewer");
    // The credential may list pods in one namespace only, and the error says what to do.
    let refused = server
        .post("/api/clusters", with(&parts, json!({"name": "other"})))
        .await;
    let message = refused.fails(403_001);
    assert!(message.contains("namespaces"), "{message}");
    keeps_quiet(&refused);
    let new = with(&parts, json!({"name": "other", "namespaces": ["staging", "staging"]}));
    let made = server.post("/api/clusters", new).await;
    assert_eq!(made.data()["namespaces"], json!(["staging"]));
    keeps_quiet(&made);
    let pods = server
        .until("/api/clusters/other/pods", |answer| answer.status == 200)
        .await
        .data();
    assert_eq!((&pods["total"], &pods["items"][0]["name"]), (&json!(1), &json!("cart")));
    for path in ["/api/clusters", "/api/clusters/other", "/api/clusters/other/stats"] {
        keeps_quiet(&server.get(path).await);
    }
    other.stop().await;
    server.stop().await;
}

#[tokio::test]
async fn a_stored_credential_goes_to_no_other_server() {
    let server = Server::start().await;
    let (first, second) = (other().await, other().await);
    let new = with(
        &parts(&first, "viewer"),
        json!({"name": "other", "namespaces": ["staging"]}),
    );
    server.post("/api/clusters", new).await.data();
    let elsewhere = parts(&second, "viewer");
    for body in [
        json!({"apiServer": elsewhere["apiServer"]}),
        json!({"caCert": elsewhere["caCert"]}),
        json!({"apiServer": elsewhere["apiServer"], "caCert": elsewhere["caCert"]}),
    ] {
        let message = server.put("/api/clusters/other", body).await.fails(400_002);
        assert!(message.contains("`token`"), "{message}");
    }
    assert!(second.requests().is_empty());
    // With its own token the cluster may move.
    let moved = server.put("/api/clusters/other", elsewhere.clone()).await.data();
    assert_eq!(moved["apiServer"], elsewhere["apiServer"]);
    first.stop().await;
    second.stop().await;
    server.stop().await;
}

#[tokio::test]
async fn a_new_token_is_tried_before_it_replaces_the_old_one() {
    let server = Server::start().await;
    let other = other().await;
    let new = with(
        &parts(&other, "viewer"),
        json!({"name": "other", "namespaces": ["staging"]}),
    );
    server.post("/api/clusters", new).await.data();
    let refused = server
        .put("/api/clusters/other", json!({"token": "no-such-token"}))
        .await;
    refused.fails(502_001);
    assert!(!refused.text().contains("no-such-token"), "{}", refused.text());
    server.post("/api/clusters/other/test", json!({})).await.data();
    server
        .put("/api/clusters/other", json!({"token": "admin-token"}))
        .await
        .data();
    other.faults().revoke_token("viewer");
    server.post("/api/clusters/other/test", json!({})).await.data();
    other.stop().await;
    server.stop().await;
}

#[tokio::test]
async fn a_malformed_credential_is_not_quoted_back() {
    let server = Server::start().await;
    for body in [
        json!({"name": "x", "apiServer": "https://192.0.2.1", "token": SECRET, "caCert": SECRET}),
        json!({"name": "x", "apiServer": format!("https://user:{SECRET}@192.0.2.1"), "token": SECRET}),
        json!({"name": "x", "apiServer": "https://192.0.2.1", "token": format!("{SECRET}\n{SECRET}")}),
        json!({"name": "x", "kubeConfig": format!("users: [{{token: {SECRET}")}),
        json!({"name": "x", "kubeConfig": "a: 1", "token": SECRET}),
        json!({"name": "x", "token": SECRET}),
    ] {
        let answer = server.post("/api/clusters", body).await;
        answer.fails(400_002);
        keeps_quiet(&answer);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_test_and_a_failure_tell_nothing_of_the_upstreams_body() {
    let server = Server::start().await;
    let other = other().await;
    let new = with(
        &parts(&other, "viewer"),
        json!({"name": "other", "namespaces": ["staging"]}),
    );
    server.post("/api/clusters", new.clone()).await.data();
    other.faults().fail_requests("/version", 500, 100);
    for answer in [
        server.post("/api/clusters/other/test", json!({})).await,
        server
            .post("/api/clusters", with(&new, json!({"name": "another"})))
            .await,
    ] {
        answer.fails(502_001);
        keeps_quiet(&answer);
        assert!(!answer.text().contains("\"kind\""), "{}", answer.text());
    }
    other.stop().await;
    server.stop().await;
}
