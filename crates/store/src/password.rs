//! Password hashing with Argon2id, one at a time: each hash takes 19 MiB and a core.

use std::{
    collections::VecDeque,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
};

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::{self, phc},
};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::{
    error::{Error, Result},
    strength::{LONGEST, refusal},
};

/// How many callers of each priority may wait for their turn: as many as are served in a few
/// seconds. Further callers are refused and may try again.
const WAITING: usize = 64;

/// The parameters of OWASP's Password Storage Cheat Sheet: m = 19 MiB, t = 2, p = 1.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A hash with our parameters that belongs to no password. An unknown user's attempt is checked
/// against it, so that it takes as long as a known user's.
const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$cG9kZ2F0ZS1kZWNveS4uLg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

static ARGON2: LazyLock<std::result::Result<Argon2<'static>, argon2::Error>> = LazyLock::new(|| {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
});

/// A password's hash as a PHC string. Its `Debug` output shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub(crate) String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// The hasher of passwords, whose clones share one queue. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Passwords {
    queue: Arc<Mutex<Queue>>,
}

/// The priority of a caller. Callers of the same priority take turns in the order in which they
/// came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// A caller who is known, before all who are not.
    High,
    /// Any other caller.
    Low,
}

/// Whether a caller is hashing, and the callers who wait.
#[derive(Debug, Default)]
struct Queue {
    busy: bool,
    high: VecDeque<oneshot::Sender<Turn>>,
    low: VecDeque<oneshot::Sender<Turn>>,
}

/// The right to hash now. Only one exists; it lasts until the hashing is done, even if the holder
/// is dropped.
#[derive(Clone, Debug)]
pub struct Turn {
    _held: Arc<Held>,
}

/// Passes the turn to the next caller when it is dropped.
#[derive(Debug)]
struct Held(Passwords);

impl Passwords {
    /// Waits until no other caller hashes and none of a higher priority waits.
    ///
    /// # Errors
    /// [`Error::Busy`] if 64 callers of this priority are waiting already.
    pub async fn turn(&self, priority: Priority) -> Result<Turn> {
        let turn = {
            let mut queue = self.queue();
            if !queue.busy {
                queue.busy = true;
                return Ok(self.held());
            }
            let waiting = match priority {
                Priority::High => &mut queue.high,
                Priority::Low => &mut queue.low,
            };
            if waiting.len() >= WAITING {
                waiting.retain(|one| !one.is_closed());
            }
            if waiting.len() >= WAITING {
                return Err(Error::Busy);
            }
            let (give, turn) = oneshot::channel();
            waiting.push_back(give);
            turn
        };
        turn.await.map_err(|_| Error::Busy)
    }

    fn held(&self) -> Turn {
        Turn {
            _held: Arc::new(Held(self.clone())),
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// Takes the next caller who still waits.
    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        loop {
            let next = self.high.pop_front().or_else(|| self.low.pop_front())?;
            if !next.is_closed() {
                return Some(next);
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let next = {
            let mut queue = self.0.queue();
            let next = queue.next();
            queue.busy = next.is_some();
            next
        };
        if let Some(next) = next {
            // If that caller leaves right now, the turn in the channel is dropped and passes itself
            // on.
            let _ = next.send(self.0.held());
        }
    }
}

impl Turn {
    /// Returns whether a password matches a hash, in constant time.
    ///
    /// Returns `false` after the same work if there is no hash (the user is unknown) or the
    /// password is longer than any may be.
    ///
    /// # Errors
    /// [`Error::Password`].
    pub async fn verify(&self, password: &str, hash: Option<&PasswordHash>) -> Result<bool> {
        let possible = password.len() <= LONGEST;
        let password = Zeroizing::new(if possible { password.to_owned() } else { String::new() });
        let known = hash.is_some() && possible;
        let hash = hash.map_or_else(|| DECOY.to_owned(), |hash| hash.0.clone());
        self.run(
            move |argon2| match argon2.verify_password(password.as_bytes(), hash.as_str()) {
                Ok(()) => Ok(known),
                Err(password_hash::Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(Error::Password(error.to_string())),
            },
        )
        .await
    }

    /// Hashes a new password of an account with a random salt.
    ///
    /// This is the only way to a hash, so that no weak password gets one. A password must have 8
    /// characters to 1,024 bytes, must not contain the user name, and must not be among the first
    /// that are guessed (zxcvbn's scores 0 and 1).
    ///
    /// # Errors
    /// [`Error::Weak`], [`Error::Password`].
    pub async fn hash(&self, password: &str, username: &str) -> Result<PasswordHash> {
        let password = Zeroizing::new(password.to_owned());
        let username = username.to_owned();
        self.run(move |argon2| {
            if let Some(reason) = refusal(&password, &username) {
                return Err(Error::Weak(reason));
            }
            let hash: phc::PasswordHash = argon2
                .hash_password(password.as_bytes())
                .map_err(|error| Error::Password(error.to_string()))?;
            Ok(PasswordHash(hash.to_string()))
        })
        .await
    }

    /// Runs on a blocking thread, which keeps the turn until it is done: a caller that is cancelled
    /// must not let the next one in early.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'static>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let turn = self.clone();
        tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let argon2 = ARGON2.as_ref().map_err(|error| Error::Password(error.to_string()))?;
            work(argon2)
        })
        .await
        .map_err(|error| Error::Password(error.to_string()))?
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[tokio::test]
    async fn a_password_verifies_against_its_own_hash_only() {
        let turn = Passwords::default().turn(Priority::Low).await.unwrap();
        let hash = turn.hash("correct horse", "admin").await.unwrap();
        assert!(hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.0);
        assert!(turn.verify("correct horse", Some(&hash)).await.unwrap());
        assert!(!turn.verify("correct horsf", Some(&hash)).await.unwrap());
        assert!(!turn.verify("", Some(&hash)).await.unwrap());
        assert_ne!(turn.hash("correct horse", "admin").await.unwrap(), hash);
        assert!(!format!("{hash:?}").contains("argon2"));
    }

    #[tokio::test]
    async fn an_unknown_user_costs_the_same_hash_and_never_passes() {
        let turn = Passwords::default().turn(Priority::Low).await.unwrap();
        assert!(!turn.verify("anything", None).await.unwrap());
        let decoy = phc::PasswordHash::new(DECOY).unwrap();
        let params = Params::try_from(&decoy).unwrap();
        assert_eq!(
            (params.m_cost(), params.t_cost(), params.p_cost()),
            (MEMORY_KIB, PASSES, LANES)
        );
        assert_eq!(decoy.hash.unwrap().len(), Params::DEFAULT_OUTPUT_LEN);
    }

    #[tokio::test]
    async fn a_malformed_hash_is_an_error_and_not_a_wrong_password() {
        let turn = Passwords::default().turn(Priority::Low).await.unwrap();
        let malformed = PasswordHash("x".to_owned());
        assert!(matches!(
            turn.verify("anything", Some(&malformed)).await,
            Err(Error::Password(_))
        ));
    }

    #[tokio::test]
    async fn a_weak_password_gets_no_hash_and_one_that_is_too_long_never_passes() {
        let turn = Passwords::default().turn(Priority::Low).await.unwrap();
        let weak = turn.hash("password", "admin").await.unwrap_err();
        assert!(matches!(weak, Error::Weak(_)), "{weak}");
        let hash = turn.hash("correct horse", "admin").await.unwrap();
        assert!(!turn.verify(&"x".repeat(LONGEST + 1), Some(&hash)).await.unwrap());
    }

    #[tokio::test]
    async fn the_queue_is_bounded_and_turns_come_one_at_a_time() {
        let passwords = Passwords::default();
        let first = passwords.turn(Priority::Low).await.unwrap();
        let mut waiting: Vec<_> = (0..WAITING).map(|_| Box::pin(passwords.turn(Priority::Low))).collect();
        for turn in &mut waiting {
            assert!(futures_util::poll!(turn.as_mut()).is_pending());
        }
        assert!(matches!(passwords.turn(Priority::Low).await, Err(Error::Busy)));
        // Callers who left make room.
        drop(waiting.pop());
        let mut late = Box::pin(passwords.turn(Priority::Low));
        assert!(futures_util::poll!(late.as_mut()).is_pending());
        drop(first);
        let second = waiting.remove(0).await.unwrap();
        assert!(futures_util::poll!(waiting[0].as_mut()).is_pending());
        drop(second);
        waiting.remove(0).await.unwrap();
    }

    #[tokio::test]
    async fn a_high_priority_goes_before_all_who_wait_also_when_their_queue_is_full() {
        let passwords = Passwords::default();
        let first = passwords.turn(Priority::Low).await.unwrap();
        let mut low: Vec<_> = (0..WAITING).map(|_| Box::pin(passwords.turn(Priority::Low))).collect();
        for turn in &mut low {
            assert!(futures_util::poll!(turn.as_mut()).is_pending());
        }
        let mut high = Box::pin(passwords.turn(Priority::High));
        assert!(futures_util::poll!(high.as_mut()).is_pending());
        drop(first);
        let turn = high.await.unwrap();
        assert!(futures_util::poll!(low[0].as_mut()).is_pending());
        drop(turn);
        low.remove(0).await.unwrap();
    }

    #[tokio::test]
    async fn a_turn_given_to_one_who_goes_away_is_passed_on() {
        let passwords = Passwords::default();
        let first = passwords.turn(Priority::Low).await.unwrap();
        let [mut gone, mut next] = [(); 2].map(|()| Box::pin(passwords.turn(Priority::Low)));
        assert!(futures_util::poll!(gone.as_mut()).is_pending() && futures_util::poll!(next.as_mut()).is_pending());
        drop(first);
        drop(gone);
        next.await.unwrap();
        passwords.turn(Priority::Low).await.unwrap();
    }
}
