//! The runs of containers, as the statuses of their pods imply them.

mod run;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

pub(crate) use run::{Piece, Position, Run};

/// The runs of one container whose logs can still be read.
#[derive(Clone, Debug)]
pub(crate) struct Runs {
    pub(crate) current: Option<Arc<Run>>,
    pub(crate) previous: Option<Arc<Run>>,
    restarts: u64,
}

/// The runs of all containers, by the pod's UID and the container's name.
#[derive(Debug, Default)]
pub(crate) struct Runtime {
    pods: Mutex<HashMap<String, HashMap<String, Runs>>>,
}

impl Runtime {
    fn with<T>(&self, change: impl FnOnce(&mut HashMap<String, HashMap<String, Runs>>) -> T) -> T {
        change(&mut self.pods.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the runs of a container; `None` if it never started.
    pub(crate) fn runs(&self, uid: &str, container: &str) -> Option<Runs> {
        self.with(|pods| pods.get(uid)?.get(container).cloned())
    }

    /// Brings a pod's runs in line with its status, and adds missing container IDs to the status.
    ///
    /// A container that is running in the status gets a run, a higher restart count means a new
    /// run, and the run of a terminated container is ended.
    pub(crate) fn reconcile(&self, pod: &mut Value) {
        let uid = pod
            .pointer("/metadata/uid")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        self.with(|pods| {
            for list in [
                "containerStatuses",
                "initContainerStatuses",
                "ephemeralContainerStatuses",
            ] {
                let statuses = pod
                    .pointer_mut(&format!("/status/{list}"))
                    .and_then(Value::as_array_mut);
                for status in statuses.into_iter().flatten() {
                    let Some(name) = status.get("name").and_then(Value::as_str).map(str::to_owned) else {
                        continue;
                    };
                    if let Some(runs) = observe(pods.get(&uid).and_then(|runs| runs.get(&name)), status) {
                        pods.entry(uid.clone()).or_default().insert(name, runs);
                    }
                }
            }
        });
    }

    /// Ends and drops the runs of a pod.
    pub(crate) fn remove(&self, uid: &str) {
        let runs = self.with(|pods| pods.remove(uid));
        for runs in runs.into_iter().flat_map(HashMap::into_values) {
            for run in runs.current.iter().chain(&runs.previous) {
                run.end(137);
            }
        }
    }
}

/// Returns the runs of a container given its new status; `None` if it never started.
fn observe(known: Option<&Runs>, status: &mut Value) -> Option<Runs> {
    let restarts = status.get("restartCount").and_then(Value::as_u64).unwrap_or(0);
    let exit = |state: &str| {
        let terminated = status.pointer(&format!("/{state}/terminated"))?;
        Some(
            terminated
                .get("exitCode")
                .and_then(Value::as_i64)
                .and_then(|code| i32::try_from(code).ok())
                .unwrap_or(0),
        )
    };
    let (exit, last, running) = (
        exit("state"),
        exit("lastState"),
        status.pointer("/state/running").is_some(),
    );
    let mut runs = known.cloned().unwrap_or(Runs {
        current: None,
        previous: None,
        restarts,
    });
    if known.is_none() && last.is_some() {
        runs.previous = Some(ended(last.unwrap_or(0)));
    }
    if known.is_some() && restarts > runs.restarts {
        if let Some(current) = runs.current.take() {
            current.end(last.unwrap_or(0));
            runs.previous = Some(current);
        }
        runs.restarts = restarts;
    }
    if running && runs.current.as_ref().is_none_or(|run| run.exit().is_some()) {
        // A container may run again at the same restart count, such as an init container in a new
        // sandbox.
        runs.previous = runs.current.take().or(runs.previous);
        runs.current = Some(Run::new());
    }
    if let Some(code) = exit {
        runs.current.get_or_insert_with(Run::new).end(code);
    }
    // During a back-off, the log is still that of the last run.
    if !running && exit.is_none() && last.is_some() && runs.current.is_none() {
        runs.current = runs.previous.take();
    }
    if let (false, None, Some(code), Some(current)) = (running, exit, last, &runs.current) {
        current.end(code);
    }
    let current = runs.current.as_ref()?;
    let missing = status
        .get("containerID")
        .and_then(Value::as_str)
        .is_none_or(str::is_empty);
    if let (true, Some(status)) = (missing, status.as_object_mut()) {
        status.insert("containerID".to_owned(), current.container_id.clone().into());
    }
    Some(runs)
}

fn ended(exit: i32) -> Arc<Run> {
    let run = Run::new();
    run.end(exit);
    run
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use serde_json::json;

    use super::*;

    fn observed(runtime: &Runtime, restarts: u64, state: Value, last: Value) -> Runs {
        let mut pod = json!({"metadata": {"uid": "u"}, "status": {"containerStatuses": [
            {"name": "app", "restartCount": restarts, "state": state, "lastState": last}]}});
        runtime.reconcile(&mut pod);
        runtime.runs("u", "app").unwrap()
    }

    #[test]
    fn runs_follow_the_status() {
        let (runtime, running, done) = (
            Runtime::default(),
            json!({"running": {}}),
            json!({"terminated": {"exitCode": 3}}),
        );
        let first = observed(&runtime, 0, running.clone(), json!({}));
        assert!(first.previous.is_none());
        let again = observed(&runtime, 0, running.clone(), json!({}));
        assert!(Arc::ptr_eq(
            first.current.as_ref().unwrap(),
            again.current.as_ref().unwrap()
        ));
        let waiting = observed(
            &runtime,
            0,
            json!({"waiting": {"reason": "CrashLoopBackOff"}}),
            done.clone(),
        );
        assert_eq!(waiting.current.as_ref().unwrap().exit(), Some(3));
        let second = observed(&runtime, 1, running, done.clone());
        assert!(Arc::ptr_eq(
            first.current.as_ref().unwrap(),
            second.previous.as_ref().unwrap()
        ));
        assert_eq!(second.current.as_ref().unwrap().exit(), None);
        assert_eq!(observed(&runtime, 1, done, json!({})).current.unwrap().exit(), Some(3));
        runtime.remove("u");
        assert!(runtime.runs("u", "app").is_none());
    }
}
