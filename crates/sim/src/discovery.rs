//! Discovery: the version, API groups and resources, which kubectl reads first.
//!
//! The aggregated form (KEP-3352) is left out. Without it, kubectl asks for each group separately.

use serde_json::{Value, json};

use crate::call::Call;
use crate::reviews::REVIEWS;
use crate::status::{Answer, Failure, bytes_response, json_response};

/// A resource in discovery: plural, singular, kind, whether namespaced, short names, verbs.
struct Resource(
    &'static str,
    &'static str,
    &'static str,
    bool,
    &'static str,
    &'static str,
);

const CORE: &[Resource] = &[
    Resource("events", "event", "Event", true, "ev", "delete,get,list,watch"),
    Resource(
        "namespaces",
        "namespace",
        "Namespace",
        false,
        "ns",
        "delete,get,list,watch",
    ),
    Resource("nodes", "node", "Node", false, "no", "delete,get,list,watch"),
    Resource("pods", "pod", "Pod", true, "po", "delete,get,list,watch"),
];
/// The subresources of pods: name, kind, verbs.
const SUBRESOURCES: &[(&str, &str, &str)] = &[("exec", "PodExecOptions", "create,get"), ("log", "Pod", "get")];

fn list(items: &str) -> Vec<&str> {
    items.split(',').filter(|item| !item.is_empty()).collect()
}

/// Answers a path that names no resource.
///
/// # Errors
///
/// 404 when the path does not exist.
pub(crate) fn answer(call: &Call, path: &str) -> Answer {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let value = match parts.as_slice() {
        ["version"] => version(),
        ["healthz" | "livez" | "readyz", ..] => return Ok(bytes_response("text/plain; charset=utf-8", "ok")),
        ["api"] => json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs":
            [{"clientCIDR": "0.0.0.0/0", "serverAddress": call.header(http::header::HOST)}]}),
        ["api", "v1"] => resource_list(""),
        ["apis"] => {
            let groups: Vec<Value> = groups().into_iter().map(group).collect();
            json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
        }
        ["apis", name] if groups().contains(name) => {
            let mut group = group(name);
            group["kind"] = "APIGroup".into();
            group["apiVersion"] = "v1".into();
            group
        }
        ["apis", name, "v1"] if groups().contains(name) => resource_list(name),
        _ => return Err(Failure::no_route()),
    };
    Ok(json_response(&value))
}

fn groups() -> Vec<&'static str> {
    let mut groups: Vec<&str> = REVIEWS.iter().map(|(group, ..)| *group).collect();
    groups.dedup();
    groups
}

fn version() -> Value {
    json!({"major": "1", "minor": "36", "gitVersion": "v1.36.0+podgate-sim", "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "rustc", "platform": "linux/amd64"})
}

fn group(name: &str) -> Value {
    let version = json!({"groupVersion": format!("{name}/v1"), "version": "v1"});
    json!({"name": name, "versions": [version], "preferredVersion": version})
}

/// Returns the plural and kind of each review of a group.
fn reviews(group: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let of_group = REVIEWS.into_iter().filter(move |(of, ..)| *of == group);
    of_group.map(|(_, resource, kind)| (resource, kind))
}

fn resource_list(group: &str) -> Value {
    let mut resources = Vec::new();
    if group.is_empty() {
        for Resource(name, singular, kind, namespaced, short, verbs) in CORE {
            resources.push(json!({"name": name, "singularName": singular, "namespaced": namespaced, "kind": kind,
                "verbs": list(verbs), "shortNames": list(short), "categories": if *name == "pods" { vec!["all"] } else { vec![] }}));
        }
        for (name, kind, verbs) in SUBRESOURCES {
            resources.push(
                json!({"name": format!("pods/{name}"), "singularName": "", "namespaced": true, "kind": kind,
                "verbs": list(verbs)}),
            );
        }
    }
    for (name, kind) in reviews(group) {
        resources.push(
            json!({"name": name, "singularName": kind.to_lowercase(), "namespaced": false, "kind": kind,
            "verbs": ["create"]}),
        );
    }
    let version = if group.is_empty() {
        "v1".to_owned()
    } else {
        format!("{group}/v1")
    };
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources})
}
