//! `GET /api/pods`.

use podgate_sim::Sim;
use serde_json::{Value, json};

use crate::{
    pods_detail::add_limited,
    support::{PATIENCE, Server, cluster, synced, within},
};

const PODS: &str = "/api/pods";

/// Returns a pod of a simulated cluster.
fn pod(namespace: &str, name: &str, second: u32) -> Value {
    json!({
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "creationTimestamp": format!("2026-01-01T00:00:{second:02}Z")},
        "spec": {"containers": [{"name": "main", "image": "busybox:1"}]},
        "status": {"phase": "Pending"},
    })
}

/// Starts a server of the clusters `sim` and `other` (number 9), with two pods each; `a/twin` is in
/// both.
async fn two() -> (Server, Sim) {
    let server = Server::start().await;
    let other = cluster("other").await;
    for pod in [pod("a", "first", 1), pod("a", "twin", 3)] {
        server.sim.put(pod);
    }
    for pod in [pod("b", "second", 2), pod("a", "twin", 3)] {
        other.put(pod);
    }
    synced(server.add(&other, 9)).await;
    server.until(PODS, |answer| answer.data()["total"] == 4).await;
    (server, other)
}

/// Returns each item's cluster and name, in order.
fn places(data: &Value) -> Vec<(&str, &str)> {
    let items = data["items"].as_array().unwrap().iter();
    items
        .map(|item| (item["cluster"].as_str().unwrap(), item["name"].as_str().unwrap()))
        .collect()
}

/// Returns the name and state of each cluster in a list.
fn states(data: &Value) -> Vec<(&str, &str)> {
    let clusters = data["clusters"].as_array().unwrap().iter();
    clusters
        .map(|cluster| (cluster["name"].as_str().unwrap(), cluster["state"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn pods_of_all_clusters_come_in_one_order_and_on_one_page() {
    let (server, other) = two().await;
    let data = server.get(PODS).await.data();
    assert_eq!(
        places(&data),
        [
            ("sim", "twin"),
            ("other", "twin"),
            ("other", "second"),
            ("sim", "first")
        ]
    );
    assert_eq!(states(&data), [("sim", "synced"), ("other", "synced")]);
    for cluster in data["clusters"].as_array().unwrap() {
        let synced_at: jiff::Timestamp = cluster["syncedAt"].as_str().unwrap().parse().unwrap();
        assert!(synced_at <= jiff::Timestamp::now());
        assert_eq!((&cluster["error"], cluster.as_object().unwrap().len()), (&json!(""), 4));
    }
    assert!(data.get("sync").is_none(), "{data}");
    let data = server.get(&format!("{PODS}?sort=name&page=2&pageSize=3")).await.data();
    assert_eq!(places(&data), [("other", "twin")]);
    assert_eq!(
        (&data["total"], &data["page"], &data["pageSize"]),
        (&json!(4), &json!(2), &json!(3))
    );
    let data = server.get(&format!("{PODS}?namespace=b&search=SEC")).await.data();
    assert_eq!(places(&data), [("other", "second")]);
    server.stop().await;
    within(other.stop()).await;
}

#[tokio::test]
async fn cluster_narrows_the_list_by_name_or_number() {
    let (server, other) = two().await;
    for query in ["cluster=other", "cluster=9", "cluster=9&cluster=other&cluster=9"] {
        let data = server.get(&format!("{PODS}?{query}")).await.data();
        assert_eq!(places(&data), [("other", "twin"), ("other", "second")], "{query}");
        assert_eq!(states(&data), [("other", "synced")], "{query}");
    }
    let data = server
        .get(&format!("{PODS}?cluster=other&cluster=sim&cluster="))
        .await
        .data();
    assert_eq!((&data["total"], states(&data).len()), (&json!(4), 2));
    for name in ["nowhere", "4000000000", "UPPER", "99999999999999999999", "a%2Fb"] {
        let message = server
            .get(&format!("{PODS}?cluster=sim&cluster={name}"))
            .await
            .fails(404_002);
        assert!(message.contains(&name.replace("%2F", "/")), "{message}");
    }
    server.stop().await;
    within(other.stop()).await;
}

#[tokio::test]
async fn a_dead_a_slow_and_a_stale_cluster_are_named_and_delay_nothing() {
    let (server, other) = two().await;
    let (slow, dead) = (cluster("slow").await, cluster("dead").await);
    // It does not answer as long as this test runs: whoever waits for it does not answer either.
    slow.faults().delay_requests("/pods", PATIENCE * 4);
    dead.faults().revoke_token("admin");
    server.add(&slow, 10);
    server.add(&dead, 11);
    other.pause().await;
    let wanted = [
        ("sim", "synced"),
        ("other", "stale"),
        ("slow", "syncing"),
        ("dead", "failed"),
    ];
    let data = server
        .until(PODS, |answer| states(&answer.data()) == wanted)
        .await
        .data();
    assert_eq!(
        places(&data),
        [
            ("sim", "twin"),
            ("other", "twin"),
            ("other", "second"),
            ("sim", "first")
        ]
    );
    let [_, stale, slow_one, failed] = data["clusters"].as_array().unwrap().as_slice() else {
        panic!("{data}");
    };
    assert!(stale["syncedAt"] != "" && stale["error"] != "", "{stale}");
    assert_eq!((&slow_one["syncedAt"], &slow_one["error"]), (&json!(""), &json!("")));
    assert!(failed["syncedAt"] == "" && failed["error"] != "", "{failed}");

    let data = server
        .get(&format!("{PODS}?cluster=slow&cluster=dead&facets=cluster"))
        .await
        .data();
    assert_eq!((&data["items"], &data["total"]), (&json!([]), &json!(0)));
    assert_eq!(states(&data), [("slow", "syncing"), ("dead", "failed")]);
    assert_eq!(data["facets"], json!({"cluster": []}));
    other.resume().await;
    server.stop().await;
    for sim in [other, slow, dead] {
        within(sim.stop()).await;
    }
}

#[tokio::test]
async fn a_cluster_that_is_not_watched_where_asked_says_so() {
    let (server, other) = two().await;
    add_limited(&server).await;
    let answer = server
        .until(&format!("{PODS}?namespace=b"), |answer| {
            states(&answer.data()).contains(&("limited", "synced"))
        })
        .await;
    let data = answer.data();
    assert_eq!(places(&data), [("other", "second")]);
    for cluster in data["clusters"].as_array().unwrap() {
        let error = cluster["error"].as_str().unwrap();
        assert_eq!(
            error.contains("namespace `b`"),
            cluster["name"] == "limited",
            "{cluster}"
        );
        assert_eq!(error.is_empty(), cluster["name"] != "limited", "{cluster}");
    }
    server.stop().await;
    within(other.stop()).await;
}

#[tokio::test]
async fn facets_count_over_all_clusters() {
    let (server, other) = two().await;
    let data = server
        .get(&format!("{PODS}?facets=cluster,namespace,problem&pageSize=1"))
        .await
        .data();
    assert_eq!(
        data["facets"]["cluster"],
        json!([{"value": "sim", "count": 2}, {"value": "other", "count": 2}])
    );
    assert_eq!(
        data["facets"]["namespace"],
        json!([{"value": "a", "count": 3}, {"value": "b", "count": 1}])
    );
    let problems = data["facets"]["problem"].as_array().unwrap();
    let counted: u64 = problems.iter().map(|value| value["count"].as_u64().unwrap()).sum();
    assert_eq!(counted, 4, "{problems:?}");
    let message = server.get(&format!("{PODS}?facets=status,node")).await.fails(400_001);
    assert!(
        message.contains("`cluster`, `namespace`, `status`, `phase`, `qosClass`, `nodeName`, `problem`")
            && message.contains("`node`"),
        "{message}"
    );
    server.stop().await;
    within(other.stop()).await;
}

#[tokio::test]
async fn nobody_lists_without_credential_or_permission() {
    let server = Server::start().await;
    server.request("GET", PODS, None, None).await.fails(401_003);
    let token = server.nobody().await;
    let message = server.request("GET", PODS, Some(&token), None).await.fails(403_001);
    assert!(message.contains("nobody") && message.contains("list pods"), "{message}");
    server.stop().await;
}
