//! Who calls.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::error::Denied;

/// An account as others may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub username: String,
    /// Its mail address, or empty.
    pub email: String,
    /// `admin`.
    pub role: String,
}

/// An authenticated caller. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The account.
    pub user: Arc<User>,
    /// The session's number.
    pub session: i64,
    /// Cancelled when the session ends (log-out, expiry, a changed password, a disabled account):
    /// open streams close with 4401 then.
    pub revoked: CancellationToken,
    /// Cancelled before `revoked` when the session may go on, but the database has been away for so
    /// long that nobody can tell.
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
