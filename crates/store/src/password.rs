//! Password hashing with Argon2id, one at a time: each takes 19 MiB and a core.

use std::sync::{Arc, LazyLock};

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::{self, phc},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// How many may wait for their turn, some seconds' worth; more are told to come back.
const WAITING: usize = 64;

/// OWASP's Password Storage Cheat Sheet: m = 19 MiB, t = 2, p = 1.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A hash with our parameters that no one has a password for: what an unknown user's try is checked against, so that it takes as long
/// as a known one's.
const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$cG9kZ2F0ZS1kZWNveS4uLg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

static ARGON2: LazyLock<std::result::Result<Argon2<'static>, argon2::Error>> = LazyLock::new(|| {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
});

/// A password's hash as a PHC string. Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub(crate) String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// The one place where passwords are hashed. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Passwords {
    queue: Arc<Semaphore>,
    turn: Arc<Semaphore>,
}

/// The right to hash now. Whoever holds it is alone; it lasts until the hashing is over, even if the holder goes away.
#[derive(Clone, Debug)]
pub struct Turn {
    _permits: Arc<[OwnedSemaphorePermit; 2]>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            queue: Arc::new(Semaphore::new(WAITING)),
            turn: Arc::new(Semaphore::new(1)),
        }
    }
}

impl Passwords {
    /// Waits until nobody else is hashing.
    ///
    /// # Errors
    /// [`Error::Busy`] when 64 are waiting already.
    pub async fn turn(&self) -> Result<Turn> {
        let queued = self.queue.clone().try_acquire_owned().map_err(|_| Error::Busy)?;
        let turn = self.turn.clone().acquire_owned().await.map_err(|_| Error::Busy)?;
        Ok(Turn {
            _permits: Arc::new([queued, turn]),
        })
    }
}

impl Turn {
    /// Whether a password is the one of a hash, in constant time. Without a hash (an unknown user): `false`, after the same work.
    ///
    /// # Errors
    /// [`Error::Password`].
    pub async fn verify(&self, password: &str, hash: Option<&PasswordHash>) -> Result<bool> {
        let password = Zeroizing::new(password.to_owned());
        let known = hash.is_some();
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

    /// Hashes a password with a random salt.
    ///
    /// # Errors
    /// [`Error::Password`].
    pub async fn hash(&self, password: &str) -> Result<PasswordHash> {
        let password = Zeroizing::new(password.to_owned());
        self.run(move |argon2| {
            let hash: phc::PasswordHash = argon2
                .hash_password(password.as_bytes())
                .map_err(|error| Error::Password(error.to_string()))?;
            Ok(PasswordHash(hash.to_string()))
        })
        .await
    }

    /// Runs on a blocking thread, which keeps the turn until it is done: a caller that goes away must not let the next one in early.
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
        let turn = Passwords::default().turn().await.unwrap();
        let hash = turn.hash("correct horse").await.unwrap();
        assert!(hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.0);
        assert!(turn.verify("correct horse", Some(&hash)).await.unwrap());
        assert!(!turn.verify("correct horsf", Some(&hash)).await.unwrap());
        assert!(!turn.verify("", Some(&hash)).await.unwrap());
        assert_ne!(turn.hash("correct horse").await.unwrap(), hash);
        assert!(!format!("{hash:?}").contains("argon2"));
    }

    #[tokio::test]
    async fn an_unknown_user_costs_the_same_hash_and_never_passes() {
        let turn = Passwords::default().turn().await.unwrap();
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
        let turn = Passwords::default().turn().await.unwrap();
        let malformed = PasswordHash("x".to_owned());
        assert!(matches!(
            turn.verify("anything", Some(&malformed)).await,
            Err(Error::Password(_))
        ));
    }

    #[tokio::test]
    async fn the_queue_is_bounded_and_turns_come_one_at_a_time() {
        let passwords = Passwords::default();
        let first = passwords.turn().await.unwrap();
        let mut waiting: Vec<_> = (1..WAITING).map(|_| Box::pin(passwords.turn())).collect();
        for turn in &mut waiting {
            assert!(futures_util::poll!(turn.as_mut()).is_pending());
        }
        assert!(matches!(passwords.turn().await, Err(Error::Busy)));
        drop(first);
        let second = waiting.remove(0).await.unwrap();
        assert!(futures_util::poll!(waiting[0].as_mut()).is_pending());
        drop(second);
        waiting.remove(0).await.unwrap();
    }
}
