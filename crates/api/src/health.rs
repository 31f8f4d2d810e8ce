//! The probes for liveness and readiness. Their answers have no envelope, because machines read
//! only the status.

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

/// The readiness of Podgate. It names no cluster, because anyone may ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Readiness {
    /// Whether every cluster is synced or known to fail, and Podgate is not shutting down.
    ready: bool,
    /// Whether the database answered the last query. Callers with a known session still get lists
    /// without it, so `ready` does not depend on it.
    database: bool,
    /// The clusters, counted by the state of their sync.
    clusters: Counts,
}

/// The number of clusters in each state of their sync.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Counts {
    /// Clusters whose first sync is running.
    syncing: usize,
    /// Clusters whose pods are current.
    synced: usize,
    /// Clusters that were synced once, and whose watch is broken or being renewed.
    stale: usize,
    /// Clusters that were never synced, and whose last try failed.
    failed: usize,
}

pub(crate) const LIVE: Operation = Operation::new(
    "process.live",
    "Reports that the process is alive.",
    Success::Text("text/plain"),
);

/// `GET /healthz`: reports that the process is alive.
pub(crate) async fn live() -> &'static str {
    "ok\n"
}

pub(crate) const READY: Operation = Operation::new(
    "process.ready",
    "Reports whether Podgate can serve: 200, or 503 with the same fields.",
    Success::Bare(Schemas::of::<Readiness>),
);

/// `GET /readyz`: reports whether Podgate can serve.
///
/// It reads only memory. The server opens the database before it listens, and while the database is
/// away later, requests that do not need it are still served.
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
