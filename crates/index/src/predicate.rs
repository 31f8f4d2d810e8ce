//! A query's filters, asked of one row.

use hashbrown::{HashMap, HashSet};
use memchr::memmem::Finder;

use crate::{ClusterId, Query, RowRef, postings::contains, sight};

/// Whether a row matches a canonical query, told from the row's own texts: numbers in dictionaries come and go.
#[derive(Debug)]
pub(crate) struct Predicate {
    query: Query,
    /// The namespaces to see of each cluster; none: all.
    clusters: HashMap<ClusterId, Option<HashSet<String>>>,
    finder: Option<Finder<'static>>,
}

impl Predicate {
    pub(crate) fn new(query: Query) -> Self {
        let of_cluster = |&cluster| {
            let names = sight::names(cluster, &query.scope, &query.namespaces);
            (cluster, names.map(|names| names.into_iter().cloned().collect()))
        };
        Self {
            clusters: query.clusters.iter().map(of_cluster).collect(),
            finder: query.search.as_ref().map(|text| Finder::new(text).into_owned()),
            query,
        }
    }

    pub(crate) fn query(&self) -> &Query {
        &self.query
    }

    /// Costs a comparison a filter; a search also a pass over the row's name, IPs, namespace and node.
    pub(crate) fn accepts(&self, row: RowRef<'_>) -> bool {
        let query = &self.query;
        let seen = self.clusters.get(&row.cluster());
        seen.is_some_and(|names| names.as_ref().is_none_or(|names| names.contains(row.namespace())))
            && (!query.problem || !row.reason().is_empty())
            && query.node.as_ref().is_none_or(|node| node == row.node())
            && is_one_of(row.status(), &query.statuses)
            && is_one_of(row.phase(), &query.phases)
            && self.finder.as_ref().is_none_or(|finder| found(row, finder))
            && query
                .selector
                .as_ref()
                .is_none_or(|selector| selector.accepts(row.labels(), row.labels_left_out() == 0))
    }
}

fn found(row: RowRef<'_>, finder: &Finder<'_>) -> bool {
    row.contains(finder) || contains(row.namespace(), finder) || contains(row.node(), finder)
}

/// Whether a text is one of some in lower case, but for case; or there are none.
fn is_one_of(text: &str, lower: &[String]) -> bool {
    if lower.is_empty() {
        return true;
    }
    if text.is_ascii() {
        return lower.iter().any(|other| other.eq_ignore_ascii_case(text));
    }
    lower.contains(&text.to_lowercase())
}
