//! The pods of the index that a caller may see, as lists and live queries read them.

use podgate_cluster::{Cluster, Error, Sync};
use std::sync::Arc;

use podgate_index::{
    Answer, ClusterId, Facet, FacetValue, Found, Index, Query, Reach, Reader, Scope,
    live::{Delta, Live, Window},
};

/// A query for pods of some clusters, restricted to what its caller may see. Only [`crate::Scoped`]
/// creates it.
#[derive(Clone, Debug)]
pub struct PodQuery {
    index: Index,
    query: Query,
    clusters: Vec<ListedCluster>,
    /// Every cluster that the caller may ask for, by number.
    all: Vec<Cluster>,
    reach: Reach,
}

/// A cluster that a query covers.
#[derive(Clone, Debug)]
pub struct ListedCluster {
    cluster: Cluster,
    sync: Sync,
}

/// A view of the index for one query. The index can't change while it lives: read and drop it
/// without an await in between.
#[derive(Debug)]
pub struct PodReader<'a> {
    reader: Reader<'a>,
    query: &'a Query,
}

impl PodQuery {
    /// Restricts a query to `clusters` and a scope. `all` are the clusters without a filter by
    /// cluster. Both are sorted by number.
    pub(crate) fn new(index: &Index, clusters: Vec<Cluster>, all: Vec<Cluster>, scope: Scope, query: Query) -> Self {
        let query = Query {
            clusters: clusters.iter().map(Cluster::id).collect(),
            scope,
            ..query
        };
        let listed = |cluster: Cluster| {
            let mut sync = cluster.sync();
            sync.error = sync.error.or(unwatched(&cluster, &query.namespaces));
            ListedCluster { cluster, sync }
        };
        let clusters = clusters.into_iter().map(listed).collect();
        Self {
            index: index.clone(),
            reach: Reach {
                clusters: all.iter().map(Cluster::id).collect(),
                // As it was before it is cut to the clusters asked for.
                scope: query.scope.clone(),
            },
            query: query.canonical(),
            clusters,
            all,
        }
    }

    /// Returns the query in canonical form, restricted to the clusters and the scope.
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// Returns the clusters that the query covers, by number.
    pub fn clusters(&self) -> &[ListedCluster] {
        &self.clusters
    }

    /// Returns the name of a cluster that the caller may ask for, or an empty text for any other.
    pub fn cluster_name(&self, id: ClusterId) -> &str {
        let found = self.all.binary_search_by_key(&id, Cluster::id);
        found.ok().and_then(|at| self.all.get(at)).map_or("", Cluster::name)
    }

    /// Returns the number of a cluster that the query covers, named by its number or its name.
    pub fn cluster_id(&self, named: &str) -> Option<ClusterId> {
        let number = named.parse().ok().map(ClusterId);
        let is_named = |cluster: &&ListedCluster| match number {
            Some(number) => cluster.id() == number,
            None => cluster.name() == named,
        };
        self.clusters.iter().find(is_named).map(ListedCluster::id)
    }

    /// Returns all that the caller may see, without any filter.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Opens the index for this query.
    pub fn read(&self) -> PodReader<'_> {
        PodReader {
            reader: self.index.read_for(&self.query),
            query: &self.query,
        }
    }
}

impl ListedCluster {
    /// Returns its number.
    pub fn id(&self) -> ClusterId {
        self.cluster.id()
    }

    /// Returns its name.
    pub fn name(&self) -> &str {
        self.cluster.name()
    }

    /// Returns how current its pods were when the query was made. The error also names a requested
    /// namespace that is not watched.
    pub fn sync(&self) -> &Sync {
        &self.sync
    }
}

impl PodReader<'_> {
    /// See [`Reader::find`].
    pub fn find(&self) -> Found<'_, '_> {
        self.reader.find(self.query)
    }

    /// Starts a live view of the query. Only readers of the same query may update it.
    pub fn live(&self) -> Live {
        Live::new(&self.reader, self.query.clone())
    }

    /// See [`Live::snapshot`].
    pub fn snapshot(&self, live: &mut Live, window: &mut Window) -> Answer<'_> {
        live.snapshot(&self.reader, window)
    }

    /// See [`Live::delta`].
    pub fn delta(&self, live: &mut Live, window: &mut Window) -> Option<Delta<'_>> {
        live.delta(&self.reader, window)
    }

    /// See [`Live::facets`].
    pub fn live_facets(&self, live: &mut Live, facet: Facet) -> Arc<Vec<(FacetValue, usize)>> {
        live.facets(&self.reader, facet)
    }

    /// See [`Live::other_facets`].
    pub fn live_other_facets(
        &self,
        live: &mut Live,
        facet: Facet,
        reach: &Reach,
    ) -> (Arc<Vec<(FacetValue, usize)>>, usize) {
        live.other_facets(&self.reader, facet, reach)
    }

    /// See [`Live::position`].
    pub fn position(&self, live: &mut Live, cluster: ClusterId, namespace: &str, name: &str) -> Option<usize> {
        live.position(&self.reader, cluster, namespace, name)
    }

    /// Returns a number that differs whenever the query's answer may differ; see
    /// [`Reader::generation`].
    pub fn generation(&self) -> u64 {
        self.reader.generation(self.query)
    }

    /// Returns a number that differs whenever a count over all clusters may differ, as
    /// [`PodReader::generation`] does. A filter by namespace does not narrow it.
    pub fn wide_generation(&self, reach: &Reach) -> u64 {
        let wide = Query {
            clusters: reach.clusters.clone(),
            scope: reach.scope.clone(),
            ..Query::default()
        };
        self.reader.generation(&wide)
    }
}

/// Returns the error for the first of some namespaces that a cluster does not watch. `None` if it
/// watches all of them.
pub(crate) fn unwatched(cluster: &Cluster, namespaces: &[String]) -> Option<Error> {
    let watched = cluster.watched();
    let unknown = |namespace: &&String| !watched.is_empty() && !watched.contains(namespace);
    let namespace = namespaces.iter().find(unknown)?;
    Some(Error::forbidden(format!(
        "Podgate may not list pods in namespace `{namespace}` on cluster `{cluster}`: GET /api/clusters/{cluster} lists the namespaces that \
         it watches",
        cluster = cluster.name()
    )))
}
