//! Writes lists and watches as an API server does, in both encodings.

use prost::Message;
use serde_json::{Value, json};

use super::super::{Codec, wire};

pub(super) struct Writer(pub(super) Codec);

/// The fields of `Unknown` after the object: no encoding, no type.
pub(super) const AFTER: &[u8] = b"\x1a\x00\x22\x00";

/// A field of text or of a message.
pub(in crate::watch::codec) fn field(number: u64, content: &[u8]) -> Vec<u8> {
    let mut bytes = varint(number << 3 | 2);
    bytes.extend(varint(content.len() as u64));
    bytes.extend_from_slice(content);
    bytes
}

pub(in crate::watch::codec) fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// An object with its magic and its `Unknown`.
pub(in crate::watch::codec) fn wrapped(kind: &str, message: &[u8]) -> Vec<u8> {
    let types = [field(1, b"v1"), field(2, kind.as_bytes())].concat();
    [b"k8s\0", field(1, &types).as_slice(), &field(2, message), AFTER].concat()
}

pub(in crate::watch::codec) fn framed(kind: &str, wrapped: &[u8]) -> Vec<u8> {
    let event = [field(1, kind.as_bytes()), field(2, &field(1, wrapped))].concat();
    let mut frame = u32::try_from(event.len()).unwrap().to_be_bytes().to_vec();
    frame.extend(event);
    frame
}

impl Writer {
    pub(super) fn list(&self, pods: &[wire::Pod], version: &str, token: &str) -> Vec<u8> {
        self.list_of(pods.iter().map(|pod| self.item(pod)).collect(), version, token)
    }

    /// Writes a list in which the pod at `odd` has text in place of its restart count.
    pub(super) fn list_with_odd(&self, pods: &[wire::Pod], odd: usize) -> Vec<u8> {
        let item = |(at, pod)| if at == odd { self.odd(pod) } else { self.item(pod) };
        self.list_of(pods.iter().enumerate().map(item).collect(), "42", "")
    }

    fn list_of(&self, items: Vec<Vec<u8>>, version: &str, token: &str) -> Vec<u8> {
        match self.0 {
            Codec::Protobuf => {
                let meta = [
                    field(1, b""),
                    field(2, version.as_bytes()),
                    field(3, token.as_bytes()),
                    b"\x20\x05".to_vec(),
                ];
                let items: Vec<_> = items.iter().map(|item| field(2, item)).collect();
                wrapped("PodList", &[field(1, &meta.concat()), items.concat()].concat())
            }
            Codec::Json => {
                let meta = json!({"resourceVersion": version, "continue": token, "remainingItemCount": 5});
                let mut text =
                    format!(r#"{{"kind":"PodList","apiVersion":"v1","metadata":{meta},"items":["#).into_bytes();
                text.extend(items.join(&b','));
                text.extend(b"]}\n");
                text
            }
        }
    }

    pub(super) fn events(&self, kind: &str, pods: &[wire::Pod]) -> Vec<u8> {
        pods.iter()
            .flat_map(|pod| self.event(kind, "Pod", &self.item(pod)))
            .collect()
    }

    pub(super) fn odd_event(&self, pod: &wire::Pod) -> Vec<u8> {
        self.event("MODIFIED", "Pod", &self.odd(pod))
    }

    pub(super) fn bookmark(&self, version: &str, end: bool) -> Vec<u8> {
        let object = match self.0 {
            Codec::Protobuf => {
                let entry = [field(1, b"k8s.io/initial-events-end"), field(2, b"true")].concat();
                let annotations = if end { field(12, &entry) } else { Vec::new() };
                let meta = [field(1, b""), field(6, version.as_bytes()), field(8, b""), annotations];
                [field(1, &meta.concat()), field(2, b"\x1a\x00"), field(3, b"")].concat()
            }
            Codec::Json => {
                let annotations = if end {
                    json!({"k8s.io/initial-events-end": "true"})
                } else {
                    Value::Null
                };
                let object = json!({"metadata": {"resourceVersion": version, "annotations": annotations, "creationTimestamp": null},
                    "spec": {"containers": null}, "status": {}});
                object.to_string().into_bytes()
            }
        };
        self.event("BOOKMARK", "Pod", &object)
    }

    fn event(&self, event: &str, kind: &str, object: &[u8]) -> Vec<u8> {
        match self.0 {
            Codec::Protobuf => framed(event, &wrapped(kind, object)),
            Codec::Json => [format!(r#"{{"type":"{event}","object":"#).as_bytes(), object, b"}\n"].concat(),
        }
    }

    fn item(&self, pod: &wire::Pod) -> Vec<u8> {
        match self.0 {
            // Put fields that rows do not need before and after those that they do.
            Codec::Protobuf => [
                field(99, b"new"),
                pod.encode_to_vec(),
                b"\xa0\x06\x05\xad\x06aaaa".to_vec(),
            ]
            .concat(),
            Codec::Json => json(pod).to_string().into_bytes(),
        }
    }

    fn odd(&self, pod: &wire::Pod) -> Vec<u8> {
        match self.0 {
            Codec::Protobuf => [pod.encode_to_vec(), field(3, &field(8, &field(5, b"many")))].concat(),
            Codec::Json => {
                let mut value = json(pod);
                value["status"]["containerStatuses"] = json!([{"restartCount": "many"}]);
                value.to_string().into_bytes()
            }
        }
    }
}

fn time(time: Option<wire::Time>) -> Value {
    time.map_or(Value::Null, |time| {
        jiff::Timestamp::from_second(time.seconds).unwrap().to_string().into()
    })
}

fn containers(containers: &[wire::Container]) -> Vec<Value> {
    let one = |it: &wire::Container| json!({"name": it.name, "image": it.image, "restartPolicy": it.restart_policy, "env": [{"name": "x"}]});
    containers.iter().map(one).collect()
}

fn state(state: &wire::ContainerState) -> Value {
    json!({
        "waiting": state.waiting.as_ref().map(|it| json!({"reason": it.reason, "message": it.message})),
        "running": state.running.as_ref().map(|_| json!({"startedAt": "2026-01-01T00:00:00Z"})),
        "terminated": state.terminated.as_ref().map(|it| json!({"exitCode": it.exit_code, "signal": it.signal,
            "reason": it.reason, "message": it.message, "finishedAt": time(it.finished_at)})),
    })
}

fn statuses(statuses: &[wire::ContainerStatus]) -> Vec<Value> {
    let one = |it: &wire::ContainerStatus| {
        json!({"name": it.name, "ready": it.ready, "started": it.started, "restartCount": it.restart_count,
            "state": state(&it.state), "lastState": state(&it.last_state), "imageID": "sha256:0"})
    };
    statuses.iter().map(one).collect()
}

/// Writes `null` for every empty text and list, as a cluster may: each field must take it.
fn with_nulls(value: Value) -> Value {
    match value {
        Value::String(text) if text.is_empty() => Value::Null,
        Value::Array(items) if items.is_empty() => Value::Null,
        Value::Array(items) => items.into_iter().map(with_nulls).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(key, value)| (key, with_nulls(value)))
            .collect(),
        other => other,
    }
}

fn json(pod: &wire::Pod) -> Value {
    let wire::Pod { metadata, spec, status } = pod;
    let owners = metadata.owner_references.iter();
    let conditions = status.conditions.iter();
    let json = json!({
        "metadata": {"name": metadata.name, "namespace": metadata.namespace, "uid": metadata.uid,
            "resourceVersion": metadata.resource_version, "creationTimestamp": time(metadata.creation_timestamp),
            "deletionTimestamp": time(metadata.deletion_timestamp), "labels": metadata.labels,
            "ownerReferences": owners.map(|it| json!({"kind": it.kind, "name": it.name, "controller": it.controller})).collect::<Vec<_>>()},
        "spec": {"nodeName": spec.node_name, "containers": containers(&spec.containers),
            "initContainers": containers(&spec.init_containers)},
        "status": {"phase": status.phase, "reason": status.reason, "message": status.message, "qosClass": status.qos_class, "podIP": status.pod_ip,
            "podIPs": status.pod_ips.iter().map(|it| json!({"ip": it.ip})).collect::<Vec<_>>(), "hostIP": status.host_ip, "conditions": conditions.map(|it| json!({"type": it.kind, "status": it.status,
                "reason": it.reason, "message": it.message})).collect::<Vec<_>>(),
            "containerStatuses": statuses(&status.container_statuses),
            "initContainerStatuses": statuses(&status.init_container_statuses)},
    });
    with_nulls(json)
}
