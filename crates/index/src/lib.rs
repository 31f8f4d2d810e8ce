//! The pod index: every pod of every cluster as a row, kept in order and answered from memory.
//!
//! Pure: no I/O, no async. One applier a cluster writes batches; readers share a lock that is held for the time of one
//! query.

mod model;
mod query;
mod selector;

pub use model::{Change, ClusterId, Container, Owner, Pod};
pub use query::{Order, Page, Query, Row, Scope, Sort};
pub use selector::{Selector, SelectorError};

/// Handle to the index. Cheap to clone; all clones see the same rows.
#[derive(Clone, Debug, Default)]
pub struct Index {}

/// A relist under way, from [`Index::begin`] to [`Index::finish`]. Dropping it without finishing leaves every row.
#[derive(Debug)]
pub struct Relist {}

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
    pub fn apply(&self, _cluster: ClusterId, _changes: Vec<Change>) {
        todo!()
    }

    /// Marks the start of a relist of one cluster, or of one namespace of it. Rows applied from now on (by the list or by anything
    /// else) survive [`Index::finish`].
    pub fn begin(&self, _cluster: ClusterId, _namespace: Option<&str>) -> Relist {
        todo!()
    }

    /// Sweeps the rows of the relist's cluster and namespace that nothing applied since [`Index::begin`]. Returns how many went.
    pub fn finish(&self, _relist: Relist) -> usize {
        todo!()
    }

    /// Drops all rows of a cluster.
    pub fn remove_cluster(&self, _cluster: ClusterId) {
        todo!()
    }

    /// Answers a query: the page's rows and the number of matches before paging.
    pub fn query(&self, _query: &Query) -> Page {
        todo!()
    }

    /// Counts of one cluster, within a scope.
    pub fn stats(&self, _cluster: ClusterId, _scope: &Scope) -> Stats {
        todo!()
    }
}
