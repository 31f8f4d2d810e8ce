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

/// How many seconds a ticket lives.
pub const LIFETIME: i64 = 30;

/// The most unused tickets of one session.
const OF_SESSION: usize = 32;
/// The most unused tickets of all sessions.
const IN_ALL: usize = 10_000;

/// The most bytes of a target.
const LONGEST_TARGET: usize = 8192;

/// The tickets of this process, in bounded memory. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Tickets {
    clock: Clock,
    unused: Arc<Mutex<HashMap<TokenHash, Ticket>>>,
}

/// An issued ticket. The map's key is its hash.
#[derive(Debug)]
struct Ticket {
    caller: Caller,
    /// The hash of the path and query that it opens, so that long ones take no more memory.
    target: TokenHash,
    expires_at: i64,
}

impl Tickets {
    /// Creates an empty set of tickets that uses a given clock.
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
    /// [`crate::Denied::TooMany`] if there are too many unused ones.
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

    /// Redeems a ticket. It can't be used again, even if this call fails.
    ///
    /// # Errors
    /// [`crate::Denied::NoCredential`] for a ticket that is unknown, used, expired or revoked, or
    /// that is for another target.
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

/// Returns whether a path has a segment `.` or `..`, also percent-encoded. A URL parser would
/// resolve it and open a path other than the ticket's.
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
        "the ticket's target must be percent-encoded and have no fragment".to_owned()
    } else {
        return Ok(());
    };
    Err(Denied::Invalid(reason))
}
