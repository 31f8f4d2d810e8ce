//! The shop as it is when the cluster starts.

use jiff::Timestamp;

use super::catalogue::{Fate, Owner, Workload};
use super::director::{Director, JOBS};
use super::events::{About, Happening};
use super::life::{Life, Stage, back_off_message, wait_for_restart};
use super::pod::{Ended, Phase};
use super::speech::{earlier, later};
use super::stored::{begin_speech, store};

const MINUTE: u64 = 60_000;

impl Director {
    /// Makes every pod: most have run for a while.
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
                self.crash(
                    life,
                    workload,
                    (code, reason),
                    restarts - 1,
                    earlier(now, 150_000),
                    after,
                );
                self.crash(life, workload, (code, reason), restarts, earlier(now, 40_000), after);
                self.tell_back_off(life, workload, earlier(now, 38_000));
                life.stage = Stage::BackOff;
                life.next = later(now, self.random.between(5_000, 20_000));
            }
            _ => {}
        }
    }

    /// A run of the first container that ended at `ended`, and the wait after it.
    fn crash(
        &mut self,
        life: &mut Life,
        workload: &Workload,
        (code, reason): (i32, &'static str),
        restarts: u64,
        ended: Timestamp,
        lasted: u64,
    ) {
        if let Some(container) = life.pod.containers.first_mut() {
            container.restarts = restarts;
            container.phase = Phase::Running {
                since: earlier(ended, lasted * 1_000),
            };
        }
        self.end_first(life, workload, code, reason, ended);
        if let Some((container, template)) = life.pod.containers.first_mut().zip(workload.containers.first()) {
            wait_for_restart(
                container,
                back_off_message(restarts, template.name, &life.pod.name, &life.pod.uid, workload),
            );
        }
        store(&self.state, life, workload);
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
            init: false,
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
}
