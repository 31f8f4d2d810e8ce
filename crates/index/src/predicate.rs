//! A query's filters, asked of one row.

use hashbrown::{HashMap, HashSet};
use memchr::memmem::Finder;

use crate::{ClusterId, Query, RowRef, postings::contains, visibility};

/// Whether a row matches a canonical query, told from the row's own texts: numbers in dictionaries come and go.
#[derive(Debug)]
pub(crate) struct Predicate {
    query: Query,
    /// The namespaces to see of each cluster; none: all.
    visible: HashMap<ClusterId, Option<HashSet<String>>>,
    finder: Option<Finder<'static>>,
}

impl Predicate {
    pub(crate) fn new(query: Query) -> Self {
        let of_cluster = |&cluster| {
            let names = visibility::visible_namespaces(cluster, &query.scope, &query.namespaces);
            (cluster, names.map(|names| names.into_iter().cloned().collect()))
        };
        Self {
            visible: query.clusters.iter().map(of_cluster).collect(),
            finder: query.search.as_ref().map(|text| Finder::new(text).into_owned()),
            query,
        }
    }

    pub(crate) fn query(&self) -> &Query {
        &self.query
    }

    /// Costs a comparison a filter; a search also a pass over the row's name, IPs, namespace and node.
    pub(crate) fn accepts(&self, row: RowRef<'_>) -> bool {
        let Self { query, visible, finder } = self;
        // Every field is named, so that a new filter can't be forgotten here.
        let Query {
            clusters: _, // These three made `visible`.
            scope: _,
            namespaces: _,
            statuses,
            phases,
            node,
            search: _, // This made `finder`.
            selector,
            problem,
            sort: _, // The rest pages the matches.
            order: _,
            offset: _,
            limit: _,
        } = query;
        let visible = visible.get(&row.cluster());
        let whole_labels = row.labels_left_out() == 0;
        visible.is_some_and(|names| names.as_ref().is_none_or(|names| names.contains(row.namespace())))
            && (!problem || !row.reason().is_empty())
            && node.as_ref().is_none_or(|node| node == row.node())
            && is_one_of(row.status(), statuses)
            && is_one_of(row.phase(), phases)
            && finder.as_ref().is_none_or(|finder| found(row, finder))
            && selector
                .as_ref()
                .is_none_or(|selector| selector.accepts(row.labels(), whole_labels))
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
