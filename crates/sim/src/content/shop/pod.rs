//! The pods of the shop, and the objects that they are stored as.

use fastrand::Rng;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::workloads::{ContainerTemplate, Owner, Workload};
use crate::{names, time};

/// A container's state.
#[derive(Clone, Debug)]
pub(super) enum ContainerState {
    Waiting { reason: &'static str, message: String },
    Running { since: Timestamp },
    Terminated(Termination),
}

/// How a container's run ended.
#[derive(Clone, Debug)]
pub(super) struct Termination {
    pub(super) code: i32,
    pub(super) reason: &'static str,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

#[derive(Clone, Debug)]
pub(super) struct Container {
    pub(super) state: ContainerState,
    pub(super) last: Option<Termination>,
    pub(super) restarts: u64,
    pub(super) ready: bool,
}

impl Container {
    pub(super) fn waiting(reason: &'static str) -> Container {
        Container {
            state: ContainerState::Waiting {
                reason,
                message: String::new(),
            },
            last: None,
            restarts: 0,
            ready: false,
        }
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self.state, ContainerState::Running { .. })
    }
}

/// A pod's identity, node and containers.
#[derive(Clone, Debug)]
pub(super) struct Pod {
    pub(super) name: String,
    pub(super) uid: String,
    /// The hash of its `ReplicaSet`, the name of its Job, or the revision of its `StatefulSet`.
    pub(super) revision: String,
    pub(super) version: u32,
    pub(super) created: Timestamp,
    /// The node's name; empty until the pod is scheduled.
    pub(super) node: String,
    pub(super) host: String,
    pub(super) address: String,
    /// Why the pod does not fit on any node.
    pub(super) unschedulable: Option<&'static str>,
    pub(super) init: Vec<Container>,
    pub(super) containers: Vec<Container>,
}

impl Pod {
    fn phase(&self) -> &'static str {
        let ended = |code: fn(i32) -> bool| {
            self.containers
                .iter()
                .all(|it| matches!(&it.state, ContainerState::Terminated(ended) if code(ended.code)))
        };
        if !self.containers.is_empty() && ended(|code| code == 0) {
            "Succeeded"
        } else if !self.containers.is_empty() && ended(|_| true) {
            "Failed"
        } else if self
            .containers
            .iter()
            .any(|it| it.is_running() || it.last.is_some() || matches!(it.state, ContainerState::Terminated(_)))
        {
            "Running"
        } else {
            "Pending"
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.containers.iter().all(|it| it.ready)
    }

    /// Returns whether all containers have ended and none will be restarted.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.phase(), "Succeeded" | "Failed")
    }

    /// Builds the pod's object.
    pub(super) fn object(&self, workload: &Workload) -> Value {
        json!({"kind": "Pod", "apiVersion": "v1", "metadata": self.metadata(workload), "spec": self.spec(workload),
            "status": self.status(workload)})
    }

    fn metadata(&self, workload: &Workload) -> Value {
        let name = workload.name;
        let mut labels = json!({"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": workload.namespace,
            "app.kubernetes.io/version": workload.containers.first().map(|it| tag(it, self.version)), "app": name});
        let (kind, owner, api, label) = match workload.owner {
            Owner::Deployment(_) => (
                "ReplicaSet",
                format!("{name}-{}", self.revision),
                "apps/v1",
                "pod-template-hash",
            ),
            Owner::StatefulSet => ("StatefulSet", name.to_owned(), "apps/v1", "controller-revision-hash"),
            Owner::DaemonSet => ("DaemonSet", name.to_owned(), "apps/v1", "controller-revision-hash"),
            Owner::Job => ("Job", name.to_owned(), "batch/v1", "batch.kubernetes.io/job-name"),
            Owner::CronJob(_) => ("Job", self.revision.clone(), "batch/v1", "batch.kubernetes.io/job-name"),
        };
        labels[label] = match workload.owner {
            Owner::StatefulSet | Owner::DaemonSet => format!("{name}-{}", self.revision),
            Owner::Deployment(_) => self.revision.clone(),
            Owner::Job | Owner::CronJob(_) => owner.clone(),
        }
        .into();
        if workload.owner == Owner::StatefulSet {
            labels["statefulset.kubernetes.io/pod-name"] = self.name.clone().into();
        }
        let mut annotations = json!({"prometheus.io/scrape": "true"});
        if workload.containers.len() > 1
            && let Some(first) = workload.containers.first()
        {
            annotations["kubectl.kubernetes.io/default-container"] = first.name.into();
        }
        json!({"name": self.name, "namespace": workload.namespace, "uid": self.uid, "labels": labels, "annotations": annotations,
            "creationTimestamp": time::seconds(self.created),
            "ownerReferences": [{"apiVersion": api, "kind": kind, "name": owner, "uid": owner_uid(workload, &owner),
                "controller": true, "blockOwnerDeletion": true}]})
    }

    fn spec(&self, workload: &Workload) -> Value {
        let containers = workload
            .containers
            .iter()
            .map(|it| container_spec(it, self.version, workload));
        let init = workload
            .init
            .iter()
            .map(|it| container_spec(it, self.version, workload));
        let over = matches!(workload.owner, Owner::Job | Owner::CronJob(_));
        let mut spec = json!({"containers": containers.collect::<Vec<_>>(), "restartPolicy": if over { "Never" } else { "Always" },
            "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst", "serviceAccountName": workload.name,
            "serviceAccount": workload.name, "securityContext": {"runAsNonRoot": true}, "schedulerName": "default-scheduler",
            "priority": 0, "enableServiceLinks": true, "preemptionPolicy": "PreemptLowerPriority",
            "tolerations": [
                {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
                {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}],
            "volumes": [
                {"name": "config", "configMap": {"name": format!("{}-config", workload.name), "defaultMode": 420}},
                {"name": "tmp", "emptyDir": {}}]});
        if !workload.init.is_empty() {
            spec["initContainers"] = init.collect::<Vec<_>>().into();
        }
        if !self.node.is_empty() {
            spec["nodeName"] = self.node.clone().into();
        }
        spec
    }

    /// Builds the status, the part that changes over a pod's lifecycle.
    pub(super) fn status(&self, workload: &Workload) -> Value {
        let created = time::seconds(self.created);
        let condition = |kind: &str, holds: bool, why: Option<(&str, String)>| {
            let mut condition = json!({"type": kind, "status": if holds { "True" } else { "False" }, "lastProbeTime": null,
                "lastTransitionTime": created});
            if let Some((reason, message)) = why {
                condition["reason"] = reason.into();
                condition["message"] = message.into();
            }
            condition
        };
        if self.node.is_empty() {
            let why = self.unschedulable.map(|message| ("Unschedulable", message.to_owned()));
            return json!({"phase": "Pending", "qosClass": qos_class(workload.owner), "conditions": [condition("PodScheduled", false, why)]});
        }
        let over = self.is_over();
        let initialized = self.init.iter().all(|it| it.ready);
        let unready: Vec<&str> = self
            .containers
            .iter()
            .zip(workload.containers)
            .filter(|(it, _)| !it.ready)
            .map(|(_, it)| it.name)
            .collect();
        let why = match (over, unready.is_empty()) {
            (true, _) => Some(("PodCompleted", String::new())),
            (false, true) => None,
            (false, false) => Some((
                "ContainersNotReady",
                format!("containers with unready status: [{}]", unready.join(" ")),
            )),
        };
        let ready = self.is_ready();
        let list = |containers: &[Container], templates: &'static [ContainerTemplate]| -> Vec<Value> {
            containers
                .iter()
                .zip(templates)
                .map(|(it, template)| container_status(it, template, self.version))
                .collect()
        };
        let mut status = json!({"phase": self.phase(), "qosClass": qos_class(workload.owner), "startTime": created,
            "hostIP": self.host, "hostIPs": [{"ip": self.host}],
            "conditions": [condition("PodReadyToStartContainers", !over, None), condition("Initialized", initialized, None),
                condition("Ready", ready, why.clone()), condition("ContainersReady", ready, why), condition("PodScheduled", true, None)],
            "containerStatuses": list(&self.containers, workload.containers)});
        if !self.init.is_empty() {
            status["initContainerStatuses"] = list(&self.init, workload.init).into();
        }
        if !self.address.is_empty() {
            status["podIP"] = self.address.clone().into();
            status["podIPs"] = json!([{"ip": self.address}]);
        }
        status
    }
}

/// Returns the UID of an owner, which all its pods name.
fn owner_uid(workload: &Workload, owner: &str) -> String {
    let text = format!("{}/{owner}", workload.namespace);
    let seed = text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    names::uid(&mut Rng::with_seed(seed))
}

/// Returns the tag of a container's image.
pub(super) fn tag(template: &ContainerTemplate, version: u32) -> String {
    template.tag.replace("{}", &version.to_string())
}

/// Returns the image of a container with its tag.
pub(super) fn image(template: &ContainerTemplate, version: u32) -> String {
    format!("{}:{}", template.image, tag(template, version))
}

fn container_spec(template: &ContainerTemplate, version: u32, workload: &Workload) -> Value {
    let mut spec = json!({"name": template.name, "image": image(template, version), "imagePullPolicy": "IfNotPresent",
        "env": [
            {"name": "SERVICE", "value": workload.name}, {"name": "LOG_LEVEL", "value": "info"},
            {"name": "POD_IP", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}},
            {"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": format!("{}-database", workload.name), "key": "url"}}}],
        "resources": resources(workload.owner, template.memory),
        "volumeMounts": [{"name": "config", "mountPath": "/etc/config", "readOnly": true}, {"name": "tmp", "mountPath": "/tmp"}],
        "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"});
    if template.sidecar {
        spec["restartPolicy"] = "Always".into();
    }
    if template.command.is_empty() {
        spec["ports"] = json!([{"name": "main", "containerPort": template.port, "protocol": "TCP"}]);
        spec["readinessProbe"] = json!({"tcpSocket": {"port": template.port}, "periodSeconds": 10, "timeoutSeconds": 1,
            "successThreshold": 1, "failureThreshold": 3});
    } else {
        spec["command"] = template.command.into();
    }
    spec
}

/// Returns the resources of a container. They are chosen so that every class of [`qos_class`]
/// occurs.
fn resources(owner: Owner, memory: &str) -> Value {
    match owner {
        Owner::StatefulSet => {
            json!({"requests": {"cpu": "250m", "memory": memory}, "limits": {"cpu": "250m", "memory": memory}})
        }
        Owner::Deployment(_) | Owner::DaemonSet => {
            json!({"requests": {"cpu": "50m", "memory": memory}, "limits": {"memory": memory}})
        }
        Owner::Job | Owner::CronJob(_) => json!({}),
    }
}

/// Returns the class that Kubernetes' `GetPodQOS` gives a pod whose containers have [`resources`].
fn qos_class(owner: Owner) -> &'static str {
    match owner {
        Owner::StatefulSet => "Guaranteed",
        Owner::Deployment(_) | Owner::DaemonSet => "Burstable",
        Owner::Job | Owner::CronJob(_) => "BestEffort",
    }
}

fn container_status(container: &Container, template: &ContainerTemplate, version: u32) -> Value {
    let ended = |ended: &Termination| {
        json!({"terminated": {"exitCode": ended.code, "reason": ended.reason, "startedAt": time::seconds(ended.from),
            "finishedAt": time::seconds(ended.to)}})
    };
    let state = match &container.state {
        ContainerState::Waiting { reason, message } if message.is_empty() => json!({"waiting": {"reason": reason}}),
        ContainerState::Waiting { reason, message } => json!({"waiting": {"reason": reason, "message": message}}),
        ContainerState::Running { since } => json!({"running": {"startedAt": time::seconds(*since)}}),
        ContainerState::Terminated(it) => ended(it),
    };
    let image_id = match &container.state {
        ContainerState::Waiting { .. } if container.last.is_none() => String::new(),
        _ => format!("{}@sha256:{:064x}", template.image, template.image.len()),
    };
    json!({"name": template.name, "image": image(template, version), "imageID": image_id, "ready": container.ready,
        "started": container.is_running(), "restartCount": container.restarts, "state": state,
        "lastState": container.last.as_ref().map(ended).unwrap_or_else(|| json!({}))})
}
