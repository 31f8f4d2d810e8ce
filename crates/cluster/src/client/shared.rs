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
    error::Result,
    source::{InvalidSource, Loaded},
};

/// How long a call waits for files to be read again, when the client that there is could serve it.
const LOOK: Duration = Duration::from_secs(2);
/// A credential is renewed so long before it expires, or a quarter of its time before where that is less.
const EARLY: Duration = Duration::from_secs(60);

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
    made: Option<(Instant, Result<Kept>)>,
    /// Kept when whoever waited for it has gone or lost patience: the next one takes it up.
    making: Option<Making>,
    /// The source's files while they are read again.
    looking: Option<Look>,
}

/// A source that a thread reads.
type Look = oneshot::Receiver<std::result::Result<Loaded, InvalidSource>>;

/// A client that serves.
#[derive(Clone)]
struct Kept {
    client: Client,
    loaded: Loaded,
    /// When its source was last seen to be what it was made from.
    looked: Instant,
    /// When a new one has to be made.
    until: Option<Instant>,
}

/// A client that a task is making, or has made and nobody has taken. Its task, and the plug-in that it runs, end with it.
struct Making {
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
        let State { made, looking, .. } = &mut *state;
        let soon = |at: &Instant| at.elapsed() < self.policy.watch.retry_max / 6;
        match made {
            Some((_, Ok(kept))) if kept.serves() => {
                if !self.has_changed(kept, looking).await {
                    return Ok(kept.client.clone());
                }
                // The old one serves on when what is there now is of no use, such as a file that is being written.
                let old = kept.clone();
                return Ok(self.make(&mut state).await.unwrap_or_else(|error| {
                    tracing::warn!(cluster = self.name, %error, "the changed credential of a cluster can't be used: the one before it is used on");
                    state.made = Some((Instant::now(), Ok(old.clone())));
                    old.client
                }));
            }
            // A plug-in, and a source that fails, is not asked at each call.
            Some((at, result)) if soon(at) => return result.clone().map(|kept| kept.client),
            _ => {}
        }
        self.make(&mut state).await
    }

    /// Returns a new client in any case.
    ///
    /// # Errors
    /// As [`SharedClient::get`].
    pub(crate) async fn fresh(&self) -> Result<Client> {
        let mut state = self.state.lock().await;
        let ready = |making: &mut Making| !matches!(making.built.try_recv(), Err(oneshot::error::TryRecvError::Empty));
        if state.making.as_mut().is_some_and(ready) {
            state.making = None;
        }
        self.make(&mut state).await
    }

    /// Whether the source's files say something else than what the client was made from. They are looked at once in [`Policy::credential_fresh`].
    async fn has_changed(&self, kept: &mut Kept, looking: &mut Option<Look>) -> bool {
        let mut look = match looking.take() {
            Some(mut look) => match look.try_recv() {
                Err(oneshot::error::TryRecvError::Empty) => {
                    *looking = Some(look);
                    return false;
                }
                read => return kept.differs(read.ok()),
            },
            None if !self.source.is_trusted() || kept.looked.elapsed() < self.policy.credential_fresh => return false,
            None => match connect::load(&self.source) {
                Ok(look) => look,
                Err(_) => return false,
            },
        };
        kept.looked = Instant::now();
        match timeout(LOOK, &mut look).await {
            Ok(read) => kept.differs(read.ok()),
            Err(_) => {
                *looking = Some(look);
                false
            }
        }
    }

    async fn make(&self, state: &mut State) -> Result<Client> {
        let made = self.wait(&mut state.making).await;
        let client = made.as_ref().map(|kept| kept.client.clone()).map_err(Clone::clone);
        state.made = Some((Instant::now(), made));
        client
    }

    async fn wait(&self, making: &mut Option<Making>) -> Result<Kept> {
        let under_way = making.get_or_insert_with(|| self.begin());
        let left = self.policy.request_timeout.saturating_sub(under_way.since.elapsed());
        let Ok(built) = timeout(left, &mut under_way.built).await else {
            return Err(Error::timeout(format!(
                "the credential of cluster `{}` was not there in time: look at its files and its exec plug-in",
                self.name
            )));
        };
        *making = None;
        let unread = |_| {
            Err(Error::upstream(format!(
                "the credential of cluster `{}` could not be read",
                self.name
            )))
        };
        built.unwrap_or_else(unread).map(Kept::new)
    }

    /// Starts to make a client: reads the source's files, runs its exec plug-in, and prepares TLS. Connects to nothing.
    fn begin(&self) -> Making {
        let (sender, built) = oneshot::channel();
        let make = connect::make(self.source.clone(), self.name.clone(), self.policy.clone());
        let task = tokio::spawn(async move {
            let _ = sender.send(make.await);
        });
        Making {
            since: Instant::now(),
            built,
            _task: AbortOnDropHandle::new(task),
        }
    }
}

impl Kept {
    fn new(made: BuiltClient) -> Self {
        let now = Instant::now();
        let left = |at: Timestamp| Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default();
        Self {
            client: made.client,
            loaded: made.loaded,
            looked: now,
            until: made
                .expires
                .map(left)
                .map(|left| now + left.saturating_sub(EARLY.min(left / 4))),
        }
    }

    /// Whether a source says something else now. What can't be read is no news: a token may be there only for the start (kubernetes#68164).
    fn differs(&self, read: Option<std::result::Result<Loaded, InvalidSource>>) -> bool {
        matches!(read, Some(Ok(loaded)) if loaded != self.loaded)
    }

    fn serves(&self) -> bool {
        !self.client.is_refused() && self.until.is_none_or(|until| Instant::now() < until)
    }
}

#[cfg(test)]
mod tests;
