//! What those pod routes answer whose JSON is not a type of ours.

use serde_json::{Value, json};

use super::schema::{Schemas, count, flag, list, object, open_object, text, time};
use crate::{
    pods::events::EventView,
    sync::{ListedView, SyncView},
};

/// A page of one cluster's pods.
pub(super) fn list_of_cluster(schemas: &mut Schemas) -> Value {
    let item = item(schemas);
    let item = schemas.add("PodItem", item);
    let mut page = page(item);
    page["properties"]["sync"] = schemas.of::<SyncView>();
    require(&mut page, "sync");
    schemas.add("PodList", page)
}

/// A page of the pods of several clusters.
pub(super) fn list_of_all(schemas: &mut Schemas) -> Value {
    let mut item = item(schemas);
    item["properties"]["cluster"] = text("The name of its cluster.");
    require(&mut item, "cluster");
    let item = schemas.add("PodOfClusterItem", item);
    let mut page = page(item);
    let cluster = schemas.of::<ListedView<'static>>();
    page["properties"]["clusters"] = list(
        cluster,
        "How current the pods of each cluster asked for are, by number.",
    );
    require(&mut page, "clusters");
    schemas.add("PodOfClusterList", page)
}

/// What all pages of pods have.
fn page(item: Value) -> Value {
    let value = object(
        "A value and how many of the matches have it.",
        [
            (
                "value",
                text("The value, as the parameter of the facet's name takes it; empty for pods without one."),
            ),
            ("count", count("Matches.")),
        ],
    );
    let mut page = object(
        "A page of pods.",
        [
            ("items", list(item, "The pods of this page.")),
            ("total", count("The number of matches before paging.")),
            ("page", count("This page, from 1.")),
            ("pageSize", count("Pods a page.")),
        ],
    );
    page["properties"]["facets"] = json!({
        "type": "object",
        "description": "Counts of all matches by the fields asked for, if any: the most frequent value first, at most 1,000 of them.",
        "additionalProperties": list(value, "Values and counts."),
    });
    page["properties"]["truncatedFacets"] = list(
        text("A facet."),
        "Beside `facets`: those that have more values than are told.",
    );
    page
}

fn require(schema: &mut Value, name: &str) {
    if let Some(required) = schema["required"].as_array_mut() {
        required.push(name.into());
    }
}

/// A pod as lists and live queries show it: what `pods::rows` writes.
fn item(schemas: &mut Schemas) -> Value {
    let container = schemas.add(
        "PodContainer",
        object(
            "A container as a list shows it.",
            [
                ("name", text("Its name.")),
                ("image", text("Its image.")),
                ("ready", flag("Whether it is ready; false without a status.")),
                ("restartCount", count("How often it was restarted; 0 without a status.")),
            ],
        ),
    );
    let owner = schemas.add(
        "PodOwner",
        object(
            "The controller that owns a pod.",
            [("kind", text("Such as `ReplicaSet`.")), ("name", text("Its name."))],
        ),
    );
    let mut item = object(
        "A pod as a list shows it. A text that is longer than 253 bytes (an image: 512) is cut, and ends with `…`.",
        [
            ("name", text("Its name.")),
            ("namespace", text("Its namespace.")),
            ("uid", text("Its UID.")),
            ("status", text("What `kubectl get pods` shows under STATUS.")),
            ("reason", text("Why it is not well, in one sentence; empty when it is.")),
            ("phase", text("Its phase.")),
            ("nodeName", text("Its node; empty until it is scheduled.")),
            ("podIP", text("Its first IP, or empty.")),
            ("hostIP", text("Its node's IP, or empty.")),
            (
                "restarts",
                count("The number that `kubectl get pods` shows under RESTARTS."),
            ),
            ("ready", count("The left number of READY.")),
            ("readyTotal", count("The right number of READY.")),
            (
                "createdAt",
                time("When it was created; empty if the cluster does not say."),
            ),
            ("lastRestartAt", time("When a container last restarted, or empty.")),
            (
                "deletionTimestamp",
                time("When it is to be gone, if it is being deleted; else empty."),
            ),
            (
                "owner",
                json!({"oneOf": [{"type": "null"}, owner], "description": "The controller that owns it; null without one."}),
            ),
            (
                "containers",
                list(container.clone(), "Its regular containers in spec order, at most 200."),
            ),
            (
                "initContainers",
                list(container, "Its init containers in spec order, at most 200."),
            ),
        ],
    );
    item["properties"]["containersLeftOut"] =
        count("Where it has more containers or init containers than a list shows: how many more.");
    item
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

/// A pod's events.
pub(super) fn events(schemas: &mut Schemas) -> Value {
    let event = schemas.of::<EventView>();
    list(event, "Newest first.")
}
