//! The log reader, which reads one response of the log call at a time, from the request to its end.

mod request;

use std::{
    pin::pin,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Response, header::DATE};
use http_body_util::BodyExt;
use jiff::{Timestamp, fmt::rfc2822};
use kube::client::Body;
use tokio::time::{Instant, timeout};

use super::{
    Frame, Line, Part,
    lines::{LongLine, PORTION, Splitter, Stamped},
    observer::PodObserver,
    queue::Queue,
    response::LogResponse,
    resume::{Continued, Sent},
};
use crate::{
    Error,
    error::{Failure, Result},
    text::excerpt,
};

/// The memory that the lines of one frame may take. A larger line has its own frame.
const FRAME: usize = 16 << 10;
/// How long a response must stay silent after its beginning to show that the log was empty.
const EMPTY: Duration = Duration::from_secs(2);
/// How long a followed response may wait for room in the queue before it is closed. While it waits,
/// the kubelet's reader stands still as well, and two rotations would make it skip lines, which
/// can't be seen in the response. When there is room again, the log is resumed by content, so lines
/// that are gone are a gap. A response that is not followed reads one file, and skips nothing.
const STALL: Duration = Duration::from_secs(5);

/// The options for reading one response.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ReadOptions {
    pub(super) follow: bool,
    pub(super) previous: bool,
    /// Whether to report a gap and continue if the resume point is not found, instead of returning
    /// [`ReadEnd::Lost`].
    pub(super) accept_gap: bool,
}

/// The way in which a response ended.
#[derive(Debug)]
pub(super) enum ReadEnd {
    /// It ended successfully, which says nothing about the container.
    Clean {
        /// The last line, or pieces of it, if it has no line feed. It may be cut off, or it may be
        /// the container's last line.
        rest: Vec<Stamped>,
        /// Whether new lines were sent.
        progress: bool,
        /// Whether the resume point was found.
        resume_point: ResumePoint,
    },
    /// The connection broke.
    Broken { error: Error, progress: bool },
    /// The resume point is no longer in the log.
    Lost,
    /// The call was refused.
    Refused(Error),
}

/// The result of the search for the place where the reader left the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResumePoint {
    /// It was found, or nothing had been sent before.
    Found,
    /// Lines arrived, but not the ones that were sent last.
    NotFound,
    /// No line arrived.
    NoLines,
}

/// A reader of the log of one run of one container, in as many responses as necessary.
#[derive(Debug)]
pub(super) struct LogReader {
    observer: PodObserver,
    pub(super) container: String,
    pub(super) queue: Queue,
    /// The part of the log to ask for as long as nothing was sent.
    part: Part,
    part_made: Instant,
    timestamps: bool,
    /// The API server's time at the beginning of an empty response; `None` if there was none.
    empty_at: Option<Timestamp>,
    sent: Sent,
    /// The lines of the next frame, and their memory.
    frame: Vec<Line>,
    frame_bytes: usize,
    /// The body of the current response; `None` once it was closed. The mutex is never locked; it
    /// only makes the reader `Sync`, which a body is not.
    body: Mutex<Option<Body>>,
    /// Whether the current response is followed.
    followed: bool,
    /// Whether the response before was closed because there was no room for its lines.
    stalled: bool,
}

impl LogReader {
    pub(super) fn new(observer: PodObserver, container: &str, part: Part, timestamps: bool, queue: Queue) -> Self {
        Self {
            observer,
            container: container.to_owned(),
            queue,
            sent: Sent::new(part.is_whole()),
            part,
            part_made: Instant::now(),
            timestamps,
            empty_at: None,
            frame: Vec::new(),
            frame_bytes: 0,
            body: Mutex::default(),
            followed: false,
            stalled: false,
        }
    }

    /// Returns whether any line was sent.
    pub(super) fn has_begun(&self) -> bool {
        self.sent.newest().is_some()
    }

    /// Starts over with another run, whose log is read as a whole.
    pub(super) fn begin_run(&mut self) {
        self.part = Part::default();
        self.empty_at = None;
        self.sent = Sent::new(true);
    }

    /// Reports that lines are, or may be, missing after the last one.
    pub(super) async fn report_gap(&mut self, reason: &str, after: &str) {
        let frame = Frame::Gap {
            container: self.container.clone(),
            reason: reason.to_owned(),
            before: self.sent.last_time().to_owned(),
            after: after.to_owned(),
        };
        self.queue.send(frame).await;
    }

    /// Sends lines and records them.
    pub(super) async fn send_lines(&mut self, lines: Vec<Stamped>) {
        for stamped in lines {
            self.add(stamped).await;
        }
        self.flush().await;
    }

    /// Adds a line or a piece to the next frame and records it.
    async fn add(&mut self, stamped: Stamped) {
        self.sent.record(&stamped);
        let (bytes, partial) = (stamped.line.memory_size(), stamped.line.partial);
        if partial || self.frame_bytes + bytes > FRAME {
            self.flush().await;
        }
        self.frame_bytes += bytes;
        self.frame.push(stamped.line);
        if partial {
            self.flush().await;
        }
    }

    /// Sends the frame. If there is no room for it for a while, closes a followed response.
    async fn flush(&mut self) {
        self.frame_bytes = 0;
        let lines = std::mem::take(&mut self.frame);
        if lines.is_empty() {
            return;
        }
        let container = self.container.clone();
        let mut sending = pin!(self.queue.send(Frame::Lines { container, lines }));
        if !self.followed {
            return sending.await;
        }
        if timeout(STALL, sending.as_mut()).await.is_err() {
            *unlocked(&mut self.body) = None;
            sending.await;
        }
    }

    /// Reads one response to its end.
    pub(super) async fn read(&mut self, options: ReadOptions) -> ReadEnd {
        let response = match self.open(options).boxed().await {
            Ok(response) => response,
            Err(error) => return ReadEnd::Refused(error),
        };
        let began = (Instant::now(), date(&response));
        *unlocked(&mut self.body) = Some(response.into_body());
        self.followed = options.follow;
        let end = self.read_body(options, began.1).await;
        let closed = unlocked(&mut self.body).take().is_none();
        // If the place is not found, the next response tells why it was left.
        if closed || !matches!(end, ReadEnd::Lost) {
            self.stalled = closed;
        }
        self.followed = false;
        // Nothing arrived for a while, so the log was empty. From now on every line is wanted,
        // however small a part of the log was requested.
        if self.sent.newest().is_none() && began.0.elapsed() >= EMPTY {
            self.empty_at.get_or_insert(began.1);
        }
        end
    }

    async fn read_body(&mut self, options: ReadOptions, began: Timestamp) -> ReadEnd {
        let mut response = LogResponse {
            splitter: Splitter::new(self.queue.long.clone(), self.timestamps),
            search: self.sent.search(),
            continuation: self.sent.continuation(),
            progress: false,
            silence: self.observer.cluster().inner.policy.stream_silence,
            quiet_since: Instant::now(),
            suspect: false,
        };
        loop {
            let Some(body) = unlocked(&mut self.body) else {
                return ReadEnd::Broken {
                    error: self.broken("the client does not read, so it was closed"),
                    progress: response.progress,
                };
            };
            match timeout(response.idle_limit(), body.frame()).await {
                Ok(Some(Ok(frame))) => {
                    (response.quiet_since, response.suspect) = (Instant::now(), false);
                    let data = frame.into_data().unwrap_or_default();
                    if !self.take(&mut response, options, &data).await {
                        return ReadEnd::Lost;
                    }
                }
                Ok(Some(Err(error))) => {
                    return ReadEnd::Broken {
                        error: self.broken(&error.to_string()),
                        progress: response.progress,
                    };
                }
                Ok(None) => return self.finish(response, options).await,
                Err(_) => {
                    let held = response.settle();
                    self.forward(&mut response, held).await;
                    if let Err(error) = self.check_silence(&mut response, options, began).await {
                        let progress = response.progress;
                        return ReadEnd::Broken { error, progress };
                    }
                }
            }
        }
    }

    /// Takes bytes of the response. Returns false if the resume point is not in the log and no gap
    /// is accepted.
    async fn take(&mut self, response: &mut LogResponse, options: ReadOptions, data: &[u8]) -> bool {
        for portion in data.chunks(PORTION) {
            // Copy the bytes, because waiting lines must not keep the connection's whole buffer in
            // memory.
            let mut portion = Bytes::copy_from_slice(portion);
            while let Some(piece) = response.splitter.next(&mut portion) {
                if response.search.is_none() && response.continuation.is_none() {
                    response.progress = true;
                    self.add(piece).await;
                    continue;
                }
                let (new, lost) = response.accept(piece);
                if lost && !options.accept_gap {
                    return false;
                }
                if lost {
                    response.continuation = None;
                    self.forward_after_gap(&new).await;
                }
                self.forward(response, new).await;
            }
        }
        self.flush().await;
        response.splitter.release();
        true
    }

    /// Sends the lines after the resume point, beginning with the rest of a partly sent line.
    async fn forward(&mut self, response: &mut LogResponse, lines: Vec<Stamped>) {
        for piece in lines {
            let next = match response
                .continuation
                .as_mut()
                .map(|continuation| continuation.take(piece.clone()))
            {
                None => Some(piece),
                Some(Continued::Old) => continue,
                Some(Continued::New(rest)) => rest,
                Some(Continued::Lost(piece)) => {
                    let reason =
                        "the connection was lost within a long line, and the rest of that line is no longer in the log";
                    let after = piece.line.time.clone();
                    self.report_gap(reason, &after).await;
                    Some(piece)
                }
            };
            response.continuation = None;
            response.progress |= next.is_some();
            if let Some(piece) = next {
                self.add(piece).await;
            }
        }
        self.flush().await;
    }

    async fn forward_after_gap(&mut self, new: &[Stamped]) {
        let after = new.first().map_or("", |stamped| stamped.line.time.as_str());
        let reason = if self.stalled {
            "the client did not read for a while, and the place where it stopped is no longer in the log, which was rotated meanwhile or grows too fast"
        } else {
            "the connection was lost, and the place where it was lost is no longer in the log, which was rotated meanwhile or grows too fast"
        };
        self.report_gap(reason, after).await;
        self.sent = Sent::new(false);
    }

    async fn finish(&mut self, mut response: LogResponse, options: ReadOptions) -> ReadEnd {
        let resume_point = match &response.search {
            None => ResumePoint::Found,
            Some(search) if search.is_untouched() => ResumePoint::NoLines,
            Some(_) => ResumePoint::NotFound,
        };
        // A followed log may have been cut off anywhere. The held lines are decided when the log is
        // requested again.
        let held = if options.follow { Vec::new() } else { response.settle() };
        let resume_point = if response.search.is_none() {
            ResumePoint::Found
        } else {
            resume_point
        };
        self.forward(&mut response, held).await;
        let mut rest = Vec::new();
        while let Some(piece) = response.splitter.finish() {
            rest.push(piece);
        }
        let rest = match &mut response.continuation {
            _ if resume_point != ResumePoint::Found => Vec::new(),
            None => rest,
            Some(continuation) => continuation.rest(rest),
        };
        ReadEnd::Clean {
            rest,
            progress: response.progress,
            resume_point,
        }
    }

    /// Handles a silent response. The container may write nothing, the connection may be dead, or
    /// the kubelet may have lost the file.
    async fn check_silence(&self, response: &mut LogResponse, options: ReadOptions, began: Timestamp) -> Result<()> {
        if response.suspect {
            return Err(self.broken("the container's log has newer lines that did not arrive"));
        }
        if response.quiet_since.elapsed() < response.silence {
            return Ok(());
        }
        if !options.follow {
            return Err(Error::timeout(format!(
                "{} broke off, because the API server sends nothing more",
                self.log()
            )));
        }
        response.quiet_since = Instant::now();
        let newest = self
            .sent
            .newest()
            .unwrap_or(began.saturating_add(jiff::Span::new().seconds(2)).unwrap_or(began));
        response.suspect = self.newest_upstream().await?.is_some_and(|at| at > newest);
        Ok(())
    }

    /// Returns the time of the last line in the cluster's current log.
    async fn newest_upstream(&self) -> Result<Option<Timestamp>> {
        let client = self.observer.cluster().client().await?;
        let request = self.request(&[("timestamps", "true"), ("tailLines", "1")])?;
        let mut body = client.request(request).await?.into_body();
        // The beginning of a line is enough.
        let first = timeout(client.policy.request_timeout, body.frame()).await;
        let data = match first {
            Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
            _ => Bytes::new(),
        };
        let mut begin = data.slice(..data.len().min(PORTION));
        let mut splitter = Splitter::new(LongLine::new(), true);
        let first = splitter.next(&mut begin).or_else(|| splitter.finish());
        Ok(first.and_then(|stamped| stamped.at))
    }

    pub(super) fn broken(&self, why: &str) -> Error {
        let why = excerpt(why).into();
        Error::upstream(self.log(), Failure::BrokeOff { why })
    }

    /// Returns the log's name for messages.
    fn log(&self) -> String {
        format!(
            "the log of container `{}` of {}",
            self.container,
            self.observer.display_name()
        )
    }
}

fn unlocked<T>(mutex: &mut Mutex<T>) -> &mut T {
    mutex.get_mut().unwrap_or_else(PoisonError::into_inner)
}

/// Returns when the API server answered, by the API server's clock.
fn date(response: &Response<Body>) -> Timestamp {
    let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| rfc2822::parse(date).ok());
    date.map_or_else(Timestamp::now, |date| date.timestamp())
}
