//! Counts failed log-ins, and computes refusals and delays from them. Pure code;
//! [`super::throttle`] does the waiting.
//!
//! The `governor` crate limits requests; this limits failures only, in bounded memory.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    net::IpAddr,
    time::Duration,
};

use podgate_store::TokenHash;

use super::Options;
use crate::token;

/// The most keys of each kind that are remembered.
const REMEMBERED: usize = 10_000;

/// How long an attempt waits once its account has had too many failures over all networks.
const FIRST_DELAY: Duration = Duration::from_secs(1);
/// How many further failures double that delay.
const DOUBLINGS: usize = 3;

/// The origin of an attempt: its network, and the account it names, whether or not that exists.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tries {
    pub(super) network: IpAddr,
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

/// Returns the network that counts as one peer: an IPv4 address, or the /64 of an IPv6 address,
/// because a host may choose any address in its /64.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

/// Failures within a sliding window.
#[derive(Debug)]
pub(super) struct Limits {
    /// By account and network.
    by_pair: Window<(TokenHash, IpAddr)>,
    /// By account, from anywhere.
    by_account: Window<TokenHash>,
    /// By network, for any account.
    by_network: Window<IpAddr>,
    /// By session, when its user tries to change the password.
    by_session: Window<i64>,
}

impl Limits {
    pub(super) fn new(options: &Options) -> Self {
        let window = options.window.saturating_mul(1000);
        let failures = usize::try_from(options.failures).unwrap_or(usize::MAX).max(1);
        let of_network = usize::try_from(options.network_failures).unwrap_or(usize::MAX).max(1);
        Self {
            by_pair: Window::new(failures, 0, window),
            by_account: Window::new(failures, DOUBLINGS, window),
            by_network: Window::new(of_network, 0, window),
            by_session: Window::new(failures, 0, window),
        }
    }

    /// Returns the seconds until a log-in may be attempted, or `None` if neither the limit of the
    /// account from this network nor that of the network is reached.
    pub(super) fn refusal(&self, tries: &Tries, now: i64) -> Option<u64> {
        self.by_pair
            .wait(&(tries.account, tries.network), now)
            .max(self.by_network.wait(&tries.network, now))
    }

    /// Returns how long a log-in from a network unknown for its account has to wait.
    pub(super) fn delay(&self, tries: &Tries, now: i64) -> Duration {
        match self.by_account.beyond(&tries.account, now) {
            Some(failures) => FIRST_DELAY * (1 << failures.min(DOUBLINGS)),
            None => Duration::ZERO,
        }
    }

    /// Counts a failed log-in.
    pub(super) fn fail(&mut self, tries: &Tries, now: i64) {
        self.by_pair.fail((tries.account, tries.network), now);
        self.by_account.fail(tries.account, now);
        self.by_network.fail(tries.network, now);
    }

    /// Returns the seconds until a session may try to change its password, or `None` if its limit
    /// is not reached.
    pub(super) fn session_refusal(&self, session: i64, now: i64) -> Option<u64> {
        self.by_session.wait(&session, now)
    }

    /// Counts a wrong old or a weak new password.
    pub(super) fn fail_session(&mut self, session: i64, now: i64) {
        self.by_session.fail(session, now);
    }
}

/// The times of recent failures, for a bounded number of keys.
#[derive(Debug)]
struct Window<K> {
    /// How many failures reach the limit.
    failures: usize,
    /// How many failures beyond the limit are remembered.
    more: usize,
    /// The length of the window, in milliseconds.
    window: i64,
    times: HashMap<K, VecDeque<i64>>,
}

impl<K: Copy + Eq + Hash> Window<K> {
    fn new(failures: usize, more: usize, window: i64) -> Self {
        Self {
            failures,
            more,
            window,
            times: HashMap::new(),
        }
    }

    /// Returns the seconds until the limit is no longer reached, which is when the oldest of the
    /// last `failures` leaves the window. `None` below the limit.
    fn wait(&self, key: &K, now: i64) -> Option<u64> {
        let times = self.times.get(key)?;
        let oldest = times.len().checked_sub(self.failures).and_then(|at| times.get(at))?;
        let left = oldest.saturating_add(self.window) - now;
        (left > 0).then(|| u64::try_from(left).unwrap_or(0).div_ceil(1000))
    }

    /// Returns the number of remembered failures beyond the limit, or `None` below it.
    fn beyond(&self, key: &K, now: i64) -> Option<usize> {
        let since = now.saturating_sub(self.window);
        let count = self.times.get(key)?.iter().filter(|time| **time > since).count();
        count.checked_sub(self.failures)
    }

    fn fail(&mut self, key: K, now: i64) {
        if self.times.len() >= REMEMBERED && !self.times.contains_key(&key) {
            self.make_room(now);
        }
        let times = self.times.entry(key).or_default();
        if times.len() >= self.failures.saturating_add(self.more) {
            times.pop_front();
        }
        times.push_back(now);
    }

    /// Drops keys whose failures no longer count. If there are none, drops the key with the fewest
    /// and oldest failures, so that a flood of others frees nobody who has reached the limit.
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

    fn limits(failures: u32, network_failures: u32) -> Limits {
        Limits::new(&Options {
            failures,
            network_failures,
            window: 10,
            ..Options::default()
        })
    }

    fn tries(peer: &str, username: &str) -> Tries {
        Tries::new(peer.parse().unwrap(), username)
    }

    #[test]
    fn the_window_slides() {
        let mut limits = limits(3, 100);
        let from = tries("10.0.0.1", "a");
        for now in [0, 4_000, 8_000] {
            assert_eq!(limits.refusal(&from, now), None);
            limits.fail(&from, now);
        }
        assert_eq!(limits.refusal(&from, 8_000), Some(2));
        assert_eq!(limits.refusal(&from, 8_500), Some(2));
        assert_eq!(limits.refusal(&from, 9_999), Some(1));
        assert_eq!(limits.refusal(&from, 10_000), None);
        limits.fail(&from, 10_000);
        assert_eq!(limits.refusal(&from, 10_000), Some(4));
    }

    #[test]
    fn a_network_is_stopped_as_one_account_before_it_is_stopped_as_all() {
        let mut limits = limits(2, 5);
        for _ in 0..2 {
            limits.fail(&tries("10.0.0.1", "a"), 0);
        }
        assert!(limits.refusal(&tries("10.0.0.1", "A"), 0).is_some());
        assert!(limits.refusal(&tries("10.0.0.1", "b"), 0).is_none());
        assert!(limits.refusal(&tries("10.0.0.2", "a"), 0).is_none());
        for name in ["b", "c", "d"] {
            assert!(limits.refusal(&tries("10.0.0.1", "e"), 0).is_none());
            limits.fail(&tries("10.0.0.1", name), 0);
        }
        assert!(limits.refusal(&tries("10.0.0.1", "e"), 0).is_some());
        assert!(limits.refusal(&tries("10.0.0.2", "e"), 0).is_none());
    }

    #[test]
    fn an_account_that_fails_from_everywhere_is_slowed_and_not_stopped() {
        let mut limits = limits(10, 100);
        let mut seconds = Vec::new();
        for n in 0..15 {
            let from = tries(&format!("10.0.0.{n}"), "admin");
            assert_eq!(limits.refusal(&from, 0), None);
            seconds.push(limits.delay(&from, 0).as_secs());
            limits.fail(&from, 0);
        }
        assert_eq!(seconds, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 8]);
        let other = tries("10.0.0.1", "other");
        assert_eq!(limits.delay(&other, 0), Duration::ZERO);
        let later = tries("10.0.0.1", "admin");
        assert_eq!(limits.delay(&later, 9_999).as_secs(), 8);
        assert_eq!(limits.delay(&later, 10_000), Duration::ZERO);
    }

    #[test]
    fn a_session_counts_by_itself() {
        let mut limits = limits(2, 100);
        for _ in 0..2 {
            assert_eq!(limits.session_refusal(7, 0), None);
            limits.fail_session(7, 0);
        }
        assert_eq!(limits.session_refusal(7, 0), Some(10));
        assert_eq!(limits.session_refusal(8, 0), None);
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
        let mut limits = limits(2, 2);
        let from = tries("10.0.0.1", "a");
        limits.fail(&from, 0);
        limits.fail(&from, 0);
        for n in 0..u32::try_from(REMEMBERED).unwrap() + 100 {
            let other = IpAddr::from((0x0b00_0000 + n).to_be_bytes());
            limits.fail(&Tries::new(other, &n.to_string()), 1);
            limits.fail_session(n.into(), 1);
        }
        for remembered in [
            limits.by_pair.times.len(),
            limits.by_account.times.len(),
            limits.by_network.times.len(),
            limits.by_session.times.len(),
        ] {
            assert!(remembered <= REMEMBERED);
        }
        assert_eq!(limits.refusal(&from, 1), Some(10));
        assert!(!limits.delay(&from, 1).is_zero());
        limits.fail(&tries("10.0.0.2", "b"), 20_000);
        assert_eq!(limits.by_network.times.len(), 1, "what no longer counts is forgotten");
    }
}
