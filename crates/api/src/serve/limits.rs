//! The caps and time limits of connections.

use std::time::Duration;

use ipnet::IpNet;

/// The default cap on connections, at most.
const MAX_TOTAL: usize = 16_384;
/// The assumed limit on open files if the system has none.
const ENDLESS_FILES: u64 = 1 << 20;

/// The caps and time limits of connections.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The most connections at once.
    pub total: usize,
    /// The most connections at once from one IPv4 address or one IPv6 /64.
    pub per_address: usize,
    /// The networks without a cap per address, which are those of trusted proxies.
    pub exempt: Vec<IpNet>,
    /// The most bytes that heads and TLS handshakes over 8 KiB may take together.
    pub large_heads: usize,
    /// The time limits.
    pub times: Times,
}

/// The time limits of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// How long the first head may take, from the accept on and with the TLS handshake; and how
    /// long a later head may take from its first byte on.
    pub head: Duration,
    /// How long a connection may wait for the next request.
    pub idle: Duration,
    /// How long a peer may leave an answer unread.
    pub stall: Duration,
    /// How long requests under way may take once the server stops.
    pub drain: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(20),
            // Longer than proxies and browsers keep their connections, so that they close them
            // first: a request that crosses the server's close fails.
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
    /// Returns the limits for a process that may open `files` files; `None` means any number.
    ///
    /// The default of `total` is half the files, because a stream may take a second one to the
    /// cluster, and at most 16,384. The default of `per_address` is a quarter of the total.
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
