//! Live queries: queries for pods that are read again and again.

use podgate_cluster::{Cluster, Registry};
use podgate_index::{ClusterId, Index, Query, Scope};

use crate::pod_query::PodQuery;

/// A live query, restricted to what its caller may see. Only [`crate::Scoped`] creates it. Its
/// holder must drop it when the caller's session ends.
#[derive(Clone, Debug)]
pub struct LiveQuery {
    index: Index,
    registry: Registry,
    key: LiveQueryKey,
}

/// The identity of a live query. It is equal for callers who see the same rows in the same order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LiveQueryKey {
    /// The one cluster of a live query of one cluster.
    only: Option<ClusterId>,
    /// Sorted by number. `None` means all clusters, including those added later.
    clusters: Option<Vec<ClusterId>>,
    scope: Scope,
    query: Query,
}

impl LiveQuery {
    /// Creates a live query. `only` is the one cluster that its caller may ask for; without it,
    /// `None` for `clusters` means all, including those added later.
    pub(crate) fn new(
        index: &Index,
        registry: &Registry,
        (only, clusters): (Option<ClusterId>, Option<Vec<ClusterId>>),
        scope: Scope,
        query: Query,
    ) -> Self {
        Self {
            index: index.clone(),
            registry: registry.clone(),
            key: LiveQueryKey {
                only,
                clusters,
                scope,
                query: query.group(),
            },
        }
    }

    /// Returns the query's identity. Callers with equal keys may share one evaluation.
    pub fn key(&self) -> &LiveQueryKey {
        &self.key
    }

    /// Returns the query for the clusters that exist now, with their sync states.
    pub fn pods(&self) -> PodQuery {
        let LiveQueryKey {
            only,
            clusters,
            scope,
            query,
        } = &self.key;
        let all: Vec<Cluster> = match only {
            Some(only) => self.registry.get(*only).into_iter().collect(),
            None => self.registry.all(),
        };
        let listed: Vec<Cluster> = match clusters {
            Some(clusters) => clusters.iter().filter_map(|id| self.registry.get(*id)).collect(),
            None => all.clone(),
        };
        PodQuery::new(&self.index, listed, all, scope.clone(), query.clone())
    }
}
