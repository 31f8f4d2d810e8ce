//! Bounds the log of pods that do not parse: a cluster may have any number of them, and send each again and again.

use tokio::time::Instant;

/// Lines that may come at once; after them it is one a second.
const BURST: u64 = 10;

/// Decides which of the pods that do not parse have a line in the log.
#[derive(Debug, Default)]
pub(crate) struct LogLimiter {
    /// Lines of the last burst, less those that time has given back.
    logged: u64,
    /// Up to when time has given lines back.
    since: Option<Instant>,
    /// Pods without a line since the last one.
    suppressed: u64,
}

impl LogLimiter {
    /// Counts one more pod. Returns how many before it have no line, if it may have one itself.
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

    /// Returns how many pods have no line and were not counted in another.
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
