//! Get and list.

use std::sync::Arc;

use bytes::Bytes;

use crate::call::Call;
use crate::object::{Kind, Object};
use crate::status::{Answer, Failure, bytes_response};

/// One object.
pub(crate) fn one(call: &Call, kind: Kind) -> Answer {
    let namespace = if kind.namespaced() { call.namespace() } else { "" };
    let found = call.state.store.get(kind, namespace, call.name());
    let found = found.ok_or_else(|| Failure::not_found(kind, call.name()))?;
    Ok(bytes_response("application/json", found.json()))
}

/// All objects, or those of a namespace.
pub(crate) fn answer(call: &Call, kind: Kind) -> Answer {
    let snapshot = call.state.store.snapshot(kind, call.target.namespace.as_deref());
    Ok(bytes_response(
        "application/json",
        document(kind, snapshot.version, &snapshot.objects),
    ))
}

fn document(kind: Kind, version: u64, objects: &[Arc<Object>]) -> Bytes {
    let head = format!(
        r#"{{"kind":"{}List","apiVersion":"v1","metadata":{{"resourceVersion":"{version}"}},"items":["#,
        kind.name()
    );
    let mut body = head.into_bytes();
    for (index, object) in objects.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&object.item());
    }
    body.extend_from_slice(b"]}");
    body.into()
}
