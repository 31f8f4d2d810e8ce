//! The end of a cluster's streams, and the reason for it.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use tokio_util::sync::CancellationToken;

/// Why a cluster is no longer served as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemovalReason {
    /// It was removed.
    Removed,
    /// It was replaced by one with another credential or other settings.
    Replaced,
    /// The process is shutting down.
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

    /// Runs a future until it completes or the cluster ends.
    pub(crate) async fn run_until_cancelled<F: Future>(&self, work: F) -> Option<F::Output> {
        self.token.run_until_cancelled(work).await
    }

    /// Returns why the cluster ended.
    pub(crate) fn reason(&self) -> RemovalReason {
        self.why.get().copied().unwrap_or(RemovalReason::Removed)
    }
}
