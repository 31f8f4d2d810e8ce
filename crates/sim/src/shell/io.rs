//! What commands read from and write to: bounded channels, files of the container, nothing.

use super::{Output, files::Files, terminal::Modes};
use bytes::{Bytes, BytesMut};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::mpsc;

/// The largest piece that is sent at once.
pub(super) const CHUNK: usize = 16 * 1024;

/// Chunks that a pipe holds before its writer waits.
const PIPE_CHUNKS: usize = 4;

/// The longest line that a reader of lines takes, as bytes; the rest is the next line.
const MAX_LINE: usize = 1 << 20;

/// The reader is gone: what SIGPIPE says to a process.
#[derive(Debug)]
pub(super) struct Broken;

/// The standard input of a command.
pub(super) enum Input {
    /// At its end from the start.
    Empty,
    /// A client, a terminal or a pipe. An empty chunk is an end of file that does not last (^D on a terminal).
    Channel {
        chunks: mpsc::Receiver<Bytes>,
        rest: Bytes,
        terminal: bool,
    },
    /// The content of a file.
    Bytes(Bytes),
    /// `/dev/zero`.
    Zeros,
}

impl Input {
    pub(super) fn channel(chunks: mpsc::Receiver<Bytes>) -> Input {
        Input::Channel {
            chunks,
            rest: Bytes::new(),
            terminal: false,
        }
    }

    pub(super) fn terminal(lines: mpsc::Receiver<Bytes>) -> Input {
        Input::Channel {
            chunks: lines,
            rest: Bytes::new(),
            terminal: true,
        }
    }

    pub(super) fn is_terminal(&self) -> bool {
        matches!(self, Input::Channel { terminal: true, .. })
    }

    /// The next bytes; none at the end.
    pub(super) async fn read(&mut self) -> Bytes {
        match self {
            Input::Empty => Bytes::new(),
            Input::Bytes(bytes) => {
                let at = bytes.len().min(CHUNK);
                bytes.split_to(at)
            }
            Input::Zeros => Bytes::from_static(&[0; 4096]),
            Input::Channel { chunks, rest, .. } => {
                if rest.is_empty() {
                    chunks.recv().await.unwrap_or_default()
                } else {
                    std::mem::take(rest)
                }
            }
        }
    }

    /// Gives back what was read too much, to be read next.
    pub(super) fn unread(&mut self, bytes: Bytes) {
        match self {
            Input::Channel { rest, .. } => *rest = bytes,
            Input::Bytes(content) => *content = [bytes, content.clone()].concat().into(),
            Input::Empty | Input::Zeros => {}
        }
    }

    /// The next line with its line feed, if it has one; none at the end.
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
        terminal: Option<Arc<Modes>>,
    },
    Pipe(mpsc::Sender<Bytes>),
    File {
        files: Files,
        path: String,
    },
    Null,
}

impl Out {
    /// Writes everything, as fast as the reader takes it.
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
                        Some(modes) if !modes.raw.load(Ordering::Relaxed) => carriage_returns(chunk),
                        _ => Bytes::copy_from_slice(chunk),
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

/// A pipe between two commands.
pub(super) fn pipe() -> (Out, Input) {
    let (sender, receiver) = mpsc::channel(PIPE_CHUNKS);
    (Out::Pipe(sender), Input::channel(receiver))
}

/// A terminal's output: each line feed becomes a carriage return and a line feed.
pub(super) fn carriage_returns(bytes: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(bytes.len() + 16);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(text) => {
                out.extend_from_slice(text);
                out.extend_from_slice(b"\r\n");
            }
            None => out.extend_from_slice(line),
        }
    }
    out.freeze()
}

/// Collects small writes, so that a command with many short lines sends few chunks.
pub(super) struct Buffered<'a> {
    out: &'a Out,
    bytes: Vec<u8>,
}

impl<'a> Buffered<'a> {
    pub(super) fn new(out: &'a Out) -> Buffered<'a> {
        Buffered { out, bytes: Vec::new() }
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() >= CHUNK {
            self.flush().await
        } else {
            Ok(())
        }
    }

    pub(super) async fn flush(&mut self) -> Result<(), Broken> {
        let bytes = std::mem::take(&mut self.bytes);
        self.out.write(&bytes).await
    }
}
