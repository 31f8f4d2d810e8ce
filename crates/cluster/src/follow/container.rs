//! The follower of one container, which survives lost connections and restarts, and ends with the
//! pod.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{
    Frame, Options, Part,
    log_reader::{LogReader, ReadEnd, ReadOptions, ResumePoint},
    observer::{Observed, PodObserver},
    queue::Queue,
};
use crate::{
    Error,
    error::Result,
    live_pod::{LivePod, Run, RunEnd, RunState},
};

/// The first pause between two attempts; it doubles each time.
const PAUSE_MIN: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// How long after the end of a response the pod's status may still lag behind. Only a later status
/// is trusted.
const LAG: Duration = Duration::from_millis(1500);
/// How many refusals in a row of a running container's log end the stream.
const REFUSALS: u32 = 8;
/// How many failures in a row end a log that is read once.
const FAILURES: u32 = 5;

/// A follower of one container of one pod.
#[derive(Debug)]
pub(super) struct Follower {
    reader: LogReader,
    observer: PodObserver,
    /// The earliest time of an observation of the pod that still counts.
    observe_since: Instant,
    /// The run that is being read.
    run: Option<Run>,
    /// Whether the whole log of `run` was sent.
    drained: bool,
    /// Whether the connection broke and the lines written since then have not been read yet.
    unsure: bool,
    /// How the container's last run ended, if it has ended for good.
    last: Option<RunEnd>,
    pause: Pause,
}

/// The end of a follower.
#[derive(Debug)]
pub(super) struct Over {
    /// The restart count of the run that was read last; `None` if none was.
    pub(super) restart_count: Option<u32>,
    /// How that run ended; `None` if it goes on, or if the pod's status does not say.
    pub(super) last: Option<RunEnd>,
    /// Why nothing more will arrive, or the failure.
    pub(super) result: Result<String>,
}

impl Over {
    /// Makes the end of a follower that failed before it read a run.
    pub(super) fn failed(error: Error) -> Self {
        Self {
            restart_count: None,
            last: None,
            result: Err(error),
        }
    }
}

impl Follower {
    pub(super) fn new(observer: PodObserver, container: &str, part: Part, options: &Options, queue: Queue) -> Self {
        Self {
            reader: LogReader::new(observer.clone(), container, part, options.timestamps, queue),
            observe_since: observer.began(),
            observer,
            run: None,
            drained: false,
            unsure: false,
            last: None,
            pause: Pause::default(),
        }
    }

    /// Reads the current or the previous log. It fails if the cluster refuses it, and after
    /// repeated failures.
    pub(super) async fn once(mut self, previous: bool) -> Over {
        // The pod was read before the stream began, so this is not a call.
        let seen = self.observer.observe(self.observer.began()).await;
        let result = self.read_once(previous).await;
        let container = &self.reader.container;
        let (mut run, mut last) = (None, None);
        if let Ok(Observed::Present(pod)) = &seen {
            run = match pod.run_state(container) {
                _ if previous => pod.previous_run(container),
                Ok(RunState::Running(run) | RunState::Ended { run, .. }) => Some(run),
                _ => None,
            };
            last = run.as_ref().and_then(|run| pod.run_end(container, run));
        }
        let count = last.as_ref().map(|last| last.restart_count);
        Over {
            restart_count: count.or(run.map(|run| run.restart_count)),
            last,
            result,
        }
    }

    async fn read_once(&mut self, previous: bool) -> Result<String> {
        let options = ReadOptions {
            previous,
            accept_gap: true,
            ..ReadOptions::default()
        };
        let mut failures = 0;
        loop {
            let error = match self.read(options).await {
                ReadEnd::Clean { rest, resume_point, .. } => {
                    if resume_point != ResumePoint::Found {
                        let why = "the connection was lost, and the place where it was lost is no longer in the log, which was rotated meanwhile";
                        self.reader.report_gap(why, "").await;
                    }
                    self.reader.send_lines(rest).await;
                    return Ok(format!(
                        "this is all of the log of container `{}`",
                        self.reader.container
                    ));
                }
                ReadEnd::Broken { progress: true, error } => {
                    failures = 0;
                    error
                }
                ReadEnd::Refused(error) if !(is_passing(&error) || (self.unsure && is_missing(&error))) => {
                    return Err(error);
                }
                ReadEnd::Broken { error, .. } | ReadEnd::Refused(error) => error,
                // This does not happen, because a gap is accepted.
                ReadEnd::Lost => {
                    return Err(self
                        .reader
                        .broken("the place where it was left is no longer in the log"));
                }
            };
            failures += 1;
            if failures == FAILURES {
                return Err(error);
            }
            self.unsure = true;
            self.wait().await;
            // Another pod may have the name now, and its log must not be mistaken for the rest of
            // this pod's log.
            match self.observer.observe(self.observe_since).await {
                Ok(Observed::Present(_)) if is_missing(&error) => return Err(error),
                Ok(Observed::Gone(reason)) => return Ok(self.gone(reason).await),
                Ok(Observed::Present(_)) => {}
                Err(error) if is_passing(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Follows the log until nothing more can arrive. It fails if the cluster refuses it for good.
    pub(super) async fn follow(mut self) -> Over {
        let result = self.follow_runs().await;
        Over {
            restart_count: self.run.map(|run| run.restart_count),
            last: self.last,
            result,
        }
    }

    async fn follow_runs(&mut self) -> Result<String> {
        loop {
            let pod = match self.observe().await? {
                Observed::Present(pod) => pod,
                Observed::Gone(reason) => return Ok(self.gone(reason).await),
            };
            let container = self.reader.container.clone();
            match pod.run_state(&container)? {
                RunState::NotStarted { terminal: true, .. } => {
                    return Ok(format!(
                        "container `{container}` of {} never started and never will",
                        self.observer.display_name()
                    ));
                }
                RunState::NotStarted { .. } => self.wait().await,
                RunState::Running(run) => {
                    self.enter(&pod, run).await?;
                    self.read_on().await?;
                }
                RunState::Ended { run, code, terminal } => {
                    self.enter(&pod, run).await?;
                    self.drain(false).await?;
                    if terminal {
                        self.last = self.run.as_ref().and_then(|run| pod.run_end(&container, run));
                        return Ok(format!(
                            "container `{container}` of {} ended with code {code}",
                            self.observer.display_name()
                        ));
                    }
                    self.wait().await;
                }
            }
        }
    }

    /// Returns the pod as this or another reader of the stream observed it at `observe_since` or
    /// later. Asks the API server repeatedly until it answers.
    async fn observe(&mut self) -> Result<Observed> {
        loop {
            match self.observer.observe(self.observe_since).await {
                Err(error) if is_passing(&error) => self.unsure = true,
                other => return other,
            }
            self.wait().await;
        }
    }

    /// Reads one response to its end. Earlier observations of the pod no longer count, because they
    /// can't explain that end.
    async fn read(&mut self, options: ReadOptions) -> ReadEnd {
        let end = self.reader.read(options).await;
        self.observe_since = Instant::now();
        end
    }

    /// Waits before the next attempt.
    async fn wait(&mut self) {
        self.pause.wait().await;
        self.observe_since = recent();
    }

    async fn gone(&mut self, reason: String) -> String {
        if self.unsure && !self.drained && (self.run.is_some() || self.reader.has_begun()) {
            let why = "the connection was lost, and the pod was gone before its log could be read again";
            self.reader.report_gap(why, "").await;
        }
        reason
    }

    /// Reads the rest of the previous run, and makes `run` the current one.
    async fn enter(&mut self, pod: &LivePod, run: Run) -> Result<()> {
        let Some(old) = &self.run else {
            self.run = Some(run);
            return Ok(());
        };
        if old.is_same_as(&run) {
            return Ok(());
        }
        let last = pod.run_end(&self.reader.container, old);
        if !self.drained {
            if pod
                .previous_run(&self.reader.container)
                .is_some_and(|previous| previous.is_same_as(old))
            {
                self.drain(true).await?;
            } else {
                let why = "the container ran more than once while the connection was lost, and only its last two logs are kept";
                self.reader.report_gap(why, "").await;
            }
        }
        let container = self.reader.container.clone();
        let restart_count = run.restart_count;
        self.reader
            .queue
            .send(Frame::Restarted {
                container,
                restart_count,
                last,
            })
            .await;
        self.reader.begin_run();
        (self.run, self.drained, self.unsure) = (Some(run), false, false);
        self.pause.reset();
        Ok(())
    }

    /// Follows the current run until its response ends, and waits until the pod's status can
    /// explain the end.
    async fn read_on(&mut self) -> Result<()> {
        let mut options = ReadOptions {
            follow: true,
            ..ReadOptions::default()
        };
        let mut refusals = 0;
        loop {
            match self.read(options).await {
                ReadEnd::Clean {
                    progress, resume_point, ..
                } => {
                    if progress {
                        self.pause.reset();
                    }
                    if resume_point == ResumePoint::Found {
                        self.unsure = false;
                    }
                    if self.has_moved_on().await? {
                        return Ok(());
                    }
                    options.accept_gap = false;
                }
                ReadEnd::Broken { error, progress } => {
                    tracing::debug!(%error, "a log is asked for again");
                    self.unsure = true;
                    if progress {
                        self.pause.reset();
                    }
                    self.wait().await;
                    return Ok(());
                }
                // This may be the log of another run. Lines are missing only if it is not.
                ReadEnd::Lost => {
                    if self.has_moved_on().await? {
                        return Ok(());
                    }
                    options.accept_gap = true;
                    continue;
                }
                ReadEnd::Refused(error) => {
                    refusals += 1;
                    // The kubelet and the API server may have different states for a while.
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

    /// Returns whether the pod's status shows, within [`LAG`], that the run is no longer running.
    async fn has_moved_on(&mut self) -> Result<bool> {
        let deadline = Instant::now() + LAG;
        loop {
            let Observed::Present(pod) = self.observe().await? else {
                return Ok(true);
            };
            match (pod.run_state(&self.reader.container)?, &self.run) {
                (RunState::Running(now), Some(run)) if now.is_same_as(run) => {}
                _ => return Ok(true),
            }
            if Instant::now() >= deadline {
                return Ok(false);
            }
            sleep(PAUSE_MIN).await;
            self.observe_since = recent();
        }
    }

    /// Returns whether the run has ended and the container's next run has not begun.
    fn is_ended(&self, pod: &LivePod) -> Result<bool> {
        Ok(match (pod.run_state(&self.reader.container)?, &self.run) {
            (RunState::Ended { run: now, .. }, Some(run)) => now.is_same_as(run),
            _ => false,
        })
    }

    /// Reads the rest of an ended run's log until a response brings nothing new, because a response
    /// may be cut off without an error.
    async fn drain(&mut self, previous: bool) -> Result<()> {
        let mut options = ReadOptions {
            previous,
            ..ReadOptions::default()
        };
        let mut refusals = 0;
        while !self.drained {
            match self.read(options).await {
                ReadEnd::Clean { progress: true, .. } => continue,
                ReadEnd::Clean { rest, resume_point, .. } => {
                    // A log that had been read to its end may be gone without any line being
                    // missing.
                    if resume_point == ResumePoint::NotFound || (resume_point == ResumePoint::NoLines && self.unsure) {
                        self.reader
                            .report_gap("the container ended, and the end of its log is no longer there", "")
                            .await;
                    }
                    self.reader.send_lines(rest).await;
                    self.drained = true;
                    return Ok(());
                }
                ReadEnd::Broken { .. } => self.unsure = true,
                ReadEnd::Lost if previous => {
                    self.reader
                        .report_gap(
                            "the container was restarted again before the rest of its log was read",
                            "",
                        )
                        .await;
                    self.drained = true;
                    return Ok(());
                }
                // This may be the log of the next run. The rest of this run is then in the previous
                // log.
                ReadEnd::Lost => options.accept_gap = true,
                ReadEnd::Refused(error) if is_passing(&error) => self.unsure = true,
                ReadEnd::Refused(error) => {
                    refusals += 1;
                    if matches!(error, Error::Forbidden(_)) {
                        return Err(error);
                    }
                    if refusals == 3 {
                        let why = format!("the rest of an ended run's log can't be read: {error}");
                        self.reader.report_gap(&why, "").await;
                        self.drained = true;
                        return Ok(());
                    }
                }
            }
            self.wait().await;
            let Observed::Present(pod) = self.observe().await? else {
                return Ok(());
            };
            if !previous && !self.is_ended(&pod)? {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Returns the time after which an observation counts as recent. It is slightly in the past, so
/// that readers that waited together share one observation.
fn recent() -> Instant {
    let now = Instant::now();
    now.checked_sub(PAUSE_MIN / 2).unwrap_or(now)
}

/// Returns whether the error may mean that the pod no longer exists.
fn is_missing(error: &Error) -> bool {
    matches!(error, Error::PodNotFound(_) | Error::NotFound(_) | Error::Conflict(_))
}

/// Returns whether the failure may be temporary.
fn is_passing(error: &Error) -> bool {
    matches!(error, Error::Upstream { .. } | Error::Timeout(_) | Error::Busy(_))
}

/// The pause between two attempts, which grows with each of them.
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
