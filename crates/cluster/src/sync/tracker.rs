//! The tracker that combines the states of all watches of a cluster.

use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use super::{Sync, SyncState};
use crate::Error;

/// The state of each watch of a cluster, and the state of the cluster that follows from them. Every
/// change of a watch's state goes through this type.
#[derive(Debug)]
pub(crate) struct SyncTracker {
    parts: Mutex<Vec<Sync>>,
    combined: watch::Sender<Sync>,
    /// Notified together with `combined`, for waiters on any cluster.
    changes: watch::Sender<()>,
}

impl SyncTracker {
    /// Makes a tracker of `parts` watches (at least one), none of which has synced.
    pub(crate) fn new(parts: usize, changes: watch::Sender<()>) -> Self {
        let syncing = Sync {
            state: SyncState::Syncing,
            synced_at: None,
            error: None,
        };
        Self {
            parts: Mutex::new(vec![syncing.clone(); parts.max(1)]),
            combined: watch::Sender::new(syncing),
            changes,
        }
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Sync> {
        self.combined.subscribe()
    }

    pub(crate) fn sync(&self) -> Sync {
        self.combined.borrow().clone()
    }

    /// Records that a watch's rows equal the cluster now.
    pub(crate) fn confirm(&self, part: usize) {
        self.update(part, |sync| {
            sync.state = SyncState::Synced;
            sync.synced_at = Some(jiff::Timestamp::now().as_millisecond());
            sync.error = None;
        });
    }

    /// Records that a watch works again.
    pub(crate) fn recovered(&self, part: usize) {
        self.update(part, |sync| {
            if sync.synced_at.is_some() {
                sync.state = SyncState::Synced;
                sync.error = None;
            }
        });
    }

    /// Records that a watch is broken or starts again.
    pub(crate) fn stale(&self, part: usize, error: Error) {
        self.update(part, |sync| {
            sync.state = match sync.synced_at {
                Some(_) => SyncState::Stale,
                None => SyncState::Failed,
            };
            sync.error = Some(error);
        });
    }

    /// Changes the state of a watch. Wakes waiters only if the state or the error changed, because
    /// the time of the last confirmation changes with every event.
    fn update(&self, part: usize, change: impl FnOnce(&mut Sync)) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(part) = parts.get_mut(part) {
            change(part);
        }
        let worst = worst(&parts);
        let changed = self.combined.send_if_modified(|combined| {
            let changed = combined.state != worst.state || combined.error != worst.error;
            *combined = worst;
            changed
        });
        if changed {
            self.changes.send_replace(());
        }
    }
}

/// Returns the worst state with its error, and the oldest confirmation.
fn worst(parts: &[Sync]) -> Sync {
    let rank = |sync: &Sync| match sync.state {
        SyncState::Synced => 0,
        SyncState::Stale => 1,
        SyncState::Syncing => 2,
        SyncState::Failed => 3,
    };
    let mut worst = Sync {
        state: SyncState::Synced,
        synced_at: parts.first().and_then(|sync| sync.synced_at),
        error: None,
    };
    let mut worst_rank = 0;
    for part in parts {
        worst.synced_at = worst.synced_at.min(part.synced_at);
        if rank(part) > worst_rank {
            worst_rank = rank(part);
            worst.state = part.state;
            worst.error.clone_from(&part.error);
        }
    }
    worst
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn error(text: &str) -> Error {
        Error::timeout(text)
    }

    #[test]
    fn the_worst_watch_speaks_for_all() {
        let tracker = SyncTracker::new(2, watch::Sender::new(()));
        tracker.confirm(0);
        assert_eq!(
            (tracker.sync().state, tracker.sync().synced_at),
            (SyncState::Syncing, None)
        );
        tracker.stale(1, error("b is forbidden"));
        assert_eq!(tracker.sync().state, SyncState::Failed);
        assert_eq!(tracker.sync().error.unwrap().to_string(), "b is forbidden");
        tracker.confirm(1);
        assert_eq!(tracker.sync().state, SyncState::Synced);
        assert!(tracker.sync().synced_at.is_some() && tracker.sync().error.is_none());
        tracker.stale(0, error("a broke"));
        assert_eq!(tracker.sync().state, SyncState::Stale);
        tracker.recovered(0);
        assert_eq!(tracker.sync().state, SyncState::Synced);
    }

    #[test]
    fn a_watch_that_never_synced_is_not_made_whole_by_time() {
        let tracker = SyncTracker::new(1, watch::Sender::new(()));
        tracker.stale(0, error("no"));
        tracker.recovered(0);
        assert_eq!(tracker.sync().state, SyncState::Failed);
    }

    #[test]
    fn waiters_wake_for_a_state_and_not_for_each_event() {
        let tracker = SyncTracker::new(1, watch::Sender::new(()));
        let mut receiver = tracker.subscribe();
        tracker.confirm(0);
        assert!(receiver.has_changed().unwrap());
        receiver.mark_unchanged();
        tracker.confirm(0);
        assert!(!receiver.has_changed().unwrap());
        tracker.stale(0, error("x"));
        assert!(receiver.has_changed().unwrap());
        receiver.mark_unchanged();
        tracker.stale(0, error("x"));
        assert!(!receiver.has_changed().unwrap());
        tracker.stale(0, error("y"));
        assert!(receiver.has_changed().unwrap(), "another reason is news too");
    }
}
