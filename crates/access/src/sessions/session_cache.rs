//! The sessions in use in this process: authenticates their tokens without the database, and ends
//! them.

mod changes;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use podgate_store::{Session, TokenHash};
use tokio_util::sync::CancellationToken;

use self::changes::Changes;
use crate::caller::{Caller, User};

/// The most sessions that are kept. One more drops the session unused for longest, which closes its
/// streams: a stream of a forgotten session could no longer be ended.
const KEPT: usize = 10_000;

/// For how many milliseconds a use may be missing from the database.
const TOUCH: i64 = 60_000;

/// A session in use.
#[derive(Debug)]
struct Entry {
    user: Arc<User>,
    token_hash: TokenHash,
    token_expires_at: i64,
    expires_at: i64,
    last_used_at: i64,
    touched_at: i64,
    /// Whether the present access token was used here, so that the client has it.
    in_use: bool,
    /// Whether the database knows that one of the present tokens was used.
    confirmed: bool,
    /// When the database last confirmed the session.
    confirmed_at: i64,
    /// The generation in which its tokens last changed here.
    changed: u64,
    revoked: CancellationToken,
    unconfirmed: CancellationToken,
}

/// The cache. Times are milliseconds since the epoch.
#[derive(Debug)]
pub(super) struct SessionCache {
    sessions: HashMap<i64, Entry>,
    by_token: HashMap<TokenHash, i64>,
    /// Milliseconds without a request after which a session ends.
    idle: i64,
    /// Milliseconds without confirmation by the database after which a session's state is unknown.
    unconfirmed: i64,
    /// Grows whenever a token stops being valid. A row of its session that was read from the
    /// database before may be outdated.
    generation: u64,
    /// The generation in which a session last ended or changed its tokens, by the session's number.
    sessions_changed: Changes,
    /// The generation in which all sessions of a user but one last ended, by the user's number.
    users_changed: Changes,
}

/// The result of looking up a token.
#[derive(Debug)]
pub(super) enum Lookup {
    /// The token is valid.
    Caller(Caller),
    /// The token must be refreshed, or its session is over.
    Expired,
    /// The token is not cached: ask the database.
    Unknown,
}

impl SessionCache {
    pub(super) fn new(idle: i64, unconfirmed: i64) -> Self {
        Self {
            sessions: HashMap::new(),
            by_token: HashMap::new(),
            idle,
            unconfirmed,
            generation: 0,
            sessions_changed: Changes::new(),
            users_changed: Changes::new(),
        }
    }

    /// Returns the current generation. Take it before reading the database, for
    /// [`SessionCache::insert`] and [`SessionCache::reconcile`] to compare with.
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Looks up a token, which counts as a use of its session.
    pub(super) fn find(&mut self, token: &TokenHash, now: i64) -> Lookup {
        let Some(&id) = self.by_token.get(token) else {
            return Lookup::Unknown;
        };
        let Some(entry) = self.sessions.get_mut(&id) else {
            return Lookup::Unknown;
        };
        if entry.is_over(now, self.idle) {
            self.remove(id);
            return Lookup::Expired;
        }
        if entry.token_expires_at <= now {
            return Lookup::Expired;
        }
        if entry.is_unconfirmed(now, self.unconfirmed) {
            return Lookup::Unknown;
        }
        entry.last_used_at = entry.last_used_at.max(now);
        entry.in_use = true;
        Lookup::Caller(entry.caller(id))
    }

    /// Returns the sessions whose last use must be written to the database, with its time: those
    /// used more than a minute after the use that the database knows, or for the first time with
    /// new tokens.
    pub(super) fn touches(&self) -> Vec<(i64, TokenHash, i64)> {
        let touches = self.sessions.iter().map(|(id, entry)| (*id, entry));
        let due = touches
            .filter(|(_, entry)| entry.last_used_at - entry.touched_at >= TOUCH || entry.in_use && !entry.confirmed);
        due.map(|(id, entry)| (id, entry.token_hash, entry.last_used_at))
            .collect()
    }

    /// Records that the database knows of a use of an access token.
    pub(super) fn touched(&mut self, id: i64, token: &TokenHash, at: i64) {
        if let Some(entry) = self.sessions.get_mut(&id) {
            entry.touched_at = entry.touched_at.max(at);
            entry.confirmed |= entry.in_use && entry.token_hash == *token;
        }
    }

    /// Inserts a session that was read from the database. Returns `None` if its tokens may have
    /// changed meanwhile, so that it must be read again.
    pub(super) fn insert(&mut self, session: &Session, user: User, generation: u64, now: i64) -> Option<Caller> {
        if self.sessions_changed.since(session.id, generation) || self.users_changed.since(session.user_id, generation)
        {
            return None;
        }
        if self.sessions.len() >= KEPT && !self.sessions.contains_key(&session.id) {
            let oldest = self.sessions.iter().min_by_key(|(_, entry)| entry.last_used_at);
            if let Some(id) = oldest.map(|(id, _)| *id) {
                self.remove(id);
            }
        }
        let ends = self.sessions.get(&session.id);
        let ends = ends.map(|entry| (entry.revoked.clone(), entry.unconfirmed.clone()));
        let (revoked, unconfirmed) = ends.unwrap_or_default();
        let entry = Entry {
            user: Arc::new(user),
            token_hash: session.token_hash,
            token_expires_at: session.token_expires_at,
            expires_at: session.expires_at,
            last_used_at: session.last_used_at.max(now),
            touched_at: session.last_used_at,
            in_use: true,
            confirmed: session.confirmed,
            confirmed_at: now,
            changed: self.generation,
            revoked,
            unconfirmed,
        };
        let caller = entry.caller(session.id);
        self.by_token.insert(session.token_hash, session.id);
        if let Some(before) = self.sessions.insert(session.id, entry)
            && before.token_hash != session.token_hash
        {
            self.by_token.remove(&before.token_hash);
        }
        Some(caller)
    }

    /// Replaces a session's access token.
    pub(super) fn rotate(&mut self, id: i64, token: TokenHash, expires_at: i64, now: i64) {
        let generation = self.changed(id);
        if let Some(entry) = self.sessions.get_mut(&id) {
            self.by_token.remove(&entry.token_hash);
            self.by_token.insert(token, id);
            entry.changed = generation;
            entry.token_hash = token;
            entry.token_expires_at = expires_at;
            entry.last_used_at = entry.last_used_at.max(now);
            entry.touched_at = entry.touched_at.max(now);
            entry.in_use = false;
            entry.confirmed = false;
        }
    }

    /// Returns whether one of a session's present tokens was used here.
    pub(super) fn is_in_use(&self, id: i64) -> bool {
        self.sessions.get(&id).is_some_and(|entry| entry.in_use)
    }

    /// Ends a session in this process: drops its token and closes its streams.
    pub(super) fn remove(&mut self, id: i64) {
        self.changed(id);
        if let Some(entry) = self.sessions.remove(&id) {
            self.by_token.remove(&entry.token_hash);
            entry.revoked.cancel();
        }
    }

    /// Ends all sessions of a user except one.
    pub(super) fn remove_of_user_except(&mut self, user: i64, kept: i64) {
        self.generation += 1;
        self.users_changed.record(user, self.generation);
        self.remove_where(|id, entry| entry.user.id == user && id != kept);
    }

    /// Ends the sessions whose time is over.
    pub(super) fn remove_expired(&mut self, now: i64) {
        let idle = self.idle;
        self.remove_where(|_, entry| entry.is_over(now, idle));
    }

    /// Ends the sessions that the database has not confirmed for too long.
    pub(super) fn remove_unconfirmed(&mut self, now: i64) {
        let limit = self.unconfirmed;
        for entry in self.sessions.values().filter(|entry| entry.is_unconfirmed(now, limit)) {
            entry.unconfirmed.cancel();
        }
        self.remove_where(|_, entry| entry.unconfirmed.is_cancelled());
    }

    /// Returns the numbers of all sessions.
    pub(super) fn ids(&self) -> Vec<i64> {
        self.sessions.keys().copied().collect()
    }

    /// Updates the sessions `asked` for from their rows in the database.
    ///
    /// `found` was read after `generation` and `now` were taken. Another process may have ended,
    /// refreshed or used a session. Tokens that changed here meanwhile stay as they are. A session
    /// without a row has ended in any case: its row existed before it was cached, and no number is
    /// used twice.
    pub(super) fn reconcile(&mut self, asked: &[i64], found: Vec<(Session, User)>, generation: u64, now: i64) {
        let alive: HashSet<i64> = found.iter().map(|(session, _)| session.id).collect();
        for &id in asked.iter().filter(|id| !alive.contains(id)) {
            self.remove(id);
        }
        for (session, user) in found {
            let Some(entry) = self.sessions.get_mut(&session.id) else {
                continue;
            };
            entry.user = Arc::new(user);
            entry.confirmed_at = entry.confirmed_at.max(now);
            entry.last_used_at = entry.last_used_at.max(session.last_used_at);
            if entry.token_hash != session.token_hash && entry.changed <= generation {
                self.rotate(
                    session.id,
                    session.token_hash,
                    session.token_expires_at,
                    session.last_used_at,
                );
            }
        }
    }

    /// Records that a session's tokens stop being valid, and returns the new generation.
    fn changed(&mut self, id: i64) -> u64 {
        self.generation += 1;
        self.sessions_changed.record(id, self.generation);
        self.generation
    }

    fn remove_where(&mut self, mut over: impl FnMut(i64, &Entry) -> bool) {
        let ids: Vec<i64> = self
            .sessions
            .iter()
            .filter(|(id, entry)| over(**id, entry))
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            self.remove(id);
        }
    }
}

impl Entry {
    fn is_over(&self, now: i64, idle: i64) -> bool {
        is_over(self.expires_at, self.last_used_at, now, idle)
    }

    fn is_unconfirmed(&self, now: i64, limit: i64) -> bool {
        self.confirmed_at.saturating_add(limit) <= now
    }

    fn caller(&self, id: i64) -> Caller {
        Caller {
            user: self.user.clone(),
            session: id,
            token_expires_at: self.token_expires_at,
            expires_at: self.expires_at,
            revoked: self.revoked.clone(),
            unconfirmed: self.unconfirmed.clone(),
        }
    }
}

/// Returns whether a session has expired: at its end, or after `idle` milliseconds without use.
pub(super) fn is_over(expires_at: i64, last_used_at: i64, now: i64, idle: i64) -> bool {
    expires_at <= now || last_used_at.saturating_add(idle) <= now
}

#[cfg(test)]
mod tests;
