//! Tables of `meta.k8s.io/v1` for kubectl, as an API server computes them.

mod pod;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::object::{Kind, Object};

/// A column: name, format, and whether only `-o wide` shows it.
struct Column(&'static str, &'static str, bool);

const PODS: &[Column] = &[
    Column("Name", "name", false),
    Column("Ready", "", false),
    Column("Status", "", false),
    Column("Restarts", "", false),
    Column("Age", "", false),
    Column("IP", "", true),
    Column("Node", "", true),
    Column("Nominated Node", "", true),
    Column("Readiness Gates", "", true),
];
const NAMESPACES: &[Column] = &[
    Column("Name", "name", false),
    Column("Status", "", false),
    Column("Age", "", false),
];
const NODES: &[Column] = &[
    Column("Name", "name", false),
    Column("Status", "", false),
    Column("Roles", "", false),
    Column("Age", "", false),
    Column("Version", "", false),
    Column("Internal-IP", "", true),
    Column("External-IP", "", true),
    Column("OS-Image", "", true),
    Column("Kernel-Version", "", true),
    Column("Container-Runtime", "", true),
];
const EVENTS: &[Column] = &[
    Column("Last Seen", "", false),
    Column("Type", "", false),
    Column("Reason", "", false),
    Column("Object", "", false),
    Column("Subobject", "", true),
    Column("Source", "", true),
    Column("Message", "", false),
    Column("First Seen", "", true),
    Column("Count", "", true),
    Column("Name", "name", true),
];

/// How much of an object its row includes in addition to the cells (the parameter `includeObject`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Include {
    None,
    Metadata,
    Object,
}

/// Returns the columns of a kind.
pub(crate) fn columns(kind: Kind) -> Value {
    let columns = match kind {
        Kind::Pod => PODS,
        Kind::Namespace => NAMESPACES,
        Kind::Node => NODES,
        Kind::Event => EVENTS,
    };
    let column = |Column(name, format, wide): &Column| {
        let kind = if *name == "Count" { "integer" } else { "string" };
        json!({"name": name, "type": kind, "format": format, "description": "", "priority": i32::from(*wide)})
    };
    columns.iter().map(column).collect()
}

/// Builds the row of an object.
pub(crate) fn row(object: &Object, include: Include, now: Timestamp) -> Value {
    let value = object.value();
    let cells = match object.kind {
        Kind::Pod => pod::cells(&value, now),
        Kind::Namespace => vec![
            text(&value, "/metadata/name").into(),
            text(&value, "/status/phase").into(),
            created(&value, now),
        ],
        Kind::Node => node(&value, now),
        Kind::Event => event(&value, now),
    };
    let mut row = json!({ "cells": cells });
    let reason = text(&value, "/status/phase");
    if object.kind == Kind::Pod && matches!(reason, "Succeeded" | "Failed") {
        let message = if reason == "Failed" {
            "The pod failed."
        } else {
            "The pod has completed successfully."
        };
        row["conditions"] = json!([{"type": "Completed", "status": "True", "reason": reason, "message": message}]);
    }
    row["object"] = match include {
        Include::None => Value::Null,
        Include::Metadata => metadata(&value),
        Include::Object => value,
    };
    row
}

/// Builds a Table. `columns` is null in all but the first event of a watch.
pub(crate) fn document(metadata: Value, columns: Value, rows: Vec<Value>) -> Value {
    json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": columns, "rows": rows})
}

/// Builds a `PartialObjectMetadata` from an object's metadata.
fn metadata(value: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": value["metadata"]})
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn or_none(text: &str) -> Value {
    if text.is_empty() { "<none>" } else { text }.into()
}

/// Returns how long ago a time was, or `<unknown>` for an empty one.
fn ago(time: &str, now: Timestamp) -> String {
    time.parse::<Timestamp>().map_or_else(
        |_| "<unknown>".to_owned(),
        |time| duration(now.duration_since(time).as_secs()),
    )
}

fn created(value: &Value, now: Timestamp) -> Value {
    ago(text(value, "/metadata/creationTimestamp"), now).into()
}

/// Formats whole seconds as `duration.HumanDuration` does.
fn duration(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let with_rest = |whole: i64, unit: &str, rest: i64, rest_unit: &str| {
        if rest == 0 {
            format!("{whole}{unit}")
        } else {
            format!("{whole}{unit}{rest}{rest_unit}")
        }
    };
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        _ if minutes < 10 => with_rest(minutes, "m", seconds % 60, "s"),
        _ if minutes < 180 => format!("{minutes}m"),
        _ if hours < 8 => with_rest(hours, "h", minutes % 60, "m"),
        _ if hours < 48 => format!("{hours}h"),
        _ if hours < 192 => with_rest(days, "d", hours % 24, "h"),
        _ if days < 365 * 2 => format!("{days}d"),
        _ if days < 365 * 8 => with_rest(days / 365, "y", days % 365, "d"),
        _ => format!("{}y", days / 365),
    }
}

/// Builds the cells of a node (`printNode`).
fn node(node: &Value, now: Timestamp) -> Vec<Value> {
    let conditions = node.pointer("/status/conditions").and_then(Value::as_array);
    let ready = conditions
        .into_iter()
        .flatten()
        .find(|condition| condition["type"] == "Ready");
    let mut status = match ready.map(|condition| condition["status"] == "True") {
        Some(true) => "Ready",
        Some(false) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if node.pointer("/spec/unschedulable") == Some(&Value::Bool(true)) {
        status.push_str(",SchedulingDisabled");
    }
    let labels = node.pointer("/metadata/labels").and_then(Value::as_object);
    let mut roles: Vec<&str> = labels
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
            Some(role) => Some(role).filter(|role| !role.is_empty()),
            None => value
                .as_str()
                .filter(|role| key == "kubernetes.io/role" && !role.is_empty()),
        })
        .collect();
    roles.sort_unstable();
    let address = |kind: &str| {
        let addresses = node.pointer("/status/addresses").and_then(Value::as_array);
        let found = addresses.into_iter().flatten().find(|address| address["type"] == kind);
        or_none(
            found
                .and_then(|address| address["address"].as_str())
                .unwrap_or_default(),
        )
    };
    let info = |key: &str| text(node, &format!("/status/nodeInfo/{key}"));
    let or_unknown = |text: &str| Value::from(if text.is_empty() { "<unknown>" } else { text });
    vec![
        text(node, "/metadata/name").into(),
        status.into(),
        or_none(&roles.join(",")),
        created(node, now),
        info("kubeletVersion").into(),
        address("InternalIP"),
        address("ExternalIP"),
        or_unknown(info("osImage")),
        or_unknown(info("kernelVersion")),
        or_unknown(info("containerRuntimeVersion")),
    ]
}

/// Builds the cells of an event (`printEvent`).
fn event(event: &Value, now: Timestamp) -> Vec<Value> {
    let time = |pointer: &str| {
        Some(text(event, pointer))
            .filter(|time| !time.is_empty())
            .map(|time| ago(time, now))
    };
    let first = time("/firstTimestamp")
        .or_else(|| time("/eventTime"))
        .unwrap_or_else(|| "<unknown>".to_owned());
    let mut last = time("/lastTimestamp").unwrap_or_else(|| first.clone());
    let mut count = event["count"].as_i64().filter(|count| *count != 0).unwrap_or(1);
    if event["series"].is_object() {
        last = time("/series/lastObservedTime").unwrap_or_else(|| "<unknown>".to_owned());
        count = event.pointer("/series/count").and_then(Value::as_i64).unwrap_or(0);
    }
    let kind = text(event, "/involvedObject/kind").to_lowercase();
    let name = text(event, "/involvedObject/name");
    let target = if name.is_empty() {
        kind
    } else {
        format!("{kind}/{name}")
    };
    vec![
        last.into(),
        text(event, "/type").into(),
        text(event, "/reason").into(),
        target.into(),
        text(event, "/involvedObject/fieldPath").into(),
        source(event).into(),
        text(event, "/message").trim().into(),
        first.into(),
        count.into(),
        text(event, "/metadata/name").into(),
    ]
}

/// Returns the source of an event (`formatEventSource`).
fn source(event: &Value) -> String {
    let either = |first: &str, second: &str| {
        let first = text(event, first);
        if first.is_empty() {
            text(event, second).to_owned()
        } else {
            first.to_owned()
        }
    };
    let component = either("/source/component", "/reportingComponent");
    let instance = either("/source/host", "/reportingInstance");
    if instance.is_empty() {
        component
    } else {
        format!("{component}, {instance}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn durations_are_written_as_kubectl_writes_them() {
        for (seconds, expected) in [
            (-5, "<invalid>"),
            (-1, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (125, "2m5s"),
            (600, "10m"),
            (10_799, "179m"),
            (10_800, "3h"),
            (12_000, "3h20m"),
            (30_000, "8h"),
            (172_799, "47h"),
            (172_800, "2d"),
            (180_000, "2d2h"),
            (691_200, "8d"),
            (63_071_999, "729d"),
            (63_072_000, "2y"),
            (63_158_400, "2y1d"),
            (252_288_000, "8y"),
        ] {
            assert_eq!(duration(seconds), expected);
        }
    }

    #[test]
    fn a_node_and_an_event_have_their_cells() {
        let now: Timestamp = "2026-01-01T01:00:00Z".parse().unwrap();
        let value = json!({"metadata": {"name": "n", "creationTimestamp": "2026-01-01T00:00:00Z", "labels": {
            "node-role.kubernetes.io/worker": "", "kubernetes.io/role": "edge"}}, "spec": {"unschedulable": true},
            "status": {"conditions": [{"type": "Ready", "status": "Unknown"}], "nodeInfo": {"kubeletVersion": "v1"}}});
        assert_eq!(
            json!(node(&value, now)),
            json!([
                "n",
                "NotReady,SchedulingDisabled",
                "edge,worker",
                "60m",
                "v1",
                "<none>",
                "<none>",
                "<unknown>",
                "<unknown>",
                "<unknown>"
            ])
        );
        let value = json!({"metadata": {"name": "e"}, "type": "Warning", "reason": "BackOff", "message": " again \n",
            "involvedObject": {"kind": "Pod", "name": "web", "fieldPath": "spec.containers{app}"}, "eventTime": "2026-01-01T00:00:00Z",
            "series": {"count": 7, "lastObservedTime": "2026-01-01T00:59:00.5Z"}, "reportingComponent": "kubelet",
            "reportingInstance": "n"});
        assert_eq!(
            json!(event(&value, now)),
            json!([
                "59s",
                "Warning",
                "BackOff",
                "pod/web",
                "spec.containers{app}",
                "kubelet, n",
                "again",
                "60m",
                7,
                "e"
            ])
        );
    }
}
