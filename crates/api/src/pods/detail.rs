//! `GET …/pods/{name}`: one pod, live.

use axum::{
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use podgate_access::action::GetPod;
use podgate_cluster::{status::Summary, wire};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    ApiError, Data, Opened, Params,
    accept::{Accepted, JSON, Types},
};

const YAML: &str = "application/yaml";

/// The API's form, or the manifest.
#[derive(Debug)]
pub(crate) struct Forms;

impl Types for Forms {
    const TYPES: &'static [&'static str] = &[JSON, YAML];
}

/// The handler.
pub(crate) async fn get(
    Opened(scoped): Opened<GetPod>,
    Params(()): Params<()>,
    accepted: Accepted<Forms>,
) -> Result<Response, ApiError> {
    if accepted.media == YAML {
        let manifest = scoped.manifest().await?;
        return Ok(([(CONTENT_TYPE, YAML)], manifest).into_response());
    }
    let pod = scoped.get().await?;
    Ok(Data(view(pod)?).into_response())
}

/// The pod in the API's form. What Kubernetes has under `spec` and `status` comes along as it is; the specified fields are there in any case.
fn view(mut pod: Value) -> Result<Value, ApiError> {
    let known = wire::Pod::deserialize(&pod).map_err(|error| {
        ApiError::Upstream(format!(
            "the cluster's answer is not a pod that can be understood: {error}"
        ))
    })?;
    let summary = Summary::of(&known);
    let mut metadata = pod["metadata"].take();
    let mut take = |field: &str, absent: Value| match metadata[field].take() {
        Value::Null => absent,
        value => value,
    };
    Ok(json!({
        "name": take("name", json!("")),
        "namespace": take("namespace", json!("")),
        "uid": take("uid", json!("")),
        "resourceVersion": take("resourceVersion", json!("")),
        "labels": take("labels", json!({})),
        "annotations": take("annotations", json!({})),
        "ownerReferences": take("ownerReferences", json!([])),
        "createdAt": take("creationTimestamp", json!("")),
        "deletionTimestamp": take("deletionTimestamp", json!("")),
        "statusText": summary.status,
        "restarts": summary.restarts,
        "status": status(pod["status"].take()),
        "spec": spec(pod["spec"].take()),
    }))
}

fn status(status: Value) -> Value {
    let mut status = object(status);
    fill(
        &mut status,
        &[
            ("phase", json!("")),
            ("conditions", json!([])),
            ("containerStatuses", json!([])),
        ],
    );
    each(
        &mut status,
        "containerStatuses",
        &[
            ("ready", json!(false)),
            ("restartCount", json!(0)),
            ("state", json!({})),
        ],
    );
    status.into()
}

fn spec(spec: Value) -> Value {
    let mut spec = object(spec);
    fill(
        &mut spec,
        &[
            ("nodeName", json!("")),
            ("containers", json!([])),
            ("volumes", json!([])),
        ],
    );
    let absent = [
        ("image", json!("")),
        ("ports", json!([])),
        ("resources", json!({})),
        ("volumeMounts", json!([])),
    ];
    each(&mut spec, "containers", &absent);
    spec.into()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Gives fields that are absent or null their empty value.
fn fill(map: &mut Map<String, Value>, absent: &[(&str, Value)]) {
    for (field, value) in absent {
        let slot = map.entry(*field).or_insert(Value::Null);
        if slot.is_null() {
            slot.clone_from(value);
        }
    }
}

/// The same for each object of a list.
fn each(map: &mut Map<String, Value>, list: &str, absent: &[(&str, Value)]) {
    let items = map.get_mut(list).and_then(Value::as_array_mut);
    for item in items.into_iter().flatten().filter_map(Value::as_object_mut) {
        fill(item, absent);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn specified_fields_are_never_absent() {
        let empty = json!({"kind": "Pod", "metadata": {"name": "a", "labels": null}, "spec": {"containers": [{"name": "c", "ports": null}]},
            "status": {"containerStatuses": [{"name": "c"}]}});
        assert_eq!(
            view(empty).unwrap(),
            json!({
                "name": "a", "namespace": "", "uid": "", "resourceVersion": "", "labels": {}, "annotations": {}, "ownerReferences": [],
                "createdAt": "", "deletionTimestamp": "", "statusText": "", "restarts": 0,
                "status": {"phase": "", "conditions": [],
                    "containerStatuses": [{"name": "c", "ready": false, "restartCount": 0, "state": {}}]},
                "spec": {"nodeName": "", "volumes": [],
                    "containers": [{"name": "c", "image": "", "ports": [], "resources": {}, "volumeMounts": []}]},
            })
        );
        let bare = view(json!({"kind": "Pod", "metadata": {}})).unwrap();
        assert_eq!(
            bare["status"],
            json!({"phase": "", "conditions": [], "containerStatuses": []})
        );
        assert_eq!(bare["spec"], json!({"nodeName": "", "containers": [], "volumes": []}));
    }

    #[test]
    fn what_is_not_specified_comes_along() {
        let pod = json!({"metadata": {}, "spec": {"newField": {"deep": [1]}, "containers": [{"name": "c", "newer": true}]},
            "status": {"newest": null, "qosClass": "BestEffort"}});
        let view = view(pod).unwrap();
        assert_eq!(view["spec"]["newField"], json!({"deep": [1]}));
        assert_eq!(view["spec"]["containers"][0]["newer"], true);
        assert_eq!(view["status"]["qosClass"], "BestEffort");
        assert!(view["status"].get("newest").is_some());
    }

    #[test]
    fn what_is_no_pod_is_the_clusters_fault() {
        let error = view(json!({"metadata": {"name": 7}})).unwrap_err();
        assert!(matches!(error, ApiError::Upstream(_)), "{error:?}");
    }
}
