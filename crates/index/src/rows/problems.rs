//! The rows of unhealthy pods.

use roaring::RoaringBitmap;

use crate::ReasonCode;

/// The rows with a reason, in all and by code.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    all: RoaringBitmap,
    /// Indexed by `ReasonCode as usize`.
    by_code: [RoaringBitmap; ReasonCode::ALL.len()],
}

impl Problems {
    /// Returns the rows with any reason.
    pub(crate) fn all(&self) -> &RoaringBitmap {
        &self.all
    }

    /// Returns the rows with a code.
    pub(crate) fn of(&self, code: ReasonCode) -> &RoaringBitmap {
        &self.by_code[code as usize]
    }

    /// Notes a row's code; `None` for a healthy pod and for a number that is freed.
    pub(super) fn set(&mut self, row: u32, code: Option<ReasonCode>) {
        if self.all.remove(row) {
            for rows in &mut self.by_code {
                rows.remove(row);
            }
        }
        if let Some(code) = code {
            self.all.insert(row);
            self.by_code[code as usize].insert(row);
        }
    }
}
