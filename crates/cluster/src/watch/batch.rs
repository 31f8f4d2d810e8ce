//! Batches of changes that are applied together, and the meaning of a refused call.

use podgate_index::{Change, Usage};

use super::machine::Input;
use crate::wire::status::Status;

/// The most changes of one batch.
const BATCH: usize = 512;
/// The bytes of rows from which on a batch is full. The last row may exceed it.
const BATCH_BYTES: u64 = 1 << 20;

/// Changes that wait to be applied.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) changes: Vec<Change>,
    /// The number of changes, and the memory of the rows in them.
    pub(super) brought: Usage,
    pub(super) confirms: bool,
}

impl Batch {
    pub(super) fn push(&mut self, change: Change) {
        if let Change::Upsert(pod) = &change {
            self.brought.bytes += pod.weight() as u64;
        }
        self.brought.pods += 1;
        self.changes.push(change);
    }

    pub(super) fn is_full(&self) -> bool {
        self.brought.pods >= BATCH || self.brought.bytes >= BATCH_BYTES
    }
}

/// Returns the machine's input for a refused call. A version that the server has not reached yet
/// counts as expired, because it is just as useless.
pub(super) fn refusal(status: u16, parsed: Option<&Status>) -> Input<'static> {
    if status == 410 || parsed.is_some_and(|parsed| parsed.cause("ResourceVersionTooLarge").is_some()) {
        return Input::Gone;
    }
    Input::Refused { status }
}
