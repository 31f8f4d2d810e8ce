//! Queries and their answers.

use crate::{ClusterId, Pod, Selector};

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

/// What to sort by. Ties go by namespace, then name, both ascending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sort {
    /// Time of creation.
    #[default]
    CreatedAt,
    /// Name.
    Name,
    /// Namespace.
    Namespace,
    /// Status.
    Status,
    /// Number of restarts.
    Restarts,
    /// Name of the node.
    NodeName,
}

impl Sort {
    /// Every sort.
    pub(crate) const ALL: [Self; 6] = [
        Self::CreatedAt,
        Self::Name,
        Self::Namespace,
        Self::Status,
        Self::Restarts,
        Self::NodeName,
    ];

    /// The direction in which its order is kept.
    pub(crate) fn natural(self) -> Order {
        match self {
            Self::CreatedAt => Order::Desc,
            _ => Order::Asc,
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
    /// The one form of all queries that ask the same: lists sorted and each value once, what is compared without case in lower
    /// case, an empty search and an empty selector none, the scope cut to the clusters asked for. It answers as the query does.
    #[must_use]
    pub fn canonical(mut self) -> Self {
        self.clusters.sort_unstable();
        self.clusters.dedup();
        if let Scope::Only(only) = self.scope {
            let only = merged(only, &self.clusters);
            self.clusters = only.iter().map(|(cluster, _)| *cluster).collect();
            let whole = only.iter().all(|(_, namespaces)| *namespaces == Namespaces::All);
            self.scope = if whole { Scope::All } else { Scope::Only(only) };
        }
        self.namespaces.sort_unstable();
        self.namespaces.dedup();
        for values in [&mut self.statuses, &mut self.phases] {
            for value in values.iter_mut() {
                *value = value.to_lowercase();
            }
            values.sort_unstable();
            values.dedup();
        }
        self.search = self
            .search
            .filter(|text| !text.is_empty())
            .map(|text| text.to_lowercase());
        self.selector = self.selector.and_then(Selector::canonical);
        self
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
            names.sort_unstable();
            names.dedup();
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
