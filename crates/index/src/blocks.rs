//! An order of rows that stays sorted.

use std::cmp::Ordering;

/// The most IDs in a block: few enough that an insert moves little, many enough that there are few
/// blocks.
const FULL: usize = 512;

/// By how many IDs a block's capacity grows or shrinks. Doubling would leave a third of all blocks
/// unused.
const STEP: usize = 64;

/// IDs in an order that the caller defines: blocks, with a Fenwick tree over their lengths.
///
/// For n IDs, insert, remove and finding a position cost O(log n); a change also moves a part of
/// one block.
///
/// The caller's comparison must be a total order in which no two IDs are equal. It must not change
/// for an ID that is inside.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    /// No block is empty.
    blocks: Vec<Vec<u32>>,
    lengths: Fenwick,
}

/// Sums of block lengths. Entry i sums the blocks from i + 1 minus its lowest set bit up to i.
#[derive(Debug, Default)]
struct Fenwick {
    sums: Vec<u32>,
    total: usize,
}

impl Fenwick {
    fn new(lengths: impl Iterator<Item = usize>) -> Self {
        let mut sums: Vec<u32> = lengths.map(|length| length as u32).collect();
        let total = sums.iter().map(|&length| length as usize).sum();
        for at in 1..=sums.len() {
            let parent = at + (at & at.wrapping_neg());
            if parent <= sums.len() {
                sums[parent - 1] += sums[at - 1];
            }
        }
        Self { sums, total }
    }

    /// Counts one more ID in a block, or one fewer.
    fn change(&mut self, block: usize, more: bool) {
        let mut at = block + 1;
        while let Some(sum) = self.sums.get_mut(at - 1) {
            *sum = if more { *sum + 1 } else { *sum - 1 };
            at += at & at.wrapping_neg();
        }
        self.total = if more { self.total + 1 } else { self.total - 1 };
    }

    /// Returns the number of IDs in the blocks before one.
    fn before(&self, block: usize) -> usize {
        let (mut at, mut sum) = (block, 0);
        while at > 0 {
            sum += self.sums[at - 1] as usize;
            at &= at - 1;
        }
        sum
    }

    /// Returns the block of a position and the place in it; past the end, the number of blocks.
    fn find(&self, mut position: usize) -> (usize, usize) {
        let mut block = 0;
        let mut step = self.sums.len().checked_ilog2().map_or(0, |log| 1 << log);
        while step > 0 {
            if let Some(&sum) = self.sums.get(block + step - 1)
                && sum as usize <= position
            {
                block += step;
                position -= sum as usize;
            }
            step /= 2;
        }
        (block, position)
    }
}

impl Blocks {
    /// Builds the blocks from IDs that are in order.
    pub(crate) fn new(sorted: &[u32]) -> Self {
        // Leaves space, so that the first inserts do not split every block.
        let blocks: Vec<_> = sorted.chunks(FULL / 4 * 3).map(<[u32]>::to_vec).collect();
        let lengths = Fenwick::new(blocks.iter().map(Vec::len));
        Self { blocks, lengths }
    }

    /// Inserts an ID. `compare` orders an ID of the set relative to it.
    pub(crate) fn insert(&mut self, id: u32, compare: impl Fn(u32) -> Ordering) {
        let (mut block, mut at) = self.place(&compare);
        if block == self.blocks.len() && block > 0 {
            block -= 1;
            at = self.blocks[block].len();
        }
        let Some(ids) = self.blocks.get_mut(block) else {
            self.blocks.push(vec![id]);
            self.count();
            return;
        };
        if ids.len() < FULL {
            put(ids, at, id);
            self.lengths.change(block, true);
            return;
        }
        let mut upper = ids.split_off(FULL / 2);
        ids.shrink_to_fit();
        if at <= FULL / 2 {
            put(ids, at, id);
        } else {
            put(&mut upper, at - FULL / 2, id);
        }
        self.blocks.insert(block + 1, upper);
        self.count();
    }

    /// Removes an ID. `compare` orders an ID of the set relative to it.
    pub(crate) fn remove(&mut self, id: u32, compare: impl Fn(u32) -> Ordering) {
        let (block, at) = self.place(&compare);
        let found = self.blocks.get(block).and_then(|ids| ids.get(at));
        debug_assert_eq!(found, Some(&id), "the order of a row changed while it was inside");
        if found != Some(&id) {
            return;
        }
        let ids = &mut self.blocks[block];
        ids.remove(at);
        if ids.capacity() - ids.len() > 2 * STEP {
            ids.shrink_to(ids.len() + STEP);
        }
        self.lengths.change(block, false);
        self.join(block);
    }

    /// Returns the block and place of the first ID that does not sort before; past the end, the
    /// number of blocks.
    fn place(&self, compare: &impl Fn(u32) -> Ordering) -> (usize, usize) {
        let before = |id: &u32| compare(*id).is_lt();
        let block = self.blocks.partition_point(|ids| ids.last().is_some_and(before));
        let at = self.blocks.get(block).map_or(0, |ids| ids.partition_point(before));
        (block, at)
    }

    /// Returns how many IDs sort before the one that `compare` compares with.
    pub(crate) fn rank(&self, compare: impl Fn(u32) -> Ordering) -> usize {
        let (block, at) = self.place(&compare);
        self.lengths.before(block) + at
    }

    /// Drops a block that is empty, or joins a small one with a neighbour.
    fn join(&mut self, block: usize) {
        let len = |block: usize| self.blocks.get(block).map_or(FULL, Vec::len);
        let small = |a, b| len(a) + len(b) <= FULL / 2;
        let first = if len(block) == 0 {
            self.blocks.remove(block);
            self.count();
            return;
        } else if small(block, block + 1) {
            block
        } else if block > 0 && small(block - 1, block) {
            block - 1
        } else {
            return;
        };
        let next = self.blocks.remove(first + 1);
        self.blocks[first].extend(next);
        self.blocks[first].shrink_to(FULL / 2);
        self.count();
    }

    /// Rebuilds the sums after a block came or went, which is rare: once for many changes within a
    /// block.
    fn count(&mut self) {
        self.lengths = Fenwick::new(self.blocks.iter().map(Vec::len));
    }

    /// Returns the number of IDs.
    pub(crate) fn len(&self) -> usize {
        self.lengths.total
    }

    /// Returns the ID at a position.
    pub(crate) fn get(&self, position: usize) -> Option<u32> {
        let (block, at) = self.lengths.find(position);
        self.blocks.get(block)?.get(at).copied()
    }

    /// Returns the IDs from a position on, in order.
    pub(crate) fn from(&self, position: usize) -> impl Iterator<Item = u32> {
        let (block, at) = self.lengths.find(position);
        let blocks = self.blocks.get(block..).unwrap_or_default();
        let first = blocks.first().and_then(|ids| ids.get(at..)).unwrap_or_default();
        let others = blocks.iter().skip(1).flatten();
        first.iter().chain(others).copied()
    }

    /// Returns the IDs before a position, last first.
    pub(crate) fn back_from(&self, position: usize) -> impl Iterator<Item = u32> {
        let (block, at) = self.lengths.find(position.min(self.len()));
        let last = self.blocks.get(block).and_then(|ids| ids.get(..at)).unwrap_or_default();
        let others = self.blocks.get(..block).unwrap_or_default().iter().rev();
        last.iter()
            .rev()
            .chain(others.flat_map(|ids| ids.iter().rev()))
            .copied()
    }
}

fn put(ids: &mut Vec<u32>, at: usize, id: u32) {
    if ids.len() == ids.capacity() {
        ids.reserve_exact(STEP);
    }
    ids.insert(at, id);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permuted(n: u32) -> impl Iterator<Item = u32> {
        // 7919 is prime and does not divide n, so this visits each number below n once.
        (0..n).map(move |i| (u64::from(i) * 7919 % u64::from(n)) as u32)
    }

    fn check(blocks: &Blocks, ids: &[u32]) {
        assert_eq!(blocks.len(), ids.len());
        assert!(blocks.from(0).eq(ids.iter().copied()));
        assert!(blocks.blocks.iter().all(|block| (1..=FULL).contains(&block.len())));
        for at in [0, 1, 255, 256, 257, 511, 512, 4_999, 5_000, 9_999] {
            let (before, after) = ids.split_at(at.min(ids.len()));
            assert!(blocks.from(at).eq(after.iter().copied()), "from {at}");
            assert!(blocks.back_from(at).eq(before.iter().rev().copied()), "back from {at}");
            assert_eq!(blocks.get(at), ids.get(at).copied(), "at {at}");
        }
        for (at, id) in ids.iter().enumerate().step_by(97) {
            assert_eq!(blocks.rank(|other| other.cmp(id)), at);
        }
        assert_eq!(blocks.rank(|_| Ordering::Less), ids.len());
    }

    #[test]
    fn stays_sorted_and_counted_through_splits_and_joins() {
        let n = 5_000;
        let mut blocks = Blocks::default();
        check(&blocks, &[]);
        for id in permuted(n) {
            blocks.insert(id, |other| other.cmp(&id));
        }
        let all: Vec<_> = (0..n).collect();
        check(&blocks, &all);
        for id in permuted(n).filter(|id| id % 50 != 0) {
            blocks.remove(id, |other| other.cmp(&id));
        }
        let few: Vec<_> = (0..n).step_by(50).collect();
        check(&blocks, &few);
        assert!(blocks.blocks.len() <= 4, "small blocks were not joined");
        for id in few {
            blocks.remove(id, |other| other.cmp(&id));
        }
        assert!(blocks.blocks.is_empty());
        check(&blocks, &[]);
    }

    #[test]
    fn takes_what_is_sorted_and_grows_at_both_ends() {
        let sorted: Vec<_> = (1_000..4_000).collect();
        let mut blocks = Blocks::new(&sorted);
        check(&blocks, &sorted);
        for id in (0..1_000).rev().chain(4_000..5_000) {
            blocks.insert(id, |other| other.cmp(&id));
        }
        check(&blocks, &(0..5_000).collect::<Vec<_>>());
    }
}
