//! Pods of the index as far as a caller may see them: what lists and live queries read.

use podgate_cluster::{Cluster, Error, Sync};
use std::sync::Arc;

use podgate_index::{
    Answer, ClusterId, Facet, FacetValue, Found, Index, Query, Reader, Scope,
    live::{Delta, Live, Window},
};

/// A question about the pods of some clusters, cut to what its caller may see of them. Made by
/// [`crate::Scoped`] only.
#[derive(Clone, Debug)]
pub struct PodQuery {
    index: Index,
    query: Query,
    clusters: Vec<ListedCluster>,
}

/// A cluster that a list is of.
#[derive(Clone, Debug)]
pub struct ListedCluster {
    cluster: Cluster,
    sync: Sync,
}

/// The index as it is now, for one question. No change comes in while it lives: read and let go,
/// without an await between.
#[derive(Debug)]
pub struct PodReader<'a> {
    reader: Reader<'a>,
    query: &'a Query,
}

impl PodQuery {
    /// `clusters` are those asked for, by number. Fills in the query's clusters and scope.
    pub(crate) fn new(index: &Index, clusters: Vec<Cluster>, scope: Scope, query: Query) -> Self {
        let query = Query {
            clusters: clusters.iter().map(Cluster::id).collect(),
            scope,
            ..query
        };
        let listed = |cluster: Cluster| {
            let mut sync = cluster.sync();
            let unwatched = unwatched(&cluster, &query.namespaces);
            sync.error = sync.error.or(unwatched.map(Error::forbidden));
            ListedCluster { cluster, sync }
        };
        let clusters = clusters.into_iter().map(listed).collect();
        Self {
            index: index.clone(),
            query: query.canonical(),
            clusters,
        }
    }

    /// What is asked, in canonical form: with the clusters and the scope that the caller has.
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// The clusters asked for, by number.
    pub fn clusters(&self) -> &[ListedCluster] {
        &self.clusters
    }

    /// The name of one of them; empty for another.
    pub fn cluster_name(&self, id: ClusterId) -> &str {
        let found = self.clusters.binary_search_by_key(&id, ListedCluster::id);
        found
            .ok()
            .and_then(|at| self.clusters.get(at))
            .map_or("", ListedCluster::name)
    }

    /// Opens the index for this question.
    pub fn read(&self) -> PodReader<'_> {
        PodReader {
            reader: self.index.read_for(&self.query),
            query: &self.query,
        }
    }
}

impl ListedCluster {
    /// Its number.
    pub fn id(&self) -> ClusterId {
        self.cluster.id()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.cluster.name()
    }

    /// How current its pods were when the question was asked; the error also tells of a namespace
    /// asked for that the cluster is not watched in.
    pub fn sync(&self) -> &Sync {
        &self.sync
    }
}

impl PodReader<'_> {
    /// See [`Reader::find`].
    pub fn find(&self) -> Found<'_, '_> {
        self.reader.find(self.query)
    }

    /// The question as a live query: to be brought up to date by readings of the same question
    /// only.
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

    /// See [`Reader::generation`].
    pub fn generation(&self) -> u64 {
        self.reader.generation(self.query)
    }
}

/// What keeps a cluster from listing some namespaces: it is not watched in them.
pub(crate) fn unwatched(cluster: &Cluster, namespaces: &[String]) -> Option<String> {
    let watched = cluster.watched();
    let unknown = |namespace: &&String| !watched.is_empty() && !watched.contains(namespace);
    let namespace = namespaces.iter().find(unknown)?;
    Some(format!(
        "Podgate may not list pods in namespace `{namespace}` on cluster `{cluster}`: GET /api/clusters/{cluster} lists the namespaces that it is \
         given for",
        cluster = cluster.name()
    ))
}
