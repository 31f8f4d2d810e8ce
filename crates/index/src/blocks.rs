//! An order over rows that stays sorted.

use std::cmp::Ordering;

/// The most ids in a block: small enough that an insert moves little, large enough that there are few blocks.
const FULL: usize = 512;

/// Ids in an order that the caller defines, in counted blocks. Insert and remove cost O(log n) comparisons and the move of
/// part of one block; a position is found by summing the blocks' lengths.
///
/// The caller's comparison must be a total order in which no two ids are equal, and must not change for an id that is inside.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    blocks: Vec<Vec<u32>>,
}

impl Blocks {
    /// Inserts an id; `compare` orders an id of the set relative to it.
    pub(crate) fn insert(&mut self, id: u32, compare: impl Fn(u32) -> Ordering) {
        let (block, at) = self.position(&compare);
        let Some(ids) = self.blocks.get_mut(block) else {
            self.blocks.push(vec![id]);
            return;
        };
        ids.insert(at, id);
        if ids.len() > FULL {
            let upper = ids.split_off(FULL / 2);
            self.blocks.insert(block + 1, upper);
        }
    }

    /// Removes an id; `compare` orders an id of the set relative to it.
    pub(crate) fn remove(&mut self, id: u32, compare: impl Fn(u32) -> Ordering) {
        let (block, at) = self.position(&compare);
        let Some(ids) = self.blocks.get_mut(block) else {
            return;
        };
        debug_assert_eq!(ids.get(at), Some(&id), "the order of a row changed while it was inside");
        if ids.get(at) == Some(&id) {
            ids.remove(at);
        }
        self.join(block);
    }

    /// Block and place of the first id that does not sort before; the last block's end if all do.
    fn position(&self, compare: &impl Fn(u32) -> Ordering) -> (usize, usize) {
        let before = |id: &u32| compare(*id).is_lt();
        let block = self
            .blocks
            .partition_point(|ids| ids.last().is_some_and(before))
            .min(self.blocks.len().saturating_sub(1));
        let at = self.blocks.get(block).map_or(0, |ids| ids.partition_point(before));
        (block, at)
    }

    /// Drops an empty block; joins a small one to the next.
    fn join(&mut self, block: usize) {
        if self.blocks[block].is_empty() {
            self.blocks.remove(block);
        } else if let Some(next) = self.blocks.get(block + 1)
            && self.blocks[block].len() + next.len() <= FULL / 2
        {
            let next = self.blocks.remove(block + 1);
            self.blocks[block].extend(next);
        }
    }

    /// How many ids there are.
    pub(crate) fn len(&self) -> usize {
        self.blocks.iter().map(Vec::len).sum()
    }

    /// The ids in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        self.blocks.iter().flatten().copied()
    }

    /// The ids in order from a position on. Skips whole blocks.
    pub(crate) fn iter_from(&self, mut position: usize) -> impl Iterator<Item = u32> {
        let mut first = 0;
        while let Some(ids) = self.blocks.get(first)
            && ids.len() <= position
        {
            position -= ids.len();
            first += 1;
        }
        self.blocks.iter().skip(first).flatten().skip(position).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permuted(n: u32) -> impl Iterator<Item = u32> {
        // 7919 is prime and does not divide n, so this visits each number below n once.
        (0..n).map(move |i| (u64::from(i) * 7919 % u64::from(n)) as u32)
    }

    #[test]
    fn stays_sorted_through_splits_and_joins() {
        let n = 5_000;
        let mut blocks = Blocks::default();
        for id in permuted(n) {
            blocks.insert(id, |other| other.cmp(&id));
        }
        assert!(blocks.iter().eq(0..n));
        assert!(blocks.blocks.iter().all(|ids| ids.len() <= FULL));
        for start in [0, 1, 255, 256, 511, 4_999, 5_000, 9_999] {
            assert!(blocks.iter_from(start).eq(start as u32..n), "from {start}");
        }
        for id in permuted(n).filter(|id| id % 50 != 0) {
            blocks.remove(id, |other| other.cmp(&id));
        }
        assert!(blocks.iter().eq((0..n).step_by(50)));
        assert!(blocks.blocks.len() <= 4, "small blocks were not joined");
        for id in (0..n).step_by(50) {
            blocks.remove(id, |other| other.cmp(&id));
        }
        assert!(blocks.blocks.is_empty());
    }
}
