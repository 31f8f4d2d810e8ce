//! Operations that take a password: creating the first administrator, logging in, and changing the
//! password.

use std::net::IpAddr;

use podgate_store::{NewSession, NewUser, Priority, User};

use super::{Sessions, check_barred, limits::Tries, shown};
use crate::{
    caller::Caller,
    error::{Denied, Result},
    sessions::{Login, random},
    token::{Kind, Refresh},
};

/// The most sessions of a user. One more ends the session that was unused for longest.
const SESSIONS_OF_USER: u64 = 1000;

/// The most bytes of a user name.
const LONGEST_USERNAME: usize = 255;

/// For how many milliseconds a network counts as known after the account has logged in from it.
pub(super) const KNOWN: i64 = 30 * 24 * 3600 * 1000;

/// The name of the first user.
const ADMIN: &str = "admin";

impl Sessions {
    /// Creates `admin` if there is no user yet. If no password is given, generates one and returns
    /// it, so that it can be shown once.
    ///
    /// # Errors
    /// [`Denied::Invalid`] for a given password that is too weak; [`Denied::Unavailable`],
    /// [`Denied::Internal`].
    pub async fn ensure_admin(&self, password: Option<&str>) -> Result<Option<String>> {
        if self.store.count_users().await? > 0 {
            return Ok(None);
        }
        let made_up = match password {
            Some(_) => None,
            None => Some(random::password(ADMIN)?),
        };
        let password = made_up.as_deref().or(password).unwrap_or_default();
        let turn = self.store.passwords().turn(Priority::High).await?;
        let admin = NewUser {
            username: ADMIN.to_owned(),
            email: String::new(),
            role: ADMIN.to_owned(),
            password: turn.hash(password, ADMIN).await?,
        };
        match self.store.create_user(admin, self.clock.now()).await {
            Ok(_) => Ok(made_up),
            // Another process was faster, so its password counts.
            Err(podgate_store::Error::Taken(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Checks a password and opens a session. Remembers the network as one that the account logs in
    /// from.
    ///
    /// # Errors
    /// `WrongPassword`, `AccountLocked`, `TooMany`, `Unavailable`, `Internal`. Neither the error
    /// nor the time reveals whether the user exists. Only a caller who knows the password learns
    /// that the account is locked.
    pub async fn login(&self, username: &str, password: &str, peer: IpAddr) -> Result<Login> {
        let tries = Tries::new(peer, username);
        self.throttle.check(&tries)?;
        let since = self.clock.now().saturating_sub(KNOWN);
        let known = self.store.knows_network(username, tries.network, since).await?;
        // Done before the turn, for which all others wait: a database that hangs must not hold it.
        let user = if username.len() > LONGEST_USERNAME || username.chars().any(char::is_control) {
            None
        } else {
            self.store.user_by_name(username).await?
        };
        let turn = self.throttle.turn(&tries, known).await?;
        let right = turn.verify(password, user.as_ref().map(|user| &user.password)).await?;
        let Some(user) = user.filter(|_| right) else {
            self.throttle.fail(&tries);
            return Err(Denied::WrongPassword);
        };
        drop(turn);
        check_barred(&user, self.clock.now())?;
        self.store
            .record_network(&user, tries.network, self.clock.now())
            .await?;
        self.begin(&user).await
    }

    /// Opens a session for a user whose password was checked.
    async fn begin(&self, user: &User) -> Result<Login> {
        let (token, token_hash) = Kind::Session.generate()?;
        let refresh = Refresh::first()?;
        let now = self.clock.now();
        let expires_at = now.saturating_add(self.options.absolute.saturating_mul(1000));
        let new = NewSession {
            user_id: user.id,
            token_hash,
            refresh_hash: refresh.hash,
            refresh_family: refresh.family,
            token_expires_at: self.token_expiry(now, expires_at),
            expires_at,
        };
        let session = self.store.insert_session(new, now).await?;
        // If the password was changed since the check, that change has not ended this session.
        let current = self.store.user_by_id(user.id).await?;
        if current.is_none_or(|current| current.password != user.password) {
            self.end(session.id).await?;
            return Err(Denied::WrongPassword);
        }
        for id in self.store.trim_sessions(user.id, SESSIONS_OF_USER).await? {
            self.cache().remove(id);
        }
        Ok(Login {
            token,
            refresh_token: refresh.token,
            expires_at: session.token_expires_at,
            session_expires_at: session.expires_at,
            user: shown(user),
        })
    }

    /// Changes the caller's password and ends all the account's other sessions.
    ///
    /// # Errors
    /// `WrongPassword`, `Invalid` for a weak new one (both count for this session only),
    /// `TooMany`, `Unavailable`, `Internal`.
    pub async fn change_password(&self, caller: &Caller, old: &str, new: &str) -> Result<()> {
        let (user, kept) = (caller.user.id, caller.session);
        // Done before the turn, as in a log-in.
        let checked = self.store.user_by_id(user).await?.map(|user| user.password);
        let turn = self.throttle.turn_of_session(kept).await?;
        if !turn.verify(old, checked.as_ref()).await? {
            self.throttle.fail_session(kept);
            return Err(Denied::WrongPassword);
        }
        let hash = turn.hash(new, &caller.user.username).await;
        if matches!(hash, Err(podgate_store::Error::Weak(_))) {
            // It was hashed with the priority of known callers.
            self.throttle.fail_session(kept);
        }
        drop(turn);
        let hash = hash?;
        self.finish(move |sessions| async move {
            // If the password was changed since the check, the caller no longer knows it.
            let current = sessions.store.user_by_id(user).await?.map(|user| user.password);
            if current != checked {
                return Err(Denied::WrongPassword);
            }
            sessions
                .store
                .set_password(user, hash, kept, sessions.clock.now())
                .await?;
            sessions.cache().remove_of_user_except(user, kept);
            Ok(())
        })
        .await
    }
}
