//! What the controllers do: pods for every workload, roll-outs, jobs by the clock.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::catalogue::{Fate, Owner, Plan, Template, Workload};
use super::events::{About, Events, Happening};
use super::life::{Life, Stage, World, back_off, wait_for_restart};
use super::pod::{Container, Ended, Phase, Pod};
use super::speech::{Speech, earlier, later};
use crate::content::random::Random;
use crate::delete;
use crate::object::Kind;
use crate::state::State;

/// Milliseconds between two looks at what is there.
const CHECK: u64 = 1_000;

/// Milliseconds between two roll-outs, at least and at most.
const ROLL_OUTS: (u64, u64) = (45_000, 90_000);

/// Jobs of a CronJob that stay (`successfulJobsHistoryLimit`).
const JOBS: usize = 3;

const MINUTE: u64 = 60_000;

/// What a controller knows of a workload.
struct Set {
    workload: Workload,
    /// The current ReplicaSet's hash.
    revision: String,
    next_job: Timestamp,
}

pub(super) struct Director {
    state: Arc<State>,
    nodes: &'static [&'static str],
    sets: Vec<Set>,
    lives: Vec<Life>,
    /// UIDs of pods that are being deleted.
    leaving: HashSet<String>,
    events: Events,
    speech: Speech,
    random: Random,
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

    /// The shop as it is when the cluster starts: most pods have run for a while.
    pub(super) fn open(&mut self, now: Timestamp) {
        for index in 0..self.sets.len() {
            let Some(set) = self.sets.get(index) else { continue };
            let workload = set.workload.clone();
            let pods = match workload.owner {
                Owner::DaemonSet => self.nodes.len(),
                Owner::CronJob(_) => JOBS,
                _ => workload.replicas,
            };
            for ordinal in 0..pods {
                let age = match workload.owner {
                    Owner::CronJob(every) => every * 1_000 * (pods - ordinal) as u64,
                    _ => self.random.between(20 * MINUTE, 6 * 24 * 60 * MINUTE),
                };
                if let Some(life) = self.create(index, ordinal, earlier(now, age)) {
                    self.settle(life, &workload, now);
                }
            }
            if let (Owner::CronJob(every), Some(set)) = (workload.owner, self.sets.get_mut(index)) {
                set.next_job = later(now, every * 1_000);
            }
        }
        self.tick(now);
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
    fn create(&mut self, index: usize, ordinal: usize, created: Timestamp) -> Option<Life> {
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

    /// Puts a pod where it would be by now, with the log of its past.
    fn settle(&mut self, mut life: Life, workload: &Workload, now: Timestamp) {
        let (node, host) = self.place();
        if life.pod.node.is_empty() && !matches!(workload.fate, Fate::Unschedulable(_)) {
            life.pod.node = node.to_owned();
            life.pod.host = host;
        }
        life.next = now;
        match workload.fate {
            Fate::Unschedulable(_) => life.stage = Stage::New,
            Fate::NoImage => life.stage = Stage::NotPulled(false),
            _ => {
                life.pod.address = self.address();
                self.settle_containers(&mut life, workload, now);
            }
        }
        store(&self.state, &life, workload);
        begin_speech(&mut self.speech, &life, workload, now, &mut self.random);
        self.lives.push(life);
    }

    fn settle_containers(&mut self, life: &mut Life, workload: &Workload, now: Timestamp) {
        let started = later(life.pod.created, 6_000);
        for (container, template) in life.pod.init.iter_mut().zip(workload.init) {
            container.ready = true;
            container.phase = if template.sidecar {
                Phase::Running { since: started }
            } else {
                Phase::Ended(Ended {
                    code: 0,
                    reason: "Completed",
                    from: life.pod.created,
                    to: started,
                })
            };
        }
        let not_ready = workload.fate == Fate::NotReady;
        for (index, container) in life.pod.containers.iter_mut().enumerate() {
            container.phase = Phase::Running { since: started };
            container.ready = !(not_ready && index == 0);
            if workload.fate == Fate::Runs && self.random.once_in(9) {
                let to = earlier(now, self.random.between(20 * MINUTE, 600 * MINUTE)).max(started);
                container.restarts = self.random.between(1, 3);
                container.last = Some(Ended {
                    code: 255,
                    reason: "Unknown",
                    from: started,
                    to,
                });
                container.phase = Phase::Running { since: to };
            }
        }
        life.stage = Stage::Ready;
        match workload.fate {
            Fate::Ends { code, after } => {
                let ended = later(started, after * 1_000);
                self.end_first(
                    life,
                    workload,
                    code,
                    if code == 0 { "Completed" } else { "Error" },
                    ended,
                );
                life.stage = Stage::Over;
            }
            Fate::Crashes { code, reason, after } => {
                // Two runs, so that there is a previous log; then it waits for the third.
                let restarts = self.random.between(9, 60);
                for (restarts, ago) in [(restarts - 1, 150_000), (restarts, 40_000)] {
                    let ended = earlier(now, ago);
                    if let Some(container) = life.pod.containers.first_mut() {
                        container.restarts = restarts;
                        container.phase = Phase::Running {
                            since: earlier(ended, after * 1_000),
                        };
                    }
                    self.end_first(life, workload, code, reason, ended);
                    if let Some((container, template)) =
                        life.pod.containers.first_mut().zip(workload.containers.first())
                    {
                        let seconds = back_off(restarts);
                        let whose = format!(
                            "{} pod={}_{}({})",
                            template.name, life.pod.name, workload.namespace, life.pod.uid
                        );
                        wait_for_restart(
                            container,
                            format!("back-off {seconds}s restarting failed container={whose}"),
                        );
                    }
                    store(&self.state, life, workload);
                }
                self.tell_back_off(life, workload, earlier(now, 38_000));
                life.stage = Stage::BackOff;
                life.next = later(now, self.random.between(5_000, 20_000));
            }
            _ => {}
        }
    }

    fn tell_back_off(&mut self, life: &Life, workload: &Workload, when: Timestamp) {
        let (name, uid) = (&life.pod.name, &life.pod.uid);
        let container = workload.containers.first().map_or("", |it| it.name);
        let message = format!(
            "Back-off restarting failed container {container} in pod {name}_{}({uid})",
            workload.namespace
        );
        let about = About {
            kind: "Pod",
            namespace: workload.namespace,
            name,
            uid,
            container: Some(container),
        };
        let node = &life.pod.node;
        let what = Happening {
            by: "kubelet",
            node,
            warning: true,
            reason: "BackOff",
            message,
        };
        self.events.write(when, &about, what);
    }

    /// Has the first container run, write its log and end at a time past.
    fn end_first(&mut self, life: &mut Life, workload: &Workload, code: i32, reason: &'static str, to: Timestamp) {
        store(&self.state, life, workload);
        let Some((container, template)) = life.pod.containers.first_mut().zip(workload.containers.first()) else {
            return;
        };
        let Phase::Running { since } = container.phase else {
            return;
        };
        self.speech.begin(
            &life.pod.uid,
            template.name,
            template.voice,
            since,
            to,
            &mut self.random,
        );
        self.speech
            .last_words(&life.pod.uid, template.name, &template.voice.last_words(to, code), to);
        container.phase = Phase::Ended(Ended {
            code,
            reason,
            from: since,
            to,
        });
        container.ready = false;
        store(&self.state, life, workload);
    }

    fn place(&mut self) -> (&'static str, String) {
        let index = usize::try_from(self.random.below(self.nodes.len() as u64)).unwrap_or(0);
        (self.nodes.get(index).copied().unwrap_or_default(), super::host(index))
    }

    /// An IP that no pod has had for long.
    fn address(&mut self) -> String {
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

/// Stores a pod, or the new status of one that is there and stays.
fn store(state: &State, life: &Life, workload: &Workload) {
    let pod = &life.pod;
    if state
        .store
        .get(Kind::Pod, workload.namespace, &pod.name)
        .is_none_or(|stored| stored.uid != pod.uid)
    {
        state.put(Kind::Pod, pod.object(workload));
        return;
    }
    state.update_pod(workload.namespace, &pod.name, |stored| {
        if stored["metadata"]["uid"] != pod.uid.as_str() || stored["metadata"]["deletionTimestamp"].is_string() {
            return false;
        }
        let mut status = pod.status(workload);
        for list in ["containerStatuses", "initContainerStatuses"] {
            let before = stored["status"][list].as_array().cloned().unwrap_or_default();
            for now in status.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(before) = before.iter().find(|before| before["name"] == now["name"]) {
                    identify(now, before);
                }
            }
        }
        if !pod.node.is_empty() {
            stored["spec"]["nodeName"] = pod.node.clone().into();
        }
        stored["status"] = status;
        true
    });
}

/// Gives a container's status the IDs of its runs; that of a new run is made when it is stored.
fn identify(now: &mut Value, before: &Value) {
    let id = &before["containerID"];
    if now["restartCount"] == before["restartCount"] && id.is_string() {
        now["containerID"] = id.clone();
    }
    if now["state"]["terminated"].is_object() {
        now["state"]["terminated"]["containerID"] = id.clone();
    }
    if now["lastState"]["terminated"].is_object() {
        let same = now["lastState"]["terminated"]["finishedAt"] == before["lastState"]["terminated"]["finishedAt"];
        let last = if same {
            &before["lastState"]["terminated"]["containerID"]
        } else {
            id
        };
        now["lastState"]["terminated"]["containerID"] = last.clone();
    }
}

/// Lets every running container of a pod speak that does not yet.
fn begin_speech(speech: &mut Speech, life: &Life, workload: &Workload, now: Timestamp, random: &mut Random) {
    let init = life.pod.init.iter().zip(workload.init);
    for (container, template) in init.chain(life.pod.containers.iter().zip(workload.containers)) {
        if let Phase::Running { since } = container.phase {
            speech.begin(&life.pod.uid, template.name, template.voice, since, now, random);
        }
    }
}
