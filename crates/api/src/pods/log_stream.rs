//! `WS …/pods/{name}/logs`: the lines of one or several containers as they are written.
//!
//! If a client does not read, Podgate stops reading from the cluster. A client may be slow as long
//! as it takes a frame now and then; one that takes nothing for [`crate::ws::Limits::gone_after`]
//! counts as gone. The memory of a stream is that of the lines on their way: see
//! [`memory::log_stream`].

use std::collections::BTreeMap;

use axum::{extract::State as Extract, response::Response};
use futures_util::{FutureExt, future::OptionFuture};
use podgate_access::{Scoped, action::ReadLogs};
use podgate_cluster::{
    Reservation,
    follow::{self, Frame, Frames, Line, RunEnd},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{client_frames::parse_text, memory};
use crate::{
    ApiError, Operation, Schemas, State, Success,
    ws::{Closed, Incoming, Sender, Socket, SocketFrame, Upgrade},
};

pub(crate) const OPEN: Operation = Operation::new(
    "pods.followLogs",
    "A stream of log lines.",
    Success::Socket {
        client: Schemas::frames::<Client>,
        server: Schemas::frames_and::<Server<'static>, SocketFrame<'static>>,
    },
)
.fails(&[400_002, 404_003, 409_001]);

/// Opens the stream.
pub(crate) async fn open(upgrade: Upgrade<ReadLogs, ()>, Extract(state): Extract<State>) -> Response {
    upgrade.open(move |socket, scoped, ()| async move { serve(socket, scoped, &state).await }.boxed())
}

/// The frames that a client sends.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
#[schema(as = LogClientFrame)]
enum Client {
    /// Starts the stream, in place of an earlier one. If it fails, the earlier one goes on.
    Subscribe(Box<Subscribe>),
    /// Ends the stream. The connection stays open.
    Unsubscribe {},
    /// Asks for a `pong`.
    Ping {},
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Subscribe {
    /// The container. The default is the same as for `GET …/logs`.
    container: Option<String>,
    /// Several containers, at most 64, or `["*"]` for all, of which the first 64 are read.
    containers: Option<Vec<String>>,
    /// Whether to continue with new lines after the existing ones; default false.
    follow: Option<bool>,
    /// Whether to read the previous run's log; default false. Not together with `follow`.
    previous: Option<bool>,
    /// Only the last N lines; default all.
    tail_lines: Option<u64>,
    /// Only lines of the last N seconds.
    since_seconds: Option<u32>,
    /// Only lines since this RFC 3339 time. Not together with `sinceSeconds`.
    since_time: Option<String>,
    /// Whether each line starts with its time in UTC; default true.
    timestamps: Option<bool>,
    /// Whether to send several lines in one frame (`logs`); default false.
    batch: Option<bool>,
}

/// The frames that the server sends.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
#[schema(as = LogServerFrame)]
enum Server<'a> {
    /// The stream starts.
    #[serde(rename_all = "camelCase")]
    Subscribed {
        /// The containers that are read.
        containers: &'a [String],
        /// How many containers of `*` are left out, because a stream reads at most 64. Absent if
        /// none.
        #[serde(skip_serializing_if = "is_zero")]
        left_out: usize,
    },
    /// One line, without its line feed, or a piece of a long one.
    Log {
        /// The line, which begins with its time unless `timestamps` is false; at most 128 KiB as
        /// text and as JSON.
        data: String,
        /// The container; absent if the stream can read only one.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        container: Option<&'a str>,
        /// Present, and true, if the line continues in the next `log` of this container: the `data`
        /// of all pieces together is the line. If a `gap`, `restarted`, `ended` or `end` comes
        /// first, the rest of the line is missing.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        partial: bool,
    },
    /// Several lines, after a subscribe with `batch`.
    Logs {
        /// The container.
        container: &'a str,
        /// The lines.
        lines: Vec<String>,
        /// Present, and true, if the frame holds one piece of a long line, which continues with the
        /// first of `lines` in the next `logs` of this container.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        partial: bool,
    },
    /// A followed container began a new run. The rest of the old run came before this frame; the
    /// new run follows.
    #[serde(rename_all = "camelCase")]
    Restarted {
        /// The container.
        container: &'a str,
        /// Its new restart count.
        restart_count: u32,
        /// How the run before ended; absent if the pod's status no longer says.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        last: Option<Last<'a>>,
    },
    /// One container is over while others go on, or can't be read any more. Nothing more of it will
    /// come.
    #[serde(rename_all = "camelCase")]
    Ended {
        /// The container.
        container: &'a str,
        /// The restart count of its last run; absent if no run was read.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        restart_count: Option<u32>,
        /// How that run ended; absent if it has not, or if the pod's status does not say.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        last: Option<Last<'a>>,
        /// Why it can't be read; absent if it was read to its end.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        error: Option<LogError>,
    },
    /// Lines are missing, or may be missing.
    Gap {
        /// The container.
        container: &'a str,
        /// Why, in one sentence.
        reason: &'a str,
        /// The time of the last line before, or empty.
        before: &'a str,
        /// The time of the first line after, or empty.
        after: &'a str,
    },
    /// The stream has ended.
    End {
        /// Why, in one sentence.
        reason: &'a str,
        /// How the last run of each container ended, by container; absent if no container has
        /// ended.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        #[schema(value_type = BTreeMap<String, Last<'static>>, required = false)]
        last: BTreeMap<&'a str, Last<'a>>,
    },
}

/// How a run of a container ended, as the pod's status says.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LogRunEnd)]
struct Last<'a> {
    /// How many times the container had been restarted when the run began.
    restart_count: u32,
    /// When the run began, in RFC 3339, or empty.
    started_at: &'a str,
    /// When the run ended, in RFC 3339, or empty.
    finished_at: &'a str,
    /// The exit code.
    exit_code: i32,
    /// The signal that ended the run, or 0.
    signal: i32,
    /// The reason, such as `OOMKilled`, or empty.
    reason: &'a str,
}

impl<'a> From<&'a RunEnd> for Last<'a> {
    fn from(end: &'a RunEnd) -> Self {
        Self {
            restart_count: end.restart_count,
            started_at: &end.started_at,
            finished_at: &end.finished_at,
            exit_code: end.exit_code,
            signal: end.signal,
            reason: &end.reason,
        }
    }
}

/// Why a container can't be read.
#[derive(Debug, Serialize, ToSchema)]
struct LogError {
    /// The code, as in an HTTP answer.
    code: u32,
    /// The error as a sentence.
    message: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Subscribe {
    /// Returns the options for the cluster, and the form of the lines. An empty text counts as
    /// absent.
    fn read(self) -> Result<(follow::Options, View), ApiError> {
        let refuse = |text: &str| Err(ApiError::Parameter(text.to_owned()));
        let container = self.container.filter(|name| !name.is_empty());
        let many = self.containers.unwrap_or_default();
        if container.is_some() && !many.is_empty() {
            return refuse("`container` and `containers` contradict each other: give only one of them");
        }
        if many.iter().any(String::is_empty) {
            return refuse("`containers` has an empty name: name each container, or give [\"*\"] for all");
        }
        let since_time = self.since_time.filter(|time| !time.is_empty());
        let since_time = since_time.map(|time| time.parse::<jiff::Timestamp>());
        let Ok(since_time) = since_time.transpose() else {
            return refuse("`sinceTime` must be a time such as 2026-01-31T12:00:00Z");
        };
        let view = View {
            timestamps: self.timestamps.unwrap_or(true),
            batch: self.batch.unwrap_or(false),
            named: many.len() > 1 || many.iter().any(|name| name == "*"),
        };
        let options = follow::Options {
            containers: container.into_iter().chain(many).collect(),
            follow: self.follow.unwrap_or(false),
            previous: self.previous.unwrap_or(false),
            since_seconds: self.since_seconds,
            since_time,
            tail_lines: self.tail_lines,
            timestamps: view.timestamps,
        };
        options.check()?;
        Ok((options, view))
    }
}

/// The form of the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct View {
    timestamps: bool,
    batch: bool,
    /// Whether each line names its container.
    named: bool,
}

impl View {
    fn text(self, line: &Line) -> String {
        let text = String::from_utf8_lossy(&line.text);
        if !self.timestamps || line.time.is_empty() {
            return text.into_owned();
        }
        format!("{} {text}", line.time)
    }

    /// Sends a frame of the cluster to the client. Returns whether it was the last one.
    async fn send(self, sender: &mut Sender, frame: Frame) -> Result<bool, Closed> {
        let frame = match &frame {
            Frame::Lines { container, lines } if !self.batch => {
                let frames = lines.iter().map(|line| Server::Log {
                    data: self.text(line),
                    container: self.named.then_some(container.as_str()),
                    partial: line.partial,
                });
                let frames: Vec<_> = frames.collect();
                sender.json_all(frames).await?;
                return Ok(false);
            }
            Frame::Lines { container, lines } => Server::Logs {
                container,
                lines: lines.iter().map(|line| self.text(line)).collect(),
                partial: lines.last().is_some_and(|line| line.partial),
            },
            Frame::Subscribed { containers, left_out } => Server::Subscribed {
                containers,
                left_out: *left_out,
            },
            Frame::Restarted {
                container,
                restart_count,
                last,
            } => Server::Restarted {
                container,
                restart_count: *restart_count,
                last: last.as_ref().map(Last::from),
            },
            Frame::Ended {
                container,
                restart_count,
                last,
                error,
            } => Server::Ended {
                container,
                restart_count: *restart_count,
                last: last.as_ref().map(Last::from),
                error: error.clone().map(|error| {
                    let (code, message) = sender.explain(&error.into());
                    LogError { code, message }
                }),
            },
            Frame::Gap {
                container,
                reason,
                before,
                after,
            } => Server::Gap {
                container,
                reason,
                before,
                after,
            },
            Frame::End { reason, last } => Server::End {
                reason,
                last: last.iter().map(|(name, end)| (name.as_str(), end.into())).collect(),
            },
            Frame::Failed(error) => return Err(error.clone().into()),
        };
        sender.json(&frame).await?;
        Ok(matches!(frame, Server::End { .. }))
    }
}

/// An open subscription.
struct Open {
    frames: Frames,
    view: View,
    _memory: Reservation,
}

async fn serve(socket: &mut Socket, scoped: Scoped<ReadLogs>, state: &State) -> Result<(), Closed> {
    let Socket { sender, receiver, .. } = socket;
    let mut open: Option<Open> = None;
    loop {
        tokio::select! {
            incoming = receiver.next() => {
                let Some(incoming) = incoming? else { return Err(Closed::Gone) };
                if let Err(malformed) = take(&incoming, &scoped, state, sender, &mut open).await? {
                    sender.error(&malformed).await?;
                }
            }
            frame = next(&mut open) => {
                let (frame, view) = frame?;
                let removed = open.as_ref().map(|open| open.frames.removal());
                let last = tokio::select! {
                    biased;
                    // Checked even while the client does not take its lines.
                    Some(error) = OptionFuture::from(removed) => return Err(error.into()),
                    last = view.send(sender, frame) => last?,
                };
                if last {
                    return Ok(());
                }
            }
        }
    }
}

/// Handles a client's frame. The inner error is for a refused frame, after which the connection
/// and its subscription continue as before.
async fn take(
    incoming: &Incoming,
    scoped: &Scoped<ReadLogs>,
    state: &State,
    sender: &mut Sender,
    open: &mut Option<Open>,
) -> Result<Result<(), ApiError>, Closed> {
    let asked = match parse_text(incoming) {
        Ok(Client::Subscribe(asked)) => asked,
        Ok(Client::Unsubscribe {}) => {
            *open = None;
            return Ok(Ok(()));
        }
        Ok(Client::Ping {}) => {
            sender.json(&SocketFrame::Pong).await?;
            return Ok(Ok(()));
        }
        Err(error) => return Ok(Err(error)),
    };
    let (options, view) = match asked.read() {
        Ok(read) => read,
        Err(error) => return Ok(Err(error)),
    };
    match start(options, view, scoped, state).await {
        // A second subscription replaces the first.
        Ok(started) => *open = Some(started),
        Err(error) if open.is_some() => return Ok(Err(error)),
        Err(error) => return Err(error.into()),
    }
    Ok(Ok(()))
}

/// Starts a subscription.
async fn start(
    options: follow::Options,
    view: View,
    scoped: &Scoped<ReadLogs>,
    state: &State,
) -> Result<Open, ApiError> {
    let mut memory = state.stream_memory().reserve(memory::log_stream(1))?;
    let frames = scoped.follow(options).await?;
    state
        .stream_memory()
        .resize(&mut memory, memory::log_stream(frames.readers()))?;
    Ok(Open {
        frames,
        view,
        _memory: memory,
    })
}

/// Returns the next frame of the open subscription. Waits while there is none.
async fn next(open: &mut Option<Open>) -> Result<(Frame, View), Closed> {
    let Some(Open { frames, view, .. }) = open else {
        return std::future::pending().await;
    };
    match frames.recv().await {
        Some(frame) => Ok((frame, *view)),
        None => Err(ApiError::Internal("a log stream ended without saying why".into()).into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::pods::client_frames::parse;

    fn read(text: &str) -> Result<(follow::Options, View), ApiError> {
        match parse(text)? {
            Client::Subscribe(asked) => asked.read(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_field_is_read() {
        let (options, view) = read(r#"{"type":"subscribe"}"#).unwrap();
        let default = follow::Options {
            timestamps: true,
            ..follow::Options::default()
        };
        assert_eq!(options, default);
        let view_of = |timestamps, batch, named| View {
            timestamps,
            batch,
            named,
        };
        assert_eq!(view, view_of(true, false, false));
        let (options, view) = read(
            r#"{"type":"subscribe","containers":["a","b"],"follow":true,"tailLines":0,"sinceSeconds":5,"timestamps":false,"batch":true}"#,
        )
        .unwrap();
        let want = follow::Options {
            containers: vec!["a".into(), "b".into()],
            follow: true,
            previous: false,
            since_seconds: Some(5),
            since_time: None,
            tail_lines: Some(0),
            timestamps: false,
        };
        assert_eq!((options, view), (want, view_of(false, true, true)));
        let (options, view) =
            read(r#"{"type":"subscribe","container":"a","previous":true,"sinceTime":"2026-01-01T00:00:00+01:00"}"#)
                .unwrap();
        assert_eq!(
            (options.containers.as_slice(), options.previous, view.named),
            (["a".to_owned()].as_slice(), true, false)
        );
        assert!(read(r#"{"type":"subscribe","containers":["*"]}"#).unwrap().1.named);
        assert!(
            !read(r#"{"type":"subscribe","containers":["a"],"container":""}"#)
                .unwrap()
                .1
                .named
        );
    }

    #[test]
    fn contradictory_and_unknown_fields_are_named() {
        for (frame, code, part) in [
            (
                r#"{"type":"subscribe","follow":true,"previous":true}"#,
                400_001,
                "`previous`",
            ),
            (
                r#"{"type":"subscribe","sinceSeconds":1,"sinceTime":"2026-01-01T00:00:00Z"}"#,
                400_001,
                "`sinceTime`",
            ),
            (r#"{"type":"subscribe","sinceSeconds":0}"#, 400_001, "`sinceSeconds`"),
            (
                r#"{"type":"subscribe","sinceTime":"yesterday"}"#,
                400_001,
                "`sinceTime`",
            ),
            (
                r#"{"type":"subscribe","tailLines":18446744073709551615}"#,
                400_001,
                "`tailLines`",
            ),
            (
                r#"{"type":"subscribe","container":"a","containers":["b"]}"#,
                400_001,
                "`containers`",
            ),
            (r#"{"type":"subscribe","containers":[""]}"#, 400_001, "`containers`"),
            (r#"{"type":"subscribe","tailLines":-1}"#, 400_002, "-1"),
            (r#"{"type":"subscribe","followw":true}"#, 400_002, "followw"),
            (r#"{"type":"subscribe","follow":"yes"}"#, 400_002, "yes"),
            (r#"{"type":"subscribed"}"#, 400_002, "subscribed"),
            (r#"{"follow":true}"#, 400_002, "type"),
            ("[]", 400_002, "[]"),
            ("nonsense", 400_002, "nonsense"),
        ] {
            let error = read(frame).unwrap_err();
            assert_eq!(error.code(), code, "{frame}: {error}");
            assert!(error.to_string().contains(part), "{frame}: {error}");
        }
    }
}
