//! The types that go into the index and come out of it.

use crate::listed::listed_enum;

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
    /// Why the pod is unhealthy; `None` for a healthy pod.
    pub reason: Option<Reason>,
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
        let texts = [uid, namespace, name, status, phase, qos_class, node, pod_ip, host_ip];
        let mut weight = PER_ROW + texts.into_iter().map(String::len).sum::<usize>();
        weight += reason
            .as_ref()
            .map_or(0, |reason| reason.text.len() + reason.args.len());
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

listed_enum! {
    /// What is wrong with an unhealthy pod, worst first.
    ///
    /// Clients sort and translate by it, so a code keeps its place for good, and a new one comes
    /// last.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum ReasonCode {
        /// A container ran out of memory.
        OutOfMemory,
        /// A container can't be started.
        CannotStart,
        /// A container's image is not available.
        Image,
        /// A container keeps failing, or has failed.
        Crash,
        /// The pod failed as a whole: evicted, past its deadline, or disrupted.
        PodFailed,
        /// No node fits.
        Unscheduled,
        /// The pod does not come up, as a Warning event says.
        Warning,
        /// The pod's node does not answer.
        NodeLost,
        /// A container waits for something else.
        Waiting,
        /// A container has not started up after a restart.
        NotStarted,
        /// A container runs but is not ready.
        NotReady,
        /// A readiness gate is not open.
        Gate,
        /// The containers are ready and the pod is not.
        ContainersReady,
    }
}

impl ReasonCode {
    /// Returns how bad the code is: from 254 for the worst down; 0 is left for healthy pods.
    pub(crate) fn severity(self) -> u8 {
        u8::MAX - 1 - self as u8
    }

    /// Returns the code of a severity; `None` for that of healthy pods.
    pub(crate) fn of_severity(severity: u8) -> Option<Self> {
        Self::ALL
            .get(usize::from(u8::MAX - 1 - severity.min(u8::MAX - 1)))
            .copied()
    }
}

/// Why a pod is unhealthy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What is wrong.
    pub code: ReasonCode,
    /// The reason in one sentence.
    pub text: String,
    /// What the sentence says, by name: a JSON object, which the index keeps as it is. It has no
    /// NUL, as no JSON has.
    pub args: String,
}

/// A view of a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReasonRef<'a> {
    /// [`Reason::code`].
    pub code: ReasonCode,
    /// [`Reason::text`].
    pub text: &'a str,
    /// [`Reason::args`].
    pub args: &'a str,
}

impl ReasonRef<'_> {
    pub(crate) fn to_reason(self) -> Reason {
        Reason {
            code: self.code,
            text: self.text.to_owned(),
            args: self.args.to_owned(),
        }
    }
}

impl Reason {
    /// Stands between the text and the arguments in the index's entry.
    pub(crate) const BETWEEN: char = '\0';

    /// Returns the entry under which the index keeps the text and the arguments.
    pub(crate) fn entry(&self) -> String {
        format!("{}{}{}", self.text, Self::BETWEEN, self.args)
    }

    pub(crate) fn as_ref(&self) -> ReasonRef<'_> {
        let Self { code, text, args } = self;
        ReasonRef {
            code: *code,
            text,
            args,
        }
    }
}

/// The controller that owns a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
