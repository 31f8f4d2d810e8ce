//! The rows of pods: the parts of them that the index keeps.

use std::net::IpAddr;

use podgate_index::{Container, Owner};

use crate::{
    print_pod::{Summary, count, restart_count},
    reason::{Warning, reason},
    text::{MAX_TEXT, truncate},
    wire::{self, ContainerStatus, Time},
};

/// The most bytes of an image in a row.
const IMAGE: usize = 512;
/// The most regular containers of a row, and also the most init containers.
const CONTAINERS: usize = 200;
/// The most labels of a row.
const LABELS: usize = 256;
/// The most bytes of a label key that Kubernetes accepts: a DNS-1123 subdomain, a slash and a name
/// of 63 bytes.
const LABEL_KEY: usize = 253 + 1 + 63;
/// The most bytes of a label value that Kubernetes accepts.
const LABEL_VALUE: usize = 63;
/// The most addresses of a pod in addition to its first. Kubernetes assigns at most one.
const MORE_IPS: usize = 15;

/// Makes the row of a pod. `warning` is a Warning event that the pod's reason may need.
///
/// A cluster, or anybody who can store a pod in it, may send texts of any size. In a row, texts are
/// truncated to 253 bytes and images to 512. A label that Kubernetes would not accept is left out
/// entirely, because a selector must not match a part of it. Labels beyond 256, and containers
/// beyond 200 of a kind, are left out too.
pub(crate) fn row(pod: &wire::Pod, warning: Option<&Warning>) -> podgate_index::Pod {
    let summary = Summary::from_pod(pod);
    let meta = &pod.metadata;
    let labels = labels(meta);
    let text = |text: &str| truncate(text, MAX_TEXT);
    let left_out = |containers: &[wire::Container]| containers.len().saturating_sub(CONTAINERS);
    let containers_left_out = left_out(&pod.spec.containers) + left_out(&pod.spec.init_containers);
    podgate_index::Pod {
        uid: text(&meta.uid),
        namespace: text(&meta.namespace),
        name: text(&meta.name),
        status: truncate(summary.status, MAX_TEXT),
        reason: reason(pod, warning),
        phase: text(&pod.status.phase),
        qos_class: text(&pod.status.qos_class),
        node: text(&pod.spec.node_name),
        pod_ip: text(&pod.status.pod_ip),
        more_ips: more_ips(&pod.status),
        host_ip: text(&pod.status.host_ip),
        restarts: summary.restarts,
        last_restart_at: summary.last_restart.map(|time| time.seconds),
        created_at: created_at(meta),
        deletion_at: meta.deletion_timestamp.map(|time| time.seconds),
        ready: summary.ready,
        ready_total: summary.ready_total,
        owner: meta
            .owner_references
            .iter()
            .find(|owner| owner.controller)
            .map(|owner| Owner {
                kind: text(&owner.kind),
                name: text(&owner.name),
            }),
        containers: join(&pod.spec.containers, &pod.status.container_statuses),
        init_containers: join(&pod.spec.init_containers, &pod.status.init_container_statuses),
        containers_left_out: u16::try_from(containers_left_out).unwrap_or(u16::MAX),
        labels_left_out: count(meta.labels.len() - labels.len()),
        labels,
    }
}

/// Returns when a pod was created, in seconds since the epoch. Go's zero time means `None`, as in
/// Kubernetes' own JSON.
fn created_at(meta: &wire::Metadata) -> Option<i64> {
    let time = meta.creation_timestamp.filter(|time| *time != Time::default());
    time.map(|time| time.seconds)
}

/// Returns the addresses of a pod after its first. Texts that are not addresses are dropped.
fn more_ips(status: &wire::Status) -> Vec<String> {
    let ips = status.pod_ips.iter().map(|of_pod| &of_pod.ip);
    let more = ips.filter(|ip| **ip != status.pod_ip && ip.parse::<IpAddr>().is_ok());
    more.take(MORE_IPS).cloned().collect()
}

/// Returns the labels of a row in the order of their keys.
fn labels(meta: &wire::Metadata) -> Vec<(String, String)> {
    let fits =
        |(key, value): &(&String, &String)| !key.is_empty() && key.len() <= LABEL_KEY && value.len() <= LABEL_VALUE;
    let labels = meta.labels.iter().filter(fits).take(LABELS);
    labels.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Joins the first containers of the specification with their statuses. Statuses are in any order,
/// and some may be missing or belong to no container.
fn join(specs: &[wire::Container], statuses: &[ContainerStatus]) -> Vec<Container> {
    let of = |spec: &wire::Container| {
        let status = statuses.iter().find(|status| status.name == spec.name);
        Container {
            name: truncate(&spec.name, MAX_TEXT),
            image: truncate(&spec.image, IMAGE),
            ready: status.is_some_and(|status| status.ready),
            restart_count: status.map_or(0, restart_count),
        }
    };
    specs.iter().take(CONTAINERS).map(of).collect()
}

#[cfg(test)]
mod tests;
