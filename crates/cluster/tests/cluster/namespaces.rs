//! Credentials that may not list the pods of all namespaces.

use std::{fs, time::Duration};

use podgate_cluster::{Error, SyncState, client::Policy};
use podgate_index::{ClusterId, Index, Query};
use serde_json::{Value, json};

use crate::{
    kubeconfig::Field,
    world::{policy, until},
};

/// The names of the pods in an index.
fn shown(index: &Index) -> Vec<String> {
    let query = Query {
        clusters: vec![ClusterId(1)],
        limit: 10,
        ..Query::default()
    };
    let mut names: Vec<_> = index.query(&query).rows.into_iter().map(|row| row.pod.name).collect();
    names.sort_unstable();
    names
}

/// A kubeconfig of somebody who may see one namespace.
fn of_viewer(field: &Field, user: Value, namespace: Value) -> String {
    field.kubeconfig(|config| {
        config["users"][0]["user"] = user;
        config["contexts"][0]["context"]["namespace"] = namespace;
    })
}

#[tokio::test]
async fn a_credential_of_one_namespace_watches_its_contexts() {
    let field = Field::new(policy()).await;
    field.sim.run_pod("shop", "web", &["main"]);
    field.sim.run_pod("staging", "trial", &["main"]);
    let cluster = field.add(&of_viewer(&field, json!({"token": "viewer-token"}), json!("staging")));
    until("it is synced", || cluster.sync().state == SyncState::Synced).await;
    assert_eq!(cluster.watched().to_vec(), ["staging"]);
    assert_eq!(shown(&field.index), ["trial"]);
    assert_eq!(cluster.namespaces().await.unwrap(), ["staging"]);
    cluster.probe().await.unwrap();
    field.sim.run_pod("staging", "second", &["main"]);
    until("it is followed", || shown(&field.index) == ["second", "trial"]).await;
    field.end().await;
}

#[tokio::test]
async fn a_right_to_all_namespaces_is_noticed() {
    let field = Field::new(Policy {
        credential_fresh: Duration::ZERO,
        ..policy()
    })
    .await;
    field.sim.run_pod("shop", "web", &["main"]);
    let token = field.path("token");
    fs::write(&token, "viewer-token").unwrap();
    let cluster = field.add(&of_viewer(&field, json!({"tokenFile": "token"}), json!("staging")));
    until("it is synced", || cluster.sync().state == SyncState::Synced).await;
    assert_eq!(cluster.watched().to_vec(), ["staging"]);
    fs::write(&token, "admin-token").unwrap();
    until("all are watched", || cluster.watched().is_empty()).await;
    until("the other namespaces' pods are there", || {
        shown(&field.index) == ["web"]
    })
    .await;
    field.end().await;
}

#[tokio::test]
async fn without_a_namespace_the_missing_right_is_named() {
    let field = Field::new(policy()).await;
    for (namespace, parts) in [
        (json!(""), ["in all namespaces", "--namespaces CONTEXT=a,b"]),
        (json!("shop"), ["in namespace `shop`", "give it that right"]),
    ] {
        let kubeconfig = of_viewer(&field, json!({"token": "viewer-token"}), namespace);
        let outcome = field.outcome(&kubeconfig).await;
        Field::says(&outcome, &parts);
        Field::says(
            &outcome,
            &[
                "Podgate's own credential for cluster `prod`",
                "`list pods`",
                "refused by the cluster",
            ],
        );
        let cluster = field.registry.get(ClusterId(1)).unwrap();
        assert!(matches!(cluster.sync().error, Some(Error::Forbidden(_))));
    }
    field.end().await;
}
