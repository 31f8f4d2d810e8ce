//! The caps and time limits of connections.

use std::time::Duration;

use ipnet::IpNet;

/// The most connections by default.
const MAX_TOTAL: usize = 16_384;
/// The limit on open files where the system knows none.
const ENDLESS_FILES: u64 = 1 << 20;

/// The caps and time limits of connections.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at once in all.
    pub total: usize,
    /// Connections at once from one address (of IPv6: from one /64).
    pub per_address: usize,
    /// Networks without a cap per address: those of trusted proxies.
    pub exempt: Vec<IpNet>,
    /// Bytes that incomplete heads and TLS handshakes over 8 KiB may take together.
    pub large_heads: usize,
    /// Time limits.
    pub times: Times,
}

/// The time limits of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// From the accept to the end of the first head, the TLS handshake included; and from the first
    /// byte of a later head to its end.
    pub head: Duration,
    /// From the end of an answer to the next request.
    pub idle: Duration,
    /// The longest that a peer may take nothing of what is written to it.
    pub stall: Duration,
    /// The longest that requests under way may take once the server stops.
    pub drain: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(20),
            // Longer than proxies and browsers keep their connections, so that they close them and
            // not we: a request that crosses our close fails.
            idle: Duration::from_secs(330),
            stall: Duration::from_secs(120),
            drain: Duration::from_secs(10),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::for_files(None, None, None)
    }
}

impl Limits {
    /// Returns the limits for a process that may open so many files (`None`: as many as it likes).
    /// The connections are at most `total`, by default half the files, because a stream may take a
    /// second one upstream, and at most 16,384. From one address they are at most `per_address`, by
    /// default a quarter of the total.
    pub fn for_files(files: Option<u64>, total: Option<usize>, per_address: Option<usize>) -> Self {
        let half = usize::try_from(files.unwrap_or(ENDLESS_FILES) / 2).unwrap_or(usize::MAX);
        let total = total.unwrap_or_else(|| half.clamp(1, MAX_TOTAL));
        Self {
            total,
            per_address: per_address.unwrap_or((total / 4).max(1)),
            exempt: Vec::new(),
            large_heads: 32 << 20,
            times: Times::default(),
        }
    }
}
