//! Builds an order while rows change: others who wait for the lock get turns every few thousand
//! rows.
//!
//! The rows are sorted in runs and the runs merged, by the rows' state at the start. A row that
//! changes meanwhile would be in the wrong place and mislead the comparisons with its neighbours.
//! So it is left out wherever it is met, and inserted at the end, when no change can come in.

use std::collections::VecDeque;

use roaring::RoaringBitmap;

use crate::{Index, Query, Reader, Sort, blocks::Blocks, table::Table};

/// How many rows are sorted or merged while the lock is held: a few milliseconds' worth.
const SLICE: usize = 4096;
/// With fewer rows than this, the query that asks for an order sorts it at once.
const BUILD_MIN: usize = 4 * SLICE;

impl Index {
    /// Opens the index for one query, as [`Index::read`] does, with the order ready that the answer
    /// needs.
    ///
    /// If the answer would first have to sort many rows, this builds the order beforehand; changes
    /// and other readers get turns in between.
    ///
    /// Costs nothing if the order is kept. Building it is a full sort: a second for half a million
    /// rows.
    pub fn read_for(&self, query: &Query) -> Reader<'_> {
        let reader = self.read();
        if !reader.table.needs_order(query) {
            return reader;
        }
        drop(reader);
        self.build(query.sort, SLICE, || {});
        self.read()
    }

    /// Builds an order and calls `between` whenever the lock is free.
    ///
    /// The order is not kept if more rows changed meanwhile than the journal remembers.
    fn build(&self, sort: Sort, slice: usize, mut between: impl FnMut()) {
        let (start, rows) = {
            let table = &self.read().table;
            (table.partitions.clock(), table.in_use.iter().collect::<Vec<u32>>())
        };
        let mut runs = VecDeque::new();
        for rows in rows.chunks(slice) {
            between();
            runs.push_back(self.read().table.run(sort, rows, start));
        }
        drop(rows);
        while let (Some(a), Some(b)) = (runs.pop_front(), runs.pop_front()) {
            let mut merged = Vec::with_capacity(a.len() + b.len());
            let (mut a, mut b) = (&a[..], &b[..]);
            while !(a.is_empty() && b.is_empty()) {
                between();
                self.read()
                    .table
                    .merge(sort, start, (&mut a, &mut b), &mut merged, slice);
            }
            if runs.is_empty() {
                between();
                return self.read().table.keep(sort, merged, start);
            }
            runs.push_back(merged);
        }
    }
}

impl Table {
    /// Returns whether the answer to a query would first have to sort many rows.
    fn needs_order(&self, query: &Query) -> bool {
        !self.orders.is_kept(query.sort)
            && self.len() >= BUILD_MIN
            && self.uses_walk(&self.matches(query), query.sort, query.offset, query.limit)
    }

    /// Returns whether a row has not changed since a time of the clock.
    fn is_as_at(&self, row: u32, clock: u64) -> bool {
        self.rows.row(row).is_some() && self.version(row) <= clock
    }

    /// Returns those of `rows` that have not changed, sorted.
    fn run(&self, sort: Sort, rows: &[u32], start: u64) -> Vec<u32> {
        let mut run = rows.to_vec();
        run.retain(|&row| self.is_as_at(row, start));
        run.sort_unstable_by(|&a, &b| self.rows.compare(sort, a, b));
        run
    }

    /// Merges at most `most` rows from the heads of two runs, leaving out those that have changed.
    fn merge<'r>(
        &self,
        sort: Sort,
        start: u64,
        (a, b): (&mut &'r [u32], &mut &'r [u32]),
        merged: &mut Vec<u32>,
        most: usize,
    ) {
        for _ in 0..most {
            let next = match (a.first(), b.first()) {
                (Some(&first), _) if !self.is_as_at(first, start) => &mut *a,
                (_, Some(&second)) if !self.is_as_at(second, start) => &mut *b,
                (Some(&first), Some(&second)) if self.rows.compare(sort, second, first).is_lt() => &mut *b,
                (Some(_), _) => &mut *a,
                (None, Some(_)) => &mut *b,
                (None, None) => return,
            };
            let Some((&row, rest)) = next.split_first() else { return };
            *next = rest;
            if self.is_as_at(row, start) {
                merged.push(row);
            }
        }
    }

    /// Keeps the order of the rows that have not changed, after inserting those that have.
    fn keep(&self, sort: Sort, mut sorted: Vec<u32>, start: u64) {
        let Some(changed) = self.journal.since(start) else {
            return;
        };
        let changed: RoaringBitmap = changed.filter(|&row| self.rows.row(row).is_some()).collect();
        sorted.retain(|&row| self.is_as_at(row, start));
        let mut blocks = Blocks::new(&sorted);
        for row in changed {
            blocks.insert(row, |other| self.rows.compare(sort, other, row));
        }
        self.orders.keep(sort, blocks);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::{Change, ClusterId, Pod};

    const CLUSTER: ClusterId = ClusterId(1);

    fn pod(name: u8, state: u8) -> Pod {
        Pod {
            namespace: format!("ns-{}", name % 3),
            name: format!("pod-{name}"),
            status: format!("status-{}", state % 5),
            node: format!("node-{}", state % 7),
            qos_class: format!("class-{}", state % 3),
            restarts: u32::from(state % 4),
            created_at: (!state.is_multiple_of(6)).then_some(i64::from(state % 6)),
            ..Pod::default()
        }
    }

    /// Generates a row that is added, changed or removed.
    fn change() -> impl Strategy<Value = Change> {
        (0..100u8, 0..10u8, any::<u8>()).prop_map(|(name, kind, state)| match kind {
            0..3 => {
                let Pod { namespace, name, .. } = pod(name, 0);
                Change::Remove { namespace, name }
            }
            _ => Change::Upsert(pod(name, state)),
        })
    }

    fn sort() -> impl Strategy<Value = Sort> {
        prop::sample::select(Sort::ALL.to_vec()).prop_filter("always kept", |sort| *sort != Sort::CreatedAt)
    }

    proptest! {
        #[test]
        fn an_order_built_while_rows_change_is_their_order(
            before in vec(change(), 0..200), during in vec(vec(change(), 0..6), 0..60), after in vec(change(), 0..50), sort in sort(), slice in 1..9usize,
        ) {
            let index = Index::new();
            index.apply(CLUSTER, before);
            let mut during = during.into_iter();
            index.build(sort, slice, || index.apply(CLUSTER, during.next().unwrap_or_default()));
            let reader = index.read();
            // With few rows at the start there was nothing to merge.
            let kept = reader.table.orders.is_kept(sort);
            drop(reader);
            index.apply(CLUSTER, after);
            let table = &index.read().table;
            let blocks = table.orders.of(sort, &table.rows, &table.in_use);
            let mut expected: Vec<u32> = table.in_use.iter().collect();
            expected.sort_unstable_by(|&a, &b| table.rows.compare(sort, a, b));
            prop_assert_eq!(blocks.from(0).collect::<Vec<_>>(), expected, "kept {}", kept);
        }
    }

    #[test]
    fn many_rows_are_put_in_order_before_they_are_read() {
        let index = Index::new();
        let pods = (0..BUILD_MIN).map(|n| Pod {
            name: format!("pod-{}", n * 7919 % BUILD_MIN),
            restarts: (n % 5) as u32,
            ..Pod::default()
        });
        index.apply(CLUSTER, pods.map(Change::Upsert).collect());
        let query = |sort| Query {
            clusters: vec![CLUSTER],
            sort,
            ..Query::default()
        };
        for sort in Sort::ALL {
            let reader = index.read_for(&query(sort));
            assert!(reader.table.orders.is_kept(sort), "{sort:?}");
        }
        let few = Query {
            namespaces: vec!["none".to_owned()],
            ..query(Sort::Name)
        };
        index.tidy();
        index.tidy();
        assert!(
            !index.read_for(&few).table.orders.is_kept(Sort::Name),
            "a page that needs no order"
        );
    }

    #[test]
    fn more_changes_than_are_remembered_leave_no_order() {
        let index = Index::new();
        let all = |state: u8| (0..100).map(|name| Change::Upsert(pod(name, state))).collect();
        index.apply(CLUSTER, all(0));
        let mut state = 0;
        index.build(Sort::Restarts, 1, || {
            state += 1;
            index.apply(CLUSTER, all(state));
        });
        assert!(!index.read().table.orders.is_kept(Sort::Restarts));
    }
}
