//! Events of one pod.

use crate::{Cluster, error::Result};

/// An event as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `Normal` or `Warning`.
    pub kind: String,
    /// Machine-readable reason.
    pub reason: String,
    /// Sentence.
    pub message: String,
    /// RFC 3339 UTC: firstTimestamp, else eventTime, else creation.
    pub first_seen: String,
    /// RFC 3339 UTC: series, else lastTimestamp, else eventTime, else creation.
    pub last_seen: String,
    /// Series, else count, else 1.
    pub count: u32,
    /// The component that reports.
    pub source: String,
    /// The container that `involvedObject.fieldPath` names, or empty.
    pub container: String,
}

impl Cluster {
    /// The pod's events, newest first: those whose UID is the pod's, or its `kubernetes.io/config.mirror` annotation's, or empty and not
    /// older than the pod.
    ///
    /// # Errors
    /// [`crate::Error::PodNotFound`], and those of every call.
    pub async fn events(&self, _namespace: &str, _name: &str) -> Result<Vec<Event>> {
        todo!()
    }
}
