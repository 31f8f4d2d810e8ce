//! The caller of a request.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::error::Denied;

/// The public part of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub username: String,
    /// Its mail address, or empty.
    pub email: String,
    /// Its role. The only one is `admin`.
    pub role: String,
}

/// An authenticated caller. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The account.
    pub user: Arc<User>,
    /// The session's number.
    pub session: i64,
    /// When the access token must be refreshed, in milliseconds since the epoch.
    pub token_expires_at: i64,
    /// When the session ends at the latest, in milliseconds since the epoch.
    pub expires_at: i64,
    /// Cancelled when the session ends: by log-out, expiry, a changed password or a disabled
    /// account. Open streams then close with 4401.
    pub revoked: CancellationToken,
    /// Cancelled before `revoked` if the database has been unavailable for so long that nobody
    /// knows whether the session still exists.
    pub unconfirmed: CancellationToken,
}

impl Caller {
    /// Returns why `revoked` was cancelled: [`Denied::SessionExpired`], or [`Denied::Unavailable`].
    pub fn end(&self) -> Denied {
        if self.unconfirmed.is_cancelled() {
            Denied::Unavailable
        } else {
            Denied::SessionExpired
        }
    }
}
