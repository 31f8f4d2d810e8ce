//! The log stream: lines of one or several containers, followed over restarts, lost connections and rotations.

use crate::{Cluster, Error, error::Result};
use bytes::Bytes;

/// What to stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Containers by name; `*`: all; empty: the default one.
    pub containers: Vec<String>,
    /// Go on after the end of what is there.
    pub follow: bool,
    /// The previous run's; can't be followed.
    pub previous: bool,
    /// The last N seconds.
    pub since_seconds: Option<u32>,
    /// From this time on; RFC 3339.
    pub since_time: Option<String>,
    /// The last N lines of each container.
    pub tail_lines: Option<u64>,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When it was written, RFC 3339 in UTC as the cluster printed it; empty if it printed none.
    pub time: String,
    /// Its bytes without line feed.
    pub text: Bytes,
}

/// What the stream tells.
#[derive(Clone, Debug)]
pub enum Frame {
    /// First: the containers that are read.
    Subscribed {
        /// Their names, in the pod's order.
        containers: Vec<String>,
    },
    /// Lines, in order, of one container.
    Lines {
        /// Its name.
        container: String,
        /// At least one.
        lines: Vec<Line>,
    },
    /// A container began a new run; what follows is of that.
    Restarted {
        /// Its name.
        container: String,
        /// Its new restart count.
        restart_count: u32,
    },
    /// Lines are missing, or may be.
    Gap {
        /// The container.
        container: String,
        /// A sentence.
        reason: String,
        /// Time of the last line before, or empty.
        before: String,
        /// Time of the first line after, or empty while unknown.
        after: String,
    },
    /// Nothing more will come, of any container.
    End {
        /// A sentence: the container ended with code N, the pod was deleted, …
        reason: String,
    },
    /// It failed for good.
    Failed(Error),
}

/// The frames of a log stream, as they come. Bounded in frames and bytes: a receiver that does not read stops the reading upstream;
/// dropping it ends everything within a second.
#[derive(Debug)]
pub struct Frames {}

impl Frames {
    /// The next frame; none after [`Frame::End`] or [`Frame::Failed`].
    pub async fn recv(&mut self) -> Option<Frame> {
        todo!()
    }
}

impl Cluster {
    /// Opens a log stream.
    ///
    /// # Errors
    /// As [`Cluster::log`].
    pub async fn follow(&self, _namespace: &str, _name: &str, _options: Options) -> Result<Frames> {
        todo!()
    }
}
