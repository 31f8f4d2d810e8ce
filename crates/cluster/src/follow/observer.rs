//! Observations of a pod, which all readers of a stream share.

use std::sync::Arc;

use tokio::{sync::Mutex, time::Instant};

use crate::{Cluster, Error, error::Result, live_pod::LivePod};

/// An observer of the pod whose logs are read. Cheap to clone; the clones share their observations.
#[derive(Clone, Debug)]
pub(super) struct PodObserver {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    cluster: Cluster,
    namespace: String,
    name: String,
    uid: String,
    pod_name: String,
    began: Instant,
    /// The newest observation, and when it began. The mutex is an async one, because it stays
    /// locked during the call to the cluster, so that concurrent readers share one call.
    seen: Mutex<(Instant, Result<Observed>)>,
}

/// The state of the pod at an observation.
#[derive(Clone, Debug)]
pub(super) enum Observed {
    /// The pod exists, in this state.
    Present(Arc<LivePod>),
    /// The pod no longer exists. The text says so in a sentence.
    Gone(String),
}

impl PodObserver {
    /// Makes an observer whose first observation is `pod`, which was just read.
    pub(super) fn new(cluster: Cluster, pod: LivePod) -> Self {
        let metadata = &pod.metadata;
        let began = Instant::now();
        let shared = Shared {
            cluster,
            namespace: metadata.namespace.clone(),
            name: metadata.name.clone(),
            uid: metadata.uid.clone(),
            pod_name: pod.display_name(),
            began,
            seen: Mutex::new((began, Ok(Observed::Present(Arc::new(pod))))),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Returns the pod as observed at `since` or later. Asks the cluster only if no reader has
    /// asked since then.
    ///
    /// # Errors
    /// Those of the call, except that a missing pod is not an error.
    pub(super) async fn observe(&self, since: Instant) -> Result<Observed> {
        let mut seen = self.shared.seen.lock().await;
        if seen.0 < since {
            *seen = (Instant::now(), self.ask().await);
        }
        seen.1.clone()
    }

    async fn ask(&self) -> Result<Observed> {
        let Shared {
            cluster,
            namespace,
            name,
            uid,
            pod_name,
            ..
        } = self.shared.as_ref();
        match cluster.live_pod(namespace, name).await {
            Ok(pod) if pod.metadata.uid == *uid => Ok(Observed::Present(Arc::new(pod))),
            Ok(_) => Ok(Observed::Gone(format!(
                "{pod_name} was deleted, and another one of the same name took its place"
            ))),
            Err(Error::PodNotFound(_)) => Ok(Observed::Gone(format!("{pod_name} was deleted"))),
            Err(error) => Err(error),
        }
    }

    /// Returns the time of the first observation.
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

    /// Returns the pod's name for messages.
    pub(super) fn display_name(&self) -> &str {
        &self.shared.pod_name
    }
}
