//! A query's filters, applied to one row.

use hashbrown::{HashMap, HashSet};
use memchr::memmem::Finder;

use crate::{ClusterId, Query, RowRef, postings::contains, visibility};

/// A test whether a row matches a canonical query.
///
/// It compares texts, because symbols of dictionaries come and go.
#[derive(Debug)]
pub(crate) struct Predicate {
    query: Query,
    /// The visible namespaces of each cluster; `None` if all are.
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

    /// Returns whether a row matches.
    ///
    /// Costs one comparison per filter. A search also scans the row's name, IPs, namespace and
    /// node.
    pub(crate) fn accepts(&self, row: RowRef<'_>) -> bool {
        let Self { query, visible, finder } = self;
        // Every field is named, so that a new filter can't be forgotten here.
        let Query {
            clusters: _, // These three made `visible`.
            scope: _,
            namespaces: _,
            statuses,
            phases,
            qos_classes,
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
        let are_labels_complete = row.labels_left_out() == 0;
        visible.is_some_and(|names| names.as_ref().is_none_or(|names| names.contains(row.namespace())))
            && (!problem || !row.reason().is_empty())
            && node.as_ref().is_none_or(|node| node == row.node())
            && is_one_of(row.status(), statuses)
            && is_one_of(row.phase(), phases)
            && is_one_of(row.qos_class(), qos_classes)
            && finder.as_ref().is_none_or(|finder| found(row, finder))
            && selector
                .as_ref()
                .is_none_or(|selector| selector.accepts(row.labels(), are_labels_complete))
    }
}

fn found(row: RowRef<'_>, finder: &Finder<'_>) -> bool {
    row.contains(finder) || contains(row.namespace(), finder) || contains(row.node(), finder)
}

/// Returns whether a text is in a list of texts in lower case, compared without case, or the list
/// is empty.
fn is_one_of(text: &str, lower: &[String]) -> bool {
    if lower.is_empty() {
        return true;
    }
    if text.is_ascii() {
        return lower.iter().any(|other| other.eq_ignore_ascii_case(text));
    }
    lower.contains(&text.to_lowercase())
}
