//! The log stream: the lines of one or several containers, followed across restarts, lost
//! connections and rotations.
//!
//! The end of a log response says nothing about the container: it looks like success after a
//! restart, after a deletion, and when the API server stops. Therefore [`container`] observes the
//! pod and decides whether to continue; [`log_reader`] reads one response; [`resume`] finds the
//! place where a log was left.
//!
//! Lines that a kubelet skips within one response, as when a rotation overtakes a slow reader,
//! can't be noticed from outside.

mod container;
mod lines;
mod log_reader;
mod observer;
mod queue;
mod response;
mod resume;

use std::collections::HashMap;

use bytes::Bytes;
use futures_util::FutureExt;
use jiff::Timestamp;
use tokio::task::{Id, JoinSet};

use self::{
    container::{Follower, Over},
    lines::LongLine,
    observer::PodObserver,
    queue::{Queue, queue},
};
pub use self::{lines::MAX_PIECE, queue::Frames};
pub use crate::live_pod::RunEnd;
use crate::{
    Cluster, Error,
    error::{Failure, Result},
    live_pod::{LivePod, RunState},
    text::Message,
};

/// The name that stands for all containers.
const ALL: &str = "*";
/// The most containers that one stream reads. Each of them costs a connection.
pub const MAX_CONTAINERS: usize = 64;
/// The memory of a [`Line`] in addition to its bytes.
const LINE: usize = 128;

/// The logs to stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The names of at most [`MAX_CONTAINERS`] containers. `*` stands for all containers that the
    /// pod has now, including init and ephemeral ones, up to that number. If the list is empty, the
    /// default container is read.
    pub containers: Vec<String>,
    /// Whether to continue after the log's current end, and to wait for a container that has not
    /// started.
    pub follow: bool,
    /// Whether to read the previous run's log, which can't be followed.
    pub previous: bool,
    /// Limits the log to the last N seconds.
    pub since_seconds: Option<u32>,
    /// Limits the log to lines from this time on. Kubernetes rounds it down to the whole second.
    pub since_time: Option<Timestamp>,
    /// Limits the log to the last N lines of each container.
    pub tail_lines: Option<u64>,
    /// Whether lines are shown with their times, which then count towards [`MAX_PIECE`].
    pub timestamps: bool,
}

/// One line, or a piece of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When the line was written, in RFC 3339 and UTC as the cluster printed it. It is empty if the
    /// cluster printed no time, and for all pieces of a line but the first.
    pub time: String,
    /// The line's bytes without the line feed. A carriage return before the line feed is kept.
    pub text: Bytes,
    /// Whether the next [`Line`] of this container continues this line. If another kind of frame
    /// for the container arrives first, the line was broken off.
    ///
    /// A line of more than [`MAX_PIECE`] comes in pieces. So does one of more than 8 KiB if another
    /// container of the stream is sending a long line. A piece does not end within a character.
    pub partial: bool,
}

impl Line {
    /// Returns the memory that the line takes.
    fn memory_size(&self) -> usize {
        LINE + self.time.len() + self.text.len()
    }
}

/// A message of the stream.
#[derive(Clone, Debug)]
pub enum Frame {
    /// The first frame, which names the containers that are read.
    Subscribed {
        /// Their names, in the pod's order.
        containers: Vec<String>,
        /// How many more containers `*` stood for.
        left_out: usize,
    },
    /// Lines of one container in order, at most 16 KiB, or a single piece. A piece that is not the
    /// last one of its line ends the frame.
    Lines {
        /// Its name.
        container: String,
        /// The lines, at least one.
        lines: Vec<Line>,
    },
    /// A container began a new run. Its later lines belong to that run.
    Restarted {
        /// Its name.
        container: String,
        /// Its new restart count.
        restart_count: u32,
        /// How the run that was read before ended; `None` if the pod's status no longer says.
        last: Option<RunEnd>,
    },
    /// One container is over while others go on, or could not be read.
    Ended {
        /// Its name.
        container: String,
        /// The restart count of its last run; `None` if no run was read.
        restart_count: Option<u32>,
        /// How that run ended; `None` if it has not, or if the pod's status does not say.
        last: Option<RunEnd>,
        /// Why it can't be read any more; `None` if it was read to its end.
        error: Option<Error>,
    },
    /// Lines are, or may be, missing.
    Gap {
        /// The container.
        container: String,
        /// Why, as a sentence.
        reason: String,
        /// The time of the last line before the gap, or empty.
        before: String,
        /// The time of the first line after the gap, or empty while it is unknown.
        after: String,
    },
    /// The end of the stream: no container will write anything more.
    End {
        /// Why, as a sentence of at most 2 KiB, for example that the container ended with a code or
        /// that the pod was deleted.
        reason: String,
        /// How the last run of each container ended, in the order of the ends. Containers that go
        /// on or whose status does not say are left out.
        last: Vec<(String, RunEnd)>,
    },
    /// The stream failed for good: no container can be read.
    Failed(Error),
}

impl Cluster {
    /// Opens a log stream. Dropping the receiver ends it at once.
    ///
    /// # Errors
    /// Those of [`Options::check`] and [`Cluster::log`]. [`Error::Conflict`] is returned if a
    /// container has not started, unless the stream follows it, and if it has no previous run. A
    /// later refusal of the cluster ends the container's part of the stream ([`Frame::Ended`]), and
    /// the last one the stream if no container could be read ([`Frame::Failed`]).
    pub async fn follow(&self, namespace: &str, name: &str, options: Options) -> Result<Frames> {
        options.check()?;
        let pod = self.live_pod(namespace, name).await?;
        let (containers, left_out) = choose(&pod, &options)?;
        let (queue, receiver) = queue();
        let pod_name = pod.display_name();
        let frames = Frames {
            receiver,
            removed: self.inner.removed.clone(),
            pod_name: pod_name.clone(),
            readers: containers.len(),
            over: false,
        };
        // No reader can send yet, so the queue is empty and has room.
        queue
            .send(Frame::Subscribed {
                containers: containers.clone(),
                left_out,
            })
            .await;
        let observer = PodObserver::new(self.clone(), pod);
        let (mut readers, mut names) = (JoinSet::new(), HashMap::new());
        for container in &containers {
            let follower = Follower::new(observer.clone(), container, options.part(), &options, queue.clone());
            let (follow, previous) = (options.follow, options.previous);
            let run = async move {
                if follow {
                    follower.follow().await
                } else {
                    follower.once(previous).await
                }
            };
            let task = readers.spawn(run.boxed());
            names.insert(task.id(), container.clone());
        }
        let removed = self.inner.removed.clone();
        // The task ends with the last reader, with the receiver or with the cluster, whichever is
        // first, and ends the readers.
        self.inner.streams.spawn(async move {
            let last = tokio::select! {
                () = queue.closed() => return,
                () = removed.cancelled() => return,
                last = run(readers, names, &queue, &pod_name) => last,
            };
            tokio::select! {
                () = queue.closed() => {}
                () = queue.send(last) => {}
            }
        });
        Ok(frames)
    }
}

/// Runs the readers to their end and returns the last frame. A reader that ends or fails ends only
/// its container's part of the stream.
async fn run(mut readers: JoinSet<Over>, mut names: HashMap<Id, String>, queue: &Queue, pod_name: &str) -> Frame {
    let mut reasons: Vec<String> = Vec::new();
    let mut ends = Vec::new();
    while let Some(joined) = readers.join_next_with_id().await {
        let (id, over) = joined.unwrap_or_else(|panic| {
            let fault = Error::upstream(format!("reading a log of {pod_name}"), Failure::Fault);
            (panic.id(), Over::failed(fault))
        });
        let container = names.remove(&id).unwrap_or_default();
        let (error, is_last) = (over.result.as_ref().err().cloned(), readers.is_empty());
        match over.result {
            Err(error) if is_last && reasons.is_empty() => return Frame::Failed(error),
            Ok(reason) if !reasons.contains(&reason) => reasons.push(reason),
            _ => {}
        }
        ends.extend(over.last.clone().map(|last| (container.clone(), last)));
        if !is_last || error.is_some() {
            let frame = Frame::Ended {
                container,
                restart_count: over.restart_count,
                last: over.last,
                error,
            };
            queue.send(frame).await;
        }
    }
    Frame::End {
        reason: Message::from(reasons.join("; ")).into(),
        last: ends,
    }
}

/// The part of a log that is requested first.
#[derive(Clone, Debug, Default)]
struct Part {
    tail_lines: Option<u64>,
    since_seconds: Option<u32>,
    since_time: Option<Timestamp>,
}

impl Part {
    /// Returns whether the part is the whole log.
    fn is_whole(&self) -> bool {
        self.tail_lines.is_none() && self.since_seconds.is_none() && self.since_time.is_none()
    }
}

impl Options {
    /// Checks the options as far as that is possible without the pod.
    ///
    /// # Errors
    /// [`Error::Invalid`] for options that exclude each other, and for values that Kubernetes does
    /// not accept.
    pub fn check(&self) -> Result<()> {
        let invalid = |text: &str| Err(Error::invalid(text));
        if self.containers.len() > MAX_CONTAINERS {
            return Err(Error::invalid(format!(
                "`containers` has more than {MAX_CONTAINERS} names, the most that one stream reads: name fewer, or [\"*\"] for all"
            )));
        }
        if self.previous && self.follow {
            return invalid("`previous` can't be followed, since a previous run has ended: leave out one of them");
        }
        if self.since_seconds.is_some() && self.since_time.is_some() {
            return invalid("`sinceTime` and `sinceSeconds` contradict each other: give only one of them");
        }
        if self.since_seconds == Some(0) {
            return invalid("`sinceSeconds` must be at least 1");
        }
        if self.tail_lines.is_some_and(|lines| i64::try_from(lines).is_err()) {
            return invalid("`tailLines` is too large");
        }
        Ok(())
    }

    /// Returns the part of the log that the options ask for.
    fn part(&self) -> Part {
        Part {
            tail_lines: self.tail_lines,
            since_seconds: self.since_seconds,
            since_time: self.since_time,
        }
    }
}

/// Returns the containers to read, in the pod's order, and the number of containers that `*` stands
/// for but that are left out.
fn choose(pod: &LivePod, options: &Options) -> Result<(Vec<String>, usize)> {
    let readable = |container: &str| {
        if options.previous {
            return Ok(pod.previous_run(container).is_some());
        }
        let not_started = matches!(pod.run_state(container)?, RunState::NotStarted { .. });
        Ok(options.follow || !not_started)
    };
    let missing = if options.previous {
        "has no previous run"
    } else {
        "has not started"
    };
    if options.containers.iter().any(|name| name == ALL) {
        let mut chosen = Vec::new();
        for container in pod.container_names() {
            if readable(&container)? {
                chosen.push(container);
            }
        }
        if chosen.is_empty() {
            return Err(Error::conflict(format!(
                "there is no log yet: each container of {} {missing}",
                pod.display_name()
            )));
        }
        let left_out = chosen.len().saturating_sub(MAX_CONTAINERS);
        chosen.truncate(MAX_CONTAINERS);
        return Ok((chosen, left_out));
    }
    let mut chosen = Vec::new();
    if options.containers.is_empty() {
        chosen.push(pod.container(None)?);
    }
    for container in &options.containers {
        chosen.push(pod.container(Some(container))?);
    }
    for container in &chosen {
        if !readable(container)? {
            let pod_name = pod.display_name();
            return Err(Error::conflict(format!(
                "container `{container}` of {pod_name} {missing}"
            )));
        }
    }
    let chosen = pod
        .container_names()
        .into_iter()
        .filter(|container| chosen.contains(container));
    Ok((chosen.collect(), 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes options invalid, and names the invalid option.
    type Change = (fn(&mut Options), &'static str);

    #[test]
    fn contradictory_and_out_of_range_parameters_are_named() {
        let changes: [Change; 5] = [
            (
                |options| (options.follow, options.previous) = (true, true),
                "`previous`",
            ),
            (
                |options| (options.since_seconds, options.since_time) = (Some(1), Some(Timestamp::UNIX_EPOCH)),
                "`sinceTime`",
            ),
            (|options| options.since_seconds = Some(0), "`sinceSeconds`"),
            (|options| options.tail_lines = Some(u64::MAX), "`tailLines`"),
            (
                |options| options.containers = vec!["a".to_owned(); MAX_CONTAINERS + 1],
                "`containers`",
            ),
        ];
        for (change, part) in changes {
            let mut options = Options::default();
            assert_eq!(options.check(), Ok(()));
            change(&mut options);
            let checked = options.check();
            assert!(
                matches!(&checked, Err(Error::Invalid(text)) if text.contains(part)),
                "{checked:?}"
            );
        }
    }
}
