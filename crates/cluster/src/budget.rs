//! Memory budgets, which bound the bytes that all buffers of a kind take together.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The unit of a budget in bytes. A reservation that is not empty takes at least one unit.
const UNIT: usize = 4 << 10;

/// A budget of bytes that the buffers of a kind may take together. Cheap to clone; the clones share
/// the budget.
#[derive(Clone, Debug)]
pub struct MemoryBudget {
    units: Arc<Semaphore>,
    total: usize,
}

/// The part of a [`MemoryBudget`] that one buffer holds. Dropping it returns the bytes.
#[derive(Debug)]
pub struct Reservation {
    budget: MemoryBudget,
    permit: Option<OwnedSemaphorePermit>,
}

/// The error of a budget that has too few bytes left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the memory budget is spent")]
pub struct Spent;

impl MemoryBudget {
    /// Makes a budget of `bytes`, rounded down to whole units.
    pub fn new(bytes: usize) -> Self {
        let units = (bytes / UNIT).min(Semaphore::MAX_PERMITS);
        Self {
            units: Arc::new(Semaphore::new(units)),
            total: units * UNIT,
        }
    }

    /// Returns the size of the whole budget in bytes.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Returns the bytes that are not reserved.
    pub fn free(&self) -> usize {
        self.units.available_permits() * UNIT
    }

    /// Returns a reservation of zero bytes, which [`Reservation::resize`] enlarges.
    pub fn empty(&self) -> Reservation {
        Reservation {
            budget: self.clone(),
            permit: None,
        }
    }

    /// Reserves `bytes` if they are free now.
    ///
    /// # Errors
    /// [`Spent`] if they are not.
    pub fn try_reserve(&self, bytes: usize) -> Result<Reservation, Spent> {
        let mut reservation = self.empty();
        reservation.resize(bytes)?;
        Ok(reservation)
    }

    /// Reserves `bytes`. Waits in turn until they are free.
    ///
    /// The caller must limit the time, and must not hold a reservation of this budget, because two
    /// holders that wait for each other's bytes would wait for ever. A request for more than the
    /// whole budget counts as one for the whole budget.
    pub async fn reserve(&self, bytes: usize) -> Reservation {
        let wanted = units(bytes.min(self.total));
        // The semaphore is never closed.
        let permit = self.units.clone().acquire_many_owned(wanted).await.ok();
        Reservation {
            budget: self.clone(),
            permit,
        }
    }
}

impl Reservation {
    /// Returns the number of reserved bytes, which is a multiple of the unit.
    pub fn bytes(&self) -> usize {
        self.permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits) * UNIT
    }

    /// Grows the reservation to at least `bytes`. Waits in turn until they are free.
    ///
    /// The caller must limit the time, because two holders that wait for each other's bytes would
    /// wait for ever, and so would one that asks for more than the whole budget.
    pub async fn grow(&mut self, bytes: usize) {
        let missing = units(bytes.saturating_sub(self.bytes()));
        // The semaphore is never closed.
        let Ok(more) = self.budget.units.clone().acquire_many_owned(missing).await else {
            return;
        };
        match &mut self.permit {
            Some(permit) => permit.merge(more),
            None => self.permit = Some(more),
        }
    }

    /// Resizes the reservation to `bytes` without waiting.
    ///
    /// # Errors
    /// [`Spent`] if the missing bytes are not free. The reservation is then unchanged.
    pub fn resize(&mut self, bytes: usize) -> Result<(), Spent> {
        let has = self.bytes() / UNIT;
        let wanted = bytes.div_ceil(UNIT);
        if wanted <= has {
            if let Some(permit) = &mut self.permit {
                drop(permit.split(has - wanted));
            }
            return Ok(());
        }
        let missing = u32::try_from(wanted - has).map_err(|_| Spent)?;
        let more = self.budget.units.clone().try_acquire_many_owned(missing);
        let more = more.map_err(|_| Spent)?;
        match &mut self.permit {
            Some(permit) => permit.merge(more),
            None => self.permit = Some(more),
        }
        Ok(())
    }
}

/// Returns the units that `bytes` take.
fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn reserved_memory_is_bounded_and_comes_back() {
        let budget = MemoryBudget::new(10 * UNIT + 1);
        assert_eq!(budget.total(), 10 * UNIT);
        let (mut first, mut second) = (budget.empty(), budget.empty());
        first.resize(6 * UNIT).unwrap();
        second.resize(1).unwrap();
        assert_eq!(second.bytes(), UNIT);
        assert_eq!(second.resize(4 * UNIT + 1), Err(Spent));
        assert_eq!(second.bytes(), UNIT);
        second.resize(4 * UNIT).unwrap();
        assert_eq!(budget.try_reserve(1).unwrap_err(), Spent);
        first.resize(2 * UNIT).unwrap();
        second.resize(8 * UNIT).unwrap();
        second.resize(0).unwrap();
        assert_eq!(budget.free(), 8 * UNIT);
        drop((first, second));
        assert_eq!(budget.try_reserve(10 * UNIT).unwrap().bytes(), 10 * UNIT);
    }

    #[tokio::test]
    async fn a_growing_reservation_waits_for_the_missing_bytes() {
        let budget = MemoryBudget::new(3 * UNIT);
        let (mut first, mut second) = (budget.empty(), budget.try_reserve(2 * UNIT).unwrap());
        first.grow(UNIT).await;
        let mut grows = Box::pin(first.grow(3 * UNIT));
        assert!(grows.as_mut().now_or_never().is_none());
        second.resize(0).unwrap();
        grows.await;
        assert_eq!(first.bytes(), 3 * UNIT);
        first.grow(UNIT).await;
        assert_eq!(first.bytes(), 3 * UNIT);
    }

    #[tokio::test]
    async fn who_waits_gets_the_bytes_that_come_back() {
        let budget = MemoryBudget::new(2 * UNIT);
        let first = budget.reserve(UNIT).await;
        let mut second = Box::pin(budget.reserve(100 * UNIT));
        assert!(second.as_mut().now_or_never().is_none());
        drop(first);
        assert_eq!(second.await.bytes(), 2 * UNIT);
    }
}
