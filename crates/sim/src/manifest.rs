//! The manifests of objects that a simulated cluster creates itself.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::time;

/// Builds an active namespace.
pub(crate) fn namespace(name: &str) -> Value {
    json!({"kind": "Namespace", "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
        "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}})
}

/// Builds a ready node.
pub(crate) fn node(name: &str) -> Value {
    let now = time::seconds(Timestamp::now());
    json!({"kind": "Node",
    "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}},
    "spec": {},
    "status": {
        "capacity": {"cpu": "4", "memory": "16Gi", "pods": "110"},
        "allocatable": {"cpu": "4", "memory": "16Gi", "pods": "110"},
        "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady",
            "message": "kubelet is posting ready status", "lastHeartbeatTime": now, "lastTransitionTime": now}],
        "addresses": [{"type": "InternalIP", "address": "192.168.1.10"}, {"type": "Hostname", "address": name}],
        "nodeInfo": {"kubeletVersion": "v1.36.0", "osImage": "Simulated Linux", "kernelVersion": "6.12.0", "architecture": "amd64",
            "containerRuntimeVersion": "containerd://2.1.0", "operatingSystem": "linux", "kubeProxyVersion": "",
            "machineID": "", "systemUUID": "", "bootID": ""}}})
}

/// Builds a pod on `node-1` that is Running and Ready, with these containers, whose image is
/// `busybox:1`.
pub(crate) fn running_pod(namespace: &str, name: &str, containers: &[&str], ip: &str) -> Value {
    let now = time::seconds(Timestamp::now());
    let spec = containers.iter().map(|name| {
        json!({"name": name, "image": "busybox:1", "resources": {}, "imagePullPolicy": "IfNotPresent",
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"})
    });
    let statuses = containers.iter().map(|name| {
        json!({"name": name, "image": "busybox:1", "imageID": "docker.io/library/busybox@sha256:0", "ready": true,
            "started": true, "restartCount": 0, "lastState": {}, "state": {"running": {"startedAt": now}}})
    });
    let conditions: Value = [
        "PodReadyToStartContainers",
        "Initialized",
        "Ready",
        "ContainersReady",
        "PodScheduled",
    ]
    .iter()
    .map(|kind| json!({"type": kind, "status": "True", "lastProbeTime": null, "lastTransitionTime": now}))
    .collect();
    json!({"kind": "Pod",
        "metadata": {"namespace": namespace, "name": name, "labels": {"app": name}},
        "spec": {"nodeName": "node-1", "restartPolicy": "Always", "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler", "serviceAccountName": "default",
            "containers": spec.collect::<Vec<_>>()},
        "status": {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "hostIP": "192.168.1.10",
            "hostIPs": [{"ip": "192.168.1.10"}], "qosClass": "BestEffort", "startTime": now, "conditions": conditions,
            "containerStatuses": statuses.collect::<Vec<_>>()}})
}
