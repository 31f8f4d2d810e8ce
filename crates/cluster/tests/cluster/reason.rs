//! Reasons of pods that only an event shows, once somebody reads the events.

use podgate_index::{Page, Pod, Query};
use serde_json::{Value, json};

use crate::world::{Format, ID, World, until};

/// Creates a pod whose only container is in a state.
fn put(world: &World, state: Value, ready: bool) -> Value {
    let status = json!({"name": "app", "state": state, "ready": ready, "started": ready});
    world.sim.put(json!({
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": "shop", "uid": "mine", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"nodeName": "node-1", "containers": [{"name": "app", "image": "app:1"}]},
        "status": {"phase": if ready { "Running" } else { "Pending" }, "containerStatuses": [status],
            "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }, "reason": "ContainersNotReady"}]}
    }))
}

fn warn(world: &World, reason: &str, message: &str, last: &str) {
    world.sim.put(json!({
        "kind": "Event", "metadata": {"name": reason, "namespace": "shop"}, "type": "Warning", "reason": reason, "message": message,
        "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web", "uid": "mine"},
        "firstTimestamp": last, "lastTimestamp": last
    }));
}

fn rows_of(world: &World) -> Page {
    world.index.query(&Query {
        clusters: vec![ID],
        ..Query::default()
    })
}

/// Returns the status and reason of the row.
fn row(world: &World) -> Option<(String, String)> {
    let rows = rows_of(world).rows;
    let reason = |pod: Pod| (pod.status, pod.reason.map(|reason| reason.text).unwrap_or_default());
    rows.into_iter().next().map(|row| reason(row.pod))
}

async fn becomes(world: &World, status: &str, reason: &str) {
    let want = Some((status.to_owned(), reason.to_owned()));
    until(&format!("{want:?}, not {:?}", row(world)), || row(world) == want).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warning_that_was_read_is_the_reason_until_the_pod_is_well() {
    // The watch is in protobuf, the pod of an event in JSON: both make the same row.
    let world = World::synced(Format::Protobuf, 0).await;
    let creating = json!({"waiting": {"reason": "ContainerCreating"}});
    put(&world, creating.clone(), false);
    warn(&world, "FailedMount", "no volume", "2026-01-01T00:00:05Z");
    warn(&world, "MissingClusterDNS", "harmless", "2026-01-01T00:00:09Z");
    becomes(&world, "ContainerCreating", "").await;

    let mut changes = world.registry.changes();
    changes.mark_unchanged();
    assert_eq!(world.cluster.events("shop", "web").await.unwrap().newest.len(), 2);
    assert_eq!(
        row(&world).unwrap().1,
        "FailedMount: no volume",
        "at once: the pod does not change"
    );
    assert!(changes.has_changed().unwrap(), "and those who watch are told");

    // The watch sends the pod again. Its row is built again and keeps the reason.
    let mut again = put(&world, creating, false);
    again["metadata"]["labels"] = json!({"seen": "again"});
    world.sim.put(again);
    let labelled = || {
        let rows = rows_of(&world).rows;
        rows.first().is_some_and(|row| !row.pod.labels.is_empty())
    };
    until("the row is new", labelled).await;
    assert_eq!(row(&world).unwrap().1, "FailedMount: no volume");

    put(&world, json!({"running": {}}), true);
    becomes(&world, "Running", "").await;
    world.cluster.events("shop", "web").await.unwrap();
    becomes(&world, "Running", "").await;
    put(&world, json!({"waiting": {"reason": "ContainerCreating"}}), false);
    becomes(&world, "ContainerCreating", "").await;
    world.end().await;
}
