//! The types that go into the index and come out of it.

/// A cluster's number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterId(pub u32);

/// The part of a pod that lists show and that it is found by.
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
    /// `status.qosClass`: `Guaranteed`, `Burstable`, `BestEffort`, or empty.
    pub qos_class: String,
    /// Why the pod is unhealthy, in one sentence; empty for a healthy pod.
    pub reason: String,
    /// `spec.nodeName`, or empty.
    pub node: String,
    /// `status.podIP`, or empty.
    pub pod_ip: String,
    /// The other addresses in `status.podIPs`, which a search finds too. Each is not empty and has
    /// no NUL.
    pub more_ips: Vec<String>,
    /// `status.hostIP`, or empty.
    pub host_ip: String,
    /// RESTARTS as `kubectl get pods` prints it.
    pub restarts: u32,
    /// When a container last restarted, in seconds since the epoch.
    pub last_restart_at: Option<i64>,
    /// `metadata.creationTimestamp` in seconds since the epoch. A pod without one counts as older
    /// than any other.
    pub created_at: Option<i64>,
    /// `metadata.deletionTimestamp` in seconds since the epoch.
    pub deletion_at: Option<i64>,
    /// The left number of READY.
    pub ready: u32,
    /// The right number of READY.
    pub ready_total: u32,
    /// The controlling owner, if any.
    pub owner: Option<Owner>,
    /// The regular containers in spec order.
    pub containers: Vec<Container>,
    /// The init containers in spec order.
    pub init_containers: Vec<Container>,
    /// The number of containers and init containers that are in neither list because there are too
    /// many.
    pub containers_left_out: u16,
    /// The labels, sorted by key. Each key occurs once and is not empty.
    pub labels: Vec<(String, String)>,
    /// The number of labels that are not in `labels`.
    ///
    /// If there are any, a selector matches by `labels` alone: a key that is absent there may be
    /// one of those left out.
    pub labels_left_out: u32,
}

impl Pod {
    /// Returns the bytes of memory that the pod's row takes if it shares no text with another row.
    ///
    /// Rows that share texts take less.
    pub fn weight(&self) -> usize {
        let Self {
            uid,
            namespace,
            name,
            status,
            phase,
            qos_class,
            reason,
            node,
            pod_ip,
            more_ips,
            host_ip,
            owner,
            containers,
            init_containers,
            labels,
            // `PER_ROW` covers the numbers.
            restarts: _,
            last_restart_at: _,
            created_at: _,
            deletion_at: _,
            ready: _,
            ready_total: _,
            containers_left_out: _,
            labels_left_out: _,
        } = self;
        let texts = [
            uid, namespace, name, status, phase, qos_class, reason, node, pod_ip, host_ip,
        ];
        let mut weight = PER_ROW + texts.into_iter().map(String::len).sum::<usize>();
        weight += more_ips.iter().map(|ip| ip.len() + PER_TEXT).sum::<usize>();
        if let Some(Owner { kind, name }) = owner {
            weight += kind.len() + name.len() + 2 * PER_TEXT;
        }
        let containers = containers.iter().chain(init_containers);
        weight += containers
            .map(|c| c.name.len() + c.image.len() + 3 * PER_TEXT)
            .sum::<usize>();
        weight
            + labels
                .iter()
                .map(|(key, value)| key.len() + value.len() + 3 * PER_TEXT)
                .sum::<usize>()
    }
}

/// Approximate bytes of a row without its texts.
const PER_ROW: usize = 704;
/// Approximate overhead of a text in bytes.
const PER_TEXT: usize = 48;

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
    /// Whether its status says that it is ready.
    pub ready: bool,
    /// Its restart count; 0 if it has no status.
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
