//! Reads one answer of the log call: from the request to its end, whatever that means.

use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Response, header::DATE};
use http_body_util::BodyExt;
use jiff::{Timestamp, fmt::rfc2822};
use kube::client::Body;
use tokio::time::{Instant, timeout};

use super::{
    Frame, Line, Part,
    answer::Answer,
    lines::{LongLine, PORTION, Splitter, Stamped},
    look::Watch,
    queue::Queue,
    resume::{Mended, Sent},
};
use crate::{Error, client, error::Result, text::excerpt};

/// Lines are passed on in frames of at most so many bytes of memory; one that is longer is alone.
const FRAME: usize = 16 << 10;
/// A log that is quiet so long after its answer began was empty.
const EMPTY: Duration = Duration::from_secs(2);

/// How a log is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct How {
    pub(super) follow: bool,
    pub(super) previous: bool,
    /// When the place is not found again: tell a gap and go on, instead of [`End::Lost`].
    pub(super) accept_gap: bool,
}

/// How an answer ended.
#[derive(Debug)]
pub(super) enum End {
    /// With success, which means nothing by itself.
    Clean {
        /// A line without line feed at the end, or pieces of one: perhaps cut off, perhaps the container's last.
        rest: Vec<Stamped>,
        /// New lines were passed on.
        progress: bool,
        /// Whether the place where it was left was found again.
        found: Found,
    },
    /// The connection broke.
    Broken { error: Error, progress: bool },
    /// The place where it was left is not there any more.
    Lost,
    /// The call was refused.
    Refused(Error),
}

/// Whether the place where a log was left was found again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Or nothing had been passed on.
    Yes,
    /// Lines came, but not the last ones that were passed on.
    No,
    /// No line came at all.
    Nothing,
}

/// Reads the log of one run of one container, in as many answers as it takes.
#[derive(Debug)]
pub(super) struct Source {
    watch: Watch,
    pub(super) container: String,
    pub(super) queue: Queue,
    /// What is asked for as long as nothing was passed on.
    part: Part,
    part_made: Instant,
    timestamps: bool,
    /// The API server's time when an answer began that then was empty.
    empty_at: Option<Timestamp>,
    sent: Sent,
    /// The lines of the next frame, and the memory that they take.
    frame: Vec<Line>,
    frame_bytes: usize,
}

impl Source {
    pub(super) fn new(watch: Watch, container: &str, part: Part, timestamps: bool, queue: Queue) -> Self {
        Self {
            watch,
            container: container.to_owned(),
            queue,
            sent: Sent::new(part.is_whole()),
            part,
            part_made: Instant::now(),
            timestamps,
            empty_at: None,
            frame: Vec::new(),
            frame_bytes: 0,
        }
    }

    /// Whether any line was passed on.
    pub(super) fn has_begun(&self) -> bool {
        self.sent.newest().is_some()
    }

    /// What follows is another run's, and wanted whole.
    pub(super) fn begin_run(&mut self) {
        self.part = Part::default();
        self.empty_at = None;
        self.sent = Sent::new(true);
    }

    /// Tells that lines are missing, or may be, after the last one.
    pub(super) async fn tell_gap(&mut self, reason: &str, after: &str) {
        let frame = Frame::Gap {
            container: self.container.clone(),
            reason: reason.to_owned(),
            before: self.sent.last_time().to_owned(),
            after: after.to_owned(),
        };
        self.queue.send(frame).await;
    }

    /// Passes lines on, and remembers that.
    pub(super) async fn pass(&mut self, lines: Vec<Stamped>) {
        for stamped in lines {
            self.add(stamped).await;
        }
        self.flush().await;
    }

    /// Adds a line, or a piece of one, to the next frame, and remembers that.
    async fn add(&mut self, stamped: Stamped) {
        self.sent.record(&stamped);
        let (bytes, partial) = (stamped.line.bytes(), stamped.line.partial);
        if partial || self.frame_bytes + bytes > FRAME {
            self.flush().await;
        }
        self.frame_bytes += bytes;
        self.frame.push(stamped.line);
        if partial {
            self.flush().await;
        }
    }

    async fn flush(&mut self) {
        self.frame_bytes = 0;
        let lines = std::mem::take(&mut self.frame);
        if !lines.is_empty() {
            let container = self.container.clone();
            self.queue.send(Frame::Lines { container, lines }).await;
        }
    }

    /// Reads one answer to its end.
    pub(super) async fn read(&mut self, how: How) -> End {
        let response = match self.open(how).boxed().await {
            Ok(response) => response,
            Err(error) => return End::Refused(error),
        };
        let began = (Instant::now(), date(&response));
        let end = self.read_body(response.into_body(), how, began.1).await;
        // Nothing came for a while: the log was empty, and what is written from now on is wanted, however little of it was asked for.
        if self.sent.newest().is_none() && began.0.elapsed() >= EMPTY {
            self.empty_at.get_or_insert(began.1);
        }
        end
    }

    async fn read_body(&mut self, body: Body, how: How, began: Timestamp) -> End {
        let mut answer = Answer {
            body,
            splitter: Splitter::new(self.queue.long.clone(), self.timestamps),
            search: self.sent.search(),
            mend: self.sent.mend(),
            progress: false,
            silence: self.watch.cluster().inner.policy.stream_silence,
            quiet_since: Instant::now(),
            suspect: false,
        };
        loop {
            match timeout(answer.patience(), answer.body.frame()).await {
                Ok(Some(Ok(frame))) => {
                    (answer.quiet_since, answer.suspect) = (Instant::now(), false);
                    let data = frame.into_data().unwrap_or_default();
                    if !self.take(&mut answer, how, &data).await {
                        return End::Lost;
                    }
                }
                Ok(Some(Err(error))) => {
                    return End::Broken {
                        error: self.broken(&error.to_string()),
                        progress: answer.progress,
                    };
                }
                Ok(None) => return self.finish(answer, how).await,
                Err(_) => {
                    let held = answer.settle();
                    self.go_on(&mut answer, held).await;
                    if let Err(error) = self.check_silence(&mut answer, how, began).await {
                        let progress = answer.progress;
                        return End::Broken { error, progress };
                    }
                }
            }
        }
    }

    /// Takes what came. False when the place where the log was left is not there, unless that is accepted.
    async fn take(&mut self, answer: &mut Answer, how: How, data: &[u8]) -> bool {
        for portion in data.chunks(PORTION) {
            // A copy: what waits must not hold the connection's whole buffer.
            let mut portion = Bytes::copy_from_slice(portion);
            while let Some(piece) = answer.splitter.next(&mut portion) {
                if answer.search.is_none() && answer.mend.is_none() {
                    answer.progress = true;
                    self.add(piece).await;
                    continue;
                }
                let (new, lost) = answer.place(piece);
                if lost && !how.accept_gap {
                    return false;
                }
                if lost {
                    answer.mend = None;
                    self.go_on_after_a_gap(&new).await;
                }
                self.go_on(answer, new).await;
            }
        }
        self.flush().await;
        answer.splitter.release();
        true
    }

    /// Passes on what comes behind the place where the log was left; first the rest of a line of which a beginning was passed on.
    async fn go_on(&mut self, answer: &mut Answer, lines: Vec<Stamped>) {
        for piece in lines {
            let next = match answer.mend.as_mut().map(|mend| mend.take(piece.clone())) {
                None => Some(piece),
                Some(Mended::Old) => continue,
                Some(Mended::New(rest)) => rest,
                Some(Mended::Lost(piece)) => {
                    let reason =
                        "the connection was lost within a long line, and the rest of that line is no longer in the log";
                    let after = piece.line.time.clone();
                    self.tell_gap(reason, &after).await;
                    Some(piece)
                }
            };
            answer.mend = None;
            answer.progress |= next.is_some();
            if let Some(piece) = next {
                self.add(piece).await;
            }
        }
        self.flush().await;
    }

    async fn go_on_after_a_gap(&mut self, new: &[Stamped]) {
        let after = new.first().map_or("", |stamped| stamped.line.time.as_str());
        let reason = "the connection was lost, and where it was is no longer in the log, which was rotated meanwhile or grows too fast";
        self.tell_gap(reason, after).await;
        self.sent = Sent::new(false);
    }

    async fn finish(&mut self, mut answer: Answer, how: How) -> End {
        let found = match &answer.search {
            None => Found::Yes,
            Some(search) if search.is_untouched() => Found::Nothing,
            Some(_) => Found::No,
        };
        // A follow may have been cut off anywhere: what is not clear yet will be when it is asked again.
        let held = if how.follow { Vec::new() } else { answer.settle() };
        let found = if answer.search.is_none() { Found::Yes } else { found };
        self.go_on(&mut answer, held).await;
        let mut rest = Vec::new();
        while let Some(piece) = answer.splitter.finish() {
            rest.push(piece);
        }
        let rest = match &mut answer.mend {
            _ if found != Found::Yes => Vec::new(),
            None => rest,
            Some(mend) => mend.rest(rest),
        };
        End::Clean {
            rest,
            progress: answer.progress,
            found,
        }
    }

    /// An answer is silent: the container may be, or the connection may be dead, or the kubelet may have lost the file.
    async fn check_silence(&self, answer: &mut Answer, how: How, began: Timestamp) -> Result<()> {
        if answer.suspect {
            return Err(self.broken("the log goes on, but not in this answer"));
        }
        if answer.quiet_since.elapsed() < answer.silence {
            return Ok(());
        }
        if !how.follow {
            return Err(Error::timeout(self.broken("the API server sends no more").to_string()));
        }
        answer.quiet_since = Instant::now();
        let newest = self
            .sent
            .newest()
            .unwrap_or(began.saturating_add(jiff::Span::new().seconds(2)).unwrap_or(began));
        answer.suspect = self.newest_upstream().await?.is_some_and(|at| at > newest);
        Ok(())
    }

    /// The time of the last line that the cluster has now.
    async fn newest_upstream(&self) -> Result<Option<Timestamp>> {
        let client = self.watch.cluster().client().await?;
        let request = self.request(&[("timestamps", "true"), ("tailLines", "1")])?;
        let mut body = client.request(request).await?.into_body();
        // A line's beginning is enough.
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

    async fn open(&self, how: How) -> Result<Response<Body>> {
        let cluster = self.watch.cluster();
        let client = cluster.client().await?;
        let query = self.query(how);
        let query: Vec<_> = query.iter().map(|(key, value)| (*key, value.as_str())).collect();
        match client.request_with(self.request(&query)?, &given(&query)).await {
            Ok(response) => Ok(response),
            Err(error) => {
                let (namespace, name) = (self.watch.namespace(), self.watch.name());
                Err(cluster.explain(error, namespace, name, &self.container).await)
            }
        }
    }

    fn request(&self, query: &[(&str, &str)]) -> Result<http::Request<Vec<u8>>> {
        let mut all = vec![("container", self.container.as_str())];
        all.extend_from_slice(query);
        let (namespace, name) = (self.watch.namespace(), self.watch.name());
        let segments = ["api", "v1", "namespaces", namespace, "pods", name, "log"];
        client::get(&client::uri(&segments, &all)?)
    }

    fn query(&self, how: How) -> Vec<(&'static str, String)> {
        let mut query = vec![("timestamps", "true".to_owned())];
        let mut add = |on: bool, key: &'static str, value: String| {
            if on {
                query.push((key, value));
            }
        };
        add(how.follow, "follow", "true".to_owned());
        add(how.previous, "previous", "true".to_owned());
        let empty_at = self.empty_at.filter(|_| !self.part.is_whole());
        // The clocks of API server and node may differ a little.
        let since = self.sent.from().or_else(|| Some(empty_at?.as_second() - 2));
        if let Some(since) = since.and_then(|second| Timestamp::from_second(second).ok()) {
            add(true, "sinceTime", since.to_string());
            return query;
        }
        let Part {
            tail_lines,
            since_seconds,
            since_time,
        } = &self.part;
        add(
            tail_lines.is_some(),
            "tailLines",
            tail_lines.unwrap_or_default().to_string(),
        );
        let since_seconds = since_seconds.map(|seconds| u64::from(seconds) + self.part_made.elapsed().as_secs());
        add(
            since_seconds.is_some(),
            "sinceSeconds",
            since_seconds.unwrap_or_default().to_string(),
        );
        let since_time = since_time.and_then(|time| Timestamp::from_second(time.as_second()).ok());
        add(
            since_time.is_some(),
            "sinceTime",
            since_time.unwrap_or_default().to_string(),
        );
        query
    }

    pub(super) fn broken(&self, why: &str) -> Error {
        Error::upstream(format!(
            "the log of container `{}` of {} broke off: {}",
            self.container,
            self.watch.place(),
            excerpt(why)
        ))
    }
}

/// Those of a call's parameters that the caller may have chosen.
fn given<'a>(query: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let chosen = |(name, _): &&(&str, &str)| matches!(*name, "tailLines" | "sinceSeconds" | "sinceTime");
    query.iter().filter(chosen).copied().collect()
}

/// When the API server answered, by its own clock.
fn date(response: &Response<Body>) -> Timestamp {
    let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| rfc2822::parse(date).ok());
    date.map_or_else(Timestamp::now, |date| date.timestamp())
}
