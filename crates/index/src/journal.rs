//! The rows that changed last.

use std::collections::VecDeque;

/// The number of changes that are always kept.
const LEAST: usize = 4096;

/// The rows of the last changes, one for each tick of the table's clock: a quarter as many as the
/// index has rows, and at least 4,096.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    rows: VecDeque<u32>,
    /// The clock before the first of these changes.
    start: u64,
}

impl Journal {
    /// Creates an empty journal that starts at a time of the clock.
    pub(crate) fn new(clock: u64) -> Self {
        Self {
            rows: VecDeque::new(),
            start: clock,
        }
    }

    /// Records the next change. `rows` is the number of rows in the index.
    pub(crate) fn push(&mut self, row: u32, rows: usize) {
        while self.rows.len() >= LEAST.max(rows / 4) {
            self.rows.pop_front();
            self.start += 1;
        }
        self.rows.push_back(row);
    }

    /// Returns the rows that changed after a time of the clock, in order; one may occur several
    /// times.
    ///
    /// `None` if the journal no longer reaches that far back.
    pub(crate) fn since(&self, clock: u64) -> Option<impl Iterator<Item = u32>> {
        let skipped = clock.checked_sub(self.start)?;
        let skipped = usize::try_from(skipped).unwrap_or(usize::MAX).min(self.rows.len());
        Some(self.rows.range(skipped..).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_what_it_still_holds() {
        let mut journal = Journal::new(100);
        for row in 0..LEAST as u32 {
            journal.push(row, 0);
        }
        assert_eq!(journal.since(100).map(Iterator::count), Some(LEAST));
        journal.push(7, 0);
        assert!(journal.since(100).is_none());
        assert_eq!(journal.since(101).map(Iterator::count), Some(LEAST));
        let last = 100 + LEAST as u64;
        assert_eq!(journal.since(last).map(Iterator::collect), Some(vec![7]));
        assert_eq!(journal.since(last + 1).map(Iterator::count), Some(0));
        journal.push(8, LEAST * 8);
        assert_eq!(journal.since(101).map(Iterator::count), Some(LEAST + 1));
    }
}
