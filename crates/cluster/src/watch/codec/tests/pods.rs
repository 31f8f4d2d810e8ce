//! Pods for the codecs to write.

use std::collections::BTreeMap;

use proptest::{collection::vec, option, prelude::*};

use crate::wire::{
    Condition, Container, ContainerState, ContainerStatus, Metadata, OwnerReference, Pod, PodIp, Running, Spec, Status,
    Terminated, Time, Waiting,
};

pub(super) fn named(namespace: &str, name: &str) -> Pod {
    let mut pod = Pod::default();
    namespace.clone_into(&mut pod.metadata.namespace);
    name.clone_into(&mut pod.metadata.name);
    "7".clone_into(&mut pod.metadata.resource_version);
    pod
}

/// Returns a pod of several kilobytes.
pub(super) fn large(name: &str) -> Pod {
    let mut pod = named("x", name);
    for index in 0..20 {
        pod.spec.containers.push(Container {
            name: format!("container-{index}"),
            image: "image/".repeat(40),
            ..Container::default()
        });
    }
    pod
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-z]{1,8}", "\\PC{1,6}"]
}

fn some_text() -> impl Strategy<Value = String> {
    "\\PC{1,6}"
}

/// Generates any time that Kubernetes can store, including the epoch itself.
fn time() -> impl Strategy<Value = Option<Time>> {
    let seconds = prop_oneof![Just(0), Just(-1), -62_135_596_799_i64..253_402_300_000];
    option::of(seconds.prop_map(|seconds| Time { seconds }))
}

fn container() -> impl Strategy<Value = Container> {
    (text(), text(), text()).prop_map(|(name, image, restart_policy)| Container {
        name,
        image,
        restart_policy,
    })
}

fn terminated() -> impl Strategy<Value = Terminated> {
    (any::<i32>(), any::<i32>(), text(), text(), time()).prop_map(
        |(exit_code, signal, reason, message, finished_at)| Terminated {
            exit_code,
            signal,
            reason,
            message,
            finished_at,
        },
    )
}

fn state() -> impl Strategy<Value = ContainerState> {
    let waiting = (text(), text()).prop_map(|(reason, message)| Waiting { reason, message });
    let running = any::<bool>().prop_map(|is| is.then_some(Running {}));
    (option::of(waiting), running, option::of(terminated())).prop_map(|(waiting, running, terminated)| ContainerState {
        waiting,
        running,
        terminated,
    })
}

fn container_status() -> impl Strategy<Value = ContainerStatus> {
    (text(), any::<bool>(), any::<bool>(), any::<i32>(), state(), state()).prop_map(
        |(name, ready, started, restart_count, state, last_state)| ContainerStatus {
            name,
            ready,
            started,
            restart_count,
            state,
            last_state,
        },
    )
}

fn condition() -> impl Strategy<Value = Condition> {
    (text(), text(), text(), text()).prop_map(|(kind, status, reason, message)| Condition {
        kind,
        status,
        reason,
        message,
    })
}

fn metadata() -> impl Strategy<Value = Metadata> {
    let owner =
        (text(), text(), any::<bool>()).prop_map(|(kind, name, controller)| OwnerReference { kind, name, controller });
    let labels = vec((text(), text()), 0..4).prop_map(BTreeMap::from_iter);
    let names = (some_text(), some_text(), text(), text());
    (names, time(), time(), labels, vec(owner, 0..3)).prop_map(
        |(
            (name, namespace, uid, resource_version),
            creation_timestamp,
            deletion_timestamp,
            labels,
            owner_references,
        )| {
            Metadata {
                name,
                namespace,
                uid,
                resource_version,
                creation_timestamp,
                deletion_timestamp,
                labels,
                owner_references,
            }
        },
    )
}

fn spec() -> impl Strategy<Value = Spec> {
    (text(), vec(container(), 0..3), vec(container(), 0..3)).prop_map(|(node_name, containers, init_containers)| Spec {
        node_name,
        containers,
        init_containers,
    })
}

fn status() -> impl Strategy<Value = Status> {
    let texts = (text(), text(), text(), text(), text(), text());
    let statuses = || vec(container_status(), 0..3);
    let ips = vec(text().prop_map(|ip| PodIp { ip }), 0..3);
    (texts, ips, vec(condition(), 0..3), statuses(), statuses()).prop_map(
        |(
            (phase, reason, message, pod_ip, host_ip, qos_class),
            pod_ips,
            conditions,
            container_statuses,
            init_container_statuses,
        )| Status {
            phase,
            reason,
            message,
            pod_ip,
            pod_ips,
            host_ip,
            conditions,
            container_statuses,
            init_container_statuses,
            qos_class,
        },
    )
}

/// Generates any pod that has a name.
pub(super) fn pod() -> impl Strategy<Value = Pod> {
    (metadata(), spec(), status()).prop_map(|(metadata, spec, status)| Pod { metadata, spec, status })
}
