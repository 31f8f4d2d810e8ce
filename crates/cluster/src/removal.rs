//! The end of a cluster's streams, and why it came.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use tokio_util::sync::CancellationToken;

/// Why a cluster, as it was, is no longer served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemovalReason {
    /// It was removed.
    Removed,
    /// Another credential, or other settings, took its place.
    Replaced,
    /// The process ends.
    Shutdown,
}

impl fmt::Display for RemovalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Removed => "the cluster was removed from Podgate",
            Self::Replaced => "the credential or the settings of the cluster were replaced, so open it again",
            Self::Shutdown => "Podgate is shutting down",
        })
    }
}

/// Whether a cluster is still served as it was. Cheap to clone; the clones share one state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Removal {
    token: CancellationToken,
    why: Arc<OnceLock<RemovalReason>>,
}

impl Removal {
    /// Ends the cluster. The first reason counts.
    pub(crate) fn cancel(&self, why: RemovalReason) {
        self.why.get_or_init(|| why);
        self.token.cancel();
    }

    /// Waits for the end.
    pub(crate) async fn cancelled(&self) {
        self.token.cancelled().await;
    }

    /// Returns whether the end has come.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Runs a future until it ends or the end of the cluster comes.
    pub(crate) async fn run_until_cancelled<F: Future>(&self, work: F) -> Option<F::Output> {
        self.token.run_until_cancelled(work).await
    }

    /// Returns why the end came.
    pub(crate) fn reason(&self) -> RemovalReason {
        self.why.get().copied().unwrap_or(RemovalReason::Removed)
    }
}
