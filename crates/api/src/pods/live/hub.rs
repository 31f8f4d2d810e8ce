//! The one task that keeps every live query current.
//!
//! It sleeps until something may have changed, then steps every group at most once per [`TICK`]. It
//! owns all groups, so nothing is locked. It never waits for a viewer: frames that a viewer does
//! not take are dropped, and a fresh snapshot follows.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use podgate_access::{LiveQuery, LiveQueryKey};
use podgate_cluster::MemoryBudget;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{
    FRAMES, TICK, Wanted,
    frame::Frame,
    group::{Group, ViewerSlot},
};
use crate::{ApiError, pods::facets};

/// The most commands that wait for the task. Senders of further ones wait.
const COMMANDS: usize = 1024;
/// How many commands are handled at least after each step, however long the step took.
const TURN: usize = 64;

/// The memory for all large frames that viewers have not taken yet. It is a budget of its own,
/// because a viewer holds a frame while it waits for the memory to send it.
const MEMORY: usize = 64 << 20;

/// A handle to the task. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Hub {
    commands: mpsc::Sender<Command>,
    next: Arc<AtomicU64>,
    users: Arc<Mutex<HashMap<i64, usize>>>,
    per_user: usize,
}

/// A command of a viewer to the task.
#[derive(Debug)]
enum Command {
    Subscribe {
        viewer: u64,
        live_query: Box<LiveQuery>,
        facets: facets::Asked,
        interval: Duration,
        window: Wanted,
        frames: mpsc::Sender<Arc<Frame>>,
        taken: oneshot::Sender<()>,
    },
    Move {
        viewer: u64,
        window: Wanted,
        taken: oneshot::Sender<()>,
    },
    Leave {
        viewer: u64,
    },
}

/// A viewer: one of the user's permitted live queries. Dropping it ends the live query.
#[derive(Debug)]
pub(super) struct Viewer {
    hub: Hub,
    user: i64,
    number: u64,
    frames: Option<mpsc::Receiver<Arc<Frame>>>,
}

impl Hub {
    /// Starts the task, which ends with `shutdown`. `changes` wakes when rows or sync states may
    /// have changed; `per_user` caps the viewers of one user. Must be called within a tokio
    /// runtime.
    pub(crate) fn start(changes: watch::Receiver<()>, shutdown: CancellationToken, per_user: usize) -> Self {
        let (commands, receiver) = mpsc::channel(COMMANDS);
        tokio::spawn(async move {
            tokio::select! {
                () = HubTask::new(changes).run(receiver) => {}
                () = shutdown.cancelled() => {}
            }
        });
        Self {
            commands,
            next: Arc::default(),
            users: Arc::default(),
            per_user,
        }
    }

    /// Returns the number of viewers.
    pub(crate) fn viewers(&self) -> usize {
        let users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        users.values().sum()
    }

    /// Admits a viewer.
    ///
    /// # Errors
    /// 429001 if the user has as many as are allowed.
    pub(super) fn enter(&self, user: i64) -> Result<Viewer, ApiError> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        let open = users.entry(user).or_default();
        if *open >= self.per_user {
            return Err(ApiError::TooMany {
                message: format!(
                    "this user has {} live queries open, which is the limit: close some, then try again",
                    self.per_user
                ),
                retry_after: 5,
            });
        }
        *open += 1;
        Ok(Viewer {
            hub: self.clone(),
            user,
            number: self.next.fetch_add(1, Ordering::Relaxed),
            frames: None,
        })
    }

    async fn send(&self, command: Command) -> Result<(), ApiError> {
        self.commands.send(command).await.map_err(|_| gone())
    }
}

/// Returns the error for a task that has ended, which happens only when the server shuts down.
fn gone() -> ApiError {
    ApiError::Internal("the task of live queries has ended".into())
}

impl Viewer {
    /// Begins a live query, in place of an earlier one. Its first frame is a snapshot. Waits until
    /// the task has handled the command: a viewer has at most one command on its way, so that it
    /// does not delay others.
    pub(super) async fn subscribe(
        &mut self,
        live_query: LiveQuery,
        (facets, interval): (facets::Asked, Duration),
        window: Wanted,
    ) -> Result<(), ApiError> {
        let (frames, receiver) = mpsc::channel(FRAMES);
        let (taken, done) = oneshot::channel();
        self.frames = Some(receiver);
        let subscribe = Command::Subscribe {
            viewer: self.number,
            live_query: Box::new(live_query),
            facets,
            interval,
            window,
            frames,
            taken,
        };
        self.hub.send(subscribe).await?;
        done.await.map_err(|_| gone())
    }

    /// Returns whether there is a live query.
    pub(super) fn is_subscribed(&self) -> bool {
        self.frames.is_some()
    }

    /// Ends the live query.
    pub(super) async fn unsubscribe(&mut self) -> Result<(), ApiError> {
        self.frames = None;
        self.hub.send(Command::Leave { viewer: self.number }).await
    }

    /// Moves the window. A snapshot of it follows. Waits as [`Viewer::subscribe`] does.
    pub(super) async fn scroll(&self, window: Wanted) -> Result<(), ApiError> {
        let viewer = self.number;
        let (taken, done) = oneshot::channel();
        self.hub.send(Command::Move { viewer, window, taken }).await?;
        done.await.map_err(|_| gone())
    }

    /// Returns the next frame. Waits while there is no live query. Cancel-safe.
    pub(super) async fn next(&mut self) -> Result<Arc<Frame>, ApiError> {
        match &mut self.frames {
            Some(frames) => frames.recv().await.ok_or_else(gone),
            None => std::future::pending().await,
        }
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        let mut users = self.hub.users.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = users.get_mut(&self.user) {
            *open -= 1;
            if *open == 0 {
                users.remove(&self.user);
            }
        }
        // If there is no room for it, the task notices at its next step that the viewer is gone.
        let _ = self.hub.commands.try_send(Command::Leave { viewer: self.number });
    }
}

/// The key of a group: viewers with equal keys share the work.
type GroupKey = (LiveQueryKey, facets::Asked, Duration);

/// The task's state: all groups, and the group of each viewer.
struct HubTask {
    changes: watch::Receiver<()>,
    groups: HashMap<GroupKey, Group>,
    viewers: HashMap<u64, GroupKey>,
    memory: MemoryBudget,
    /// When groups were last stepped.
    stepped: Instant,
    /// Whether something may have changed since.
    changed: bool,
    /// Whether a viewer waits for a snapshot.
    waits: bool,
}

impl HubTask {
    fn new(changes: watch::Receiver<()>) -> Self {
        Self {
            changes,
            groups: HashMap::new(),
            viewers: HashMap::new(),
            memory: MemoryBudget::new(MEMORY),
            stepped: Instant::now(),
            changed: false,
            waits: false,
        }
    }

    /// Runs until every handle is dropped. Neither steps nor commands starve the other: a step runs
    /// as soon as it is due, and at least some commands are handled after each step.
    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        loop {
            let due = self.changed || self.waits;
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(self.stepped + TICK), if due => {
                    self.step().await;
                    for _ in 0..TURN {
                        let Ok(command) = commands.try_recv() else { break };
                        self.handle(command);
                    }
                }
                command = commands.recv() => match command {
                    Some(command) => self.handle(command),
                    None => return,
                },
                changed = self.changes.changed(), if !self.changed && !self.groups.is_empty() => match changed {
                    Ok(()) => self.changed = true,
                    Err(_) => return,
                },
            }
            // Checked here in any case: while commands wait, nothing else checks it.
            match self.changes.has_changed() {
                Ok(news) => self.changed |= news && !self.groups.is_empty(),
                Err(_) => return,
            }
        }
    }

    /// Steps every group, or, if nothing has changed, those with a waiting viewer. Yields to other
    /// tasks in between.
    async fn step(&mut self) {
        self.stepped = Instant::now();
        self.changes.mark_unchanged();
        let changed = std::mem::take(&mut self.changed);
        self.waits = false;
        let mut empty = Vec::new();
        for (key, group) in &mut self.groups {
            if !changed && !group.waits() {
                continue;
            }
            group.step();
            self.waits |= group.waits();
            if group.is_empty() {
                empty.push(key.clone());
            }
            tokio::task::yield_now().await;
        }
        for key in empty {
            self.groups.remove(&key);
        }
        let groups = &self.groups;
        self.viewers
            .retain(|viewer, key| groups.get(key).is_some_and(|group| group.has(*viewer)));
    }

    fn handle(&mut self, command: Command) {
        match command {
            Command::Subscribe {
                viewer,
                live_query,
                facets,
                interval,
                window,
                frames,
                taken,
            } => {
                self.leave(viewer);
                let key = (live_query.key().clone(), facets, interval);
                let facets = key.1.clone();
                let group = self
                    .groups
                    .entry(key.clone())
                    .or_insert_with(|| Group::new(*live_query, facets, interval, self.memory.clone()));
                let range = group.range(&window);
                group.join(viewer, range, ViewerSlot::new(frames));
                self.waits |= group.waits();
                self.viewers.insert(viewer, key);
                // A viewer that is gone no longer waits for it.
                let _ = taken.send(());
            }
            Command::Move { viewer, window, taken } => {
                if let Some(group) = self.viewers.get(&viewer).and_then(|key| self.groups.get_mut(key)) {
                    let range = group.range(&window);
                    group.scroll(viewer, range);
                    self.waits |= group.waits();
                }
                let _ = taken.send(());
            }
            Command::Leave { viewer } => self.leave(viewer),
        }
    }

    fn leave(&mut self, viewer: u64) {
        let Some(key) = self.viewers.remove(&viewer) else {
            return;
        };
        if let Some(group) = self.groups.get_mut(&key) {
            group.leave(viewer);
            if group.is_empty() {
                self.groups.remove(&key);
            }
        }
    }
}
