//! Faults that a test can switch on.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::store::Store;

/// The state that open log responses and execs react to. Its counters only grow.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StreamSignal {
    pub(crate) cut_logs: u64,
    pub(crate) end_follows: u64,
    pub(crate) cut_execs: u64,
}

struct Failing {
    path: String,
    status: u16,
    times: usize,
}

#[derive(Default)]
struct Rules {
    failing: Vec<Failing>,
    delays: Vec<(String, Duration)>,
    revoked: BTreeSet<String>,
    cut_logs_after: Option<u64>,
    pages: Option<usize>,
}

/// The faults of one simulated cluster.
///
/// A fault takes effect at once. The methods can be called from any thread.
pub struct Faults {
    store: Arc<Store>,
    streams: watch::Sender<StreamSignal>,
    rules: Mutex<Rules>,
    no_bookmarks: AtomicBool,
    no_initial_events_end: AtomicBool,
    ignore_send_initial_events: AtomicBool,
    refuse_streaming_list: AtomicBool,
    only_v4_exec: AtomicBool,
    no_protobuf: AtomicBool,
}

impl Faults {
    pub(crate) fn new(store: Arc<Store>) -> Faults {
        Faults {
            store,
            streams: watch::Sender::new(StreamSignal::default()),
            rules: Mutex::default(),
            no_bookmarks: AtomicBool::default(),
            no_initial_events_end: AtomicBool::default(),
            ignore_send_initial_events: AtomicBool::default(),
            refuse_streaming_list: AtomicBool::default(),
            only_v4_exec: AtomicBool::default(),
            no_protobuf: AtomicBool::default(),
        }
    }

    fn rules<T>(&self, change: impl FnOnce(&mut Rules) -> T) -> T {
        change(&mut self.rules.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Breaks every open watch in the middle of a frame.
    pub fn drop_watches(&self) {
        self.store.signal().send_modify(|signal| signal.drops += 1);
    }

    /// Silences the watches that are open now. They stay open without events and bookmarks.
    ///
    /// Switching the fault off sends the events that they missed. Watches opened later are not
    /// affected.
    pub fn stall_watches(&self, on: bool) {
        self.store.signal().send_modify(|signal| {
            signal.stalled = on;
            signal.stalls += u64::from(on);
        });
    }

    /// Silences watches like [`Faults::stall_watches`], but keeps sending bytes of an event that
    /// never ends.
    pub fn trickle_watches(&self, on: bool) {
        self.store.signal().send_modify(|signal| signal.trickles = on);
        self.stall_watches(on);
    }

    /// Drops the history of changes.
    ///
    /// Open watches get an ERROR event with 410, and a new watch from any older version is refused
    /// with HTTP 410 (Expired). Without this fault, a watch from a version that has become too old
    /// gets 200 and the ERROR event.
    pub fn expire_history(&self) {
        self.store.expire();
        self.store.signal().send_modify(|signal| signal.expiries += 1);
    }

    /// Sends bytes that are an event neither in JSON nor in protobuf into every open watch.
    pub fn garbage_in_watches(&self) {
        self.store.signal().send_modify(|signal| signal.garbage += 1);
    }

    /// Leaves out periodic bookmarks. The bookmark that ends a streaming list is still sent.
    pub fn no_bookmarks(&self, on: bool) {
        self.no_bookmarks.store(on, Ordering::SeqCst);
    }

    /// Leaves out the bookmark that ends a streaming list. Periodic bookmarks are still sent.
    pub fn no_initial_events_end(&self, on: bool) {
        self.no_initial_events_end.store(on, Ordering::SeqCst);
    }

    /// Behaves as a server that is too old for `sendInitialEvents` and ignores it.
    pub fn ignore_send_initial_events(&self, on: bool) {
        self.ignore_send_initial_events.store(on, Ordering::SeqCst);
    }

    /// Behaves as a server with streaming lists disabled, which answers `sendInitialEvents` with
    /// 422.
    pub fn refuse_streaming_list(&self, on: bool) {
        self.refuse_streaming_list.store(on, Ordering::SeqCst);
    }

    /// Behaves as if etcd had been restored from a backup. Versions continue from `to`, even in
    /// open watches.
    pub fn reset_resource_version(&self, to: u64) {
        self.store.reset_version(to);
        self.store.signal().send_modify(|signal| signal.resets += 1);
    }

    /// Answers the next `times` requests whose path and query contain `path_contains` with this
    /// HTTP status.
    pub fn fail_requests(&self, path_contains: &str, status: u16, times: usize) {
        self.rules(|rules| {
            rules.failing.push(Failing {
                path: path_contains.to_owned(),
                status,
                times,
            })
        });
    }

    /// Delays the responses to requests whose path and query contain `path_contains`. Zero switches
    /// the fault off.
    pub fn delay_requests(&self, path_contains: &str, delay: Duration) {
        self.rules(|rules| {
            rules.delays.retain(|(path, _)| path != path_contains);
            if !delay.is_zero() {
                rules.delays.push((path_contains.to_owned(), delay));
            }
        });
    }

    /// Refuses this user's token with 401 from now on.
    pub fn revoke_token(&self, user: &str) {
        self.rules(|rules| rules.revoked.insert(user.to_owned()));
    }

    /// Accepts this user's token again.
    pub fn restore_token(&self, user: &str) {
        self.rules(|rules| rules.revoked.remove(user));
    }

    /// Breaks the connection of every open log response.
    pub fn cut_logs(&self) {
        self.streams.send_modify(|signal| signal.cut_logs += 1);
    }

    /// Ends every open log follow successfully, while the containers keep running.
    pub fn end_follows(&self) {
        self.streams.send_modify(|signal| signal.end_follows += 1);
    }

    /// Breaks each later log response after this many bytes. `None` switches the fault off.
    pub fn cut_logs_after(&self, bytes: Option<u64>) {
        self.rules(|rules| rules.cut_logs_after = bytes);
    }

    /// Behaves as a server that supports only `v4.channel.k8s.io` for exec.
    pub fn only_v4_exec(&self, on: bool) {
        self.only_v4_exec.store(on, Ordering::SeqCst);
    }

    /// Behaves as a server without protobuf. Clients that also accept JSON get JSON, others get
    /// 406.
    pub fn no_protobuf(&self, on: bool) {
        self.no_protobuf.store(on, Ordering::SeqCst);
    }

    /// Breaks the connection of every open exec.
    pub fn cut_execs(&self) {
        self.streams.send_modify(|signal| signal.cut_execs += 1);
    }

    /// Answers a list's continue token with 410 (Expired) after this many pages. `None` switches
    /// the fault off.
    pub fn no_pages_after(&self, pages: Option<usize>) {
        self.rules(|rules| rules.pages = pages);
    }

    pub(crate) fn streams(&self) -> watch::Receiver<StreamSignal> {
        self.streams.subscribe()
    }

    pub(crate) fn bookmarks_off(&self) -> bool {
        self.no_bookmarks.load(Ordering::SeqCst)
    }

    pub(crate) fn initial_events_end_off(&self) -> bool {
        self.no_initial_events_end.load(Ordering::SeqCst)
    }

    pub(crate) fn initial_events_ignored(&self) -> bool {
        self.ignore_send_initial_events.load(Ordering::SeqCst)
    }

    pub(crate) fn streaming_list_refused(&self) -> bool {
        self.refuse_streaming_list.load(Ordering::SeqCst)
    }

    pub(crate) fn exec_is_v4(&self) -> bool {
        self.only_v4_exec.load(Ordering::SeqCst)
    }

    pub(crate) fn protobuf_off(&self) -> bool {
        self.no_protobuf.load(Ordering::SeqCst)
    }

    pub(crate) fn log_limit(&self) -> Option<u64> {
        self.rules(|rules| rules.cut_logs_after)
    }

    pub(crate) fn page_limit(&self) -> Option<usize> {
        self.rules(|rules| rules.pages)
    }

    pub(crate) fn is_revoked(&self, user: &str) -> bool {
        self.rules(|rules| rules.revoked.contains(user))
    }

    /// Returns the status with which this request must fail, if any, and counts it for the rule.
    pub(crate) fn failure(&self, path: &str) -> Option<u16> {
        self.rules(|rules| {
            let at = rules
                .failing
                .iter()
                .position(|rule| rule.times > 0 && path.contains(&rule.path))?;
            let rule = rules.failing.get_mut(at)?;
            rule.times -= 1;
            let status = rule.status;
            rules.failing.retain(|rule| rule.times > 0);
            Some(status)
        })
    }

    /// Returns how long to delay the response to this request.
    pub(crate) fn delay(&self, path: &str) -> Duration {
        self.rules(|rules| {
            rules
                .delays
                .iter()
                .filter(|(part, _)| path.contains(part))
                .map(|(_, delay)| *delay)
                .sum()
        })
    }
}
