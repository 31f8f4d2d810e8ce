//! One look at the pod for all readers of a stream.

use std::sync::Arc;

use tokio::{sync::Mutex, time::Instant};

use crate::{Cluster, Error, containers::Pod, error::Result};

/// The pod whose logs are read. Cheap to clone; the clones share what they see.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    cluster: Cluster,
    namespace: String,
    name: String,
    uid: String,
    place: String,
    began: Instant,
    /// The newest look, and when it began. An async mutex: it is held while the cluster is asked, so that those who ask meanwhile share one more call.
    seen: Mutex<(Instant, Result<Look>)>,
}

/// What became of the pod.
#[derive(Clone, Debug)]
pub(super) enum Look {
    /// As it is now.
    Here(Arc<Pod>),
    /// It is not there any more; a sentence.
    Gone(String),
}

impl Watch {
    /// Begins with a look that was just taken.
    pub(super) fn new(cluster: Cluster, pod: Pod) -> Self {
        let metadata = &pod.metadata;
        let began = Instant::now();
        let shared = Shared {
            cluster,
            namespace: metadata.namespace.clone(),
            name: metadata.name.clone(),
            uid: metadata.uid.clone(),
            place: pod.place(),
            began,
            seen: Mutex::new((began, Ok(Look::Here(Arc::new(pod))))),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Returns the pod as it was seen at this time or later. Asks the cluster only if nobody has since then.
    ///
    /// # Errors
    /// Those of the call, but for a pod that is not there.
    pub(super) async fn look(&self, since: Instant) -> Result<Look> {
        let mut seen = self.shared.seen.lock().await;
        if seen.0 < since {
            *seen = (Instant::now(), self.ask().await);
        }
        seen.1.clone()
    }

    async fn ask(&self) -> Result<Look> {
        let Shared {
            cluster,
            namespace,
            name,
            uid,
            place,
            ..
        } = self.shared.as_ref();
        match cluster.live_pod(namespace, name).await {
            Ok(pod) if pod.metadata.uid == *uid => Ok(Look::Here(Arc::new(pod))),
            Ok(_) => Ok(Look::Gone(format!(
                "{place} was deleted, and another one of the same name took its place"
            ))),
            Err(Error::PodNotFound(_)) => Ok(Look::Gone(format!("{place} was deleted"))),
            Err(error) => Err(error),
        }
    }

    /// Returns the time of the first look.
    pub(super) fn began(&self) -> Instant {
        self.shared.began
    }

    pub(super) fn cluster(&self) -> &Cluster {
        &self.shared.cluster
    }

    pub(super) fn namespace(&self) -> &str {
        &self.shared.namespace
    }

    pub(super) fn name(&self) -> &str {
        &self.shared.name
    }

    /// Names the pod in messages.
    pub(super) fn place(&self) -> &str {
        &self.shared.place
    }
}
