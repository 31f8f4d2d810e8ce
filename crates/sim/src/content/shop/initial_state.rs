//! The initial state of the shop.

use jiff::Timestamp;

use super::controller::{Controller, JOBS_KEPT};
use super::events::{Event, Subject};
use super::log_writer::{earlier, later};
use super::pod::{ContainerState, Termination};
use super::pod_lifecycle::{PodLifecycle, Stage, back_off_message, wait_for_restart};
use super::sync::{start_logs, sync_pod};
use super::workloads::{Owner, Scenario, Workload};

const MINUTE: u64 = 60_000;

impl Controller {
    /// Creates every pod, most of them as if they had run for a while.
    pub(super) fn create_initial_pods(&mut self, now: Timestamp) {
        for index in 0..self.managed.len() {
            let Some(managed) = self.managed.get(index) else {
                continue;
            };
            let workload = managed.workload.clone();
            let pods = match workload.owner {
                Owner::DaemonSet => self.nodes.len(),
                Owner::CronJob(_) => JOBS_KEPT,
                _ => workload.replicas,
            };
            for ordinal in 0..pods {
                let age = match workload.owner {
                    Owner::CronJob(every) => every * 1_000 * (pods - ordinal) as u64,
                    _ => self.rng.u64(20 * MINUTE..=6 * 24 * 60 * MINUTE),
                };
                if let Some(lifecycle) = self.new_pod(index, ordinal, earlier(now, age)) {
                    self.fast_forward(lifecycle, &workload, now);
                }
            }
            if let (Owner::CronJob(every), Some(managed)) = (workload.owner, self.managed.get_mut(index)) {
                managed.next_job = later(now, every * 1_000);
            }
        }
        self.tick(now);
    }

    /// Brings a pod to the state that it would have by now, and writes the log of its past.
    fn fast_forward(&mut self, mut lifecycle: PodLifecycle, workload: &Workload, now: Timestamp) {
        let (node, host) = self.pick_node();
        if lifecycle.pod.node.is_empty() && !matches!(workload.scenario, Scenario::Unschedulable(_)) {
            lifecycle.pod.node = node.to_owned();
            lifecycle.pod.host = host;
        }
        lifecycle.next = now;
        match workload.scenario {
            Scenario::Unschedulable(_) => lifecycle.stage = Stage::New,
            Scenario::NoImage => lifecycle.stage = Stage::NotPulled(false),
            _ => {
                lifecycle.pod.address = self.next_pod_ip();
                self.fast_forward_containers(&mut lifecycle, workload, now);
            }
        }
        sync_pod(&self.state, &lifecycle, workload);
        start_logs(&mut self.logs, &lifecycle, workload, now, &mut self.rng);
        self.lifecycles.push(lifecycle);
    }

    fn fast_forward_containers(&mut self, lifecycle: &mut PodLifecycle, workload: &Workload, now: Timestamp) {
        let started = later(lifecycle.pod.created, 6_000);
        for (container, template) in lifecycle.pod.init.iter_mut().zip(workload.init) {
            container.ready = true;
            container.state = if template.sidecar {
                ContainerState::Running { since: started }
            } else {
                ContainerState::Terminated(Termination {
                    code: 0,
                    reason: "Completed",
                    from: lifecycle.pod.created,
                    to: started,
                })
            };
        }
        let not_ready = workload.scenario == Scenario::NotReady;
        for (index, container) in lifecycle.pod.containers.iter_mut().enumerate() {
            container.state = ContainerState::Running { since: started };
            container.ready = !(not_ready && index == 0);
            if workload.scenario == Scenario::Runs && self.rng.u64(..9) == 0 {
                let to = earlier(now, self.rng.u64(20 * MINUTE..=600 * MINUTE)).max(started);
                container.restarts = self.rng.u64(1..=3);
                container.last = Some(Termination {
                    code: 255,
                    reason: "Unknown",
                    from: started,
                    to,
                });
                container.state = ContainerState::Running { since: to };
            }
        }
        lifecycle.stage = Stage::Ready;
        match workload.scenario {
            Scenario::Ends { code, after } => {
                let ended = later(started, after * 1_000);
                self.end_first_container(
                    lifecycle,
                    workload,
                    code,
                    if code == 0 { "Completed" } else { "Error" },
                    ended,
                );
                lifecycle.stage = Stage::Over;
            }
            Scenario::Crashes { code, reason, after } => {
                // Simulate two runs, so that there is a previous log. The container then waits for
                // its third run.
                let restarts = self.rng.u64(9..=60);
                self.crash(
                    lifecycle,
                    workload,
                    (code, reason),
                    restarts - 1,
                    earlier(now, 150_000),
                    after,
                );
                self.crash(
                    lifecycle,
                    workload,
                    (code, reason),
                    restarts,
                    earlier(now, 40_000),
                    after,
                );
                self.record_back_off(lifecycle, workload, earlier(now, 38_000));
                lifecycle.stage = Stage::BackOff;
                lifecycle.next = later(now, self.rng.u64(5_000..=20_000));
            }
            _ => {}
        }
    }

    /// Simulates that the first container ran for `lasted` seconds, crashed at `ended`, and waits
    /// for its next run.
    fn crash(
        &mut self,
        lifecycle: &mut PodLifecycle,
        workload: &Workload,
        (code, reason): (i32, &'static str),
        restarts: u64,
        ended: Timestamp,
        lasted: u64,
    ) {
        if let Some(container) = lifecycle.pod.containers.first_mut() {
            container.restarts = restarts;
            container.state = ContainerState::Running {
                since: earlier(ended, lasted * 1_000),
            };
        }
        self.end_first_container(lifecycle, workload, code, reason, ended);
        if let Some((container, template)) = lifecycle.pod.containers.first_mut().zip(workload.containers.first()) {
            wait_for_restart(
                container,
                back_off_message(
                    restarts,
                    template.name,
                    &lifecycle.pod.name,
                    &lifecycle.pod.uid,
                    workload,
                ),
            );
        }
        sync_pod(&self.state, lifecycle, workload);
    }

    fn record_back_off(&mut self, lifecycle: &PodLifecycle, workload: &Workload, when: Timestamp) {
        let (name, uid) = (&lifecycle.pod.name, &lifecycle.pod.uid);
        let container = workload.containers.first().map_or("", |it| it.name);
        let message = format!(
            "Back-off restarting failed container {container} in pod {name}_{}({uid})",
            workload.namespace
        );
        let subject = Subject {
            kind: "Pod",
            namespace: workload.namespace,
            name,
            uid,
            container: Some(container),
            init: false,
        };
        let node = &lifecycle.pod.node;
        let event = Event {
            reporter: "kubelet",
            node,
            warning: true,
            reason: "BackOff",
            message,
        };
        self.events.write(when, &subject, event);
    }

    /// Simulates that the first container wrote its log and ended at a time in the past.
    fn end_first_container(
        &mut self,
        lifecycle: &mut PodLifecycle,
        workload: &Workload,
        code: i32,
        reason: &'static str,
        to: Timestamp,
    ) {
        sync_pod(&self.state, lifecycle, workload);
        let Some((container, template)) = lifecycle.pod.containers.first_mut().zip(workload.containers.first()) else {
            return;
        };
        let ContainerState::Running { since } = container.state else {
            return;
        };
        self.logs.start(
            &lifecycle.pod.uid,
            template.name,
            template.log_format,
            since,
            to,
            &mut self.rng,
        );
        self.logs.exit_message(
            &lifecycle.pod.uid,
            template.name,
            &template.log_format.exit_message(to, code),
            to,
        );
        container.state = ContainerState::Terminated(Termination {
            code,
            reason,
            from: since,
            to,
        });
        container.ready = false;
        sync_pod(&self.state, lifecycle, workload);
    }
}
