//! Memory for answers that are large and made whole before they are sent.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::ApiError;

/// What is counted as one; an answer takes at least this.
const UNIT: usize = 64 << 10;

/// How many bytes such answers may take together. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    units: Arc<Semaphore>,
}

/// What one answer takes of it, until it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    room: Room,
    permit: Option<OwnedSemaphorePermit>,
}

impl Room {
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            units: Arc::new(Semaphore::new(bytes / UNIT)),
        }
    }

    /// Nothing yet.
    pub(crate) fn enter(&self) -> Held {
        Held {
            room: self.clone(),
            permit: None,
        }
    }
}

impl Held {
    /// Holds so many bytes, and no more. Never waits: two that wait for each other's would wait for ever.
    ///
    /// # Errors
    /// 429001 when they are not free.
    pub(crate) fn resize(&mut self, bytes: usize) -> Result<(), ApiError> {
        let wanted = bytes.div_ceil(UNIT).max(1);
        let has = self.permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        if wanted < has {
            if let Some(permit) = &mut self.permit {
                drop(permit.split(has - wanted));
            }
            return Ok(());
        }
        if wanted == has {
            return Ok(());
        }
        let more = u32::try_from(wanted - has).unwrap_or(u32::MAX);
        let more = self
            .room
            .units
            .clone()
            .try_acquire_many_owned(more)
            .map_err(|_| full())?;
        match &mut self.permit {
            Some(permit) => permit.merge(more),
            None => self.permit = Some(more),
        }
        Ok(())
    }
}

fn full() -> ApiError {
    ApiError::TooMany {
        message: "too many large logs are being answered as JSON at once: try again, ask for fewer lines (`tailLines`), or ask for \
                  `text/plain`, which streams"
            .into(),
        retry_after: 2,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn what_is_held_is_bounded_and_comes_back() {
        let room = Room::new(10 * UNIT);
        let (mut first, mut second) = (room.enter(), room.enter());
        first.resize(6 * UNIT).unwrap();
        second.resize(1).unwrap();
        assert_eq!(second.resize(4 * UNIT + 1).unwrap_err().code(), 429_001);
        second.resize(4 * UNIT).unwrap();
        assert!(room.enter().resize(1).is_err());
        first.resize(2 * UNIT).unwrap();
        second.resize(8 * UNIT).unwrap();
        drop((first, second));
        room.enter().resize(10 * UNIT).unwrap();
    }
}
