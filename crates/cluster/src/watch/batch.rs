//! The changes of a watch that are applied together, and the answers that are none.

use podgate_index::{Change, Usage};

use super::machine::Input;
use crate::wire::status::Status;

/// Changes applied at once at most.
const BATCH: usize = 512;
/// Bytes of the rows of such changes, more or less at most.
const BATCH_BYTES: u64 = 1 << 20;

/// Changes that wait to be applied.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) changes: Vec<Change>,
    /// How many changes, and the weight of the rows that they bring.
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

/// The input that an answer other than success is. A version that the server has not reached is as useless as one that it no longer has.
pub(super) fn refusal(status: u16, parsed: Option<&Status>) -> Input<'static> {
    if status == 410 || parsed.is_some_and(|parsed| parsed.cause("ResourceVersionTooLarge").is_some()) {
        return Input::Gone;
    }
    Input::Refused { status }
}
