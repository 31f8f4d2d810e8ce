//! Reading under the lock.

use std::sync::RwLockReadGuard;

use crate::{ClusterId, Facet, FacetValue, Query, RowRef, Scope, Stats, rows::Rows, table::Table};

/// The index as it is now: no change comes in while a reader lives. It can't be sent to another thread, so no await can hold it;
/// answer from it and let it go.
#[derive(Debug)]
pub struct Reader<'a> {
    pub(crate) table: RwLockReadGuard<'a, Table>,
}

/// The answer to a [`Query`]: rows of the page, borrowed from the index, and the number of matches before paging.
#[derive(Clone, Debug)]
pub struct Answer<'a> {
    rows: &'a Rows,
    page: Vec<u32>,
    total: usize,
}

impl Reader<'_> {
    /// Answers a query.
    ///
    /// Costs, for n rows: without a filter (also at a deep page) the page; each filter one pass over a column of 4 bytes a row; a
    /// selector also its evaluation for each distinct label set; a search also one pass over all names and IPs; an order other than
    /// newest first and by name or namespace ascending a selection, never a full sort.
    pub fn answer(&self, query: &Query) -> Answer<'_> {
        let matches = self.table.matches(query);
        let total = matches.count();
        Answer {
            rows: &self.table.rows,
            page: self.table.page(query, &matches, total),
            total,
        }
    }

    /// Counts a query's matches, before paging, by a field: each value that occurs and how often, most frequent first, ties by
    /// value.
    pub fn facets(&self, query: &Query, facet: Facet) -> Vec<(FacetValue, usize)> {
        self.table.facets(&self.table.matches(query), facet)
    }

    /// A number that differs whenever the answer to the query may: it goes up with every change in the clusters and, for a query
    /// that is narrowed to namespaces by filter or scope, in the namespaces that it can see. Within one index's life no number
    /// stands for two states. Two queries may share a number.
    ///
    /// Costs a look-up a cluster, or a cluster and namespace.
    pub fn generation(&self, query: &Query) -> u64 {
        self.table.generation(query)
    }

    /// Counts of one cluster, within a scope.
    pub fn stats(&self, cluster: ClusterId, scope: &Scope) -> Stats {
        self.table.stats(cluster, scope)
    }
}

impl Answer<'_> {
    /// The number of matches before paging.
    pub fn total(&self) -> usize {
        self.total
    }

    /// The page's rows, in the order asked for.
    pub fn rows(&self) -> impl Iterator<Item = RowRef<'_>> {
        self.page.iter().filter_map(|&row| self.rows.row(row))
    }
}
