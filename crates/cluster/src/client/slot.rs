//! The client of a cluster, made when it is first needed and again when the API server no longer accepts its credential.

use std::sync::Arc;

use tokio::{sync::Mutex, time::Instant};

use super::{Client, Policy};
use crate::{Error, Source, error::Result};

/// Holds a cluster's client.
pub(crate) struct Slot {
    source: Source,
    name: String,
    policy: Policy,
    current: Mutex<Option<(Instant, Result<Client>)>>,
    /// Shared with the thread that makes a client, as long as it runs.
    maker: Arc<()>,
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
            current: Mutex::new(None),
            maker: Arc::default(),
        }
    }

    /// The client; a new one, with files and exec plug-in read afresh, when there is none or its credential was refused.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub(crate) async fn get(&self) -> Result<Client> {
        let mut current = self.current.lock().await;
        match &*current {
            Some((_, Ok(client))) if !client.is_refused() => return Ok(client.clone()),
            // A plug-in, and a source that fails, is not asked at each call.
            Some((made, result)) if made.elapsed() < self.policy.watch.retry_max / 6 => return result.clone(),
            _ => {}
        }
        let made = if Arc::strong_count(&self.maker) > 1 {
            Err(Error::Timeout(format!(
                "the exec plug-in of cluster `{}` has not ended: look at what it waits for",
                self.name
            )))
        } else {
            Client::new(&self.source, &self.name, &self.policy, self.maker.clone()).await
        };
        *current = Some((Instant::now(), made.clone()));
        made
    }
}
