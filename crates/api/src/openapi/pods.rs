//! What the pod routes answer.

use serde_json::{Value, json};

use super::schema::{Schemas, count, flag, list, object, open_object, or_null, text, time};
use crate::sync::SyncView;

/// A page of pods.
pub(super) fn page(schemas: &mut Schemas) -> Value {
    let container = schemas.add(
        "Container",
        object(
            "A container, joined to its status by name.",
            [
                ("name", text("Its name.")),
                ("image", text("Its image, as the spec names it.")),
                ("ready", flag("Whether it is ready; false without a status.")),
                ("restartCount", count("How often it restarted; 0 without a status.")),
            ],
        ),
    );
    let pod = schemas.add("Pod", pod(&container));
    let sync = schemas.of::<SyncView>();
    schemas.add(
        "PodPage",
        object(
            "A page of pods.",
            [
                ("items", list(pod, "The pods of this page.")),
                ("total", count("Matches before paging.")),
                ("page", count("This page, from 1.")),
                ("pageSize", count("Pods a page.")),
                ("sync", sync),
            ],
        ),
    )
}

fn pod(container: &Value) -> Value {
    let owner = object(
        "The controlling owner.",
        [("kind", text("Its kind.")), ("name", text("Its name."))],
    );
    object(
        "A pod, as a list shows it.",
        [
            ("name", text("Its name.")),
            ("namespace", text("Its namespace.")),
            ("uid", text("Its UID.")),
            ("status", text("What `kubectl get pods` shows under STATUS.")),
            ("phase", text("Its phase.")),
            ("nodeName", text("Its node, or empty.")),
            ("podIP", text("Its address, or empty.")),
            ("hostIP", text("Its node's address, or empty.")),
            (
                "restarts",
                count("The number that `kubectl get pods` shows under RESTARTS."),
            ),
            ("lastRestartAt", time("When a container last restarted, or empty.")),
            ("ready", count("Containers that are ready.")),
            ("readyTotal", count("Containers that READY counts.")),
            (
                "containers",
                list(container.clone(), "The regular containers, in the order of the spec."),
            ),
            (
                "initContainers",
                list(container.clone(), "The init containers, in the order of the spec."),
            ),
            ("owner", or_null(owner)),
            ("createdAt", time("When it was created.")),
            (
                "deletionTimestamp",
                time("When its deletion was asked for to be done, or empty."),
            ),
        ],
    )
}

/// One pod, live.
pub(super) fn detail(schemas: &mut Schemas) -> Value {
    let of_kubernetes =
        |description: &str| json!({"type": "object", "description": description, "additionalProperties": true});
    let texts = |description: &str| json!({"type": "object", "description": description, "additionalProperties": {"type": "string"}});
    let status = open_object(
        "The pod's status. All that Kubernetes has there comes along under its Kubernetes name.",
        [
            ("phase", text("Its phase.")),
            ("conditions", list(of_kubernetes("A condition."), "Its conditions.")),
            (
                "containerStatuses",
                list(
                    of_kubernetes("The status of a container."),
                    "The statuses of its regular containers.",
                ),
            ),
        ],
    );
    let spec = open_object(
        "The pod's spec. All that Kubernetes has there comes along under its Kubernetes name.",
        [
            ("nodeName", text("Its node, or empty.")),
            (
                "containers",
                list(of_kubernetes("A container."), "Its regular containers."),
            ),
            ("volumes", list(of_kubernetes("A volume."), "Its volumes.")),
        ],
    );
    schemas.add(
        "PodDetail",
        object(
            "A pod, as the API server has it now.",
            [
                ("name", text("Its name.")),
                ("namespace", text("Its namespace.")),
                ("uid", text("Its UID.")),
                ("labels", texts("Its labels.")),
                ("annotations", texts("Its annotations.")),
                ("status", status),
                ("spec", spec),
                ("createdAt", time("When it was created.")),
                ("statusText", text("What `kubectl get pods` shows under STATUS.")),
                (
                    "restarts",
                    count("The number that `kubectl get pods` shows under RESTARTS."),
                ),
                ("ownerReferences", list(of_kubernetes("An owner."), "Its owners.")),
                (
                    "deletionTimestamp",
                    time("When its deletion was asked for to be done, or empty."),
                ),
                ("resourceVersion", text("Its version, for a delete's precondition.")),
            ],
        ),
    )
}

/// A log in one piece.
pub(super) fn logs(schemas: &mut Schemas) -> Value {
    let mut schema = object(
        "A container's log. Bytes that are not UTF-8 are U+FFFD.",
        [(
            "logs",
            text("The lines, at most 10 MiB: of a longer log the last whole lines that fit."),
        )],
    );
    schema["properties"]["truncated"] =
        json!({"const": true, "description": "There when the log is longer than what is answered."});
    schemas.add("Logs", schema)
}

/// A pod's events.
pub(super) fn events(schemas: &mut Schemas) -> Value {
    let event = object(
        "An event.",
        [
            ("type", text("`Normal` or `Warning`.")),
            ("reason", text("The reason, for machines.")),
            ("message", text("The reason, for people.")),
            ("firstSeen", time("When it first happened.")),
            ("lastSeen", time("When it last happened.")),
            ("count", count("How often it happened.")),
            ("source", text("Who reports it, or empty.")),
            ("container", text("The container it is about, or empty.")),
        ],
    );
    let event = schemas.add("Event", event);
    list(event, "Newest first.")
}
