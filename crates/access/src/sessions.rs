//! Log-in, sessions and who a token belongs to.

mod limits;
mod live;
mod password;
mod sweep;

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use podgate_store::{NewSession, NewUser, Rotation, Session, Store};

use self::{
    limits::{Limits, Tries},
    live::{Found, Live},
};
use crate::{
    caller::{Caller, User},
    clock::Clock,
    error::{Denied, Result},
    token::{Kind, Refresh},
};

/// How many sessions a user may have; beyond it the longest unused ends.
const SESSIONS_OF_USER: u64 = 1000;

/// Longest user name, in bytes.
const LONGEST_USERNAME: usize = 255;

/// The first user.
const ADMIN: &str = "admin";

/// How often a session is read again because it changed, or one that shares its place among the changes did.
const READS: usize = 16;

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

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("user", &self.user)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Sessions of this process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sessions {
    store: Store,
    options: Arc<Options>,
    clock: Clock,
    live: Arc<Mutex<Live>>,
    limits: Arc<Mutex<Limits>>,
}

impl Sessions {
    /// Sessions kept in a store.
    pub fn new(store: Store, options: Options) -> Self {
        Self::with_clock(store, options, Clock::default())
    }

    /// The same by another clock.
    pub fn with_clock(store: Store, options: Options, clock: Clock) -> Self {
        Self {
            store,
            clock,
            live: Arc::new(Mutex::new(Live::new(options.idle.saturating_mul(1000)))),
            limits: Arc::new(Mutex::new(Limits::new(
                options.failures,
                options.window.saturating_mul(1000),
            ))),
            options: Arc::new(options),
        }
    }

    /// Creates `admin` if there is no user at all. Returns the password when it was made up (none given), so that it can be shown once.
    ///
    /// # Errors
    /// [`crate::Denied::Internal`]; [`crate::Denied::Invalid`] for a given password that is too weak.
    pub async fn ensure_admin(&self, password: Option<&str>) -> Result<Option<String>> {
        if self.store.count_users().await? > 0 {
            return Ok(None);
        }
        let made_up = match password {
            Some(given) => {
                password::check_strength(given, ADMIN)?;
                None
            }
            None => Some(password::random()?),
        };
        let password = made_up.as_deref().or(password).unwrap_or_default();
        let hash = self.store.passwords().turn().await?.hash(password).await?;
        let admin = NewUser {
            username: ADMIN.to_owned(),
            email: String::new(),
            role: ADMIN.to_owned(),
            password: hash,
        };
        match self.store.create_user(admin, self.clock.now()).await {
            Ok(_) => Ok(made_up),
            // Another process was faster: its password counts.
            Err(podgate_store::Error::Taken(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Checks a password and opens a session.
    ///
    /// # Errors
    /// `WrongPassword`, `AccountLocked`, `TooMany`, `Internal`. Neither error nor time tells whether there is such a user; that an account
    /// is locked is told to who knows its password.
    pub async fn login(&self, username: &str, password: &str, peer: IpAddr) -> Result<Login> {
        let tries = Tries::new(peer, username);
        self.check_limits(&tries)?;
        let turn = self.store.passwords().turn().await?;
        // Again, now that nobody else is trying: those that waited with us have been counted.
        self.check_limits(&tries)?;
        let user = if username.len() > LONGEST_USERNAME || username.chars().any(char::is_control) {
            None
        } else {
            self.store.user_by_name(username).await?
        };
        let right = password::verify(&turn, password, user.as_ref()).await?;
        let Some(user) = user.filter(|_| right) else {
            self.limits().fail(&tries, self.clock.now());
            return Err(Denied::WrongPassword);
        };
        drop(turn);
        check_barred(&user, self.clock.now())?;
        self.begin(&user).await
    }

    /// Opens a session of a user whose password was checked.
    async fn begin(&self, user: &podgate_store::User) -> Result<Login> {
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
        // A password that was changed since it was checked has ended all sessions but this one.
        let current = self.store.user_by_id(user.id).await?;
        if current.is_none_or(|current| current.password != user.password) {
            self.end(session.id).await?;
            return Err(Denied::WrongPassword);
        }
        for id in self.store.trim_sessions(user.id, SESSIONS_OF_USER).await? {
            self.live().remove(id);
        }
        Ok(Login {
            token,
            refresh_token: refresh.token,
            expires_at: session.token_expires_at,
            user: shown(user),
        })
    }

    /// Trades a refresh token for new tokens. A refresh token used twice ends the session: one of the two who had it is a thief.
    ///
    /// # Errors
    /// `NoCredential`, `SessionExpired`, `AccountLocked`, `Internal`.
    pub async fn refresh(&self, refresh_token: &str) -> Result<Login> {
        let unknown = || Denied::NoCredential("the refresh token is not valid: log in again".to_owned());
        let used = Refresh::presented(refresh_token).ok_or_else(unknown)?;
        if let Some((session, user)) = self.store.session_by_refresh(&used.hash).await?
            && let Some(login) = self.rotate(&session, &user, &used).await?
        {
            return Ok(login);
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

    /// New tokens for a session; `None` when someone else got them.
    async fn rotate(&self, session: &Session, user: &podgate_store::User, used: &Refresh) -> Result<Option<Login>> {
        let now = self.clock.now();
        self.check_alive(session, user, now)?;
        let (token, token_hash) = Kind::Session.generate()?;
        let refresh = used.next()?;
        let rotation = Rotation {
            used_refresh_hash: used.hash,
            token_hash,
            refresh_hash: refresh.hash,
            refresh_family: refresh.family,
            token_expires_at: self.token_expiry(now, session.expires_at),
        };
        if !self.store.rotate_session(session.id, &rotation, now).await? {
            return Ok(None);
        }
        self.live()
            .rotate(session.id, token_hash, rotation.token_expires_at, now);
        Ok(Some(Login {
            token,
            refresh_token: refresh.token,
            expires_at: rotation.token_expires_at,
            user: shown(user),
        }))
    }

    /// Who a token belongs to. From memory when it was seen before.
    ///
    /// # Errors
    /// `NoCredential` for an unknown token, `SessionExpired`, `AccountLocked`, `Internal`; `TooMany` for a session that changes faster than
    /// it can be read.
    pub async fn authenticate(&self, token: &str) -> Result<Caller> {
        let unknown = || Denied::NoCredential("the access token is not valid: log in again".to_owned());
        let hash = Kind::Session.hash(token).ok_or_else(unknown)?;
        let now = self.clock.now();
        let found = self.live().find(&hash, now);
        match found {
            Found::Caller(caller) => return Ok(caller),
            Found::Expired => return Err(Denied::SessionExpired),
            Found::Unknown => {}
        }
        for _ in 0..READS {
            let generation = self.live().generation();
            let (session, user) = self.store.session_by_token(&hash).await?.ok_or_else(unknown)?;
            self.check_alive(&session, &user, now)?;
            if session.token_expires_at <= now {
                return Err(Denied::SessionExpired);
            }
            let caller = self.live().insert(&session, shown(&user), generation, now);
            if let Some(caller) = caller {
                return Ok(caller);
            }
        }
        Err(Denied::TooMany { retry_after: 1 })
    }

    /// Ends the caller's session, at once, everywhere.
    ///
    /// # Errors
    /// `Internal`.
    pub async fn logout(&self, caller: &Caller) -> Result<()> {
        self.end(caller.session).await
    }

    /// Changes the caller's password and ends all the account's other sessions.
    ///
    /// # Errors
    /// `WrongPassword` (counted as a failed log-in), `TooMany`, `Invalid` for a weak new one, `Internal`.
    pub async fn change_password(&self, caller: &Caller, old: &str, new: &str, peer: IpAddr) -> Result<()> {
        password::check_strength(new, &caller.user.username)?;
        let tries = Tries::new(peer, &caller.user.username);
        self.check_limits(&tries)?;
        let turn = self.store.passwords().turn().await?;
        self.check_limits(&tries)?;
        let user = self.store.user_by_id(caller.user.id).await?;
        if !password::verify(&turn, old, user.as_ref()).await? {
            self.limits().fail(&tries, self.clock.now());
            return Err(Denied::WrongPassword);
        }
        let hash = turn.hash(new).await?;
        drop(turn);
        let (user, kept) = (caller.user.id, caller.session);
        self.finish(move |sessions| async move {
            sessions
                .store
                .set_password(user, hash, kept, sessions.clock.now())
                .await?;
            sessions.live().remove_of_user_except(user, kept);
            Ok(())
        })
        .await
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// `Internal`.
    pub async fn ping(&self) -> Result<()> {
        Ok(self.store.ping().await?)
    }

    /// Ends a session in the store and here.
    async fn end(&self, id: i64) -> Result<()> {
        self.finish(move |sessions| async move {
            let deleted = sessions.store.delete_session(id).await;
            // Even if the store failed: who logs out wants the streams closed.
            sessions.live().remove(id);
            deleted?;
            Ok(())
        })
        .await
    }

    /// Runs to its end even if the caller's request goes away meanwhile: what is over in the store must be over here too.
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
        if live::is_over(session.expires_at, session.last_used_at, now, idle) {
            return Err(Denied::SessionExpired);
        }
        Ok(())
    }

    fn token_expiry(&self, now: i64, session_end: i64) -> i64 {
        now.saturating_add(self.options.token.saturating_mul(1000))
            .min(session_end)
    }

    fn check_limits(&self, tries: &Tries) -> Result<()> {
        let wait = self.limits().wait(tries, self.clock.now());
        wait.map_or(Ok(()), |retry_after| Err(Denied::TooMany { retry_after }))
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn limits(&self) -> MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What others may see of a user.
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
