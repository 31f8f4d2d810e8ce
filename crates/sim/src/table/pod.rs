//! The row of a pod, by the rules of `printPod` of Kubernetes 1.36.

use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::Value;

use super::{ago, created, or_none, text};

/// Builds the cells of a pod.
pub(super) fn cells(pod: &Value, now: Timestamp) -> Vec<Value> {
    let summary = Summary::from_pod(pod);
    let restarts = match summary.last_restart {
        Some(last) if summary.restarts != 0 => format!("{} ({} ago)", summary.restarts, ago(&last.to_string(), now)),
        _ => summary.restarts.to_string(),
    };
    vec![
        text(pod, "/metadata/name").into(),
        format!("{}/{}", summary.ready, summary.total).into(),
        summary.reason.into(),
        restarts.into(),
        created(pod, now),
        or_none(text(pod, "/status/podIPs/0/ip")),
        or_none(text(pod, "/spec/nodeName")),
        or_none(text(pod, "/status/nominatedNodeName")),
        readiness_gates(pod),
    ]
}

struct Summary {
    reason: String,
    ready: usize,
    total: usize,
    restarts: i64,
    last_restart: Option<Timestamp>,
}

fn items<'a>(pod: &'a Value, pointer: &str) -> &'a [Value] {
    pod.pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn condition<'a>(pod: &'a Value, kind: &str) -> Option<&'a Value> {
    items(pod, "/status/conditions")
        .iter()
        .find(|condition| condition["type"] == kind)
}

fn is_true(pod: &Value, kind: &str) -> bool {
    condition(pod, kind).is_some_and(|condition| condition["status"] == "True")
}

fn restarted(status: &Value) -> Option<Timestamp> {
    text(status, "/lastState/terminated/finishedAt").parse().ok()
}

/// Returns how a container ended: the reason, or else the signal, or else the exit code.
fn termination_reason(terminated: &Value) -> String {
    match (
        terminated["reason"].as_str().unwrap_or_default(),
        terminated["signal"].as_i64().unwrap_or(0),
    ) {
        ("", 0) => format!("ExitCode:{}", terminated["exitCode"].as_i64().unwrap_or(0)),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

impl Summary {
    fn from_pod(pod: &Value) -> Summary {
        let sidecars: HashSet<&str> = items(pod, "/spec/initContainers")
            .iter()
            .filter(|container| container["restartPolicy"] == "Always")
            .filter_map(|container| container["name"].as_str())
            .collect();
        let phase = text(pod, "/status/phase");
        let reason = text(pod, "/status/reason");
        let mut summary = Summary {
            reason: if reason.is_empty() { phase } else { reason }.to_owned(),
            ready: 0,
            total: items(pod, "/spec/containers").len() + sidecars.len(),
            restarts: 0,
            last_restart: None,
        };
        if condition(pod, "PodScheduled").is_some_and(|condition| condition["reason"] == "SchedulingGated") {
            "SchedulingGated".clone_into(&mut summary.reason);
        }
        let initializing = summary.init_containers(pod, &sidecars);
        if !initializing || is_true(pod, "Initialized") {
            let of_sidecars = items(pod, "/status/initContainerStatuses")
                .iter()
                .filter(|status| is_sidecar(status, &sidecars));
            summary.restarts = of_sidecars
                .clone()
                .map(|status| status["restartCount"].as_i64().unwrap_or(0))
                .sum();
            summary.last_restart = of_sidecars.filter_map(restarted).max();
            summary.containers(pod);
        }
        if pod.pointer("/metadata/deletionTimestamp").is_some_and(Value::is_string) {
            if reason == "NodeLost" {
                "Unknown".clone_into(&mut summary.reason);
            } else if !matches!(phase, "Succeeded" | "Failed") {
                "Terminating".clone_into(&mut summary.reason);
            }
        }
        summary
    }

    /// Summarises the init containers up to the first that is not done. Returns whether there is
    /// one.
    fn init_containers(&mut self, pod: &Value, sidecars: &HashSet<&str>) -> bool {
        for (index, status) in items(pod, "/status/initContainerStatuses").iter().enumerate() {
            self.restarts += status["restartCount"].as_i64().unwrap_or(0);
            self.last_restart = self.last_restart.max(restarted(status));
            let terminated = status.pointer("/state/terminated").filter(|state| state.is_object());
            let waiting = text(status, "/state/waiting/reason");
            if terminated.is_some_and(|state| state["exitCode"].as_i64().unwrap_or(0) == 0) {
                continue;
            }
            if is_sidecar(status, sidecars) && status["started"] == true {
                self.ready += usize::from(status["ready"] == true);
                continue;
            }
            self.reason = match terminated {
                Some(state) => format!("Init:{}", termination_reason(state)),
                None if !waiting.is_empty() && waiting != "PodInitializing" => format!("Init:{waiting}"),
                None => format!("Init:{index}/{}", items(pod, "/spec/initContainers").len()),
            };
            return true;
        }
        false
    }

    fn containers(&mut self, pod: &Value) {
        let mut has_running = false;
        for status in items(pod, "/status/containerStatuses").iter().rev() {
            self.restarts += status["restartCount"].as_i64().unwrap_or(0);
            self.last_restart = self.last_restart.max(restarted(status));
            let waiting = text(status, "/state/waiting/reason");
            if !waiting.is_empty() {
                waiting.clone_into(&mut self.reason);
            } else if let Some(state) = status.pointer("/state/terminated").filter(|state| state.is_object()) {
                self.reason = termination_reason(state);
            } else if status["ready"] == true && status.pointer("/state/running").is_some_and(Value::is_object) {
                has_running = true;
                self.ready += 1;
            }
        }
        if self.reason == "Completed" && has_running {
            self.reason = if is_true(pod, "Ready") { "Running" } else { "NotReady" }.to_owned();
        }
    }
}

fn is_sidecar(status: &Value, sidecars: &HashSet<&str>) -> bool {
    status["name"].as_str().is_some_and(|name| sidecars.contains(name))
}

fn readiness_gates(pod: &Value) -> Value {
    let gates = items(pod, "/spec/readinessGates");
    if gates.is_empty() {
        return or_none("");
    }
    let open = gates
        .iter()
        .filter(|gate| gate["conditionType"].as_str().is_some_and(|kind| is_true(pod, kind)));
    format!("{}/{}", open.count(), gates.len()).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use serde_json::json;

    use super::*;

    /// Returns READY, STATUS and RESTARTS at one o'clock.
    fn print(pod: Value) -> (String, String, String) {
        let cells = cells(&pod, "2026-01-01T01:00:00Z".parse().unwrap());
        let cell = |at: usize| cells[at].as_str().unwrap().to_owned();
        (cell(1), cell(2), cell(3))
    }

    fn expect(pod: Value, ready: &str, status: &str, restarts: &str) {
        assert_eq!(print(pod), (ready.to_owned(), status.to_owned(), restarts.to_owned()));
    }

    #[test]
    fn a_pod_prints_as_kubectl_prints_it() {
        let running = |ready: bool| json!({"name": "a", "ready": ready, "restartCount": 0, "state": {"running": {}}});
        let spec = json!({"containers": [{"name": "a"}]});
        expect(
            json!({"spec": spec, "status": {"phase": "Running", "containerStatuses": [running(true)]}}),
            "1/1",
            "Running",
            "0",
        );
        expect(
            json!({"spec": spec, "status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "reason": "SchedulingGated"}]}}),
            "0/1",
            "SchedulingGated",
            "0",
        );
        expect(
            json!({"spec": spec, "status": {"phase": "Failed", "reason": "Evicted"}}),
            "0/1",
            "Evicted",
            "0",
        );
        expect(
            json!({"spec": spec, "status": {"phase": "Running", "containerStatuses": [{"name": "a", "restartCount": 4,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"finishedAt": "2026-01-01T00:59:00Z"}}}]}}),
            "0/1",
            "CrashLoopBackOff",
            "4 (60s ago)",
        );
        expect(
            json!({"spec": spec, "status": {"phase": "Running", "containerStatuses": [{"state": {"terminated": {"signal": 9}}}]}}),
            "0/1",
            "Signal:9",
            "0",
        );
        expect(
            json!({"spec": spec, "status": {"phase": "Running", "containerStatuses": [{"state": {"terminated": {"exitCode": 3}}}]}}),
            "0/1",
            "ExitCode:3",
            "0",
        );
        let two = json!({"containers": [{"name": "a"}, {"name": "b"}]});
        let done = json!({"name": "b", "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}});
        expect(
            json!({"spec": two, "status": {"phase": "Running", "containerStatuses": [done, running(true)]}}),
            "1/2",
            "NotReady",
            "0",
        );
        expect(
            json!({"spec": two, "status": {"phase": "Running", "containerStatuses": [done, running(true)],
            "conditions": [{"type": "Ready", "status": "True"}]}}),
            "1/2",
            "Running",
            "0",
        );
    }

    #[test]
    fn init_containers_and_deletion_come_before_the_containers() {
        let spec = json!({"initContainers": [{"name": "i"}, {"name": "s", "restartPolicy": "Always"}], "containers": [{"name": "a"}]});
        let waiting = json!({"name": "a", "restartCount": 7, "state": {"waiting": {"reason": "PodInitializing"}}});
        let with = |init: Value| {
            json!({"spec": spec, "status": {"phase": "Pending", "initContainerStatuses": init,
            "containerStatuses": [waiting]}})
        };
        let done = json!({"name": "i", "restartCount": 2, "state": {"terminated": {"exitCode": 0}}});
        expect(
            with(json!([{"name": "i", "state": {"running": {}}}])),
            "0/2",
            "Init:0/2",
            "0",
        );
        expect(
            with(json!([{"name": "i", "restartCount": 1, "state": {"terminated": {"exitCode": 1}}}])),
            "0/2",
            "Init:ExitCode:1",
            "1",
        );
        expect(
            with(json!([{"name": "i", "state": {"waiting": {"reason": "ImagePullBackOff"}}}])),
            "0/2",
            "Init:ImagePullBackOff",
            "0",
        );
        expect(
            with(json!([done, {"name": "s", "started": false, "state": {"running": {}}}])),
            "0/2",
            "Init:1/2",
            "2",
        );
        let sidecar = json!({"name": "s", "started": true, "ready": true, "restartCount": 3, "state": {"running": {}}});
        expect(with(json!([done, sidecar])), "1/2", "PodInitializing", "10");
        let deleted = |phase: &str, reason: &str| {
            json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}, "spec": {},
            "status": {"phase": phase, "reason": reason}})
        };
        expect(deleted("Running", ""), "0/0", "Terminating", "0");
        expect(deleted("Running", "NodeLost"), "0/0", "Unknown", "0");
        expect(deleted("Succeeded", ""), "0/0", "Succeeded", "0");
    }
}
