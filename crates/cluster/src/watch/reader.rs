//! Reads one answer of the API server, as long as the machine wants to.

use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http_body_util::BodyExt;
use kube::client::Body;
use podgate_index::{Change, Relist};
use tokio::time::{Instant, timeout};

use super::{
    codec::{Codec, Event, Garbage},
    counts::Told,
    driver::{Batch, Driver, refusal},
    machine::{Health, Input, Machine, Next, Step, Wait},
};
use crate::{Error, client::Client};

/// Changes applied at once at most.
const BATCH: usize = 512;
/// A streaming list that has not ended after so many times `Patience::progress` is given up, though events come: a server that ignores what is
/// asked tells the changes of a busy cluster for ever.
const STREAM_LIMIT: u32 = 12;

/// What came of a body.
enum Got {
    Bytes(Bytes),
    End,
    Broken(kube::Error),
    Nothing,
}

/// Reads one answer.
pub(super) struct Reader<'a> {
    pub(super) driver: &'a Driver,
    pub(super) client: &'a Client,
    pub(super) what: &'a str,
    pub(super) machine: &'a mut Machine,
    pub(super) relist: &'a mut Option<Relist>,
    /// How the answer is encoded.
    pub(super) codec: Codec,
    pub(super) body: Body,
    /// The answer was not encoded so.
    pub(super) garbage: bool,
    /// When the last event came, or the watch was found to be whole: bytes alone are no sign of life.
    pub(super) heard: Instant,
}

impl Reader<'_> {
    /// A list, or a page of one.
    pub(super) async fn list(&mut self) -> Next {
        let mut decoder = self.codec.list();
        let mut batch = Batch::default();
        let mut pods = Vec::new();
        let decoded = loop {
            match self.next().await {
                Got::Bytes(bytes) => {
                    if let Err(garbage) = decoder.push(&bytes, &mut pods) {
                        break Err(garbage);
                    }
                }
                Got::End => break decoder.finish(),
                Got::Broken(error) => return self.broken(self.client.broken(&error, self.what)),
                Got::Nothing => return self.silent(),
            }
            batch
                .changes
                .extend(pods.drain(..).filter_map(|pod| self.driver.row(pod)));
            if batch.changes.len() >= BATCH {
                self.driver.apply(&mut batch);
            }
        };
        batch
            .changes
            .extend(pods.drain(..).filter_map(|pod| self.driver.row(pod)));
        self.driver.apply(&mut batch);
        match decoded {
            Ok(meta) => {
                let page = Input::Page {
                    version: &meta.version,
                    token: &meta.token,
                };
                let step = self.machine.step(page);
                self.driver.act(step, None, self.relist)
            }
            Err(garbage) => self.unreadable(&garbage),
        }
    }

    /// A watch, whether or not it begins with a list.
    pub(super) async fn watch(&mut self) -> Next {
        let mut decoder = self.codec.watch();
        let mut batch = Batch::default();
        let mut events = Vec::new();
        let limit = Instant::now() + self.driver.patience().progress * STREAM_LIMIT;
        loop {
            let mut got = self.next().await;
            // What is there already is applied together.
            loop {
                let garbage = match got {
                    Got::Bytes(bytes) => decoder.push(&bytes, &mut events).err(),
                    Got::Nothing if self.machine.wait() == Wait::Settle => {
                        self.heard = Instant::now();
                        let step = self.machine.settle();
                        self.driver.act(step, None, self.relist);
                        None
                    }
                    over => {
                        self.driver.apply(&mut batch);
                        return self.over(over);
                    }
                };
                for event in events.drain(..) {
                    if let Some(next) = self.event(event, &mut batch) {
                        return next;
                    }
                }
                if let Some(garbage) = garbage {
                    self.driver.apply(&mut batch);
                    return self.unreadable(&garbage);
                }
                if batch.changes.len() >= BATCH {
                    break;
                }
                match self.body.frame().now_or_never() {
                    Some(ready) => got = of_frame(ready),
                    None => break,
                }
            }
            // Nobody reads a list under way: it is applied in full batches.
            if self.machine.wait() != Wait::Progress || batch.changes.len() >= BATCH {
                self.driver.apply(&mut batch);
            }
            if self.machine.wait() == Wait::Progress && Instant::now() > limit {
                return self.silent();
            }
        }
    }

    /// One event; what to do next, if not to read on.
    fn event(&mut self, event: Event, batch: &mut Batch) -> Option<Next> {
        let (told, input, error) = match &event {
            Event::Applied { version, .. } => (Told::Applied, Input::Changed { version }, None),
            Event::Deleted { version, .. } => (Told::Deleted, Input::Changed { version }, None),
            Event::Bookmark { version, end } => (Told::Bookmark, Input::Bookmark { version, end: *end }, None),
            Event::Error(status) => {
                let error = Error::of(status.code, status, self.what, &[]);
                (Told::Error, refusal(status.code, Some(status)), Some(error))
            }
        };
        self.heard = Instant::now();
        self.driver.cluster.counters.told(told);
        let step = self.machine.step(input);
        let reads_on = step.next == Next::Read;
        if reads_on {
            batch.changes.extend(match event {
                Event::Applied { object, .. } => self.driver.row(object),
                Event::Deleted { namespace, name, .. } => Some(Change::Remove { namespace, name }),
                Event::Bookmark { .. } | Event::Error(_) => None,
            });
        }
        if reads_on && !step.finish && step.health == Health::Evidence {
            batch.evidence = true;
            return None;
        }
        if step == STEADY {
            return None;
        }
        self.driver.apply(batch);
        let next = self.driver.act(step, error, self.relist);
        (next != Next::Read).then_some(next)
    }

    async fn next(&mut self) -> Got {
        let patience = self.driver.patience();
        let left = |most: Duration| most.saturating_sub(self.heard.elapsed());
        let wait = match self.machine.wait() {
            Wait::Progress => patience.progress,
            Wait::Settle => left(patience.settle),
            Wait::Silence => left(patience.silence),
        };
        timeout(wait, self.body.frame()).await.map_or(Got::Nothing, of_frame)
    }

    fn over(&mut self, got: Got) -> Next {
        match got {
            Got::Broken(error) => self.broken(self.client.broken(&error, self.what)),
            Got::Nothing => self.silent(),
            Got::End | Got::Bytes(_) => {
                let step = self.machine.step(Input::Ended);
                let error = Error::upstream(format!("{} was ended by the API server", self.what));
                self.driver.act(step, Some(error), self.relist)
            }
        }
    }

    fn broken(&mut self, error: Error) -> Next {
        let step = self.machine.step(Input::Broken);
        self.driver.act(step, Some(error), self.relist)
    }

    fn silent(&mut self) -> Next {
        let step = self.machine.step(Input::Silent);
        let error = Error::timeout(format!("{} makes no progress", self.what));
        self.driver.act(step, Some(error), self.relist)
    }

    fn unreadable(&mut self, garbage: &Garbage) -> Next {
        self.garbage = true;
        let what = self.what;
        self.broken(Error::upstream(format!(
            "{what} was not answered as Kubernetes answers: {garbage}"
        )))
    }
}

/// A step that only says to read on.
const STEADY: Step = Step {
    finish: false,
    health: Health::Same,
    next: Next::Read,
};

type Frame = Option<kube::Result<http_body::Frame<Bytes>>>;

fn of_frame(frame: Frame) -> Got {
    match frame {
        Some(Ok(frame)) => Got::Bytes(frame.into_data().unwrap_or_default()),
        Some(Err(error)) => Got::Broken(error),
        None => Got::End,
    }
}
