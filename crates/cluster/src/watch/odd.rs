//! Bounds the log of pods that do not parse: a cluster may have any number of them, and send each again and again.

use tokio::time::Instant;

/// Lines that may come at once; after them it is one a second.
const BURST: u64 = 10;

/// Decides which of the pods that do not parse have a line in the log.
#[derive(Debug, Default)]
pub(crate) struct OddLines {
    /// Lines of the last burst, less those that time has given back.
    logged: u64,
    /// Up to when time has given lines back.
    since: Option<Instant>,
    /// Pods without a line since the last one.
    left_out: u64,
}

impl OddLines {
    /// Counts one more pod. Returns how many before it have no line, if it may have one itself.
    pub(super) fn line(&mut self, now: Instant) -> Option<u64> {
        let since = *self.since.get_or_insert(now);
        let seconds = now.duration_since(since).as_secs();
        if seconds > 0 {
            self.logged = self.logged.saturating_sub(seconds);
            self.since = Some(now);
        }
        if self.logged == BURST {
            self.left_out += 1;
            return None;
        }
        self.logged += 1;
        Some(self.rest())
    }

    /// Returns how many pods have no line and were not counted in another.
    pub(super) fn rest(&mut self) -> u64 {
        std::mem::take(&mut self.left_out)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn ten_lines_come_at_once_and_then_one_a_second_that_counts_the_others() {
        let (mut lines, start) = (OddLines::default(), Instant::now());
        let logged = (0..1000).filter_map(|_| lines.line(start)).collect::<Vec<_>>();
        assert_eq!(logged, [0; 10]);
        let later = start + Duration::from_millis(1500);
        assert_eq!([lines.line(later), lines.line(later)], [Some(990), None]);
        assert_eq!([lines.rest(), lines.rest()], [1, 0]);
        let much_later = start + Duration::from_secs(60);
        assert_eq!((0..1000).filter_map(|_| lines.line(much_later)).count(), 10);
    }
}
