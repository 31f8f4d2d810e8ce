//! The end of a cluster's streams, and why it came.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

/// Why a cluster, as it was, is no longer served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RemovalReason {
    /// It was removed.
    Removed,
    /// Another credential, or other settings, took its place.
    Replaced,
    /// The process ends.
    Shutdown,
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

    /// Returns why the end came, as the end of a sentence.
    pub(crate) fn reason(&self) -> &'static str {
        match self.why.get() {
            Some(RemovalReason::Replaced) => {
                "the credential or the settings of the cluster were replaced, so open it again"
            }
            Some(RemovalReason::Shutdown) => "Podgate is shutting down",
            Some(RemovalReason::Removed) | None => "the cluster was removed from Podgate",
        }
    }
}
