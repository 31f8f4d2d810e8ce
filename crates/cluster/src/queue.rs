//! Queues that are bounded in bytes.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Items whose memory is known while they wait in a queue.
pub(crate) trait MemorySize {
    /// Returns the item's memory in bytes, at least 1.
    fn memory_size(&self) -> usize;
}

/// The sending end. Cheap to clone.
#[derive(Debug)]
pub(crate) struct Sender<T> {
    // The channel is unbounded, because the semaphore bounds it.
    items: mpsc::UnboundedSender<(T, Option<OwnedSemaphorePermit>)>,
    free: Arc<Semaphore>,
    most: usize,
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self {
            items: self.items.clone(),
            free: self.free.clone(),
            most: self.most,
        }
    }
}

/// The receiving end. Dropping it drops the waiting items.
#[derive(Debug)]
pub(crate) struct Receiver<T> {
    items: mpsc::UnboundedReceiver<(T, Option<OwnedSemaphorePermit>)>,
}

/// The error of a queue whose receiver has gone.
#[derive(Debug)]
pub(crate) struct Closed;

/// Makes a queue of at most `most` bytes. A larger item is accepted while the queue is empty.
pub(crate) fn queue<T: MemorySize>(most: usize) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let sender = Sender {
        items: sender,
        free: Arc::new(Semaphore::new(most)),
        most,
    };
    (sender, Receiver { items: receiver })
}

impl<T: MemorySize> Sender<T> {
    /// Sends an item once enough bytes are free. Cancel-safe: unless this returns, the item is not
    /// in the queue.
    ///
    /// # Errors
    /// [`Closed`] if the receiver has gone.
    pub(crate) async fn send(&self, item: T) -> Result<(), Closed> {
        let bytes = u32::try_from(item.memory_size().clamp(1, self.most)).unwrap_or(u32::MAX);
        // The semaphore is never closed. All bytes become free when the receiver is dropped.
        let permit = self.free.clone().acquire_many_owned(bytes).await.ok();
        self.items.send((item, permit)).map_err(|_| Closed)
    }

    /// Waits until the receiver has gone.
    pub(crate) async fn closed(&self) {
        self.items.closed().await;
    }
}

impl<T> Receiver<T> {
    /// Returns the next item; `None` once all senders have gone. Cancel-safe.
    pub(crate) async fn recv(&mut self) -> Option<T> {
        self.items.recv().await.map(|(item, _)| item)
    }

    /// Returns the next item if one is waiting.
    pub(crate) fn try_recv(&mut self) -> Option<T> {
        self.items.try_recv().ok().map(|(item, _)| item)
    }

    /// Drops the waiting items and accepts no more.
    pub(crate) fn close(&mut self) {
        self.items.close();
        while self.items.try_recv().is_ok() {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use futures_util::FutureExt;

    use super::*;

    impl MemorySize for usize {
        fn memory_size(&self) -> usize {
            *self
        }
    }

    #[tokio::test]
    async fn it_is_full_by_bytes() {
        let (sender, mut receiver) = queue::<usize>(100);
        for _ in 0..4 {
            assert!(sender.send(25).now_or_never().is_some());
        }
        assert!(sender.send(1).now_or_never().is_none());
        assert_eq!(receiver.recv().await, Some(25));
        assert!(sender.send(25).now_or_never().is_some());
        assert!(sender.send(1).now_or_never().is_none());
    }

    #[tokio::test]
    async fn an_item_larger_than_the_queue_waits_alone_and_goes_through() {
        let (sender, mut receiver) = queue::<usize>(100);
        assert!(sender.send(300).now_or_never().is_some());
        assert!(sender.send(1).now_or_never().is_none());
        assert_eq!(receiver.recv().await, Some(300));
        assert!(sender.send(1).now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_receiver_that_goes_is_noticed() {
        let (sender, receiver) = queue::<usize>(100);
        sender.send(100).await.unwrap();
        let mut waiting = Box::pin(sender.send(1));
        assert!(waiting.as_mut().now_or_never().is_none() && sender.closed().now_or_never().is_none());
        drop(receiver);
        assert!(waiting.await.is_err());
        sender.closed().await;
    }
}
