//! Single-use tickets, with which a browser opens a WebSocket without a token in its URL.

use crate::{caller::Caller, error::Result};

/// Seconds a ticket lives.
pub const LIFETIME: i64 = 30;

/// Tickets of this process, in memory, bounded. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Tickets {}

impl Tickets {
    /// Issues a ticket for one opening of `target`: the full path and query (without `ticket` itself).
    ///
    /// # Errors
    /// [`crate::Denied::Invalid`] for a target that is not one of our WebSocket paths, [`crate::Denied::TooMany`] for too many open ones.
    pub fn issue(&self, _caller: &Caller, _target: &str) -> Result<String> {
        todo!()
    }

    /// Redeems a ticket.
    ///
    /// # Errors
    /// [`crate::Denied::NoCredential`] for one that is unknown, used, expired, revoked, or for another target.
    pub fn redeem(&self, _ticket: &str, _target: &str) -> Result<Caller> {
        todo!()
    }
}
