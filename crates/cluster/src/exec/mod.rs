//! A command in a container, with its streams.
//!
//! Kubernetes has no call that ends a process: all that can be done is to end its input. A process that ignores both the end of its
//! input and ^C lives on after its client has gone.

mod hangup;
mod output;
mod pump;
mod review;
mod status;
mod upgrade;

use bytes::Bytes;
use futures_util::future::try_join;
use tokio::sync::{mpsc, oneshot};

pub use self::output::Outputs;
use crate::{
    Cluster, Error,
    error::{Failure, Result},
    live_pod::{LivePod, RunState},
};

/// Inputs that wait for the process, of [`MAX_INPUT`] bytes each.
const INPUTS: usize = 2;
/// Bytes that one [`Input::Data`] should have at most, so that what waits stays 64 KiB. A larger one is taken, and sent in parts.
pub const MAX_INPUT: usize = 32 << 10;

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
    /// End of standard input; output goes on. With a terminal it is sent as ^D. What comes after it is ignored.
    Eof,
}

/// What the process sends.
#[derive(Clone, Debug)]
pub enum Output {
    /// Standard output, or everything with a terminal.
    Stdout(Bytes),
    /// Standard error, without a terminal.
    Stderr(Bytes),
    /// Something that was asked for can't be done; the process goes on.
    Warning(Error),
    /// It ended with this code. Last.
    Exit(i32),
    /// It failed. Last.
    Failed(Error),
}

/// A running command. Dropping it ends the process's input within a second: without a tty by closing it, with one by ^C and ^D. What is typed
/// before the process has started may be lost, so with a tty this is repeated, for a few seconds at most, until it shows something, if
/// only the echo.
#[derive(Debug)]
pub struct Session {
    /// To the process; bounded. Dropping it ends the input as dropping the session does; output goes on.
    pub input: mpsc::Sender<Input>,
    /// From the process; bounded in bytes. Ends after [`Output::Exit`] or [`Output::Failed`], and at once when the cluster is removed.
    pub output: Outputs,
}

impl Cluster {
    /// Starts a command (`v5.channel.k8s.io`, else `v4.channel.k8s.io`). Needs `create pods/exec` on every version of Kubernetes: API
    /// servers before 1.35 check only `get` for a WebSocket, so the cluster is asked first.
    ///
    /// # Errors
    /// [`crate::Error::PodNotFound`], [`crate::Error::ContainerNotFound`], [`crate::Error::Forbidden`], [`crate::Error::Conflict`] for a container
    /// that does not run, and those of every call. [`crate::Error::NoExecutable`] comes here or as [`Output::Failed`].
    pub async fn exec(&self, namespace: &str, name: &str, options: Options) -> Result<Session> {
        let client = self.client().await?;
        let review = review::may_exec(&client, namespace, name);
        let (pod, ()) = try_join(self.live_pod(namespace, name), review).await?;
        let container = pod.container(options.container.as_deref())?;
        ready(&pod, &container)?;
        let target = status::ExecTarget {
            container,
            pod_name: pod.display_name(),
            program: options.command.first().cloned().unwrap_or_default(),
        };
        let (input, to_process) = mpsc::channel(INPUTS);
        let removed = self.inner.removed.clone();
        let (from_process, output) = output::outputs(removed.clone(), target.clone());
        let (opened, up) = oneshot::channel();
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        // A task of its own, and not the caller's: once the request is sent a process may start, and if the caller goes before the answer,
        // that process's input has to be ended. It ends by itself: with the process, with the connection, or soon after the session was dropped.
        self.inner.streams.spawn(async move {
            let silence = client.policy.stream_silence;
            match upgrade::open(&client, &namespace, &name, &options, &target).await {
                Ok(socket) => {
                    let _ = opened.send(Ok(()));
                    let config = pump::SessionConfig {
                        tty: options.tty,
                        silence,
                        removed,
                        target,
                    };
                    pump::run(socket, config, to_process, from_process).await;
                }
                Err(error) => {
                    let _ = opened.send(Err(error));
                }
            }
        });
        let gone = || {
            let what = format!("the terminal's task on cluster `{}`", self.name());
            Error::upstream(what, Failure::Fault)
        };
        up.await.unwrap_or_else(|_| Err(gone()))?;
        Ok(Session { input, output })
    }
}

/// Refuses a container that does not run.
fn ready(pod: &LivePod, container: &str) -> Result<()> {
    let why = match pod.run_state(container)? {
        RunState::Running(_) => return Ok(()),
        RunState::Ended {
            code, terminal: true, ..
        } => format!("it has ended with code {code}"),
        RunState::Ended { code, .. } => {
            format!("its last run ended with code {code}, and the next has not begun: try again in a moment")
        }
        RunState::NotStarted { terminal: true, .. } => "it has never started".to_owned(),
        RunState::NotStarted { reason, .. } if reason.is_empty() => "it has not started yet".to_owned(),
        RunState::NotStarted { reason, .. } => format!("it has not started yet ({reason})"),
    };
    Err(Error::conflict(format!(
        "container `{container}` of {} does not run: {why}",
        pod.display_name()
    )))
}
