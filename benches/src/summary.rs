//! Samples and their statistics.

use std::{fmt, time::Duration};

/// Times, sorted.
#[derive(Clone, Debug)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn new(mut samples: Vec<Duration>) -> Self {
        samples.sort_unstable();
        Self(samples)
    }

    /// Returns the smallest sample that at least `percent` percent of the samples do not exceed, or
    /// zero without samples.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.0.len() * percent).div_ceil(100).max(1) - 1;
        self.0.get(rank).copied().unwrap_or_default()
    }

    pub(crate) fn median(&self) -> Duration {
        self.percentile(50)
    }

    pub(crate) fn least(&self) -> Duration {
        self.percentile(0)
    }

    pub(crate) fn most(&self) -> Duration {
        self.percentile(100)
    }
}

/// Formats a time in milliseconds, to a microsecond.
pub(crate) fn ms(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1000.0)
}

/// Formats bytes in megabytes (10⁶ bytes).
pub(crate) fn mb(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// Formats whether a target is met.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Met(pub(crate) bool);

impl fmt::Display for Met {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 { "met" } else { "**missed**" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples_by_nearest_rank() {
        let times = Times::new((1..=200).rev().map(Duration::from_millis).collect());
        for (percent, ms) in [(0, 1), (1, 2), (50, 100), (99, 198), (100, 200)] {
            assert_eq!(times.percentile(percent), Duration::from_millis(ms), "p{percent}");
        }
        assert_eq!(Times::new(Vec::new()).percentile(99), Duration::ZERO);
        assert_eq!(
            Times::new(vec![Duration::from_secs(1)]).percentile(99),
            Duration::from_secs(1)
        );
    }
}
