//! Whether the process lives, and whether it can serve. No envelope: these are for machines that
//! look at the status alone.

use axum::{
    Json,
    extract::State as Extract,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use podgate_cluster::SyncState;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Operation, Schemas, State, Success};

/// Whether Podgate can serve. Names nothing: anyone may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Readiness {
    /// Every cluster is synced or known to fail, and Podgate is not about to end.
    ready: bool,
    /// The database answered when it was last asked. Without it, lists of known sessions go on, so
    /// it does not count for `ready`.
    database: bool,
    /// Clusters by the state of their sync.
    clusters: Counts,
}

/// Clusters by the state of their sync.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Counts {
    /// Being synced for the first time.
    syncing: usize,
    /// Current.
    synced: usize,
    /// Synced once, and broken or being renewed.
    stale: usize,
    /// Never synced, and the last try failed.
    failed: usize,
}

pub(crate) const LIVE: Operation = Operation::new(
    "process.live",
    "Whether the process lives.",
    Success::Text("text/plain"),
);

/// `GET /healthz`: the process lives.
pub(crate) async fn live() -> &'static str {
    "ok\n"
}

pub(crate) const READY: Operation = Operation::new(
    "process.ready",
    "Whether it can serve: 200, else 503 with the same fields.",
    Success::Bare(Schemas::of::<Readiness>),
);

/// `GET /readyz`: it can serve. From memory: nothing answers here before the database was reached
/// once, because the server starts with opening it; while it is away later, what needs no database
/// goes on.
pub(crate) async fn ready(Extract(state): Extract<State>) -> Response {
    let states = state.gate().health().into_iter().map(|cluster| cluster.sync.state);
    let mut readiness = readiness(state.sessions().database_answers(), states);
    readiness.ready &= !state.is_leaving();
    let status = if readiness.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(readiness)).into_response()
}

fn readiness(database: bool, states: impl Iterator<Item = SyncState>) -> Readiness {
    let mut clusters = Counts::default();
    for state in states {
        match state {
            SyncState::Syncing => clusters.syncing += 1,
            SyncState::Synced => clusters.synced += 1,
            SyncState::Stale => clusters.stale += 1,
            SyncState::Failed => clusters.failed += 1,
        }
    }
    Readiness {
        ready: clusters.syncing == 0,
        database,
        clusters,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_ready_once_every_cluster_is_synced_or_known_to_fail() {
        use SyncState::{Failed, Stale, Synced, Syncing};
        for (database, states, ready) in [
            (true, &[][..], true),
            (true, &[Synced, Stale, Failed], true),
            (true, &[Synced, Syncing], false),
            (false, &[Synced], true),
            (false, &[Syncing], false),
        ] {
            assert_eq!(
                readiness(database, states.iter().copied()).ready,
                ready,
                "{database} {states:?}"
            );
        }
    }
}
