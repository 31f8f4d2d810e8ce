//! `pods/log`: a container's log.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use http::{HeaderValue, StatusCode, header};
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::watch;

use crate::call::{Call, Query};
use crate::containers;
use crate::faults::StreamSignal;
use crate::runtime::{Piece, Position, Run};
use crate::state::{OpenGuard, State};
use crate::status::{Answer, Failure};
use crate::time;

/// How many bytes of a log are read at once. A response holds no more than these, apart from the
/// buffers of the connection.
const CHUNK: usize = 32 << 10;

/// How long to wait before a connection is broken, so that the bytes sent so far leave first. A
/// broken connection drops the bytes that it has not yet written.
const BREAK_DELAY: Duration = Duration::from_millis(20);

/// Answers a log request.
pub(crate) async fn route(call: Call) -> Response {
    answer(&call).unwrap_or_else(IntoResponse::into_response)
}

fn answer(call: &Call) -> Answer {
    let options = Options::parse(&call.query, call.name())?;
    let container = containers::choose(containers::pod(call)?, call.query.get("container"))?;
    if container.node().is_empty() {
        // Without a node there is no kubelet to ask, and the API server answers with an empty
        // success.
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let state = call.state.clone();
    let run = container.log_run(&state, options.previous)?;
    let mut position = options.tail.map_or_else(|| run.start(), |lines| run.tail(lines));
    if let Some(since) = options.since {
        position = run.not_before(position, since);
    }
    let faults = state.faults.streams();
    let seen = *faults.borrow();
    let reader = Reader {
        changes: run.changes(),
        run,
        position,
        since: options.since,
        follow: options.follow,
        timestamps: options.timestamps,
        left: options.limit,
        until_break: state.faults.log_limit(),
        faults,
        seen,
        ended: false,
        _open: state.logs.open(),
        state,
    };
    let stream = futures_util::stream::unfold(reader, |mut reader| async move {
        let chunk = reader.next().await?;
        Some((chunk, reader))
    });
    let mut response = Body::from_stream(stream).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    Ok(response)
}

/// The validated `PodLogOptions` of a request.
#[derive(Debug, PartialEq)]
struct Options {
    follow: bool,
    previous: bool,
    timestamps: bool,
    since: Option<Timestamp>,
    tail: Option<u64>,
    limit: Option<u64>,
}

impl Options {
    fn parse(query: &Query, pod: &str) -> Result<Options, Failure> {
        let (since, tail, limit) = (
            query.number("sinceSeconds")?,
            query.number("tailLines")?,
            query.number("limitBytes")?,
        );
        let time = query
            .get("sinceTime")
            .map(|text| text.parse::<Timestamp>().map_err(|_| invalid_time(text)))
            .transpose()?;
        let invalid = |field: &str, value: i64, least: &str| {
            let problem = format!("Invalid value: {value}: must be {least}");
            Err(invalid_option(pod, field, "FieldValueInvalid", &problem))
        };
        if let Some(seconds) = since.filter(|seconds| *seconds < 1) {
            return invalid("sinceSeconds", seconds, "greater than 0");
        }
        if let Some(lines) = tail.filter(|lines| *lines < 0) {
            return invalid("tailLines", lines, "greater than or equal to 0");
        }
        if let Some(bytes) = limit.filter(|bytes| *bytes < 1) {
            return invalid("limitBytes", bytes, "greater than 0");
        }
        if since.is_some() && time.is_some() {
            let problem = "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified";
            return Err(invalid_option(pod, "[]", "FieldValueForbidden", problem));
        }
        // `PodLogsQuerySplitStreams` is off by default in Kubernetes 1.36.
        if query.get("stream").is_some_and(|stream| stream != "All") {
            return Err(invalid_option(
                pod,
                "stream",
                "FieldValueForbidden",
                "Forbidden: may not be specified",
            ));
        }
        let ago = |seconds| {
            let span = jiff::SignedDuration::from_secs(seconds);
            Timestamp::now().checked_sub(span).unwrap_or(Timestamp::MIN)
        };
        Ok(Options {
            follow: query.flag("follow"),
            previous: query.flag("previous"),
            timestamps: query.flag("timestamps"),
            since: time.or_else(|| since.map(ago)),
            tail: tail.and_then(|lines| u64::try_from(lines).ok()),
            limit: limit.and_then(|bytes| u64::try_from(bytes).ok()),
        })
    }
}

fn invalid_option(pod: &str, field: &str, reason: &str, problem: &str) -> Failure {
    let causes = json!([{"reason": reason, "message": problem, "field": field}]);
    Failure::new(422, format!("PodLogOptions \"{pod}\" is invalid: {field}: {problem}"))
        .with_details(json!({"name": pod, "kind": "PodLogOptions", "causes": causes}))
}

fn invalid_time(time: &str) -> Failure {
    let message =
        format!("parsing time \"{time}\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"{time}\" as \"2006\"");
    Failure::bad_request(message)
}

/// A log response. It reads the next chunk only after the connection has taken the last one.
struct Reader {
    state: Arc<State>,
    run: Arc<Run>,
    changes: watch::Receiver<()>,
    position: Position,
    /// The time before which lines are left out, followed ones too, as by a kubelet.
    since: Option<Timestamp>,
    follow: bool,
    timestamps: bool,
    /// How many bytes `limitBytes` still allows.
    left: Option<u64>,
    /// How many bytes to send before a fault breaks the response off.
    until_break: Option<u64>,
    faults: watch::Receiver<StreamSignal>,
    seen: StreamSignal,
    ended: bool,
    _open: OpenGuard,
}

impl Reader {
    /// Returns the next chunk; `None` at the end. An error breaks the connection.
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        loop {
            if self.ended || self.left == Some(0) {
                return None;
            }
            let signal = *self.faults.borrow_and_update();
            if signal.cut_logs > self.seen.cut_logs || self.until_break == Some(0) {
                return Some(Err(self.break_off().await));
            }
            if signal.end_follows > self.seen.end_follows && self.follow {
                return None;
            }
            self.changes.mark_unchanged();
            let mut read = self.run.read(self.position, CHUNK);
            let moved = read.next != self.position;
            self.position = read.next;
            if let Some(since) = self.since {
                read.pieces.retain(|piece| piece.time >= since);
            }
            if read.pieces.is_empty() && moved {
                continue;
            }
            if !read.pieces.is_empty() {
                return Some(Ok(self.chunk(read.pieces)));
            }
            if read.over || !self.follow {
                return None;
            }
            tokio::select! {
                changed = self.changes.changed() => changed.ok()?,
                changed = self.faults.changed() => changed.ok()?,
                () = self.state.stop.cancelled() => return Some(Err(io::ErrorKind::ConnectionReset.into())),
            }
        }
    }

    async fn break_off(&mut self) -> io::Error {
        self.ended = true;
        tokio::time::sleep(BREAK_DELAY).await;
        io::ErrorKind::ConnectionReset.into()
    }

    /// Joins pieces into the bytes to send, with times if asked for, up to the limits.
    fn chunk(&mut self, pieces: Vec<Piece>) -> Bytes {
        let mut chunk = BytesMut::with_capacity(CHUNK);
        for piece in pieces {
            if self.timestamps && piece.begins {
                chunk.extend_from_slice(time::nanos(piece.time).as_bytes());
                chunk.extend_from_slice(b" ");
            }
            chunk.extend_from_slice(&piece.bytes);
        }
        for limit in [&mut self.left, &mut self.until_break].into_iter().flatten() {
            chunk.truncate(usize::try_from(*limit).unwrap_or(usize::MAX));
            *limit -= chunk.len() as u64;
        }
        self.state.log_bytes.fetch_add(chunk.len() as u64, Ordering::SeqCst);
        chunk.freeze()
    }
}
