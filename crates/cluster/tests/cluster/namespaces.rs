//! Credentials that may not list the pods of all namespaces.

use std::{
    fs, io,
    sync::{Arc, Mutex},
    time::Duration,
};

use podgate_cluster::{Error, Policy, SyncState};
use podgate_index::{ClusterId, Index, Query};
use serde_json::{Value, json};

use crate::{
    kubeconfig::Field,
    world::{policy, until},
};

/// Returns the names of the pods in an index.
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

/// Returns a kubeconfig of somebody who may see one namespace.
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

/// The log of a test's thread.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Returns how many lines have all of the parts.
    fn count(&self, parts: &[&str]) -> usize {
        let bytes = self.0.lock().unwrap();
        let text = String::from_utf8_lossy(&bytes);
        text.lines()
            .filter(|line| parts.iter().all(|part| line.contains(part)))
            .count()
    }
}

#[tokio::test]
async fn the_log_says_once_that_one_namespace_is_watched() {
    let log = Log::default();
    let writer = log.clone();
    let lines = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(lines);
    let field = Field::new(policy()).await;
    field.sim.run_pod("staging", "trial", &["main"]);
    let cluster = field.add(&of_viewer(&field, json!({"token": "viewer-token"}), json!("staging")));
    until("it is synced", || cluster.sync().state == SyncState::Synced).await;
    let parts = ["WARN", "prod", "staging"];
    assert_eq!(log.count(&parts), 1, "{log:?}");
    // The next list of the same watch narrows nothing.
    field.sim.run_pod("staging", "second", &["main"]);
    until("it is followed", || shown(&field.index) == ["second", "trial"]).await;
    assert_eq!(log.count(&parts), 1, "{log:?}");
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
        (json!("shop"), ["in namespace `shop`", "grant it that permission"]),
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
