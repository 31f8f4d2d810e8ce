//! What the cluster serves: version, groups and resources, in the old and the aggregated form.

use http::HeaderMap;
use http::header::ACCEPT;
use serde_json::{Value, json};

use crate::call::Call;
use crate::reviews::REVIEWS;
use crate::status::{Answer, Failure, bytes_response, json_response};

/// The content type of aggregated discovery (KEP 3352).
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// A resource as discovery shows it: plural, singular, kind, namespaced, short names, verbs.
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
        "create,delete,get,list,watch",
    ),
    Resource("nodes", "node", "Node", false, "no", "delete,get,list,watch"),
    Resource(
        "pods",
        "pod",
        "Pod",
        true,
        "po",
        "create,delete,get,list,patch,update,watch",
    ),
];
/// What hangs on pods: name, kind, verbs.
const SUBRESOURCES: &[(&str, &str, &str)] = &[
    ("exec", "PodExecOptions", "create,get"),
    ("log", "Pod", "get"),
    ("status", "Pod", "get,patch,update"),
];

fn list(items: &str) -> Vec<&str> {
    items.split(',').filter(|item| !item.is_empty()).collect()
}

/// Answers a path that names no resource.
///
/// # Errors
///
/// 404 when there is nothing.
pub(crate) fn answer(call: &Call, path: &str) -> Answer {
    let aggregated = wants_aggregated(call.request.headers());
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let value = match parts.as_slice() {
        ["version"] => version(),
        ["healthz" | "livez" | "readyz", ..] => return Ok(bytes_response("text/plain; charset=utf-8", "ok")),
        ["api"] if aggregated => return Ok(bytes_response(AGGREGATED, aggregate(&[""]).to_string())),
        ["apis"] if aggregated => return Ok(bytes_response(AGGREGATED, aggregate(&groups()).to_string())),
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

fn wants_aggregated(headers: &HeaderMap) -> bool {
    let accept = headers
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    accept.split(',').any(|range| {
        let parts: Vec<&str> = range.split(';').map(str::trim).collect();
        ["g=apidiscovery.k8s.io", "v=v2", "as=APIGroupDiscoveryList"]
            .iter()
            .all(|part| parts.contains(part))
    })
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

/// The reviews of a group: plural, kind, namespaced.
fn reviews(group: &str) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
    REVIEWS
        .into_iter()
        .filter(move |(of, ..)| *of == group)
        .map(|(_, resource, kind)| (resource, kind, resource.starts_with("local")))
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
    for (name, kind, namespaced) in reviews(group) {
        resources.push(
            json!({"name": name, "singularName": kind.to_lowercase(), "namespaced": namespaced, "kind": kind,
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

fn aggregate(groups: &[&str]) -> Value {
    let items: Vec<Value> = groups
        .iter()
        .map(|group| {
            let mut metadata = json!({});
            if !group.is_empty() {
                metadata = json!({ "name": group });
            }
            let version = json!({"version": "v1", "freshness": "Current", "resources": aggregated_resources(group)});
            json!({"metadata": metadata, "versions": [version]})
        })
        .collect();
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items})
}

fn aggregated_resources(group: &str) -> Vec<Value> {
    let kind = |kind: &str| json!({"group": "", "version": "", "kind": kind});
    let scope = |namespaced: bool| if namespaced { "Namespaced" } else { "Cluster" };
    let mut resources = Vec::new();
    if group.is_empty() {
        for Resource(name, singular, of, namespaced, short, verbs) in CORE {
            let mut resource = json!({"resource": name, "responseKind": kind(of), "scope": scope(*namespaced),
                "singularResource": singular, "verbs": list(verbs), "shortNames": list(short)});
            if *name == "pods" {
                resource["categories"] = json!(["all"]);
                let of = |(name, of, verbs): &(&str, &str, &str)| json!({"subresource": name, "responseKind": kind(of), "verbs": list(verbs)});
                resource["subresources"] = SUBRESOURCES.iter().map(of).collect();
            }
            resources.push(resource);
        }
    }
    for (name, of, namespaced) in reviews(group) {
        resources.push(
            json!({"resource": name, "responseKind": kind(of), "scope": scope(namespaced),
            "singularResource": of.to_lowercase(), "verbs": ["create"]}),
        );
    }
    resources
}
