//! The end of a cluster's streams, and the reason for it.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use tokio_util::sync::CancellationToken;

/// The reason why a cluster's streams end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemovalReason {
    /// The cluster was removed.
    Removed,
    /// The cluster was replaced by one with another credential or other settings.
    Replaced,
    /// The process is shutting down.
    Shutdown,
}

impl fmt::Display for RemovalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Removed => "the cluster was removed from Podgate",
            Self::Replaced => "the cluster's credential or settings were replaced, so open it again",
            Self::Shutdown => "Podgate is shutting down",
        })
    }
}

/// The signal that ends a cluster's streams, with its reason. Cheap to clone; the clones share one
/// state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Removal {
    token: CancellationToken,
    why: Arc<OnceLock<RemovalReason>>,
}

impl Removal {
    /// Ends the cluster's streams. The reason of the first call counts.
    pub(crate) fn cancel(&self, why: RemovalReason) {
        self.why.get_or_init(|| why);
        self.token.cancel();
    }

    /// Waits until the streams must end.
    pub(crate) async fn cancelled(&self) {
        self.token.cancelled().await;
    }

    /// Returns whether the streams must end.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Runs a future to its end. Returns `None` if the streams must end first.
    pub(crate) async fn run_until_cancelled<F: Future>(&self, work: F) -> Option<F::Output> {
        self.token.run_until_cancelled(work).await
    }

    /// Returns why the streams end.
    pub(crate) fn reason(&self) -> RemovalReason {
        self.why.get().copied().unwrap_or(RemovalReason::Removed)
    }
}
