//! Creating and changing objects: enough for `kubectl run`, `create namespace`, `label` and `annotate`.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::body;
use crate::call::Call;
use crate::object::{Kind, Object, metadata_mut};
use crate::state::State;
use crate::status::{Answer, Failure, bytes_response};
use crate::time;

/// How long a created pod takes until its containers run.
const START: Duration = Duration::from_millis(500);

/// What no request changes in an object's metadata.
const FIXED: [&str; 6] = [
    "name",
    "namespace",
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
];

/// Creates a pod or namespace. The pod is put on the first node, and its containers run after a moment.
///
/// # Errors
///
/// 409 when there is one of that name, 404 for a pod without its namespace, 422 for an object that is not valid, 405
/// for another kind.
pub(crate) async fn create(mut call: Call, kind: Kind) -> Answer {
    if !matches!(kind, Kind::Pod | Kind::Namespace) {
        return Err(Failure::no_method());
    }
    if kind.namespaced() && call.target.namespace.is_none() {
        return Err(Failure::no_method());
    }
    let mut value = body::object(&mut call, kind.name()).await?;
    let namespace = if kind.namespaced() {
        call.namespace().to_owned()
    } else {
        String::new()
    };
    let store = &call.state.store;
    if kind == Kind::Pod && store.get(Kind::Namespace, "", &namespace).is_none() {
        return Err(Failure::not_found(Kind::Namespace, &namespace));
    }
    check(&value)?;
    let name = prepare(&mut value, kind, &namespace)?;
    if store.get(kind, &namespace, &name).is_some() {
        let mut failure = Failure::new(409, format!("{} \"{name}\" already exists", kind.plural()));
        failure.reason = "AlreadyExists";
        return Err(failure.with_details(json!({"name": name, "kind": kind.plural()})));
    }
    if kind == Kind::Pod {
        let nodes = store.snapshot(Kind::Node, None).objects;
        pending(&mut value, nodes.first().map(|node| node.name.as_str()));
    }
    let object = if call.query.flag("dryRun") {
        Arc::new(Object::new(kind, value, 0))
    } else {
        let object = call.state.put(kind, value);
        if kind == Kind::Pod {
            spawn_start(call.state.clone(), object.clone());
        }
        object
    };
    let mut response = bytes_response("application/json", object.json());
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

/// Replaces an object, or its status alone.
///
/// # Errors
///
/// 404 when there is none, 409 when it is no longer the one that was changed, 400 for another object.
pub(crate) async fn replace(mut call: Call, kind: Kind) -> Answer {
    let given = body::object(&mut call, kind.name()).await?;
    let name = call.name().to_owned();
    if given.pointer("/metadata/name").and_then(Value::as_str) != Some(&name) {
        return Err(Failure::bad_request(
            "the name of the object does not match the name on the URL",
        ));
    }
    let status = call.target.subresource.is_some();
    change(&call, kind, |object| {
        let asked = given
            .pointer("/metadata/resourceVersion")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !asked.is_empty() && object.pointer("/metadata/resourceVersion").and_then(Value::as_str) != Some(asked) {
            let message = format!(
                "Operation cannot be fulfilled on {} \"{name}\": the object has been modified; please apply your changes to \
                 the latest version and try again",
                kind.plural()
            );
            return Err(Failure::new(409, message).with_details(json!({"name": name, "kind": kind.plural()})));
        }
        let mut next = given.clone();
        if status {
            let status = next["status"].take();
            next = object.clone();
            next["status"] = status;
        }
        *object = next;
        Ok(())
    })
}

/// Changes an object by a JSON merge patch (RFC 7386).
///
/// # Errors
///
/// 404 when there is none, 400 for a patch that is no object, 415 for another sort of patch.
pub(crate) async fn patch(mut call: Call, kind: Kind) -> Answer {
    let content_type = call.header(CONTENT_TYPE).to_owned();
    if !content_type.starts_with("application/merge-patch+json") {
        return Err(body::unsupported(&content_type, "application/merge-patch+json"));
    }
    let bytes = body::bytes(&mut call).await?;
    let patch: Value = serde_json::from_slice(&bytes).map_err(|error| Failure::bad_request(error.to_string()))?;
    if !patch.is_object() {
        return Err(Failure::bad_request("the patch is no JSON object"));
    }
    change(&call, kind, |object| {
        merge(object, &patch);
        if !object["metadata"].is_object() {
            return Err(Failure::bad_request("the patch removes the metadata"));
        }
        Ok(())
    })
}

/// Changes a stored pod in one step, unless `edit` refuses or it is a dry run; the last finalizer of one that is being deleted ends it.
fn change(call: &Call, kind: Kind, edit: impl FnOnce(&mut Value) -> Result<(), Failure>) -> Answer {
    let (namespace, name) = (call.namespace(), call.name());
    let missing = || Failure::not_found(kind, name);
    let edit = |value: &mut Value| {
        let was = value["metadata"].clone();
        edit(value)?;
        check(value)?;
        for fixed in FIXED {
            value["metadata"][fixed] = was[fixed].clone();
        }
        Ok(())
    };
    if call.query.flag("dryRun") {
        let found = call.state.store.get(kind, namespace, name).ok_or_else(missing)?;
        let mut value = found.value();
        edit(&mut value)?;
        let object = Object::new(kind, value, found.version);
        return Ok(bytes_response("application/json", object.json()));
    }
    let mut edited = None;
    let changed = call.state.update_pod(namespace, name, |value| {
        let result = edit(value);
        let stored = result.is_ok();
        edited = Some(result);
        stored
    });
    edited.ok_or_else(missing)??;
    let object = changed.ok_or_else(missing)?;
    crate::delete::finish(&call.state, &object);
    Ok(bytes_response("application/json", object.json()))
}

/// Refuses an object whose parts are not of the types that everybody relies on.
fn check(value: &Value) -> Result<(), Failure> {
    let is_map = |part: &Value| part.is_null() || part.is_object();
    for part in [
        "/metadata",
        "/metadata/labels",
        "/metadata/annotations",
        "/spec",
        "/status",
    ] {
        if !value.pointer(part).is_none_or(is_map) {
            let part = part.replace('/', ".");
            return Err(Failure::bad_request(format!(
                "json: cannot unmarshal the field {part}: it is no object"
            )));
        }
    }
    Ok(())
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        patch.clone_into(target);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(target) = target.as_object_mut() else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

/// Checks an object that is to be created and gives it its name and namespace.
fn prepare(value: &mut Value, kind: Kind, namespace: &str) -> Result<String, Failure> {
    let invalid = |name: &str, field: &str, why: &str| {
        let cause = json!({"reason": "FieldValueInvalid", "message": why, "field": field});
        Failure::new(422, format!("{} \"{name}\" is invalid: {field}: {why}", kind.name()))
            .with_details(json!({"name": name, "kind": kind.name(), "causes": [cause]}))
    };
    let containers = value
        .pointer("/spec/containers")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    let Some(object) = value.as_object_mut() else {
        return Err(Failure::bad_request("no object"));
    };
    let metadata = metadata_mut(object);
    let mut name = metadata
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    if let (true, Some(prefix)) = (name.is_empty(), metadata.get("generateName").and_then(Value::as_str)) {
        let random = crate::store::uid();
        name = format!("{prefix}{}", random.get(..5).unwrap_or_default());
    }
    let sane = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    if name.is_empty()
        || name.len() > 253
        || !name.bytes().all(sane)
        || !name.starts_with(|c: char| c.is_ascii_alphanumeric())
    {
        let why = format!("Invalid value: \"{name}\": a lowercase RFC 1123 subdomain is required");
        return Err(invalid(&name, "metadata.name", &why));
    }
    if kind == Kind::Pod && containers == 0 {
        return Err(invalid(&name, "spec.containers", "Required value"));
    }
    for made in ["uid", "resourceVersion", "creationTimestamp", "deletionTimestamp"] {
        metadata.remove(made);
    }
    metadata.insert("name".to_owned(), name.clone().into());
    if kind == Kind::Pod {
        metadata.insert("namespace".to_owned(), namespace.into());
    } else {
        let labels = crate::object::child_mut(metadata, "labels");
        labels.insert("kubernetes.io/metadata.name".to_owned(), name.clone().into());
        object.insert("spec".to_owned(), json!({"finalizers": ["kubernetes"]}));
        object.insert("status".to_owned(), json!({"phase": "Active"}));
    }
    Ok(name)
}

fn pending(pod: &mut Value, node: Option<&str>) {
    let now = time::seconds(Timestamp::now());
    let defaults = json!({"restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
        "schedulerName": "default-scheduler", "serviceAccountName": "default", "nodeName": node});
    if let (Some(spec), Value::Object(defaults)) = (pod["spec"].as_object_mut(), defaults) {
        for (key, value) in defaults {
            spec.entry(key).or_insert(value);
        }
    }
    let scheduled = if node.is_some() { "True" } else { "False" };
    pod["status"] = json!({"phase": "Pending", "qosClass": "BestEffort", "conditions":
        [{"type": "PodScheduled", "status": scheduled, "lastProbeTime": null, "lastTransitionTime": now}]});
    if node.is_some() {
        let waiting = json!({"waiting": {"reason": "ContainerCreating"}});
        pod["status"]["containerStatuses"] = statuses(pod, &waiting, false);
    } else {
        pod["status"]["conditions"][0]["reason"] = "Unschedulable".into();
    }
}

fn statuses(pod: &Value, state: &Value, ready: bool) -> Value {
    let containers = pod.pointer("/spec/containers").and_then(Value::as_array);
    let status = |container: &Value| {
        json!({"name": container["name"], "image": container["image"], "imageID": "", "ready": ready, "started": ready,
            "restartCount": 0, "lastState": {}, "state": state})
    };
    containers.into_iter().flatten().map(status).collect()
}

/// Lets a pod's containers run after a moment, if it is still the same pod and on a node.
fn spawn_start(state: Arc<State>, pod: Arc<Object>) {
    tokio::spawn(async move {
        tokio::select! {
            () = state.stop.cancelled() => return,
            () = tokio::time::sleep(START) => {}
        }
        let ip = state.next_ip();
        state.update_pod(&pod.namespace, &pod.name, |value| {
            let same = value["metadata"]["uid"] == pod.uid.as_str() && value["status"]["phase"] == "Pending";
            if !same || !value["spec"]["nodeName"].is_string() {
                return false;
            }
            let now = time::seconds(Timestamp::now());
            let running = statuses(value, &json!({"running": {"startedAt": now}}), true);
            value["status"] = json!({"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "startTime": now,
                "qosClass": "BestEffort", "conditions": conditions(&now), "containerStatuses": running});
            true
        });
    });
}

/// The conditions of a pod that runs and is ready.
pub(crate) fn conditions(now: &str) -> Value {
    [
        "PodReadyToStartContainers",
        "Initialized",
        "Ready",
        "ContainersReady",
        "PodScheduled",
    ]
    .iter()
    .map(|kind| json!({"type": kind, "status": "True", "lastProbeTime": null, "lastTransitionTime": now}))
    .collect()
}
