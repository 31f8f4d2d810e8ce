//! Queries and their answers.

use crate::{ClusterId, Pod, Selector, listed::listed_enum};

/// Which namespaces of which clusters a caller may see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Everything.
    #[default]
    All,
    /// Only these clusters, and of each only these namespaces. A cluster that is named twice shows both.
    Only(Vec<(ClusterId, Namespaces)>),
}

/// Which namespaces of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Namespaces {
    /// All of them.
    All,
    /// Only these.
    Named(Vec<String>),
}

listed_enum! {
    /// What to sort by. Ties go by namespace, then name, both ascending.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub enum Sort {
        /// [`Pod::created_at`].
        #[default]
        CreatedAt,
        /// [`Pod::name`].
        Name,
        /// [`Pod::namespace`].
        Namespace,
        /// [`Pod::status`].
        Status,
        /// [`Pod::restarts`].
        Restarts,
        /// [`Pod::node`].
        NodeName,
    }
}

impl Sort {
    /// Returns the usual direction, in which the index keeps the order: newest first by time of
    /// creation, else ascending.
    pub fn natural(self) -> Order {
        match self {
            Self::CreatedAt => Order::Desc,
            Self::Name | Self::Namespace | Self::Status | Self::Restarts | Self::NodeName => Order::Asc,
        }
    }
}

/// The direction of a sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// Smallest or oldest first.
    Asc,
    /// Largest or newest first.
    Desc,
}

/// A question to the index. Every filter that is set must match; within one filter any of its values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Query {
    /// The clusters to search.
    pub clusters: Vec<ClusterId>,
    /// What the caller may see.
    pub scope: Scope,
    /// Only these namespaces; empty: all.
    pub namespaces: Vec<String>,
    /// Only these statuses, compared without case; empty: all.
    pub statuses: Vec<String>,
    /// Only these phases, compared without case; empty: all.
    pub phases: Vec<String>,
    /// Only this node.
    pub node: Option<String>,
    /// Substring of name, namespace, node or pod IP, compared without case.
    pub search: Option<String>,
    /// A label selector.
    pub selector: Option<Selector>,
    /// Only pods with a [`Pod::reason`].
    pub problem: bool,
    /// What to sort by.
    pub sort: Sort,
    /// Direction.
    pub order: Order,
    /// Rows to skip.
    pub offset: usize,
    /// Rows to answer at most.
    pub limit: usize,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            clusters: Vec::new(),
            scope: Scope::All,
            namespaces: Vec::new(),
            statuses: Vec::new(),
            phases: Vec::new(),
            node: None,
            search: None,
            selector: None,
            problem: false,
            sort: Sort::CreatedAt,
            order: Order::Desc,
            offset: 0,
            limit: 20,
        }
    }
}

impl Query {
    /// Returns the one form of all queries that ask the same, which answers as this one does.
    ///
    /// Lists are sorted and hold each value once, texts that are compared without case are in lower
    /// case, an empty search or selector is `None`, and the scope is cut to the clusters asked for.
    #[must_use]
    pub fn canonical(self) -> Self {
        let Self {
            clusters,
            scope,
            namespaces,
            statuses,
            phases,
            node,
            search,
            selector,
            problem,
            sort,
            order,
            offset,
            limit,
        } = self;
        let (clusters, scope) = scope.within(sorted(clusters));
        Self {
            clusters,
            scope,
            namespaces: sorted(namespaces),
            statuses: sorted(lower(statuses)),
            phases: sorted(lower(phases)),
            node,
            search: search.filter(|text| !text.is_empty()).map(|text| text.to_lowercase()),
            selector: selector.and_then(Selector::canonical),
            problem,
            sort,
            order,
            offset,
            limit,
        }
    }

    /// The canonical form without its page: equal for viewers who can share one [`crate::live::Live`].
    #[must_use]
    pub fn group(self) -> Self {
        Self {
            offset: 0,
            limit: 0,
            ..self.canonical()
        }
    }
}

impl Scope {
    /// Cuts the scope to these clusters, which are sorted. Returns those of them that it shows
    /// anything of, and itself in its canonical form.
    fn within(self, clusters: Vec<ClusterId>) -> (Vec<ClusterId>, Self) {
        let Self::Only(only) = self else {
            return (clusters, self);
        };
        let only = merged(only, &clusters);
        let visible = only.iter().map(|(cluster, _)| *cluster).collect();
        let whole = only.iter().all(|(_, namespaces)| *namespaces == Namespaces::All);
        (visible, if whole { Self::All } else { Self::Only(only) })
    }
}

/// Sorts a list and drops repeated values.
fn sorted<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values.dedup();
    values
}

fn lower(values: Vec<String>) -> Vec<String> {
    values.into_iter().map(|value| value.to_lowercase()).collect()
}

/// The entries of the named clusters that show anything, each cluster once, by number.
fn merged(mut only: Vec<(ClusterId, Namespaces)>, clusters: &[ClusterId]) -> Vec<(ClusterId, Namespaces)> {
    only.retain(|(cluster, _)| clusters.binary_search(cluster).is_ok());
    only.sort_by_key(|(cluster, _)| *cluster);
    let mut merged: Vec<(ClusterId, Namespaces)> = Vec::with_capacity(only.len());
    for (cluster, namespaces) in only {
        match (merged.last_mut(), namespaces) {
            (Some((last, Namespaces::All)), _) if *last == cluster => {}
            (Some((last, all)), Namespaces::All) if *last == cluster => *all = Namespaces::All,
            (Some((last, Namespaces::Named(known))), Namespaces::Named(more)) if *last == cluster => known.extend(more),
            (_, namespaces) => merged.push((cluster, namespaces)),
        }
    }
    for (_, namespaces) in &mut merged {
        if let Namespaces::Named(names) = namespaces {
            *names = sorted(std::mem::take(names));
        }
    }
    merged.retain(|(_, namespaces)| !matches!(namespaces, Namespaces::Named(names) if names.is_empty()));
    merged
}

/// A row of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The pod's cluster.
    pub cluster: ClusterId,
    /// The pod.
    pub pod: Pod,
}

/// The answer to a [`Query`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The rows, in the order asked for.
    pub rows: Vec<Row>,
    /// The number of matches before paging.
    pub total: usize,
}
