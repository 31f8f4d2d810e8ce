//! The bounded queue from the readers of a log stream to its receiver.

use std::future::pending;

use super::{Frame, LongLine, RunEnd};
use crate::{
    Error,
    error::Failure,
    queue::{self, Receiver, Sender},
    removal::Removal,
};

/// The most bytes of memory that waiting frames take. It is enough for two pieces of a long line,
/// or for two frames of each of 8 readers.
const WAITING: usize = 256 << 10;
/// The memory that a frame takes in addition to its lines.
const FRAME: usize = 512;

/// The frames of a log stream, bounded in bytes. While the receiver does not read, nothing is read
/// from the cluster. Dropping it ends the stream at once.
#[derive(Debug)]
pub struct Frames {
    pub(super) receiver: Receiver<Frame>,
    pub(super) removed: Removal,
    /// The pod, for the message when the cluster is removed.
    pub(super) pod_name: String,
    pub(super) readers: usize,
    pub(super) over: bool,
}

/// The sending end, which the readers of one stream share.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    sender: Sender<Frame>,
    /// See [`LongLine`].
    pub(super) long: LongLine,
}

/// Makes both ends of the queue.
pub(super) fn queue() -> (Queue, Receiver<Frame>) {
    let (sender, receiver) = queue::queue(WAITING);
    let long = LongLine::new();
    (Queue { sender, long }, receiver)
}

impl queue::MemorySize for Frame {
    fn memory_size(&self) -> usize {
        FRAME
            + match self {
                Self::Lines { container, lines } => {
                    container.len() + lines.iter().map(super::Line::memory_size).sum::<usize>()
                }
                Self::Subscribed { containers, .. } => containers.iter().map(String::len).sum(),
                Self::Restarted { container, last, .. } => {
                    container.len() + last.as_ref().map_or(0, RunEnd::memory_size)
                }
                // The error's text is short, as are those of all refusals.
                Self::Ended { container, last, .. } => container.len() + last.as_ref().map_or(0, RunEnd::memory_size),
                Self::Gap { container, reason, .. } => container.len() + reason.len(),
                Self::End { reason, last } => {
                    let ends = last.iter().map(|(container, end)| container.len() + end.memory_size());
                    reason.len() + ends.sum::<usize>()
                }
                Self::Failed(_) => 0,
            }
    }
}

impl Frames {
    /// Returns the next frame; `None` after [`Frame::End`] or [`Frame::Failed`].
    ///
    /// Once the cluster is removed or replaced, the next frame is the last one, and any waiting
    /// frames are dropped. Cancel-safe.
    pub async fn recv(&mut self) -> Option<Frame> {
        if self.over {
            return None;
        }
        let next = tokio::select! {
            biased;
            () = self.removed.cancelled() => None,
            next = self.receiver.recv() => Some(next),
        };
        next.unwrap_or_else(|| {
            self.over = true;
            self.receiver.close();
            Some(Frame::Failed(gone(&self.pod_name, &self.removed)))
        })
    }

    /// Waits until the cluster is removed or replaced, and returns the error for the client.
    /// Completes even if the client does not read.
    pub fn removal(&self) -> impl Future<Output = Error> + Send + use<> {
        let (removed, pod_name) = (self.removed.clone(), self.pod_name.clone());
        async move {
            removed.cancelled().await;
            gone(&pod_name, &removed)
        }
    }

    /// Returns the number of containers that are read. Each of them costs a connection and its
    /// buffers.
    pub fn readers(&self) -> usize {
        self.readers
    }
}

fn gone(pod_name: &str, removed: &Removal) -> Error {
    Error::upstream(format!("the log of {pod_name}"), Failure::Removed(removed.reason()))
}

impl Queue {
    /// Sends a frame once there is room for it. After the receiver has gone, it never returns;
    /// [`Queue::closed`] ends the readers then.
    pub(super) async fn send(&self, frame: Frame) {
        if self.sender.send(frame).await.is_err() {
            pending::<()>().await;
        }
    }

    /// Waits until the receiver has gone.
    pub(super) async fn closed(&self) {
        self.sender.closed().await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use bytes::Bytes;
    use futures_util::FutureExt;
    use tokio::task::unconstrained;

    use super::*;
    use crate::{
        follow::{Line, MAX_PIECE},
        removal::RemovalReason,
    };

    fn both() -> (Removal, Queue, Frames) {
        let (queue, receiver) = queue();
        let removed = Removal::default();
        let frames = Frames {
            receiver,
            removed: removed.clone(),
            pod_name: "pod `shop/web` on cluster `prod`".into(),
            readers: 1,
            over: false,
        };
        (removed, queue, frames)
    }

    /// Makes a frame of `lines` lines of `bytes` bytes.
    fn frame(lines: usize, bytes: usize) -> Frame {
        let line = Line {
            time: String::new(),
            text: Bytes::from(vec![b'x'; bytes]),
            partial: false,
        };
        Frame::Lines {
            container: "web".into(),
            lines: vec![line; lines],
        }
    }

    #[tokio::test]
    async fn it_is_bounded_in_bytes_also_where_lines_are_short() {
        for (lines, bytes) in [(1, MAX_PIECE), (1, 1), (100, 0)] {
            let (_removed, queue, _frames) = both();
            let mut taken = 0;
            // Unconstrained, or tokio would make the task yield after 128 steps in one poll.
            while unconstrained(queue.send(frame(lines, bytes))).now_or_never().is_some() {
                taken += lines * (bytes + size_of::<Line>());
            }
            assert!(taken > 0 && taken <= WAITING, "{taken}");
        }
    }

    #[tokio::test]
    async fn the_end_of_a_cluster_overtakes_waiting_frames_and_names_the_cluster() {
        for why in [RemovalReason::Removed, RemovalReason::Replaced] {
            let (removed, queue, mut frames) = both();
            queue.send(frame(1, 1)).await;
            removed.cancel(why);
            match frames.recv().await {
                Some(Frame::Failed(Error::Upstream { what, failure })) => {
                    assert!(what.contains("shop/web"), "{what}");
                    assert_eq!(failure, Failure::Removed(why));
                }
                other => panic!("{other:?}"),
            }
            assert!(frames.recv().await.is_none());
            queue.closed().await;
        }
    }
}
