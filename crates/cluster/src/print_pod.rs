//! STATUS, RESTARTS and READY as `kubectl get pods` prints them: `printPod` of Kubernetes 1.36
//! (`pkg/printers/internalversion/printers.go`).

use crate::wire::{self, ContainerStatus, Terminated, Time};

/// The columns of `kubectl get pods`, except for name and age.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The text under STATUS.
    pub status: String,
    /// The number under RESTARTS.
    pub restarts: u32,
    /// The time under RESTARTS, at which the last run before a restart ended; `None` without
    /// restarts.
    pub last_restart: Option<Time>,
    /// The left number of READY.
    pub ready: u32,
    /// The right number of READY.
    pub ready_total: u32,
}

impl Summary {
    /// Reads a pod's JSON and summarises it.
    ///
    /// # Errors
    /// The error of `serde_json` if the JSON does not parse as a pod.
    pub fn from_json(json: &[u8]) -> Result<Self, serde_json::Error> {
        Ok(Self::from_pod(&serde_json::from_slice(json)?))
    }

    /// Summarises a pod.
    pub(crate) fn from_pod(pod: &wire::Pod) -> Self {
        let sidecars = pod
            .spec
            .init_containers
            .iter()
            .filter(|container| is_sidecar(container))
            .count();
        let init = Init::from_pod(pod);
        let mut summary = Self {
            status: init.reason.clone().unwrap_or_else(|| plain_reason(&pod.status)),
            ready: init.ready,
            ready_total: count(pod.spec.containers.len() + sidecars),
            ..Self::default()
        };
        // The condition is more reliable than the init containers' statuses, which may be out of
        // date after a restart of the whole pod.
        let restarts = if init.reason.is_none() || is_initialized(&pod.status) {
            let mut restarts = init.of_sidecars;
            summary.add_regular(&pod.status, &mut restarts);
            restarts
        } else {
            init.of_all
        };
        summary.restarts = restarts.number;
        summary.last_restart = restarts.last.filter(|_| restarts.number != 0);
        if pod.metadata.deletion_timestamp.is_some() {
            if pod.status.reason == "NodeLost" {
                "Unknown".clone_into(&mut summary.status);
            } else if !matches!(pod.status.phase.as_str(), "Succeeded" | "Failed") {
                "Terminating".clone_into(&mut summary.status);
            }
        }
        summary
    }

    /// Adds the regular containers, from the last to the first, so that the reason of the first one
    /// wins.
    fn add_regular(&mut self, status: &wire::Status, restarts: &mut Restarts) {
        let mut has_running = false;
        let mut failure = None;
        for container in status.container_statuses.iter().rev() {
            restarts.add(container);
            let state = &container.state;
            let waiting = state.waiting.as_ref().filter(|waiting| !waiting.reason.is_empty());
            if let Some(waiting) = waiting {
                self.status.clone_from(&waiting.reason);
            } else if let Some(terminated) = &state.terminated {
                self.status = ended(terminated);
                if terminated.exit_code != 0 {
                    failure = Some(self.status.clone());
                }
            } else if container.ready && state.running.is_some() {
                has_running = true;
                self.ready += 1;
            }
        }
        if self.status == "Completed" {
            if has_running && has_condition(status, "Ready") {
                "Running".clone_into(&mut self.status);
            } else if let Some(failure) = failure {
                self.status = failure;
            } else if has_running {
                "NotReady".clone_into(&mut self.status);
            }
        }
    }
}

/// A number of restarts, and the time at which the last run before a restart ended.
#[derive(Clone, Copy, Default)]
struct Restarts {
    number: u32,
    last: Option<Time>,
}

impl Restarts {
    fn add(&mut self, container: &ContainerStatus) {
        self.number = self.number.saturating_add(restart_count(container));
        let ended = container.last_state.terminated.as_ref();
        self.last = self.last.max(ended.and_then(|terminated| terminated.finished_at));
    }
}

/// The summary of the init containers.
#[derive(Default)]
struct Init {
    /// The reason to print while initialisation is in progress or has failed; `None` when it is
    /// over.
    reason: Option<String>,
    /// The restarts of all init containers up to the current one.
    of_all: Restarts,
    /// The restarts of the restartable init containers among them.
    of_sidecars: Restarts,
    /// The number of restartable init containers among them that are ready.
    ready: u32,
}

impl Init {
    fn from_pod(pod: &wire::Pod) -> Self {
        let mut init = Self::default();
        let specs = &pod.spec.init_containers;
        for (position, container) in pod.status.init_container_statuses.iter().enumerate() {
            let sidecar = specs.iter().any(|spec| spec.name == container.name && is_sidecar(spec));
            init.of_all.add(container);
            if sidecar {
                init.of_sidecars.add(container);
            }
            let terminated = container.state.terminated.as_ref();
            if terminated.is_some_and(|terminated| terminated.exit_code == 0) {
                continue;
            }
            if sidecar && container.started {
                init.ready += u32::from(container.ready);
                continue;
            }
            let waiting = container.state.waiting.as_ref().map_or("", |waiting| &waiting.reason);
            init.reason = Some(match terminated {
                Some(terminated) => format!("Init:{}", ended(terminated)),
                None if !matches!(waiting, "" | "PodInitializing") => format!("Init:{waiting}"),
                None => format!("Init:{position}/{}", specs.len()),
            });
            break;
        }
        init
    }
}

/// Returns the reason of a pod, ignoring its containers.
fn plain_reason(status: &wire::Status) -> String {
    let gated = |condition: &wire::Condition| condition.kind == "PodScheduled" && condition.reason == "SchedulingGated";
    if status.conditions.iter().any(gated) {
        "SchedulingGated".to_owned()
    } else if status.reason.is_empty() {
        status.phase.clone()
    } else {
        status.reason.clone()
    }
}

/// Returns how a container ended, in one word.
fn ended(terminated: &Terminated) -> String {
    match terminated {
        Terminated { reason, .. } if !reason.is_empty() => reason.clone(),
        Terminated {
            signal: 0, exit_code, ..
        } => format!("ExitCode:{exit_code}"),
        Terminated { signal, .. } => format!("Signal:{signal}"),
    }
}

fn is_sidecar(container: &wire::Container) -> bool {
    container.restart_policy == "Always"
}

/// Returns whether any condition of a type is true.
fn has_condition(status: &wire::Status, kind: &str) -> bool {
    status
        .conditions
        .iter()
        .any(|condition| condition.kind == kind && condition.status == "True")
}

/// Returns whether the first `Initialized` condition is true.
fn is_initialized(status: &wire::Status) -> bool {
    let condition = status
        .conditions
        .iter()
        .find(|condition| condition.kind == "Initialized");
    condition.is_some_and(|condition| condition.status == "True")
}

pub(crate) fn restart_count(container: &ContainerStatus) -> u32 {
    u32::try_from(container.restart_count).unwrap_or_default()
}

pub(crate) fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
