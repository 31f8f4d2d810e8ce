//! One pod, live.

use bytes::Bytes;

use crate::{Cluster, error::Result};

impl Cluster {
    /// The pod as the API server has it now, without `managedFields`.
    ///
    /// # Errors
    /// [`crate::Error::PodNotFound`], and those of every call.
    pub async fn pod(&self, _namespace: &str, _name: &str) -> Result<serde_json::Value> {
        let _ = self.client().await?;
        todo!()
    }

    /// The pod's manifest as YAML, asked of the API server.
    ///
    /// # Errors
    /// [`crate::Error::PodNotFound`], and those of every call.
    pub async fn manifest(&self, _namespace: &str, _name: &str) -> Result<Bytes> {
        todo!()
    }
}
