#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value, json};

use super::*;

fn read(pod: Value) -> podgate_index::Pod {
    row(&serde_json::from_value(pod).unwrap(), None)
}

#[test]
fn containers_are_joined_to_their_status_by_name() {
    let row = read(json!({
        "spec": {
            "containers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}, {"name": "c"}],
            "initContainers": [{"name": "i", "image": "i:1"}, {"name": "s", "image": "s:1", "restartPolicy": "Always"}]
        },
        "status": {
            "containerStatuses": [
                {"name": "b", "image": "sha256:other", "ready": true, "restartCount": 2},
                {"name": "gone", "ready": true, "restartCount": 9},
                {"name": "a", "ready": false, "restartCount": -1}
            ],
            "initContainerStatuses": [{"name": "s", "ready": true, "restartCount": 1}]
        }
    }));
    let of = |containers: &[Container]| -> Vec<_> {
        let one = |c: &Container| (c.name.clone(), c.image.clone(), c.ready, c.restart_count);
        containers.iter().map(one).collect()
    };
    let container = |name: &str, image: &str, ready, restarts| (name.to_owned(), image.to_owned(), ready, restarts);
    assert_eq!(
        of(&row.containers),
        [
            container("a", "a:1", false, 0),
            container("b", "b:1", true, 2),
            container("c", "", false, 0)
        ]
    );
    assert_eq!(
        of(&row.init_containers),
        [container("i", "i:1", false, 0), container("s", "s:1", true, 1)]
    );
}

#[test]
fn a_row_copies_all_other_fields_unchanged() {
    let row = read(json!({
        "metadata": {
            "name": "n", "namespace": "ns", "uid": "u", "resourceVersion": "5",
            "creationTimestamp": "2026-01-01T00:00:00Z", "deletionTimestamp": "2026-01-01T00:00:30Z",
            "labels": {"b": "2", "a": "1"},
            "ownerReferences": [
                {"kind": "Node", "name": "x"},
                {"kind": "ReplicaSet", "name": "rs", "controller": true}
            ]
        },
        "spec": {"nodeName": "node-1"},
        "status": {"phase": "Running", "qosClass": "Burstable", "podIP": "10.0.0.5", "hostIP": "192.168.1.10"}
    }));
    assert_eq!(
        (row.name, row.namespace, row.uid),
        ("n".into(), "ns".into(), "u".into())
    );
    assert_eq!((row.phase, row.node), ("Running".into(), "node-1".into()));
    assert_eq!(row.qos_class, "Burstable");
    assert_eq!((row.pod_ip, row.host_ip), ("10.0.0.5".into(), "192.168.1.10".into()));
    assert_eq!(
        (row.created_at, row.deletion_at),
        (Some(1_767_225_600), Some(1_767_225_630))
    );
    assert_eq!((row.containers_left_out, row.labels_left_out), (0, 0));
    assert_eq!(row.labels, [("a".into(), "1".into()), ("b".into(), "2".into())]);
    assert_eq!(
        row.owner,
        Some(Owner {
            kind: "ReplicaSet".into(),
            name: "rs".into()
        })
    );
}

#[test]
fn a_pod_without_a_time_of_creation_has_none() {
    for meta in [
        json!({}),
        json!({"creationTimestamp": null}),
        json!({"creationTimestamp": "0001-01-01T00:00:00Z"}),
    ] {
        assert_eq!(read(json!({"metadata": meta})).created_at, None);
    }
}

#[test]
fn each_address_is_kept_once() {
    let ips = |status: Value| read(json!({"status": status})).more_ips;
    let dual = json!([{"ip": "10.0.0.5"}, {"ip": "fd00::5"}]);
    assert_eq!(ips(json!({"podIP": "10.0.0.5", "podIPs": dual})), ["fd00::5"]);
    assert_eq!(
        ips(json!({"podIP": "10.0.0.5", "podIPs": [{"ip": "10.0.0.5"}]})),
        [] as [&str; 0]
    );
    let odd = json!([{"ip": "10.0.0.5"}, {}, {"ip": "x".repeat(1000)}, {"ip": "1\u{0}2"}]);
    assert_eq!(ips(json!({"podIP": "10.0.0.5", "podIPs": odd})), [] as [&str; 0]);
    let many: Vec<_> = (0..100).map(|n| json!({"ip": format!("10.0.1.{n}")})).collect();
    assert_eq!(ips(json!({"podIPs": many})).len(), MORE_IPS);
}

/// Returns a pod each of whose texts is far too long, and of which there is far too much.
fn enormous() -> Value {
    let text = "ä".repeat(10_000);
    let container = |n: usize| json!({"name": format!("c{n}{text}"), "image": format!("i{n}{text}")});
    let containers: Vec<_> = (0..201).map(container).collect();
    let ready =
        |n: usize| json!({"name": format!("c{n}{text}"), "ready": true, "restartCount": 2, "state": {"running": {}}});
    json!({
        "metadata": {
            "name": text, "namespace": text, "uid": text,
            "ownerReferences": [{"kind": text, "name": text, "controller": true}],
            "labels": (0..300).map(|n| (format!("key-{n:03}"), "value".into())).collect::<serde_json::Map<_, _>>(),
        },
        "spec": {"nodeName": text, "containers": containers, "initContainers": containers},
        "status": {
            "phase": text, "reason": text, "message": text, "qosClass": text, "podIP": text, "hostIP": text,
            "initContainerStatuses": [],
            "containerStatuses": (0..201).map(ready).collect::<Vec<_>>(),
            "conditions": [{"type": "Initialized", "status": "True"}],
        },
    })
}

#[test]
fn every_text_of_a_row_is_bounded_and_marked() {
    let row = read(enormous());
    // Every field is named, so that the bound of a new text can't be forgotten.
    let podgate_index::Pod {
        uid,
        namespace,
        name,
        status,
        phase,
        qos_class,
        reason,
        node,
        pod_ip,
        more_ips: _, // Only addresses are kept.
        host_ip,
        owner,
        containers,
        init_containers,
        labels: _, // Longer labels are left out.
        restarts: _,
        last_restart_at: _,
        created_at: _,
        deletion_at: _,
        ready: _,
        ready_total: _,
        containers_left_out: _,
        labels_left_out: _,
    } = &row;
    let Owner {
        kind: owner_kind,
        name: owner_name,
    } = owner.as_ref().unwrap();
    let mut texts = vec![
        uid, namespace, name, status, phase, qos_class, node, pod_ip, host_ip, owner_kind, owner_name,
    ];
    let containers = || containers.iter().chain(init_containers);
    texts.extend(containers().map(|container| &container.name));
    for text in texts {
        assert!(
            (MAX_TEXT - 1..=MAX_TEXT).contains(&text.len()) && text.ends_with('…'),
            "{text}"
        );
    }
    for image in containers().map(|container| &container.image) {
        assert!(
            (IMAGE - 1..=IMAGE).contains(&image.len()) && image.ends_with('…'),
            "{image}"
        );
    }
    let reason = reason.as_ref().unwrap();
    assert!(
        reason.text.len() <= MAX_TEXT && reason.text.ends_with('…'),
        "{reason:?}"
    );
    let args: serde_json::Map<String, Value> = serde_json::from_str(&reason.args).unwrap();
    let long = args.values().filter_map(Value::as_str);
    assert!(long.clone().all(|text| text.len() <= MAX_TEXT), "{reason:?}");
    assert!(long.clone().any(|text| text.ends_with('…')), "{reason:?}");
    assert!(row.weight() < 700_000, "{} bytes", row.weight());
}

#[test]
fn containers_that_are_left_out_still_count() {
    let row = read(enormous());
    assert_eq!((row.containers.len(), row.init_containers.len()), (200, 200));
    assert_eq!(row.containers_left_out, 2);
    assert_eq!((row.ready, row.ready_total, row.restarts), (201, 201, 402));
    assert!(row.containers.iter().all(|container| container.ready));
}

#[test]
fn labels_are_kept_whole_or_left_out() {
    assert_eq!(read(enormous()).labels.len(), 256);
    assert_eq!(read(enormous()).labels_left_out, 44);
    let (key, value) = ("k".repeat(317), "v".repeat(63));
    let row = read(json!({"metadata": {"labels": {
        key.as_str(): value, format!("{key}k"): "v", "long": format!("{value}v"), "": "v", "a": "",
    }}}));
    assert_eq!(row.labels, [("a".to_owned(), String::new()), (key, value)]);
    assert_eq!(row.labels_left_out, 3);
}

#[test]
fn an_owner_that_does_not_control_is_ignored() {
    let row = read(json!({"metadata": {"ownerReferences": [{"kind": "Node", "name": "x", "controller": false}]}}));
    assert_eq!(row.owner, None);
}
