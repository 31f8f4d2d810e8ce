//! Follows one container: over lost connections, restarts, deletion.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{
    Frame, Options, Part,
    look::{Look, Watch},
    queue::Queue,
    read::{End, Found, How, Source},
};
use crate::{
    Error,
    containers::{Pod, Run, Standing},
    error::Result,
};

/// Between two tries; doubled each time.
const PAUSE_MIN: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// How long the pod is looked at after an answer's end before its status, which lags behind, is believed.
const LAG: Duration = Duration::from_millis(1500);
/// Refusals of a running container's log in a row that are taken for good.
const REFUSALS: u32 = 8;
/// Failures in a row after which a log that is not followed is given up.
const FAILURES: u32 = 5;

/// Follows one container of one pod.
#[derive(Debug)]
pub(super) struct Follower {
    source: Source,
    watch: Watch,
    /// The pod must have been seen since then.
    look_since: Instant,
    /// The run that is being read.
    run: Option<Run>,
    /// All of it was passed on.
    drained: bool,
    /// The connection broke, and what came meanwhile was not read yet.
    unsure: bool,
    pause: Pause,
}

impl Follower {
    pub(super) fn new(watch: Watch, container: &str, part: Part, options: &Options, queue: Queue) -> Self {
        Self {
            source: Source::new(watch.clone(), container, part, options.timestamps, queue),
            look_since: watch.began(),
            watch,
            run: None,
            drained: false,
            unsure: false,
            pause: Pause::default(),
        }
    }

    /// Reads what is there; why it ended.
    ///
    /// # Errors
    /// What the cluster refuses, and what fails again and again.
    pub(super) async fn once(mut self, previous: bool) -> Result<String> {
        let how = How {
            previous,
            accept_gap: true,
            ..How::default()
        };
        let mut failures = 0;
        loop {
            let error = match self.read(how).await {
                End::Clean { rest, found, .. } => {
                    if found != Found::Yes {
                        let why = "the connection was lost, and where it was is no longer in the log, which was rotated meanwhile";
                        self.source.tell_gap(why, "").await;
                    }
                    self.source.pass(rest).await;
                    return Ok(format!(
                        "this is all of the log of container `{}`",
                        self.source.container
                    ));
                }
                End::Broken { progress: true, error } => {
                    failures = 0;
                    error
                }
                End::Refused(error) if !(is_passing(&error) || (self.unsure && is_missing(&error))) => {
                    return Err(error);
                }
                End::Broken { error, .. } | End::Refused(error) => error,
                // It can't be: a gap is accepted.
                End::Lost => return Err(self.source.broken("where it was is no longer in the log")),
            };
            failures += 1;
            if failures == FAILURES {
                return Err(error);
            }
            self.unsure = true;
            self.wait().await;
            // Another pod may have the name now, and its log must not be taken for the rest of this one's.
            match self.watch.look(self.look_since).await {
                Ok(Look::Here(_)) if is_missing(&error) => return Err(error),
                Ok(Look::Gone(reason)) => return Ok(self.gone(reason).await),
                Ok(Look::Here(_)) => {}
                Err(error) if is_passing(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Follows until nothing more will come; why.
    ///
    /// # Errors
    /// What the cluster refuses for good.
    pub(super) async fn follow(mut self) -> Result<String> {
        loop {
            let pod = match self.look().await? {
                Look::Here(pod) => pod,
                Look::Gone(reason) => return Ok(self.gone(reason).await),
            };
            let container = self.source.container.clone();
            match pod.standing(&container)? {
                Standing::NotStarted { over: true, .. } => {
                    return Ok(format!(
                        "container `{container}` of {} never started and never will",
                        self.watch.place()
                    ));
                }
                Standing::NotStarted { .. } => self.wait().await,
                Standing::Running(run) => {
                    self.enter(&pod, run).await?;
                    self.read_on().await?;
                }
                Standing::Ended { run, code, over } => {
                    self.enter(&pod, run).await?;
                    self.drain(false).await?;
                    if over {
                        return Ok(format!(
                            "container `{container}` of {} ended with code {code}",
                            self.watch.place()
                        ));
                    }
                    self.wait().await;
                }
            }
        }
    }

    /// The pod as it is now, or was when another reader of the stream looked at it since; asks until the API server answers.
    async fn look(&mut self) -> Result<Look> {
        loop {
            match self.watch.look(self.look_since).await {
                Err(error) if is_passing(&error) => self.unsure = true,
                other => return other,
            }
            self.wait().await;
        }
    }

    /// Reads one answer. What was seen of the pod before its end does not say why it ended.
    async fn read(&mut self, how: How) -> End {
        let end = self.source.read(how).await;
        self.look_since = Instant::now();
        end
    }

    /// Waits before the next try.
    async fn wait(&mut self) {
        self.pause.wait().await;
        self.look_since = recent();
    }

    async fn gone(&mut self, reason: String) -> String {
        if self.unsure && !self.drained && (self.run.is_some() || self.source.has_begun()) {
            let why = "the connection was lost, and the pod was gone before its log could be read again";
            self.source.tell_gap(why, "").await;
        }
        reason
    }

    /// Makes a run the one that is read. The rest of the one before comes first.
    async fn enter(&mut self, pod: &Pod, run: Run) -> Result<()> {
        let Some(old) = &self.run else {
            self.run = Some(run);
            return Ok(());
        };
        if old.is(&run) {
            return Ok(());
        }
        if !self.drained {
            if pod
                .previous_run(&self.source.container)
                .is_some_and(|previous| previous.is(old))
            {
                self.drain(true).await?;
            } else {
                let why = "the container ran more than once while the connection was lost, and only its last two logs are kept";
                self.source.tell_gap(why, "").await;
            }
        }
        let container = self.source.container.clone();
        let restart_count = run.restart_count;
        self.source
            .queue
            .send(Frame::Restarted {
                container,
                restart_count,
            })
            .await;
        self.source.begin_run();
        (self.run, self.drained, self.unsure) = (Some(run), false, false);
        self.pause.reset();
        Ok(())
    }

    /// Follows the present run until its answer ends, and waits until the pod's status can tell why.
    async fn read_on(&mut self) -> Result<()> {
        let mut how = How {
            follow: true,
            ..How::default()
        };
        let mut refusals = 0;
        loop {
            match self.read(how).await {
                End::Clean { progress, found, .. } => {
                    if progress {
                        self.pause.reset();
                    }
                    if found == Found::Yes {
                        self.unsure = false;
                    }
                    if self.has_moved_on().await? {
                        return Ok(());
                    }
                    how.accept_gap = false;
                }
                End::Broken { error, progress } => {
                    tracing::debug!(%error, "a log is asked for again");
                    self.unsure = true;
                    if progress {
                        self.pause.reset();
                    }
                    self.wait().await;
                    return Ok(());
                }
                // It may be the log of another run: only when it is not, lines are missing.
                End::Lost => {
                    if self.has_moved_on().await? {
                        return Ok(());
                    }
                    how.accept_gap = true;
                    continue;
                }
                End::Refused(error) => {
                    refusals += 1;
                    // The kubelet's view and the API server's are not always of one time.
                    let lagging = matches!(
                        error,
                        Error::Invalid(_) | Error::Rejected(_) | Error::Conflict(_) | Error::NotFound(_)
                    );
                    let lagging = lagging && refusals < REFUSALS;
                    if !lagging && !is_passing(&error) && !matches!(error, Error::PodNotFound(_)) {
                        return Err(error);
                    }
                    if self.has_moved_on().await? {
                        return Ok(());
                    }
                }
            }
            self.wait().await;
        }
    }

    /// Whether the run that is read is no longer running, as far as the pod's status tells within a while.
    async fn has_moved_on(&mut self) -> Result<bool> {
        let deadline = Instant::now() + LAG;
        loop {
            let Look::Here(pod) = self.look().await? else {
                return Ok(true);
            };
            match (pod.standing(&self.source.container)?, &self.run) {
                (Standing::Running(now), Some(run)) if now.is(run) => {}
                _ => return Ok(true),
            }
            if Instant::now() >= deadline {
                return Ok(false);
            }
            sleep(PAUSE_MIN).await;
            self.look_since = recent();
        }
    }

    /// Whether the run that is read has ended, and the container's next one has not begun.
    fn is_ended(&self, pod: &Pod) -> Result<bool> {
        Ok(match (pod.standing(&self.source.container)?, &self.run) {
            (Standing::Ended { run: now, .. }, Some(run)) => now.is(run),
            _ => false,
        })
    }

    /// Reads the rest of a run that has ended: until an answer brings nothing new, since an answer may be cut off without a word.
    async fn drain(&mut self, previous: bool) -> Result<()> {
        let mut how = How {
            previous,
            ..How::default()
        };
        let mut refusals = 0;
        while !self.drained {
            match self.read(how).await {
                End::Clean { progress: true, .. } => continue,
                End::Clean { rest, found, .. } => {
                    // Where nothing at all is left of a log that had been read to its end, nothing is missing.
                    if found == Found::No || (found == Found::Nothing && self.unsure) {
                        self.source
                            .tell_gap("the container ended, and the end of its log is not there any more", "")
                            .await;
                    }
                    self.source.pass(rest).await;
                    self.drained = true;
                    return Ok(());
                }
                End::Broken { .. } => self.unsure = true,
                End::Lost if previous => {
                    self.source
                        .tell_gap(
                            "the container was restarted again before the rest of its log was read",
                            "",
                        )
                        .await;
                    self.drained = true;
                    return Ok(());
                }
                // It may be the log of the next run: then the rest of this one is the previous one's.
                End::Lost => how.accept_gap = true,
                End::Refused(error) if is_passing(&error) => self.unsure = true,
                End::Refused(error) => {
                    refusals += 1;
                    if matches!(error, Error::Forbidden(_)) {
                        return Err(error);
                    }
                    if refusals == 3 {
                        let why = format!("the rest of an ended run's log can't be read: {error}");
                        self.source.tell_gap(&why, "").await;
                        self.drained = true;
                        return Ok(());
                    }
                }
            }
            self.wait().await;
            let Look::Here(pod) = self.look().await? else {
                return Ok(());
            };
            if !previous && !self.is_ended(&pod)? {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// The time of a look that is new enough for who has waited: readers that wait together look together.
fn recent() -> Instant {
    let now = Instant::now();
    now.checked_sub(PAUSE_MIN / 2).unwrap_or(now)
}

/// Whether the pod may be gone.
fn is_missing(error: &Error) -> bool {
    matches!(error, Error::PodNotFound(_) | Error::NotFound(_) | Error::Conflict(_))
}

/// Whether it may be different in a while.
fn is_passing(error: &Error) -> bool {
    matches!(error, Error::Upstream(_) | Error::Timeout(_) | Error::Busy(_))
}

/// The time between two tries.
#[derive(Debug)]
struct Pause {
    next: Duration,
}

impl Default for Pause {
    fn default() -> Self {
        Self { next: PAUSE_MIN }
    }
}

impl Pause {
    async fn wait(&mut self) {
        sleep(self.next).await;
        self.next = (self.next * 2).min(PAUSE_MAX);
    }

    fn reset(&mut self) {
        self.next = PAUSE_MIN;
    }
}
