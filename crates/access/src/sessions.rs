//! Log-in, sessions and who a token belongs to.

use std::net::IpAddr;

use podgate_store::Store;

use crate::{
    caller::{Caller, User},
    error::Result,
};

/// How long sessions live and how many failures a log-in may have.
#[derive(Clone, Debug)]
pub struct Options {
    /// Seconds without a call after which a session ends.
    pub idle: i64,
    /// Seconds after which a session ends in any case.
    pub absolute: i64,
    /// Seconds after which an access token must be refreshed.
    pub token: i64,
    /// Failures of one address, or of one account, within `window` seconds before further tries are refused.
    pub failures: u32,
    /// Seconds.
    pub window: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            idle: 12 * 3600,
            absolute: 7 * 24 * 3600,
            token: 3600,
            failures: 10,
            window: 300,
        }
    }
}

/// A new or refreshed session, as the client gets it.
#[derive(Clone)]
pub struct Login {
    /// The access token.
    pub token: String,
    /// The refresh token; single-use.
    pub refresh_token: String,
    /// When the access token expires, in milliseconds since the epoch.
    pub expires_at: i64,
    /// Whose it is.
    pub user: User,
}

/// Sessions of this process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sessions {}

impl Sessions {
    /// Sessions kept in a store.
    pub fn new(_store: Store, _options: Options) -> Self {
        todo!()
    }

    /// Creates `admin` if there is no user at all. Returns the password when it was made up (none given), so that it can be shown once.
    ///
    /// # Errors
    /// [`crate::Denied::Internal`]; [`crate::Denied::Invalid`] for a given password that is too weak.
    pub async fn ensure_admin(&self, _password: Option<&str>) -> Result<Option<String>> {
        todo!()
    }

    /// Checks a password and opens a session.
    ///
    /// # Errors
    /// `WrongPassword`, `AccountLocked`, `TooMany`, `Internal`.
    pub async fn login(&self, _username: &str, _password: &str, _peer: IpAddr) -> Result<Login> {
        todo!()
    }

    /// Trades a refresh token for new tokens. A refresh token used twice ends the session.
    ///
    /// # Errors
    /// `NoCredential`, `SessionExpired`, `AccountLocked`, `Internal`.
    pub async fn refresh(&self, _refresh_token: &str) -> Result<Login> {
        todo!()
    }

    /// Who a token belongs to. From memory when it was seen before.
    ///
    /// # Errors
    /// `NoCredential` for an unknown token, `SessionExpired`, `AccountLocked`, `Internal`.
    pub async fn authenticate(&self, _token: &str) -> Result<Caller> {
        todo!()
    }

    /// Ends the caller's session, at once, everywhere.
    ///
    /// # Errors
    /// `Internal`.
    pub async fn logout(&self, _caller: &Caller) -> Result<()> {
        todo!()
    }

    /// Changes the caller's password and ends all the account's other sessions.
    ///
    /// # Errors
    /// `WrongPassword` (counted as a failed log-in), `TooMany`, `Invalid` for a weak new one, `Internal`.
    pub async fn change_password(&self, _caller: &Caller, _old: &str, _new: &str, _peer: IpAddr) -> Result<()> {
        todo!()
    }

    /// Deletes expired sessions from the store and cancels those in memory; runs until cancelled. One task, owned by the caller.
    pub async fn sweep(&self, _stop: tokio_util::sync::CancellationToken) {
        todo!()
    }
}
