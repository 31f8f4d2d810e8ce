//! What is in a cluster when it starts, and what happens in it afterwards.

mod churn;
mod shop;
mod synthetic;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::options::Content;
use crate::state::State;
use crate::time;

/// How long before its start a filled cluster was made: longer ago than its oldest pod.
const AGE: SignedDuration = SignedDuration::from_hours(24 * 45);

/// A namespace or node that has been there since the cluster was made.
pub(crate) fn backdated(mut object: Value) -> Value {
    let now = Timestamp::now();
    object["metadata"]["creationTimestamp"] = time::seconds(now.checked_sub(AGE).unwrap_or(now)).into();
    object
}

/// Fills a cluster with its content and keeps it in motion until it stops.
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
