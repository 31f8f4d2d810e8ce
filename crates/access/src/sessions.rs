//! Log-ins and sessions.

mod account;
mod limits;
mod preferences;
mod random;
mod session_cache;
mod sweep;
mod throttle;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use podgate_store::{Rotation, Session, Store, Used};

use self::{
    session_cache::{Lookup, SessionCache},
    throttle::Throttle,
};
use crate::{
    caller::{Caller, User},
    clock::Clock,
    error::{Denied, Result},
    token::{Kind, Refresh},
};

/// The most times that a session is read until it does not change meanwhile. A change of another
/// session that shares its slot in the record of changes counts, too.
const READS: usize = 16;

/// How long sessions live, and how many failed log-ins are allowed.
#[derive(Clone, Debug)]
pub struct Options {
    /// Seconds without a request after which a session ends.
    pub idle: i64,
    /// Seconds after which a session ends in any case.
    pub absolute: i64,
    /// Seconds after which an access token must be refreshed.
    pub token: i64,
    /// The number of failures within `window` seconds that has a consequence. An account that
    /// reaches it from one network is refused from there; one that reaches it over all networks is
    /// slowed on unknown networks; a session that reaches it may not change its password.
    pub failures: u32,
    /// The number of failures within `window` seconds, over all accounts, at which a network is
    /// refused.
    pub network_failures: u32,
    /// Seconds for which a failure counts.
    pub window: i64,
    /// Seconds for which sessions and their streams continue from memory while the database is
    /// unavailable and can't say whether they ended.
    pub unconfirmed: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            idle: 12 * 3600,
            absolute: 7 * 24 * 3600,
            token: 3600,
            failures: 10,
            network_failures: 100,
            window: 300,
            unconfirmed: 3600,
        }
    }
}

/// The tokens of a new or refreshed session.
#[derive(Clone)]
pub struct Login {
    /// The access token; empty if another request of the same browser has just got it.
    pub token: String,
    /// The refresh token, which can be used once; empty with the access token.
    pub refresh_token: String,
    /// When the access token expires, in milliseconds since the epoch.
    pub expires_at: i64,
    /// When the session ends at the latest, in milliseconds since the epoch.
    pub session_expires_at: i64,
    /// The session's user.
    pub user: User,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("user", &self.user)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// The way in which a refresh token came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshedBy {
    /// In a body, from a program that has one copy of it.
    Body,
    /// In a cookie, which all tabs of a browser share.
    Cookie,
}

/// For how many milliseconds the tabs of a browser may still present the refresh token that one of
/// them has just used.
const SHARED: i64 = 10_000;

/// The sessions, with those in use cached in this process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sessions {
    store: Store,
    options: Arc<Options>,
    clock: Clock,
    cache: Arc<Mutex<SessionCache>>,
    throttle: Arc<Throttle>,
}

impl Sessions {
    /// Creates sessions that are kept in a store.
    pub fn new(store: Store, options: Options) -> Self {
        Self::with_clock(store, options, Clock::default())
    }

    /// Creates sessions that use a given clock.
    pub fn with_clock(store: Store, options: Options, clock: Clock) -> Self {
        let throttle = Throttle::new(&options, store.passwords().clone(), clock.clone());
        Self {
            store,
            clock,
            cache: Arc::new(Mutex::new(SessionCache::new(
                options.idle.saturating_mul(1000),
                options.unconfirmed.saturating_mul(1000),
            ))),
            throttle: Arc::new(throttle),
            options: Arc::new(options),
        }
    }

    /// Exchanges a refresh token for new tokens. A refresh token that is used twice ends the
    /// session, because one of its two users has stolen it.
    ///
    /// There are two exceptions for the token before the present one, where a thief gains nothing.
    /// Within 10 s of the exchange, another tab of the same browser gets no tokens, because the
    /// cookies that they share are the new ones already. And as long as neither of the new tokens
    /// was used, the answer with them was lost, and the client gets others.
    ///
    /// # Errors
    /// `NoCredential`, `SessionExpired`, `AccountLocked`, `Unavailable`, `Internal`.
    pub async fn refresh(&self, refresh_token: &str, by: RefreshedBy) -> Result<Login> {
        let unknown = || Denied::NoCredential("the refresh token is not valid: log in again".to_owned());
        let used = Refresh::presented(refresh_token).ok_or_else(unknown)?;
        if let Some((session, user)) = self.store.session_by_refresh(&used.hash).await?
            && let Some(login) = self.rotate(&session, &user, &used, Used::Present).await?
        {
            return Ok(login);
        }
        if let Some((session, user)) = self.store.session_by_refresh_before(&used.hash).await? {
            let now = self.clock.now();
            if by == RefreshedBy::Cookie && now.saturating_sub(session.rotated_at) < SHARED {
                self.check_alive(&session, &user, now)?;
                return Ok(Login {
                    token: String::new(),
                    refresh_token: String::new(),
                    expires_at: session.token_expires_at,
                    session_expires_at: session.expires_at,
                    user: shown(&user),
                });
            }
            let is_lost = !session.confirmed && !self.cache().is_in_use(session.id);
            if is_lost && let Some(login) = self.rotate(&session, &user, &used, Used::Before).await? {
                return Ok(login);
            }
        }
        let used_up = self.store.session_by_refresh_family(&used.family).await?;
        let (session, user) = used_up.ok_or_else(unknown)?;
        tracing::warn!(
            user = user.username,
            session = session.id,
            "a refresh token was used twice: its session is ended"
        );
        self.end(session.id).await?;
        Err(Denied::SessionExpired)
    }

    /// Issues new tokens for a session. Returns `None` if another request was faster.
    async fn rotate(
        &self,
        session: &Session,
        user: &podgate_store::User,
        used: &Refresh,
        which: Used,
    ) -> Result<Option<Login>> {
        let now = self.clock.now();
        self.check_alive(session, user, now)?;
        let (token, token_hash) = Kind::Session.generate()?;
        let refresh = used.next()?;
        let rotation = Rotation {
            used: which,
            used_refresh_hash: used.hash,
            token_hash,
            refresh_hash: refresh.hash,
            refresh_family: refresh.family,
            token_expires_at: self.token_expiry(now, session.expires_at),
        };
        if !self.store.rotate_session(session.id, &rotation, now).await? {
            return Ok(None);
        }
        self.cache()
            .rotate(session.id, token_hash, rotation.token_expires_at, now);
        Ok(Some(Login {
            token,
            refresh_token: refresh.token,
            expires_at: rotation.token_expires_at,
            session_expires_at: session.expires_at,
            user: shown(user),
        }))
    }

    /// Returns the caller to whom a token belongs, from memory if the token was seen before.
    ///
    /// # Errors
    /// `NoCredential` for an unknown token, `SessionExpired`, `AccountLocked`, `Unavailable`,
    /// `Internal`; `TooMany` if the session changes faster than it can be read.
    pub async fn authenticate(&self, token: &str) -> Result<Caller> {
        let unknown = || Denied::NoCredential("the access token is not valid: log in again".to_owned());
        let hash = Kind::Session.hash(token).ok_or_else(unknown)?;
        let now = self.clock.now();
        let found = self.cache().find(&hash, now);
        match found {
            Lookup::Caller(caller) => return Ok(caller),
            Lookup::Expired => return Err(Denied::SessionExpired),
            Lookup::Unknown => {}
        }
        for _ in 0..READS {
            let generation = self.cache().generation();
            let (session, user) = self.store.session_by_token(&hash).await?.ok_or_else(unknown)?;
            self.check_alive(&session, &user, now)?;
            if session.token_expires_at <= now {
                return Err(Denied::SessionExpired);
            }
            let caller = self.cache().insert(&session, shown(&user), generation, now);
            if let Some(caller) = caller {
                return Ok(caller);
            }
        }
        Err(Denied::TooMany { retry_after: 1 })
    }

    /// Ends the caller's session immediately.
    ///
    /// # Errors
    /// `Unavailable` and `Internal`: the session has ended in this process only.
    pub async fn logout(&self, caller: &Caller) -> Result<()> {
        self.end(caller.session).await
    }

    /// Ends the session of a refresh token immediately, even if the token was used before. Returns
    /// whether there was such a session.
    ///
    /// # Errors
    /// `Unavailable`, `Internal`.
    pub async fn logout_by_refresh(&self, refresh_token: &str) -> Result<bool> {
        let Some(presented) = Refresh::presented(refresh_token) else {
            return Ok(false);
        };
        let found = match self.store.session_by_refresh(&presented.hash).await? {
            None => self.store.session_by_refresh_family(&presented.family).await?,
            found => found,
        };
        let Some((session, _)) = found else {
            return Ok(false);
        };
        self.end(session.id).await?;
        Ok(true)
    }

    /// Ends a session in the store and here.
    async fn end(&self, id: i64) -> Result<()> {
        self.finish(move |sessions| async move {
            let deleted = sessions.store.delete_session(id).await;
            // Even if the store failed: a user who logs out wants the streams closed.
            sessions.cache().remove(id);
            deleted?;
            Ok(())
        })
        .await
    }

    /// Runs `work` to its end even if the caller's request is dropped: a session that ended in the
    /// store must end here too.
    async fn finish<F: Future<Output = Result<()>> + Send + 'static>(
        &self,
        work: impl FnOnce(Self) -> F,
    ) -> Result<()> {
        match tokio::spawn(work(self.clone())).await {
            Ok(result) => result,
            Err(error) => Err(Denied::Internal(format!("ending a session failed: {error}"))),
        }
    }

    fn check_alive(&self, session: &Session, user: &podgate_store::User, now: i64) -> Result<()> {
        check_barred(user, now)?;
        let idle = self.options.idle.saturating_mul(1000);
        if session_cache::is_over(session.expires_at, session.last_used_at, now, idle) {
            return Err(Denied::SessionExpired);
        }
        Ok(())
    }

    fn token_expiry(&self, now: i64, session_end: i64) -> i64 {
        now.saturating_add(self.options.token.saturating_mul(1000))
            .min(session_end)
    }

    fn cache(&self) -> MutexGuard<'_, SessionCache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the public part of a user.
fn shown(user: &podgate_store::User) -> User {
    User {
        id: user.id,
        username: user.username.clone(),
        email: user.email.clone(),
        role: user.role.clone(),
    }
}

fn check_barred(user: &podgate_store::User, now: i64) -> Result<()> {
    if user.disabled {
        return Err(Denied::AccountLocked(format!(
            "the account `{}` is disabled: ask an administrator",
            user.username
        )));
    }
    match user.locked_until {
        Some(until) if now < until => {
            let until = jiff::Timestamp::from_millisecond(until).unwrap_or(jiff::Timestamp::MAX);
            Err(Denied::AccountLocked(format!(
                "the account `{}` is locked until {until:.0}: try again then, or ask an administrator",
                user.username
            )))
        }
        _ => Ok(()),
    }
}
