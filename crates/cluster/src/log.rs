//! The log of one container, as the cluster holds it.

use bytes::Bytes;
use futures_util::stream::BoxStream;

use crate::{Cluster, error::Result};

/// Which part of which log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// The container; none: the default one.
    pub container: Option<String>,
    /// The previous run's.
    pub previous: bool,
    /// The last N seconds.
    pub since_seconds: Option<u32>,
    /// From this time on; RFC 3339, as the caller gave it.
    pub since_time: Option<String>,
    /// The last N lines.
    pub tail_lines: Option<u64>,
    /// At most N bytes.
    pub limit_bytes: Option<u64>,
    /// Each line starts with its time.
    pub timestamps: bool,
}

/// A log being read. Dropping it stops the reading upstream.
pub struct Body {
    /// The container it is of.
    pub container: String,
    /// The raw bytes.
    pub stream: BoxStream<'static, Result<Bytes>>,
}

impl Cluster {
    /// Opens a log. Memory is that of the chunks under way.
    ///
    /// # Errors
    /// [`crate::Error::PodNotFound`], [`crate::Error::ContainerNotFound`], [`crate::Error::Invalid`] when several containers are there and none is
    /// named, [`crate::Error::Conflict`] for one that has not started or has no previous run, and those of every call.
    pub async fn log(&self, _namespace: &str, _name: &str, _query: &Query) -> Result<Body> {
        todo!()
    }
}
