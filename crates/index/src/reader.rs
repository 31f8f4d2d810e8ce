//! Reading the index under its lock.

use std::sync::RwLockReadGuard;

use crate::{
    ClusterId, Facet, FacetValue, Query, Reach, RowRef, Scope, Stats, matches::Matches, rows::Rows, table::Table,
};

/// A lock on the index for reading: no change is applied while a reader lives.
///
/// It can't be sent to another thread, so no `await` can hold it. Answer from it and drop it.
#[derive(Debug)]
pub struct Reader<'a> {
    pub(crate) table: RwLockReadGuard<'a, Table>,
}

/// The answer to a [`Query`]: the rows of its page, borrowed from the index, and the number of all
/// matches.
#[derive(Clone, Debug)]
pub struct Answer<'a> {
    rows: &'a Rows,
    page: Vec<u32>,
    total: usize,
}

/// The rows that match a [`Query`], before paging. They are found once for the page and the counts.
#[derive(Debug)]
pub struct Found<'a, 'q> {
    table: &'a Table,
    query: &'q Query,
    matches: Matches<'a>,
}

impl Reader<'_> {
    /// Finds the rows that match a query.
    ///
    /// The cost, for n rows, depends on the filters:
    ///
    /// - No filter: nothing.
    /// - Any filter but the search and the selector: the union of its postings, and the
    ///   intersection of these unions, smallest first, mostly 64 rows per operation.
    /// - Search: a test of each row that the filters above leave, if these are fewer than an eighth
    ///   of all rows. Otherwise one pass over all names, and over all IPs if the text may be part
    ///   of one. In both cases also one pass over the distinct namespaces and nodes.
    /// - Selector: a look-up for each row that is left, and one evaluation for each distinct label
    ///   set of these rows.
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

    /// Returns a number that differs whenever the query's answer may differ.
    ///
    /// It increases with every change in the query's clusters or, if a filter or the scope narrows
    /// the query to namespaces, in the namespaces that it can see. An index never uses the same
    /// number for two states; two queries may share one.
    ///
    /// Costs one look-up per cluster, or per cluster and namespace.
    pub fn generation(&self, query: &Query) -> u64 {
        self.table.generation(query)
    }

    /// Counts a cluster's rows within a scope. Costs one intersection for each distinct status.
    pub fn stats(&self, cluster: ClusterId, scope: &Scope) -> Stats {
        self.table.stats(cluster, scope)
    }
}

impl<'a> Found<'a, '_> {
    /// Returns one page of the matches.
    ///
    /// The cost, for m matches of n rows and a page that ends at match e:
    ///
    /// - If all rows match: O(log n) and the page, at any depth. The first query of a sort builds
    ///   its order with a full sort, unless [`crate::Index::read_for`] has done so; see
    ///   [`crate::Index::tidy`]. Against the sort's natural direction, each group of rows with
    ///   equal keys adds O(log n).
    /// - Otherwise the cheaper of two: walking the order from its nearer end, e × n / m steps, or
    ///   selecting the page among the m matches, which sorts no more than the page.
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

    /// Counts the matches by a field: every value that occurs, most frequent first, ties by value.
    ///
    /// Costs one pass over the matches. Counting by cluster or problem, or when all rows match,
    /// takes the sizes of the postings instead.
    pub fn facets(&self, facet: Facet) -> Vec<(FacetValue, usize)> {
        self.table.facets(&self.matches, facet)
    }

    /// Counts by each of some fields the rows that match every filter except those of the field's
    /// own group, which [`Query`]'s documentation lists. Each count comes with the number of rows
    /// that were counted. `reach` bounds the counts by cluster.
    ///
    /// Costs [`Reader::find`] for each group that has a filter, and [`Found::facets`].
    pub fn other_facets(&self, facets: &[Facet], reach: &Reach) -> Vec<(Vec<(FacetValue, usize)>, usize)> {
        let mut found: Vec<(Query, Matches<'a>)> = Vec::new();
        let counted = facets.iter().map(|&facet| {
            let Some(wider) = self.query.without(facet, reach) else {
                return (self.facets(facet), self.matches.total);
            };
            let at = found.iter().position(|(query, _)| *query == wider).unwrap_or_else(|| {
                let matches = self.table.matches(&wider);
                found.push((wider, matches));
                found.len() - 1
            });
            let (_, matches) = &found[at];
            (self.table.facets(matches, facet), matches.total)
        });
        counted.collect()
    }

    /// Returns the number of matches before paging.
    pub fn total(&self) -> usize {
        self.matches.total
    }

    /// Counts the matches by the keys of their labels, most frequent first, ties by key. Labels
    /// that a row leaves out are not counted.
    ///
    /// Costs one pass over the matches, and one over each distinct label set.
    pub fn label_keys(&self) -> Vec<(String, usize)> {
        self.table.label_keys(&self.matches)
    }

    /// Counts the matches by the values of a label, as [`Found::label_keys`] does. Matches without
    /// the label count as `""`.
    pub fn label_values(&self, key: &str) -> Vec<(String, usize)> {
        self.table.label_values(&self.matches, key)
    }
}

impl<'a> Answer<'a> {
    pub(crate) fn new(rows: &'a Rows, page: Vec<u32>, total: usize) -> Self {
        Self { rows, page, total }
    }

    /// Returns the number of matches before paging.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Returns the page's rows, in the order asked for.
    pub fn rows(&self) -> impl Iterator<Item = RowRef<'a>> {
        let rows = self.rows;
        self.page.iter().filter_map(move |&row| rows.row(row))
    }
}
