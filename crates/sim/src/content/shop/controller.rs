//! The controllers of the shop: they create the pods of every workload, roll out versions and start
//! jobs.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;

use super::events::{Event, Events, Subject};
use super::log_writer::{LogWriters, later};
use super::pod::{Container, Pod};
use super::pod_lifecycle::{PodLifecycle, Stage, StepContext};
use super::sync::{start_logs, sync_pod};
use super::workloads::{ContainerTemplate, Owner, Plan, Workload};

use crate::delete;
use crate::names;
use crate::object::Kind;
use crate::state::State;

/// Milliseconds between two reconciliations.
const RECONCILE_EVERY: u64 = 1_000;

/// The least and the most milliseconds between two roll-outs.
const ROLL_OUT_EVERY: (u64, u64) = (45_000, 90_000);

/// The number of Jobs that a `CronJob` keeps (`successfulJobsHistoryLimit`).
pub(super) const JOBS_KEPT: usize = 3;

/// A workload and the state that its controller keeps.
pub(super) struct Managed {
    pub(super) workload: Workload,
    /// The hash of the current `ReplicaSet`.
    revision: String,
    pub(super) next_job: Timestamp,
}

pub(super) struct Controller {
    pub(super) state: Arc<State>,
    pub(super) nodes: &'static [&'static str],
    pub(super) managed: Vec<Managed>,
    pub(super) lifecycles: Vec<PodLifecycle>,
    /// The UIDs of the pods that are being deleted.
    terminating: HashSet<String>,
    pub(super) events: Events,
    pub(super) logs: LogWriters,
    pub(super) rng: Rng,
    next_reconcile: Timestamp,
    next_roll_out: Timestamp,
    /// The index in `managed` of the workload that was rolled out last.
    last_rolled_out: usize,
    /// How many IPs have been assigned.
    addresses: u64,
}

impl Controller {
    pub(super) fn new(state: Arc<State>, plan: Plan, now: Timestamp) -> Controller {
        let mut rng = Rng::with_seed(plan.nodes.len() as u64);
        let managed = plan.workloads.into_iter().map(|workload| Managed {
            workload,
            revision: names::suffix(&mut rng, 9),
            next_job: now,
        });
        Controller {
            managed: managed.collect(),
            nodes: plan.nodes,
            lifecycles: Vec::new(),
            terminating: HashSet::new(),
            events: Events::new(state.clone()),
            logs: LogWriters::new(state.clone()),
            state,
            rng,
            next_reconcile: now,
            next_roll_out: later(now, ROLL_OUT_EVERY.0),
            last_rolled_out: 0,
            addresses: 0,
        }
    }

    /// Takes all steps that are due.
    pub(super) fn tick(&mut self, now: Timestamp) {
        if self.next_reconcile <= now {
            self.next_reconcile = later(now, RECONCILE_EVERY);
            self.observe_deletions();
            self.reconcile(now);
        }
        for index in 0..self.lifecycles.len() {
            if self
                .lifecycles
                .get(index)
                .is_some_and(|lifecycle| lifecycle.next <= now && !self.terminating.contains(&lifecycle.pod.uid))
            {
                self.step(index, now);
            }
        }
        self.logs.tick(now, &mut self.rng);
    }

    fn step(&mut self, index: usize, now: Timestamp) {
        let place = self.pick_node();
        // Only the step after scheduling needs an IP.
        let takes = self
            .lifecycles
            .get(index)
            .is_some_and(|lifecycle| lifecycle.stage == Stage::Scheduled);
        let address = if takes { self.next_pod_ip() } else { String::new() };
        let Some(lifecycle) = self.lifecycles.get_mut(index) else {
            return;
        };
        let Some(managed) = self.managed.get(lifecycle.workload) else {
            return;
        };
        let mut context = StepContext {
            workload: &managed.workload,
            events: &mut self.events,
            logs: &mut self.logs,
            rng: &mut self.rng,
            place,
            address,
            now,
        };
        if lifecycle.step(&mut context) {
            sync_pod(&self.state, lifecycle, &managed.workload);
            start_logs(&mut self.logs, lifecycle, &managed.workload, now, &mut self.rng);
        }
    }

    /// Makes a pod at the start of its lifecycle, without storing it.
    pub(super) fn new_pod(&mut self, index: usize, ordinal: usize, created: Timestamp) -> Option<PodLifecycle> {
        let suffix = names::suffix(&mut self.rng, 5);
        let uid = names::uid(&mut self.rng);
        let minute = u64::try_from(created.as_second()).unwrap_or(0) / 60;
        let managed = self.managed.get(index)?;
        let (workload, revision) = (&managed.workload, managed.revision.clone());
        let (name, revision) = match workload.owner {
            Owner::Deployment(_) => (format!("{}-{revision}-{suffix}", workload.name), revision),
            Owner::StatefulSet => (format!("{}-{ordinal}", workload.name), revision),
            Owner::DaemonSet | Owner::Job => (format!("{}-{suffix}", workload.name), revision),
            Owner::CronJob(_) => {
                let job = format!("{}-{minute}", workload.name);
                (format!("{job}-{suffix}"), job)
            }
        };
        let waiting = |templates: &'static [ContainerTemplate], reason| {
            templates.iter().map(|_| Container::waiting(reason)).collect()
        };
        let reason = if workload.init.is_empty() {
            "ContainerCreating"
        } else {
            "PodInitializing"
        };
        let mut pod = Pod {
            name,
            uid,
            revision,
            version: workload.version,
            created,
            node: String::new(),
            host: String::new(),
            address: String::new(),
            unschedulable: None,
            init: waiting(workload.init, "PodInitializing"),
            containers: waiting(workload.containers, reason),
        };
        let mut stage = Stage::New;
        if let (Owner::DaemonSet, Some(node)) = (workload.owner, self.nodes.get(ordinal)) {
            pod.node = (*node).to_owned();
            pod.host = super::host(ordinal);
            stage = Stage::Scheduled;
        }
        let next = later(created, self.rng.u64(200..=900));
        Some(PodLifecycle {
            workload: index,
            pod,
            stage,
            next,
        })
    }

    pub(super) fn pick_node(&mut self) -> (&'static str, String) {
        let index = self.rng.usize(..self.nodes.len().max(1));
        (self.nodes.get(index).copied().unwrap_or_default(), super::host(index))
    }

    /// Returns an IP that no pod had recently.
    pub(super) fn next_pod_ip(&mut self) -> String {
        self.addresses += 1;
        format!("10.244.{}.{}", self.addresses / 250 % 250, 2 + self.addresses % 250)
    }

    /// Updates the state of the pods that clients deleted.
    fn observe_deletions(&mut self) {
        let (state, terminating) = (&self.state, &mut self.terminating);
        let managed = &self.managed;
        self.lifecycles.retain(|lifecycle| {
            let namespace = managed
                .get(lifecycle.workload)
                .map_or("", |managed| managed.workload.namespace);
            let stored = state
                .store
                .get(Kind::Pod, namespace, &lifecycle.pod.name)
                .filter(|stored| stored.uid == lifecycle.pod.uid);
            match stored {
                None => {
                    terminating.remove(&lifecycle.pod.uid);
                    false
                }
                Some(stored) => {
                    if !terminating.contains(&lifecycle.pod.uid)
                        && stored.value()["metadata"]["deletionTimestamp"].is_string()
                    {
                        terminating.insert(lifecycle.pod.uid.clone());
                    }
                    true
                }
            }
        });
    }

    /// Creates and deletes pods so that every workload has the pods that it should have.
    fn reconcile(&mut self, now: Timestamp) {
        if self.next_roll_out <= now {
            self.next_roll_out = later(now, self.rng.u64(ROLL_OUT_EVERY.0..=ROLL_OUT_EVERY.1));
            self.roll_out(now);
        }
        for index in 0..self.managed.len() {
            let Some(managed) = self.managed.get(index) else {
                continue;
            };
            match managed.workload.owner {
                Owner::Deployment(_) => self.deployment(index, now),
                Owner::StatefulSet => {
                    let (name, namespace, replicas) = (
                        managed.workload.name,
                        managed.workload.namespace,
                        managed.workload.replicas,
                    );
                    for ordinal in 0..replicas {
                        let name = format!("{name}-{ordinal}");
                        if self.state.store.get(Kind::Pod, namespace, &name).is_none() {
                            self.add_pod(index, ordinal, now);
                        }
                    }
                }
                Owner::DaemonSet => {
                    for (ordinal, node) in self.nodes.iter().enumerate() {
                        if !self
                            .lifecycles
                            .iter()
                            .any(|it| it.workload == index && it.pod.node == *node && self.is_active(it))
                        {
                            self.add_pod(index, ordinal, now);
                        }
                    }
                }
                Owner::CronJob(every) if managed.next_job <= now => {
                    if let Some(managed) = self.managed.get_mut(index) {
                        managed.next_job = later(now, every * 1_000);
                    }
                    self.add_pod(index, 0, now);
                    self.prune_jobs(index);
                }
                Owner::CronJob(_) | Owner::Job => {}
            }
        }
    }

    fn is_active(&self, lifecycle: &PodLifecycle) -> bool {
        !self.terminating.contains(&lifecycle.pod.uid)
    }

    /// Performs a rolling update with a surge of one pod and none unavailable.
    fn deployment(&mut self, index: usize, now: Timestamp) {
        let Some(managed) = self.managed.get(index) else { return };
        let mine = || {
            self.lifecycles
                .iter()
                .filter(|it| it.workload == index && self.is_active(it))
        };
        let new = mine().filter(|it| it.pod.revision == managed.revision).count();
        let new_ready = mine()
            .filter(|it| it.pod.revision == managed.revision && it.pod.is_ready())
            .count();
        let old = mine()
            .find(|it| it.pod.revision != managed.revision)
            .map(|it| (it.pod.name.clone(), it.pod.uid.clone()));
        let olds = mine().count() - new;
        let (replicas, namespace) = (managed.workload.replicas, managed.workload.namespace);
        if new < replicas && new + olds <= replicas {
            self.add_pod(index, 0, now);
        }
        if let Some((name, uid)) = old
            && new_ready + olds > replicas
        {
            let first = self
                .managed
                .get(index)
                .and_then(|managed| managed.workload.containers.first())
                .map_or("", |it| it.name);
            let subject = Subject {
                kind: "Pod",
                namespace,
                name: &name,
                uid: &uid,
                container: Some(first),
                init: false,
            };
            let message = format!("Stopping container {first}");
            let event = Event {
                reporter: "kubelet",
                node: "",
                warning: false,
                reason: "Killing",
                message,
            };
            self.events.write(now, &subject, event);
            self.delete(namespace, &name, &uid);
        }
    }

    /// Starts the roll-out of the next Deployment that is rolled out from time to time.
    fn roll_out(&mut self, now: Timestamp) {
        let count = self.managed.len();
        let next = (1..=count)
            .map(|step| (self.last_rolled_out + step) % count.max(1))
            .find(|index| {
                self.managed
                    .get(*index)
                    .is_some_and(|managed| managed.workload.owner == Owner::Deployment(true))
            });
        let Some(index) = next else { return };
        self.last_rolled_out = index;
        let revision = names::suffix(&mut self.rng, 9);
        let Some(managed) = self.managed.get_mut(index) else {
            return;
        };
        managed.workload.version += 1;
        managed.revision = revision;
        let message = format!(
            "Scaled up replica set {}-{} from 0 to {}",
            managed.workload.name, managed.revision, managed.workload.replicas
        );
        let subject = Subject {
            kind: "Deployment",
            namespace: managed.workload.namespace,
            name: managed.workload.name,
            uid: managed.workload.name,
            container: None,
            init: false,
        };
        let event = Event {
            reporter: "deployment-controller",
            node: "",
            warning: false,
            reason: "ScalingReplicaSet",
            message,
        };
        self.events.write(now, &subject, event);
    }

    fn add_pod(&mut self, index: usize, ordinal: usize, now: Timestamp) {
        let Some(lifecycle) = self.new_pod(index, ordinal, now) else {
            return;
        };
        if let Some(managed) = self.managed.get(index) {
            sync_pod(&self.state, &lifecycle, &managed.workload);
        }
        self.lifecycles.push(lifecycle);
    }

    /// Deletes the pods of Jobs beyond a `CronJob`'s history limit.
    fn prune_jobs(&mut self, index: usize) {
        let over: Vec<(String, String)> = self
            .lifecycles
            .iter()
            .filter(|it| it.workload == index && it.stage == Stage::Over && self.is_active(it))
            .map(|it| (it.pod.name.clone(), it.pod.uid.clone()))
            .collect();
        let namespace = self.managed.get(index).map_or("", |managed| managed.workload.namespace);
        for (name, uid) in over.iter().rev().skip(JOBS_KEPT - 1) {
            self.delete(namespace, name, uid);
        }
    }

    fn delete(&mut self, namespace: &str, name: &str, uid: &str) {
        self.terminating.insert(uid.to_owned());
        let pod = self
            .state
            .store
            .get(Kind::Pod, namespace, name)
            .filter(|pod| pod.uid == uid);
        if let Some(pod) = pod {
            let takes = Duration::from_millis(self.rng.u64(3_000..=8_000));
            delete::start(&self.state, &pod, takes);
        }
    }
}
