//! The limit on log lines about pods that do not parse. A cluster may have any number of such pods,
//! and send each of them repeatedly.

use tokio::time::Instant;

/// The number of lines that may be logged at once. After them, one line per second is logged.
const BURST: u64 = 10;

/// Decides which of the pods that do not parse are logged.
#[derive(Debug, Default)]
pub(crate) struct LogLimiter {
    /// The lines logged so far, less one for each second that has passed.
    logged: u64,
    /// The time up to which seconds have been credited.
    since: Option<Instant>,
    /// The number of pods that were not logged since the last line.
    suppressed: u64,
}

impl LogLimiter {
    /// Counts a pod. Returns the number of unlogged pods before it, or `None` if it must not be
    /// logged.
    pub(super) fn admit(&mut self, now: Instant) -> Option<u64> {
        let since = *self.since.get_or_insert(now);
        let seconds = now.duration_since(since).as_secs();
        if seconds > 0 {
            self.logged = self.logged.saturating_sub(seconds);
            self.since = Some(now);
        }
        if self.logged == BURST {
            self.suppressed += 1;
            return None;
        }
        self.logged += 1;
        Some(self.take_suppressed())
    }

    /// Returns the number of unlogged pods that no line has reported yet, and resets it.
    pub(super) fn take_suppressed(&mut self) -> u64 {
        std::mem::take(&mut self.suppressed)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn ten_lines_come_at_once_and_then_one_a_second_that_counts_the_others() {
        let (mut limiter, start) = (LogLimiter::default(), Instant::now());
        let logged = (0..1000).filter_map(|_| limiter.admit(start)).collect::<Vec<_>>();
        assert_eq!(logged, [0; 10]);
        let later = start + Duration::from_millis(1500);
        assert_eq!([limiter.admit(later), limiter.admit(later)], [Some(990), None]);
        assert_eq!([limiter.take_suppressed(), limiter.take_suppressed()], [1, 0]);
        let much_later = start + Duration::from_secs(60);
        assert_eq!((0..1000).filter_map(|_| limiter.admit(much_later)).count(), 10);
    }
}
