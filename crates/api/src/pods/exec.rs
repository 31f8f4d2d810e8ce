//! `WS …/pods/{name}/exec`: a command in a container, with its streams.
//!
//! Input is read as long as less than 256 kB of it waits for the process; output waits for the
//! client. Neither direction blocks the other, so that a paste and its echo can't deadlock.

use std::{collections::VecDeque, num::NonZeroU16};

use axum::{extract::State as Extract, response::Response};
use bytes::Bytes;
use futures_util::FutureExt;
use podgate_access::{Scoped, action::Exec};
use podgate_cluster::{
    exec::{Input, MAX_INPUT, Options, Output, Outputs, Session},
    lossy::json_fit,
};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use utoipa::ToSchema;

use super::{client_frames::parse, memory, utf8_decoder::Utf8Decoder};
use crate::{
    ApiError, FromParameters, Kind, Operation, Parameter, Parameters, Schemas, State, Success,
    ws::{Closed, Incoming, Receiver, Sender, Socket, SocketFrame, Upgrade},
};

/// The command that runs by default.
const SHELL: &str = "/bin/sh";
/// The bytes of waiting input beyond which the client is not read. One frame, of at most 1 MiB, may
/// exceed them.
const MAX_WAITING: usize = 256 << 10;
/// The bytes that a frame without input counts as.
const FRAME_COST: usize = 64;
/// Output that is already there is joined into one frame up to this many bytes.
const JOINED: usize = 32 << 10;
/// The most bytes of output in a frame, counted as JSON, where a NUL takes six.
const MAX_DATA: usize = 64 << 10;
/// The most replies to client frames that wait.
const REPLIES: usize = 16;

/// The options that the parameters ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked(Options);

impl FromParameters for Asked {
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::one(
            "container",
            Kind::Text,
            "The container; default: the one that the annotation `kubectl.kubernetes.io/default-container` names, else the only one.",
        ),
        Parameter::many(
            "command",
            Kind::Text,
            "The program, which is never split: repeat the parameter to pass arguments. Default `/bin/sh`.",
        ),
        Parameter::one("tty", Kind::Bool, "Whether to allocate a terminal; default true."),
    ];

    fn read(parameters: &Parameters) -> Result<Self, ApiError> {
        let mut command = parameters.many("command");
        if command.is_empty() {
            command.push(SHELL.to_owned());
        }
        Ok(Self(Options {
            container: parameters.one("container"),
            command,
            tty: parameters.bool("tty").unwrap_or(true),
        }))
    }
}

/// The text frames that a client sends.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
#[schema(as = ExecClientFrame)]
enum Client {
    /// Input for the process. A binary frame is input too.
    Input {
        /// The input.
        data: String,
    },
    /// The terminal's size.
    Resize {
        /// Columns.
        #[schema(value_type = u16, minimum = 1, maximum = 65535)]
        cols: NonZeroU16,
        /// Rows.
        #[schema(value_type = u16, minimum = 1, maximum = 65535)]
        rows: NonZeroU16,
    },
    /// The end of input. Output continues.
    Eof {},
    /// Asks for a `pong`.
    Ping {},
}

/// The frames that the server sends.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
#[schema(as = ExecServerFrame)]
enum Server<'a> {
    /// Output of the process. It never splits a code point.
    Output {
        /// The output.
        data: &'a str,
        /// `stderr` for standard error without a tty; else absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        stream: Option<Stream>,
    },
    /// The process has ended. The server then closes the connection.
    Exit {
        /// Its exit code.
        code: i32,
    },
}

/// The output stream of a frame that is not standard output.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ExecStream)]
enum Stream {
    Stderr,
}

/// The reply to a client's frame.
enum Reply {
    Pong,
    Malformed(ApiError),
}

pub(crate) const OPEN: Operation = Operation::new(
    "pods.exec",
    "A command in a container.",
    Success::Socket {
        client: Schemas::frames::<Client>,
        server: Schemas::frames_and::<Server<'static>, SocketFrame<'static>>,
    },
)
.fails(&[400_002, 404_003, 409_001, 409_002]);

/// Opens the terminal.
pub(crate) async fn open(upgrade: Upgrade<Exec, Asked>, Extract(state): Extract<State>) -> Response {
    upgrade.open(move |socket, scoped, asked| async move { serve(socket, scoped, asked, &state).await }.boxed())
}

async fn serve(socket: &mut Socket, scoped: Scoped<Exec>, Asked(options): Asked, state: &State) -> Result<(), Closed> {
    let _memory = state.stream_memory().reserve(memory::TERMINAL)?;
    let Socket { sender, receiver, .. } = socket;
    let (replies, mut to_answer) = mpsc::channel(REPLIES);
    let mut waiting = Waiting::default();
    // Input that comes before the process has started is kept for it.
    let session = {
        let mut starting = scoped.exec(options).boxed();
        let mut replying = replies.clone();
        loop {
            tokio::select! {
                session = &mut starting => break session?,
                taken = waiting.take(receiver, &mut replying) => taken?,
                Some(reply) = to_answer.recv() => answer(sender, reply).await?,
            }
        }
    };
    let Session { input, output } = session;
    let removed = output.removal();
    tokio::select! {
        biased;
        // Checked even while the client does not take its output.
        error = removed => Err(error.into()),
        end = incoming(receiver, waiting, input, replies) => end,
        end = outgoing(sender, output, to_answer) => end,
    }
}

/// Input that waits for the process.
#[derive(Debug, Default)]
struct Waiting {
    inputs: VecDeque<Input>,
    bytes: usize,
}

impl Waiting {
    /// Takes the client's next frame. Waits while there is no room for it. Cancelling it never
    /// loses a frame.
    async fn take(&mut self, receiver: &mut Receiver, replies: &mut mpsc::Sender<Reply>) -> Result<(), Closed> {
        // Reserves room for a reply first, so that a frame that was taken is never dropped.
        let Ok(reply) = replies.reserve().await else {
            return Err(Closed::Gone);
        };
        if self.bytes >= MAX_WAITING {
            match receiver.pause().await {}
        }
        let Some(incoming) = receiver.next().await? else {
            return Err(Closed::Gone);
        };
        match read(incoming) {
            Ok(Some(input)) => self.push(input),
            Ok(None) => reply.send(Reply::Pong),
            Err(malformed) => reply.send(Reply::Malformed(malformed)),
        }
        Ok(())
    }

    fn push(&mut self, input: Input) {
        match (input, self.inputs.back_mut()) {
            // Only the newest size counts.
            (input @ Input::Resize { .. }, Some(last @ Input::Resize { .. })) => *last = input,
            (Input::Data(mut data), _) => {
                while data.len() > MAX_INPUT {
                    self.add(Input::Data(data.split_to(MAX_INPUT)));
                }
                self.add(Input::Data(data));
            }
            (input, _) => self.add(input),
        }
    }

    fn add(&mut self, input: Input) {
        self.bytes += cost(&input);
        self.inputs.push_back(input);
    }

    /// Passes on as much input as the process has room for.
    fn pass(&mut self, process: &mpsc::Sender<Input>) {
        while let Ok(permit) = process.try_reserve() {
            let Some(next) = self.pop() else { return };
            permit.send(next);
        }
    }

    fn pop(&mut self) -> Option<Input> {
        let input = self.inputs.pop_front()?;
        self.bytes = self.bytes.saturating_sub(cost(&input));
        Some(input)
    }
}

fn cost(input: &Input) -> usize {
    match input {
        Input::Data(data) => data.len() + FRAME_COST,
        Input::Resize { .. } | Input::Eof => FRAME_COST,
    }
}

/// Returns a client's frame as input, or `None` for a ping.
fn read(incoming: Incoming) -> Result<Option<Input>, ApiError> {
    let text = match incoming {
        Incoming::Binary(data) => return Ok(Some(Input::Data(data))),
        Incoming::Text(text) => text,
    };
    Ok(match parse(&text)? {
        Client::Input { data } => Some(Input::Data(Bytes::from(data))),
        Client::Resize { cols, rows } => Some(Input::Resize {
            cols: cols.get(),
            rows: rows.get(),
        }),
        Client::Eof {} => Some(Input::Eof),
        Client::Ping {} => None,
    })
}

/// Carries input to the process until the client is gone.
async fn incoming(
    receiver: &mut Receiver,
    mut waiting: Waiting,
    input: mpsc::Sender<Input>,
    mut replies: mpsc::Sender<Reply>,
) -> Result<(), Closed> {
    loop {
        waiting.pass(&input);
        if input.is_closed() {
            // The process has ended, so the remaining input is dropped.
            waiting = Waiting::default();
        }
        tokio::select! {
            taken = waiting.take(receiver, &mut replies) => taken?,
            _ = input.reserve(), if !waiting.inputs.is_empty() => {}
        }
    }
}

/// Carries output to the client until the process has ended.
async fn outgoing(sender: &mut Sender, mut output: Outputs, mut replies: mpsc::Receiver<Reply>) -> Result<(), Closed> {
    let mut streams = Streams::default();
    let mut ahead = None;
    loop {
        let next = match ahead.take() {
            Some(next) => Some(next),
            None => tokio::select! {
                Some(reply) = replies.recv() => {
                    answer(sender, reply).await?;
                    continue;
                }
                next = output.recv() => next,
            },
        };
        match next {
            Some(Output::Stdout(bytes)) => {
                let mut text = streams.stdout.push(&bytes);
                while text.len() < JOINED {
                    match output.try_recv() {
                        Some(Output::Stdout(bytes)) => text.push_str(&streams.stdout.push(&bytes)),
                        Some(other) => {
                            ahead = Some(other);
                            break;
                        }
                        None => break,
                    }
                }
                send(sender, text, None).await?;
            }
            Some(Output::Stderr(bytes)) => send(sender, streams.stderr.push(&bytes), Some(Stream::Stderr)).await?,
            Some(Output::Warning(warning)) => sender.error(&warning.into()).await?,
            Some(Output::Exit(code)) => {
                streams.finish(sender).await?;
                sender.json(&Server::Exit { code }).await?;
                return Ok(());
            }
            Some(Output::Failed(error)) => {
                streams.finish(sender).await?;
                return Err(error.into());
            }
            None => return Err(ApiError::Internal("a terminal ended without saying how".into()).into()),
        }
    }
}

/// The bytes of each output stream that do not form a whole character yet.
#[derive(Debug, Default)]
struct Streams {
    stdout: Utf8Decoder,
    stderr: Utf8Decoder,
}

impl Streams {
    async fn finish(&mut self, sender: &mut Sender) -> Result<(), Closed> {
        send(sender, self.stdout.finish(), None).await?;
        send(sender, self.stderr.finish(), Some(Stream::Stderr)).await
    }
}

async fn send(sender: &mut Sender, text: String, stream: Option<Stream>) -> Result<(), Closed> {
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (data, later) = rest.split_at(json_fit(rest, MAX_DATA));
        sender.json(&Server::Output { data, stream }).await?;
        rest = later;
    }
    Ok(())
}

async fn answer(sender: &mut Sender, reply: Reply) -> Result<(), Closed> {
    match reply {
        Reply::Pong => sender.json(&SocketFrame::Pong).await,
        Reply::Malformed(error) => sender.error(&error).await,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn asked(query: &str) -> Result<Options, ApiError> {
        Asked::read(&Parameters::parse(query, Asked::PARAMETERS)?).map(|Asked(options)| options)
    }

    fn text(frame: &str) -> Result<Option<Input>, ApiError> {
        read(Incoming::Text(frame.into()))
    }

    #[test]
    fn a_command_is_never_split() {
        let options = asked("command=ls&command=-la&command=a%20b&container=web&tty=false").unwrap();
        assert_eq!(options.command, ["ls", "-la", "a b"]);
        assert_eq!((options.container.as_deref(), options.tty), (Some("web"), false));
        let options = asked("command=").unwrap();
        assert_eq!(
            (options.command.as_slice(), options.tty),
            ([SHELL.to_owned()].as_slice(), true)
        );
        assert!(asked("cmd=ls").is_err() && asked("tty=1").is_err());
    }

    #[test]
    fn every_frame_is_read() {
        let data = |bytes: &'static [u8]| Some(Input::Data(Bytes::from_static(bytes)));
        assert_eq!(
            text(r#"{"type":"input","data":"ls\n\u0003"}"#).unwrap(),
            data(b"ls\n\x03")
        );
        assert_eq!(
            read(Incoming::Binary(Bytes::from_static(b"\xff\x00"))).unwrap(),
            data(b"\xff\x00")
        );
        assert_eq!(
            text(r#"{"type":"resize","cols":65535,"rows":1}"#).unwrap(),
            Some(Input::Resize { cols: 65535, rows: 1 })
        );
        assert_eq!(text(r#"{"type":"eof"}"#).unwrap(), Some(Input::Eof));
        assert_eq!(text(r#"{"type":"ping"}"#).unwrap(), None);
        for bad in [
            "x",
            "{}",
            r#"{"type":"inputs"}"#,
            r#"{"type":"input"}"#,
            r#"{"type":"input","data":1}"#,
            r#"{"type":"resize","cols":0,"rows":1}"#,
            r#"{"type":"resize","cols":65536,"rows":1}"#,
            r#"{"type":"resize","cols":-1,"rows":1}"#,
            r#"{"type":"resize","cols":80}"#,
        ] {
            assert_eq!(text(bad).unwrap_err().code(), 400_002, "{bad}");
        }
    }

    #[test]
    fn a_large_paste_waits_in_parts_that_the_process_takes_as_there_is_room() {
        let paste: Bytes = (0..1_000_001_u32).map(|n| (n % 251) as u8).collect();
        let mut waiting = Waiting::default();
        waiting.push(Input::Data(paste.clone()));
        waiting.push(Input::Eof);
        let (process, mut taken) = mpsc::channel(4);
        let mut whole = Vec::new();
        loop {
            waiting.pass(&process);
            assert!(taken.len() <= 4);
            match taken.try_recv().unwrap() {
                Input::Data(part) => {
                    assert!(part.len() <= MAX_INPUT);
                    whole.extend_from_slice(&part);
                }
                last => {
                    assert_eq!((last, waiting.bytes), (Input::Eof, 0));
                    break;
                }
            }
        }
        assert!(whole == paste, "{} bytes", whole.len());
    }

    #[test]
    fn only_the_newest_size_waits() {
        let mut waiting = Waiting::default();
        for cols in 1..1000 {
            waiting.push(Input::Resize { cols, rows: 1 });
        }
        waiting.push(Input::Eof);
        assert_eq!(waiting.bytes, 2 * FRAME_COST);
        assert_eq!(waiting.pop(), Some(Input::Resize { cols: 999, rows: 1 }));
        assert_eq!(
            (waiting.pop(), waiting.pop(), waiting.bytes),
            (Some(Input::Eof), None, 0)
        );
    }
}
