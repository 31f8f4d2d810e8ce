//! What goes into the index and comes out of it.

/// A cluster's number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterId(pub u32);

/// What a list shows of one pod, and what it is found by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pod {
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// STATUS as `kubectl get pods` prints it.
    pub status: String,
    /// `status.phase`.
    pub phase: String,
    /// One plain sentence for a pod that is not well, else empty.
    pub reason: String,
    /// `spec.nodeName`, or empty.
    pub node: String,
    /// `status.podIP`, or empty.
    pub pod_ip: String,
    /// `status.hostIP`, or empty.
    pub host_ip: String,
    /// RESTARTS as `kubectl get pods` prints it.
    pub restarts: u32,
    /// When a container last restarted, in seconds since the epoch.
    pub last_restart_at: Option<i64>,
    /// `metadata.creationTimestamp` in seconds since the epoch.
    pub created_at: i64,
    /// `metadata.deletionTimestamp` in seconds since the epoch.
    pub deletion_at: Option<i64>,
    /// The left number of READY.
    pub ready: u32,
    /// The right number of READY.
    pub ready_total: u32,
    /// The controlling owner, else none.
    pub owner: Option<Owner>,
    /// The regular containers in spec order.
    pub containers: Vec<Container>,
    /// The init containers in spec order.
    pub init_containers: Vec<Container>,
    /// Labels, sorted by key, each key once.
    pub labels: Vec<(String, String)>,
}

/// The controller that owns a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// Its kind, such as `ReplicaSet`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// A container as a list shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Its image as the spec names it.
    pub image: String,
    /// Whether its status says ready.
    pub ready: bool,
    /// Its restart count; 0 without a status.
    pub restart_count: u32,
}

/// One change to a cluster's rows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every change is an upsert: a box would cost each an allocation and save nothing"
)]
pub enum Change {
    /// A pod is new or has changed.
    Upsert(Pod),
    /// A pod is gone.
    Remove {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
}
