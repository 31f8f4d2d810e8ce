//! Decides whose password is hashed, and when. Guessing is slow, and the failures of others never
//! lock users out on networks from which they have logged in before.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use podgate_store::{Passwords, Priority, Turn};
use tokio::sync::Semaphore;

use super::{
    Options,
    limits::{Limits, Tries},
};
use crate::{
    clock::Clock,
    error::{Denied, Result},
};

/// The most attempts that may wait at once for accounts with too many failures.
const WAITING: usize = 32;

/// The throttle of log-ins: the limits of failures, and the waiting that they cause.
#[derive(Debug)]
pub(super) struct Throttle {
    limits: Mutex<Limits>,
    waiting: Semaphore,
    passwords: Passwords,
    clock: Clock,
}

impl Throttle {
    pub(super) fn new(options: &Options, passwords: Passwords, clock: Clock) -> Self {
        Self {
            limits: Mutex::new(Limits::new(options)),
            waiting: Semaphore::new(WAITING),
            passwords,
            clock,
        }
    }

    /// Refuses a log-in whose limit is reached.
    ///
    /// # Errors
    /// `TooMany`.
    pub(super) fn check(&self, tries: &Tries) -> Result<()> {
        allow(self.limits().refusal(tries, self.clock.now()))
    }

    /// Waits until the password of a log-in may be hashed. A log-in from a network that is `known`
    /// for the account goes first and is never slowed.
    ///
    /// # Errors
    /// `TooMany` if a limit is reached, also while waiting, or if too many wait.
    pub(super) async fn turn(&self, tries: &Tries, known: bool) -> Result<Turn> {
        let priority = if known { Priority::High } else { Priority::Low };
        let mut waited = Duration::ZERO;
        loop {
            self.check(tries)?;
            let delay = self.delay(tries, known);
            if delay > waited {
                self.wait(delay.saturating_sub(waited)).await?;
                waited = delay;
                continue;
            }
            let turn = self.passwords.turn(priority).await?;
            // Checked again now that no other attempt is running: those that waited with this one
            // have been counted.
            self.check(tries)?;
            if self.delay(tries, known) <= waited {
                return Ok(turn);
            }
        }
    }

    /// Waits until a session's old password may be hashed.
    ///
    /// # Errors
    /// `TooMany`.
    pub(super) async fn turn_of_session(&self, session: i64) -> Result<Turn> {
        let check = || allow(self.limits().session_refusal(session, self.clock.now()));
        check()?;
        let turn = self.passwords.turn(Priority::High).await?;
        check()?;
        Ok(turn)
    }

    /// Counts a failed log-in.
    pub(super) fn fail(&self, tries: &Tries) {
        self.limits().fail(tries, self.clock.now());
    }

    /// Counts a wrong old or a weak new password.
    pub(super) fn fail_session(&self, session: i64) {
        self.limits().fail_session(session, self.clock.now());
    }

    fn delay(&self, tries: &Tries, known: bool) -> Duration {
        if known {
            Duration::ZERO
        } else {
            self.limits().delay(tries, self.clock.now())
        }
    }

    async fn wait(&self, delay: Duration) -> Result<()> {
        let place = self.waiting.try_acquire();
        let _place = place.map_err(|_| Denied::TooMany {
            retry_after: delay.as_secs().max(1),
        })?;
        tokio::time::sleep(delay).await;
        Ok(())
    }

    fn limits(&self) -> MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn allow(refusal: Option<u64>) -> Result<()> {
    refusal.map_or(Ok(()), |retry_after| Err(Denied::TooMany { retry_after }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::sync::Arc;

    use tokio::time::Instant;

    use super::*;

    /// Uses tokio's clock, which the tests pause.
    fn throttle() -> Arc<Throttle> {
        let start = Instant::now();
        let clock = Clock::from_fn(move || i64::try_from(start.elapsed().as_millis()).unwrap());
        Arc::new(Throttle::new(&Options::default(), Passwords::default(), clock))
    }

    fn tries(network: u32, username: &str) -> Tries {
        Tries::new((0x0a00_0000 + network).to_be_bytes().into(), username)
    }

    /// Attempts a log-in with a wrong password from an unknown network.
    async fn guess(throttle: &Throttle, network: u32, username: &str) -> Result<()> {
        let tries = tries(network, username);
        let turn = throttle.turn(&tries, false).await?;
        throttle.fail(&tries);
        drop(turn);
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn guesses_from_many_networks_are_slowed_but_known_clients_are_not() {
        let throttle = throttle();
        let start = Instant::now();
        for network in 0..10 {
            guess(&throttle, network, "admin").await.unwrap();
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        for (network, waited) in [(10, 1), (11, 3), (12, 7), (13, 15), (14, 23)] {
            guess(&throttle, network, "Admin").await.unwrap();
            assert_eq!(start.elapsed().as_secs(), waited);
        }
        // In a flood, 32 attempts wait and all others are refused immediately.
        let flood: Vec<_> = (0..100)
            .map(|network| {
                let throttle = throttle.clone();
                tokio::spawn(async move { guess(&throttle, 1000 + network, "admin").await })
            })
            .collect();
        tokio::task::yield_now().await;
        let before = Instant::now();
        let turn = throttle.turn(&tries(5000, "admin"), true).await.unwrap();
        assert_eq!(Instant::now(), before);
        drop(turn);
        // Another account is not affected.
        guess(&throttle, 5001, "other").await.unwrap();
        assert_eq!(Instant::now(), before);
        let mut hashed = 0;
        for guess in flood {
            match guess.await.unwrap() {
                Ok(()) => hashed += 1,
                Err(denied) => assert!(matches!(denied, Denied::TooMany { retry_after: 8 }), "{denied}"),
            }
        }
        assert_eq!(hashed, WAITING);
        assert_eq!(before.elapsed().as_secs(), 8);
    }

    #[tokio::test(start_paused = true)]
    async fn a_try_that_was_let_through_waits_when_the_others_before_it_have_failed() {
        let throttle = throttle();
        let start = Instant::now();
        let guesses: Vec<_> = (0..12)
            .map(|network| {
                let throttle = throttle.clone();
                tokio::spawn(async move { guess(&throttle, network, "admin").await })
            })
            .collect();
        for guess in guesses {
            guess.await.unwrap().unwrap();
        }
        assert_eq!(
            start.elapsed().as_secs(),
            2,
            "ten at once, one after a second, one after two"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_is_stopped_from_one_network_and_no_one_else_behind_it() {
        let throttle = throttle();
        for _ in 0..10 {
            guess(&throttle, 1, "careless").await.unwrap();
        }
        for _ in 0..200 {
            let denied = guess(&throttle, 1, "careless").await.unwrap_err();
            assert!(matches!(denied, Denied::TooMany { retry_after: 300 }), "{denied}");
        }
        for n in 0..90 {
            guess(&throttle, 1, &format!("user-{n}")).await.unwrap();
        }
        let denied = throttle.turn(&tries(1, "another"), true).await.unwrap_err();
        assert!(matches!(denied, Denied::TooMany { .. }), "{denied}");
        guess(&throttle, 2, "another").await.unwrap();
        tokio::time::advance(Duration::from_secs(300)).await;
        guess(&throttle, 1, "careless").await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn an_unknown_account_is_slowed_like_any() {
        let throttle = throttle();
        let start = Instant::now();
        for network in 0..11 {
            guess(&throttle, network, "nobody").await.unwrap();
        }
        assert_eq!(start.elapsed().as_secs(), 1);
    }
}
