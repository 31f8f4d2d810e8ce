//! Limits on failed log-ins, by network and by account.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    net::IpAddr,
};

use podgate_store::TokenHash;

use crate::token;

/// How many networks, and how many accounts, are remembered.
const REMEMBERED: usize = 10_000;

/// Who tries: where from, and as whom. The account is one that was named, whether there is such a user or not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tries {
    network: IpAddr,
    account: TokenHash,
}

impl Tries {
    pub(super) fn new(peer: IpAddr, username: &str) -> Self {
        Self {
            network: network(peer),
            account: token::hash(&username.to_lowercase()),
        }
    }
}

/// What counts as one peer: an IPv4 address, and of an IPv6 address its /64, within which anyone may choose addresses freely.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

/// Failures within a sliding window.
#[derive(Debug)]
pub(super) struct Limits {
    by_network: Window<IpAddr>,
    by_account: Window<TokenHash>,
}

impl Limits {
    /// At most `failures` within `window` milliseconds.
    pub(super) fn new(failures: u32, window: i64) -> Self {
        Self {
            by_network: Window::new(failures, window),
            by_account: Window::new(failures, window),
        }
    }

    /// Seconds to wait, if the limit is reached.
    pub(super) fn wait(&self, tries: &Tries, now: i64) -> Option<u64> {
        self.by_network
            .wait(&tries.network, now)
            .max(self.by_account.wait(&tries.account, now))
    }

    /// Counts a failure.
    pub(super) fn fail(&mut self, tries: &Tries, now: i64) {
        self.by_network.fail(tries.network, now);
        self.by_account.fail(tries.account, now);
    }
}

/// The times of the last failures of each of a bounded number of keys.
#[derive(Debug)]
struct Window<K> {
    failures: usize,
    window: i64,
    times: HashMap<K, VecDeque<i64>>,
}

impl<K: Copy + Eq + Hash> Window<K> {
    fn new(failures: u32, window: i64) -> Self {
        Self {
            failures: usize::try_from(failures).unwrap_or(usize::MAX).max(1),
            window,
            times: HashMap::new(),
        }
    }

    fn wait(&self, key: &K, now: i64) -> Option<u64> {
        let times = self.times.get(key)?;
        // The limit is reached while the oldest of the last `failures` still counts.
        let oldest = times.len().checked_sub(self.failures).and_then(|at| times.get(at))?;
        let left = oldest.saturating_add(self.window) - now;
        (left > 0).then(|| u64::try_from(left).unwrap_or(0).div_ceil(1000))
    }

    fn fail(&mut self, key: K, now: i64) {
        if self.times.len() >= REMEMBERED && !self.times.contains_key(&key) {
            self.make_room(now);
        }
        let times = self.times.entry(key).or_default();
        if times.len() >= self.failures {
            times.pop_front();
        }
        times.push_back(now);
    }

    /// Forgets what no longer counts; else the key with the fewest failures, of those the longest ago: who has reached the limit is
    /// not freed by a flood of others.
    fn make_room(&mut self, now: i64) {
        let since = now.saturating_sub(self.window);
        self.times
            .retain(|_, times| times.back().is_some_and(|last| *last > since));
        if self.times.len() >= REMEMBERED {
            let least = self
                .times
                .iter()
                .min_by_key(|(_, times)| (times.len(), times.back().copied()));
            if let Some(key) = least.map(|(key, _)| *key) {
                self.times.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn tries(peer: &str, username: &str) -> Tries {
        Tries::new(peer.parse().unwrap(), username)
    }

    #[test]
    fn the_window_slides() {
        let mut limits = Limits::new(3, 10_000);
        let from = tries("10.0.0.1", "a");
        for now in [0, 4_000, 8_000] {
            assert_eq!(limits.wait(&from, now), None);
            limits.fail(&from, now);
        }
        assert_eq!(limits.wait(&from, 8_000), Some(2));
        assert_eq!(limits.wait(&from, 8_500), Some(2));
        assert_eq!(limits.wait(&from, 9_999), Some(1));
        assert_eq!(limits.wait(&from, 10_000), None);
        limits.fail(&from, 10_000);
        assert_eq!(limits.wait(&from, 10_000), Some(4));
    }

    #[test]
    fn either_network_or_account_is_enough() {
        let mut limits = Limits::new(1, 10_000);
        limits.fail(&tries("10.0.0.1", "a"), 0);
        assert!(limits.wait(&tries("10.0.0.1", "b"), 0).is_some());
        assert!(limits.wait(&tries("10.0.0.2", "A"), 0).is_some());
        assert!(limits.wait(&tries("10.0.0.2", "b"), 0).is_none());
    }

    #[test]
    fn an_ipv6_network_is_one_peer_and_a_mapped_address_is_its_ipv4() {
        for (one, other, same) in [
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true),
            ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
            ("::ffff:10.0.0.1", "10.0.0.1", true),
            ("::ffff:10.0.0.1", "::ffff:10.0.0.2", false),
        ] {
            assert_eq!(
                tries(one, "a").network == tries(other, "a").network,
                same,
                "{one} {other}"
            );
        }
    }

    #[test]
    fn a_flood_of_others_neither_grows_without_bound_nor_frees_anyone() {
        let mut limits = Limits::new(2, 10_000);
        let from = tries("10.0.0.1", "a");
        limits.fail(&from, 0);
        limits.fail(&from, 0);
        for n in 0..u32::try_from(REMEMBERED).unwrap() + 100 {
            let other = IpAddr::from((0x0b00_0000 + n).to_be_bytes());
            limits.fail(&Tries::new(other, &n.to_string()), 1);
        }
        assert!(limits.by_network.times.len() <= REMEMBERED && limits.by_account.times.len() <= REMEMBERED);
        assert_eq!(limits.wait(&from, 1), Some(10));
        limits.fail(&tries("10.0.0.2", "b"), 20_000);
        assert_eq!(limits.by_network.times.len(), 1, "what no longer counts is forgotten");
    }
}
