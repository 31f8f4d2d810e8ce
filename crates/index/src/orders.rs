//! The orders that are kept.

mod build;

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, Ordering},
};

use roaring::RoaringBitmap;

use crate::{Sort, blocks::Blocks, rows::Rows};

/// An order for each sort: newest first always, the others from when they are first asked for until [`Orders::tidy`] finds them
/// unused.
#[derive(Debug)]
pub(crate) struct Orders {
    /// By sort.
    kept: [Kept; Sort::ALL.len()],
}

#[derive(Debug, Default)]
struct Kept {
    blocks: OnceLock<Blocks>,
    /// Whether it was asked for since the last [`Orders::tidy`].
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
    /// A sort's order, in its [`Sort::natural`] direction, over all rows. Built when it is not kept yet: a full sort.
    pub(crate) fn of(&self, sort: Sort, rows: &Rows, all: &RoaringBitmap) -> &Blocks {
        let kept = &self.kept[sort as usize];
        kept.used.store(true, Ordering::Relaxed);
        kept.blocks.get_or_init(|| {
            let mut sorted: Vec<u32> = all.iter().collect();
            sorted.sort_unstable_by(|&a, &b| rows.compare(sort, a, b));
            Blocks::new(&sorted)
        })
    }

    /// Keeps a sort's order of all rows, unless somebody was faster.
    pub(crate) fn keep(&self, sort: Sort, blocks: Blocks) {
        let kept = &self.kept[sort as usize];
        kept.used.store(true, Ordering::Relaxed);
        kept.blocks.get_or_init(|| blocks);
    }

    pub(crate) fn is_kept(&self, sort: Sort) -> bool {
        self.kept[sort as usize].blocks.get().is_some()
    }

    /// Puts a row into those orders that are kept and `which` names.
    pub(crate) fn insert(&mut self, rows: &Rows, row: u32, which: impl Fn(Sort) -> bool) {
        for (sort, blocks) in self.kept_mut().filter(|(sort, _)| which(*sort)) {
            blocks.insert(row, |other| rows.compare(sort, other, row));
        }
    }

    /// Takes a row out of those orders that are kept and `which` names, before what they compare changes.
    pub(crate) fn remove(&mut self, rows: &Rows, row: u32, which: impl Fn(Sort) -> bool) {
        for (sort, blocks) in self.kept_mut().filter(|(sort, _)| which(*sort)) {
            blocks.remove(row, |other| rows.compare(sort, other, row));
        }
    }

    fn kept_mut(&mut self) -> impl Iterator<Item = (Sort, &mut Blocks)> {
        let kept = Sort::ALL.into_iter().zip(&mut self.kept);
        kept.filter_map(|(sort, kept)| Some((sort, kept.blocks.get_mut()?)))
    }

    /// Drops the orders that nobody asked for since the last time.
    pub(crate) fn tidy(&mut self) {
        for (sort, kept) in Sort::ALL.into_iter().zip(&mut self.kept) {
            if !std::mem::take(kept.used.get_mut()) && sort != Sort::CreatedAt {
                kept.blocks.take();
            }
        }
    }
}
