//! The client of a cluster, which its calls share.
//!
//! The client is made when it is first needed, and made again when its credential was refused,
//! expires or changes.

use std::time::Duration;

use jiff::Timestamp;
use tokio::{
    sync::{Mutex, oneshot},
    time::{Instant, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use super::{
    Client, Policy,
    connect::{self, BuiltClient},
};
use crate::{
    Error, Source,
    error::{Failure, Result},
    source::{InvalidSource, Loaded},
};

/// How long a call that the current client can serve waits for files to be read again.
const READ_WAIT: Duration = Duration::from_secs(2);
/// How long before its expiry a credential is renewed. If a quarter of its remaining time is less,
/// that applies instead.
const RENEW_EARLY: Duration = Duration::from_secs(60);

/// The holder of a cluster's client. It makes one client at a time, so a hanging plug-in is one
/// process, however many calls wait for it.
pub(crate) struct SharedClient {
    source: Source,
    name: String,
    policy: Policy,
    /// The state, which is locked while a client is made. The mutex is an async one, because that
    /// takes time.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The time and the result of the last attempt.
    last: Option<(Instant, Result<CurrentClient>)>,
    /// A build in progress. It is kept if the call that waited for it is dropped or times out, so
    /// that the next call can wait for it.
    build: Option<Build>,
    /// The result of reading the source's files again, while that is in progress.
    reading: Option<SourceRead>,
}

/// The receiver for a source that a thread is reading.
type SourceRead = oneshot::Receiver<std::result::Result<Loaded, InvalidSource>>;

/// A usable client.
#[derive(Clone)]
struct CurrentClient {
    client: Client,
    loaded: Loaded,
    /// When its source was last found to be unchanged.
    checked_at: Instant,
    /// When a new client must be made.
    until: Option<Instant>,
}

/// A client that a task is making, or has made but that nobody has taken yet. Dropping it ends the
/// task and the plug-in that the task runs.
struct Build {
    since: Instant,
    built: oneshot::Receiver<Result<BuiltClient>>,
    _task: AbortOnDropHandle<()>,
}

impl std::fmt::Debug for SharedClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedClient")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl SharedClient {
    /// Makes a holder without a client. The client is made when it is first needed.
    pub(crate) fn new(source: Source, name: String, policy: Policy) -> Self {
        Self {
            source,
            name,
            policy,
            state: Mutex::default(),
        }
    }

    /// Returns the client.
    ///
    /// If there is no client yet, its credential was refused or expires, or its files have changed,
    /// a new one is made: the files are read and the exec plug-in is run again.
    ///
    /// # Errors
    /// [`Error::Upstream`] for a source that can't be used, and [`Error::Timeout`] for a plug-in
    /// that does not end in time.
    pub(crate) async fn get(&self) -> Result<Client> {
        let mut state = self.state.lock().await;
        let State { last, reading, .. } = &mut *state;
        let soon = |at: &Instant| at.elapsed() < self.policy.watch.retry_max / 6;
        match last {
            Some((_, Ok(current))) if current.is_usable() => {
                if !self.has_changed(current, reading).await {
                    return Ok(current.client.clone());
                }
                // Keep the old client if the new files can't be used, for example because one is
                // being written.
                let old = current.clone();
                return Ok(self.build(&mut state).await.unwrap_or_else(|error| {
                    tracing::warn!(cluster = self.name, %error, "the changed credential of a cluster can't be used, so the previous one stays in use");
                    state.last = Some((Instant::now(), Ok(old.clone())));
                    old.client
                }));
            }
            // Do not run a plug-in, or read a failing source, for every call.
            Some((at, result)) if soon(at) => return result.clone().map(|current| current.client),
            _ => {}
        }
        self.build(&mut state).await
    }

    /// Makes a new client, even if the current one is usable.
    ///
    /// # Errors
    /// As [`SharedClient::get`].
    pub(crate) async fn fresh(&self) -> Result<Client> {
        let mut state = self.state.lock().await;
        let ready = |build: &mut Build| !matches!(build.built.try_recv(), Err(oneshot::error::TryRecvError::Empty));
        if state.build.as_mut().is_some_and(ready) {
            state.build = None;
        }
        self.build(&mut state).await
    }

    /// Returns whether the source's files differ from what the client was made from. They are read
    /// once per [`Policy::credential_fresh`].
    async fn has_changed(&self, current: &mut CurrentClient, reading: &mut Option<SourceRead>) -> bool {
        let mut read_again = match reading.take() {
            Some(mut read_again) => match read_again.try_recv() {
                Err(oneshot::error::TryRecvError::Empty) => {
                    *reading = Some(read_again);
                    return false;
                }
                read => return current.differs(read.ok()),
            },
            None if !self.source.is_trusted() || current.checked_at.elapsed() < self.policy.credential_fresh => {
                return false;
            }
            None => match connect::load(&self.source) {
                Ok(read_again) => read_again,
                Err(_) => return false,
            },
        };
        current.checked_at = Instant::now();
        match timeout(READ_WAIT, &mut read_again).await {
            Ok(read) => current.differs(read.ok()),
            Err(_) => {
                *reading = Some(read_again);
                false
            }
        }
    }

    async fn build(&self, state: &mut State) -> Result<Client> {
        let last = self.await_build(&mut state.build).await;
        let client = last
            .as_ref()
            .map(|current| current.client.clone())
            .map_err(Clone::clone);
        state.last = Some((Instant::now(), last));
        client
    }

    async fn await_build(&self, build: &mut Option<Build>) -> Result<CurrentClient> {
        let under_way = build.get_or_insert_with(|| self.start_build());
        let left = self.policy.request_timeout.saturating_sub(under_way.since.elapsed());
        let Ok(built) = timeout(left, &mut under_way.built).await else {
            return Err(Error::timeout(format!(
                "the credential of cluster `{}` was not ready in time: check its files and its exec plug-in",
                self.name
            )));
        };
        *build = None;
        let unread = |_| {
            let what = format!("reading the credential of cluster `{}`", self.name);
            Err(Error::upstream(what, Failure::Fault))
        };
        built.unwrap_or_else(unread).map(CurrentClient::new)
    }

    /// Starts a task that makes a client. It reads the source's files, runs its exec plug-in and
    /// prepares TLS, but does not connect.
    fn start_build(&self) -> Build {
        let (sender, built) = oneshot::channel();
        let make = connect::build(self.source.clone(), self.name.clone(), self.policy.clone());
        let task = tokio::spawn(async move {
            let _ = sender.send(make.await);
        });
        Build {
            since: Instant::now(),
            built,
            _task: AbortOnDropHandle::new(task),
        }
    }
}

impl CurrentClient {
    fn new(built: BuiltClient) -> Self {
        let now = Instant::now();
        let left = |at: Timestamp| Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default();
        Self {
            client: built.client,
            loaded: built.loaded,
            checked_at: now,
            until: built
                .expires
                .map(left)
                .map(|left| now + left.saturating_sub(RENEW_EARLY.min(left / 4))),
        }
    }

    /// Returns whether a source differs from the one that the client was made from. A source that
    /// can't be read does not count as different, because a token may exist only at the start
    /// (kubernetes#68164).
    fn differs(&self, read: Option<std::result::Result<Loaded, InvalidSource>>) -> bool {
        matches!(read, Some(Ok(loaded)) if loaded != self.loaded)
    }

    fn is_usable(&self) -> bool {
        !self.client.is_refused() && self.until.is_none_or(|until| Instant::now() < until)
    }
}

#[cfg(test)]
mod tests;
