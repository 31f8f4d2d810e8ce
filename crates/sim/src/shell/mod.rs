//! A small shell in this process, with some commands of `BusyBox`.
//!
//! An exec into a simulated container never starts a process on the host and never reads a file of
//! the host. That rules out brush-core, which starts host processes. A parser from a crate
//! (brush-parser) would need more code around it than the small grammar of `parse`.

mod commands;
mod eval;
mod files;
mod interactive;
mod io;
mod parse;
mod terminal;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};

use eval::{Io, Shell};
use files::Files;
use io::{Input, Out};
use terminal::Terminal;

/// The exit status of a command that ^C ended.
const INTERRUPTED: i32 = 130;

/// The exit status of a command whose terminal is gone (SIGHUP).
const HUNG_UP: i32 = 129;

/// The exit status of a command whose output has no reader (SIGPIPE).
const BROKEN_PIPE: i32 = 141;

/// How many typed lines may wait to be read.
const TYPED_LINES: usize = 64;

/// A piece of a command's output, which is never empty.
#[derive(Debug, PartialEq)]
pub(crate) enum Output {
    Stdout(Bytes),
    Stderr(Bytes),
}

/// A terminal's size in characters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Size {
    pub(crate) columns: u16,
    pub(crate) rows: u16,
}

/// The container that a command runs in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Container {
    /// The pod's name, which is the host name.
    pub(crate) pod: String,
    /// The command line of process 1.
    pub(crate) command: String,
    /// Whether the container has neither a shell nor any other program, so that nothing can be
    /// started.
    pub(crate) distroless: bool,
    pub(crate) environment: Vec<(String, String)>,
    /// Files in addition to the usual ones, by absolute path.
    pub(crate) files: Vec<(String, String)>,
}

/// The streams of a command, seen from the command.
pub(crate) struct Streams {
    /// Standard input, in chunks that are never empty; `None` if the client did not ask for it. The
    /// end of the channel is the end of the file or, on a terminal, a hang-up.
    pub(crate) input: Option<mpsc::Receiver<Bytes>>,
    /// Standard output and standard error. On a terminal, everything is standard output. A command
    /// ends once this channel has no reader.
    pub(crate) output: mpsc::Sender<Output>,
    /// The current size of the terminal.
    pub(crate) size: watch::Receiver<Size>,
}

/// Why a command could not be started, as the container runtime (runc) words it.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum StartError {
    #[error("exec failed: args must not be empty")]
    NoCommand,
    #[error("exec failed: unable to start container process: exec: \"{0}\": executable file not found in $PATH")]
    NotInPath(String),
    #[error("exec failed: unable to start container process: exec: \"{0}\": stat {0}: no such file or directory")]
    NoSuchFile(String),
    #[error("exec failed: unable to start container process: exec: \"{0}\": permission denied")]
    NotExecutable(String),
}

/// Runs a command in a container to its end and returns its exit status (0 to 255).
///
/// Dropping the future kills the command.
///
/// # Errors
///
/// [`StartError`] when the container has no such executable. In this case nothing was written.
pub(crate) async fn run(
    container: Container,
    command: &[String],
    tty: bool,
    streams: Streams,
) -> Result<i32, StartError> {
    let files = Files::new(container.files.iter().cloned());
    check_executable(&container, &files, command)?;
    let terminal = tty.then(Terminal::new);
    let Streams { input, output, size } = streams;
    let out = |stderr| Out::Client {
        chunks: output.clone(),
        stderr: stderr && !tty,
        terminal: terminal.clone(),
    };
    let (out, err) = (out(false), out(true));
    let mut shell = Shell::new(container, files, command, terminal.clone(), size);
    let Some(terminal) = terminal else {
        drop(output);
        let mut input = input.map_or(Input::Empty, Input::channel);
        let input = &mut input;
        let flow = commands::run(&mut shell, command, Io { input, out, err }).await;
        return Ok(eval::exit_status(flow));
    };
    let (lines, typed) = mpsc::channel(TYPED_LINES);
    let discipline = async {
        match input {
            Some(input) => terminal::run_line_discipline(input, lines, output, terminal.clone()).await,
            None => std::future::pending().await,
        }
    };
    let mut typed = Input::terminal(typed);
    let input = &mut typed;
    tokio::select! {
        biased;
        flow = commands::run(&mut shell, command, Io { input, out, err }) => Ok(eval::exit_status(flow)),
        () = terminal.interrupted_without_prompt() => Ok(INTERRUPTED),
        () = discipline => Ok(HUNG_UP),
    }
}

/// Checks that the container can start a command.
fn check_executable(container: &Container, files: &Files, command: &[String]) -> Result<(), StartError> {
    let Some(name) = command.first().cloned() else {
        return Err(StartError::NoCommand);
    };
    match commands::lookup(&name) {
        Some(_) if !container.distroless => Ok(()),
        _ if !name.contains('/') => Err(StartError::NotInPath(name)),
        _ if container.distroless => Err(StartError::NoSuchFile(name)),
        _ if files.get(&files::resolve("/", &name)).is_some() => Err(StartError::NotExecutable(name)),
        _ => Err(StartError::NoSuchFile(name)),
    }
}
