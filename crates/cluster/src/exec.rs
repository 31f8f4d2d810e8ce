//! A command in a container, with its streams.

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::{Cluster, Error, error::Result};

/// What to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The container; none: the default one.
    pub container: Option<String>,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Allocate a terminal.
    pub tty: bool,
}

/// What the client sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Bytes for standard input.
    Data(Bytes),
    /// The terminal's size; only the newest matters.
    Resize {
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
    },
    /// End of standard input; output goes on.
    Eof,
}

/// What the process sends.
#[derive(Clone, Debug)]
pub enum Output {
    /// Standard output, or everything with a terminal.
    Stdout(Bytes),
    /// Standard error, without a terminal.
    Stderr(Bytes),
    /// It ended with this code. Last.
    Exit(i32),
    /// It failed. Last.
    Failed(Error),
}

/// A running command. Dropping it ends the process's input within a second: without a tty by closing it, with one by ^C and ^D.
#[derive(Debug)]
pub struct Session {
    /// To the process; bounded.
    pub input: mpsc::Sender<Input>,
    /// From the process; bounded. Ends after [`Output::Exit`] or [`Output::Failed`].
    pub output: mpsc::Receiver<Output>,
}

impl Cluster {
    /// Starts a command (`v5.channel.k8s.io`, else `v4.channel.k8s.io`).
    ///
    /// # Errors
    /// [`crate::Error::PodNotFound`], [`crate::Error::ContainerNotFound`], [`crate::Error::Forbidden`], [`crate::Error::Conflict`] for a container
    /// that does not run, and those of every call. [`crate::Error::NoExecutable`] comes here or as [`Output::Failed`].
    pub async fn exec(&self, _namespace: &str, _name: &str, _options: Options) -> Result<Session> {
        todo!()
    }
}
