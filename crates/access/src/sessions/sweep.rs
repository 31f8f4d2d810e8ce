//! Ending sessions whose time is over, and following what other processes did.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{Sessions, shown};
use crate::error::Result;

/// Between two rounds of [`Sessions::sweep`]: how late an expiry, or what another process did to a session, is noticed by open streams.
const SWEEP: Duration = Duration::from_secs(5);

/// Milliseconds that a session's row outlives it, so that its tokens are still told that they have expired.
const REMEMBERED: i64 = 24 * 3600 * 1000;

impl Sessions {
    /// Deletes expired sessions from the store and cancels those in memory; runs until cancelled. One task, owned by the caller.
    pub async fn sweep(&self, stop: CancellationToken) {
        let mut ticks = interval(SWEEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            let round = stop.run_until_cancelled(self.sweep_once()).await;
            if let Some(Err(error)) = round {
                tracing::warn!(%error, "sessions could not be compared with the database");
            }
        }
    }

    /// One round of [`Sessions::sweep`]: ends what is over, notes what was used, and follows what another process ended, refreshed or barred.
    ///
    /// # Errors
    /// `Internal`; sessions then stay as they are, but for those whose time is over.
    pub async fn sweep_once(&self) -> Result<()> {
        let now = self.clock.now();
        self.live().remove_expired(now);
        // Here and not in the calls themselves: a known session needs no database.
        let touches = self.live().take_touches();
        for (id, at) in touches {
            self.store.touch_session(id, at).await?;
        }
        let (asked, generation) = {
            let live = self.live();
            (live.ids(), live.generation())
        };
        let mut found = self.store.sessions_by_ids(&asked).await?;
        found.retain(|(_, user)| !user.is_barred(now));
        let found = found
            .into_iter()
            .map(|(session, user)| (session, shown(&user)))
            .collect();
        self.live().reconcile(&asked, found, generation);
        let ended = now.saturating_sub(REMEMBERED);
        let unused = ended.saturating_sub(self.options.idle.saturating_mul(1000));
        self.store.delete_expired_sessions(ended, unused).await?;
        Ok(())
    }
}
