//! Many ordinary pods for load tests. Clusters of the same size have the same pods.
//!
//! The pods write no logs, so that a test of a log reader measures only the reader.

mod template;
mod workload;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::content::{backdated, churn};
use crate::manifest;
use crate::object::{Kind, Object};
use crate::state::State;
use template::Template;
use workload::{Owner, Size, Workload};

/// Fills a cluster, and changes `churn` pods per second until the cluster stops.
pub(super) fn fill(state: &Arc<State>, pods: usize, nodes: usize, namespaces: usize, churn: f64) {
    let size = Size {
        pods,
        nodes: nodes.max(1),
        namespaces: namespaces.max(1),
    };
    let now = Timestamp::now();
    for number in 0..size.namespaces {
        state.put(Kind::Namespace, backdated(manifest::namespace(&size.namespace(number))));
    }
    for number in 0..size.nodes {
        let mut node = backdated(manifest::node(&size.node(number)));
        node["status"]["addresses"][0]["address"] = json!(format!("192.168.{}.{}", number / 250, 2 + number % 250));
        state.put(Kind::Node, node);
    }
    for number in 0..size.workloads() {
        let workload = Workload::new(number, &size);
        let template = Template::new(&workload);
        for identity in workload.pods() {
            let age = SignedDuration::from_secs(i64::try_from(identity.age).unwrap_or(0));
            let created = now.checked_sub(age).unwrap_or(now);
            state.put(
                Kind::Pod,
                template::pod(&template, &workload, &identity, &size, created),
            );
        }
    }
    let seed = AtomicU64::new(1 << 40);
    // Setting it can't fail, because a cluster has only one content.
    let _ = state.on_pod_removed.set(Box::new(move |state, pod| {
        replace(state, pod, &size, seed.fetch_add(1, Ordering::Relaxed))
    }));
    if churn > 0.0 {
        tokio::spawn(churn::run(state.clone(), churn));
    }
}

/// Creates the replacement of a deleted pod, as its owner would. The pod of a Job is not replaced.
fn replace(state: &Arc<State>, removed: &Arc<Object>, size: &Size, seed: u64) {
    let Some(workload) = Workload::from_pod_name(&removed.name, size).filter(|it| it.namespace == removed.namespace)
    else {
        return;
    };
    let index = match workload.owner {
        Owner::Deployment => usize::try_from(seed).unwrap_or(0) % workload.replicas.max(1),
        Owner::StatefulSet => {
            let ordinal = removed.name.rsplit('-').next().and_then(|it| it.parse().ok());
            let Some(ordinal) = ordinal.filter(|ordinal| *ordinal < workload.replicas) else {
                return;
            };
            ordinal
        }
        Owner::Job => return,
    };
    let identity = workload.pod(index, seed);
    let template = Template::new(&workload);
    state.put(
        Kind::Pod,
        template::pod(&template, &workload, &identity, size, Timestamp::now()),
    );
}
