//! Updates of the stored pods and their logs from the lifecycles.

use fastrand::Rng;
use jiff::Timestamp;
use serde_json::Value;

use super::log_writer::LogWriters;
use super::pod::ContainerState;
use super::pod_lifecycle::PodLifecycle;
use super::workloads::Workload;

use crate::object::Kind;
use crate::state::State;

/// Stores a new pod, or the new status of a pod that is not being deleted.
pub(super) fn sync_pod(state: &State, lifecycle: &PodLifecycle, workload: &Workload) {
    let pod = &lifecycle.pod;
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

/// Sets the container IDs in a container's status. That of a new run is left to the runtime.
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

/// Starts the log of every running container of a pod.
pub(super) fn start_logs(
    logs: &mut LogWriters,
    lifecycle: &PodLifecycle,
    workload: &Workload,
    now: Timestamp,
    rng: &mut Rng,
) {
    let init = lifecycle.pod.init.iter().zip(workload.init);
    for (container, template) in init.chain(lifecycle.pod.containers.iter().zip(workload.containers)) {
        if let ContainerState::Running { since } = container.state {
            logs.start(&lifecycle.pod.uid, template.name, template.log_format, since, now, rng);
        }
    }
}
