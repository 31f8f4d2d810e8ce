//! A small shell with the commands of BusyBox, all of it in this process: an exec into a simulated container never starts
//! a process of the host, and reaches no file of it.

mod commands;
mod eval;
mod expand;
mod files;
mod interactive;
mod io;
mod lex;
mod parse;
mod terminal;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

use eval::{Io, Shell, Variable};
use files::Files;
use io::{Input, Out};
use terminal::Modes;

/// The exit status of a command that ^C ended.
const INTERRUPTED: i32 = 130;

/// The exit status of a command whose terminal is gone.
const HUNG_UP: i32 = 129;

/// The exit status of a command whose output nobody reads.
const BROKEN_PIPE: i32 = 141;

/// Lines of a terminal that wait to be read.
const TYPED_LINES: usize = 64;

/// A piece of what a command wrote; never empty.
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

/// What a command finds in its container.
#[derive(Clone, Debug, Default)]
pub(crate) struct Container {
    /// The pod's name: the host name.
    pub(crate) pod: String,
    /// The command line of process 1.
    pub(crate) command: String,
    /// Without a shell or any other program: nothing can be started.
    pub(crate) distroless: bool,
    pub(crate) environment: Vec<(String, String)>,
    /// Files beside the usual ones, by absolute path.
    pub(crate) files: Vec<(String, String)>,
}

/// The ends of a command's streams.
pub(crate) struct Streams {
    /// Standard input; its end is the end of the file, or, on a terminal, that the client hung up. Chunks are never
    /// empty. Nothing: the client asked for no standard input.
    pub(crate) input: Option<mpsc::Receiver<Bytes>>,
    /// Standard output and standard error; on a terminal all is output. A command whose output is no longer read ends.
    pub(crate) output: mpsc::Sender<Output>,
    /// The terminal's size, as it was last set.
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

/// Runs a command in a container to its end and returns its exit status (0 to 255). Dropping the future kills it.
///
/// # Errors
///
/// [`StartError`] when the container has no such executable; nothing was written then.
pub(crate) async fn run(
    container: Container,
    command: &[String],
    tty: bool,
    streams: Streams,
) -> Result<i32, StartError> {
    let files = Files::new(container.files.iter().cloned());
    executable(&container, &files, command)?;
    let terminal = tty.then(Modes::new);
    let Streams { input, output, size } = streams;
    let out = |stderr| Out::Client {
        chunks: output.clone(),
        stderr: stderr && !tty,
        terminal: terminal.clone(),
    };
    let (out, err) = (out(false), out(true));
    let mut shell = shell(container, files, command, terminal.clone(), size);
    let Some(modes) = terminal else {
        drop(output);
        let mut input = input.map_or(Input::Empty, Input::channel);
        let flow = commands::run(
            &mut shell,
            command,
            Io {
                input: &mut input,
                out,
                err,
            },
        )
        .await;
        return Ok(eval::status(flow, shell.status));
    };
    let (lines, typed) = mpsc::channel(TYPED_LINES);
    let discipline = async {
        match input {
            Some(input) => terminal::drive(input, lines, output, modes.clone()).await,
            None => std::future::pending().await,
        }
    };
    let mut typed = Input::terminal(typed);
    let status = tokio::select! {
        biased;
        flow = commands::run(&mut shell, command, Io { input: &mut typed, out, err }) => Some(flow),
        () = modes.killed() => None,
        () = discipline => return Ok(HUNG_UP),
    };
    Ok(status.map_or(INTERRUPTED, |flow| eval::status(flow, shell.status)))
}

fn first(command: &[String]) -> &str {
    command.first().map_or("", String::as_str)
}

/// Whether the container can start this command.
fn executable(container: &Container, files: &Files, command: &[String]) -> Result<(), StartError> {
    let name = first(command).to_owned();
    if command.is_empty() {
        return Err(StartError::NoCommand);
    }
    match commands::lookup(&name) {
        Some(_) if !container.distroless => Ok(()),
        _ if !name.contains('/') => Err(StartError::NotInPath(name)),
        _ if container.distroless => Err(StartError::NoSuchFile(name)),
        _ if files.get(&files::resolve("/", &name)).is_some() => Err(StartError::NotExecutable(name)),
        _ => Err(StartError::NoSuchFile(name)),
    }
}

fn shell(
    container: Container,
    files: Files,
    command: &[String],
    terminal: Option<Arc<Modes>>,
    size: watch::Receiver<Size>,
) -> Shell {
    let mut variables = BTreeMap::new();
    let own = [
        ("HOME", "/root"),
        ("HOSTNAME", container.pod.as_str()),
        ("KUBERNETES_SERVICE_HOST", "10.96.0.1"),
        ("KUBERNETES_SERVICE_PORT", "443"),
        ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        ("PWD", "/"),
    ];
    let own = own.into_iter().chain(terminal.is_some().then_some(("TERM", "xterm")));
    let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
    for (name, value) in own.chain(container.environment.iter().cloned()) {
        variables.insert(name, Variable { value, exported: true });
    }
    Shell {
        files,
        directory: "/".to_owned(),
        variables,
        arguments: command.to_vec(),
        status: 0,
        terminal,
        size,
        depth: 0,
        container: Arc::new(container),
    }
}
