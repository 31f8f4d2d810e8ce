//! The objects that a cluster starts with, and the changes to them afterwards.

mod churn;
mod shop;
mod synthetic;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::options::Content;
use crate::state::State;
use crate::time;

/// The age that a filled cluster has when it starts. Its pods are younger.
const AGE: SignedDuration = SignedDuration::from_hours(24 * 45);

/// Sets the creation time of a namespace or node to that of the cluster.
pub(crate) fn backdated(mut object: Value) -> Value {
    let now = Timestamp::now();
    object["metadata"]["creationTimestamp"] = time::seconds(now.checked_sub(AGE).unwrap_or(now)).into();
    object
}

/// Fills a cluster with its content and keeps changing it until the cluster stops.
pub(crate) fn fill(state: &Arc<State>) {
    match &state.options.content {
        Content::Empty => {}
        Content::Shop { cluster } => shop::fill(state, cluster),
        Content::Synthetic {
            pods,
            nodes,
            namespaces,
            churn,
        } => synthetic::fill(state, *pods, *nodes, *namespaces, *churn),
    }
}
