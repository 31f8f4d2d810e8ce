//! Churn for load tests: containers restart, pods become unready, and pods are deleted and
//! replaced.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::delete;
use crate::object::{Kind, Object};
use crate::state::State;
use crate::time;

/// The interval at which changes are made. At a high rate, several are made each time.
const TICK: Duration = Duration::from_millis(20);

/// The most changes that may be overdue. Further ones are dropped, so that they do not pile up on a
/// slow machine.
const MAX_OVERDUE: usize = 100;

/// The number of changes after which the list of pods is read again.
const REFRESH: usize = 2_000;

/// How long a deleted pod's containers take to end.
const SHUTDOWN: Duration = Duration::from_secs(2);

/// Makes `rate` changes per second until the cluster stops.
///
/// The deletion of a pod and the creation of its replacement count as one change.
pub(super) async fn run(state: Arc<State>, rate: f64) {
    let mut rng = Rng::with_seed(rate.to_bits());
    let mut pods: Vec<(String, String)> = Vec::new();
    let (mut due, mut left) = (0.0, 0);
    let mut last = Instant::now();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            () = state.stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        due += rate * std::mem::replace(&mut last, Instant::now()).elapsed().as_secs_f64();
        for _ in 0..MAX_OVERDUE.min(due as usize) {
            due -= 1.0;
            if left == 0 {
                left = REFRESH;
                let all = state.store.snapshot(Kind::Pod, None).objects;
                pods = all
                    .iter()
                    .map(|pod| (pod.namespace.clone(), pod.name.clone()))
                    .collect();
            }
            left -= 1;
            let Some((namespace, name)) = rng.choice(&pods) else {
                break;
            };
            if let Some(pod) = state.store.get(Kind::Pod, namespace, name) {
                change(&state, &pod, &mut rng);
            }
            // A change may take longer than a tick, so let requests run after each one.
            tokio::task::yield_now().await;
        }
        due = due.min(MAX_OVERDUE as f64);
    }
}

fn change(state: &Arc<State>, pod: &Arc<Object>, rng: &mut Rng) {
    // A pod that has ended is kept, because its Job would not create another one.
    if rng.u64(..10) == 0 && !is_over(pod) {
        delete::start(state, pod, SHUTDOWN);
        return;
    }
    let restart = rng.u64(..3) == 0;
    let now = time::seconds(Timestamp::now());
    state.update_pod(&pod.namespace, &pod.name, |pod| {
        let status = &mut pod["status"];
        let runs = status["containerStatuses"][0]["state"]["running"].is_object();
        if !runs {
            // A pod that is not running only gets a new annotation, as if something had updated it.
            pod["metadata"]["annotations"]["example.com/seen"] = now.clone().into();
            return true;
        }
        if restart {
            restarted(&mut status["containerStatuses"][0], &now);
        } else {
            let ready = status["containerStatuses"][0]["ready"] != true;
            status["containerStatuses"][0]["ready"] = ready.into();
            conditions(status, ready, &now);
        }
        true
    });
}

fn is_over(pod: &Object) -> bool {
    let phase = pod.fields.iter().find(|(field, _)| *field == "status.phase");
    phase.is_some_and(|(_, phase)| matches!(phase.as_str(), "Succeeded" | "Failed"))
}

fn restarted(container: &mut Value, now: &str) {
    let started = container["state"]["running"]["startedAt"].clone();
    container["lastState"] = json!({"terminated": {"exitCode": 1, "reason": "Error", "startedAt": started, "finishedAt": now,
        "containerID": container["containerID"]}});
    container["state"] = json!({"running": {"startedAt": now}});
    container["restartCount"] = (container["restartCount"].as_u64().unwrap_or(0) + 1).into();
    if let Some(container) = container.as_object_mut() {
        // The runtime gives the new run its own ID.
        container.remove("containerID");
    }
}

fn conditions(status: &mut Value, ready: bool, now: &str) {
    for condition in status["conditions"].as_array_mut().into_iter().flatten() {
        if condition["type"] == "Ready" || condition["type"] == "ContainersReady" {
            condition["status"] = if ready { "True" } else { "False" }.into();
            condition["lastTransitionTime"] = now.into();
        }
    }
}
