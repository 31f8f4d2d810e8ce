//! Writes the logs of the shop's containers.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::voice::Voice;
use crate::content::random::Random;
use crate::runtime::Run;
use crate::state::State;

/// Bytes that a log of the shop keeps: the demo may run for weeks.
const KEPT: usize = 2 << 20;

/// Entries that a container which runs for long has written before the shop opens, at most.
const EARLIER: u64 = 200;

/// A running container with something to say.
struct Speaker {
    run: Arc<Run>,
    voice: Voice,
    count: u64,
    next: Timestamp,
}

/// All running containers of a cluster.
pub(super) struct Speech {
    state: Arc<State>,
    speakers: Vec<Speaker>,
}

impl Speech {
    pub(super) fn new(state: Arc<State>) -> Speech {
        Speech {
            state,
            speakers: Vec::new(),
        }
    }

    /// A container has started: it speaks from now on, and has spoken since `since`.
    pub(super) fn begin(
        &mut self,
        uid: &str,
        container: &str,
        voice: Voice,
        since: Timestamp,
        now: Timestamp,
        random: &mut Random,
    ) {
        let run = self.state.runtime.runs(uid, container).and_then(|runs| runs.current);
        let Some(run) = run.filter(|run| run.exit().is_none()) else {
            return;
        };
        if self.speakers.iter().any(|speaker| Arc::ptr_eq(&speaker.run, &run)) {
            return;
        }
        run.keep(KEPT);
        let past = u64::try_from(now.duration_since(since).as_millis()).unwrap_or(0);
        let count = (past / voice.pause()).min(EARLIER);
        let mut speaker = Speaker {
            run,
            voice,
            count: 0,
            next: earlier(now, count * voice.pause()),
        };
        for _ in 0..count {
            speaker.speak(random);
            if speaker.next > now {
                break;
            }
        }
        speaker.next = speaker.next.max(now);
        self.speakers.push(speaker);
    }

    /// The last that a container writes.
    pub(super) fn last_words(&self, uid: &str, container: &str, text: &str, now: Timestamp) {
        if let Some(run) = self.state.runtime.runs(uid, container).and_then(|runs| runs.current) {
            run.append(now, text.as_bytes());
        }
    }

    /// Writes all that is due.
    pub(super) fn tick(&mut self, now: Timestamp, random: &mut Random) {
        self.speakers.retain(|speaker| speaker.run.exit().is_none());
        for speaker in self.speakers.iter_mut().filter(|speaker| speaker.next <= now) {
            speaker.next = now;
            speaker.speak(random);
        }
    }
}

impl Speaker {
    fn speak(&mut self, random: &mut Random) {
        let entry = self.voice.entry(random, self.next, self.count);
        self.run.append(self.next, entry.as_bytes());
        self.count += 1;
        let pause = random.between(self.voice.pause() / 3, self.voice.pause() * 5 / 3);
        self.next = later(self.next, pause);
    }
}

/// A time so many milliseconds later.
pub(super) fn later(time: Timestamp, milliseconds: u64) -> Timestamp {
    let span = SignedDuration::from_millis(i64::try_from(milliseconds).unwrap_or(i64::MAX));
    time.checked_add(span).unwrap_or(Timestamp::MAX)
}

/// A time so many milliseconds earlier.
pub(super) fn earlier(time: Timestamp, milliseconds: u64) -> Timestamp {
    let span = SignedDuration::from_millis(i64::try_from(milliseconds).unwrap_or(i64::MAX));
    time.checked_sub(span).unwrap_or(Timestamp::MIN)
}
