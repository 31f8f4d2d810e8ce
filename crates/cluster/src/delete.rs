//! Deletion of one pod.

use crate::{Cluster, error::Result};

/// How to delete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Seconds; none: the pod's own.
    pub grace_period: Option<u32>,
    /// Precondition.
    pub uid: Option<String>,
    /// Precondition.
    pub resource_version: Option<String>,
    /// Check everything, delete nothing.
    pub dry_run: bool,
}

impl Cluster {
    /// Deletes a pod.
    ///
    /// # Errors
    /// [`crate::Error::PodNotFound`], [`crate::Error::Conflict`] for a failed precondition, and those of every call.
    pub async fn delete_pod(&self, _namespace: &str, _name: &str, _options: &Options) -> Result<()> {
        todo!()
    }
}
