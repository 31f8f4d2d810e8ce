//! Writes pods of a list as JSON, directly from the index into a buffer, without a tree or an
//! allocation per field. [`super::schemas`] describes the form; a test compares
//! them.

use podgate_index::{ClusterId, ContainerRef, ReasonRef, RowRef};

use super::{reason_codes::reason_word, row_cache};
use crate::{
    json::{flag, list, number, within},
    time::write_seconds,
};

/// About how many bytes a row takes, with two containers and names of a usual length.
pub(crate) const BYTES: usize = 768;

/// The result of writing rows within a limit of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// The written rows, in order.
    pub(crate) rows: usize,
    /// Whether all rows were written.
    pub(crate) all: bool,
    /// Their bytes, separators included.
    pub(crate) bytes: usize,
    /// The bytes of the largest row that was read.
    pub(crate) largest: usize,
}

/// Appends a constant. Its length is known at compile time, so that no call is made for it.
macro_rules! put {
    ($out:ident, $json:literal) => {
        $out.extend_from_slice($json)
    };
}

/// Appends a list of pods within a limit of bytes; the first one in any case. `cluster` returns the
/// name of a row's cluster in a list of several clusters.
pub(crate) fn write_within<'a, 'c>(
    out: &mut Vec<u8>,
    rows: impl Iterator<Item = RowRef<'a>>,
    most: usize,
    cluster: impl Fn(ClusterId) -> Option<&'c str>,
) -> Written {
    write_each(out, rows, most, |out, row| write(out, row, cluster(row.cluster())))
}

/// Appends a list of what identifies each pod, as [`write_within`] appends whole pods.
pub(crate) fn write_identities<'a, 'c>(
    out: &mut Vec<u8>,
    rows: impl Iterator<Item = RowRef<'a>>,
    most: usize,
    cluster: impl Fn(ClusterId) -> Option<&'c str>,
) -> Written {
    write_each(out, rows, most, |out, row| {
        out.push(b'{');
        if let Some(cluster) = cluster(row.cluster()) {
            put!(out, b"\"cluster\":\"");
            within(out, cluster.as_bytes());
            put!(out, b"\",");
        }
        put!(out, b"\"name\":\"");
        within(out, row.name_bytes());
        put!(out, b"\",\"namespace\":\"");
        within(out, row.namespace().as_bytes());
        put!(out, b"\",\"uid\":\"");
        within(out, row.uid().as_bytes());
        put!(out, b"\"}");
    })
}

fn write_each<'a>(
    out: &mut Vec<u8>,
    rows: impl Iterator<Item = RowRef<'a>>,
    most: usize,
    mut write: impl FnMut(&mut Vec<u8>, RowRef<'a>),
) -> Written {
    let start = out.len();
    let mut written = Written {
        all: true,
        ..Written::default()
    };
    out.push(b'[');
    for row in rows {
        let before = out.len();
        if written.rows > 0 {
            out.push(b',');
        }
        write(out, row);
        written.largest = written.largest.max(out.len() - before);
        if out.len() - start >= most && written.rows > 0 {
            out.truncate(before);
            written.all = false;
            break;
        }
        written.rows += 1;
    }
    out.push(b']');
    written.bytes = out.len() - start;
    written
}

/// Appends a pod, with its cluster's name in a list of several clusters.
fn write(out: &mut Vec<u8>, row: RowRef<'_>, cluster: Option<&str>) {
    out.push(b'{');
    if let Some(cluster) = cluster {
        put!(out, b"\"cluster\":\"");
        within(out, cluster.as_bytes());
        put!(out, b"\",");
    }
    row_cache::copy(out, row.version(), |out| fields(out, row));
    out.push(b'}');
}

/// Appends the fields of a pod that the index holds.
fn fields(out: &mut Vec<u8>, row: RowRef<'_>) {
    put!(out, b"\"name\":\"");
    within(out, row.name_bytes());
    put!(out, b"\",\"namespace\":\"");
    within(out, row.namespace().as_bytes());
    put!(out, b"\",\"uid\":\"");
    within(out, row.uid().as_bytes());
    put!(out, b"\",\"status\":\"");
    within(out, row.status().as_bytes());
    put!(out, b"\",\"reason\":\"");
    reason(out, row.reason());
    put!(out, b",\"phase\":\"");
    within(out, row.phase().as_bytes());
    put!(out, b"\",\"qosClass\":\"");
    within(out, row.qos_class().as_bytes());
    put!(out, b"\",\"nodeName\":\"");
    within(out, row.node().as_bytes());
    put!(out, b"\",\"podIP\":\"");
    within(out, row.pod_ip_bytes());
    put!(out, b"\",\"hostIP\":\"");
    within(out, row.host_ip().as_bytes());
    put!(out, b"\",\"restarts\":");
    number(out, row.restarts().into());
    put!(out, b",\"ready\":");
    number(out, row.ready().into());
    put!(out, b",\"readyTotal\":");
    number(out, row.ready_total().into());
    put!(out, b",\"createdAt\":");
    time(out, row.created_at());
    put!(out, b",\"lastRestartAt\":");
    time(out, row.last_restart_at());
    put!(out, b",\"deletionTimestamp\":");
    time(out, row.deletion_at());
    put!(out, b",\"owner\":");
    owner(out, row.owner());
    put!(out, b",\"containers\":");
    list(out, row.containers(), container);
    put!(out, b",\"initContainers\":");
    list(out, row.init_containers(), container);
    if row.containers_left_out() > 0 {
        put!(out, b",\"containersLeftOut\":");
        number(out, row.containers_left_out().into());
    }
}

/// Appends the rest of the sentence, then the code and its arguments.
fn reason(out: &mut Vec<u8>, reason: Option<ReasonRef<'_>>) {
    let Some(ReasonRef { code, text, args }) = reason else {
        return put!(out, b"\",\"reasonCode\":\"\"");
    };
    within(out, text.as_bytes());
    put!(out, b"\",\"reasonCode\":\"");
    out.extend_from_slice(reason_word(code).as_bytes());
    put!(out, b"\",\"reasonArgs\":");
    out.extend_from_slice(args.as_bytes());
}

fn owner(out: &mut Vec<u8>, owner: Option<(&str, &str)>) {
    let Some((kind, name)) = owner else {
        return put!(out, b"null");
    };
    put!(out, b"{\"kind\":\"");
    within(out, kind.as_bytes());
    put!(out, b"\",\"name\":\"");
    within(out, name.as_bytes());
    put!(out, b"\"}");
}

fn container(out: &mut Vec<u8>, container: ContainerRef<'_>) {
    put!(out, b"{\"name\":\"");
    within(out, container.name().as_bytes());
    put!(out, b"\",\"image\":\"");
    within(out, container.image().as_bytes());
    put!(out, b"\",\"ready\":");
    flag(out, container.ready());
    put!(out, b",\"restartCount\":");
    number(out, container.restart_count().into());
    out.push(b'}');
}

/// Appends a time, or an empty text.
fn time(out: &mut Vec<u8>, seconds: Option<i64>) {
    out.push(b'"');
    if let Some(seconds) = seconds {
        write_seconds(out, seconds);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use podgate_index::{Change, ClusterId, Container, Index, Owner, Pod, Query, Reason, ReasonCode};
    use serde_json::{Value, json};

    use super::*;

    /// Returns a pod as a list shows it after a trip through the index.
    fn written(pod: Pod, cluster: Option<&str>) -> Value {
        let index = Index::new();
        index.apply(ClusterId(1), vec![Change::Upsert(pod)]);
        let query = Query {
            clusters: vec![ClusterId(1)],
            ..Query::default()
        };
        let reader = index.read();
        let mut out = Vec::new();
        for row in reader.answer(&query).rows() {
            write(&mut out, row, cluster);
        }
        serde_json::from_slice(&out).unwrap()
    }

    fn container(name: &str, restart_count: u32) -> Container {
        Container {
            name: name.to_owned(),
            image: format!("{name}:1.21"),
            ready: restart_count > 0,
            restart_count,
        }
    }

    /// Returns the expected item of a pod. It names every field, so that a new one can't be
    /// forgotten.
    fn item(pod: &Pod) -> Value {
        let Pod {
            uid,
            namespace,
            name,
            status,
            phase,
            qos_class,
            reason,
            node,
            pod_ip,
            more_ips: _, // Only searches and selectors see this and the labels.
            host_ip,
            restarts,
            last_restart_at,
            created_at,
            deletion_at,
            ready,
            ready_total,
            owner,
            containers,
            init_containers,
            containers_left_out,
            labels: _,
            labels_left_out: _,
        } = pod;
        let time = |seconds: &Option<i64>| seconds.map(|at| jiff::Timestamp::from_second(at).unwrap().to_string());
        let list = |containers: &[Container]| -> Vec<Value> {
            let item = |container: &Container| {
                let Container {
                    name,
                    image,
                    ready,
                    restart_count,
                } = container;
                json!({"name": name, "image": image, "ready": ready, "restartCount": restart_count})
            };
            containers.iter().map(item).collect()
        };
        let Reason { code, text, args } = reason.as_ref().unwrap();
        let args: Value = serde_json::from_str(args).unwrap();
        json!({
            "name": name, "namespace": namespace, "uid": uid, "status": status, "phase": phase, "qosClass": qos_class,
            "reason": text, "reasonCode": format!("{code:?}"), "reasonArgs": args,
            "nodeName": node, "podIP": pod_ip, "hostIP": host_ip,
            "restarts": restarts, "ready": ready, "readyTotal": ready_total,
            "createdAt": time(created_at), "lastRestartAt": time(last_restart_at), "deletionTimestamp": time(deletion_at),
            "owner": owner.as_ref().map(|Owner { kind, name }| json!({"kind": kind, "name": name})),
            "containers": list(containers), "initContainers": list(init_containers),
            "containersLeftOut": containers_left_out,
        })
    }

    #[test]
    fn every_field_of_a_pod_is_there_under_its_name() {
        let pod = Pod {
            uid: "0c8dd1b6-3a34-4b21-9d3f-00ffeeddccbb".to_owned(),
            namespace: "default".to_owned(),
            name: "nginx-abc123".to_owned(),
            status: "Running".to_owned(),
            phase: "Running".to_owned(),
            qos_class: "Burstable".to_owned(),
            reason: Some(Reason {
                code: ReasonCode::Crash,
                text: "container `nginx` said \"no\"\n".to_owned(),
                args: r#"{"container":"nginx","restarts":2}"#.to_owned(),
            }),
            node: "node-1".to_owned(),
            pod_ip: "10.0.0.5".to_owned(),
            host_ip: "192.168.1.10".to_owned(),
            restarts: 2,
            last_restart_at: Some(1_767_225_660),
            more_ips: vec!["fd00::5".to_owned()],
            created_at: Some(1_767_225_600),
            deletion_at: Some(1_767_225_720),
            ready: 1,
            ready_total: 2,
            owner: Some(Owner {
                kind: "ReplicaSet".to_owned(),
                name: "nginx-abc".to_owned(),
            }),
            containers: vec![container("nginx", 2), container("side", 0)],
            init_containers: vec![container("init", 0)],
            containers_left_out: 7,
            labels: Vec::new(),
            labels_left_out: 0,
        };
        let mut expected = item(&pod);
        assert_eq!(expected["createdAt"], "2026-01-01T00:00:00Z");
        assert_eq!(written(pod.clone(), None), expected);
        expected["cluster"] = json!("production");
        assert_eq!(written(pod, Some("production")), expected);
    }

    #[test]
    fn rows_are_written_as_far_as_they_fit() {
        let index = Index::new();
        let pod = |n: usize| Pod {
            name: format!("pod-{n}{}", "x".repeat(n * 100)),
            ..Pod::default()
        };
        index.apply(ClusterId(1), (0..4).map(pod).map(Change::Upsert).collect());
        let query = Query {
            clusters: vec![ClusterId(1)],
            ..Query::default()
        };
        let reader = index.read();
        let within = |most: usize| {
            let mut out = b"before ".to_vec();
            let written = write_within(&mut out, reader.answer(&query).rows(), most, |_| None);
            let rows: Vec<Value> = serde_json::from_slice(&out[7..]).unwrap();
            assert_eq!((written.rows, written.bytes), (rows.len(), out.len() - 7));
            written
        };
        let all = within(usize::MAX);
        assert!((all.rows, all.all) == (4, true) && all.bytes < 4 * all.largest);
        assert_eq!(within(all.bytes), all);
        for most in 0..all.bytes {
            let some = within(most);
            assert!(!some.all && (1..4).contains(&some.rows), "{most}: {some:?}");
            assert!(some.bytes <= most || some.rows == 1, "{most}: {some:?}");
        }
    }

    #[test]
    fn a_field_without_a_value_is_there_and_empty() {
        let pod = Pod {
            name: "bare".to_owned(),
            ..Pod::default()
        };
        assert_eq!(
            written(pod, None),
            json!({
                "name": "bare", "namespace": "", "uid": "", "status": "", "reason": "", "reasonCode": "", "phase": "", "qosClass": "", "nodeName": "", "podIP": "", "hostIP": "",
                "restarts": 0, "ready": 0, "readyTotal": 0,
                "createdAt": "", "lastRestartAt": "", "deletionTimestamp": "",
                "owner": null, "containers": [], "initContainers": [],
            })
        );
    }
}
