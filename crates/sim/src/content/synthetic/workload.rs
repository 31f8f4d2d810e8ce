//! The workloads of a synthetic cluster.
//!
//! Everything about a pod is determined by the size of the cluster and the number of the pod.

use fastrand::Rng;

use crate::names;

/// The number of pods of a workload, except for the last one.
const REPLICAS: usize = 20;

const NAMES: [&str; 16] = [
    "api", "auth", "billing", "cache", "catalog", "checkout", "feed", "gateway", "indexer", "ledger", "mailer",
    "orders", "pricing", "search", "sessions", "worker",
];

const TEAMS: [&str; 8] = [
    "atlas", "borealis", "cygnus", "draco", "eridanus", "fornax", "gemini", "hydra",
];

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Owner {
    Deployment,
    StatefulSet,
    Job,
}

/// The health of a pod. Every hundredth pod has a problem.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Health {
    Good,
    CrashLoop,
    NoImage,
    Unschedulable,
    Failed,
    OutOfMemory,
    NotReady,
    NoConfig,
    Evicted,
}

const PROBLEMS: [Health; 8] = [
    Health::CrashLoop,
    Health::NoImage,
    Health::Unschedulable,
    Health::OutOfMemory,
    Health::NotReady,
    Health::Failed,
    Health::NoConfig,
    Health::Evicted,
];

/// The size of the cluster.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) pods: usize,
    pub(super) nodes: usize,
    pub(super) namespaces: usize,
}

impl Size {
    pub(super) fn workloads(&self) -> usize {
        self.pods.div_ceil(REPLICAS)
    }

    pub(super) fn node(&self, number: usize) -> String {
        format!("node-{:04}", number % self.nodes.max(1) + 1)
    }

    pub(super) fn namespace(&self, number: usize) -> String {
        format!("team-{:03}", number % self.namespaces.max(1) + 1)
    }
}

/// A set of equal pods.
#[derive(Clone, Debug)]
pub(super) struct Workload {
    pub(super) number: usize,
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) team: &'static str,
    pub(super) owner: Owner,
    /// The hash of the `ReplicaSet`, or the revision of the `StatefulSet`.
    pub(super) revision: String,
    pub(super) uid: String,
    pub(super) replicas: usize,
}

impl Workload {
    pub(super) fn new(number: usize, size: &Size) -> Workload {
        let mut rng = Rng::with_seed(number as u64);
        let (revision, uid) = (names::suffix(&mut rng, 10), names::uid(&mut rng));
        let pick = |of: &[&'static str]| of.get(number % of.len().max(1)).copied().unwrap_or_default();
        Workload {
            number,
            name: format!("{}-{number}", pick(&NAMES)),
            namespace: size.namespace(number),
            team: pick(&TEAMS),
            owner: match number % 10 {
                7 | 8 => Owner::StatefulSet,
                9 => Owner::Job,
                _ => Owner::Deployment,
            },
            revision,
            uid,
            replicas: size.pods.saturating_sub(number * REPLICAS).min(REPLICAS),
        }
    }

    /// Returns the workload that a pod belongs to, by the number in the pod's name.
    pub(super) fn from_pod_name(pod: &str, size: &Size) -> Option<Workload> {
        let number: usize = pod.split('-').nth(1)?.parse().ok()?;
        (number < size.workloads()).then(|| Workload::new(number, size))
    }

    /// Returns the pods that the cluster starts with.
    pub(super) fn pods(&self) -> impl Iterator<Item = PodIdentity> + '_ {
        (0..self.replicas).map(|index| self.pod(index, (self.number * REPLICAS + index) as u64))
    }

    /// Makes the pod with this index in the workload. The seed makes its name and UID unique.
    pub(super) fn pod(&self, index: usize, seed: u64) -> PodIdentity {
        let mut rng = Rng::with_seed(seed ^ 0x5eed_0000_0000_0000);
        let name = match self.owner {
            Owner::Deployment => format!("{}-{}-{}", self.name, self.revision, names::suffix(&mut rng, 5)),
            Owner::StatefulSet => format!("{}-{index}", self.name),
            Owner::Job => format!("{}-{}", self.name, names::suffix(&mut rng, 5)),
        };
        let number = self.number * REPLICAS + index;
        let health = match PROBLEMS.get(number / 100 % PROBLEMS.len()) {
            Some(health) if number % 100 == 99 => *health,
            _ => Health::Good,
        };
        PodIdentity {
            number,
            name,
            uid: names::uid(&mut rng),
            health,
            variant: number / 100 / PROBLEMS.len(),
            age: rng.u64(600..=30 * 24 * 3600),
        }
    }
}

/// One pod of a workload.
#[derive(Clone, Debug)]
pub(super) struct PodIdentity {
    /// The pod's index among all pods of the cluster, which determines its node and its IP.
    pub(super) number: usize,
    pub(super) name: String,
    pub(super) uid: String,
    pub(super) health: Health,
    /// The variant of the pod's problem.
    pub(super) variant: usize,
    /// The pod's age in seconds when the cluster starts.
    pub(super) age: u64,
}
