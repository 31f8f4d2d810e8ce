//! The bounded way from the readers of a log stream to its receiver.

use std::{future::pending, sync::Arc};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::Frame;

/// Frames that wait at most.
const FRAMES: usize = 16;
/// Bytes of lines that wait at most; one frame may be larger, and then waits alone.
const BYTES: usize = 1 << 20;

/// The frames of a log stream, as they come. Bounded in frames and bytes: a receiver that does not read stops the reading upstream;
/// dropping it ends everything at once.
#[derive(Debug)]
pub struct Frames {
    receiver: mpsc::Receiver<(Frame, Option<OwnedSemaphorePermit>)>,
}

/// Where the readers of one stream put their frames.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    sender: mpsc::Sender<(Frame, Option<OwnedSemaphorePermit>)>,
    room: Arc<Semaphore>,
}

/// Both ends.
pub(super) fn queue() -> (Queue, Frames) {
    let (sender, receiver) = mpsc::channel(FRAMES);
    let room = Arc::new(Semaphore::new(BYTES));
    (Queue { sender, room }, Frames { receiver })
}

impl Frames {
    /// The next frame; none after [`Frame::End`] or [`Frame::Failed`]. Cancel-safe.
    pub async fn recv(&mut self) -> Option<Frame> {
        self.receiver.recv().await.map(|(frame, _)| frame)
    }
}

impl Queue {
    /// Waits for room. Does not come back when the receiver has gone: then [`Queue::closed`] ends the readers.
    pub(super) async fn send(&self, frame: Frame) {
        let bytes = match &frame {
            Frame::Lines { lines, .. } => lines.iter().map(|line| line.text.len() + line.time.len()).sum(),
            _ => 0,
        };
        let bytes = u32::try_from(bytes.min(BYTES)).unwrap_or(u32::MAX);
        let permit = self.room.clone().acquire_many_owned(bytes).await.ok();
        if self.sender.send((frame, permit)).await.is_err() {
            pending::<()>().await;
        }
    }

    /// Until the receiver has gone.
    pub(super) async fn closed(&self) {
        self.sender.closed().await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use bytes::Bytes;
    use futures_util::FutureExt;

    use super::*;
    use crate::follow::Line;

    fn frame(bytes: usize) -> Frame {
        let line = Line {
            time: String::new(),
            text: Bytes::from(vec![b'x'; bytes]),
        };
        Frame::Lines {
            container: "web".into(),
            lines: vec![line],
        }
    }

    #[tokio::test]
    async fn it_is_full_by_bytes_and_by_frames() {
        let (queue, mut frames) = queue();
        for _ in 0..4 {
            assert!(queue.send(frame(BYTES / 4)).now_or_never().is_some());
        }
        assert!(queue.send(frame(1)).now_or_never().is_none());
        frames.recv().await.unwrap();
        assert!(queue.send(frame(1)).now_or_never().is_some());
        while frames.recv().now_or_never().is_some() {}
        for _ in 0..FRAMES {
            assert!(queue.send(frame(1)).now_or_never().is_some());
        }
        assert!(queue.send(frame(1)).now_or_never().is_none());
    }

    #[tokio::test]
    async fn a_frame_larger_than_all_room_waits_alone_and_goes_through() {
        let (queue, mut frames) = queue();
        assert!(queue.send(frame(3 * BYTES)).now_or_never().is_some());
        assert!(queue.send(frame(1)).now_or_never().is_none());
        assert!(matches!(frames.recv().await, Some(Frame::Lines { lines, .. }) if lines[0].text.len() == 3 * BYTES));
        assert!(queue.send(frame(1)).now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_receiver_that_goes_is_noticed() {
        let (queue, frames) = queue();
        assert!(queue.closed().now_or_never().is_none());
        drop(frames);
        assert!(queue.closed().now_or_never().is_some());
    }
}
