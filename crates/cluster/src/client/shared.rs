//! The client of a cluster, made when it is first needed and again when its credential was refused, runs out or changes.

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

/// How long a call waits for files to be read again, when the client that there is could serve it.
const READ_WAIT: Duration = Duration::from_secs(2);
/// A credential is renewed so long before it expires, or a quarter of its time before where that is less.
const RENEW_EARLY: Duration = Duration::from_secs(60);

/// Holds a cluster's client. Makes one at a time: a plug-in that hangs is one process, however many ask.
pub(crate) struct SharedClient {
    source: Source,
    name: String,
    policy: Policy,
    /// Held while a client is made. An async mutex, because that takes its time.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The last attempt, and when it was.
    last: Option<(Instant, Result<CurrentClient>)>,
    /// Kept when the call that waited for it has gone or timed out: the next one takes it up.
    build: Option<Build>,
    /// The source's files while they are read again.
    reading: Option<SourceRead>,
}

/// A source that a thread reads.
type SourceRead = oneshot::Receiver<std::result::Result<Loaded, InvalidSource>>;

/// A client that serves.
#[derive(Clone)]
struct CurrentClient {
    client: Client,
    loaded: Loaded,
    /// When its source was last seen to be what it was made from.
    checked_at: Instant,
    /// When a new one has to be made.
    until: Option<Instant>,
}

/// A client that a task is making, or has made and nobody has taken. Its task, and the plug-in that it runs, end with it.
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
    /// Makes nothing yet.
    pub(crate) fn new(source: Source, name: String, policy: Policy) -> Self {
        Self {
            source,
            name,
            policy,
            state: Mutex::default(),
        }
    }

    /// Returns the client; a new one, with files and exec plug-in read afresh, when there is none, its credential was refused or runs out, or its
    /// files have changed.
    ///
    /// # Errors
    /// [`Error::Upstream`] for a source that can't be used, [`Error::Timeout`] for a plug-in that does not end in time.
    pub(crate) async fn get(&self) -> Result<Client> {
        let mut state = self.state.lock().await;
        let State { last, reading, .. } = &mut *state;
        let soon = |at: &Instant| at.elapsed() < self.policy.watch.retry_max / 6;
        match last {
            Some((_, Ok(current))) if current.is_usable() => {
                if !self.has_changed(current, reading).await {
                    return Ok(current.client.clone());
                }
                // The old one serves on when what is there now is of no use, such as a file that is being written.
                let old = current.clone();
                return Ok(self.build(&mut state).await.unwrap_or_else(|error| {
                    tracing::warn!(cluster = self.name, %error, "the changed credential of a cluster can't be used: the one before it is used on");
                    state.last = Some((Instant::now(), Ok(old.clone())));
                    old.client
                }));
            }
            // A plug-in, and a source that fails, is not asked at each call.
            Some((at, result)) if soon(at) => return result.clone().map(|current| current.client),
            _ => {}
        }
        self.build(&mut state).await
    }

    /// Returns a new client in any case.
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

    /// Whether the source's files say something else than what the client was made from. They are looked at once in [`Policy::credential_fresh`].
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
                "the credential of cluster `{}` was not there in time: look at its files and its exec plug-in",
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

    /// Starts to make a client: reads the source's files, runs its exec plug-in, and prepares TLS. Connects to nothing.
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

    /// Whether a source says something else now. What can't be read is no news: a token may be there only for the start (kubernetes#68164).
    fn differs(&self, read: Option<std::result::Result<Loaded, InvalidSource>>) -> bool {
        matches!(read, Some(Ok(loaded)) if loaded != self.loaded)
    }

    fn is_usable(&self) -> bool {
        !self.client.is_refused() && self.until.is_none_or(|until| Instant::now() < until)
    }
}

#[cfg(test)]
mod tests;
