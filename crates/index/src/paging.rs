//! One page of the matches, in order.

use crate::{Order, Sort, bits::Bits, blocks::Blocks, matches::Matches, rows::Rows, table::Table};

/// How many rows of a kept order can be walked past at the cost of sorting one match.
const WALKED: usize = 8;

impl Table {
    /// Returns the row numbers of one page of the matches.
    ///
    /// If all rows match, it costs O(log n) and the page. Otherwise it walks the kept order from
    /// the nearer end where that costs less than sorting the matches, or sorts no more of them than
    /// the page.
    pub(crate) fn page(
        &self,
        matches: &Matches<'_>,
        (sort, order): (Sort, Order),
        offset: usize,
        limit: usize,
    ) -> Vec<u32> {
        let total = matches.total;
        let limit = limit.min(total.saturating_sub(offset));
        if limit == 0 {
            return Vec::new();
        }
        if matches.all {
            return self.walk((sort, order)).from(offset).take(limit).collect();
        }
        if !self.uses_walk(matches, sort, offset, limit) {
            return self.sorted(matches, (sort, order), offset, limit);
        }
        let (all, end) = (self.len(), offset + limit);
        let near = end.min(total - offset);
        let walked = walked(all, near, total);
        // Plain bits are worth making when more rows are looked up than the set holds.
        let bits = (walked > total).then(|| matches.rows.iter().collect::<Bits>());
        let is_match = |row: &u32| match &bits {
            Some(bits) => bits.contains(*row),
            None => matches.rows.contains(*row),
        };
        // The matches may all be at the far end. Then sorting takes over from the walk.
        let (walk, most) = (self.walk((sort, order)), total.saturating_mul(WALKED));
        let mut page: Vec<u32> = if near == end {
            let rows = walk.from(0).take(most).filter(is_match);
            rows.skip(offset).take(limit).collect()
        } else {
            let rows = walk.back_from(all).take(most).filter(is_match);
            rows.skip(total - end).take(limit).collect()
        };
        if page.len() < limit {
            return self.sorted(matches, (sort, order), offset, limit);
        }
        if near != end {
            page.reverse();
        }
        page
    }

    /// Returns whether a page comes from a walk along the kept order rather than from sorting the
    /// matches.
    pub(crate) fn uses_walk(&self, matches: &Matches<'_>, sort: Sort, offset: usize, limit: usize) -> bool {
        let (all, total) = (self.len(), matches.total);
        let limit = limit.min(total.saturating_sub(offset));
        if matches.all || limit == 0 {
            return limit > 0;
        }
        let near = (offset + limit).min(total - offset);
        let building = if self.orders.is_kept(sort) { 0 } else { all };
        walked(all, near, total) + building <= total.saturating_mul(WALKED)
    }

    /// Returns how many matches come before a row, which is one of them.
    ///
    /// Costs O(log n) if all rows match, else a comparison with each match.
    pub(crate) fn position(&self, matches: &Matches<'_>, (sort, order): (Sort, Order), row: u32) -> usize {
        if matches.all {
            return self.walk((sort, order)).position(row);
        }
        let is_before = |other: &u32| match order == sort.natural() {
            true => self.rows.compare(sort, *other, row).is_lt(),
            false => self.rows.compare_reversed(sort, *other, row).is_lt(),
        };
        matches.rows.iter().filter(is_before).count()
    }

    fn walk(&self, (sort, order): (Sort, Order)) -> Walk<'_> {
        Walk {
            rows: &self.rows,
            blocks: self.orders.of(sort, &self.rows, &self.in_use),
            sort,
            reversed: order != sort.natural(),
        }
    }

    /// Returns a page of the matches by sorting them.
    fn sorted(&self, matches: &Matches<'_>, (sort, order): (Sort, Order), offset: usize, limit: usize) -> Vec<u32> {
        let reversed = order != sort.natural();
        let compare = |a: &u32, b: &u32| {
            if reversed {
                self.rows.compare_reversed(sort, *a, *b)
            } else {
                self.rows.compare(sort, *a, *b)
            }
        };
        let mut rows: Vec<u32> = matches.rows.iter().collect();
        let mut page = &mut rows[..];
        if offset > 0 {
            page = page.select_nth_unstable_by(offset - 1, compare).2;
        }
        if limit < page.len() {
            page = page.select_nth_unstable_by(limit, compare).0;
        }
        page.sort_unstable_by(compare);
        page.to_vec()
    }
}

/// Estimates how many of `all` rows are walked past until `near` of the `total` matches are met.
fn walked(all: usize, near: usize, total: usize) -> usize {
    all.saturating_mul(near) / total
}

/// All rows in the order asked for.
///
/// In the reversed order, groups of rows with equal keys come last to first, but rows within a
/// group keep their order: ties go by identity in both directions. The rows that
/// [`Rows::comes_last`] names stay at the end.
struct Walk<'a> {
    rows: &'a Rows,
    blocks: &'a Blocks,
    sort: Sort,
    reversed: bool,
}

impl<'a> Walk<'a> {
    /// Returns the rows from a position on.
    fn from(self, mut position: usize) -> Box<dyn Iterator<Item = u32> + 'a> {
        if !self.reversed {
            return Box::new(self.blocks.from(position));
        }
        let (blocks, len) = (self.blocks, self.turned());
        let last = blocks.from(position.max(len));
        let groups = std::iter::from_fn(move || {
            let (start, end) = self.group(len.checked_sub(position + 1)?)?;
            let within = position - (len - end);
            position = len - start;
            Some(blocks.from(start + within).take(end - start - within))
        });
        Box::new(groups.flatten().chain(last))
    }

    /// Returns the rows before a position, last first.
    fn back_from(self, position: usize) -> Box<dyn Iterator<Item = u32> + 'a> {
        if !self.reversed {
            return Box::new(self.blocks.back_from(position));
        }
        let (blocks, len) = (self.blocks, self.turned());
        let last = blocks
            .back_from(position)
            .take(position.min(blocks.len()).saturating_sub(len));
        let mut left = position.min(len);
        let groups = std::iter::from_fn(move || {
            let (start, end) = self.group(len - left.checked_sub(1)? - 1)?;
            let within = left - (len - end);
            left = len - end;
            Some(blocks.back_from(start + within).take(within))
        });
        Box::new(last.chain(groups.flatten()))
    }

    /// Returns how many rows come before a row.
    fn position(&self, row: u32) -> usize {
        let rank = self.blocks.rank(|other| self.rows.compare(self.sort, other, row));
        let turned = self.turned();
        if !self.reversed || rank >= turned {
            return rank;
        }
        let (start, end) = self.group(rank).unwrap_or((rank, rank + 1));
        turned - end + (rank - start)
    }

    /// Returns how many rows change places in the reversed order; the others stay at the end.
    fn turned(&self) -> usize {
        if self.sort != Sort::LastRestartAt {
            return self.blocks.len();
        }
        let before = |row| match self.rows.comes_last(self.sort, row) {
            false => std::cmp::Ordering::Less,
            true => std::cmp::Ordering::Greater,
        };
        self.blocks.rank(before)
    }

    /// Returns where, in the kept order, the rows with the same key as the row at a position start
    /// and end.
    fn group(&self, position: usize) -> Option<(usize, usize)> {
        let row = self.blocks.get(position)?;
        let compare = |other| self.rows.compare_keys(self.sort, other, row);
        // Where keys rarely repeat, looking at the neighbours is enough.
        let other = |at: Option<usize>| {
            at.and_then(|at| self.blocks.get(at))
                .is_none_or(|id| compare(id).is_ne())
        };
        let start = if other(position.checked_sub(1)) {
            position
        } else {
            self.blocks.rank(compare)
        };
        let end = if other(Some(position + 1)) {
            position + 1
        } else {
            // Equal keys count as sorting before.
            self.blocks.rank(|id| compare(id).then(std::cmp::Ordering::Less))
        };
        Some((start, end))
    }
}
