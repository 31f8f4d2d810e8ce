//! Queries and their answers.

use crate::{ClusterId, Facet, Owner, Pod, ReasonCode, Selector, listed::listed_enum};

/// The clusters and namespaces that a caller may see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Everything.
    #[default]
    All,
    /// Only these namespaces of these clusters. A cluster that occurs twice shows the namespaces of
    /// both entries.
    Only(Vec<(ClusterId, Namespaces)>),
}

/// A choice of a cluster's namespaces.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Namespaces {
    /// All of them.
    All,
    /// Only these.
    Named(Vec<String>),
}

/// All that a caller may see, without any filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// The clusters, sorted.
    pub clusters: Vec<ClusterId>,
    /// Their visible namespaces.
    pub scope: Scope,
}

listed_enum! {
    /// The field to sort by. Ties go by namespace, then name, both ascending.
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
        /// [`Pod::qos_class`].
        QosClass,
        /// How bad [`Pod::reason`] is, by its code. Healthy pods are the least bad.
        Problem,
        /// [`Pod::last_restart_at`]. Pods that never restarted come last in both directions.
        LastRestartAt,
    }
}

impl Sort {
    /// Returns the usual direction, in which the index keeps the order: newest first by times,
    /// worst first by problems, else ascending.
    pub fn natural(self) -> Order {
        match self {
            Self::CreatedAt | Self::Problem | Self::LastRestartAt => Order::Desc,
            Self::Name | Self::Namespace | Self::Status | Self::Restarts | Self::NodeName | Self::QosClass => {
                Order::Asc
            }
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

/// A query to the index. Each filter that is set must match; within a filter, any of its values
/// may.
///
/// Filters that ask for the same form a group: cluster; namespace; node; phase; QoS class; owner;
/// and status, problem and reason code together. The others belong to no group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Query {
    /// The clusters to search.
    pub clusters: Vec<ClusterId>,
    /// The clusters and namespaces that the caller may see.
    pub scope: Scope,
    /// Only these namespaces; all if empty.
    pub namespaces: Vec<String>,
    /// Only these statuses, compared without case; all if empty.
    pub statuses: Vec<String>,
    /// Only these phases, compared without case; all if empty.
    pub phases: Vec<String>,
    /// Only these values of [`Pod::qos_class`], compared without case; all if empty.
    pub qos_classes: Vec<String>,
    /// Only these nodes; all if empty.
    pub nodes: Vec<String>,
    /// Only pods of these owners; all if empty.
    pub owners: Vec<Owner>,
    /// Only pods whose reason has one of these codes; all if empty.
    pub reason_codes: Vec<ReasonCode>,
    /// Only pods of this name.
    pub name: Option<String>,
    /// Only pods that last restarted at this time or later, in seconds since the epoch.
    pub restarted_since: Option<i64>,
    /// Only pods created at this time or later, in seconds since the epoch.
    pub created_since: Option<i64>,
    /// Only pods created before this time, in seconds since the epoch.
    pub created_before: Option<i64>,
    /// Substrings of the name, namespace, node or an IP, compared without case. All must be found.
    pub searches: Vec<String>,
    /// A label selector.
    pub selector: Option<Selector>,
    /// Only pods with a [`Pod::reason`].
    pub problem: bool,
    /// The field to sort by.
    pub sort: Sort,
    /// The direction of the sort.
    pub order: Order,
    /// The number of rows to skip.
    pub offset: usize,
    /// The most rows to return.
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
            qos_classes: Vec::new(),
            nodes: Vec::new(),
            owners: Vec::new(),
            reason_codes: Vec::new(),
            name: None,
            restarted_since: None,
            created_since: None,
            created_before: None,
            searches: Vec::new(),
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
    /// Returns the one form that all queries with the same answer share.
    ///
    /// Lists are sorted and hold each value once, texts that are compared without case are in lower
    /// case, empty searches are left out, an empty selector is `None`, and the scope is cut to the
    /// clusters asked for.
    #[must_use]
    pub fn canonical(self) -> Self {
        let Self {
            clusters,
            scope,
            namespaces,
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
            searches,
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
            qos_classes: sorted(lower(qos_classes)),
            nodes: sorted(nodes),
            owners: sorted(owners),
            reason_codes: sorted(reason_codes),
            name,
            restarted_since,
            created_since,
            created_before,
            searches: sorted(lower(searches.into_iter().filter(|text| !text.is_empty()).collect())),
            selector: selector.and_then(Selector::canonical),
            problem,
            sort,
            order,
            offset,
            limit,
        }
    }

    /// Returns the canonical form without its page. It is equal for viewers that can share one
    /// [`crate::live::Live`].
    #[must_use]
    pub fn group(self) -> Self {
        Self {
            offset: 0,
            limit: 0,
            ..self.canonical()
        }
    }
}

impl Query {
    /// Returns the query without the filters of a facet's own group, so that each value is counted
    /// as it would be found if it were chosen. `None` if no filter of the group is set.
    #[must_use]
    pub(crate) fn without(&self, facet: Facet, reach: &Reach) -> Option<Self> {
        let mut wider = self.clone();
        match facet.group() {
            // The query's own scope may have been cut to its clusters.
            Facet::Cluster => (wider.clusters, wider.scope) = (reach.clusters.clone(), reach.scope.clone()),
            Facet::Namespace => wider.namespaces.clear(),
            Facet::Node => wider.nodes.clear(),
            Facet::Phase => wider.phases.clear(),
            Facet::QosClass => wider.qos_classes.clear(),
            Facet::Owner => wider.owners.clear(),
            Facet::Status | Facet::Problem | Facet::ReasonCode => {
                wider.statuses.clear();
                wider.reason_codes.clear();
                wider.problem = false;
            }
        }
        (wider != *self).then_some(wider)
    }
}

impl Scope {
    /// Cuts the scope to some clusters, which are sorted.
    ///
    /// Returns those of the clusters that it shows any part of, and itself in canonical form.
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

/// Returns the entries of the named clusters that show anything: one for each cluster, sorted by
/// number.
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

/// The answer to a [`Query`], as copies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The rows, in the order asked for.
    pub rows: Vec<Row>,
    /// The number of matches before paging.
    pub total: usize,
}
