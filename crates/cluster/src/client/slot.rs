//! The client of a cluster, made when it is first needed and again when the API server no longer accepts its credential.

use tokio::{
    runtime::Handle,
    sync::{Mutex, oneshot},
    time::{Instant, timeout},
};

use super::{Client, Policy, connect};
use crate::{Error, Source, error::Result};

/// Holds a cluster's client. Makes one at a time: a plug-in that hangs costs one thread, however many ask.
pub(crate) struct Slot {
    source: Source,
    name: String,
    policy: Policy,
    /// Held while a client is made. An async mutex, because that takes its time.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    made: Option<(Instant, Result<Client>)>,
    /// Kept when whoever waited for it has gone or lost patience: the next one takes it up.
    making: Option<Making>,
}

/// A client that a thread is making, or has made and nobody has taken.
struct Making {
    since: Instant,
    built: oneshot::Receiver<Result<kube::Client>>,
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Slot {
    /// Makes nothing yet.
    pub(crate) fn new(source: Source, name: String, policy: Policy) -> Self {
        Self {
            source,
            name,
            policy,
            state: Mutex::default(),
        }
    }

    /// The client; a new one, with files and exec plug-in read afresh, when there is none or its credential was refused.
    ///
    /// # Errors
    /// [`Error::Upstream`] for a source that can't be used, [`Error::Timeout`] for a plug-in that does not end in time.
    pub(crate) async fn get(&self) -> Result<Client> {
        let mut state = self.state.lock().await;
        match &state.made {
            Some((_, Ok(client))) if !client.is_refused() => return Ok(client.clone()),
            // A plug-in, and a source that fails, is not asked at each call.
            Some((made, result)) if made.elapsed() < self.policy.watch.retry_max / 6 => return result.clone(),
            _ => {}
        }
        self.make(&mut state).await
    }

    /// A new client in any case.
    ///
    /// # Errors
    /// As [`Slot::get`].
    pub(crate) async fn fresh(&self) -> Result<Client> {
        let mut state = self.state.lock().await;
        let ready = |making: &mut Making| !matches!(making.built.try_recv(), Err(oneshot::error::TryRecvError::Empty));
        if state.making.as_mut().is_some_and(ready) {
            state.making = None;
        }
        self.make(&mut state).await
    }

    async fn make(&self, state: &mut State) -> Result<Client> {
        let made = self.wait(&mut state.making).await;
        state.made = Some((Instant::now(), made.clone()));
        made
    }

    async fn wait(&self, making: &mut Option<Making>) -> Result<Client> {
        let under_way = match making {
            Some(making) => making,
            None => making.insert(self.begin()?),
        };
        let left = self.policy.request_timeout.saturating_sub(under_way.since.elapsed());
        let built = match timeout(left, &mut under_way.built).await {
            Ok(built) => built,
            Err(_) => {
                return Err(Error::timeout(format!(
                    "the credential of cluster `{}` was not there in time: look at its exec plug-in",
                    self.name
                )));
            }
        };
        *making = None;
        let unread = |_| {
            Err(Error::upstream(format!(
                "the credential of cluster `{}` could not be read",
                self.name
            )))
        };
        let inner = built.unwrap_or_else(unread)?;
        Ok(Client::of(inner, &self.name, &self.policy))
    }

    /// Starts to make a client: reads the source's files, runs its exec plug-in, and prepares TLS. Connects to nothing.
    fn begin(&self) -> Result<Making> {
        let (sender, built) = oneshot::channel();
        let (source, name, policy) = (self.source.clone(), self.name.clone(), self.policy.clone());
        let handle = Handle::current();
        // A plug-in blocks for as long as it likes: a thread of its own holds up neither the runtime nor its end.
        let started = std::thread::Builder::new()
            .name("credential".to_owned())
            .spawn(move || {
                let _runtime = handle.enter();
                let _ = sender.send(connect::build(&source, &name, &policy));
            });
        started.map_err(|error| {
            Error::upstream(format!(
                "the client of cluster `{}` could not be made: {error}",
                self.name
            ))
        })?;
        Ok(Making {
            since: Instant::now(),
            built,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::{fs, path::Path, time::Duration};

    use serde_json::json;

    use super::*;

    /// A source whose plug-in notes its start in `starts`, and ends when there is a file `go`.
    fn slot(folder: &Path, request_timeout: Duration) -> Slot {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let script = r#"cd "$0"; echo >> starts; until [ -e go ]; do sleep 0.01; done
            printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"t"}}'"#;
        let exec =
            json!({"apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script, folder]});
        let kubeconfig = json!({
            "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
            "users": [{"name": "u", "user": {"exec": exec}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        });
        let file = folder.join("config");
        fs::write(&file, kubeconfig.to_string()).unwrap();
        let source = Source::from_kubeconfig_file(&file).unwrap().remove(0).source;
        let mut policy = Policy {
            request_timeout,
            ..Policy::default()
        };
        policy.watch.retry_max = Duration::ZERO;
        Slot::new(source, "prod".to_owned(), policy)
    }

    /// Times that a plug-in is started for one client: kube asks it for a client certificate, and again for a token.
    const RUNS: usize = 2;

    fn starts(folder: &Path) -> usize {
        fs::read_to_string(folder.join("starts"))
            .unwrap_or_default()
            .lines()
            .count()
    }

    #[tokio::test]
    async fn a_plug_in_that_hangs_is_started_once_and_its_late_answer_counts() {
        let folder = tempfile::tempdir().unwrap();
        let slot = slot(folder.path(), Duration::from_millis(200));
        for _ in 0..3 {
            assert!(matches!(slot.get().await, Err(Error::Timeout(_))));
            assert!(matches!(slot.fresh().await, Err(Error::Timeout(_))));
        }
        fs::write(folder.path().join("go"), "").unwrap();
        while slot.get().await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(starts(folder.path()), RUNS);
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_leaves_the_client_to_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let slot = slot(folder.path(), Duration::from_secs(60));
        assert!(futures_util::poll!(std::pin::pin!(slot.get())).is_pending());
        fs::write(folder.path().join("go"), "").unwrap();
        slot.get().await.unwrap();
        slot.get().await.unwrap();
        assert_eq!(starts(folder.path()), RUNS);
        slot.fresh().await.unwrap();
        assert_eq!(starts(folder.path()), 2 * RUNS);
    }
}
