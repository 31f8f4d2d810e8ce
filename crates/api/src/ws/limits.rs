//! The open WebSockets and their caps.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

use crate::ApiError;

/// The caps and time limits of WebSockets.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The most WebSockets open at once.
    pub total: usize,
    /// The most WebSockets of one session open at once.
    pub per_session: usize,
    /// The most live queries of one user open at once, over all sessions.
    pub live_per_user: usize,
    /// The most bytes of a client's frame, and of its message.
    pub max_frame: usize,
    /// The time between two pings to the client.
    pub ping_every: Duration,
    /// How long a client may be silent before it counts as gone. A live one answers the pings.
    pub gone_after: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            total: 4096,
            per_session: 256,
            live_per_user: 1024,
            max_frame: 1024 * 1024,
            ping_every: Duration::from_secs(20),
            gone_after: Duration::from_secs(120),
        }
    }
}

/// The open WebSockets. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct SocketLimiter {
    limits: Limits,
    streams: StreamLimiter,
    tracker: TaskTracker,
    terminals: TaskTracker,
    terminals_close: CancellationToken,
}

/// The counter of the open streams of one kind, by session and in total. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct StreamLimiter {
    /// The streams' name, in the plural.
    kind: &'static str,
    total: usize,
    per_session: usize,
    /// A std mutex, because it is held for a look-up, never across an await.
    open: Arc<Mutex<Open>>,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_session: HashMap<i64, usize>,
}

/// The permit of one open stream, which is given back when it is dropped.
#[derive(Debug)]
pub(crate) struct StreamPermit {
    streams: StreamLimiter,
    session: i64,
}

impl SocketLimiter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            limits: limits.clone(),
            streams: StreamLimiter::new("WebSockets", limits),
            tracker: TaskTracker::new(),
            terminals: TaskTracker::new(),
            terminals_close: CancellationToken::new(),
        }
    }

    /// Returns the limiter that gives out the permits of WebSockets.
    pub(crate) fn streams(&self) -> &StreamLimiter {
        &self.streams
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns the number of open WebSockets.
    pub(crate) fn count(&self) -> usize {
        self.streams.open().total
    }

    /// Tracks a socket's task until the token is dropped.
    pub(crate) fn track(&self, terminal: bool) -> TaskTrackerToken {
        let tracker = if terminal { &self.terminals } else { &self.tracker };
        tracker.token()
    }

    /// Returns the token that closes the terminals.
    pub(crate) fn terminals_close(&self) -> &CancellationToken {
        &self.terminals_close
    }

    /// Waits until every other socket is closed, then closes the terminals and waits for them.
    pub(crate) async fn drained(&self) {
        self.tracker.close();
        self.tracker.wait().await;
        self.terminals_close.cancel();
        self.terminals.close();
        self.terminals.wait().await;
    }
}

impl StreamLimiter {
    /// Creates a limiter without open streams. Its caps are those of WebSockets.
    pub(crate) fn new(kind: &'static str, limits: &Limits) -> Self {
        Self {
            kind,
            total: limits.total,
            per_session: limits.per_session,
            open: Arc::default(),
        }
    }

    /// Takes a permit for a stream of a session.
    ///
    /// # Errors
    /// 429001 if there is none left.
    pub(crate) fn enter(&self, session: i64) -> Result<StreamPermit, ApiError> {
        let kind = self.kind;
        let refuse = |what: &str, most: usize| ApiError::TooMany {
            message: format!("{what} has {most} open {kind}, which is the limit: close some, then try again"),
            retry_after: 5,
        };
        let mut open = self.open();
        if open.total >= self.total {
            return Err(refuse("this server", self.total));
        }
        let of_session = open.by_session.entry(session).or_default();
        if *of_session >= self.per_session {
            return Err(refuse("this session", self.per_session));
        }
        *of_session += 1;
        open.total += 1;
        Ok(StreamPermit {
            streams: self.clone(),
            session,
        })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        let mut open = self.streams.open();
        open.total = open.total.saturating_sub(1);
        if let Some(count) = open.by_session.get_mut(&self.session) {
            *count -= 1;
            if *count == 0 {
                open.by_session.remove(&self.session);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn permits_are_capped_by_session_and_in_all_and_come_back() {
        let sockets = SocketLimiter::new(&Limits {
            total: 3,
            per_session: 2,
            ..Limits::default()
        });
        let streams = sockets.streams();
        let first = streams.enter(1).unwrap();
        let _second = streams.enter(1).unwrap();
        assert!(streams.enter(1).unwrap_err().message().contains("this session has 2"));
        let _third = streams.enter(2).unwrap();
        assert!(streams.enter(2).unwrap_err().message().contains("this server has 3"));
        assert_eq!(sockets.count(), 3);
        drop(first);
        assert_eq!(sockets.count(), 2);
        let _again = streams.enter(1).unwrap();
    }
}
