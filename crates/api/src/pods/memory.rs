//! The memory budget of all streams together.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use podgate_cluster::{MemoryBudget, Reservation};

use crate::ApiError;

/// The most bytes that a terminal takes: a frame of input (1 MiB), further waiting input, and
/// output in frames of 64 kB.
pub(crate) const TERMINAL: usize = 2 << 20;
/// The most bytes that a log download takes: the buffers of its two connections.
pub(crate) const DOWNLOAD: usize = 256 << 10;
/// The most bytes that a log stream takes besides its readers: waiting frames, and a piece of a
/// long line as text and as JSON.
const LOGS: usize = 1 << 20;
/// The bytes that each container adds: its connection's buffers, the beginning of a line, and the
/// lines remembered for resuming.
const READER: usize = 128 << 10;
/// Frames of live queries up to this size are not counted: each socket may buffer as much.
const SMALL_FRAME: usize = 64 << 10;
/// The shortest time between two log lines that the memory is used up.
const PERIOD: Duration = Duration::from_secs(60);

/// The memory budget of log streams, log downloads and terminals, each of which reserves its
/// maximum when it starts, and of large frames of live queries while they are sent.
#[derive(Debug)]
pub(crate) struct StreamMemory {
    budget: MemoryBudget,
    /// When the log last reported that the memory is used up. A std mutex, because it is held only
    /// for a comparison.
    said: Mutex<Option<Instant>>,
}

impl StreamMemory {
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            budget: MemoryBudget::new(bytes),
            said: Mutex::default(),
        }
    }

    /// Reserves the maximum of a stream.
    ///
    /// # Errors
    /// 429001 if the budget is used up, which is logged once a minute.
    pub(crate) fn reserve(&self, bytes: usize) -> Result<Reservation, ApiError> {
        let mut reservation = self.budget.empty();
        self.resize(&mut reservation, bytes)?;
        Ok(reservation)
    }

    /// Reserves the memory of a frame until its client has taken it: the text, and its copy in the
    /// socket's buffer. While the budget is used up, which is logged, it waits, and the live query
    /// continues when there is memory again. Cancel-safe.
    pub(crate) async fn sending(&self, bytes: usize) -> Reservation {
        let wanted = if bytes > SMALL_FRAME { 2 * bytes } else { 0 };
        if let Ok(reservation) = self.budget.try_reserve(wanted) {
            return reservation;
        }
        self.say();
        self.budget.reserve(wanted).await
    }

    /// Makes a reservation larger or smaller.
    ///
    /// # Errors
    /// As [`StreamMemory::reserve`]. The reservation then stays as it was.
    pub(crate) fn resize(&self, reservation: &mut Reservation, bytes: usize) -> Result<(), ApiError> {
        reservation.resize(bytes).map_err(|_| {
            let total = self.budget.total() >> 20;
            self.say();
            ApiError::TooMany {
                message: format!(
                    "the open streams use all of the {total} MiB that this server has for streams: close some, or try again later"
                ),
                retry_after: 5,
            }
        })
    }

    fn say(&self) {
        if self.is_to_say() {
            let total = self.budget.total() >> 20;
            tracing::warn!(
                "the open streams use all of the {total} MiB of --stream-memory: new log streams, log downloads and terminals are refused, and large frames of live queries wait"
            );
        }
    }

    fn is_to_say(&self) -> bool {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if said.is_some_and(|before| now.duration_since(before) < PERIOD) {
            return false;
        }
        *said = Some(now);
        true
    }
}

/// Returns the most bytes that a log stream with this many containers takes.
pub(crate) fn log_stream(readers: usize) -> usize {
    LOGS + readers * READER
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_spent_budget_is_refused_and_said_once() {
        let memory = StreamMemory::new(2 * TERMINAL);
        let first = memory.reserve(TERMINAL).unwrap();
        let mut second = memory.reserve(log_stream(1)).unwrap();
        assert!(memory.resize(&mut second, log_stream(64)).is_err());
        assert_eq!(memory.reserve(TERMINAL).unwrap_err().code(), 429_001);
        assert!(memory.said.lock().unwrap().is_some() && !memory.is_to_say());
        drop(first);
        memory.reserve(TERMINAL).unwrap();
    }

    #[tokio::test]
    async fn large_frames_of_live_queries_count_while_they_are_sent_and_wait_for_memory() {
        let memory = StreamMemory::new(4 * SMALL_FRAME);
        let large = memory.sending(2 * SMALL_FRAME).await;
        for _ in 0..9 {
            assert_eq!(memory.sending(SMALL_FRAME).await.bytes(), 0);
        }
        let mut second = Box::pin(memory.sending(SMALL_FRAME + 1));
        assert!(second.as_mut().now_or_never().is_none());
        assert_eq!(
            memory.reserve(1).unwrap_err().code(),
            429_001,
            "a new stream is refused"
        );
        drop(large);
        assert!(second.await.bytes() > 2 * SMALL_FRAME);
    }

    #[test]
    fn one_stream_is_within_two_mib() {
        assert!(TERMINAL <= 2 << 20 && log_stream(1) <= 2 << 20 && DOWNLOAD <= 2 << 20);
    }
}
