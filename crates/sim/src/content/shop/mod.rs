//! A small web shop on two clusters for the demo, which changes by itself.

mod controller;
mod events;
mod initial_state;
mod log_format;
mod log_writer;
mod pod;
mod pod_lifecycle;
mod sync;
mod workloads;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::backdated;
use crate::manifest;
use crate::object::Kind;
use crate::state::State;
use controller::Controller;

/// How often the controller checks what is due.
const TICK: Duration = Duration::from_millis(200);

/// Fills a cluster with the shop and runs its controller until the cluster stops.
pub(super) fn fill(state: &Arc<State>, cluster: &str) {
    let plan = workloads::plan(cluster);
    for namespace in ["shop", "payments", "monitoring"] {
        state.put(Kind::Namespace, backdated(manifest::namespace(namespace)));
    }
    for (index, name) in plan.nodes.iter().enumerate() {
        let mut node = backdated(manifest::node(name));
        node["metadata"]["labels"]["node-role.kubernetes.io/worker"] = "".into();
        node["metadata"]["labels"]["topology.kubernetes.io/zone"] = format!("zone-{}", index + 1).into();
        node["status"]["addresses"][0]["address"] = host(index).into();
        state.put(Kind::Node, node);
    }
    let mut controller = Controller::new(state.clone(), plan, Timestamp::now());
    controller.create_initial_pods(Timestamp::now());
    let stop = state.stop.clone();
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tick.tick() => controller.tick(Timestamp::now()),
            }
        }
    });
}

/// Returns the IP of a node.
fn host(index: usize) -> String {
    format!("192.168.10.{}", 11 + index)
}
