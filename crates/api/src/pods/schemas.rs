//! The shapes of the pods that `rows`, `list`, `detail` and `live::frame` write byte by byte, for
//! the OpenAPI document.
//!
//! Tests compare real responses and frames with these types.

#![expect(dead_code, reason = "these types describe JSON that is written without them")]

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::sync::{ListedView, SyncView};

/// A container as a list shows it.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct PodContainer {
    /// Its name.
    name: String,
    /// Its image.
    image: String,
    /// Whether it is ready; false without a status.
    ready: bool,
    /// How often it was restarted; 0 without a status.
    restart_count: usize,
}

/// The controller that owns a pod.
#[derive(ToSchema)]
struct PodOwner {
    /// Such as `ReplicaSet`.
    kind: String,
    /// Its name.
    name: String,
}

/// A pod as a list shows it. A text that is longer than 253 bytes (an image: 512) is cut, and ends
/// with `…`.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(super) struct PodItem {
    /// Its name.
    name: String,
    /// Its namespace.
    namespace: String,
    /// Its UID.
    uid: String,
    /// Its status, as `kubectl get pods` shows it under STATUS.
    status: String,
    /// Why it is unhealthy, in one sentence; empty for a healthy pod.
    reason: String,
    /// The code of `reason`; empty for a healthy pod.
    reason_code: String,
    /// What `reason` says, by name: texts and numbers. Absent for a healthy pod.
    #[schema(nullable = false)]
    reason_args: Option<Map<String, Value>>,
    /// Its phase.
    phase: String,
    /// Its QoS class: `Guaranteed`, `Burstable` or `BestEffort`; empty if the cluster does not say.
    qos_class: String,
    /// Its node; empty until it is scheduled.
    node_name: String,
    /// Its first IP, or empty.
    #[schema(rename = "podIP")]
    pod_ip: String,
    /// Its node's IP, or empty.
    #[schema(rename = "hostIP")]
    host_ip: String,
    /// The number that `kubectl get pods` shows under RESTARTS.
    restarts: usize,
    /// The left number of READY.
    ready: usize,
    /// The right number of READY.
    ready_total: usize,
    /// When it was created, RFC 3339 in UTC; empty if the cluster does not say.
    created_at: String,
    /// When a container last restarted, RFC 3339 in UTC, or empty.
    last_restart_at: String,
    /// When its grace period ends, RFC 3339 in UTC, if it is being deleted; else empty.
    deletion_timestamp: String,
    /// The controller that owns it; null without one.
    #[schema(required)]
    owner: Option<PodOwner>,
    /// Its regular containers in spec order, at most 200.
    containers: Vec<PodContainer>,
    /// Its init containers in spec order, at most 200.
    init_containers: Vec<PodContainer>,
    /// How many containers and init containers the list does not show. Absent if it shows all.
    #[schema(nullable = false)]
    containers_left_out: Option<usize>,
}

/// A pod in a list of several clusters.
#[derive(ToSchema)]
pub(super) struct PodOfClusterItem {
    #[serde(flatten)]
    pod: PodItem,
    /// The name of its cluster.
    cluster: String,
}

/// A value of a field, and how many of the matches have it.
#[derive(ToSchema)]
pub(super) struct FacetCount {
    /// The value, as the parameter of the facet's name takes it; empty for pods without one.
    value: String,
    /// How many matches have it.
    count: usize,
}

/// What identifies a pod: the item of a list with `fields=id`.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
struct PodIdentity {
    /// Its name.
    name: String,
    /// Its namespace.
    namespace: String,
    /// Its UID.
    uid: String,
}

/// What identifies a pod in a list of several clusters with `fields=id`.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
struct PodOfClusterIdentity {
    /// The name of its cluster.
    cluster: String,
    /// Its name.
    name: String,
    /// Its namespace.
    namespace: String,
    /// Its UID.
    uid: String,
}

/// An item of a list.
#[derive(ToSchema)]
#[serde(untagged)]
enum Listed {
    Whole(Box<PodItem>),
    Identity(PodIdentity),
}

/// An item of a list of several clusters.
#[derive(ToSchema)]
#[serde(untagged)]
enum ListedOfCluster {
    Whole(Box<PodOfClusterItem>),
    Identity(PodOfClusterIdentity),
}

/// The place of a page among all matches, and their counts.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct PodPage {
    /// The number of matches before paging.
    total: usize,
    /// This page, from 1.
    page: usize,
    /// Pods per page.
    page_size: usize,
    /// Counts of all matches by each requested field: the most frequent value first, at most 1,000
    /// values. Absent if no facets are requested.
    #[schema(nullable = false)]
    facets: Option<BTreeMap<String, Vec<FacetCount>>>,
    /// Over how many pods each field was counted. Present if `facets` is.
    #[schema(nullable = false)]
    facet_totals: Option<BTreeMap<String, usize>>,
    /// The facets that have more values than are listed. Present if `facets` is.
    #[schema(nullable = false)]
    truncated_facets: Option<Vec<String>>,
}

/// A page of one cluster's pods.
#[derive(ToSchema)]
pub(super) struct PodList {
    #[serde(flatten)]
    page: PodPage,
    /// The pods of this page.
    items: Vec<Listed>,
    /// How current the cluster's pods are.
    sync: SyncView,
}

/// A page of the pods of several clusters.
#[derive(ToSchema)]
pub(super) struct PodOfClusterList {
    #[serde(flatten)]
    page: PodPage,
    /// The pods of this page.
    items: Vec<ListedOfCluster>,
    /// How current the pods of each requested cluster are, ordered by the clusters' numbers.
    clusters: Vec<ListedView<'static>>,
}

/// A pod, as the API server has it now.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(super) struct PodDetail {
    /// Its name.
    name: String,
    /// Its namespace.
    namespace: String,
    /// Its UID.
    uid: String,
    /// Its labels.
    labels: BTreeMap<String, String>,
    /// Its annotations.
    annotations: BTreeMap<String, String>,
    /// Its status: all fields that Kubernetes has, under their Kubernetes names.
    status: PodStatus,
    /// Its spec: all fields that Kubernetes has, under their Kubernetes names.
    spec: PodSpec,
    /// When it was created, RFC 3339 in UTC.
    created_at: String,
    /// Its status, as `kubectl get pods` shows it under STATUS.
    status_text: String,
    /// The number that `kubectl get pods` shows under RESTARTS.
    restarts: usize,
    /// Its owners.
    owner_references: Vec<Map<String, Value>>,
    /// When its grace period ends, RFC 3339 in UTC, if it is being deleted; else empty.
    deletion_timestamp: String,
    /// Its version, which a deletion can name as a precondition.
    resource_version: String,
}

/// A pod's status.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct PodStatus {
    /// Its phase.
    phase: String,
    /// Its conditions.
    conditions: Vec<Map<String, Value>>,
    /// The statuses of its regular containers.
    container_statuses: Vec<PodContainerStatus>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

/// A container's status.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct PodContainerStatus {
    /// The container's name.
    name: String,
    /// Whether it is ready.
    ready: bool,
    /// How often it was restarted.
    restart_count: usize,
    /// Its state.
    state: Map<String, Value>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

/// A pod's spec.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct PodSpec {
    /// Its node, or empty.
    node_name: String,
    /// Its regular containers.
    containers: Vec<PodContainerSpec>,
    /// Its volumes.
    volumes: Vec<Map<String, Value>>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

/// A container's spec.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct PodContainerSpec {
    /// The container's name.
    name: String,
    /// Its image, or empty.
    image: String,
    /// Its ports.
    ports: Vec<Map<String, Value>>,
    /// Its requests and limits.
    resources: Map<String, Value>,
    /// Its mounts.
    volume_mounts: Vec<Map<String, Value>>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}
