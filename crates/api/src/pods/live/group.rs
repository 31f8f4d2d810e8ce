//! The viewers of one query: its matches are kept once, and each window of it is written once, however many look at it.

use std::{collections::HashMap, sync::Arc};

use podgate_access::{
    live::Followed,
    pods::{Pods, Reading},
};
use podgate_cluster::MemoryBudget;
use podgate_index::live::{Delta, Live, Window};
use tokio::{
    sync::mpsc::{self, error::TrySendError},
    time::Instant,
};

use super::{
    frame::{Beside, Clusters, Frame, NoMemory, TooLarge},
    hub::{FRAMES, Range, TICK},
};
use crate::pods::facets;

/// Bytes of a frame that is given only to a viewer for whom none waits.
const LARGE: usize = 1 << 20;

/// The viewers of one query.
pub(super) struct Group {
    followed: Followed,
    facets: Vec<&'static str>,
    pods: Pods,
    live: Live,
    beside: Beside,
    panes: HashMap<Range, Pane>,
    /// For large frames that viewers have not taken yet.
    memory: MemoryBudget,
    /// One of its viewers waits for a snapshot.
    waits: bool,
}

/// The viewers of one window.
struct Pane {
    range: Range,
    /// What those viewers hold that are not behind. It ends before the range does where its rows would be too many bytes.
    window: Window,
    beside: Option<Beside>,
    viewers: HashMap<u64, Place>,
    /// When they were last told of changes.
    told: Option<Instant>,
    /// What a frame took for which there was no memory: no other is written before so much is free.
    lacks: usize,
}

/// A viewer's place in a pane.
pub(super) struct Place {
    frames: mpsc::Sender<Arc<Frame>>,
    /// It needs a snapshot: it is new, has moved, or did not take the frames before.
    behind: bool,
    /// When it last got one.
    whole: Option<Instant>,
}

/// What panes are stepped with.
struct Now<'a, 'b> {
    pods: &'a Pods,
    reading: &'a Reading<'b>,
    live: &'a mut Live,
    beside: &'a Beside,
    memory: &'a MemoryBudget,
    time: Instant,
}

impl Place {
    pub(super) fn new(frames: mpsc::Sender<Arc<Frame>>) -> Self {
        Self {
            frames,
            behind: true,
            whole: None,
        }
    }

    /// Whether it can be given a snapshot: it has taken all before, and not had one just now.
    fn wants_snapshot(&self, now: Instant) -> bool {
        self.behind && self.frames.capacity() == FRAMES && self.whole.is_none_or(|whole| now >= whole + TICK)
    }

    /// Gives it a frame. One that has no room for it gets a snapshot later. A large frame waits for a viewer alone, so that what waits is bounded in
    /// bytes, too.
    fn give(&mut self, frame: &Arc<Frame>) {
        if frame.len() > LARGE && self.frames.capacity() < FRAMES {
            self.behind = true;
        } else if let Err(TrySendError::Full(_)) = self.frames.try_send(Arc::clone(frame)) {
            self.behind = true;
        }
    }
}

impl Group {
    pub(super) fn new(followed: Followed, facets: Vec<&'static str>, memory: MemoryBudget) -> Self {
        let pods = followed.pods();
        let live = pods.read().live();
        let clusters = Arc::new(Clusters::of(&pods));
        Self {
            followed,
            facets,
            pods,
            live,
            beside: Beside {
                clusters,
                facets: Arc::new(b"{}".to_vec()),
            },
            panes: HashMap::new(),
            memory,
            waits: false,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.panes.is_empty()
    }

    pub(super) fn has(&self, viewer: u64) -> bool {
        self.panes.values().any(|pane| pane.viewers.contains_key(&viewer))
    }

    /// Whether a viewer waits for a snapshot: it is to be stepped though nothing has changed.
    pub(super) fn waits(&self) -> bool {
        self.waits
    }

    /// Tells every viewer what changed since it was last told.
    pub(super) fn step(&mut self) {
        self.waits = self.look(None);
        self.panes.retain(|_, pane| !pane.viewers.is_empty());
    }

    /// Adds a viewer. It waits for its snapshot until the next step where others of its window were told of changes just now.
    pub(super) fn join(&mut self, viewer: u64, range: Range, place: Place) {
        let now = Instant::now();
        let pane = self.panes.entry(range).or_insert_with(|| Pane::new(range));
        pane.viewers.insert(viewer, place);
        let told_just_now = pane.told.is_some_and(|told| now < told + TICK);
        self.waits |= told_just_now || self.look(Some(range));
    }

    /// Moves a viewer to another window. As [`Group::join`].
    pub(super) fn scroll(&mut self, viewer: u64, range: Range) {
        if let Some(mut place) = self.leave(viewer) {
            place.behind = true;
            self.join(viewer, range, place);
        }
    }

    /// Takes a viewer out.
    pub(super) fn leave(&mut self, viewer: u64) -> Option<Place> {
        let place = self.panes.values_mut().find_map(|pane| pane.viewers.remove(&viewer));
        self.panes.retain(|_, pane| !pane.viewers.is_empty());
        place
    }

    /// Looks at the index, and steps one pane or all. True: a viewer waits for a snapshot.
    fn look(&mut self, only: Option<Range>) -> bool {
        let Self {
            followed,
            facets,
            pods,
            live,
            beside,
            panes,
            memory,
            waits: _,
        } = self;
        *pods = followed.pods();
        let reading = pods.read();
        if live.query().clusters != pods.query().clusters {
            // Clusters came or went: what viewers hold is not comparable.
            *live = reading.live();
            panes.values_mut().for_each(Pane::restart);
        }
        let clusters = Clusters::of(pods);
        if clusters.is_news_after(&beside.clusters) {
            beside.clusters = Arc::new(clusters);
        }
        if !facets.is_empty() {
            let mut json = Vec::new();
            let cut = facets::write(&mut json, facets, pods, |facet| reading.live_facets(live, facet));
            facets::write_cut(&mut json, cut);
            if *beside.facets != json {
                beside.facets = Arc::new(json);
            }
        }
        let mut now = Now {
            pods,
            reading: &reading,
            live,
            beside,
            memory,
            time: Instant::now(),
        };
        let panes = panes
            .iter_mut()
            .filter(|(range, _)| only.is_none_or(|only| only == **range));
        panes.fold(false, |waits, (_, pane)| pane.step(&mut now) | waits)
    }
}

impl Pane {
    fn new(range: Range) -> Self {
        Self {
            range,
            window: Window::new(range.offset, range.limit),
            beside: None,
            viewers: HashMap::new(),
            told: None,
            lacks: 0,
        }
    }

    fn restart(&mut self) {
        self.window = Window::new(self.range.offset, self.range.limit);
        self.fall_behind();
    }

    /// Has every viewer get a snapshot.
    fn fall_behind(&mut self) {
        self.viewers.values_mut().for_each(|place| place.behind = true);
    }

    /// Brings its viewers up to now. True: one waits for a snapshot.
    fn step(&mut self, now: &mut Now<'_, '_>) -> bool {
        self.viewers.retain(|_, place| !place.frames.is_closed());
        if self.viewers.values().any(|place| !place.behind) {
            self.tell(now);
        }
        if self.viewers.values().any(|place| place.wants_snapshot(now.time)) {
            self.show(now);
        }
        self.viewers.values().any(|place| place.behind)
    }

    /// Tells those who hold the window what changed in it.
    fn tell(&mut self, now: &mut Now<'_, '_>) {
        let held = self.beside.replace(now.beside.clone());
        let facets = held
            .as_ref()
            .is_none_or(|held| !Arc::ptr_eq(&held.facets, &now.beside.facets));
        let clusters = held
            .as_ref()
            .is_none_or(|held| !Arc::ptr_eq(&held.clusters, &now.beside.clusters));
        let delta = now.reading.delta(now.live, &mut self.window);
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
            facets.then(|| now.beside.facets.as_slice()),
            clusters.then(|| now.beside.clusters.as_ref()),
        );
        let Ok(frame) = frame else {
            // The window is to end earlier than it did.
            return self.fall_behind();
        };
        let frame = match frame.counted(now.memory) {
            Ok(frame) => frame,
            Err(NoMemory { bytes }) => {
                self.lacks = bytes;
                return self.fall_behind();
            }
        };
        self.told = Some(now.time);
        self.viewers
            .values_mut()
            .filter(|place| !place.behind)
            .for_each(|place| place.give(&frame));
    }

    /// Shows the window to those who do not hold it. Later, where there is no memory for it.
    fn show(&mut self, now: &mut Now<'_, '_>) {
        if now.memory.free() < self.lacks {
            return;
        }
        self.lacks = 0;
        self.beside = Some(now.beside.clone());
        let Range { offset, limit } = self.range;
        if self.viewers.values().all(|place| place.behind) {
            self.window.move_to(offset, limit);
        }
        let frame = loop {
            let answer = now.reading.snapshot(now.live, &mut self.window);
            match Frame::snapshot(now.pods, &answer, &self.window, now.beside) {
                Ok(frame) => break frame,
                // Fewer than before, and at least one: an only row always fits.
                Err(TooLarge { fit }) => self.window.move_to(offset, fit),
            }
            // Who holds more rows than that is to know where the window ends now.
            self.fall_behind();
        };
        let frame = match frame.counted(now.memory) {
            Ok(frame) => frame,
            Err(NoMemory { bytes }) => {
                self.lacks = bytes;
                return;
            }
        };
        for place in self.viewers.values_mut() {
            if place.wants_snapshot(now.time) {
                place.behind = false;
                place.whole = Some(now.time);
                place.give(&frame);
            }
        }
    }
}
