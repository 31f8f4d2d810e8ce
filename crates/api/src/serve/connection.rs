//! The state of one connection, and a way to end it from outside.

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{
            AtomicBool, AtomicU8, AtomicU32, AtomicU64,
            Ordering::{Acquire, Relaxed, Release, SeqCst},
        },
    },
    task::{Context, Waker},
};

use futures_util::task::AtomicWaker;
use tokio::{sync::Notify, time::Instant};

use crate::http::request_context::RequestContext;

/// The phases of a connection. Only in the first three can it be ended to make room for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// The first head is not complete.
    Fresh = 0,
    /// It waits for the next request, and its peer has read every answer.
    Idle = 1,
    /// It is like [`Phase::Idle`], but part of the next head has arrived.
    Head = 2,
    /// A request is under way.
    Busy = 3,
    /// The whole answer is written, but the peer has not read all of it.
    Answered = 4,
    /// It is a WebSocket.
    Upgraded = 5,
}

impl Phase {
    fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Fresh,
            1 => Self::Idle,
            2 => Self::Head,
            3 => Self::Busy,
            4 => Self::Answered,
            _ => Self::Upgraded,
        }
    }

    /// Returns whether a request is under way or the connection is a WebSocket.
    pub(super) fn under_way(self) -> bool {
        matches!(self, Self::Busy | Self::Answered | Self::Upgraded)
    }
}

/// The flags that all connections of a listener share.
#[derive(Debug)]
pub(super) struct Signals {
    start: Instant,
    /// Whether the accept loop waits for a connection to end or become idle.
    hungry: AtomicBool,
    draining: AtomicBool,
    stopped: AtomicBool,
    /// Notified when a connection has gone, or has become idle while the accept loop waited.
    changed: Notify,
}

impl Signals {
    pub(super) fn new() -> Self {
        Self {
            start: Instant::now(),
            hungry: AtomicBool::new(false),
            draining: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            changed: Notify::new(),
        }
    }

    /// Returns the microseconds since the listener was opened.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Sets whether the accept loop waits for a connection to become idle.
    pub(super) fn set_hungry(&self, hungry: bool) {
        self.hungry.store(hungry, SeqCst);
    }

    pub(super) fn changed(&self) {
        self.changed.notify_one();
    }

    /// Waits for [`Signals::changed`]. A notification from before this call counts.
    pub(super) async fn until_changed(&self) {
        self.changed.notified().await;
    }

    /// Makes each connection end after the request that is under way.
    pub(super) fn drain(&self) {
        self.draining.store(true, SeqCst);
    }

    pub(super) fn draining(&self) -> bool {
        self.draining.load(Relaxed)
    }

    /// Makes each connection that is not a WebSocket end at once.
    pub(super) fn stop(&self) {
        self.stopped.store(true, SeqCst);
    }

    pub(super) fn stopped(&self) -> bool {
        self.stopped.load(Relaxed)
    }
}

/// The state of one connection. Cheap to clone. A request carries it among its extensions.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    id: u64,
    network: Option<IpAddr>,
    signals: Arc<Signals>,
    phase: AtomicU8,
    /// The time at which it became idle, in microseconds of [`Signals::now`].
    idle_since: AtomicU64,
    /// Whether bytes wait because the peer does not read.
    blocked: AtomicBool,
    ended: AtomicBool,
    /// The number of bytes of an incomplete head.
    head: AtomicU32,
    /// The number of complete heads so far.
    heads: AtomicU32,
    /// The number of bytes of the request under way: of its head, and of its body so far.
    received: AtomicU32,
    /// Whether the request under way has a body. Then arriving bytes need not be the next head.
    body: AtomicBool,
    /// The request under way, which knows its caller, and the number of requests so far.
    request: Mutex<Option<RequestContext>>,
    requests: AtomicU32,
    task: AtomicWaker,
    /// The wakers of a WebSocket's halves, which two tasks may poll.
    reader: AtomicWaker,
    writer: AtomicWaker,
}

impl Connection {
    pub(super) fn new(id: u64, network: Option<IpAddr>, signals: Arc<Signals>) -> Self {
        Self {
            inner: Arc::new(Inner {
                id,
                network,
                signals,
                phase: AtomicU8::new(Phase::Fresh as u8),
                idle_since: AtomicU64::new(0),
                blocked: AtomicBool::new(false),
                ended: AtomicBool::new(false),
                head: AtomicU32::new(0),
                heads: AtomicU32::new(0),
                received: AtomicU32::new(0),
                body: AtomicBool::new(false),
                request: Mutex::new(None),
                requests: AtomicU32::new(0),
                task: AtomicWaker::new(),
                reader: AtomicWaker::new(),
                writer: AtomicWaker::new(),
            }),
        }
    }

    /// Returns the connection's number. A connection that was accepted later has a higher one.
    pub(super) fn id(&self) -> u64 {
        self.inner.id
    }

    /// Returns the network whose connections are capped together; `None` for a connection from a
    /// proxy.
    pub(super) fn network(&self) -> Option<IpAddr> {
        self.inner.network
    }

    pub(super) fn signals(&self) -> &Signals {
        &self.inner.signals
    }

    pub(super) fn phase(&self) -> Phase {
        Phase::from_number(self.inner.phase.load(SeqCst))
    }

    /// Returns the time since which it has waited for its next request, in microseconds of
    /// [`Signals::now`]; `None` before its first head and while a request is under way.
    pub(super) fn idle_since(&self) -> Option<u64> {
        let idle = matches!(self.phase(), Phase::Idle | Phase::Head);
        idle.then(|| self.inner.idle_since.load(Acquire))
    }

    /// Records that a whole head has arrived, and whether a body follows.
    pub(super) fn begin(&self, body: bool) {
        let head = self.inner.head.swap(0, Relaxed);
        self.inner.received.store(head, Relaxed);
        self.inner.body.store(body, Relaxed);
        self.inner.heads.fetch_add(1, Relaxed);
        self.inner.phase.store(Phase::Busy as u8, SeqCst);
    }

    /// Records that the whole answer has been handed to the socket.
    pub(super) fn answered(&self) {
        let (busy, answered) = (Phase::Busy as u8, Phase::Answered as u8);
        let _ = self.inner.phase.compare_exchange(busy, answered, SeqCst, Relaxed);
    }

    /// Records that it becomes a WebSocket.
    pub(super) fn upgraded(&self) {
        self.inner.phase.store(Phase::Upgraded as u8, SeqCst);
    }

    /// Makes it idle if the peer has read the whole answer; part of the next head may have arrived.
    ///
    /// Its own task calls this whenever it has nothing more to do at once.
    pub(super) fn settle(&self) {
        if self.phase() != Phase::Answered || self.inner.blocked.load(Relaxed) {
            return;
        }
        self.inner.idle_since.store(self.inner.signals.now(), Release);
        let phase = if self.head() > 0 { Phase::Head } else { Phase::Idle };
        self.inner.phase.store(phase as u8, SeqCst);
        // The accept loop calls `set_hungry` first and then looks at the phase, so at least one of
        // the two sees the other's change.
        if self.inner.signals.hungry.load(SeqCst) {
            self.inner.signals.changed();
        }
    }

    /// Records that bytes have arrived. After a request without a body, and once a request is
    /// answered, they belong to the next head.
    pub(super) fn heard(&self, bytes: usize) {
        let counter = match self.phase() {
            Phase::Upgraded => return,
            Phase::Busy if self.inner.body.load(Relaxed) => &self.inner.received,
            Phase::Idle => {
                self.inner.phase.store(Phase::Head as u8, SeqCst);
                &self.inner.head
            }
            Phase::Fresh | Phase::Head | Phase::Busy | Phase::Answered => &self.inner.head,
        };
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        counter.store(counter.load(Relaxed).saturating_add(bytes), Relaxed);
    }

    /// Returns the number of bytes that have arrived of an incomplete head.
    pub(super) fn head(&self) -> usize {
        usize::try_from(self.inner.head.load(Relaxed)).unwrap_or(usize::MAX)
    }

    /// Returns the number of complete heads so far.
    pub(super) fn heads(&self) -> u32 {
        self.inner.heads.load(Relaxed)
    }

    /// Returns the number of bytes that have arrived of the request under way: of its head, and of
    /// its body so far.
    pub(super) fn received(&self) -> usize {
        usize::try_from(self.inner.received.load(Relaxed)).unwrap_or(usize::MAX)
    }

    /// Records whether bytes wait because the peer does not read.
    pub(super) fn set_blocked(&self, blocked: bool) {
        self.inner.blocked.store(blocked, Relaxed);
    }

    /// Sets the request that is under way, so that the connection can end with its caller's
    /// session.
    pub(crate) fn set_request(&self, trace: &RequestContext) {
        *self.inner.request.lock().unwrap_or_else(PoisonError::into_inner) = Some(trace.clone());
        self.inner.requests.fetch_add(1, Release);
    }

    /// Returns the number of calls of [`Connection::set_request`].
    pub(super) fn requests(&self) -> u32 {
        self.inner.requests.load(Acquire)
    }

    pub(super) fn request(&self) -> Option<RequestContext> {
        self.inner
            .request
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Ends the connection: drops whatever is under way on it, and closes its socket.
    pub(super) fn end(&self) {
        self.inner.ended.store(true, SeqCst);
        self.wake();
        self.inner.reader.wake();
        self.inner.writer.wake();
    }

    pub(super) fn ended(&self) -> bool {
        self.inner.ended.load(Relaxed)
    }

    /// Wakes its task, so that it looks at [`Signals`].
    pub(super) fn wake(&self) {
        self.inner.task.wake();
    }

    /// Registers the task that serves the connection, then returns whether the connection has ended
    /// or its listener has stopped.
    pub(super) fn poll_ended(&self, context: &Context<'_>) -> bool {
        self.inner.task.register(context.waker());
        self.ended() || self.inner.signals.stopped()
    }

    /// Registers the reader of a WebSocket, then returns whether the connection has ended.
    pub(super) fn reader_waits(&self, waker: &Waker) -> bool {
        self.waits(&self.inner.reader, waker)
    }

    /// Registers the writer of a WebSocket, then returns whether the connection has ended.
    pub(super) fn writer_waits(&self, waker: &Waker) -> bool {
        self.waits(&self.inner.writer, waker)
    }

    fn waits(&self, slot: &AtomicWaker, waker: &Waker) -> bool {
        // Before the upgrade the connection's own task is woken, which polls both halves.
        if self.phase() == Phase::Upgraded {
            slot.register(waker);
        }
        self.ended()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn connection() -> Connection {
        Connection::new(1, None, Arc::new(Signals::new()))
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_idle_once_the_peer_has_taken_the_whole_answer() {
        let connection = connection();
        connection.begin(false);
        connection.settle();
        assert_eq!(connection.phase(), Phase::Busy);
        connection.answered();
        connection.set_blocked(true);
        connection.settle();
        assert_eq!(connection.phase(), Phase::Answered);
        assert_eq!(connection.idle_since(), None);
        tokio::time::advance(std::time::Duration::from_micros(7)).await;
        connection.set_blocked(false);
        connection.settle();
        assert_eq!(connection.idle_since(), Some(connection.signals().now()));
    }

    #[tokio::test]
    async fn bytes_count_as_a_head_until_it_is_complete() {
        let connection = connection();
        connection.heard(3);
        connection.heard(4);
        assert_eq!((connection.phase(), connection.head()), (Phase::Fresh, 7));
        connection.begin(true);
        connection.heard(100);
        assert_eq!((connection.phase(), connection.head()), (Phase::Busy, 0));
        assert_eq!(connection.received(), 107);
        connection.answered();
        connection.settle();
        connection.heard(5);
        assert_eq!((connection.phase(), connection.head()), (Phase::Head, 5));
        assert!(connection.idle_since().is_some());
    }

    #[tokio::test]
    async fn a_head_behind_a_request_counts_from_its_first_byte() {
        let connection = connection();
        connection.begin(false);
        connection.heard(3);
        connection.answered();
        connection.heard(4);
        assert_eq!((connection.phase(), connection.head()), (Phase::Answered, 7));
        connection.settle();
        assert_eq!((connection.phase(), connection.head()), (Phase::Head, 7));
        connection.begin(false);
        assert_eq!((connection.received(), connection.heads()), (7, 2));
    }

    #[tokio::test]
    async fn a_websocket_stays_one_when_its_answer_is_written() {
        let connection = connection();
        connection.begin(false);
        connection.upgraded();
        connection.answered();
        connection.settle();
        assert_eq!(connection.phase(), Phase::Upgraded);
        assert!(connection.phase().under_way());
    }
}
