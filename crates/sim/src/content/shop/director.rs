//! What the controllers do: pods for every workload, roll-outs, jobs by the clock.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::catalogue::{Owner, Plan, Template, Workload};
use super::events::{About, Events, Happening};
use super::life::{Life, Stage, World};
use super::pod::{Container, Pod};
use super::speech::{Speech, later};
use super::stored::{begin_speech, store};
use crate::content::random::Random;
use crate::delete;
use crate::object::Kind;
use crate::state::State;

/// Milliseconds between two looks at what is there.
const CHECK: u64 = 1_000;

/// Milliseconds between two roll-outs, at least and at most.
const ROLL_OUTS: (u64, u64) = (45_000, 90_000);

/// Jobs of a CronJob that stay (`successfulJobsHistoryLimit`).
pub(super) const JOBS: usize = 3;

/// What a controller knows of a workload.
pub(super) struct Set {
    pub(super) workload: Workload,
    /// The current ReplicaSet's hash.
    revision: String,
    pub(super) next_job: Timestamp,
}

pub(super) struct Director {
    pub(super) state: Arc<State>,
    pub(super) nodes: &'static [&'static str],
    pub(super) sets: Vec<Set>,
    pub(super) lives: Vec<Life>,
    /// UIDs of pods that are being deleted.
    leaving: HashSet<String>,
    pub(super) events: Events,
    pub(super) speech: Speech,
    pub(super) random: Random,
    next_check: Timestamp,
    next_roll_out: Timestamp,
    /// The set that was rolled out last.
    rolled: usize,
    /// IPs given out so far.
    addresses: u64,
}

impl Director {
    pub(super) fn new(state: Arc<State>, plan: Plan, now: Timestamp) -> Director {
        let mut random = Random::new(plan.nodes.len() as u64);
        let sets = plan.workloads.into_iter().map(|workload| Set {
            workload,
            revision: random.suffix(9),
            next_job: now,
        });
        Director {
            sets: sets.collect(),
            nodes: plan.nodes,
            lives: Vec::new(),
            leaving: HashSet::new(),
            events: Events::new(state.clone()),
            speech: Speech::new(state.clone()),
            state,
            random,
            next_check: now,
            next_roll_out: later(now, ROLL_OUTS.0),
            rolled: 0,
            addresses: 0,
        }
    }

    /// One step of everything that is due.
    pub(super) fn tick(&mut self, now: Timestamp) {
        if self.next_check <= now {
            self.next_check = later(now, CHECK);
            self.look();
            self.control(now);
        }
        for index in 0..self.lives.len() {
            if self
                .lives
                .get(index)
                .is_some_and(|life| life.next <= now && !self.leaving.contains(&life.pod.uid))
            {
                self.step(index, now);
            }
        }
        self.speech.tick(now, &mut self.random);
    }

    fn step(&mut self, index: usize, now: Timestamp) {
        let place = self.place();
        // Only the step after scheduling takes one.
        let takes = self.lives.get(index).is_some_and(|life| life.stage == Stage::Scheduled);
        let address = if takes { self.address() } else { String::new() };
        let Some(life) = self.lives.get_mut(index) else { return };
        let Some(set) = self.sets.get(life.workload) else {
            return;
        };
        let mut world = World {
            workload: &set.workload,
            events: &mut self.events,
            speech: &mut self.speech,
            random: &mut self.random,
            place,
            address,
            now,
        };
        if life.step(&mut world) {
            store(&self.state, life, &set.workload);
            begin_speech(&mut self.speech, life, &set.workload, now, &mut self.random);
        }
    }

    /// A pod at the beginning of its life; not stored yet.
    pub(super) fn create(&mut self, index: usize, ordinal: usize, created: Timestamp) -> Option<Life> {
        let suffix = self.random.suffix(5);
        let uid = self.random.uid();
        let minute = u64::try_from(created.as_second()).unwrap_or(0) / 60;
        let set = self.sets.get(index)?;
        let (workload, revision) = (&set.workload, set.revision.clone());
        let (name, revision) = match workload.owner {
            Owner::Deployment(_) => (format!("{}-{revision}-{suffix}", workload.name), revision),
            Owner::StatefulSet => (format!("{}-{ordinal}", workload.name), revision),
            Owner::DaemonSet | Owner::Job => (format!("{}-{suffix}", workload.name), revision),
            Owner::CronJob(_) => {
                let job = format!("{}-{minute}", workload.name);
                (format!("{job}-{suffix}"), job)
            }
        };
        let waiting =
            |templates: &'static [Template], reason| templates.iter().map(|_| Container::waiting(reason)).collect();
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
        let next = later(created, self.random.between(200, 900));
        Some(Life {
            workload: index,
            pod,
            stage,
            next,
        })
    }

    pub(super) fn place(&mut self) -> (&'static str, String) {
        let index = usize::try_from(self.random.below(self.nodes.len() as u64)).unwrap_or(0);
        (self.nodes.get(index).copied().unwrap_or_default(), super::host(index))
    }

    /// An IP that no pod has had for long.
    pub(super) fn address(&mut self) -> String {
        self.addresses += 1;
        format!("10.244.{}.{}", self.addresses / 250 % 250, 2 + self.addresses % 250)
    }

    /// Notices what others did to the pods.
    fn look(&mut self) {
        let (state, leaving) = (&self.state, &mut self.leaving);
        let sets = &self.sets;
        self.lives.retain(|life| {
            let namespace = sets.get(life.workload).map_or("", |set| set.workload.namespace);
            let stored = state
                .store
                .get(Kind::Pod, namespace, &life.pod.name)
                .filter(|stored| stored.uid == life.pod.uid);
            match stored {
                None => {
                    leaving.remove(&life.pod.uid);
                    false
                }
                Some(stored) => {
                    if !leaving.contains(&life.pod.uid) && stored.value()["metadata"]["deletionTimestamp"].is_string() {
                        leaving.insert(life.pod.uid.clone());
                    }
                    true
                }
            }
        });
    }

    /// Makes the pods agree with what the workloads ask for.
    fn control(&mut self, now: Timestamp) {
        if self.next_roll_out <= now {
            self.next_roll_out = later(now, self.random.between(ROLL_OUTS.0, ROLL_OUTS.1));
            self.roll_out(now);
        }
        for index in 0..self.sets.len() {
            let Some(set) = self.sets.get(index) else { continue };
            match set.workload.owner {
                Owner::Deployment(_) => self.deployment(index, now),
                Owner::StatefulSet => {
                    let (name, namespace, replicas) =
                        (set.workload.name, set.workload.namespace, set.workload.replicas);
                    for ordinal in 0..replicas {
                        let name = format!("{name}-{ordinal}");
                        if self.state.store.get(Kind::Pod, namespace, &name).is_none() {
                            self.begin(index, ordinal, now);
                        }
                    }
                }
                Owner::DaemonSet => {
                    for (ordinal, node) in self.nodes.iter().enumerate() {
                        if !self
                            .lives
                            .iter()
                            .any(|it| it.workload == index && it.pod.node == *node && self.stays(it))
                        {
                            self.begin(index, ordinal, now);
                        }
                    }
                }
                Owner::CronJob(every) if set.next_job <= now => {
                    if let Some(set) = self.sets.get_mut(index) {
                        set.next_job = later(now, every * 1_000);
                    }
                    self.begin(index, 0, now);
                    self.tidy(index);
                }
                Owner::CronJob(_) | Owner::Job => {}
            }
        }
    }

    fn stays(&self, life: &Life) -> bool {
        !self.leaving.contains(&life.pod.uid)
    }

    /// A rolling update with one pod more than asked for and none less.
    fn deployment(&mut self, index: usize, now: Timestamp) {
        let Some(set) = self.sets.get(index) else { return };
        let mine = || self.lives.iter().filter(|it| it.workload == index && self.stays(it));
        let new = mine().filter(|it| it.pod.revision == set.revision).count();
        let new_ready = mine()
            .filter(|it| it.pod.revision == set.revision && it.pod.is_ready())
            .count();
        let old = mine()
            .find(|it| it.pod.revision != set.revision)
            .map(|it| (it.pod.name.clone(), it.pod.uid.clone()));
        let olds = mine().count() - new;
        let (replicas, namespace) = (set.workload.replicas, set.workload.namespace);
        if new < replicas && new + olds <= replicas {
            self.begin(index, 0, now);
        }
        if let Some((name, uid)) = old
            && new_ready + olds > replicas
        {
            let first = self
                .sets
                .get(index)
                .and_then(|set| set.workload.containers.first())
                .map_or("", |it| it.name);
            let about = About {
                kind: "Pod",
                namespace,
                name: &name,
                uid: &uid,
                container: Some(first),
                init: false,
            };
            let message = format!("Stopping container {first}");
            let what = Happening {
                by: "kubelet",
                node: "",
                warning: false,
                reason: "Killing",
                message,
            };
            self.events.write(now, &about, what);
            self.delete(namespace, &name, &uid);
        }
    }

    /// Begins the next roll-out, of the next Deployment that has them.
    fn roll_out(&mut self, now: Timestamp) {
        let count = self.sets.len();
        let next = (1..=count)
            .map(|step| (self.rolled + step) % count.max(1))
            .find(|index| {
                self.sets
                    .get(*index)
                    .is_some_and(|set| set.workload.owner == Owner::Deployment(true))
            });
        let Some(index) = next else { return };
        self.rolled = index;
        let revision = self.random.suffix(9);
        let Some(set) = self.sets.get_mut(index) else { return };
        set.workload.version += 1;
        set.revision = revision;
        let message = format!(
            "Scaled up replica set {}-{} from 0 to {}",
            set.workload.name, set.revision, set.workload.replicas
        );
        let about = About {
            kind: "Deployment",
            namespace: set.workload.namespace,
            name: set.workload.name,
            uid: set.workload.name,
            container: None,
            init: false,
        };
        let what = Happening {
            by: "deployment-controller",
            node: "",
            warning: false,
            reason: "ScalingReplicaSet",
            message,
        };
        self.events.write(now, &about, what);
    }

    fn begin(&mut self, index: usize, ordinal: usize, now: Timestamp) {
        let Some(life) = self.create(index, ordinal, now) else {
            return;
        };
        if let Some(set) = self.sets.get(index) {
            store(&self.state, &life, &set.workload);
        }
        self.lives.push(life);
    }

    /// Removes the jobs that a CronJob does not keep.
    fn tidy(&mut self, index: usize) {
        let over: Vec<(String, String)> = self
            .lives
            .iter()
            .filter(|it| it.workload == index && it.stage == Stage::Over && self.stays(it))
            .map(|it| (it.pod.name.clone(), it.pod.uid.clone()))
            .collect();
        let namespace = self.sets.get(index).map_or("", |set| set.workload.namespace);
        for (name, uid) in over.iter().rev().skip(JOBS - 1) {
            self.delete(namespace, name, uid);
        }
    }

    fn delete(&mut self, namespace: &str, name: &str, uid: &str) {
        self.leaving.insert(uid.to_owned());
        let pod = self
            .state
            .store
            .get(Kind::Pod, namespace, name)
            .filter(|pod| pod.uid == uid);
        if let Some(pod) = pod {
            let takes = Duration::from_millis(self.random.between(3_000, 8_000));
            delete::begin(&self.state, &pod, takes);
        }
    }
}
