//! The viewers of one query. Its matches are kept once, and each window is serialised once, however
//! many viewers it has.

use std::{collections::HashMap, sync::Arc, time::Duration};

use podgate_access::{LiveQuery, PodQuery, PodReader};
use podgate_cluster::MemoryBudget;
use podgate_index::{
    Reach,
    live::{Delta, Live, Window},
};
use tokio::{
    sync::mpsc::{self, error::TrySendError},
    time::Instant,
};

use super::{
    FRAMES, Range, TICK, Wanted,
    frame::{Clusters, Extras, Frame, NoMemory, TooLarge},
};
use crate::pods::facets::{self, Counts, Field, Values};

/// A frame of more bytes is given only to a viewer without waiting frames.
const LARGE: usize = 1 << 20;

/// The viewers of one query.
pub(super) struct Group {
    live_query: LiveQuery,
    facets: facets::Asked,
    /// The least time between two deltas of one window.
    interval: Duration,
    pods: PodQuery,
    live: Live,
    extras: Extras,
    windows: HashMap<Range, WindowViewers>,
    /// The budget for large frames that viewers have not taken yet.
    memory: MemoryBudget,
    /// Whether one of its viewers waits for a snapshot.
    waits: bool,
}

/// The viewers of one window.
struct WindowViewers {
    range: Range,
    /// The window as viewers who are not behind have it. It ends before the range does if its rows
    /// would have too many bytes.
    window: Window,
    extras: Option<Extras>,
    viewers: HashMap<u64, ViewerSlot>,
    /// When a delta was last sent.
    delta_at: Option<Instant>,
    /// The bytes that must be free before a snapshot is written: those of the last frame for which
    /// there was no memory, else 0.
    lacks: usize,
}

/// A viewer's slot in a window.
pub(super) struct ViewerSlot {
    frames: mpsc::Sender<Arc<Frame>>,
    /// Whether it needs a snapshot: it is new, has moved its window, or did not take earlier
    /// frames.
    behind: bool,
    /// When it last got a snapshot.
    snapshot_at: Option<Instant>,
}

/// The context of a tick.
struct TickContext<'a, 'b> {
    pods: &'a PodQuery,
    reader: &'a PodReader<'b>,
    live: &'a mut Live,
    extras: &'a Extras,
    memory: &'a MemoryBudget,
    interval: Duration,
    time: Instant,
}

impl ViewerSlot {
    pub(super) fn new(frames: mpsc::Sender<Arc<Frame>>) -> Self {
        Self {
            frames,
            behind: true,
            snapshot_at: None,
        }
    }

    /// Returns whether it needs a snapshot and can be given one: it has taken all earlier frames,
    /// and did not get a snapshot within the last [`TICK`].
    fn wants_snapshot(&self, now: Instant) -> bool {
        self.behind && self.frames.capacity() == FRAMES && self.snapshot_at.is_none_or(|at| now >= at + TICK)
    }

    /// Offers it a frame. A viewer without room for it gets a snapshot later. A large frame is
    /// queued only alone, so that the queue is bounded in bytes, too.
    fn offer(&mut self, frame: &Arc<Frame>) {
        if frame.len() > LARGE && self.frames.capacity() < FRAMES {
            self.behind = true;
        } else if let Err(TrySendError::Full(_)) = self.frames.try_send(Arc::clone(frame)) {
            self.behind = true;
        }
    }
}

impl Group {
    pub(super) fn new(live_query: LiveQuery, facets: facets::Asked, interval: Duration, memory: MemoryBudget) -> Self {
        let pods = live_query.pods();
        let live = pods.read().live();
        let clusters = Arc::new(Clusters::of(&pods));
        Self {
            live_query,
            facets,
            interval,
            pods,
            live,
            extras: Extras {
                clusters,
                facets: Arc::new(b"{}".to_vec()),
            },
            windows: HashMap::new(),
            memory,
            waits: false,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.windows.is_empty()
    }

    pub(super) fn has(&self, viewer: u64) -> bool {
        self.windows.values().any(|window| window.viewers.contains_key(&viewer))
    }

    /// Returns whether a viewer waits for a snapshot, so that the group must be stepped even if
    /// nothing has changed.
    pub(super) fn waits(&self) -> bool {
        self.waits
    }

    /// Sends every viewer the changes since its last frame, unless it got a delta within the
    /// interval and nobody needs a snapshot.
    pub(super) fn step(&mut self) {
        let now = Instant::now();
        if self.windows.values().all(|window| window.rests(now, self.interval)) {
            self.waits = !self.windows.is_empty();
            return;
        }
        self.waits = self.refresh(None);
        self.windows.retain(|_, window| !window.viewers.is_empty());
    }

    /// Returns the rows of a window that is asked for. A pod that is not among the matches has its
    /// place at the beginning.
    pub(super) fn range(&mut self, wanted: &Wanted) -> Range {
        let (pod, limit) = match wanted {
            Wanted::Range(range) => return *range,
            Wanted::Around { pod, limit } => (pod, *limit),
        };
        self.pods = self.live_query.pods();
        let cluster = match &pod.cluster {
            Some(named) => self.pods.cluster_id(named),
            None => self.pods.query().clusters.first().copied(),
        };
        let reader = self.pods.read();
        let position = cluster.and_then(|cluster| reader.position(&mut self.live, cluster, &pod.namespace, &pod.name));
        let last = self.live.total().saturating_sub(limit);
        let offset = position.map_or(0, |position| position.saturating_sub(limit / 2).min(last));
        Range { offset, limit }
    }

    /// Adds a viewer. If a delta was sent to others of its window just now, its snapshot waits for
    /// the next step.
    pub(super) fn join(&mut self, viewer: u64, range: Range, slot: ViewerSlot) {
        let now = Instant::now();
        let window = self.windows.entry(range).or_insert_with(|| WindowViewers::new(range));
        window.viewers.insert(viewer, slot);
        let just_sent = window.delta_at.is_some_and(|at| now < at + TICK);
        self.waits |= just_sent || self.refresh(Some(range));
    }

    /// Moves a viewer to another window, as [`Group::join`] adds it.
    pub(super) fn scroll(&mut self, viewer: u64, range: Range) {
        if let Some(mut slot) = self.leave(viewer) {
            slot.behind = true;
            self.join(viewer, range, slot);
        }
    }

    /// Removes a viewer.
    pub(super) fn leave(&mut self, viewer: u64) -> Option<ViewerSlot> {
        let slot = self
            .windows
            .values_mut()
            .find_map(|window| window.viewers.remove(&viewer));
        self.windows.retain(|_, window| !window.viewers.is_empty());
        slot
    }

    /// Reads the index, and steps one window or all. Returns whether a viewer waits for a snapshot.
    fn refresh(&mut self, only: Option<Range>) -> bool {
        let Self {
            live_query,
            facets,
            interval,
            pods,
            live,
            extras,
            windows,
            memory,
            waits: _,
        } = self;
        *pods = live_query.pods();
        let reader = pods.read();
        if live.query().clusters != pods.query().clusters {
            // The set of clusters changed, so a delta to what viewers have is not possible.
            *live = reader.live();
            windows.values_mut().for_each(WindowViewers::restart);
        }
        let clusters = Clusters::of(pods);
        if clusters.is_news_after(&extras.clusters) {
            extras.clusters = Arc::new(clusters);
        }
        if !facets.fields.is_empty() {
            let mut json = Vec::new();
            let beside = facets.others.then(|| pods.reach());
            facets::write(&mut json, facets, pods, |_, field| counts(&reader, live, beside, field));
            if *extras.facets != json {
                extras.facets = Arc::new(json);
            }
        }
        let mut now = TickContext {
            pods,
            reader: &reader,
            live,
            extras,
            memory,
            interval: *interval,
            time: Instant::now(),
        };
        let windows = windows
            .iter_mut()
            .filter(|(range, _)| only.is_none_or(|only| only == **range));
        windows.fold(false, |waits, (_, window)| window.step(&mut now) | waits)
    }
}

/// Counts a live query's rows by a field, beside the field's own filters if a reach is given. A
/// live query takes no labels.
fn counts(reader: &PodReader<'_>, live: &mut Live, beside: Option<&Reach>, field: &Field) -> Counts {
    let (values, total) = match (field, beside) {
        (Field::Of(facet), Some(reach)) => reader.live_other_facets(live, *facet, reach),
        (Field::Of(facet), None) => (reader.live_facets(live, *facet), live.total()),
        (Field::Labels | Field::Label(_), _) => (Arc::default(), 0),
    };
    Counts {
        values: Values::Of(values),
        total,
    }
}

impl WindowViewers {
    fn new(range: Range) -> Self {
        Self {
            range,
            window: Window::new(range.offset, range.limit),
            extras: None,
            viewers: HashMap::new(),
            delta_at: None,
            lacks: 0,
        }
    }

    fn restart(&mut self) {
        self.window = Window::new(self.range.offset, self.range.limit);
        self.fall_behind();
    }

    /// Marks every viewer as needing a snapshot.
    fn fall_behind(&mut self) {
        self.viewers.values_mut().for_each(|slot| slot.behind = true);
    }

    /// Returns whether a delta was sent within the interval, so that another one would come too
    /// early. Steps come every [`TICK`] and are not exact, so the shortest interval is theirs.
    fn is_early(&self, now: Instant, interval: Duration) -> bool {
        interval > TICK && self.delta_at.is_some_and(|at| now + TICK / 2 < at + interval)
    }

    /// Returns whether a step would do nothing.
    fn rests(&self, now: Instant, interval: Duration) -> bool {
        self.is_early(now, interval)
            && self
                .viewers
                .values()
                .all(|slot| !slot.behind && !slot.frames.is_closed())
    }

    /// Sends its viewers a delta or a snapshot, as each needs. Returns whether one still waits for
    /// a snapshot, or for a delta that would come too early.
    fn step(&mut self, now: &mut TickContext<'_, '_>) -> bool {
        self.viewers.retain(|_, slot| !slot.frames.is_closed());
        let is_early = self.is_early(now.time, now.interval);
        if is_early && self.viewers.values().any(|slot| slot.wants_snapshot(now.time)) {
            // A snapshot may come at any time, and nobody may miss what it tells.
            self.fall_behind();
        } else if !is_early && self.viewers.values().any(|slot| !slot.behind) {
            self.send_delta(now);
        }
        if self.viewers.values().any(|slot| slot.wants_snapshot(now.time)) {
            self.send_snapshot(now);
        }
        is_early || self.viewers.values().any(|slot| slot.behind)
    }

    /// Sends the changes to the viewers who have the window.
    fn send_delta(&mut self, now: &mut TickContext<'_, '_>) {
        let held = self.extras.replace(now.extras.clone());
        let facets = held
            .as_ref()
            .is_none_or(|held| !Arc::ptr_eq(&held.facets, &now.extras.facets));
        let clusters = held
            .as_ref()
            .is_none_or(|held| !Arc::ptr_eq(&held.clusters, &now.extras.clusters));
        let delta = now.reader.delta(now.live, &mut self.window);
        if delta.is_none() && !facets && !clusters {
            return;
        }
        if delta.as_ref().is_some_and(Delta::is_ambiguous) {
            return self.fall_behind();
        }
        let frame = Frame::delta(
            now.pods,
            now.live.total(),
            delta.as_ref(),
            facets.then(|| now.extras.facets.as_slice()),
            clusters.then(|| now.extras.clusters.as_ref()),
        );
        let Ok(frame) = frame else {
            // Too many bytes: the snapshot that follows ends the window earlier.
            return self.fall_behind();
        };
        let frame = match frame.counted(now.memory) {
            Ok(frame) => frame,
            Err(NoMemory { bytes }) => {
                self.lacks = bytes;
                return self.fall_behind();
            }
        };
        self.delta_at = Some(now.time);
        self.viewers
            .values_mut()
            .filter(|slot| !slot.behind)
            .for_each(|slot| slot.offer(&frame));
    }

    /// Sends the window to the viewers who do not have it, or does so later if there is no memory
    /// for it.
    fn send_snapshot(&mut self, now: &mut TickContext<'_, '_>) {
        if now.memory.free() < self.lacks {
            return;
        }
        self.lacks = 0;
        self.extras = Some(now.extras.clone());
        let Range { offset, limit } = self.range;
        if self.viewers.values().all(|slot| slot.behind) {
            self.window.move_to(offset, limit);
        }
        let frame = loop {
            let answer = now.reader.snapshot(now.live, &mut self.window);
            match Frame::snapshot(now.pods, &answer, &self.window, now.extras) {
                Ok(frame) => break frame,
                // Fewer rows than before, and at least one: a single row always fits.
                Err(TooLarge { fit }) => self.window.move_to(offset, fit),
            }
            // All viewers of the window must learn where it ends now.
            self.fall_behind();
        };
        let frame = match frame.counted(now.memory) {
            Ok(frame) => frame,
            Err(NoMemory { bytes }) => {
                self.lacks = bytes;
                return;
            }
        };
        for slot in self.viewers.values_mut() {
            if slot.wants_snapshot(now.time) {
                slot.behind = false;
                slot.snapshot_at = Some(now.time);
                slot.offer(&frame);
            }
        }
    }
}
