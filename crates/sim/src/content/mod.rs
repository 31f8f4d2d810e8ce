//! What is in a cluster when it starts, and what happens in it afterwards.

use std::sync::Arc;

use crate::state::State;

/// Fills a cluster with its content and keeps it in motion until it stops.
pub(crate) fn fill(state: &Arc<State>) {
    let _ = state;
}
