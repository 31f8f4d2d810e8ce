//! Commands in containers, with their streams.
//!
//! Kubernetes has no call that ends a process. All we can do is end its input, so a process that
//! ignores both the end of its input and ^C outlives its client.

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

/// The number of inputs, of up to [`MAX_INPUT`] bytes each, that may wait for the process.
const INPUTS: usize = 2;
/// The most bytes that one [`Input::Data`] should have, so that at most 64 KiB wait. A larger one
/// is accepted and sent in parts.
pub const MAX_INPUT: usize = 32 << 10;

/// The command to run, and the container to run it in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The container; `None` for the default one.
    pub container: Option<String>,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Whether to allocate a terminal.
    pub tty: bool,
}

/// A message from the client to the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Bytes for standard input.
    Data(Bytes),
    /// The terminal's size. Only the newest matters.
    Resize {
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
    },
    /// The end of standard input; output continues. With a terminal it is sent as ^D. Later input
    /// is ignored.
    Eof,
}

/// A message from the process to the client.
#[derive(Clone, Debug)]
pub enum Output {
    /// Standard output; with a terminal, all output.
    Stdout(Bytes),
    /// Standard error; never with a terminal.
    Stderr(Bytes),
    /// A request that can't be fulfilled. The process continues.
    Warning(Error),
    /// The process ended with this code. This is the last output.
    Exit(i32),
    /// The process or its connection failed. This is the last output.
    Failed(Error),
}

/// A running command.
///
/// Dropping the session ends the process's input within a second: without a terminal by closing it,
/// with one by typing ^C and ^D.
///
/// Keys typed before the process has started may be lost. With a terminal they are therefore
/// repeated until the process writes something, if only an echo, but for a few seconds at most.
#[derive(Debug)]
pub struct Session {
    /// The input of the process; bounded. Dropping it ends the input as dropping the session does;
    /// output continues.
    pub input: mpsc::Sender<Input>,
    /// The output of the process; bounded in bytes. It ends after [`Output::Exit`] or
    /// [`Output::Failed`], and at once when the cluster is removed.
    pub output: Outputs,
}

impl Cluster {
    /// Starts a command (`v5.channel.k8s.io`, else `v4.channel.k8s.io`).
    ///
    /// The credential needs `create pods/exec` on every version of Kubernetes. API servers before
    /// 1.35 check only `get` for a WebSocket, so a review asks the cluster first.
    ///
    /// # Errors
    /// [`crate::Error::PodNotFound`], [`crate::Error::ContainerNotFound`],
    /// [`crate::Error::Forbidden`], [`crate::Error::Conflict`] for a container that is not running,
    /// and those of every call. [`crate::Error::NoExecutable`] is returned here or comes as
    /// [`Output::Failed`].
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
        // The session runs in its own task, because a process may start as soon as the request is
        // sent, and its input must be ended even if the caller leaves before the response arrives.
        // The task ends with the process, with the connection, or soon after the session was
        // dropped.
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

/// Checks that a container is running.
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
        "container `{container}` of {} is not running: {why}",
        pod.display_name()
    )))
}
