//! The reader of one response of the API server, which reads for as long as the machine asks to.

use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http_body_util::BodyExt;
use kube::client::Body;
use podgate_index::Change;
use tokio::time::{Instant, timeout};

use super::{
    batch::{Batch, refusal},
    codec::{Codec, DecodeError, Event},
    machine::{Health, Input, Machine, Next, Step, Wait},
    metrics::EventKind,
    writer::{Listing, Writer},
};
use crate::{Error, client::Client, error::Failure};

/// The bytes without a pod or an event after which a response is given up once its time-out has
/// passed, even if more bytes are waiting.
const MAX_BYTES_WITHOUT_PROGRESS: usize = 64 << 10;
/// How many times [`WatchTimeouts::progress`](crate::WatchTimeouts::progress) an unfinished
/// streaming list may take, even if events arrive. A server that ignores the parameters would send
/// the changes of a busy cluster for ever.
const STREAM_LIMIT: u32 = 12;

/// The outcome of one read of the body.
enum Received {
    Bytes(Bytes),
    End,
    Broken(kube::Error),
    Silence,
}

/// The reader of one response.
pub(super) struct Reader<'a> {
    pub(super) writer: &'a Writer,
    pub(super) client: &'a Client,
    pub(super) what: &'a str,
    pub(super) machine: &'a mut Machine,
    pub(super) listing: &'a mut Option<Listing>,
    /// The encoding of the response.
    pub(super) codec: Codec,
    pub(super) body: Body,
    /// Whether the response could not be decoded with `codec`.
    pub(super) undecodable: bool,
    /// When the last pod or event arrived, or the watch settled. Bytes alone do not count.
    pub(super) last_progress: Instant,
    /// The bytes received since then.
    pub(super) bytes_since: usize,
}

impl Reader<'_> {
    /// Reads a list, or one page of it.
    pub(super) async fn list(&mut self) -> Next {
        let mut decoder = self.codec.list();
        let mut batch = Batch::default();
        let mut pods = Vec::new();
        let mut count = 0;
        let decoded = loop {
            let decoded = match self.next().await {
                Received::Bytes(bytes) => decoder.push(&bytes, &mut pods).err(),
                Received::End => break decoder.finish(),
                Received::Broken(error) => return self.broken(self.client.broken(&error, self.what)),
                Received::Silence if self.list_left().is_zero() => return self.endless(),
                Received::Silence => return self.silent(),
            };
            if !pods.is_empty() {
                self.record_progress();
            }
            for pod in pods.drain(..) {
                count += 1;
                self.writer
                    .change(pod)
                    .into_iter()
                    .for_each(|change| batch.push(change));
                if batch.is_full()
                    && let Err(error) = self.writer.apply(&mut batch, self.listing)
                {
                    return self.excess(error);
                }
            }
            if let Some(decode_error) = decoded {
                break Err(decode_error);
            }
        };
        if let Err(error) = self.writer.apply(&mut batch, self.listing) {
            return self.excess(error);
        }
        match decoded {
            Ok(meta) => {
                let page = Input::Page {
                    version: &meta.version,
                    token: &meta.token,
                    pods: count,
                };
                let step = self.machine.step(page);
                self.act(step, None)
            }
            Err(decode_error) => self.unreadable(&decode_error),
        }
    }

    /// Reads a watch, whether or not it begins with a list.
    pub(super) async fn watch(&mut self) -> Next {
        let mut decoder = self.codec.watch();
        let mut batch = Batch::default();
        let mut events = Vec::new();
        let limit = Instant::now() + self.writer.timeouts().progress * STREAM_LIMIT;
        loop {
            let mut received = self.next().await;
            // Collect all events that have already arrived, to apply them together.
            loop {
                let decode_error = match received {
                    Received::Bytes(bytes) => decoder.push(&bytes, &mut events).err(),
                    Received::Silence if self.machine.wait() == Wait::Settle => {
                        self.record_progress();
                        let step = self.machine.settle();
                        self.writer.act(step, None, self.listing);
                        None
                    }
                    over => {
                        if let Err(error) = self.writer.apply(&mut batch, self.listing) {
                            return self.excess(error);
                        }
                        return self.over(over);
                    }
                };
                for event in events.drain(..) {
                    if let Some(next) = self.event(event, &mut batch) {
                        return next;
                    }
                }
                if let Some(decode_error) = decode_error {
                    return match self.writer.apply(&mut batch, self.listing) {
                        Ok(()) => self.unreadable(&decode_error),
                        Err(error) => self.excess(error),
                    };
                }
                if batch.is_full() || self.bytes_since > MAX_BYTES_WITHOUT_PROGRESS {
                    break;
                }
                match self.body.frame().now_or_never() {
                    Some(ready) => received = self.take(ready),
                    None => break,
                }
            }
            // Readers do not see a list in progress, so it is applied in full batches only.
            if (self.machine.wait() != Wait::Progress || batch.is_full())
                && let Err(error) = self.writer.apply(&mut batch, self.listing)
            {
                return self.excess(error);
            }
            if self.machine.wait() == Wait::Progress && Instant::now() > limit {
                return self.silent();
            }
        }
    }

    /// Handles one event. Returns what to do next, or `None` to read on.
    fn event(&mut self, event: Event, batch: &mut Batch) -> Option<Next> {
        let (kind, input, error) = match &event {
            Event::Applied { version, .. } => (EventKind::Applied, Input::Changed { version }, None),
            Event::Deleted { version, .. } => (EventKind::Deleted, Input::Changed { version }, None),
            Event::Bookmark { version, end } => (EventKind::Bookmark, Input::Bookmark { version, end: *end }, None),
            Event::Error(status) => {
                let error = Error::from_parsed_status(status.code(), status, self.what, &[]);
                (EventKind::Error, refusal(status.code(), Some(status)), Some(error))
            }
        };
        self.record_progress();
        self.writer.cluster.counters.record_event(kind);
        let step = self.machine.step(input);
        let reads_on = step.next == Next::Read;
        if reads_on {
            let change = match event {
                Event::Applied { object, .. } => self.writer.change(object),
                Event::Deleted { namespace, name, .. } => Some(Change::Remove { namespace, name }),
                Event::Bookmark { .. } | Event::Error(_) => None,
            };
            change.into_iter().for_each(|change| batch.push(change));
        }
        if reads_on && !step.finish && step.health == Health::Confirmed {
            batch.confirms = true;
            if !batch.is_full() {
                return None;
            }
        }
        if step == STEADY && !batch.is_full() {
            return None;
        }
        if let Err(error) = self.writer.apply(batch, self.listing) {
            return Some(self.excess(error));
        }
        let next = self.act(step, error);
        (next != Next::Read).then_some(next)
    }

    /// Carries out a decision. After a complete list has replaced the earlier rows, the bounds are
    /// checked once more.
    fn act(&mut self, step: Step, error: Option<Error>) -> Next {
        let next = self.writer.act(step, error, self.listing);
        if step.finish
            && let Err(error) = self.writer.check(None)
        {
            return self.excess(error);
        }
        next
    }

    async fn next(&mut self) -> Received {
        let timeouts = self.writer.timeouts();
        let left = |most: Duration| most.saturating_sub(self.last_progress.elapsed());
        let wait = match self.machine.wait() {
            Wait::Progress => left(timeouts.progress).min(self.list_left()),
            Wait::Settle => left(timeouts.settle),
            Wait::Silence => left(timeouts.silence),
        };
        if wait.is_zero() && (self.bytes_since > MAX_BYTES_WITHOUT_PROGRESS || self.list_left().is_zero()) {
            return Received::Silence;
        }
        match timeout(wait, self.body.frame()).await {
            Ok(frame) => self.take(frame),
            Err(_) => Received::Silence,
        }
    }

    fn take(&mut self, frame: Frame) -> Received {
        let received = from_frame(frame);
        if let Received::Bytes(bytes) = &received {
            self.bytes_since = self.bytes_since.saturating_add(bytes.len());
        }
        received
    }

    /// Records that a pod or an event arrived.
    fn record_progress(&mut self) {
        self.last_progress = Instant::now();
        self.bytes_since = 0;
    }

    /// Returns how long the list may still take.
    fn list_left(&self) -> Duration {
        let most = self.writer.timeouts().list;
        let begun = self.listing.as_ref().map(|listing| listing.begun);
        begun.map_or(most, |begun| most.saturating_sub(begun.elapsed()))
    }

    fn over(&mut self, received: Received) -> Next {
        match received {
            Received::Broken(error) => self.broken(self.client.broken(&error, self.what)),
            Received::Silence => self.silent(),
            Received::End | Received::Bytes(_) => {
                let step = self.machine.step(Input::Ended);
                self.act(step, Some(Error::upstream(self.what, Failure::Ended)))
            }
        }
    }

    fn broken(&mut self, error: Error) -> Next {
        let step = self.machine.step(Input::Broken);
        self.act(step, Some(error))
    }

    /// Gives up a list because the cluster exceeds its bounds.
    ///
    /// The rows that the list did not bring are removed. Rows of deleted pods would otherwise count
    /// against the bound in every later list, and a cluster that has shrunk would stay beyond it.
    fn excess(&mut self, error: Error) -> Next {
        if let Some(listing) = self.listing.take() {
            self.writer.sweep(listing, "pods listed up to the bound");
        }
        let step = self.machine.step(Input::Excess);
        self.writer.act(step, Some(error), self.listing)
    }

    fn endless(&mut self) -> Next {
        let most = self.writer.timeouts().list;
        let step = self.machine.step(Input::Excess);
        let error = Error::timeout(format!("{} has not ended within {most:?}", self.what));
        self.writer.act(step, Some(error), self.listing)
    }

    fn silent(&mut self) -> Next {
        let step = self.machine.step(Input::Silent);
        let error = Error::timeout(format!("{} makes no progress", self.what));
        self.act(step, Some(error))
    }

    fn unreadable(&mut self, decode_error: &DecodeError) -> Next {
        self.undecodable = true;
        let why = decode_error.to_string().into();
        self.broken(Error::upstream(self.what, Failure::NotKubernetes { why }))
    }
}

/// The step that changes nothing and continues to read.
const STEADY: Step = Step {
    finish: false,
    health: Health::Unchanged,
    next: Next::Read,
};

type Frame = Option<kube::Result<http_body::Frame<Bytes>>>;

fn from_frame(frame: Frame) -> Received {
    match frame {
        Some(Ok(frame)) => Received::Bytes(frame.into_data().unwrap_or_default()),
        Some(Err(error)) => Received::Broken(error),
        None => Received::End,
    }
}
