//! The lifecycle of one pod: it is scheduled, started and ready, and then follows its scenario.

use fastrand::Rng;
use jiff::Timestamp;

use super::events::{Event, Events, Subject};
use super::log_writer::{LogWriters, later};
use super::pod::{Container, ContainerState, Pod, Termination, image};
use super::workloads::{ContainerTemplate, Scenario, Workload};

/// The longest back-off of a crash loop in seconds. That of the kubelet, 5 minutes, is too long for
/// a demo.
const MAX_BACK_OFF: u64 = 80;

/// The time of a step that never happens.
const NEVER: Timestamp = Timestamp::MAX;

/// A stage of the lifecycle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Stage {
    New,
    Scheduled,
    /// The init container with this index is running.
    Init(usize),
    Started,
    Ready,
    /// The first container has crashed.
    Crashed,
    BackOff,
    /// The image could not be pulled. `true` during the kubelet's back-off.
    NotPulled(bool),
    Over,
}

/// A pod in its lifecycle.
pub(super) struct PodLifecycle {
    pub(super) workload: usize,
    pub(super) pod: Pod,
    pub(super) stage: Stage,
    /// When the next step is due.
    pub(super) next: Timestamp,
}

/// The parts of the shop that a step needs.
pub(super) struct StepContext<'a> {
    pub(super) workload: &'a Workload,
    pub(super) events: &'a mut Events,
    pub(super) logs: &'a mut LogWriters,
    pub(super) rng: &'a mut Rng,
    /// A node and its IP, for a pod that is to be scheduled.
    pub(super) place: (&'static str, String),
    /// A free IP, for a pod that does not have one yet.
    pub(super) address: String,
    pub(super) now: Timestamp,
}

impl StepContext<'_> {
    fn soon(&mut self, from: u64, to: u64) -> Timestamp {
        later(self.now, self.rng.u64(from..=to))
    }

    fn record_event(&mut self, pod: &Pod, container: Option<&str>, reason: &str, message: String) {
        let scheduler = matches!(reason, "Scheduled" | "FailedScheduling");
        let warning = matches!(reason, "FailedScheduling" | "Failed" | "BackOff" | "Unhealthy");
        let subject = Subject {
            kind: "Pod",
            namespace: self.workload.namespace,
            name: &pod.name,
            uid: &pod.uid,
            container,
            init: false,
        };
        let reporter = if scheduler { "default-scheduler" } else { "kubelet" };
        let node = if scheduler { "" } else { pod.node.as_str() };
        self.events.write(
            self.now,
            &subject,
            Event {
                reporter,
                node,
                warning,
                reason,
                message,
            },
        );
    }

    /// Records the kubelet's events about a container's start.
    fn started(&mut self, pod: &Pod, template: &ContainerTemplate, init: bool) {
        let subject = Subject {
            kind: "Pod",
            namespace: self.workload.namespace,
            name: &pod.name,
            uid: &pod.uid,
            container: Some(template.name),
            init,
        };
        let image = image(template, pod.version);
        for (reason, message) in [
            (
                "Pulled",
                format!("Container image \"{image}\" already present on machine"),
            ),
            ("Created", "Container created".to_owned()),
            ("Started", "Container started".to_owned()),
        ] {
            let event = Event {
                reporter: "kubelet",
                node: &pod.node,
                warning: false,
                reason,
                message,
            };
            self.events.write(self.now, &subject, event);
        }
    }
}

impl PodLifecycle {
    /// Takes the next step and returns whether the status changed.
    pub(super) fn step(&mut self, context: &mut StepContext<'_>) -> bool {
        match self.stage {
            Stage::New => self.schedule(context),
            Stage::Scheduled => self.pull(context),
            Stage::Init(index) => self.initialize(index, context),
            Stage::Started => self.become_ready(context),
            Stage::Ready => self.play_scenario(context),
            Stage::Crashed => self.back_off(context),
            Stage::BackOff => self.restart(context),
            Stage::NotPulled(backing_off) => self.pull_again(backing_off, context),
            Stage::Over => {
                self.next = NEVER;
                false
            }
        }
    }

    fn schedule(&mut self, context: &mut StepContext<'_>) -> bool {
        if let Scenario::Unschedulable(why) = context.workload.scenario {
            context.record_event(&self.pod, None, "FailedScheduling", why.to_owned());
            self.next = context.soon(60_000, 90_000);
            return self.pod.unschedulable.replace(why).is_none();
        }
        let (node, host) = context.place.clone();
        self.pod.node = node.to_owned();
        self.pod.host = host;
        let assigned = format!(
            "Successfully assigned {}/{} to {node}",
            context.workload.namespace, self.pod.name
        );
        context.record_event(&self.pod, None, "Scheduled", assigned);
        self.stage = Stage::Scheduled;
        self.next = context.soon(800, 2_500);
        true
    }

    fn pull(&mut self, context: &mut StepContext<'_>) -> bool {
        if context.workload.scenario == Scenario::NoImage {
            return self.pull_again(true, context);
        }
        self.pod.address = context.address.clone();
        if self.pod.init.is_empty() {
            return self.start(context);
        }
        self.start_init(0, context);
        true
    }

    fn pull_again(&mut self, backing_off: bool, context: &mut StepContext<'_>) -> bool {
        let workload = context.workload;
        for (container, template) in self.pod.containers.iter_mut().zip(workload.containers) {
            let image = image(template, self.pod.version);
            let (reason, message) = if backing_off {
                (
                    "ErrImagePull",
                    format!("failed to pull and unpack image \"{image}\": {image}: not found"),
                )
            } else {
                (
                    "ImagePullBackOff",
                    format!("Back-off pulling image \"{image}\": ErrImagePull: {image}: not found"),
                )
            };
            container.state = ContainerState::Waiting { reason, message };
        }
        let first = workload.containers.first().map_or("", |it| it.name);
        let image = workload
            .containers
            .first()
            .map(|it| image(it, self.pod.version))
            .unwrap_or_default();
        let (reason, message) = if backing_off {
            ("Failed", format!("Failed to pull image \"{image}\": not found"))
        } else {
            ("BackOff", format!("Back-off pulling image \"{image}\""))
        };
        context.record_event(&self.pod, Some(first), reason, message);
        self.stage = Stage::NotPulled(!backing_off);
        self.next = if backing_off {
            context.soon(3_000, 6_000)
        } else {
            context.soon(30_000, 60_000)
        };
        true
    }

    fn start_init(&mut self, index: usize, context: &mut StepContext<'_>) {
        if let (Some(container), Some(template)) = (self.pod.init.get_mut(index), context.workload.init.get(index)) {
            container.state = ContainerState::Running { since: context.now };
            container.ready = template.sidecar;
            context.started(&self.pod, template, true);
        }
        self.stage = Stage::Init(index);
        self.next = context.soon(1_000, 2_500);
    }

    fn initialize(&mut self, index: usize, context: &mut StepContext<'_>) -> bool {
        if let (Some(container), Some(template)) = (self.pod.init.get_mut(index), context.workload.init.get(index))
            && let (ContainerState::Running { since }, false) = (container.state.clone(), template.sidecar)
        {
            container.state = ContainerState::Terminated(Termination {
                code: 0,
                reason: "Completed",
                from: since,
                to: context.now,
            });
            container.ready = true;
        }
        if index + 1 < self.pod.init.len() {
            self.start_init(index + 1, context);
            return true;
        }
        self.start(context)
    }

    fn start(&mut self, context: &mut StepContext<'_>) -> bool {
        for container in &mut self.pod.containers {
            container.state = ContainerState::Running { since: context.now };
        }
        let workload = context.workload;
        for template in workload.containers {
            context.started(&self.pod, template, false);
        }
        self.stage = Stage::Started;
        self.next = context.soon(2_000, 5_000);
        true
    }

    fn become_ready(&mut self, context: &mut StepContext<'_>) -> bool {
        let not_ready = context.workload.scenario == Scenario::NotReady;
        for (index, container) in self.pod.containers.iter_mut().enumerate() {
            container.ready = container.is_running() && !(not_ready && index == 0);
        }
        self.stage = Stage::Ready;
        self.next = match context.workload.scenario {
            Scenario::Crashes { after, .. } | Scenario::Ends { after, .. } => context.soon(after * 700, after * 1_300),
            Scenario::NotReady => context.now,
            _ => NEVER,
        };
        true
    }

    fn play_scenario(&mut self, context: &mut StepContext<'_>) -> bool {
        let (code, reason, stage) = match context.workload.scenario {
            Scenario::Crashes { code, reason, .. } => (code, reason, Stage::Crashed),
            Scenario::Ends { code: 0, .. } => (0, "Completed", Stage::Over),
            Scenario::Ends { code, .. } => (code, "Error", Stage::Over),
            Scenario::NotReady => {
                let (name, port) = context
                    .workload
                    .containers
                    .first()
                    .map_or(("", 0), |it| (it.name, it.port));
                let message = format!(
                    "Readiness probe failed: dial tcp {}:{port}: connect: connection refused",
                    self.pod.address
                );
                context.record_event(&self.pod, Some(name), "Unhealthy", message);
                self.next = context.soon(9_000, 11_000);
                return false;
            }
            _ => {
                self.next = NEVER;
                return false;
            }
        };
        let Some((container, template)) = self.pod.containers.first_mut().zip(context.workload.containers.first())
        else {
            return false;
        };
        let words = template.log_format.exit_message(context.now, code);
        context
            .logs
            .exit_message(&self.pod.uid, template.name, &words, context.now);
        let from = if let ContainerState::Running { since } = container.state {
            since
        } else {
            context.now
        };
        container.state = ContainerState::Terminated(Termination {
            code,
            reason,
            from,
            to: context.now,
        });
        container.ready = false;
        self.stage = stage;
        self.next = context.soon(1_000, 2_000);
        true
    }

    fn back_off(&mut self, context: &mut StepContext<'_>) -> bool {
        let Some((container, template)) = self.pod.containers.first_mut().zip(context.workload.containers.first())
        else {
            return false;
        };
        let seconds = back_off(container.restarts);
        let (name, uid) = (&self.pod.name, &self.pod.uid);
        wait_for_restart(
            container,
            back_off_message(container.restarts, template.name, name, uid, context.workload),
        );
        let message = format!(
            "Back-off restarting failed container {} in pod {}_{}({})",
            template.name, self.pod.name, context.workload.namespace, self.pod.uid
        );
        context.record_event(&self.pod, Some(template.name), "BackOff", message);
        self.stage = Stage::BackOff;
        self.next = later(context.now, seconds * 1_000);
        true
    }

    fn restart(&mut self, context: &mut StepContext<'_>) -> bool {
        let Some((container, template)) = self.pod.containers.first_mut().zip(context.workload.containers.first())
        else {
            return false;
        };
        container.state = ContainerState::Running { since: context.now };
        container.restarts += 1;
        context.started(&self.pod, template, false);
        self.stage = Stage::Started;
        self.next = context.soon(1_000, 2_000);
        true
    }
}

/// Returns the message of a container that waits for its next run.
pub(super) fn back_off_message(restarts: u64, container: &str, pod: &str, uid: &str, workload: &Workload) -> String {
    let (seconds, namespace) = (back_off(restarts), workload.namespace);
    format!("back-off {seconds}s restarting failed container={container} pod={pod}_{namespace}({uid})")
}

/// Returns the seconds until the next run, given the number of restarts.
fn back_off(restarts: u64) -> u64 {
    (10 << restarts.min(3)).min(MAX_BACK_OFF)
}

/// Makes a crashed container wait for its next run. Its termination becomes its last state.
pub(super) fn wait_for_restart(container: &mut Container, message: String) {
    let waiting = ContainerState::Waiting {
        reason: "CrashLoopBackOff",
        message,
    };
    if let ContainerState::Terminated(ended) = std::mem::replace(&mut container.state, waiting) {
        container.last = Some(ended);
    }
}
