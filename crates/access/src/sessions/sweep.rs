//! Ending sessions whose time is over, and following what other processes did.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{Sessions, account::KNOWN, shown};
use crate::error::{Denied, Result};

/// Between two rounds of [`Sessions::sweep`]: how late an expiry, or what another process did to a
/// session, is noticed by open streams.
const SWEEP: Duration = Duration::from_secs(5);

/// Milliseconds that a session's row outlives it, so that its tokens are still told that they have
/// expired.
const REMEMBERED: i64 = 24 * 3600 * 1000;

/// Between two questions of [`Sessions::probe`].
const PROBE: Duration = Duration::from_secs(1);

impl Sessions {
    /// Deletes expired sessions from the store and cancels those in memory; runs until cancelled.
    /// One task, owned by the caller.
    pub async fn sweep(&self, stop: CancellationToken) {
        let mut ticks = interval(SWEEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            match stop.run_until_cancelled(self.sweep_once()).await {
                // `probe` says so, once.
                None | Some(Ok(()) | Err(Denied::Unavailable)) => {}
                Some(Err(error)) => tracing::warn!(%error, "sessions could not be compared with the database"),
            }
        }
    }

    /// One round of [`Sessions::sweep`]: ends what is over, notes what was used, and follows what
    /// another process ended, refreshed or barred.
    ///
    /// # Errors
    /// `Unavailable`, `Internal`; sessions then stay as they are, but for those whose time is over,
    /// and those that the database has not confirmed for
    /// [`Options::unconfirmed`](super::Options::unconfirmed) seconds.
    pub async fn sweep_once(&self) -> Result<()> {
        let now = self.clock.now();
        self.cache().remove_expired(now);
        let compared = self.compare(now).await;
        if compared.is_err() {
            self.cache().remove_unconfirmed(now);
        }
        compared?;
        let ended = now.saturating_sub(REMEMBERED);
        let unused = ended.saturating_sub(self.options.idle.saturating_mul(1000));
        self.store.delete_expired_sessions(ended, unused).await?;
        self.store.forget_networks(now.saturating_sub(KNOWN)).await?;
        Ok(())
    }

    async fn compare(&self, now: i64) -> Result<()> {
        // Here and not in the calls themselves: a known session needs no database.
        let touches = self.cache().touches();
        for (id, at) in touches {
            self.store.touch_session(id, at).await?;
            self.cache().touched(id, at);
        }
        let (asked, generation) = {
            let cache = self.cache();
            (cache.ids(), cache.generation())
        };
        let mut found = self.store.sessions_by_ids(&asked).await?;
        found.retain(|(_, user)| !user.is_barred(now));
        let found = found
            .into_iter()
            .map(|(session, user)| (session, shown(&user)))
            .collect();
        self.cache().reconcile(&asked, found, generation, now);
        Ok(())
    }

    /// Asks the database every second whether it is there, so that [`Sessions::database_answers`]
    /// is right also while nobody calls, and says in the log when it goes and when it is back; runs
    /// until cancelled. One task, owned by the caller.
    pub async fn probe(&self, stop: CancellationToken) {
        let mut ticks = interval(PROBE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut away = false;
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            match stop.run_until_cancelled(self.store.ping()).await {
                Some(Err(error)) if !away => {
                    tracing::error!(
                        %error,
                        "the database is away: lists of known sessions go on, log-ins and changes fail with 503002 until it is back"
                    );
                    away = true;
                }
                Some(Ok(())) if away => {
                    tracing::info!("the database is back");
                    away = false;
                }
                _ => {}
            }
        }
    }

    /// Returns whether the database was there when it was last asked for anything. From memory.
    pub fn database_answers(&self) -> bool {
        self.store.answers()
    }
}
