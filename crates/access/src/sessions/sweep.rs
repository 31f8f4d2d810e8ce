//! Background tasks: ending expired sessions, and following changes by other processes.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{Sessions, account::KNOWN, shown};
use crate::error::{Denied, Result};

/// The time between two rounds of [`Sessions::sweep`]. It bounds how late open streams notice that
/// a session expired or was changed by another process.
const SWEEP: Duration = Duration::from_secs(5);

/// For how many milliseconds a session's row is kept after its end, so that its tokens are answered
/// "expired" rather than "unknown".
const REMEMBERED: i64 = 24 * 3600 * 1000;

/// The time between two pings of [`Sessions::probe`].
const PROBE: Duration = Duration::from_secs(1);

impl Sessions {
    /// Runs [`Sessions::sweep_once`] every 5 seconds, until `stop` is cancelled. Spawn it once.
    pub async fn sweep(&self, stop: CancellationToken) {
        let mut ticks = interval(SWEEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            match stop.run_until_cancelled(self.sweep_once()).await {
                // `probe` logs it once.
                None | Some(Ok(()) | Err(Denied::Unavailable)) => {}
                Some(Err(error)) => tracing::warn!(%error, "sessions could not be compared with the database"),
            }
        }
    }

    /// Runs one round of [`Sessions::sweep`]: ends expired sessions, writes when sessions were
    /// used, and follows what other processes ended, refreshed or barred.
    ///
    /// # Errors
    /// `Unavailable`, `Internal`. Sessions then stay as they are, except those that expired and
    /// those that the database has not confirmed for
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
        // Done here rather than in each request: a cached session needs no database.
        let touches = self.cache().touches();
        for (id, token, at) in touches {
            self.store.touch_session(id, &token, at).await?;
            self.cache().touched(id, &token, at);
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

    /// Pings the database every second, until `stop` is cancelled. Spawn it once.
    ///
    /// It keeps [`Sessions::database_answers`] up to date while there are no requests, and logs
    /// when the database becomes unavailable and when it is back.
    pub async fn probe(&self, stop: CancellationToken) {
        let mut ticks = interval(PROBE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut away = false;
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            match stop.run_until_cancelled(self.store.ping()).await {
                Some(Err(error)) if !away => {
                    tracing::error!(
                        %error,
                        "the database is unavailable: lists continue for sessions in use, log-ins and changes fail with 503002 until it is back"
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

    /// Returns whether the database answered the last statement. Reads memory only.
    pub fn database_answers(&self) -> bool {
        self.store.answers()
    }
}
