//! A memory budget that is divided among sessions.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use podgate_cluster::{MemoryBudget, Reservation};

/// A memory budget of which each session may hold a quarter, but always enough for one response.
/// Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Shares {
    budget: MemoryBudget,
    most: usize,
    /// The bytes that each session holds. A std mutex, because it is held only for a look-up.
    held: Arc<Mutex<HashMap<i64, usize>>>,
}

/// The bytes that one response holds. Dropping it returns them.
#[derive(Debug)]
pub(crate) struct Share {
    shares: Shares,
    session: i64,
    reservation: Reservation,
}

/// Why no more bytes are granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The session already holds its share.
    Session,
    /// All sessions together hold the whole budget.
    All,
}

impl Shares {
    /// Creates a budget of `bytes` for responses that take at most `one` each.
    pub(crate) fn new(bytes: usize, one: usize) -> Self {
        Self {
            budget: MemoryBudget::new(bytes),
            most: (bytes / 4).max(one),
            held: Arc::default(),
        }
    }

    /// Returns an empty share for a session.
    pub(crate) fn of(&self, session: i64) -> Share {
        Share {
            shares: self.clone(),
            session,
            reservation: self.budget.empty(),
        }
    }

    /// Returns the free bytes.
    #[cfg(test)]
    pub(crate) fn free(&self) -> usize {
        self.budget.free()
    }

    fn held(&self) -> MutexGuard<'_, HashMap<i64, usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Changes the number of bytes that the share holds.
    ///
    /// # Errors
    /// [`Refused`]. The share then stays as it was.
    pub(crate) fn resize(&mut self, bytes: usize) -> Result<(), Refused> {
        let mut held = self.shares.held();
        let of_session = held.entry(self.session).or_default();
        let others = of_session.saturating_sub(self.reservation.bytes());
        if bytes > self.reservation.bytes() && others + bytes > self.shares.most {
            return Err(Refused::Session);
        }
        let resized = self.reservation.resize(bytes);
        *of_session = others + self.reservation.bytes();
        resized.map_err(|_| Refused::All)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.shares.held();
        if let Some(of_session) = held.get_mut(&self.session) {
            *of_session = of_session.saturating_sub(self.reservation.bytes());
            if *of_session == 0 {
                held.remove(&self.session);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    const MIB: usize = 1 << 20;

    #[test]
    fn no_session_takes_more_than_a_quarter() {
        let shares = Shares::new(128 * MIB, MIB);
        let mut sessions: Vec<Share> = (0..4).map(|session| shares.of(session)).collect();
        for share in &mut sessions {
            share.resize(20 * MIB).unwrap();
            let mut second = shares.of(share.session);
            assert_eq!(second.resize(13 * MIB), Err(Refused::Session));
            second.resize(12 * MIB).unwrap();
            drop(second);
            share.resize(32 * MIB).unwrap();
        }
        let mut another = shares.of(9);
        assert_eq!(another.resize(1), Err(Refused::All));
        sessions.pop();
        another.resize(32 * MIB).unwrap();
        drop((sessions, another));
        assert!(shares.held().is_empty() && shares.free() == 128 * MIB);
    }

    #[test]
    fn a_session_may_always_hold_one_answer() {
        let shares = Shares::new(2 * MIB, MIB);
        let mut first = shares.of(1);
        first.resize(MIB).unwrap();
        assert_eq!(shares.of(1).resize(1), Err(Refused::Session));
        shares.of(2).resize(MIB).unwrap();
    }
}
