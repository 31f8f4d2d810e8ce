//! The open WebSocket that handlers use.

use std::{
    convert::Infallible,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use podgate_access::Denied;
use podgate_cluster::BoundedWebSocket;
use prometheus_client::metrics::counter::Counter;
use serde::Serialize;
use tokio::sync::Mutex;
use tokio_tungstenite::tungstenite::{
    self, Message, Utf8Bytes,
    error::CapacityError,
    protocol::{CloseFrame, frame::coding::CloseCode},
};
use utoipa::ToSchema;

use super::Limits;
use crate::ApiError;

/// The most bytes that the reason of a close frame may have (RFC 6455, section 5.5).
const MAX_REASON: usize = 123;
/// How long closing may take: sending the last frames to a client that may not read, and waiting
/// for its close frame.
const CLOSE_LIMIT: Duration = Duration::from_secs(3);

type Stream = BoundedWebSocket<TokioIo<Upgraded>>;

/// An open WebSocket. Its halves can be borrowed separately, to read and write at the same time.
#[derive(Debug)]
pub(crate) struct Socket {
    /// The half that sends to the client.
    pub sender: Sender,
    /// The half that receives from the client. A handler must always read from it or pause it,
    /// because it also notices the client's close and its answers to pings.
    pub receiver: Receiver,
    request_id: String,
}

/// The half that writes.
#[derive(Debug)]
pub(crate) struct Sender {
    /// Shared with the sender of pings. It is an async mutex because a write may wait for the
    /// client.
    sink: Arc<Mutex<SplitSink<Stream, Message>>>,
    sent: Counter,
    request_id: String,
}

/// The half that reads.
///
/// It leaves `ping` frames to the handlers. To answer them here, it would need a queue of replies
/// and would parse every frame twice, and each handler would still need a `Ping` variant for the
/// OpenAPI document. That is more code than an arm in three handlers.
#[derive(Debug)]
pub(crate) struct Receiver {
    stream: SplitStream<Stream>,
    last_seen: Arc<LastSeen>,
    max_frame: usize,
}

/// The time at which the client last sent anything, including pongs.
#[derive(Debug)]
struct LastSeen {
    start: Instant,
    millis: AtomicU64,
    /// Whether the handler has paused reading. Then the silence is not the client's fault.
    paused: AtomicBool,
}

/// A guard that marks reading as paused until it is dropped.
struct Paused<'a>(&'a LastSeen);

/// A frame that the client sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// A text frame.
    Text(Utf8Bytes),
    /// A binary frame.
    Binary(Bytes),
}

/// The reason why a handler stops early.
#[derive(Clone, Debug)]
pub(crate) enum Closed {
    /// Something failed. The client gets an `error` frame and a close with 4000 + status.
    Failed(ApiError),
    /// The client has closed the socket or is gone.
    Gone,
}

impl From<ApiError> for Closed {
    fn from(error: ApiError) -> Self {
        Self::Failed(error)
    }
}

impl From<Denied> for Closed {
    fn from(denied: Denied) -> Self {
        Self::Failed(denied.into())
    }
}

impl From<podgate_cluster::Error> for Closed {
    fn from(error: podgate_cluster::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// The frames that the server may send on every WebSocket, in addition to those of its route.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum SocketFrame<'a> {
    /// The answer to a `ping`.
    Pong,
    /// Something failed. After a malformed frame of the client the socket stays open; after any
    /// other error it closes with 4000 + HTTP status.
    Error {
        /// The code, as in an HTTP answer.
        code: u32,
        /// The error as a sentence.
        message: &'a str,
    },
}

impl Socket {
    pub(super) fn new(stream: Stream, limits: &Limits, request_id: &str, sent: Counter) -> Self {
        let (sink, stream) = stream.split();
        Self {
            sender: Sender {
                sink: Arc::new(Mutex::new(sink)),
                sent,
                request_id: request_id.to_owned(),
            },
            receiver: Receiver {
                stream,
                last_seen: Arc::new(LastSeen {
                    start: Instant::now(),
                    millis: AtomicU64::new(0),
                    paused: AtomicBool::new(false),
                }),
                max_frame: limits.max_frame,
            },
            request_id: request_id.to_owned(),
        }
    }

    /// Pings the client until it has been silent for too long. It runs concurrently with the
    /// handler.
    pub(super) fn keep_alive(&self, limits: &Limits) -> impl Future<Output = ()> + Send + use<> {
        let sink = Arc::clone(&self.sender.sink);
        let last_seen = Arc::clone(&self.receiver.last_seen);
        let Limits {
            ping_every, gone_after, ..
        } = *limits;
        async move {
            while last_seen.silence() < gone_after {
                tokio::time::sleep(ping_every).await;
                // While a client does not read, a write holds the sink. Then no ping is sent, and
                // the client's silence counts.
                if let Ok(mut sink) = sink.try_lock() {
                    let ping = sink.send(Message::Ping(Bytes::new()));
                    if matches!(tokio::time::timeout(ping_every, ping).await, Ok(Err(_))) {
                        return;
                    }
                }
            }
        }
    }

    /// Closes the socket: sends an `error` frame if something failed, then the close frame, and
    /// waits a moment for the client to answer it.
    pub(super) async fn close(mut self, end: Result<(), Closed>) {
        let (code, reason, linger) = match &end {
            Ok(()) => (CloseCode::Normal, String::new(), false),
            Err(Closed::Gone) => {
                // If the client has sent its close frame, this sends the answer to it.
                let _ = tokio::time::timeout(CLOSE_LIMIT, self.receiver.drain()).await;
                return;
            }
            Err(Closed::Failed(error)) => {
                let code = CloseCode::from(4000 + error.status().as_u16());
                let reason = error.message_for(&self.request_id);
                (code, reason, matches!(error, ApiError::TooLarge(_)))
            }
        };
        let work = async {
            if let Err(Closed::Failed(error)) = &end {
                let _ = self.sender.error(error).await;
            }
            self.finish(code, &reason, linger).await;
        };
        let _ = tokio::time::timeout(CLOSE_LIMIT, work).await;
    }

    /// Closes the socket because the server shuts down.
    pub(super) async fn going_away(mut self) {
        let work = self.finish(CloseCode::Away, "the server is shutting down", false);
        let _ = tokio::time::timeout(CLOSE_LIMIT, work).await;
    }

    async fn finish(&mut self, code: CloseCode, reason: &str, linger: bool) {
        let close = Message::Close(Some(CloseFrame {
            code,
            reason: cut(reason, MAX_REASON).into(),
        }));
        if self.sender.sink.lock().await.send(close).await.is_err() {
            return;
        }
        if linger {
            // Frames that the client is still sending can't be read. Closing at once would reset
            // the connection, and the client might never see the reason.
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        self.receiver.drain().await;
    }
}

/// Returns the longest prefix of at most `max` bytes that ends between two characters.
fn cut(text: &str, max: usize) -> &str {
    let end = (0..=max.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    end.and_then(|end| text.get(..end)).unwrap_or_default()
}

impl Sender {
    /// Sends a frame as JSON text. Waits while the client does not read.
    ///
    /// # Errors
    /// [`Closed::Gone`]; [`Closed::Failed`] if the frame can't be serialised.
    pub(crate) async fn json<T: Serialize + Sync>(&mut self, frame: &T) -> Result<(), Closed> {
        let text = json(frame)?;
        self.text(text).await
    }

    /// Sends a text frame. Waits while the client does not read.
    ///
    /// # Errors
    /// [`Closed::Gone`].
    pub(crate) async fn text(&mut self, text: String) -> Result<(), Closed> {
        self.sent.inc_by(text.len() as u64);
        let sent = self.sink.lock().await.send(Message::text(text)).await;
        sent.map_err(unsent)
    }

    /// Sends several frames as JSON text and flushes once. While it waits for a client that does
    /// not read, it holds one frame in addition to the socket's buffer.
    ///
    /// # Errors
    /// As [`Sender::json`].
    pub(crate) async fn json_all<T: Serialize + Send + Sync>(
        &mut self,
        frames: impl IntoIterator<Item = T> + Send,
    ) -> Result<(), Closed> {
        let mut sink = self.sink.lock().await;
        for frame in frames {
            let text = json(&frame)?;
            self.sent.inc_by(text.len() as u64);
            sink.feed(Message::text(text)).await.map_err(unsent)?;
        }
        sink.flush().await.map_err(unsent)
    }

    /// Sends an `error` frame after a malformed frame of the client, and leaves the connection
    /// open.
    ///
    /// # Errors
    /// As [`Sender::json`].
    pub(crate) async fn error(&mut self, error: &ApiError) -> Result<(), Closed> {
        let (code, message) = self.explain(error);
        self.json(&SocketFrame::Error {
            code,
            message: &message,
        })
        .await
    }

    /// Returns the code and the message of an error for the client, and logs a fault of Podgate.
    pub(crate) fn explain(&self, error: &ApiError) -> (u32, String) {
        if let ApiError::Internal(cause) = error {
            tracing::error!(
                request_id = self.request_id,
                cause,
                "a WebSocket failed because of a fault in Podgate"
            );
        }
        (error.code(), error.message_for(&self.request_id))
    }
}

/// Converts the error of a failed send.
fn unsent(error: tungstenite::Error) -> Closed {
    match error {
        tungstenite::Error::WriteBufferFull(_) => {
            Closed::Failed(ApiError::Internal("a frame is too large to be sent".into()))
        }
        _ => Closed::Gone,
    }
}

fn json<T: Serialize>(frame: &T) -> Result<String, Closed> {
    serde_json::to_string(frame)
        .map_err(|error| Closed::Failed(ApiError::Internal(format!("a frame can't be written as JSON: {error}"))))
}

impl Receiver {
    /// Returns the client's next text or binary frame; `None` if it has closed the socket or is
    /// gone. Cancel-safe.
    ///
    /// # Errors
    /// [`Closed::Failed`] for a frame that is too large or not UTF-8. Nothing more can be read
    /// after it.
    pub(crate) async fn next(&mut self) -> Result<Option<Incoming>, Closed> {
        while let Some(message) = self.stream.next().await {
            self.last_seen.now();
            match message {
                Ok(Message::Text(text)) => return Ok(Some(Incoming::Text(text))),
                Ok(Message::Binary(bytes)) => return Ok(Some(Incoming::Binary(bytes))),
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                Ok(Message::Close(_)) => return Ok(None),
                Err(error) => return self.failed(&error),
            }
        }
        Ok(None)
    }

    /// Pauses reading while the future is awaited, for a handler that has no room for more. The
    /// client does not count as silent during that time.
    pub(crate) async fn pause(&self) -> Infallible {
        self.last_seen.paused.store(true, Ordering::Relaxed);
        let _paused = Paused(&self.last_seen);
        pending().await
    }

    /// Reads and discards until the connection ends.
    async fn drain(&mut self) {
        while let Some(Ok(_)) = self.stream.next().await {}
    }

    fn failed(&self, error: &tungstenite::Error) -> Result<Option<Incoming>, Closed> {
        match error {
            tungstenite::Error::Capacity(CapacityError::MessageTooLong { .. }) => Err(Closed::Failed(
                ApiError::TooLarge(format!("a frame is larger than {} bytes", self.max_frame)),
            )),
            tungstenite::Error::Utf8(_) => Err(Closed::Failed(ApiError::Body("a text frame is not UTF-8".into()))),
            _ => Ok(None),
        }
    }
}

impl LastSeen {
    fn now(&self) {
        let millis = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.millis.store(millis, Ordering::Relaxed);
    }

    fn silence(&self) -> Duration {
        if self.paused.load(Ordering::Relaxed) {
            return Duration::ZERO;
        }
        let last_seen = Duration::from_millis(self.millis.load(Ordering::Relaxed));
        self.start.elapsed().saturating_sub(last_seen)
    }
}

impl Drop for Paused<'_> {
    fn drop(&mut self) {
        self.0.now();
        self.0.paused.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_close_reason_is_cut_at_a_characters_end() {
        assert_eq!(cut("abc", 123), "abc");
        assert_eq!(cut("aéé", 4), "aé");
        assert_eq!(cut("", 4), "");
        assert_eq!(cut(&"é".repeat(100), MAX_REASON).len(), 122);
    }
}
