//! The JSON of synthetic pods.
//!
//! The JSON is as large as that of ordinary pods, about 20 kB, and mostly the same for all pods of
//! a workload.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::workload::{Health, Owner, PodIdentity, Size, Workload};
use crate::shared_json::{Draft, SharedField};
use crate::{protobuf, time};

/// The number of plain environment variables of a container.
const VARIABLES: usize = 24;

const CONTAINERS: [&str; 2] = ["main", "proxy"];

/// The parts that all pods of a workload share: everything except names, nodes, times and status.
pub(super) struct Template {
    /// The pod without its largest parts.
    value: Value,
    /// The largest parts, already serialised, so that each pod saves the time and the memory of a
    /// copy.
    shared: Vec<SharedField>,
}

impl Template {
    pub(super) fn new(workload: &Workload) -> Template {
        let mut value = manifest(workload);
        let parts = [
            ("metadata", "managedFields"),
            ("spec", "containers"),
            ("spec", "volumes"),
        ];
        let shared = parts.into_iter().map(|(section, key)| {
            let part = value[section][key].take();
            SharedField {
                section,
                key,
                text: part.to_string().into_bytes().into(),
                protobuf: protobuf::part(section, key, &part).into(),
            }
        });
        Template {
            shared: shared.collect(),
            value,
        }
    }
}

fn manifest(workload: &Workload) -> Value {
    let name = &workload.name;
    let spec = spec(workload);
    let labels = labels(workload);
    let managed = json!([
        {"manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1", "time": "2026-01-07T10:00:00Z",
            "fieldsType": "FieldsV1", "fieldsV1": {"f:metadata": {"f:generateName": {}, "f:annotations": {".": {}},
            "f:labels": fields(&labels), "f:ownerReferences": {".": {}, format!("k:{{\"uid\":\"{}\"}}", workload.uid): {}}},
            "f:spec": fields(&spec)}},
        {"manager": "kubelet", "operation": "Update", "apiVersion": "v1", "time": "2026-01-07T10:00:05Z",
            "fieldsType": "FieldsV1", "subresource": "status", "fieldsV1": {"f:status": {"f:conditions":
            {"k:{\"type\":\"Ready\"}": {".": {}, "f:lastProbeTime": {}, "f:lastTransitionTime": {}, "f:status": {}, "f:type": {}}},
            "f:containerStatuses": {}, "f:hostIP": {}, "f:phase": {}, "f:podIP": {}, "f:podIPs": {}, "f:startTime": {}}}}]);
    let (kind, api) = match workload.owner {
        Owner::Deployment => ("ReplicaSet", "apps/v1"),
        Owner::StatefulSet => ("StatefulSet", "apps/v1"),
        Owner::Job => ("Job", "batch/v1"),
    };
    let owner = if workload.owner == Owner::Deployment {
        format!("{name}-{}", workload.revision)
    } else {
        name.clone()
    };
    json!({"kind": "Pod", "apiVersion": "v1",
        "metadata": {"namespace": workload.namespace, "generateName": format!("{owner}-"), "labels": labels,
            "annotations": {"prometheus.io/scrape": "true", "prometheus.io/port": "9102",
                "kubectl.kubernetes.io/default-container": "main", "checksum/config": workload.uid.repeat(2)},
            "ownerReferences": [{"apiVersion": api, "kind": kind, "name": owner, "uid": workload.uid, "controller": true,
                "blockOwnerDeletion": true}],
            "managedFields": managed},
        "spec": spec})
}

/// Returns the eight labels of a pod.
fn labels(workload: &Workload) -> Value {
    json!({"app": workload.name, "app.kubernetes.io/name": workload.name.split('-').next(),
        "app.kubernetes.io/instance": workload.name, "app.kubernetes.io/component": "server",
        "app.kubernetes.io/part-of": workload.team, "team": workload.team,
        "environment": if workload.number.is_multiple_of(3) { "staging" } else { "production" },
        "pod-template-hash": workload.revision})
}

fn spec(workload: &Workload) -> Value {
    let containers: Vec<Value> = CONTAINERS
        .iter()
        .map(|container| container_spec(workload, container))
        .collect();
    json!({"containers": containers, "restartPolicy": if workload.owner == Owner::Job { "Never" } else { "Always" },
        "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst", "serviceAccountName": workload.name,
        "serviceAccount": workload.name, "schedulerName": "default-scheduler", "priority": 0, "enableServiceLinks": true,
        "preemptionPolicy": "PreemptLowerPriority", "securityContext": {"runAsNonRoot": true, "runAsUser": 10001, "fsGroup": 10001},
        "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm":
            {"labelSelector": {"matchLabels": {"app": workload.name}}, "topologyKey": "kubernetes.io/hostname"}}]}},
        "tolerations": [
            {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
            {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}],
        "volumes": [
            {"name": "config", "configMap": {"name": format!("{}-config", workload.name), "defaultMode": 420}},
            {"name": "secrets", "secret": {"secretName": format!("{}-secrets", workload.name), "defaultMode": 420}},
            {"name": "data", "emptyDir": {"sizeLimit": "1Gi"}}, {"name": "tmp", "emptyDir": {}},
            {"name": "kube-api-access-x7k2m", "projected": {"defaultMode": 420, "sources": [
                {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}}]}}]})
}

fn image(workload: &Workload, container: &str) -> String {
    let name = workload.name.split('-').next().unwrap_or_default();
    format!(
        "registry.example.com/{}/{name}-{container}:1.{}.{}",
        workload.team,
        workload.number % 40,
        workload.number % 7
    )
}

fn container_spec(workload: &Workload, container: &str) -> Value {
    let mut variables: Vec<Value> = (0..VARIABLES)
        .map(|index| {
            json!({"name": format!("{}_SETTING_{index:02}", container.to_uppercase()),
                "value": format!("{}.{}.svc.cluster.local:{}", workload.name, workload.namespace, 8000 + index)})
        })
        .collect();
    variables.push(
        json!({"name": "POD_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}}),
    );
    variables
        .push(json!({"name": "POD_IP", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}}));
    variables.push(json!({"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": format!("{}-secrets", workload.name), "key": "password"}}}));
    let probe = |path: &str, seconds: u32| {
        json!({"httpGet": {"path": path, "port": "http", "scheme": "HTTP", "httpHeaders": [{"name": "X-Probe", "value": container}]},
            "initialDelaySeconds": seconds, "timeoutSeconds": 2, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3})
    };
    json!({"name": container, "image": image(workload, container), "imagePullPolicy": "IfNotPresent",
        "command": [format!("/app/{container}")], "args": ["--config=/etc/config/config.yaml", "--listen=0.0.0.0:8080", "--log-format=json"],
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}, {"name": "metrics", "containerPort": 9102, "protocol": "TCP"}],
        "env": variables,
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "1", "memory": "512Mi"}},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/config", "readOnly": true},
            {"name": "secrets", "mountPath": "/etc/secrets", "readOnly": true}, {"name": "data", "mountPath": "/var/lib/data"},
            {"name": "tmp", "mountPath": "/tmp"},
            {"name": "kube-api-access-x7k2m", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": true}],
        "livenessProbe": probe("/healthz", 15), "readinessProbe": probe("/readyz", 5), "startupProbe": probe("/healthz", 0),
        "lifecycle": {"preStop": {"exec": {"command": ["/app/drain", "--wait=5s"]}}},
        "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}},
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"})
}

/// Builds the `fieldsV1` of a value as server-side apply tracks it: items of a list by their names.
fn fields(value: &Value) -> Value {
    let mut out = Map::new();
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                out.insert(format!("f:{key}"), fields(value));
            }
        }
        Value::Array(list) => {
            for item in list {
                if let Some(name) = item.get("name").and_then(Value::as_str) {
                    out.insert(format!("k:{{\"name\":\"{name}\"}}"), fields(item));
                }
            }
        }
        _ => {}
    }
    Value::Object(out)
}

/// Makes a pod from its workload's template.
pub(super) fn pod(
    template: &Template,
    workload: &Workload,
    identity: &PodIdentity,
    size: &Size,
    created: Timestamp,
) -> Draft {
    let mut pod = template.value.clone();
    pod["metadata"]["name"] = identity.name.clone().into();
    pod["metadata"]["uid"] = identity.uid.clone().into();
    pod["metadata"]["creationTimestamp"] = time::seconds(created).into();
    if identity.health != Health::Unschedulable {
        pod["spec"]["nodeName"] = size.node(identity.number).into();
    }
    pod["status"] = status(workload, identity, size, created);
    Draft {
        value: pod,
        shared: template.shared.clone(),
    }
}

/// Builds the status of a pod that was created at `created`.
pub(super) fn status(workload: &Workload, identity: &PodIdentity, size: &Size, created: Timestamp) -> Value {
    let since = time::seconds(created);
    let condition = |kind: &str, holds: bool| json!({"type": kind, "status": if holds { "True" } else { "False" }, "lastProbeTime": null, "lastTransitionTime": since});
    if identity.health == Health::Unschedulable {
        let nodes = size.nodes;
        let lack = [
            "Insufficient cpu",
            "Insufficient memory",
            "node(s) had untolerated taint {dedicated: batch}",
        ];
        let lack = variant(&lack, identity);
        let mut scheduled = condition("PodScheduled", false);
        scheduled["reason"] = "Unschedulable".into();
        scheduled["message"] = format!(
            "0/{nodes} nodes are available: {nodes} {lack}. preemption: 0/{nodes} nodes are available: {nodes} Preemption is not helpful for scheduling."
        )
        .into();
        return json!({"phase": "Pending", "qosClass": "Burstable", "conditions": [scheduled]});
    }
    let done = workload.owner == Owner::Job && identity.health == Health::Good;
    let statuses: Vec<Value> = CONTAINERS
        .iter()
        .map(|name| container_status(workload, identity, name, &since))
        .collect();
    let ready = statuses.iter().all(|status| status["ready"] == true);
    let phase = match identity.health {
        _ if done => "Succeeded",
        Health::NoImage | Health::NoConfig => "Pending",
        Health::Failed | Health::Evicted => "Failed",
        _ => "Running",
    };
    let host = |number: usize| {
        format!(
            "10.{}.{}.{}",
            128 + number / 62_500 % 100,
            number / 250 % 250,
            2 + number % 250
        )
    };
    let (node, address) = (identity.number % size.nodes.max(1), host(identity.number));
    let mut status = json!({"phase": phase, "qosClass": "Burstable", "startTime": since, "podIP": address, "podIPs": [{"ip": address}],
        "hostIP": format!("192.168.{}.{}", node / 250, 2 + node % 250),
        "hostIPs": [{"ip": format!("192.168.{}.{}", node / 250, 2 + node % 250)}],
        "conditions": [condition("PodReadyToStartContainers", !done), condition("Initialized", true), condition("Ready", ready),
            condition("ContainersReady", ready), condition("PodScheduled", true)],
        "containerStatuses": statuses});
    if identity.health == Health::Evicted {
        status["reason"] = "Evicted".into();
        status["message"] =
            "The node was low on resource: ephemeral-storage. Threshold quantity: 10Gi, available: 9Gi. ".into();
    }
    status
}

/// Chooses the variant of a pod's problem.
fn variant<T: Copy + Default>(variants: &[T], identity: &PodIdentity) -> T {
    let place = identity.variant % variants.len().max(1);
    variants.get(place).copied().unwrap_or_default()
}

/// Returns why an image can't be pulled, as containerd words it.
fn no_image(image: &str, identity: &PodIdentity) -> String {
    let not_found = format!("{image}: not found");
    let causes = [
        not_found.as_str(),
        "unexpected status from HEAD request to https://registry.example.com/v2/: 401 Unauthorized",
        "failed to do request: Head \"https://registry.example.com/v2/\": dial tcp: lookup registry.example.com on 10.96.0.10:53: no such host",
    ];
    let cause = variant(&causes, identity);
    format!(
        "Back-off pulling image \"{image}\": ErrImagePull: failed to pull and unpack image \"{image}\": failed to resolve reference \"{image}\": {cause}"
    )
}

fn container_status(workload: &Workload, identity: &PodIdentity, container: &str, since: &str) -> Value {
    let first = container == CONTAINERS[0];
    let image = image(workload, container);
    let ended = |code: i32, reason: &str| json!({"terminated": {"exitCode": code, "reason": reason, "startedAt": since, "finishedAt": since}});
    let running = || json!({"running": {"startedAt": since}});
    let waiting = |reason: &str, message: String| json!({"waiting": {"reason": reason, "message": message}});
    let pod = format!("{}_{}({})", identity.name, workload.namespace, identity.uid);
    let back_off = || {
        waiting(
            "CrashLoopBackOff",
            format!("back-off 5m0s restarting failed container={container} pod={pod}"),
        )
    };
    let (state, last, restarts) = match identity.health {
        Health::Good if workload.owner == Owner::Job => (ended(0, "Completed"), json!({}), 0),
        Health::Failed => (
            ended(if first { 1 } else { 0 }, if first { "Error" } else { "Completed" }),
            json!({}),
            0,
        ),
        Health::CrashLoop if first => {
            let code = variant(&[1, 2, 127, 139, 143], identity);
            (back_off(), ended(code, "Error"), 40 + identity.number / 100 % 100)
        }
        Health::OutOfMemory if first => (back_off(), ended(137, "OOMKilled"), 5 + identity.number / 100 % 30),
        Health::NoImage if first => (waiting("ImagePullBackOff", no_image(&image, identity)), json!({}), 0),
        Health::NoConfig if first => {
            let message = format!("configmap \"{}-config\" not found", workload.name);
            (waiting("CreateContainerConfigError", message), json!({}), 0)
        }
        Health::Evicted => (ended(137, "ContainerStatusUnknown"), json!({}), 0),
        _ => (running(), json!({}), usize::from(identity.number.is_multiple_of(17))),
    };
    let runs = state["running"].is_object();
    let ready = runs && !(first && identity.health == Health::NotReady);
    json!({"name": container, "image": image, "ready": ready, "started": runs, "restartCount": restarts, "state": state,
        "lastState": last, "imageID": format!("{image}@sha256:{:064x}", workload.number)})
}
