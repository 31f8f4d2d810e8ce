//! Carries messages between a session's queues and its connection. One item of a queue is one
//! message on the connection.
//!
//! A message is a channel's number followed by bytes
//! (`apimachinery/pkg/util/remotecommand/websocket.go`).

use std::{
    pin::pin,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until, timeout},
};
use tokio_tungstenite::tungstenite::Message;

use super::{Input, MAX_INPUT, Output, hangup, output::MAX_OUTPUT, status::ExecTarget, upgrade::Socket};
use crate::{Error, error::Failure, queue::Sender, removal::Removal, websocket::BoundedWebSocket};

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const ERROR: u8 = 3;
const RESIZE: u8 = 4;
/// The channel of messages that close another channel, whose number follows (v5).
const CLOSE: u8 = 255;

/// The most bytes of the error channel that are kept.
const MAX_EXIT_STATUS: usize = 64 << 10;
/// How many pings in a row a connection must leave unanswered before it counts as dead. Pings also
/// keep proxies and load balancers from closing a quiet terminal.
const PINGS: u32 = 3;
/// The bytes of input that an API server takes for a process that does not read. With more, it no
/// longer answers pings, because it reads input and pings in order.
const ABSORBED: usize = 16 << 10;
/// How long a full connection may accept no input before it is dropped.
const STUCK: Duration = Duration::from_secs(300);
/// How long to wait for data in flight after the process has ended or the connection broke.
const GRACE: Duration = Duration::from_secs(2);

/// The state that the reading half shares with the writing half.
#[derive(Default)]
struct ConnectionState {
    /// The bytes of input sent since the last answered ping.
    unanswered: AtomicUsize,
    /// Whether the process has written something, so that it has certainly started.
    started: AtomicBool,
}

/// The reason why writing ended.
enum WriteEnd {
    /// The client has gone, and the process's input was ended.
    Left,
    /// The connection does not accept input.
    Broken(Error),
}

/// The configuration of a session.
pub(super) struct SessionConfig {
    pub(super) tty: bool,
    /// See [`crate::client::Policy::stream_silence`].
    pub(super) silence: Duration,
    pub(super) removed: Removal,
    pub(super) target: ExecTarget,
}

/// Runs a session until the process has ended, the connection is broken, or the client has gone.
pub(super) async fn run<S: AsyncRead + AsyncWrite + Unpin>(
    socket: Socket<S>,
    config: SessionConfig,
    input: mpsc::Receiver<Input>,
    output: Sender<Output>,
) {
    let last = {
        let (sink, stream) = socket.stream.split();
        let state = ConnectionState::default();
        let mut reader = pin!(read(stream, &output, &state, &config));
        let writer = Writer {
            sink,
            closes_channels: socket.closes_channels,
            line_begun: false,
            input_ended: false,
            hung_up: false,
            opened: socket.opened,
            state: &state,
            output: &output,
            config: &config,
        };
        tokio::select! {
            last = &mut reader => Some(last),
            end = writer.run(input) => match end {
                WriteEnd::Left => None,
                // The process may have ended before it took all its input. Then report its end
                // instead.
                WriteEnd::Broken(error) => Some(timeout(GRACE, reader).await.unwrap_or(Output::Failed(error))),
            },
        }
    };
    if let Some(last) = last {
        let _ = output.send(last).await;
    }
}

/// Forwards output until the process ends, and returns how it ended.
///
/// It continues to read after the client has gone, so that a process that is busy writing reaches
/// the end of its input.
async fn read<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: SplitStream<BoundedWebSocket<S>>,
    output: &Sender<Output>,
    state: &ConnectionState,
    config: &SessionConfig,
) -> Output {
    let SessionConfig { silence, target, .. } = config;
    let mut exit_status = BytesMut::new();
    loop {
        let patience = if exit_status.is_empty() { *silence } else { GRACE };
        let message = match timeout(patience, stream.next()).await {
            Ok(Some(Ok(message))) => message,
            Ok(Some(Err(error))) if exit_status.is_empty() => return Output::Failed(target.broken(&error.to_string())),
            Ok(_) => break,
            Err(_) if !exit_status.is_empty() => break,
            // An API server answers a ping only after it has passed on the earlier input, and a
            // process may take any time to read that.
            Err(_) if state.unanswered.load(Ordering::Relaxed) > ABSORBED => continue,
            Err(_) => {
                let connection = target.connection();
                return Output::Failed(Error::timeout(format!(
                    "{connection} broke off, because the API server no longer answers"
                )));
            }
        };
        let mut bytes = match message {
            Message::Binary(bytes) => bytes,
            Message::Pong(_) => {
                state.unanswered.store(0, Ordering::Relaxed);
                continue;
            }
            Message::Close(_) => break,
            _ => continue,
        };
        if bytes.len() < 2 {
            continue;
        }
        let channel = bytes.split_to(1);
        let of = match channel.first() {
            Some(&STDOUT) => Output::Stdout,
            Some(&STDERR) => Output::Stderr,
            Some(&ERROR) => {
                let room = MAX_EXIT_STATUS.saturating_sub(exit_status.len()).min(bytes.len());
                exit_status.extend_from_slice(bytes.get(..room).unwrap_or_default());
                if exit_status.len() == MAX_EXIT_STATUS {
                    break;
                }
                continue;
            }
            _ => continue,
        };
        state.started.store(true, Ordering::Relaxed);
        while !bytes.is_empty() && !config.removed.is_cancelled() {
            let part = bytes.split_to(bytes.len().min(MAX_OUTPUT));
            let _ = output.send(of(part)).await;
        }
    }
    if exit_status.is_empty() {
        return Output::Failed(target.broken("the API server closed it without reporting how the process ended"));
    }
    target.outcome(&exit_status)
}

struct Writer<'a, S> {
    sink: SplitSink<BoundedWebSocket<S>, Message>,
    closes_channels: bool,
    /// Whether the last input did not end with a line feed, so that a ^D would only submit the
    /// line.
    line_begun: bool,
    input_ended: bool,
    /// Whether the hang-up has begun. It must happen only once, although a client may stop sending
    /// first and stop listening later.
    hung_up: bool,
    /// When the connection was opened.
    opened: Instant,
    state: &'a ConnectionState,
    output: &'a Sender<Output>,
    config: &'a SessionConfig,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Writer<'_, S> {
    async fn run(mut self, mut input: mpsc::Receiver<Input>) -> WriteEnd {
        match self.carry(&mut input).await {
            Ok(()) | Err(WriteEnd::Left) => {}
            Err(broken) => return broken,
        }
        drop(input);
        self.hang_up().await;
        // With v4, only closing the connection ends the input.
        let _ = timeout(hangup::TAIL, self.sink.close()).await;
        WriteEnd::Left
    }

    /// Sends input until the client has gone.
    async fn carry(&mut self, input: &mut mpsc::Receiver<Input>) -> Result<(), WriteEnd> {
        let every = self.config.silence / PINGS;
        let mut pings = interval_at(Instant::now() + every, every);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next = None;
        loop {
            let taken = match next.take() {
                Some(taken) => Some(taken),
                None => tokio::select! {
                    () = self.output.closed() => return Ok(()),
                    () = self.config.removed.cancelled() => return Ok(()),
                    taken = input.recv() => taken,
                    _ = pings.tick() => {
                        self.send(Message::Ping(Bytes::new())).await?;
                        continue;
                    }
                },
            };
            match taken {
                None => return self.without_input(&mut pings).await,
                Some(Input::Data(data)) => self.data(data).await?,
                Some(Input::Resize { mut cols, mut rows }) => {
                    // Only the newest size matters, and a window that is being resized sends many.
                    while let Ok(newer) = input.try_recv() {
                        match newer {
                            Input::Resize { cols: c, rows: r } => (cols, rows) = (c, r),
                            other => {
                                next = Some(other);
                                break;
                            }
                        }
                    }
                    self.resize(cols, rows).await?;
                }
                Some(Input::Eof) => self.end_input().await?,
            }
        }
    }

    /// Waits for a client that has stopped sending but still listens.
    async fn without_input(&mut self, pings: &mut tokio::time::Interval) -> Result<(), WriteEnd> {
        self.hang_up().await;
        loop {
            tokio::select! {
                () = self.output.closed() => return Ok(()),
                () = self.config.removed.cancelled() => return Ok(()),
                _ = pings.tick() => self.send(Message::Ping(Bytes::new())).await?,
            }
        }
    }

    async fn data(&mut self, mut data: Bytes) -> Result<(), WriteEnd> {
        if self.input_ended {
            return Ok(());
        }
        while !data.is_empty() {
            let part = data.split_to(data.len().min(MAX_INPUT));
            self.line_begun = part.last().is_some_and(|byte| !matches!(byte, b'\n' | b'\r'));
            self.state.unanswered.fetch_add(part.len(), Ordering::Relaxed);
            self.send(frame(STDIN, &part)).await?;
        }
        Ok(())
    }

    async fn resize(&mut self, cols: u16, rows: u16) -> Result<(), WriteEnd> {
        if !self.config.tty {
            return Ok(());
        }
        let size = format!(r#"{{"Width":{cols},"Height":{rows}}}"#);
        self.send(frame(RESIZE, size.as_bytes())).await
    }

    async fn end_input(&mut self) -> Result<(), WriteEnd> {
        if self.input_ended {
            return Ok(());
        }
        self.input_ended = true;
        if self.config.tty {
            // On a terminal, the end of input is typed as ^D. Within a line, the first ^D only
            // submits the line, so a second one follows.
            let keys: &[u8] = if self.line_begun { b"\x04\x04" } else { b"\x04" };
            return self.send(frame(STDIN, keys)).await;
        }
        if self.closes_channels {
            return self.send(frame(CLOSE, &[STDIN])).await;
        }
        // With v4, only closing the connection would end the input, and output in flight would be
        // lost.
        let what = format!("the cluster of {}", self.config.target.pod_name);
        let warning = Error::upstream(what, Failure::NoEndOfInput);
        let _ = self.output.send(Output::Warning(warning)).await;
        Ok(())
    }

    async fn send(&mut self, message: Message) -> Result<(), WriteEnd> {
        tokio::select! {
            sent = timeout(STUCK, self.sink.send(message)) => match sent {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(WriteEnd::Broken(self.config.target.broken(&error.to_string()))),
                Err(_) => Err(WriteEnd::Broken(Error::timeout(format!(
                    "{} broke off, because it accepted no input for {} s",
                    self.config.target.connection(),
                    STUCK.as_secs()
                )))),
            },
            () = self.output.closed() => Err(WriteEnd::Left),
            () = self.config.removed.cancelled() => Err(WriteEnd::Left),
        }
    }

    /// Ends the process's input after the client has gone. If the process ends meanwhile, this
    /// future is dropped.
    async fn hang_up(&mut self) {
        if std::mem::replace(&mut self.hung_up, true) {
            return;
        }
        self.input_ended = true;
        if self.config.tty {
            self.type_hangup().await;
        } else if self.closes_channels {
            let closed = timeout(hangup::LIMIT, self.sink.send(frame(CLOSE, &[STDIN]))).await;
            if matches!(closed, Ok(Ok(()))) {
                sleep(hangup::CLOSED).await;
            }
        } else if !self.state.started.load(Ordering::Relaxed) {
            sleep_until(self.opened + hangup::EARLY).await;
        }
    }

    /// Types ^C and ^D until the process has had them [`hangup::REPEATS`] times since its start.
    /// The terminal's echo of the first keys counts as a sign that it has started.
    async fn type_hangup(&mut self) {
        let (mut typed, mut heard) = (0, 0);
        while typed < hangup::MAX_REPEATS && heard < hangup::REPEATS {
            let started = self.state.started.load(Ordering::Relaxed) || self.opened.elapsed() >= hangup::SLOW_START;
            for (keys, pause) in hangup::KEYS {
                let sent = timeout(hangup::LIMIT, self.sink.send(frame(STDIN, keys))).await;
                if !matches!(sent, Ok(Ok(()))) {
                    return;
                }
                sleep(pause).await;
            }
            typed += 1;
            heard += u32::from(started);
        }
    }
}

fn frame(channel: u8, data: &[u8]) -> Message {
    let mut bytes = BytesMut::with_capacity(1 + data.len());
    bytes.put_u8(channel);
    bytes.put_slice(data);
    Message::Binary(bytes.freeze())
}

#[cfg(test)]
mod tests;
