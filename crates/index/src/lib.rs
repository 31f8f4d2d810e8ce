//! The pod index: every pod of every cluster as a row, kept in order and answered from memory.
//!
//! Pure: no I/O, no async. One applier a cluster writes batches; readers share a lock that is held for the time of one
//! query.
//!
//! Inside: rows are columns by a 32-bit number (`rows`), over dictionaries of what repeats (`dictionary`), with the rows of each
//! cluster and namespace (`places`), of each status, phase and node (`postings`), and a text of what does not repeat (`names`). A
//! query is a set of row numbers, by intersection of the postings, then search and selector (`matches`), then one page of it
//! (`paging`) in an order that is kept sorted (`orders`, `blocks`, `build`). What changed is told by a clock (`places`) and a journal
//! (`journal`), from which live queries (`live`) follow.

mod bits;
mod blocks;
mod column;
mod dictionary;
mod facets;
mod journal;
mod listed;
pub mod live;
mod matches;
mod model;
mod orders;
mod paging;
mod partitions;
mod postings;
mod predicate;
mod query;
mod reader;
mod row;
mod rows;
mod search_text;
mod selector;
mod table;
mod uid;
mod visibility;

use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

pub use facets::{Facet, FacetValue};
pub use model::{Change, ClusterId, Container, Owner, Pod};
pub use query::{Namespaces, Order, Page, Query, Row, Scope, Sort};
pub use reader::{Answer, Found, Reader};
pub use row::{ContainerRef, RowRef, RowVersion};
pub use selector::{Selector, SelectorError};
use table::Table;
pub use uid::UidText;

/// How many rows go or move before readers get a turn.
const ROWS_PER_LOCK: usize = 1000;

/// Handle to the index. Cheap to clone; all clones see the same rows.
#[derive(Clone, Debug, Default)]
pub struct Index {
    table: Arc<RwLock<Table>>,
}

/// A relist under way, from [`Index::begin`] to [`Index::finish`]. Dropping it without finishing leaves every row.
#[derive(Debug)]
pub struct Relist {
    cluster: ClusterId,
    namespace: Option<String>,
    generation: u32,
}

/// How many rows a cluster has, and what they weigh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Rows.
    pub pods: usize,
    /// The sum of their [`Pod::weight`] in bytes.
    pub bytes: u64,
}

/// Counts over one cluster's rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Pods in all.
    pub pods: usize,
    /// Pods by status as `kubectl get pods` prints it, most frequent first, ties by name.
    pub by_status: Vec<(String, usize)>,
    /// Pods by namespace, by name.
    pub by_namespace: Vec<(String, usize)>,
}

impl Index {
    /// An empty index.
    pub fn new() -> Self {
        Self::default()
    }

    /// Applies changes of one cluster in order, atomically for readers.
    pub fn apply(&self, cluster: ClusterId, changes: Vec<Change>) {
        let mut table = self.write();
        for change in &changes {
            table.apply(cluster, change);
        }
    }

    /// Replaces the row of `before` with `after` if it still equals `before`, and returns whether it
    /// did. Does not mark the row as seen by a relist in progress.
    pub fn compare_and_set(&self, cluster: ClusterId, before: &Pod, after: &Pod) -> bool {
        self.write().compare_and_set(cluster, before, after)
    }

    /// Marks the start of a relist of one cluster, or of one namespace of it. Rows applied from now on (by the list or by anything
    /// else) survive [`Index::finish`]. Relists may overlap in time.
    pub fn begin(&self, cluster: ClusterId, namespace: Option<&str>) -> Relist {
        Relist {
            cluster,
            namespace: namespace.map(str::to_owned),
            generation: self.write().begin_generation(),
        }
    }

    /// Sweeps the rows of the relist's cluster and namespace that nothing applied since [`Index::begin`]. Returns how many went. Readers
    /// may come in between, and see some of them gone.
    pub fn finish(&self, relist: Relist) -> usize {
        let Relist {
            cluster,
            namespace,
            generation,
        } = relist;
        self.sweep(cluster, namespace.as_deref(), generation)
    }

    /// Drops the rows that a cluster has now. Readers may come in between, and see some of them gone.
    pub fn remove_cluster(&self, cluster: ClusterId) {
        let generation = self.write().begin_generation();
        self.sweep(cluster, None, generation);
    }

    /// Removes the rows of a cluster, and of one namespace of it if named, that were last applied before a generation. Returns how many.
    fn sweep(&self, cluster: ClusterId, namespace: Option<&str>, generation: u32) -> usize {
        let mut swept = 0;
        loop {
            let old = self.read().table.stale(cluster, namespace, generation);
            if old.is_empty() {
                return swept;
            }
            for rows in old.chunks(ROWS_PER_LOCK) {
                swept += self.write().sweep(cluster, namespace, generation, rows);
            }
            // Rows that were given other numbers meanwhile are found the next time.
        }
    }

    /// Gives up memory that is of no use: orders but newest first that nobody has asked for since the last time, the room of
    /// values that are gone, and that of rows that are gone, where that is more than half. Their owner calls this every minute
    /// or so.
    pub fn tidy(&self) {
        self.write().tidy();
        while self.write().compact(ROWS_PER_LOCK) {}
    }

    /// Opens the index for reading; changes wait until the reader is dropped. Do not open a second one while one is held: a
    /// change that waits between them would stop both.
    pub fn read(&self) -> Reader<'_> {
        Reader {
            table: self.table.read().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Answers a query with copies of the rows. See [`Reader::answer`].
    pub fn query(&self, query: &Query) -> Page {
        let reader = self.read();
        let answer = reader.answer(query);
        Page {
            rows: answer
                .rows()
                .map(|row| Row {
                    cluster: row.cluster(),
                    pod: row.to_pod(),
                })
                .collect(),
            total: answer.total(),
        }
    }

    /// Returns how many rows a cluster has, and what they weigh. Costs a look-up.
    pub fn usage(&self, cluster: ClusterId) -> Usage {
        let reader = self.read();
        let of_cluster = reader.table.partitions.cluster(cluster);
        of_cluster.map_or_else(Usage::default, |of_cluster| Usage {
            pods: of_cluster.rows.len() as usize,
            bytes: of_cluster.weight,
        })
    }

    /// Counts of one cluster, within a scope.
    pub fn stats(&self, cluster: ClusterId, scope: &Scope) -> Stats {
        self.read().stats(cluster, scope)
    }

    // A panic under the lock would be a bug of this crate; serving what is there beats failing every later request.
    fn write(&self) -> RwLockWriteGuard<'_, Table> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
    }
}
