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
    finders: Vec<Finder<'static>>,
}

impl Predicate {
    pub(crate) fn new(query: Query) -> Self {
        let of_cluster = |&cluster| {
            let names = visibility::visible_namespaces(cluster, &query.scope, &query.namespaces);
            (cluster, names.map(|names| names.into_iter().cloned().collect()))
        };
        Self {
            visible: query.clusters.iter().map(of_cluster).collect(),
            finders: query
                .searches
                .iter()
                .map(|text| Finder::new(text).into_owned())
                .collect(),
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
        let Self {
            query,
            visible,
            finders,
        } = self;
        // Every field is named, so that a new filter can't be forgotten here.
        let Query {
            clusters: _, // These three made `visible`.
            scope: _,
            namespaces: _,
            statuses,
            phases,
            qos_classes,
            nodes,
            owners,
            reason_codes,
            name,
            restarted_since,
            created_since,
            created_before,
            searches: _, // These made `finders`.
            selector,
            problem,
            sort: _, // The rest pages the matches.
            order: _,
            offset: _,
            limit: _,
        } = query;
        let visible = visible.get(&row.cluster());
        let are_labels_complete = row.labels_left_out() == 0;
        let reason = row.reason().map(|reason| reason.code);
        let created_at = row.created_at().unwrap_or(i64::MIN);
        let is_owner = |(kind, name): (&str, &str)| owners.iter().any(|owner| owner.kind == kind && owner.name == name);
        visible.is_some_and(|names| names.as_ref().is_none_or(|names| names.contains(row.namespace())))
            && (!problem || reason.is_some())
            && (reason_codes.is_empty() || reason.is_some_and(|code| reason_codes.contains(&code)))
            && (nodes.is_empty() || nodes.iter().any(|node| node == row.node()))
            && (owners.is_empty() || row.owner().is_some_and(is_owner))
            && name.as_ref().is_none_or(|name| name == row.name())
            && restarted_since.is_none_or(|since| row.last_restart_at().is_some_and(|at| at >= since))
            && created_since.is_none_or(|since| created_at >= since)
            && created_before.is_none_or(|before| created_at < before)
            && is_one_of(row.status(), statuses)
            && is_one_of(row.phase(), phases)
            && is_one_of(row.qos_class(), qos_classes)
            && finders.iter().all(|finder| found(row, finder))
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
