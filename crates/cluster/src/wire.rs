//! The parts of Kubernetes objects that a row needs, from JSON and from protobuf. Partial on purpose: what is not named here is never kept in
//! memory.
//!
//! Lenient as the API server's own clients are: an absent field, `null` and an empty value are the same. A value of another type
//! is an error of that one object.
//!
//! Field numbers are those of `k8s.io/api/core/v1/generated.proto` and `k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto` of Kubernetes 1.36,
//! which never change a number once it is given.

use std::collections::BTreeMap;

use prost::Message;
use serde::Deserialize;

mod read;
pub(crate) mod status;

pub(crate) use read::MAX_PARTS;
pub(crate) use read::{annotation, nullable};
use read::{bounded_list, bounded_map};

/// A pod (`v1`, `Pod`).
#[derive(Clone, PartialEq, Eq, Deserialize, Message)]
#[serde(default)]
pub struct Pod {
    /// Names, times, labels, owners.
    #[serde(deserialize_with = "nullable")]
    #[prost(message, required, tag = "1")]
    pub metadata: Metadata,
    /// What it shall be.
    #[serde(deserialize_with = "nullable")]
    #[prost(message, required, tag = "2")]
    pub spec: Spec,
    /// What it is.
    #[serde(deserialize_with = "nullable")]
    #[prost(message, required, tag = "3")]
    pub status: Status,
}

/// `metadata` (`ObjectMeta`).
#[derive(Clone, PartialEq, Eq, Deserialize, Message)]
#[serde(default, rename_all = "camelCase")]
pub struct Metadata {
    /// Name.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "1")]
    pub name: String,
    /// Namespace.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "3")]
    pub namespace: String,
    /// Unique over time.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "5")]
    pub uid: String,
    /// The version of the store at which the object last changed.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "6")]
    pub resource_version: String,
    /// When it was made.
    #[prost(message, optional, tag = "8")]
    pub creation_timestamp: Option<Time>,
    /// When it was, or shall be, deleted; set as soon as the deletion was asked for.
    #[prost(message, optional, tag = "9")]
    pub deletion_timestamp: Option<Time>,
    /// Labels.
    #[serde(deserialize_with = "bounded_map")]
    #[prost(btree_map = "string, string", tag = "11")]
    pub labels: BTreeMap<String, String>,
    /// Owners.
    #[serde(deserialize_with = "bounded_list")]
    #[prost(message, repeated, tag = "13")]
    pub owner_references: Vec<OwnerReference>,
}

/// An owner (`OwnerReference`).
#[derive(Clone, PartialEq, Eq, Deserialize, Message)]
#[serde(default)]
pub struct OwnerReference {
    /// Kind, such as `ReplicaSet`.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "1")]
    pub kind: String,
    /// Name.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "3")]
    pub name: String,
    /// Whether it is the one that controls the object.
    #[serde(deserialize_with = "nullable")]
    #[prost(bool, tag = "6")]
    pub controller: bool,
}

/// `spec` (`PodSpec`).
#[derive(Clone, PartialEq, Eq, Deserialize, Message)]
#[serde(default, rename_all = "camelCase")]
pub struct Spec {
    /// The node it is bound to, or empty.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "10")]
    pub node_name: String,
    /// Regular containers.
    #[serde(deserialize_with = "bounded_list")]
    #[prost(message, repeated, tag = "2")]
    pub containers: Vec<Container>,
    /// Init containers, restartable ones among them.
    #[serde(deserialize_with = "bounded_list")]
    #[prost(message, repeated, tag = "20")]
    pub init_containers: Vec<Container>,
}

/// A container of the specification.
#[derive(Clone, PartialEq, Eq, Deserialize, Message)]
#[serde(default, rename_all = "camelCase")]
pub struct Container {
    /// Name.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "1")]
    pub name: String,
    /// Image as the specification names it.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "2")]
    pub image: String,
    /// `Always` makes an init container restartable (a sidecar); else empty or of no concern here.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "24")]
    pub restart_policy: String,
}

/// `status` (`PodStatus`).
#[derive(Clone, PartialEq, Eq, Deserialize, Message)]
#[serde(default, rename_all = "camelCase")]
pub struct Status {
    /// `Pending`, `Running`, `Succeeded`, `Failed`, `Unknown`, or empty.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "1")]
    pub phase: String,
    /// Why, in one word, such as `Evicted`; mostly empty.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "4")]
    pub reason: String,
    /// Why, in words; mostly empty.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "3")]
    pub message: String,
    /// Its first address, or empty.
    #[serde(rename = "podIP", deserialize_with = "nullable")]
    #[prost(string, tag = "6")]
    pub pod_ip: String,
    /// All its addresses.
    #[serde(rename = "podIPs", deserialize_with = "bounded_list")]
    #[prost(message, repeated, tag = "12")]
    pub pod_ips: Vec<PodIp>,
    /// Its node's first address, or empty.
    #[serde(rename = "hostIP", deserialize_with = "nullable")]
    #[prost(string, tag = "5")]
    pub host_ip: String,
    /// Conditions.
    #[serde(deserialize_with = "bounded_list")]
    #[prost(message, repeated, tag = "2")]
    pub conditions: Vec<Condition>,
    /// Of the regular containers, in any order.
    #[serde(deserialize_with = "bounded_list")]
    #[prost(message, repeated, tag = "8")]
    pub container_statuses: Vec<ContainerStatus>,
    /// Of the init containers, in any order.
    #[serde(deserialize_with = "bounded_list")]
    #[prost(message, repeated, tag = "10")]
    pub init_container_statuses: Vec<ContainerStatus>,
    /// `Guaranteed`, `Burstable`, `BestEffort`, or empty.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "9")]
    pub qos_class: String,
}

/// An address of a pod (`PodIP`).
#[derive(Clone, PartialEq, Eq, Deserialize, Message)]
#[serde(default)]
pub struct PodIp {
    /// The address.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "1")]
    pub ip: String,
}

/// A condition (`PodCondition`).
#[derive(Clone, PartialEq, Eq, Deserialize, Message)]
#[serde(default)]
pub struct Condition {
    /// Which, such as `Ready`.
    #[serde(rename = "type", deserialize_with = "nullable")]
    #[prost(string, tag = "1")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "2")]
    pub status: String,
    /// Why, in one word.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "5")]
    pub reason: String,
    /// Why, in words.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "6")]
    pub message: String,
}

/// What is known of a container (`ContainerStatus`).
#[derive(Clone, PartialEq, Eq, Deserialize, Message)]
#[serde(default, rename_all = "camelCase")]
pub struct ContainerStatus {
    /// The container's name.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "1")]
    pub name: String,
    /// Whether it passes its readiness probe.
    #[serde(deserialize_with = "nullable")]
    #[prost(bool, tag = "4")]
    pub ready: bool,
    /// Whether it passed its startup probe.
    #[serde(deserialize_with = "nullable")]
    #[prost(bool, tag = "9")]
    pub started: bool,
    /// How often it was restarted.
    #[serde(deserialize_with = "nullable")]
    #[prost(int32, tag = "5")]
    pub restart_count: i32,
    /// Its present state.
    #[serde(deserialize_with = "nullable")]
    #[prost(message, required, tag = "2")]
    pub state: ContainerState,
    /// How its previous run ended.
    #[serde(deserialize_with = "nullable")]
    #[prost(message, required, tag = "3")]
    pub last_state: ContainerState,
}

/// A container's state: one of the three, or none.
#[derive(Clone, PartialEq, Eq, Deserialize, Message)]
#[serde(default)]
pub struct ContainerState {
    /// Not started.
    #[prost(message, optional, tag = "1")]
    pub waiting: Option<Waiting>,
    /// Running.
    #[prost(message, optional, tag = "2")]
    pub running: Option<Running>,
    /// Ended.
    #[prost(message, optional, tag = "3")]
    pub terminated: Option<Terminated>,
}

/// A container that waits.
#[derive(Clone, PartialEq, Eq, Deserialize, Message)]
#[serde(default)]
pub struct Waiting {
    /// For what, such as `ContainerCreating` or `CrashLoopBackOff`.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "1")]
    pub reason: String,
    /// The same in words; may be empty.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "2")]
    pub message: String,
}

/// A container that runs.
#[derive(Clone, PartialEq, Eq, Deserialize, Message)]
pub struct Running {}

/// A container that has ended.
#[derive(Clone, PartialEq, Eq, Deserialize, Message)]
#[serde(default, rename_all = "camelCase")]
pub struct Terminated {
    /// Its exit code.
    #[serde(deserialize_with = "nullable")]
    #[prost(int32, tag = "1")]
    pub exit_code: i32,
    /// The signal that ended it, or 0.
    #[serde(deserialize_with = "nullable")]
    #[prost(int32, tag = "2")]
    pub signal: i32,
    /// Why, such as `Completed` or `OOMKilled`; may be empty.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "3")]
    pub reason: String,
    /// The runtime's words, or what the container left in its termination log; may be empty.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "4")]
    pub message: String,
    /// When.
    #[prost(message, optional, tag = "6")]
    pub finished_at: Option<Time>,
}

/// A point in time, in whole seconds since the epoch (`metav1.Time`). The default is Go's: the first of January of the year 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Message)]
pub struct Time {
    /// Seconds since the epoch.
    #[prost(int64, tag = "1", default = "-62135596800")]
    pub seconds: i64,
}

#[cfg(test)]
mod tests;
