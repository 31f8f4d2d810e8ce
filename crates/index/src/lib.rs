//! The pod index: every pod of every cluster as a row, kept sorted and answered from memory.
//!
//! The crate is pure: it does no I/O and is not async. One writer per cluster applies batches of
//! changes; readers share a lock that each holds for the time of one query.
//!
//! # Inside
//!
//! - `rows` holds the rows as columns, indexed by a 32-bit row number. Values that repeat are kept
//!   once, in a `dictionary`.
//! - `partitions` has the rows of each cluster and namespace, `postings` those of each status and
//!   of other texts that repeat, and `search_text` the names and IPs, which do not repeat.
//! - `matches` answers a query's filters with a set of row numbers: it intersects postings, then
//!   applies the search and the label selector. `paging` takes one page of that set, in an order
//!   that `orders` keeps sorted in `blocks`.
//! - `partitions` also counts changes with a clock, and `journal` remembers the rows that changed
//!   last. `live` follows both to keep live queries current.

mod bits;
mod blocks;
mod column;
mod dictionary;
mod facet;
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

pub use facet::{Facet, FacetValue};
pub use model::{Change, ClusterId, Container, Owner, Pod, Reason, ReasonCode, ReasonRef};
pub use query::{Namespaces, Order, Page, Query, Reach, Row, Scope, Sort};
pub use reader::{Answer, Found, Reader};
pub use row::{ContainerRef, RowRef, RowVersion};
pub use selector::{Selector, SelectorError};
use table::Table;
pub use uid::UidText;

/// How many rows are removed or moved before readers get a turn.
const ROWS_PER_LOCK: usize = 1000;

/// A handle to the index. Cheap to clone; all clones see the same rows.
#[derive(Clone, Debug, Default)]
pub struct Index {
    table: Arc<RwLock<Table>>,
}

/// A relist in progress, from [`Index::begin`] to [`Index::finish`]. Dropping it unfinished keeps
/// every row.
#[derive(Debug)]
pub struct Relist {
    cluster: ClusterId,
    namespace: Option<String>,
    generation: u32,
}

/// The number and weight of a cluster's rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The number of rows.
    pub pods: usize,
    /// The sum of their [`Pod::weight`] in bytes.
    pub bytes: u64,
}

/// Counts of one cluster's rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// All pods.
    pub pods: usize,
    /// Pods by status as `kubectl get pods` prints it: most frequent first, ties by name.
    pub by_status: Vec<(String, usize)>,
    /// Pods by namespace, sorted by its name.
    pub by_namespace: Vec<(String, usize)>,
}

impl Index {
    /// Creates an empty index.
    pub fn new() -> Self {
        Self::default()
    }

    /// Applies changes of one cluster in their order. Readers see all of them or none.
    pub fn apply(&self, cluster: ClusterId, changes: Vec<Change>) {
        let mut table = self.write();
        for change in &changes {
            table.apply(cluster, change);
        }
    }

    /// Replaces the row of `before` with `after` if it still equals `before`, and returns whether
    /// it did. Does not mark the row as seen by a relist in progress.
    pub fn compare_and_set(&self, cluster: ClusterId, before: &Pod, after: &Pod) -> bool {
        self.write().compare_and_set(cluster, before, after)
    }

    /// Begins a relist of one cluster, or of one namespace of it.
    ///
    /// Rows that are applied from now on, by the list or by anything else, survive
    /// [`Index::finish`]. Relists may overlap in time.
    pub fn begin(&self, cluster: ClusterId, namespace: Option<&str>) -> Relist {
        Relist {
            cluster,
            namespace: namespace.map(str::to_owned),
            generation: self.write().begin_generation(),
        }
    }

    /// Removes the relist's rows that nothing has applied since [`Index::begin`], and returns how
    /// many.
    ///
    /// Readers get turns in between and may see some of these rows gone before the others.
    pub fn finish(&self, relist: Relist) -> usize {
        let Relist {
            cluster,
            namespace,
            generation,
        } = relist;
        self.sweep(cluster, namespace.as_deref(), generation)
    }

    /// Removes all rows of a cluster. Readers get turns in between and may see a part of them gone.
    pub fn remove_cluster(&self, cluster: ClusterId) {
        let generation = self.write().begin_generation();
        self.sweep(cluster, None, generation);
    }

    /// Removes the rows of a cluster, or of one namespace of it, that were last applied before a
    /// generation. Returns how many.
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
            // Compaction may have renumbered some rows meanwhile: the next round finds them.
        }
    }

    /// Frees memory that is no longer used; the owner calls this about every minute.
    ///
    /// That is the orders that no query has asked for since the last call (except newest first),
    /// the space of values that are gone, and the space of removed rows once these are more than
    /// half.
    pub fn tidy(&self) {
        self.write().tidy();
        while self.write().compact(ROWS_PER_LOCK) {}
    }

    /// Opens the index for reading. Changes wait until the reader is dropped.
    ///
    /// Do not open a second reader while one is held: a change that waits between the two blocks
    /// both.
    pub fn read(&self) -> Reader<'_> {
        Reader {
            table: self.table.read().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Answers a query with copies of the rows, for tests. See [`Reader::answer`].
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

    /// Returns how many rows a cluster has and what they weigh. Costs one look-up.
    pub fn usage(&self, cluster: ClusterId) -> Usage {
        let reader = self.read();
        let of_cluster = reader.table.partitions.cluster(cluster);
        of_cluster.map_or_else(Usage::default, |of_cluster| Usage {
            pods: of_cluster.rows.len() as usize,
            bytes: of_cluster.weight,
        })
    }

    /// Counts a cluster's rows within a scope.
    pub fn stats(&self, cluster: ClusterId, scope: &Scope) -> Stats {
        self.read().stats(cluster, scope)
    }

    // A panic under the lock would be a bug of this crate. Serving the rows that are there beats
    // failing every later request.
    fn write(&self) -> RwLockWriteGuard<'_, Table> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
    }
}
