//! The writer of the logs of the shop's containers.

use std::sync::Arc;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};

use super::log_format::LogFormat;

use crate::runtime::Run;
use crate::state::State;

/// The most bytes that a log of the shop keeps. It is small, because the demo may run for weeks.
const MAX_LOG_BYTES: usize = 2 << 20;

/// The most entries in a container's log when the cluster starts, however long it has been running.
const MAX_BACKLOG: u64 = 200;

/// A running container with a log to write.
struct LogWriter {
    run: Arc<Run>,
    log_format: LogFormat,
    count: u64,
    next: Timestamp,
}

/// The writers for all running containers of a cluster.
pub(super) struct LogWriters {
    state: Arc<State>,
    writers: Vec<LogWriter>,
}

impl LogWriters {
    pub(super) fn new(state: Arc<State>) -> LogWriters {
        LogWriters {
            state,
            writers: Vec::new(),
        }
    }

    /// Starts the log of a container that has run since `since`, and writes the entries of the time
    /// until now.
    pub(super) fn start(
        &mut self,
        uid: &str,
        container: &str,
        log_format: LogFormat,
        since: Timestamp,
        now: Timestamp,
        rng: &mut Rng,
    ) {
        let run = self.state.runtime.runs(uid, container).and_then(|runs| runs.current);
        let Some(run) = run.filter(|run| run.exit().is_none()) else {
            return;
        };
        if self.writers.iter().any(|writer| Arc::ptr_eq(&writer.run, &run)) {
            return;
        }
        run.set_max_bytes(MAX_LOG_BYTES);
        let past = u64::try_from(now.duration_since(since).as_millis()).unwrap_or(0);
        let count = (past / log_format.mean_interval()).min(MAX_BACKLOG);
        let mut writer = LogWriter {
            run,
            log_format,
            count: 0,
            next: earlier(now, count * log_format.mean_interval()),
        };
        for _ in 0..count {
            writer.write_entry(rng);
            if writer.next > now {
                break;
            }
        }
        writer.next = writer.next.max(now);
        self.writers.push(writer);
    }

    /// Writes the last entry of a container.
    pub(super) fn exit_message(&self, uid: &str, container: &str, text: &str, now: Timestamp) {
        if let Some(run) = self.state.runtime.runs(uid, container).and_then(|runs| runs.current) {
            run.append(now, text.as_bytes());
        }
    }

    /// Writes every entry that is due.
    pub(super) fn tick(&mut self, now: Timestamp, rng: &mut Rng) {
        self.writers.retain(|writer| writer.run.exit().is_none());
        for writer in self.writers.iter_mut().filter(|writer| writer.next <= now) {
            writer.next = now;
            writer.write_entry(rng);
        }
    }
}

impl LogWriter {
    fn write_entry(&mut self, rng: &mut Rng) {
        let entry = self.log_format.entry(rng, self.next, self.count);
        self.run.append(self.next, entry.as_bytes());
        self.count += 1;
        let mean = self.log_format.mean_interval();
        let pause = rng.u64(mean / 3..=mean * 5 / 3);
        self.next = later(self.next, pause);
    }
}

/// Adds milliseconds to a time.
pub(super) fn later(time: Timestamp, milliseconds: u64) -> Timestamp {
    let span = SignedDuration::from_millis(i64::try_from(milliseconds).unwrap_or(i64::MAX));
    time.checked_add(span).unwrap_or(Timestamp::MAX)
}

/// Subtracts milliseconds from a time.
pub(super) fn earlier(time: Timestamp, milliseconds: u64) -> Timestamp {
    let span = SignedDuration::from_millis(i64::try_from(milliseconds).unwrap_or(i64::MAX));
    time.checked_sub(span).unwrap_or(Timestamp::MIN)
}
