//! `WS /ws/pods` and `WS /ws/clusters/{clusterId}/pods`.

use std::collections::HashMap;

use podgate_api::Options;
use serde_json::{Value, json};

use crate::{
    pods_list::enormous,
    support::{Server, Setup, Socket, within},
};

const ONE: &str = "/ws/clusters/sim/pods";
const ALL: &str = "/ws/pods";

/// The identity of a row: its cluster and uid.
type RowKey = (String, String);

/// The state of a live query's client, which applies each frame as the contract says.
#[derive(Debug, Default)]
struct View {
    seq: u64,
    total: u64,
    order: Vec<RowKey>,
    rows: HashMap<RowKey, Value>,
    facets: Value,
    facet_totals: Value,
    clusters: Value,
    /// The uids that the last frame said to be gone.
    gone: Vec<String>,
}

impl View {
    /// Applies a frame, whose number must be the next.
    fn apply(&mut self, mut frame: Value) {
        self.seq += 1;
        assert_eq!(frame["seq"], self.seq, "{frame}");
        self.total = frame["total"].as_u64().unwrap();
        let gone = frame["gone"].as_array().cloned().unwrap_or_default();
        self.gone = gone.iter().map(|uid| uid.as_str().unwrap().to_owned()).collect();
        if let Some(totals) = frame.get("facetTotals") {
            self.facet_totals = totals.clone();
        }
        let key = |row: &Value| {
            ["cluster", "uid"]
                .map(|field| row[field].as_str().unwrap().to_owned())
                .into()
        };
        match frame["type"].as_str().unwrap() {
            "snapshot" => {
                let items = frame["items"].as_array().unwrap();
                self.order = items.iter().map(key).collect();
                self.rows = items.iter().map(|row| (key(row), row.clone())).collect();
                assert_eq!(frame["facets"] == json!({}), frame.get("truncatedFacets").is_none());
                self.facets = frame["facets"].take();
                self.clusters = frame["clusters"].take();
            }
            "delta" => {
                for row in frame["upsert"].as_array().unwrap() {
                    self.rows.insert(key(row), row.clone());
                }
                if let Some(order) = frame["order"].as_array() {
                    self.order = order.iter().map(|uid| self.only(uid.as_str().unwrap())).collect();
                    self.rows.retain(|key, _| self.order.contains(key));
                }
                for (held, key) in [(&mut self.facets, "facets"), (&mut self.clusters, "clusters")] {
                    if frame.get(key).is_some() {
                        *held = frame[key].take();
                    }
                }
            }
            other => panic!("{other}: {frame}"),
        }
        assert_eq!(
            self.rows.len(),
            self.order.len(),
            "every row of the window is known, and no other"
        );
    }

    /// Returns the one row with a uid.
    fn only(&self, uid: &str) -> RowKey {
        let of_uid: Vec<_> = self.rows.keys().filter(|(_, other)| other == uid).collect();
        assert_eq!(of_uid.len(), 1, "{of_uid:?}");
        of_uid[0].clone()
    }

    fn items(&self) -> Vec<Value> {
        self.order.iter().map(|key| self.rows[key].clone()).collect()
    }

    fn names(&self) -> Vec<&str> {
        self.order
            .iter()
            .map(|key| self.rows[key]["name"].as_str().unwrap())
            .collect()
    }

    /// Applies frames until something holds.
    async fn until(&mut self, socket: &mut Socket, wanted: impl Fn(&Self) -> bool) {
        within(async {
            while !wanted(self) {
                let frame = socket.next().await;
                self.apply(frame);
            }
        })
        .await;
    }
}

async fn subscribe(server: &Server, path: &str, frame: Value) -> (Socket, View) {
    let mut socket = server.ws(path).await;
    let mut subscribe = json!({"type": "subscribe"});
    subscribe
        .as_object_mut()
        .unwrap()
        .extend(frame.as_object().unwrap().clone());
    socket.send(subscribe).await;
    let mut view = View::default();
    let first = socket.next().await;
    assert_eq!(first["type"], "snapshot", "{first}");
    view.apply(first);
    (socket, view)
}

#[tokio::test]
async fn a_view_begins_with_a_snapshot_and_then_gets_changes() {
    let server = Server::start().await;
    server.run_pod("shop", "web-1", &["main"]).await;
    server.run_pod("shop", "web-2", &["main"]).await;
    server.run_pod("other", "db", &["main"]).await;
    let query = json!({"query": {"namespace": "shop", "sort": "name"}, "facets": ["status"]});
    let (mut socket, mut view) = subscribe(&server, ONE, query).await;
    assert_eq!((view.total, view.names()), (2, vec!["web-1", "web-2"]));
    assert_eq!(view.facets, json!({"status": [{"value": "Running", "count": 2}]}));
    assert_eq!(view.clusters[0]["name"], "sim");
    assert_eq!(view.clusters[0]["state"], "synced");
    let metrics = server.request("GET", "/metrics", None, None).await.text();
    assert!(metrics.contains("\npodgate_live_viewers 1\n"), "{metrics}");

    server.sim.run_pod("other", "cache", &["main"]);
    server.sim.run_pod("shop", "app", &["main"]);
    view.until(&mut socket, |view| view.total == 3).await;
    assert_eq!(view.names(), ["app", "web-1", "web-2"]);

    server.sim.restart_container("shop", "web-1", "main", 1);
    view.until(&mut socket, |view| view.items()[1]["restarts"] == 1).await;
    assert_eq!(view.total, 3);

    assert!(server.sim.remove("Pod", "shop", "web-1"));
    view.until(&mut socket, |view| view.total == 2).await;
    assert_eq!(view.names(), ["app", "web-2"]);
    let list = server.get("/api/pods?namespace=shop&sort=name").await.data();
    assert_eq!(
        view.items(),
        *list["items"].as_array().unwrap(),
        "a row is what the list of all clusters shows"
    );
    socket.close().await;
    server.stop().await;
}

#[tokio::test]
async fn a_window_begins_around_a_pod() {
    let server = Server::start().await;
    for number in 0..30 {
        server.sim.run_pod("shop", &format!("pod-{number:02}"), &["main"]);
    }
    server
        .until("/api/pods", |answer| answer.json()["data"]["total"] == 30)
        .await;
    let around = |name: &str| json!({"cluster": "sim", "namespace": "shop", "name": name});
    let frame = json!({"query": {"sort": "name"}, "limit": 5, "around": around("pod-10")});
    let (mut socket, mut view) = subscribe(&server, ALL, frame).await;
    assert_eq!(view.names(), ["pod-08", "pod-09", "pod-10", "pod-11", "pod-12"]);
    // Nearer to an end at the ends; at the beginning if it is not there.
    for (name, first, offset) in [
        ("pod-01", "pod-00", 0),
        ("pod-29", "pod-25", 25),
        ("pod-20", "pod-18", 18),
        ("none", "pod-00", 0),
    ] {
        socket
            .send(json!({"type": "window", "limit": 5, "around": around(name)}))
            .await;
        let frame = socket.next_of("snapshot").await;
        assert_eq!(frame["offset"], offset, "{name}");
        view.apply(frame);
        assert_eq!(view.names()[0], first, "{name}");
    }
    // It is looked up once: the window stays where it is.
    socket
        .send(json!({"type": "window", "limit": 5, "around": around("pod-20")}))
        .await;
    view.apply(socket.next_of("snapshot").await);
    server.sim.remove("Pod", "shop", "pod-00");
    view.until(&mut socket, |view| view.total == 29).await;
    assert_eq!(view.names()[0], "pod-19");
    socket.close().await;

    // The one cluster needs no name, and the other direction has the other places.
    let frame = json!({"query": {"sort": "name", "order": "desc"}, "limit": 3, "around": {"namespace": "shop", "name": "pod-10"}});
    let (socket, view) = subscribe(&server, ONE, frame).await;
    assert_eq!(view.names(), ["pod-11", "pod-10", "pod-09"]);
    socket.close().await;
    server.stop().await;
}

#[tokio::test]
async fn a_pod_that_is_gone_is_told_from_one_that_left_the_window() {
    let server = Server::start().await;
    for name in ["web-1", "web-2", "web-3"] {
        server.run_pod("shop", name, &["main"]).await;
    }
    let frame = json!({"query": {"sort": "name", "phase": ["Running"]}});
    let (mut socket, mut view) = subscribe(&server, ONE, frame).await;
    let uids: Vec<String> = view.order.iter().map(|(_, uid)| uid.clone()).collect();
    server.sim.remove("Pod", "shop", "web-2");
    view.until(&mut socket, |view| view.total == 2).await;
    assert_eq!(view.gone, [uids[1].clone()]);
    server.sim.end_container("shop", "web-3", "main", 0);
    view.until(&mut socket, |view| view.total == 1).await;
    assert!(view.gone.is_empty(), "it only no longer matches: {:?}", view.gone);
    socket.close().await;
    server.stop().await;
}

#[tokio::test]
async fn counts_beside_ones_own_filter_follow_changes() {
    let server = Server::start().await;
    server.run_pod("shop", "web-1", &["main"]).await;
    server.run_pod("shop", "web-2", &["main"]).await;
    server.run_pod("other", "db", &["main"]).await;
    let frame = json!({
        "query": {"namespace": ["shop"], "problem": true, "facetMode": "others"},
        "facets": ["status", "problem", "namespace"],
    });
    let (mut socket, mut view) = subscribe(&server, ALL, frame).await;
    assert_eq!(view.total, 0);
    assert_eq!(view.facets["status"], json!([{"value": "Running", "count": 2}]));
    assert_eq!(view.facets["problem"], json!([{"value": "false", "count": 2}]));
    assert_eq!(view.facets["namespace"], json!([]), "no pod anywhere is not well");
    assert_eq!(view.facet_totals, json!({"status": 2, "problem": 2, "namespace": 0}));
    // A change of a pod that does not match changes the counts.
    server.sim.remove("Pod", "shop", "web-2");
    view.until(&mut socket, |view| view.facet_totals["status"] == 1).await;
    assert_eq!(view.facets["status"], json!([{"value": "Running", "count": 1}]));
    socket.close().await;
    server.stop().await;
}

#[tokio::test]
async fn a_viewer_of_a_slow_line_gets_deltas_less_often() {
    let server = Server::start().await;
    server.run_pod("shop", "web", &["main"]).await;
    let (mut slow, mut slow_view) = subscribe(&server, ONE, json!({"interval": 10_000})).await;
    let (mut fast, mut fast_view) = subscribe(&server, ONE, json!({})).await;
    server.sim.run_pod("shop", "second", &["main"]);
    fast_view.until(&mut fast, |view| view.total == 2).await;
    slow_view.until(&mut slow, |view| view.total == 2).await;
    server.sim.run_pod("shop", "third", &["main"]);
    fast_view.until(&mut fast, |view| view.total == 3).await;
    // The first delta was just now, so nothing but the answer comes.
    slow.send(json!({"type": "ping"})).await;
    assert_eq!(slow.next().await["type"], "pong");
    // A window that is asked for comes at once, and holds what was left out.
    slow.send(json!({"type": "window", "offset": 0, "limit": 10})).await;
    slow_view.apply(slow.next().await);
    assert_eq!(slow_view.total, 3);
    slow.close().await;
    fast.close().await;
    server.stop().await;
}

#[tokio::test]
async fn a_window_scrolls() {
    let server = Server::start().await;
    for number in 0..30 {
        server.sim.run_pod("shop", &format!("pod-{number:02}"), &["main"]);
    }
    server
        .until("/api/pods", |answer| answer.json()["data"]["total"] == 30)
        .await;
    let (mut socket, mut view) = subscribe(&server, ALL, json!({"query": {"sort": "name"}, "limit": 3})).await;
    assert_eq!((view.total, view.names()), (30, vec!["pod-00", "pod-01", "pod-02"]));
    socket.send(json!({"type": "window", "offset": 28, "limit": 5})).await;
    view.until(&mut socket, |view| view.order.len() == 2).await;
    assert_eq!(view.names(), ["pod-28", "pod-29"]);

    server.sim.remove("Pod", "shop", "pod-00");
    view.until(&mut socket, |view| view.total == 29).await;
    assert_eq!(view.names(), ["pod-29"], "a row before the window moves it");
    socket.send(json!({"type": "window", "offset": 1000})).await;
    view.until(&mut socket, |view| view.order.is_empty()).await;
    assert_eq!(view.total, 29);
    socket.close().await;
    server.stop().await;
}

#[tokio::test]
async fn a_window_of_large_rows_ends_earlier_and_says_where() {
    let server = Server::start().await;
    let name = |number: usize| format!("pod-{number:02}");
    for number in 0..40 {
        server.sim.put(enormous("shop", &name(number)));
    }
    server
        .until("/api/pods?pageSize=1", |answer| answer.json()["data"]["total"] == 40)
        .await;
    let mut socket = server.ws(ALL).await;
    let subscribe = json!({"type": "subscribe", "query": {"sort": "name"}, "limit": 30});
    socket.send(subscribe).await;
    let mut view = View::default();
    let first = socket.next().await;
    let limit = first["limit"].as_u64().unwrap() as usize;
    assert!((2..30).contains(&limit), "{limit}");
    assert_eq!(first["items"].as_array().unwrap().len(), limit);
    assert!(first["items"].to_string().len() <= 4 << 20);
    view.apply(first);
    assert_eq!(view.total, 40);

    // Changes stay within the window that the viewer was given.
    server.sim.remove("Pod", "shop", &name(0));
    view.until(&mut socket, |view| view.total == 39).await;
    let expected: Vec<_> = (1..=limit).map(name).collect();
    assert_eq!(view.names(), expected);

    // A window that fits has the length that was asked for.
    socket.send(json!({"type": "window", "offset": 37, "limit": 30})).await;
    let last = socket.next().await;
    assert_eq!(
        (&last["limit"], last["items"].as_array().unwrap().len()),
        (&json!(30), 2)
    );
    view.apply(last);

    // One that grows under its viewer is cut when it must be.
    for number in 0..30 {
        let name = format!("a-{number:02}");
        server
            .sim
            .put(json!({"kind": "Pod", "metadata": {"name": name, "namespace": "shop"}, "spec": {}}));
    }
    server
        .until("/api/pods?pageSize=1", |answer| answer.json()["data"]["total"] == 69)
        .await;
    socket.send(json!({"type": "window", "offset": 0, "limit": 30})).await;
    view.until(&mut socket, |view| {
        view.total == 69 && view.names().last() == Some(&"a-29")
    })
    .await;
    for number in 0..30 {
        server.sim.put(enormous("shop", &format!("a-{number:02}")));
    }
    view.until(&mut socket, |view| {
        view.items().iter().all(|row| row["containersLeftOut"] == 20)
    })
    .await;
    let list = server
        .get(&format!("/api/pods?sort=name&pageSize={}", view.order.len()))
        .await
        .data();
    assert_eq!(view.items(), *list["items"].as_array().unwrap());
    socket.close().await;
    server.stop().await;
}

#[tokio::test]
async fn a_large_frame_waits_for_memory_and_its_client_is_heard() {
    let api = Options {
        // One terminal.
        stream_memory: 2 << 20,
        ..Options::default()
    };
    let setup = Setup {
        api,
        ..Setup::default()
    };
    let server = Server::with(setup).await;
    server.run_pod("shop", "web", &["app"]).await;
    server.sim.put(enormous("large", "pod"));
    server
        .until("/api/pods?pageSize=1", |answer| answer.json()["data"]["total"] == 2)
        .await;
    let mut terminal = server.ws("/ws/clusters/sim/namespaces/shop/pods/web/exec").await;
    terminal.send(json!({"type": "ping"})).await;
    terminal.next_of("pong").await;
    let mut socket = server.ws(ONE).await;
    socket.send(json!({"type": "subscribe"})).await;
    for _ in 0..2 {
        let (other, _) = subscribe(&server, ONE, json!({"query": {"namespace": "shop"}})).await;
        other.close().await;
        socket.send(json!({"type": "ping"})).await;
        assert_eq!(socket.next().await["type"], "pong", "it waits and is not closed");
    }
    terminal.close().await;
    let first = socket.next().await;
    assert_eq!(
        (&first["type"], &first["seq"], &first["total"]),
        (&json!("snapshot"), &json!(1), &json!(2))
    );
    socket.close().await;
    server.stop().await;
}

#[tokio::test]
async fn a_second_query_replaces_the_first_and_restarts_its_count() {
    let server = Server::start().await;
    server.run_pod("a", "one", &["main"]).await;
    server.run_pod("b", "two", &["main"]).await;
    let (mut socket, view) = subscribe(&server, ALL, json!({"query": {"namespace": ["a"]}})).await;
    assert_eq!(view.names(), ["one"]);
    socket
        .send(json!({"type": "subscribe", "query": {"search": "TWO"}}))
        .await;
    let mut view = View::default();
    view.apply(socket.next().await);
    assert_eq!(view.names(), ["two"]);
    socket.send(json!({"type": "unsubscribe"})).await;
    socket.send(json!({"type": "ping"})).await;
    assert_eq!(socket.next().await["type"], "pong");
    socket.send(json!({"type": "window", "offset": 0})).await;
    assert_eq!(socket.next().await["code"], 400_002, "there is no window any more");
    socket.close().await;
    server.stop().await;
}

#[tokio::test]
async fn a_broken_cluster_is_reported_and_its_rows_stay() {
    let server = Server::start().await;
    server.run_pod("shop", "web", &["main"]).await;
    let (mut socket, mut view) = subscribe(&server, ALL, json!({})).await;
    server.sim.pause().await;
    view.until(&mut socket, |view| view.clusters[0]["state"] == "stale")
        .await;
    assert_eq!(view.names(), ["web"]);
    assert_ne!(view.clusters[0]["error"], "");
    server.sim.resume().await;
    view.until(&mut socket, |view| view.clusters[0]["state"] == "synced")
        .await;
    socket.close().await;
    server.stop().await;
}

#[tokio::test]
async fn many_viewers_are_one_watch_and_all_hold_what_a_list_answers() {
    let server = Server::start().await;
    for number in 0..40 {
        server
            .sim
            .run_pod(["a", "b"][number % 2], &format!("pod-{number:02}"), &["main"]);
    }
    server
        .until("/api/pods", |answer| answer.json()["data"]["total"] == 40)
        .await;
    let queries = [
        ("", json!({})),
        ("sort=name&order=desc", json!({"sort": "name", "order": "desc"})),
        (
            "namespace=a&sort=restarts&order=desc",
            json!({"namespace": "a", "sort": "restarts", "order": "desc"}),
        ),
        ("search=-3&sort=name", json!({"search": "-3", "sort": "name"})),
        (
            "status=Running&sort=name",
            json!({"status": ["Running"], "sort": "name"}),
        ),
    ];
    let mut viewers = Vec::new();
    for at in 0..20 {
        let (path, query) = &queries[at % queries.len()];
        let (socket, view) = subscribe(&server, ALL, json!({"query": query, "limit": 10})).await;
        viewers.push((path, socket, view));
    }
    for number in 0..40 {
        let (namespace, name) = (["a", "b"][number % 2], format!("pod-{number:02}"));
        match number % 4 {
            0 => server.sim.restart_container(namespace, &name, "main", 1),
            1 => drop(server.sim.remove("Pod", namespace, &name)),
            2 => server.sim.end_container(namespace, &name, "main", 2),
            _ => server.sim.run_pod(namespace, &format!("pod-3{number:02}"), &["main"]),
        };
    }
    // The last change of all: who holds what a list with it answers has seen everything.
    server.run_pod("a", "last", &["main"]).await;
    assert_eq!(server.sim.open_watches(), 1);
    for (path, socket, view) in &mut viewers {
        let list = server.get(&format!("/api/pods?pageSize=10&{path}")).await.data();
        let (items, total) = (list["items"].as_array().unwrap(), list["total"].as_u64().unwrap());
        view.until(socket, |view| view.total == total && view.items() == *items)
            .await;
    }
    for (_, socket, _) in viewers {
        socket.close().await;
    }
    server.stop().await;
}

#[tokio::test]
async fn a_cluster_with_two_names_shows_its_pods_twice_and_never_the_wrong_one() {
    let server = Server::start().await;
    for name in ["web-1", "web-2", "web-3"] {
        server.run_pod("shop", name, &["main"]).await;
    }
    let new = json!({"name": "again", "kubeConfig": server.sim.kubeconfig()});
    assert_eq!(server.post("/api/clusters", new).await.status, 200);
    let both = |total: u64| move |answer: &crate::support::Answer| answer.json()["data"]["total"] == total;
    server.until("/api/pods", both(6)).await;
    let query = json!({"query": {"sort": "restarts", "order": "desc"}});
    let (mut socket, mut view) = subscribe(&server, ALL, query).await;
    assert_eq!((view.total, view.items().len()), (6, 6));
    for name in ["web-2", "web-3", "web-1", "web-3"] {
        server.sim.restart_container("shop", name, "main", 1);
    }
    assert!(server.sim.remove("Pod", "shop", "web-2"));
    server.until("/api/pods", both(4)).await;
    let list = server.get("/api/pods?sort=restarts&order=desc").await.data();
    let items = list["items"].as_array().unwrap();
    view.until(&mut socket, |view| view.total == 4 && view.items() == *items)
        .await;
    socket.close().await;
    server.stop().await;
}

#[tokio::test]
async fn a_viewer_that_does_not_read_gets_a_snapshot_and_delays_no_other() {
    let server = Server::start().await;
    for number in 0..400 {
        server
            .sim
            .run_pod("shop", &format!("pod-{number:03}"), &["main", "side"]);
    }
    server
        .until("/api/pods", |answer| answer.json()["data"]["total"] == 400)
        .await;
    let query = json!({"query": {"sort": "name"}, "limit": 500});
    let (mut slow, mut behind) = subscribe(&server, ALL, query.clone()).await;
    let (mut quick, mut view) = subscribe(&server, ALL, query).await;
    // Until the buffers of the slow client are full, which takes some megabytes.
    for round in 1..=60 {
        for number in 0..400 {
            server
                .sim
                .restart_container("shop", &format!("pod-{number:03}"), "main", 1);
        }
        view.until(&mut quick, |view| {
            view.items().iter().all(|row| row["restarts"] == round)
        })
        .await;
    }
    let mut snapshots = 0;
    within(async {
        while behind.items().iter().any(|row| row["restarts"] != 60) {
            let frame = slow.next().await;
            snapshots += usize::from(frame["type"] == "snapshot");
            behind.apply(frame);
        }
    })
    .await;
    assert!(snapshots > 0, "it was spared what it did not read");
    assert!(behind.seq < view.seq, "{} frames instead of {}", behind.seq, view.seq);
    assert_eq!(behind.items(), view.items());
    quick.close().await;
    slow.close().await;
    server.stop().await;
}

#[tokio::test]
async fn a_malformed_frame_keeps_the_view_and_a_missing_cluster_ends_it() {
    let server = Server::start().await;
    server.run_pod("shop", "web", &["main"]).await;
    let (mut socket, mut view) = subscribe(&server, ONE, json!({})).await;
    for (frame, code) in [
        ("nonsense", 400_002),
        (r#"{"type":"subscribe","query":{"pageSize":1}}"#, 400_001),
        (r#"{"type":"subscribe","query":{"cluster":"sim"}}"#, 400_001),
        (r#"{"type":"window","limit":501}"#, 400_001),
        (r#"{"type":"window","offset":-1}"#, 400_002),
    ] {
        socket.send_text(frame).await;
        assert_eq!(socket.next().await["code"], code, "{frame}");
    }
    server.sim.run_pod("shop", "more", &["main"]);
    view.until(&mut socket, |view| view.total == 2).await;
    socket.close().await;

    let mut socket = server.ws(ALL).await;
    socket
        .send(json!({"type": "subscribe", "query": {"cluster": "nowhere"}}))
        .await;
    assert_eq!(socket.fails().await.0, 404_002);
    let mut socket = server.ws("/ws/clusters/nowhere/pods").await;
    assert_eq!(socket.fails().await.0, 404_002);
    server.stop().await;
}

#[tokio::test]
async fn live_queries_of_a_user_are_capped() {
    let mut setup = Setup::default();
    setup.api.websockets.live_per_user = 2;
    let server = Server::with(setup).await;
    let (first, _) = subscribe(&server, ALL, json!({})).await;
    let (second, _) = subscribe(&server, ONE, json!({})).await;
    for path in [ALL, ONE] {
        let (code, message) = server.ws(path).await.fails().await;
        assert_eq!(code, 429_001, "{message}");
    }
    first.close().await;
    // Its place is free when the server has seen the close.
    within(Box::pin(async {
        loop {
            let mut socket = server.ws(ALL).await;
            socket.send(json!({"type": "subscribe"})).await;
            if socket.next().await["type"] == "snapshot" {
                break socket.close().await;
            }
        }
    }))
    .await;
    second.close().await;
    server.stop().await;
}
