//! STATUS, RESTARTS and READY as `kubectl get pods` prints them: `printPod` of Kubernetes 1.36
//! (`pkg/printers/internalversion/printers.go`).

use podgate_index::{Container, Owner};

use crate::{
    reason::{Warning, reason},
    wire::{self, ContainerStatus, Terminated, Time},
};

/// The row of a pod. `warning`: a Warning event that its reason may need.
pub fn row(pod: &wire::Pod, warning: Option<&Warning>) -> podgate_index::Pod {
    let summary = Summary::of(pod);
    let meta = &pod.metadata;
    podgate_index::Pod {
        uid: meta.uid.clone(),
        namespace: meta.namespace.clone(),
        name: meta.name.clone(),
        status: summary.status,
        reason: reason(pod, warning),
        phase: pod.status.phase.clone(),
        node: pod.spec.node_name.clone(),
        pod_ip: pod.status.pod_ip.clone(),
        host_ip: pod.status.host_ip.clone(),
        restarts: summary.restarts,
        last_restart_at: summary.last_restart.map(|time| time.seconds),
        created_at: meta.creation_timestamp.map_or(0, |time| time.seconds),
        deletion_at: meta.deletion_timestamp.map(|time| time.seconds),
        ready: summary.ready,
        ready_total: summary.ready_total,
        owner: meta
            .owner_references
            .iter()
            .find(|owner| owner.controller)
            .map(|owner| Owner {
                kind: owner.kind.clone(),
                name: owner.name.clone(),
            }),
        containers: join(&pod.spec.containers, &pod.status.container_statuses),
        init_containers: join(&pod.spec.init_containers, &pod.status.init_container_statuses),
        labels: meta.labels.clone().into_iter().collect(),
    }
}

/// What `kubectl get pods` prints of a pod beside its name and age.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// STATUS.
    pub status: String,
    /// The number under RESTARTS.
    pub restarts: u32,
    /// The time under RESTARTS: when the last run before a restart ended; none without restarts.
    pub last_restart: Option<Time>,
    /// The left number of READY.
    pub ready: u32,
    /// The right number of READY.
    pub ready_total: u32,
}

impl Summary {
    /// Summarises a pod.
    pub fn of(pod: &wire::Pod) -> Self {
        let sidecars = pod
            .spec
            .init_containers
            .iter()
            .filter(|container| is_sidecar(container))
            .count();
        let init = Init::of(pod);
        let mut summary = Self {
            status: init.reason.clone().unwrap_or_else(|| plain_reason(&pod.status)),
            ready: init.ready,
            ready_total: count(pod.spec.containers.len() + sidecars),
            ..Self::default()
        };
        // The condition outlives the init containers' statuses: after a restart of the whole pod they may be behind.
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

    /// Adds the regular containers. They are read from the last to the first, so that the first one's reason wins.
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

/// Restarts so far, and when the last run before one ended.
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

/// What the init containers say.
#[derive(Default)]
struct Init {
    /// The reason to print while initialisation is under way or has failed; none when it is over.
    reason: Option<String>,
    /// Of all init containers up to the one that initialisation is at.
    of_all: Restarts,
    /// Of the restartable ones among them.
    of_sidecars: Restarts,
    /// Restartable ones among them that are ready.
    ready: u32,
}

impl Init {
    fn of(pod: &wire::Pod) -> Self {
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

/// The reason of a pod without regard to its containers.
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

/// How a container ended, in one word.
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

/// Whether any condition of a type is true.
fn has_condition(status: &wire::Status, kind: &str) -> bool {
    status
        .conditions
        .iter()
        .any(|condition| condition.kind == kind && condition.status == "True")
}

/// Whether the first `Initialized` condition is true.
fn is_initialized(status: &wire::Status) -> bool {
    let condition = status
        .conditions
        .iter()
        .find(|condition| condition.kind == "Initialized");
    condition.is_some_and(|condition| condition.status == "True")
}

/// The containers of the specification, each with its status. Statuses come in any order, and may lack or be of another.
fn join(specs: &[wire::Container], statuses: &[ContainerStatus]) -> Vec<Container> {
    let of = |spec: &wire::Container| {
        let status = statuses.iter().find(|status| status.name == spec.name);
        Container {
            name: spec.name.clone(),
            image: spec.image.clone(),
            ready: status.is_some_and(|status| status.ready),
            restart_count: status.map_or(0, restart_count),
        }
    };
    specs.iter().map(of).collect()
}

fn restart_count(container: &ContainerStatus) -> u32 {
    u32::try_from(container.restart_count).unwrap_or_default()
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::*;

    /// A row of the tables in `tests/data/status`, which the end-to-end test also writes to a real API server.
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Case {
        name: String,
        rule: String,
        #[serde(default)]
        deleting: bool,
        pod: Value,
        status: String,
        restarts: u32,
        ready: String,
        last_restart: Option<Time>,
        /// Why it is not well; absent: it is.
        #[serde(default)]
        reason: String,
    }

    const TABLES: [&str; 5] = [
        include_str!("../tests/data/status/pod.json"),
        include_str!("../tests/data/status/containers.json"),
        include_str!("../tests/data/status/init.json"),
        include_str!("../tests/data/status/sidecars.json"),
        include_str!("../tests/data/status/deleting.json"),
    ];

    fn cases() -> Vec<Case> {
        let cases = TABLES
            .iter()
            .flat_map(|table| serde_json::from_str::<Vec<Case>>(table).unwrap());
        cases.collect()
    }

    fn read(pod: Value) -> podgate_index::Pod {
        row(&serde_json::from_value(pod).unwrap(), None)
    }

    #[test]
    fn status_restarts_and_ready_follow_print_pod() {
        let cases = cases();
        assert!(cases.len() >= 60, "{} pods", cases.len());
        for mut case in cases {
            if case.deleting {
                case.pod["metadata"]["deletionTimestamp"] = json!("2026-01-10T00:00:00Z");
            }
            let row = read(case.pod);
            let got = (
                row.status,
                row.restarts,
                format!("{}/{}", row.ready, row.ready_total),
                row.last_restart_at,
            );
            let want = (
                case.status,
                case.restarts,
                case.ready,
                case.last_restart.map(|time| time.seconds),
            );
            assert_eq!(got, want, "{}: {}", case.name, case.rule);
        }
    }

    #[test]
    fn what_is_not_well_has_a_reason() {
        let mut wrong = Vec::new();
        for mut case in cases() {
            if case.deleting {
                case.pod["metadata"]["deletionTimestamp"] = json!("2026-01-10T00:00:00Z");
            }
            let got = read(case.pod).reason;
            if got != case.reason {
                wrong.push(format!(
                    "{}: {}: want {:?}, got {got:?}",
                    case.name, case.rule, case.reason
                ));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn containers_are_joined_to_their_status_by_name() {
        let row = read(json!({
            "spec": {
                "containers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}, {"name": "c"}],
                "initContainers": [{"name": "i", "image": "i:1"}, {"name": "s", "image": "s:1", "restartPolicy": "Always"}]
            },
            "status": {
                "containerStatuses": [
                    {"name": "b", "image": "sha256:other", "ready": true, "restartCount": 2},
                    {"name": "gone", "ready": true, "restartCount": 9},
                    {"name": "a", "ready": false, "restartCount": -1}
                ],
                "initContainerStatuses": [{"name": "s", "ready": true, "restartCount": 1}]
            }
        }));
        let of = |containers: &[Container]| -> Vec<_> {
            let one = |c: &Container| (c.name.clone(), c.image.clone(), c.ready, c.restart_count);
            containers.iter().map(one).collect()
        };
        let container = |name: &str, image: &str, ready, restarts| (name.to_owned(), image.to_owned(), ready, restarts);
        assert_eq!(
            of(&row.containers),
            [
                container("a", "a:1", false, 0),
                container("b", "b:1", true, 2),
                container("c", "", false, 0)
            ]
        );
        assert_eq!(
            of(&row.init_containers),
            [container("i", "i:1", false, 0), container("s", "s:1", true, 1)]
        );
    }

    #[test]
    fn a_row_takes_the_rest_as_it_is() {
        let row = read(json!({
            "metadata": {
                "name": "n", "namespace": "ns", "uid": "u", "resourceVersion": "5",
                "creationTimestamp": "2026-01-01T00:00:00Z", "deletionTimestamp": "2026-01-01T00:00:30Z",
                "labels": {"b": "2", "a": "1"},
                "ownerReferences": [
                    {"kind": "Node", "name": "x"},
                    {"kind": "ReplicaSet", "name": "rs", "controller": true}
                ]
            },
            "spec": {"nodeName": "node-1"},
            "status": {"phase": "Running", "podIP": "10.0.0.5", "hostIP": "192.168.1.10"}
        }));
        assert_eq!(
            (row.name, row.namespace, row.uid),
            ("n".into(), "ns".into(), "u".into())
        );
        assert_eq!((row.phase, row.node), ("Running".into(), "node-1".into()));
        assert_eq!((row.pod_ip, row.host_ip), ("10.0.0.5".into(), "192.168.1.10".into()));
        assert_eq!((row.created_at, row.deletion_at), (1_767_225_600, Some(1_767_225_630)));
        assert_eq!(row.labels, [("a".into(), "1".into()), ("b".into(), "2".into())]);
        assert_eq!(
            row.owner,
            Some(Owner {
                kind: "ReplicaSet".into(),
                name: "rs".into()
            })
        );
    }

    #[test]
    fn an_owner_that_does_not_control_is_none() {
        let row = read(json!({"metadata": {"ownerReferences": [{"kind": "Node", "name": "x", "controller": false}]}}));
        assert_eq!(row.owner, None);
    }
}
