//! What is in a cluster when it starts, and what happens in it afterwards.

mod churn;
mod random;
mod shop;
mod synthetic;

use std::sync::Arc;

use crate::options::Content;
use crate::state::State;

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
