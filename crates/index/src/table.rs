//! The rows with their look-up and their orders: the state behind the index's lock.

#[cfg(test)]
mod tests;

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};
use roaring::RoaringBitmap;

use crate::{
    Change, ClusterId, Pod, Sort,
    column::{reserve, shorten},
    dictionary::Sym,
    journal::Journal,
    orders::Orders,
    partitions::{Partitions, RowEvent},
    rows::Rows,
    uid::Uid,
};

/// With fewer rows than this, compacting frees too little to be worth it.
const COMPACT_MIN: usize = 16;

/// All rows. They are found by cluster, namespace and name, by their postings, and in kept orders.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) rows: Rows,
    /// The numbers of all rows.
    pub(crate) in_use: RoaringBitmap,
    /// Row numbers to reuse.
    free: Vec<u32>,
    pub(crate) partitions: Partitions,
    pub(crate) journal: Journal,
    by_key: HashTable<u32>,
    hasher: DefaultHashBuilder,
    pub(crate) orders: Orders,
    /// The number of relists that have begun.
    generation: u32,
    /// The generation in which each row was last applied.
    applied: Vec<u32>,
}

impl Table {
    pub(crate) fn apply(&mut self, cluster: ClusterId, change: &Change) {
        match change {
            Change::Upsert(pod) => self.upsert(cluster, pod),
            Change::Remove { namespace, name } => {
                if let Some(row) = self.find(cluster, namespace, name) {
                    self.remove(row);
                }
            }
        }
    }

    fn upsert(&mut self, cluster: ClusterId, pod: &Pod) {
        let row = match self.find(cluster, &pod.namespace, &pod.name) {
            Some(row) => {
                // An upsert that changes nothing leaves the version and the generation as they are.
                if self.rows.row(row).is_none_or(|known| !known.equals(pod)) {
                    self.update(row, pod);
                }
                row
            }
            None => self.insert(cluster, pod),
        };
        self.applied[row as usize] = self.generation;
    }

    /// Replaces the row of `before` with `after` if it still equals `before`. Returns whether it
    /// did.
    pub(crate) fn compare_and_set(&mut self, cluster: ClusterId, before: &Pod, after: &Pod) -> bool {
        let Some(row) = self.find(cluster, &before.namespace, &before.name) else {
            return false;
        };
        if !self.rows.row(row).is_some_and(|known| known.equals(before)) {
            return false;
        }
        let applied = self.applied[row as usize];
        self.apply(cluster, &Change::Upsert(after.clone()));
        // A relist in progress has not seen the pod yet.
        self.applied[row as usize] = applied;
        true
    }

    fn update(&mut self, row: u32, pod: &Pod) {
        let moves = Sort::ALL.map(|sort| self.rows.changes_position(sort, row, pod));
        let moves = |sort: Sort| moves[sort as usize];
        let before = self.rows.weight(row);
        self.orders.remove(&self.rows, row, moves);
        self.rows.update(row, pod);
        self.orders.insert(&self.rows, row, moves);
        self.record(row, RowEvent::Changed);
        self.adjust_weight(row, before, self.rows.weight(row));
    }

    fn insert(&mut self, cluster: ClusterId, pod: &Pod) -> u32 {
        let row = self.free.pop().unwrap_or_else(|| {
            reserve(&mut self.applied, 1);
            self.applied.push(0);
            self.applied.len() as u32 - 1
        });
        self.insert_at(row, cluster, pod);
        row
    }

    fn insert_at(&mut self, row: u32, cluster: ClusterId, pod: &Pod) {
        let Self {
            rows, by_key, hasher, ..
        } = self;
        rows.insert(row, cluster, pod);
        by_key.insert_unique(hash(hasher, rows, row), row, |&row| hash(hasher, rows, row));
        self.orders.insert(&self.rows, row, |_| true);
        self.in_use.insert(row);
        self.record(row, RowEvent::Added);
        self.adjust_weight(row, 0, self.rows.weight(row));
    }

    fn remove(&mut self, row: u32) {
        self.adjust_weight(row, self.rows.weight(row), 0);
        self.record(row, RowEvent::Removed);
        self.orders.remove(&self.rows, row, |_| true);
        let hash = hash(&self.hasher, &self.rows, row);
        if let Ok(found) = self.by_key.find_entry(hash, |&other| other == row) {
            found.remove();
        }
        self.rows.erase(row);
        self.in_use.remove(row);
        self.free.push(row);
        if self.in_use.is_empty() {
            // Without rows, free all the space that the tables have grown to.
            *self = Self {
                generation: self.generation,
                journal: Journal::new(self.partitions.clock()),
                partitions: std::mem::take(&mut self.partitions),
                ..Self::default()
            };
        }
    }

    fn record(&mut self, row: u32, event: RowEvent) {
        let (at, columns) = (row as usize, &self.rows.columns);
        let now = self
            .partitions
            .record(columns.cluster[at], columns.namespace[at], row, event);
        self.rows.columns.version[at] = now;
        self.journal.push(row, self.applied.len());
    }

    fn adjust_weight(&mut self, row: u32, before: u32, after: u32) {
        self.partitions
            .adjust_weight(self.rows.columns.cluster[row as usize], before, after);
    }

    pub(crate) fn find(&self, cluster: ClusterId, namespace: &str, name: &str) -> Option<u32> {
        let namespace = self.rows.namespaces.find(namespace)?;
        let key = (cluster, namespace, name.as_bytes());
        self.by_key
            .find(self.hasher.hash_one(key), |&row| self.rows.key(row) == key)
            .copied()
    }

    /// Returns the hash of a row's key, for [`Table::has`].
    pub(crate) fn key_hash(&self, row: u32) -> u64 {
        hash(&self.hasher, &self.rows, row)
    }

    /// Returns whether a cluster has a row with this hash of its key and this UID.
    pub(crate) fn has(&self, hash: u64, cluster: ClusterId, uid: &Uid) -> bool {
        let is_same = |row: &u32| {
            let row = self.rows.row(*row);
            row.is_some_and(|row| row.cluster() == cluster && row.uid_ref() == uid)
        };
        self.by_key.find(hash, is_same).is_some()
    }

    /// Returns the number of rows.
    pub(crate) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Returns when a row last changed.
    pub(crate) fn version(&self, row: u32) -> u64 {
        self.rows.columns.version.get(row as usize).copied().unwrap_or_default()
    }

    /// Starts a generation and returns its number.
    pub(crate) fn begin_generation(&mut self) -> u32 {
        self.generation += 1;
        self.generation
    }

    /// Returns the rows of a cluster, or of one namespace of it.
    fn rows_in(&self, cluster: ClusterId, namespace: Option<&str>) -> Option<&RoaringBitmap> {
        let of_cluster = self.partitions.cluster(cluster)?;
        match namespace {
            None => Some(&of_cluster.rows),
            Some(name) => of_cluster.namespace(self.rows.namespaces.find(name)?),
        }
    }

    /// Returns the rows of a cluster, or of one namespace of it, that were last applied before a
    /// generation.
    pub(crate) fn stale(&self, cluster: ClusterId, namespace: Option<&str>, generation: u32) -> Vec<u32> {
        let old = |row: &u32| self.applied[*row as usize] < generation;
        let rows = self.rows_in(cluster, namespace);
        rows.into_iter().flatten().filter(old).collect()
    }

    /// Removes those of `rows` that are still [`Table::stale`]. Returns how many.
    pub(crate) fn sweep(
        &mut self,
        cluster: ClusterId,
        namespace: Option<&str>,
        generation: u32,
        rows: &[u32],
    ) -> usize {
        let is_old = |row: &u32| {
            self.applied
                .get(*row as usize)
                .is_some_and(|&applied| applied < generation)
        };
        let Some(placed) = self.rows_in(cluster, namespace) else {
            return 0;
        };
        let swept: Vec<u32> = rows
            .iter()
            .copied()
            .filter(|row| placed.contains(*row) && is_old(row))
            .collect();
        for &row in &swept {
            self.remove(row);
        }
        swept.len()
    }

    /// Drops orders that no query asked for, and frees the space of values that are gone.
    pub(crate) fn tidy(&mut self) {
        self.orders.tidy();
        self.rows.tidy();
        let (rows, hasher) = (&self.rows, &self.hasher);
        self.by_key.shrink_to(0, |&row| hash(hasher, rows, row));
    }

    /// Compacts the row numbers if fewer than half of them are in use. Returns whether there is
    /// more to do.
    ///
    /// A call moves at most `limit` of the highest rows to the lowest free numbers. Once no row is
    /// left to move, it frees the space behind the last row.
    pub(crate) fn compact(&mut self, limit: usize) -> bool {
        if self.len() < COMPACT_MIN || self.len() * 2 >= self.applied.len() {
            return false;
        }
        self.free.sort_unstable();
        let highest = self.in_use.iter().rev();
        let moves = highest.zip(self.free.iter().copied()).take(limit);
        let moves: Vec<(u32, u32)> = moves.take_while(|(from, to)| to < from).collect();
        for &(from, to) in &moves {
            self.renumber(from, to);
        }
        self.free.retain(|&row| !self.in_use.contains(row));
        if moves.len() == limit {
            return true;
        }
        let len = self.in_use.max().map_or(0, |last| last as usize + 1);
        self.free.retain(|&row| (row as usize) < len);
        self.free.shrink_to_fit();
        shorten(&mut self.applied, len);
        self.rows.shorten(len);
        false
    }

    /// Moves a row to a free number. Readers of the journal see one row removed and another added.
    fn renumber(&mut self, from: u32, to: u32) {
        let Some(row) = self.rows.row(from) else { return };
        let (cluster, pod, applied) = (row.cluster(), row.to_pod(), self.applied[from as usize]);
        self.remove(from);
        self.insert_at(to, cluster, &pod);
        self.applied[to as usize] = applied;
    }
}

impl Rows {
    /// Returns the key that identifies a row.
    fn key(&self, row: u32) -> (ClusterId, Sym, &[u8]) {
        let at = row as usize;
        (
            self.columns.cluster[at],
            self.columns.namespace[at],
            self.search_text.names.bytes(row),
        )
    }
}

fn hash(hasher: &DefaultHashBuilder, rows: &Rows, row: u32) -> u64 {
    hasher.hash_one(rows.key(row))
}
