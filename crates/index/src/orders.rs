//! The kept orders of the rows.

mod build;

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, Ordering},
};

use roaring::RoaringBitmap;

use crate::{Sort, blocks::Blocks, rows::Rows};

/// An order for each sort.
///
/// Newest first is always kept. The others are kept from the first query that asks for them until
/// [`Orders::tidy`] finds them unused.
#[derive(Debug)]
pub(crate) struct Orders {
    /// Indexed by `Sort as usize`.
    kept: [Kept; Sort::ALL.len()],
}

#[derive(Debug, Default)]
struct Kept {
    blocks: OnceLock<Blocks>,
    /// Whether a query asked for it since the last [`Orders::tidy`].
    used: AtomicBool,
}

impl Default for Orders {
    fn default() -> Self {
        let orders = Self {
            kept: Default::default(),
        };
        orders.kept[Sort::CreatedAt as usize]
            .blocks
            .get_or_init(Blocks::default);
        orders
    }
}

impl Orders {
    /// Returns a sort's order of all rows in its [`Sort::natural`] direction. Builds it with a full
    /// sort if it is not kept yet.
    pub(crate) fn of(&self, sort: Sort, rows: &Rows, all: &RoaringBitmap) -> &Blocks {
        let kept = &self.kept[sort as usize];
        kept.used.store(true, Ordering::Relaxed);
        kept.blocks.get_or_init(|| {
            let mut sorted: Vec<u32> = all.iter().collect();
            sorted.sort_unstable_by(|&a, &b| rows.compare(sort, a, b));
            Blocks::new(&sorted)
        })
    }

    /// Keeps a sort's order of all rows, unless another thread has built one meanwhile.
    pub(crate) fn keep(&self, sort: Sort, blocks: Blocks) {
        let kept = &self.kept[sort as usize];
        kept.used.store(true, Ordering::Relaxed);
        kept.blocks.get_or_init(|| blocks);
    }

    pub(crate) fn is_kept(&self, sort: Sort) -> bool {
        self.kept[sort as usize].blocks.get().is_some()
    }

    /// Inserts a row into the kept orders that `which` selects.
    pub(crate) fn insert(&mut self, rows: &Rows, row: u32, which: impl Fn(Sort) -> bool) {
        for (sort, blocks) in self.kept_mut().filter(|(sort, _)| which(*sort)) {
            blocks.insert(row, |other| rows.compare(sort, other, row));
        }
    }

    /// Removes a row from the kept orders that `which` selects. Call it before the fields that they
    /// compare change.
    pub(crate) fn remove(&mut self, rows: &Rows, row: u32, which: impl Fn(Sort) -> bool) {
        for (sort, blocks) in self.kept_mut().filter(|(sort, _)| which(*sort)) {
            blocks.remove(row, |other| rows.compare(sort, other, row));
        }
    }

    fn kept_mut(&mut self) -> impl Iterator<Item = (Sort, &mut Blocks)> {
        let kept = Sort::ALL.into_iter().zip(&mut self.kept);
        kept.filter_map(|(sort, kept)| Some((sort, kept.blocks.get_mut()?)))
    }

    /// Drops the orders that no query asked for since the last call.
    pub(crate) fn tidy(&mut self) {
        for (sort, kept) in Sort::ALL.into_iter().zip(&mut self.kept) {
            if !std::mem::take(kept.used.get_mut()) && sort != Sort::CreatedAt {
                kept.blocks.take();
            }
        }
    }
}
