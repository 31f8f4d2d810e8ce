//! The streams of commands: bounded channels, and files of the container.

use super::Output;
use super::files::{self, Files, Problem};
use super::terminal::Terminal;
use bytes::{Bytes, BytesMut};
use std::sync::Arc;
use tokio::sync::mpsc;

/// The most bytes that are sent at once.
const CHUNK: usize = 16 * 1024;

/// The most chunks that a pipe holds before its writer waits.
const PIPE_CHUNKS: usize = 4;

/// The most bytes of a line. The rest is read as the next line.
const MAX_LINE: usize = 1 << 20;

/// The error of a stream whose reader has gone, which a process would see as SIGPIPE.
#[derive(Debug)]
pub(super) struct Broken;

/// The standard input of a command.
pub(super) enum Input {
    /// An input without any bytes.
    Empty,
    /// Bytes from a client, a terminal or a pipe. An empty chunk is an end of file after which more
    /// may come, as after ^D on a terminal.
    Channel {
        chunks: mpsc::Receiver<Bytes>,
        rest: Bytes,
        terminal: bool,
    },
    /// The content of a file.
    File(Bytes),
    /// `/dev/zero`.
    Zeros,
}

impl Input {
    /// Makes the input from a client or a pipe.
    pub(super) fn channel(chunks: mpsc::Receiver<Bytes>) -> Input {
        Input::Channel {
            chunks,
            rest: Bytes::new(),
            terminal: false,
        }
    }

    /// Makes the input from a terminal.
    pub(super) fn terminal(lines: mpsc::Receiver<Bytes>) -> Input {
        Input::Channel {
            chunks: lines,
            rest: Bytes::new(),
            terminal: true,
        }
    }

    /// Opens a file.
    pub(super) fn open(files: &Files, directory: &str, path: &str) -> Result<Input, Problem> {
        match files::resolve(directory, path).as_str() {
            "/dev/zero" => Ok(Input::Zeros),
            path => files.read(path).map(Input::File),
        }
    }

    pub(super) fn is_terminal(&self) -> bool {
        matches!(self, Input::Channel { terminal: true, .. })
    }

    /// Reads the next bytes. Returns no bytes at the end.
    pub(super) async fn read(&mut self) -> Bytes {
        match self {
            Input::Empty => Bytes::new(),
            Input::File(bytes) => bytes.split_to(bytes.len().min(CHUNK)),
            Input::Zeros => Bytes::from_static(&[0; 4096]),
            Input::Channel { chunks, rest, .. } if rest.is_empty() => chunks.recv().await.unwrap_or_default(),
            Input::Channel { rest, .. } => std::mem::take(rest),
        }
    }

    /// Puts back bytes that were read, so that they are read again.
    fn unread(&mut self, bytes: Bytes) {
        match self {
            Input::Channel { rest, .. } => *rest = bytes,
            Input::File(content) => *content = [bytes, content.clone()].concat().into(),
            Input::Empty | Input::Zeros => {}
        }
    }

    /// Reads the next line, with its line feed if it has one. Returns `None` at the end.
    pub(super) async fn line(&mut self) -> Option<BytesMut> {
        let mut line = BytesMut::new();
        loop {
            let mut chunk = self.read().await;
            if chunk.is_empty() {
                return (!line.is_empty()).then_some(line);
            }
            let end = chunk
                .iter()
                .position(|byte| *byte == b'\n')
                .map_or(chunk.len(), |at| at + 1);
            let rest = chunk.split_off(end);
            line.extend_from_slice(&chunk);
            if !rest.is_empty() {
                self.unread(rest);
            }
            if line.ends_with(b"\n") || line.len() >= MAX_LINE {
                return Some(line);
            }
        }
    }
}

/// A standard output of a command.
#[derive(Clone)]
pub(super) enum Out {
    Client {
        chunks: mpsc::Sender<Output>,
        stderr: bool,
        terminal: Option<Arc<Terminal>>,
    },
    Pipe(mpsc::Sender<Bytes>),
    File {
        files: Files,
        path: String,
    },
    /// `/dev/null`.
    Null,
}

impl Out {
    /// Opens a file for writing, and empties it unless `append` is set.
    pub(super) fn create(files: &Files, directory: &str, path: &str, append: bool) -> Result<Out, Problem> {
        let path = files::resolve(directory, path);
        if path == "/dev/null" {
            return Ok(Out::Null);
        }
        files.create(&path, append)?;
        Ok(Out::File {
            files: files.clone(),
            path,
        })
    }

    /// Writes all bytes, as fast as the reader takes them.
    pub(super) async fn write(&self, bytes: &[u8]) -> Result<(), Broken> {
        for chunk in bytes.chunks(CHUNK) {
            match self {
                Out::Null => {}
                Out::File { files, path } => files.append(path, chunk),
                Out::Pipe(chunks) => chunks.send(Bytes::copy_from_slice(chunk)).await.map_err(|_| Broken)?,
                Out::Client {
                    chunks,
                    stderr,
                    terminal,
                } => {
                    let bytes = match terminal {
                        Some(terminal) => terminal.output(chunk),
                        None => Bytes::copy_from_slice(chunk),
                    };
                    let output = if *stderr {
                        Output::Stderr(bytes)
                    } else {
                        Output::Stdout(bytes)
                    };
                    chunks.send(output).await.map_err(|_| Broken)?;
                }
            }
        }
        Ok(())
    }
}

/// Makes a pipe between two commands.
pub(super) fn pipe() -> (Out, Input) {
    let (sender, receiver) = mpsc::channel(PIPE_CHUNKS);
    (Out::Pipe(sender), Input::channel(receiver))
}
