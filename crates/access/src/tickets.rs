//! Single-use tickets, with which a browser opens a WebSocket without a token in its URL.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use podgate_store::TokenHash;

use crate::{
    caller::Caller,
    clock::Clock,
    error::{Denied, Result},
    token::{self, Kind},
};

/// Seconds a ticket lives.
pub const LIFETIME: i64 = 30;

/// How many unused tickets there may be of one session, and in all.
const OF_SESSION: usize = 32;
const IN_ALL: usize = 10_000;

/// The longest target, in bytes.
const LONGEST_TARGET: usize = 8192;

/// Tickets of this process, in memory, bounded. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Tickets {
    clock: Clock,
    unused: Arc<Mutex<HashMap<TokenHash, Ticket>>>,
}

/// A ticket that was issued. Its own hash is its key.
#[derive(Debug)]
struct Ticket {
    caller: Caller,
    /// Hash of the path and query that it opens: a hash, so that many long ones take no room.
    target: TokenHash,
    expires_at: i64,
}

impl Tickets {
    /// None yet, by another clock than the system's.
    pub fn with_clock(clock: Clock) -> Self {
        Self {
            clock,
            unused: Arc::default(),
        }
    }

    /// Issues a ticket for one opening of `target`: the full path, without the base path, and query
    /// (without `ticket` itself), exactly as it will be opened.
    ///
    /// # Errors
    /// [`crate::Denied::Invalid`] for a target that is not one of our WebSocket paths,
    /// [`crate::Denied::TooMany`] for too many open ones.
    pub fn issue(&self, caller: &Caller, target: &str) -> Result<String> {
        check_target(target)?;
        if caller.revoked.is_cancelled() {
            return Err(Denied::SessionExpired);
        }
        let now = self.clock.now();
        let (ticket, hash) = Kind::Ticket.generate()?;
        let mut unused = self.unused.lock().unwrap_or_else(PoisonError::into_inner);
        unused.retain(|_, ticket| ticket.is_good(now));
        let of_session = unused
            .values()
            .filter(|ticket| ticket.caller.session == caller.session)
            .count();
        if of_session >= OF_SESSION || unused.len() >= IN_ALL {
            return Err(Denied::TooMany {
                retry_after: LIFETIME.unsigned_abs(),
            });
        }
        unused.insert(
            hash,
            Ticket {
                caller: caller.clone(),
                target: token::hash(target),
                expires_at: now.saturating_add(LIFETIME * 1000),
            },
        );
        Ok(ticket)
    }

    /// Redeems a ticket. Right or not, it is used up.
    ///
    /// # Errors
    /// [`crate::Denied::NoCredential`] for one that is unknown, used, expired, revoked, or for
    /// another target.
    pub fn redeem(&self, ticket: &str, target: &str) -> Result<Caller> {
        let hash = Kind::Ticket.hash(ticket);
        let found = hash.and_then(|hash| {
            let mut unused = self.unused.lock().unwrap_or_else(PoisonError::into_inner);
            unused.remove(&hash)
        });
        found
            .filter(|ticket| ticket.is_good(self.clock.now()) && ticket.target == token::hash(target))
            .map(|ticket| ticket.caller)
            .ok_or_else(|| {
                Denied::NoCredential(format!(
                    "the ticket is unknown, used, older than {LIFETIME} s or for another path and query: get a new one from \
                     POST /api/ws-tickets"
                ))
            })
    }
}

impl Ticket {
    fn is_good(&self, now: i64) -> bool {
        now < self.expires_at && !self.caller.revoked.is_cancelled()
    }
}

/// Whether a path has a segment `.` or `..`, also encoded: a URL parser would resolve it, and open
/// another path than the ticket's.
fn has_dots(target: &str) -> bool {
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    path.split('/').any(|segment| {
        let segment = segment.to_ascii_lowercase().replace("%2e", ".");
        segment == "." || segment == ".."
    })
}

fn check_target(target: &str) -> Result<()> {
    let reason = if target.len() > LONGEST_TARGET {
        format!("the ticket's target is longer than {LONGEST_TARGET} bytes")
    } else if !target.starts_with("/ws/") || has_dots(target) {
        "the ticket's target must be the path and query of a WebSocket, such as \
         /ws/clusters/1/namespaces/default/pods/nginx/logs"
            .to_owned()
    } else if !target.bytes().all(|byte| byte.is_ascii_graphic()) || target.contains('#') {
        "the ticket's target must be percent-encoded, and without a fragment".to_owned()
    } else {
        return Ok(());
    };
    Err(Denied::Invalid(reason))
}
