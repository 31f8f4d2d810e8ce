//! Deletion: preconditions, grace periods and the shutdown of pods.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::body;
use crate::call::Call;
use crate::object::{Kind, Object};
use crate::state::State;
use crate::status::{Answer, Failure, bytes_response, json_response};
use crate::time;

/// How long the containers of a deleted pod take to end, unless the grace period is shorter.
const SHUTDOWN: Duration = Duration::from_secs(1);

/// The supported part of `metav1.DeleteOptions`.
#[derive(Debug, Default)]
struct Options {
    grace: Option<i64>,
    uid: Option<String>,
    version: Option<String>,
    dry_run: bool,
}

/// Answers the deletion of an object.
///
/// # Errors
///
/// 404 when the object does not exist, 409 for a failed precondition, 400 and 422 for invalid
/// options.
pub(crate) async fn answer(mut call: Call, kind: Kind) -> Answer {
    let body = body::object(&mut call, "DeleteOptions").await?;
    let options = options(&call, &body)?;
    let namespace = if kind.namespaced() {
        call.namespace().to_owned()
    } else {
        String::new()
    };
    let name = call.name().to_owned();
    let missing = || Failure::not_found(kind, &name);
    let found = call.state.store.get(kind, &namespace, &name).ok_or_else(missing)?;
    check_preconditions(&options, &found)?;
    if options.dry_run {
        return Ok(answer_with(kind, &found));
    }
    if kind == Kind::Pod {
        let period = grace(&options, &found.value());
        if period > 0 || has_finalizers(&found.value()) {
            let marked = mark_deleted(&call.state, &found, period).ok_or_else(missing)?;
            let at = Duration::from_secs(u64::try_from(period).unwrap_or(0)).min(SHUTDOWN);
            spawn_shutdown(call.state.clone(), found, at);
            return Ok(answer_with(kind, &marked));
        }
    }
    if kind == Kind::Namespace {
        clear_namespace(&call.state, &name);
    }
    let removed = call
        .state
        .remove(kind, &namespace, &name, Some(&found.uid))
        .ok_or_else(missing)?;
    call.state.pod_removed(&removed);
    Ok(answer_with(kind, &removed))
}

/// Deletes a pod as a controller does, with the pod's own grace period.
///
/// `takes` is the time that its containers take to end.
pub(crate) fn start(state: &Arc<State>, pod: &Arc<Object>, takes: Duration) {
    let period = grace(&Options::default(), &pod.value());
    if period == 0 {
        state.remove(Kind::Pod, &pod.namespace, &pod.name, Some(&pod.uid));
    } else if mark_deleted(state, pod, period).is_some() {
        spawn_shutdown(state.clone(), pod.clone(), takes);
    }
}

/// Reads the options from the body, and those that the body lacks from the query.
fn options(call: &Call, body: &Value) -> Result<Options, Failure> {
    let precondition = |key: &str| {
        body.pointer(&format!("/preconditions/{key}"))
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let dry_run = body["dryRun"].as_array().cloned().unwrap_or_default();
    let mut dry_run: Vec<String> = dry_run.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    dry_run.extend(call.query.all("dryRun").map(str::to_owned));
    if dry_run.iter().any(|value| value != "All") {
        let why = format!("Unsupported value: {}: supported values: \"All\"", json!(dry_run));
        return Err(unsupported("dryRun", &why));
    }
    let policy = body["propagationPolicy"]
        .as_str()
        .or(call.query.get("propagationPolicy"));
    if let Some(policy) = policy.filter(|policy| !matches!(*policy, "Foreground" | "Background" | "Orphan")) {
        let known = "\"Foreground\", \"Background\", \"Orphan\", \"nil\"";
        return Err(unsupported(
            "propagationPolicy",
            &format!("Unsupported value: \"{policy}\": supported values: {known}"),
        ));
    }
    Ok(Options {
        grace: body["gracePeriodSeconds"]
            .as_i64()
            .or(call.query.number("gracePeriodSeconds")?),
        uid: precondition("uid"),
        version: precondition("resourceVersion"),
        dry_run: !dry_run.is_empty(),
    })
}

/// Builds the 422 for an invalid value of an option.
fn unsupported(field: &str, why: &str) -> Failure {
    let cause = json!({"reason": "FieldValueNotSupported", "message": why, "field": field});
    let details = json!({"group": "meta.k8s.io", "kind": "DeleteOptions", "causes": [cause]});
    Failure::new(
        422,
        format!("DeleteOptions.meta.k8s.io \"\" is invalid: {field}: {why}"),
    )
    .with_details(details)
}

fn check_preconditions(options: &Options, found: &Object) -> Result<(), Failure> {
    let version = found.version.to_string();
    let why = match (&options.uid, &options.version) {
        (Some(uid), _) if *uid != found.uid => format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({}). The object might have been deleted \
             and then recreated",
            found.uid
        ),
        (_, Some(asked)) if *asked != version => format!(
            "the ResourceVersion in the precondition ({asked}) does not match the ResourceVersion in record ({version}). \
             The object might have been modified"
        ),
        _ => return Ok(()),
    };
    let kind = found.kind.name();
    let message = format!("Operation cannot be fulfilled on {kind} \"{}\": {why}", found.name);
    Err(Failure::new(409, message).with_details(json!({"name": found.name, "kind": kind})))
}

/// Returns the grace period in seconds, by the rules of Kubernetes'
/// `podStrategy.CheckGracefulDelete`.
fn grace(options: &Options, pod: &Value) -> i64 {
    let text = |pointer: &str| pod.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let own = pod
        .pointer("/spec/terminationGracePeriodSeconds")
        .and_then(Value::as_i64);
    if text("/spec/nodeName").is_empty() || matches!(text("/status/phase"), "Succeeded" | "Failed") {
        return 0;
    }
    match options.grace.or(own).unwrap_or(30) {
        negative if negative < 0 => 1,
        period => period,
    }
}

fn has_finalizers(pod: &Value) -> bool {
    pod.pointer("/metadata/finalizers")
        .and_then(Value::as_array)
        .is_some_and(|finalizers| !finalizers.is_empty())
}

/// Marks a pod as being deleted. A second deletion can only shorten the grace period.
fn mark_deleted(state: &State, pod: &Arc<Object>, period: i64) -> Option<Arc<Object>> {
    let marked = state.update_pod(&pod.namespace, &pod.name, |value| {
        let metadata = &mut value["metadata"];
        let known = metadata["deletionTimestamp"].is_string();
        if metadata["uid"] != pod.uid.as_str()
            || (known && metadata["deletionGracePeriodSeconds"].as_i64() <= Some(period))
        {
            return false;
        }
        let end = Timestamp::now()
            .saturating_add(SignedDuration::from_secs(period))
            .unwrap_or(Timestamp::MAX);
        metadata["deletionTimestamp"] = time::seconds(end).into();
        metadata["deletionGracePeriodSeconds"] = period.into();
        true
    });
    marked.or_else(|| {
        state
            .store
            .get(Kind::Pod, &pod.namespace, &pod.name)
            .filter(|found| found.uid == pod.uid)
    })
}

/// Ends a pod's containers after a while, then removes the pod unless finalizers hold it.
fn spawn_shutdown(state: Arc<State>, pod: Arc<Object>, after: Duration) {
    tokio::spawn(async move {
        tokio::select! {
            () = state.stop.cancelled() => return,
            () = tokio::time::sleep(after) => {}
        }
        let now = time::seconds(Timestamp::now());
        let ended = state.update_pod(&pod.namespace, &pod.name, |value| {
            if value.pointer("/metadata/uid").and_then(Value::as_str) != Some(&pod.uid) {
                return false;
            }
            set_terminated(value, &now);
            value["metadata"]["deletionGracePeriodSeconds"] = 0.into();
            true
        });
        if let Some(ended) = ended {
            finish(&state, &ended);
        }
    });
}

/// Removes a deleted pod if its grace period is over and no finalizer holds it, by the rules of
/// `ShouldDeleteDuringUpdate` in Kubernetes' registry.
fn finish(state: &Arc<State>, pod: &Arc<Object>) {
    let value = pod.value();
    let over =
        value["metadata"]["deletionTimestamp"].is_string() && value["metadata"]["deletionGracePeriodSeconds"] == 0;
    if !over || has_finalizers(&value) {
        return;
    }
    if let Some(removed) = state.remove(Kind::Pod, &pod.namespace, &pod.name, Some(&pod.uid)) {
        state.pod_removed(&removed);
    }
}

/// Sets the status of a pod whose containers have ended after SIGTERM.
fn set_terminated(pod: &mut Value, now: &str) {
    for list in ["containerStatuses", "initContainerStatuses"] {
        let statuses = pod
            .pointer_mut(&format!("/status/{list}"))
            .and_then(Value::as_array_mut);
        for status in statuses
            .into_iter()
            .flatten()
            .filter(|status| status["state"]["running"].is_object())
        {
            let started = status["state"]["running"]["startedAt"].clone();
            status["state"] = json!({"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": started,
                "finishedAt": now, "containerID": status["containerID"]}});
            status["ready"] = false.into();
            status["started"] = false.into();
        }
    }
    for condition in pod
        .pointer_mut("/status/conditions")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if matches!(condition["type"].as_str(), Some("Ready" | "ContainersReady")) {
            condition["status"] = "False".into();
            condition["lastTransitionTime"] = now.into();
        }
    }
}

/// Removes the objects in a namespace.
fn clear_namespace(state: &State, namespace: &str) {
    for kind in Kind::ALL.into_iter().filter(|kind| kind.namespaced()) {
        for object in state.store.snapshot(kind, Some(namespace)).objects {
            state.remove(kind, namespace, &object.name, Some(&object.uid));
        }
    }
}

/// Answers with the object itself if it is a pod or a namespace, and with a Status of success for
/// other kinds.
fn answer_with(kind: Kind, object: &Object) -> axum::response::Response {
    if matches!(kind, Kind::Pod | Kind::Namespace) {
        return bytes_response("application/json", object.json());
    }
    json_response(
        &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": {"name": object.name, "kind": kind.plural(), "uid": object.uid}}),
    )
}
