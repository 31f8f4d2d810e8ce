//! What those pod routes answer whose JSON is not a type of ours.

use serde_json::{Value, json};

use super::schema::{Schemas, count, list, object, open_object, text, time};
use crate::pods::events::EventView;

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

/// A pod's events.
pub(super) fn events(schemas: &mut Schemas) -> Value {
    let event = schemas.of::<EventView>();
    list(event, "Newest first.")
}
