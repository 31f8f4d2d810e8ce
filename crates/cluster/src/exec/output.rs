//! The bounded queue from a process to its client.

use super::{Output, status::ExecTarget};
use crate::{
    Error,
    error::Failure,
    queue::{self, Receiver, Sender},
    removal::Removal,
};

/// The most bytes of output that wait for the client.
const WAITING: usize = 64 << 10;
/// The most bytes of one [`Output::Stdout`] or [`Output::Stderr`].
pub(super) const MAX_OUTPUT: usize = 32 << 10;
/// The memory that an item takes in addition to its bytes.
const ITEM: usize = 128;

/// The output of a process. While the client does not take it, nothing is read from the cluster.
#[derive(Debug)]
pub struct Outputs {
    receiver: Receiver<Output>,
    removed: Removal,
    target: ExecTarget,
    over: bool,
}

impl queue::MemorySize for Output {
    fn memory_size(&self) -> usize {
        ITEM + match self {
            Self::Stdout(bytes) | Self::Stderr(bytes) => bytes.len(),
            Self::Warning(_) | Self::Exit(_) | Self::Failed(_) => 0,
        }
    }
}

/// Makes both ends of the queue.
pub(super) fn outputs(removed: Removal, target: ExecTarget) -> (Sender<Output>, Outputs) {
    let (sender, receiver) = queue::queue(WAITING);
    let outputs = Outputs {
        receiver,
        removed,
        target,
        over: false,
    };
    (sender, outputs)
}

impl Outputs {
    /// Returns the next output; `None` after [`Output::Exit`] or [`Output::Failed`].
    ///
    /// Once the cluster is removed or replaced, the next output is the last one, and any waiting
    /// output is dropped. Cancel-safe.
    pub async fn recv(&mut self) -> Option<Output> {
        if self.over {
            return None;
        }
        let next = tokio::select! {
            biased;
            () = self.removed.cancelled() => None,
            next = self.receiver.recv() => Some(next),
        };
        next.unwrap_or_else(|| {
            // The task that runs the session continues, to end the process's input.
            self.over = true;
            self.receiver.close();
            Some(Output::Failed(ended(&self.target, &self.removed)))
        })
    }

    /// Returns the next output if one is waiting.
    pub fn try_recv(&mut self) -> Option<Output> {
        if self.removed.is_cancelled() {
            return None;
        }
        self.receiver.try_recv()
    }

    /// Waits until the cluster is removed or replaced, and returns the error for the client.
    /// Completes even if the client does not read.
    pub fn removal(&self) -> impl Future<Output = Error> + Send + use<> {
        let (removed, target) = (self.removed.clone(), self.target.clone());
        async move {
            removed.cancelled().await;
            ended(&target, &removed)
        }
    }
}

fn ended(target: &ExecTarget, removed: &Removal) -> Error {
    Error::upstream(target.connection(), Failure::Removed(removed.reason()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use futures_util::FutureExt;
    use tokio::task::unconstrained;

    use super::*;
    use crate::removal::RemovalReason;

    fn both() -> (Removal, Sender<Output>, Outputs) {
        let removed = Removal::default();
        let target = ExecTarget {
            container: "web".into(),
            pod_name: "pod `shop/web` on cluster `prod`".into(),
            program: "/bin/sh".into(),
        };
        let (sender, outputs) = outputs(removed.clone(), target);
        (removed, sender, outputs)
    }

    fn output(bytes: usize) -> Output {
        Output::Stdout(vec![b'x'; bytes].into())
    }

    #[tokio::test]
    async fn it_is_bounded_in_bytes_also_where_outputs_are_small() {
        for size in [1, MAX_OUTPUT] {
            let (_removed, sender, _outputs) = both();
            let mut taken = 0;
            // Unconstrained, or tokio would make the task yield after 128 steps in one poll.
            while unconstrained(sender.send(output(size))).now_or_never().is_some() {
                taken += size + ITEM;
            }
            assert!(taken > 0 && taken <= WAITING, "{taken}");
        }
    }

    #[tokio::test]
    async fn the_end_of_a_cluster_overtakes_waiting_frames_and_names_the_cluster() {
        for why in [RemovalReason::Removed, RemovalReason::Replaced] {
            let (removed, sender, mut outputs) = both();
            sender.send(output(1)).await.unwrap();
            removed.cancel(why);
            match outputs.recv().await {
                Some(Output::Failed(Error::Upstream { what, failure })) => {
                    assert!(what.contains("shop/web"), "{what}");
                    assert_eq!(failure, Failure::Removed(why));
                }
                other => panic!("{other:?}"),
            }
            assert!(outputs.recv().await.is_none());
            sender.closed().await;
        }
    }
}
