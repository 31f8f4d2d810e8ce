//! The bounded way from the readers of a log stream to its receiver.

use std::future::pending;

use super::{Frame, LongLine};
use crate::{
    Error,
    queue::{self, Receiver, Sender},
    registry::removal::Removal,
};

/// Bytes of memory of frames that wait at most: two pieces of a long line, or two lines' worth of them for each of 8 readers.
const WAITING: usize = 256 << 10;
/// The memory of a frame without its lines.
const FRAME: usize = 512;

/// The frames of a log stream, as they come. Bounded in bytes: a receiver that does not read stops the reading upstream. Dropping it ends everything at once.
#[derive(Debug)]
pub struct Frames {
    pub(super) receiver: Receiver<Frame>,
    pub(super) removed: Removal,
    /// The pod, for the message when the cluster is removed.
    pub(super) place: String,
    pub(super) readers: usize,
    pub(super) over: bool,
}

/// Where the readers of one stream put their frames.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    sender: Sender<Frame>,
    /// See [`LongLine`].
    pub(super) long: LongLine,
}

/// Makes both ends.
pub(super) fn queue() -> (Queue, Receiver<Frame>) {
    let (sender, receiver) = queue::queue(WAITING);
    let long = LongLine::new();
    (Queue { sender, long }, receiver)
}

impl queue::Bytes for Frame {
    fn bytes(&self) -> usize {
        FRAME
            + match self {
                Self::Lines { lines, .. } => lines.iter().map(super::Line::bytes).sum(),
                _ => 0,
            }
    }
}

impl Frames {
    /// Returns the next frame; `None` after [`Frame::End`] or [`Frame::Failed`]. Once the cluster is removed, or its credential replaced, that is the last one,
    /// whatever else waits. Cancel-safe.
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
            Some(Frame::Failed(Error::upstream(format!(
                "the log of {} is no longer read: {}",
                self.place,
                self.removed.reason()
            ))))
        })
    }

    /// Returns the number of containers that are read. Each costs a connection and its buffers.
    pub fn readers(&self) -> usize {
        self.readers
    }
}

impl Queue {
    /// Waits for room. Does not come back when the receiver has gone: then [`Queue::closed`] ends the readers.
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
