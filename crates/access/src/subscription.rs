//! A question about pods that is asked again and again.

use podgate_cluster::{Cluster, Registry};
use podgate_index::{ClusterId, Index, Query, Scope};

use crate::pod_query::PodQuery;

/// A live query, cut to what its caller may see. Made by [`crate::Scoped`] only. Ends with the
/// session that opened it: whoever keeps it sees to that.
#[derive(Clone, Debug)]
pub struct LiveQuery {
    index: Index,
    registry: Registry,
    key: LiveQueryKey,
}

/// What is followed: equal for callers who see the same rows in the same order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LiveQueryKey {
    /// Sorted; none: all there are, and those that come.
    clusters: Option<Vec<ClusterId>>,
    scope: Scope,
    query: Query,
}

impl LiveQuery {
    /// `clusters` none: all there are, and those that come.
    pub(crate) fn new(
        index: &Index,
        registry: &Registry,
        clusters: Option<Vec<ClusterId>>,
        scope: Scope,
        query: Query,
    ) -> Self {
        Self {
            index: index.clone(),
            registry: registry.clone(),
            key: LiveQueryKey {
                clusters,
                scope,
                query: query.group(),
            },
        }
    }

    /// What is followed. Callers with equal keys may share what it costs.
    pub fn key(&self) -> &LiveQueryKey {
        &self.key
    }

    /// The question as it is now: of the clusters that there are now, with their sync states.
    pub fn pods(&self) -> PodQuery {
        let LiveQueryKey { clusters, scope, query } = &self.key;
        let listed: Vec<Cluster> = match clusters {
            Some(clusters) => clusters.iter().filter_map(|id| self.registry.get(*id)).collect(),
            None => self.registry.all(),
        };
        PodQuery::new(&self.index, listed, scope.clone(), query.clone())
    }
}
