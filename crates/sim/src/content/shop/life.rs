//! The life of one pod: scheduled, started, ready, and what its fate makes of it.

use jiff::Timestamp;

use super::catalogue::{Fate, Template, Workload};
use super::events::{About, Events, Happening};
use super::pod::{Container, Ended, Phase, Pod, image};
use super::speech::{Speech, later};
use crate::content::random::Random;

/// The longest back-off of a crash loop, in seconds; shorter than the kubelet's 5 minutes, so that a demo shows it move.
const MAX_BACK_OFF: u64 = 80;

/// Far enough to be never.
const NEVER: Timestamp = Timestamp::MAX;

/// Where a pod stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Stage {
    New,
    Scheduled,
    /// This init container runs.
    Init(usize),
    Started,
    Ready,
    /// The first container has crashed.
    Crashed,
    BackOff,
    /// The image could not be pulled; whether it is backing off.
    NotPulled(bool),
    Over,
}

/// A pod on its way.
pub(super) struct Life {
    pub(super) workload: usize,
    pub(super) pod: Pod,
    pub(super) stage: Stage,
    /// When the next step is due.
    pub(super) next: Timestamp,
}

/// What a step may touch.
pub(super) struct World<'a> {
    pub(super) workload: &'a Workload,
    pub(super) events: &'a mut Events,
    pub(super) speech: &'a mut Speech,
    pub(super) random: &'a mut Random,
    /// A node and its address, for a pod that needs one.
    pub(super) place: (&'static str, String),
    /// An IP that no pod has.
    pub(super) address: String,
    pub(super) now: Timestamp,
}

impl World<'_> {
    fn soon(&mut self, from: u64, to: u64) -> Timestamp {
        later(self.now, self.random.between(from, to))
    }

    fn happen(&mut self, pod: &Pod, container: Option<&str>, reason: &str, message: String) {
        let scheduler = matches!(reason, "Scheduled" | "FailedScheduling");
        let warning = matches!(reason, "FailedScheduling" | "Failed" | "BackOff" | "Unhealthy");
        let about = About {
            kind: "Pod",
            namespace: self.workload.namespace,
            name: &pod.name,
            uid: &pod.uid,
            container,
            init: false,
        };
        let by = if scheduler { "default-scheduler" } else { "kubelet" };
        let node = if scheduler { "" } else { pod.node.as_str() };
        self.events.write(
            self.now,
            &about,
            Happening {
                by,
                node,
                warning,
                reason,
                message,
            },
        );
    }

    /// What a kubelet tells of a container's start.
    fn started(&mut self, pod: &Pod, template: &Template, init: bool) {
        let about = About {
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
            let what = Happening {
                by: "kubelet",
                node: &pod.node,
                warning: false,
                reason,
                message,
            };
            self.events.write(self.now, &about, what);
        }
    }
}

impl Life {
    /// The next step; whether the status changed.
    pub(super) fn step(&mut self, world: &mut World<'_>) -> bool {
        match self.stage {
            Stage::New => self.schedule(world),
            Stage::Scheduled => self.pull(world),
            Stage::Init(index) => self.initialize(index, world),
            Stage::Started => self.become_ready(world),
            Stage::Ready => self.fate(world),
            Stage::Crashed => self.back_off(world),
            Stage::BackOff => self.restart(world),
            Stage::NotPulled(backing_off) => self.pull_again(backing_off, world),
            Stage::Over => {
                self.next = NEVER;
                false
            }
        }
    }

    fn schedule(&mut self, world: &mut World<'_>) -> bool {
        if let Fate::Unschedulable(why) = world.workload.fate {
            world.happen(&self.pod, None, "FailedScheduling", why.to_owned());
            self.next = world.soon(60_000, 90_000);
            return self.pod.unschedulable.replace(why).is_none();
        }
        let (node, host) = world.place.clone();
        self.pod.node = node.to_owned();
        self.pod.host = host;
        let assigned = format!(
            "Successfully assigned {}/{} to {node}",
            world.workload.namespace, self.pod.name
        );
        world.happen(&self.pod, None, "Scheduled", assigned);
        self.stage = Stage::Scheduled;
        self.next = world.soon(800, 2_500);
        true
    }

    fn pull(&mut self, world: &mut World<'_>) -> bool {
        if world.workload.fate == Fate::NoImage {
            return self.pull_again(true, world);
        }
        self.pod.address = world.address.clone();
        if self.pod.init.is_empty() {
            return self.start(world);
        }
        self.start_init(0, world);
        true
    }

    fn pull_again(&mut self, backing_off: bool, world: &mut World<'_>) -> bool {
        let workload = world.workload;
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
            container.phase = Phase::Waiting { reason, message };
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
        world.happen(&self.pod, Some(first), reason, message);
        self.stage = Stage::NotPulled(!backing_off);
        self.next = if backing_off {
            world.soon(3_000, 6_000)
        } else {
            world.soon(30_000, 60_000)
        };
        true
    }

    fn start_init(&mut self, index: usize, world: &mut World<'_>) {
        if let (Some(container), Some(template)) = (self.pod.init.get_mut(index), world.workload.init.get(index)) {
            container.phase = Phase::Running { since: world.now };
            container.ready = template.sidecar;
            world.started(&self.pod, template, true);
        }
        self.stage = Stage::Init(index);
        self.next = world.soon(1_000, 2_500);
    }

    fn initialize(&mut self, index: usize, world: &mut World<'_>) -> bool {
        if let (Some(container), Some(template)) = (self.pod.init.get_mut(index), world.workload.init.get(index))
            && let (Phase::Running { since }, false) = (container.phase.clone(), template.sidecar)
        {
            container.phase = Phase::Ended(Ended {
                code: 0,
                reason: "Completed",
                from: since,
                to: world.now,
            });
            container.ready = true;
        }
        if index + 1 < self.pod.init.len() {
            self.start_init(index + 1, world);
            return true;
        }
        self.start(world)
    }

    fn start(&mut self, world: &mut World<'_>) -> bool {
        for container in &mut self.pod.containers {
            container.phase = Phase::Running { since: world.now };
        }
        let workload = world.workload;
        for template in workload.containers {
            world.started(&self.pod, template, false);
        }
        self.stage = Stage::Started;
        self.next = world.soon(2_000, 5_000);
        true
    }

    fn become_ready(&mut self, world: &mut World<'_>) -> bool {
        let not_ready = world.workload.fate == Fate::NotReady;
        for (index, container) in self.pod.containers.iter_mut().enumerate() {
            container.ready = container.is_running() && !(not_ready && index == 0);
        }
        self.stage = Stage::Ready;
        self.next = match world.workload.fate {
            Fate::Crashes { after, .. } | Fate::Ends { after, .. } => world.soon(after * 700, after * 1_300),
            Fate::NotReady => world.now,
            _ => NEVER,
        };
        true
    }

    fn fate(&mut self, world: &mut World<'_>) -> bool {
        let (code, reason, stage) = match world.workload.fate {
            Fate::Crashes { code, reason, .. } => (code, reason, Stage::Crashed),
            Fate::Ends { code: 0, .. } => (0, "Completed", Stage::Over),
            Fate::Ends { code, .. } => (code, "Error", Stage::Over),
            Fate::NotReady => {
                let (name, port) = world
                    .workload
                    .containers
                    .first()
                    .map_or(("", 0), |it| (it.name, it.port));
                let message = format!(
                    "Readiness probe failed: dial tcp {}:{port}: connect: connection refused",
                    self.pod.address
                );
                world.happen(&self.pod, Some(name), "Unhealthy", message);
                self.next = world.soon(9_000, 11_000);
                return false;
            }
            _ => {
                self.next = NEVER;
                return false;
            }
        };
        let Some((container, template)) = self.pod.containers.first_mut().zip(world.workload.containers.first()) else {
            return false;
        };
        let words = template.voice.last_words(world.now, code);
        world.speech.last_words(&self.pod.uid, template.name, &words, world.now);
        let from = if let Phase::Running { since } = container.phase {
            since
        } else {
            world.now
        };
        container.phase = Phase::Ended(Ended {
            code,
            reason,
            from,
            to: world.now,
        });
        container.ready = false;
        self.stage = stage;
        self.next = world.soon(1_000, 2_000);
        true
    }

    fn back_off(&mut self, world: &mut World<'_>) -> bool {
        let Some((container, template)) = self.pod.containers.first_mut().zip(world.workload.containers.first()) else {
            return false;
        };
        let seconds = back_off(container.restarts);
        let (name, uid) = (&self.pod.name, &self.pod.uid);
        wait_for_restart(
            container,
            back_off_message(container.restarts, template.name, name, uid, world.workload),
        );
        let message = format!(
            "Back-off restarting failed container {} in pod {}_{}({})",
            template.name, self.pod.name, world.workload.namespace, self.pod.uid
        );
        world.happen(&self.pod, Some(template.name), "BackOff", message);
        self.stage = Stage::BackOff;
        self.next = later(world.now, seconds * 1_000);
        true
    }

    fn restart(&mut self, world: &mut World<'_>) -> bool {
        let Some((container, template)) = self.pod.containers.first_mut().zip(world.workload.containers.first()) else {
            return false;
        };
        container.phase = Phase::Running { since: world.now };
        container.restarts += 1;
        world.started(&self.pod, template, false);
        self.stage = Stage::Started;
        self.next = world.soon(1_000, 2_000);
        true
    }
}

/// What a container says that waits for its next run.
pub(super) fn back_off_message(restarts: u64, container: &str, pod: &str, uid: &str, workload: &Workload) -> String {
    let (seconds, namespace) = (back_off(restarts), workload.namespace);
    format!("back-off {seconds}s restarting failed container={container} pod={pod}_{namespace}({uid})")
}

/// Seconds until the next run after so many restarts.
fn back_off(restarts: u64) -> u64 {
    (10 << restarts.min(3)).min(MAX_BACK_OFF)
}

/// A crashed container waits; how it ended becomes its last state.
pub(super) fn wait_for_restart(container: &mut Container, message: String) {
    let waiting = Phase::Waiting {
        reason: "CrashLoopBackOff",
        message,
    };
    if let Phase::Ended(ended) = std::mem::replace(&mut container.phase, waiting) {
        container.last = Some(ended);
    }
}
