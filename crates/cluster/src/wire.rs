//! The parts of Kubernetes objects that a row needs, read from JSON or protobuf.
//!
//! The types are partial on purpose, so that no other field is ever kept in memory. Decoding is as
//! lenient as in Kubernetes' own clients: an absent field, `null` and an empty value are the same.
//! A value of a wrong type makes only that object invalid.
//!
//! Field numbers are those in `k8s.io/api/core/v1/generated.proto` and
//! `k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto` of Kubernetes 1.36. Kubernetes never
//! changes a number once it is assigned.

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
pub(crate) struct Pod {
    /// Names, times, labels, owners.
    #[serde(deserialize_with = "nullable")]
    #[prost(message, required, tag = "1")]
    pub(crate) metadata: Metadata,
    /// The desired state.
    #[serde(deserialize_with = "nullable")]
    #[prost(message, required, tag = "2")]
    pub(crate) spec: Spec,
    /// The observed state.
    #[serde(deserialize_with = "nullable")]
    #[prost(message, required, tag = "3")]
    pub(crate) status: Status,
}

/// `metadata` (`ObjectMeta`).
#[derive(Clone, PartialEq, Eq, Deserialize, Message)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Metadata {
    /// Name.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    /// Namespace.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "3")]
    pub(crate) namespace: String,
    /// The unique ID.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "5")]
    pub(crate) uid: String,
    /// The version of the store at the object's last change.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "6")]
    pub(crate) resource_version: String,
    /// When it was created.
    #[prost(message, optional, tag = "8")]
    pub(crate) creation_timestamp: Option<Time>,
    /// The time by which it is to be deleted, set as soon as its deletion is requested.
    #[prost(message, optional, tag = "9")]
    pub(crate) deletion_timestamp: Option<Time>,
    /// Labels.
    #[serde(deserialize_with = "bounded_map")]
    #[prost(btree_map = "string, string", tag = "11")]
    pub(crate) labels: BTreeMap<String, String>,
    /// Owners.
    #[serde(deserialize_with = "bounded_list")]
    #[prost(message, repeated, tag = "13")]
    pub(crate) owner_references: Vec<OwnerReference>,
}

/// An owner (`OwnerReference`).
#[derive(Clone, PartialEq, Eq, Deserialize, Message)]
#[serde(default)]
pub(crate) struct OwnerReference {
    /// Kind, such as `ReplicaSet`.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "1")]
    pub(crate) kind: String,
    /// Name.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "3")]
    pub(crate) name: String,
    /// Whether it is the owner that controls the object.
    #[serde(deserialize_with = "nullable")]
    #[prost(bool, tag = "6")]
    pub(crate) controller: bool,
}

/// `spec` (`PodSpec`).
#[derive(Clone, PartialEq, Eq, Deserialize, Message)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Spec {
    /// The node that the pod is bound to, or empty.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "10")]
    pub(crate) node_name: String,
    /// Regular containers.
    #[serde(deserialize_with = "bounded_list")]
    #[prost(message, repeated, tag = "2")]
    pub(crate) containers: Vec<Container>,
    /// Init containers, including restartable ones.
    #[serde(deserialize_with = "bounded_list")]
    #[prost(message, repeated, tag = "20")]
    pub(crate) init_containers: Vec<Container>,
}

/// A container of the specification.
#[derive(Clone, PartialEq, Eq, Deserialize, Message)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Container {
    /// Name.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    /// The image as the specification names it.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "2")]
    pub(crate) image: String,
    /// `Always` makes an init container restartable, that is, a sidecar. Other values are not
    /// needed here.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "24")]
    pub(crate) restart_policy: String,
}

/// `status` (`PodStatus`).
#[derive(Clone, PartialEq, Eq, Deserialize, Message)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Status {
    /// `Pending`, `Running`, `Succeeded`, `Failed`, `Unknown`, or empty.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "1")]
    pub(crate) phase: String,
    /// The reason for the phase in one word, such as `Evicted`; mostly empty.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "4")]
    pub(crate) reason: String,
    /// The reason for the phase in words; mostly empty.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "3")]
    pub(crate) message: String,
    /// Its first address, or empty.
    #[serde(rename = "podIP", deserialize_with = "nullable")]
    #[prost(string, tag = "6")]
    pub(crate) pod_ip: String,
    /// All its addresses.
    #[serde(rename = "podIPs", deserialize_with = "bounded_list")]
    #[prost(message, repeated, tag = "12")]
    pub(crate) pod_ips: Vec<PodIp>,
    /// Its node's first address, or empty.
    #[serde(rename = "hostIP", deserialize_with = "nullable")]
    #[prost(string, tag = "5")]
    pub(crate) host_ip: String,
    /// Conditions.
    #[serde(deserialize_with = "bounded_list")]
    #[prost(message, repeated, tag = "2")]
    pub(crate) conditions: Vec<Condition>,
    /// The statuses of the regular containers, in any order.
    #[serde(deserialize_with = "bounded_list")]
    #[prost(message, repeated, tag = "8")]
    pub(crate) container_statuses: Vec<ContainerStatus>,
    /// The statuses of the init containers, in any order.
    #[serde(deserialize_with = "bounded_list")]
    #[prost(message, repeated, tag = "10")]
    pub(crate) init_container_statuses: Vec<ContainerStatus>,
    /// `Guaranteed`, `Burstable`, `BestEffort`, or empty.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "9")]
    pub(crate) qos_class: String,
}

/// An address of a pod (`PodIP`).
#[derive(Clone, PartialEq, Eq, Deserialize, Message)]
#[serde(default)]
pub(crate) struct PodIp {
    /// The address.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "1")]
    pub(crate) ip: String,
}

/// A condition (`PodCondition`).
#[derive(Clone, PartialEq, Eq, Deserialize, Message)]
#[serde(default)]
pub(crate) struct Condition {
    /// The type, such as `Ready`.
    #[serde(rename = "type", deserialize_with = "nullable")]
    #[prost(string, tag = "1")]
    pub(crate) kind: String,
    /// `True`, `False` or `Unknown`.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "2")]
    pub(crate) status: String,
    /// The reason in one word.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "5")]
    pub(crate) reason: String,
    /// The reason in words.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "6")]
    pub(crate) message: String,
}

/// The status of a container (`ContainerStatus`).
#[derive(Clone, PartialEq, Eq, Deserialize, Message)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ContainerStatus {
    /// The container's name.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    /// Whether the container passes its readiness probe.
    #[serde(deserialize_with = "nullable")]
    #[prost(bool, tag = "4")]
    pub(crate) ready: bool,
    /// Whether the container has passed its startup probe.
    #[serde(deserialize_with = "nullable")]
    #[prost(bool, tag = "9")]
    pub(crate) started: bool,
    /// How many times the container was restarted.
    #[serde(deserialize_with = "nullable")]
    #[prost(int32, tag = "5")]
    pub(crate) restart_count: i32,
    /// Its current state.
    #[serde(deserialize_with = "nullable")]
    #[prost(message, required, tag = "2")]
    pub(crate) state: ContainerState,
    /// The state in which its previous run ended.
    #[serde(deserialize_with = "nullable")]
    #[prost(message, required, tag = "3")]
    pub(crate) last_state: ContainerState,
}

/// A container's state: one of the three fields, or none.
#[derive(Clone, PartialEq, Eq, Deserialize, Message)]
#[serde(default)]
pub(crate) struct ContainerState {
    /// Not started.
    #[prost(message, optional, tag = "1")]
    pub(crate) waiting: Option<Waiting>,
    /// Running.
    #[prost(message, optional, tag = "2")]
    pub(crate) running: Option<Running>,
    /// Ended.
    #[prost(message, optional, tag = "3")]
    pub(crate) terminated: Option<Terminated>,
}

/// A waiting container.
#[derive(Clone, PartialEq, Eq, Deserialize, Message)]
#[serde(default)]
pub(crate) struct Waiting {
    /// The reason why it waits, such as `ContainerCreating` or `CrashLoopBackOff`.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "1")]
    pub(crate) reason: String,
    /// The reason in words; may be empty.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "2")]
    pub(crate) message: String,
}

/// A running container.
#[derive(Clone, PartialEq, Eq, Deserialize, Message)]
pub(crate) struct Running {}

/// A terminated container.
#[derive(Clone, PartialEq, Eq, Deserialize, Message)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Terminated {
    /// Its exit code.
    #[serde(deserialize_with = "nullable")]
    #[prost(int32, tag = "1")]
    pub(crate) exit_code: i32,
    /// The signal that ended it, or 0.
    #[serde(deserialize_with = "nullable")]
    #[prost(int32, tag = "2")]
    pub(crate) signal: i32,
    /// The reason, such as `Completed` or `OOMKilled`; may be empty.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "3")]
    pub(crate) reason: String,
    /// The runtime's message, or the container's termination message; may be empty.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "4")]
    pub(crate) message: String,
    /// When it ended.
    #[prost(message, optional, tag = "6")]
    pub(crate) finished_at: Option<Time>,
}

/// A point in time, in whole seconds since the epoch (`metav1.Time`). The default is Go's zero
/// time: the first of January of the year 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Message)]
pub struct Time {
    /// Seconds since the epoch.
    #[prost(int64, tag = "1", default = "-62135596800")]
    pub seconds: i64,
}

#[cfg(test)]
mod tests;
