//! Reading under the lock.

use std::sync::RwLockReadGuard;

use crate::{ClusterId, Facet, FacetValue, Query, RowRef, Scope, Stats, matches::Matches, rows::Rows, table::Table};

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

/// The rows that match a [`Query`], before paging: found once, for its page and its counts.
#[derive(Debug)]
pub struct Found<'a, 'q> {
    table: &'a Table,
    query: &'q Query,
    matches: Matches<'a>,
}

impl Reader<'_> {
    /// Finds the rows that match a query.
    ///
    /// Costs, for n rows:
    ///
    /// - no filter: nothing.
    /// - clusters, scope, namespaces, node, statuses, phases and problem: the union of their postings and the intersection of
    ///   these, smallest first, mostly 64 rows an operation.
    /// - search: where the filters above leave fewer than an eighth of the rows, a test of each of these; else one pass over all
    ///   names (and all IPs, if it may be part of one). In both cases one over the distinct namespaces and nodes.
    /// - selector: a look-up for each row that filters and search leave, and an evaluation for each distinct label set of these.
    pub fn find<'a, 'q>(&'a self, query: &'q Query) -> Found<'a, 'q> {
        Found {
            table: &self.table,
            query,
            matches: self.table.matches(query),
        }
    }

    /// Answers a query. Costs [`Reader::find`] and [`Found::page`].
    pub fn answer(&self, query: &Query) -> Answer<'_> {
        self.find(query).page()
    }

    /// A number that differs whenever the answer to the query may: it goes up with every change in the clusters and, for a query
    /// that is narrowed to namespaces by filter or scope, in the namespaces that it can see. Within one index's life no number
    /// stands for two states. Two queries may share a number.
    ///
    /// Costs a look-up a cluster, or a cluster and namespace.
    pub fn generation(&self, query: &Query) -> u64 {
        self.table.generation(query)
    }

    /// Counts of one cluster, within a scope. Costs an intersection for each status that there is.
    pub fn stats(&self, cluster: ClusterId, scope: &Scope) -> Stats {
        self.table.stats(cluster, scope)
    }
}

impl<'a> Found<'a, '_> {
    /// One page of the matches.
    ///
    /// Costs, for m matches of n rows and a page that ends at row e of them:
    ///
    /// - where all rows match: O(log n) and the page, at any depth. A sort's order is built when it is first asked for, by a full
    ///   sort, unless [`crate::Index::read_for`] has done so; see [`crate::Index::tidy`]. Against the sort's usual direction also O(log n) for each group of rows that tie.
    /// - else the shorter of walking the sort's order from its nearer end, e × n / m steps, and selecting the page among the m
    ///   matches, which sorts no more than the page.
    pub fn page(&self) -> Answer<'a> {
        let Query {
            sort,
            order,
            offset,
            limit,
            ..
        } = self.query;
        let page = self.table.page(&self.matches, (*sort, *order), *offset, *limit);
        Answer::new(&self.table.rows, page, self.matches.total)
    }

    /// Counts the matches by a field: each value that occurs and how often, most frequent first, ties by value.
    ///
    /// Costs one pass over the matches; by cluster or problem, or where all rows match, no pass but the lengths of the postings.
    pub fn facets(&self, facet: Facet) -> Vec<(FacetValue, usize)> {
        self.table.facets(&self.matches, facet)
    }
}

impl<'a> Answer<'a> {
    pub(crate) fn new(rows: &'a Rows, page: Vec<u32>, total: usize) -> Self {
        Self { rows, page, total }
    }

    /// The number of matches before paging.
    pub fn total(&self) -> usize {
        self.total
    }

    /// The page's rows, in the order asked for.
    pub fn rows(&self) -> impl Iterator<Item = RowRef<'a>> {
        let rows = self.rows;
        self.page.iter().filter_map(move |&row| rows.row(row))
    }
}
