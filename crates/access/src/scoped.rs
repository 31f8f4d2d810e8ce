//! The methods that each action offers.

use std::collections::BTreeMap;

use podgate_cluster::{Cluster, PodJson, Sync, SyncState, delete, events, exec, follow, log};
use podgate_index::{Query, Scope, Stats};

use crate::{
    action::{
        CreateCluster, DeleteCluster, DeletePod, Exec, GetCluster, GetPod, ListClusters, ListPods, ReadEvents,
        ReadLogs, TestCluster, UpdateCluster,
    },
    clusters::{Edit, Entry, New},
    error::{Denied, Result},
    gate::{Gate, Scoped},
    pod_query::{PodQuery, unwatched},
    subscription::LiveQuery,
};

impl Scoped<ListPods> {
    /// Returns the pods of a query: those of the target's cluster, or, for all of Podgate, those of
    /// the clusters `named` by number or name. No name means all clusters. A caller who may list
    /// pods may see all of them.
    ///
    /// # Errors
    /// For one cluster: [`podgate_cluster::Error::Forbidden`] for a namespace that is not watched,
    /// [`Denied::Syncing`] before the first sync, or the error that made the sync fail. For all of
    /// Podgate: [`Denied::ClusterNotFound`]; the state of a cluster is not an error there.
    pub fn pods(&self, named: &[String], query: Query) -> Result<PodQuery> {
        if let Some(cluster) = &self.cluster {
            check_watched(cluster, &query.namespaces)?;
            synced(cluster)?;
        }
        let all = self
            .cluster
            .as_ref()
            .map_or_else(|| self.gate.registry.all(), |one| vec![one.clone()]);
        let clusters = self.named(named)?.unwrap_or_else(|| all.clone());
        Ok(PodQuery::new(&self.gate.index, clusters, all, Scope::All, query))
    }

    /// Returns a live query, which is read again and again. Otherwise like [`Scoped::pods`], but a
    /// cluster that has not synced yet is not an error: its state is reported.
    ///
    /// # Errors
    /// [`podgate_cluster::Error::Forbidden`] for a namespace of the target's cluster that is not
    /// watched; [`Denied::ClusterNotFound`].
    pub fn subscribe(&self, named: &[String], query: Query) -> Result<LiveQuery> {
        if let Some(cluster) = &self.cluster {
            check_watched(cluster, &query.namespaces)?;
        }
        let clusters = self.named(named)?;
        let clusters = clusters.map(|clusters| clusters.iter().map(Cluster::id).collect());
        let Gate { index, registry, .. } = &self.gate;
        let only = self.cluster.as_ref().map(Cluster::id);
        Ok(LiveQuery::new(index, registry, (only, clusters), Scope::All, query))
    }

    /// Returns the target's cluster or the named ones, by number. `None` means all.
    fn named(&self, named: &[String]) -> Result<Option<Vec<Cluster>>> {
        if let Some(cluster) = &self.cluster {
            return Ok(Some(vec![cluster.clone()]));
        }
        let found: Result<BTreeMap<_, _>> = named
            .iter()
            .map(|name| self.gate.find(name).map(|cluster| (cluster.id(), cluster)))
            .collect();
        let found = found?;
        Ok((!found.is_empty()).then(|| found.into_values().collect()))
    }
}

impl Scoped<GetPod> {
    /// See [`podgate_cluster::Cluster::pod`].
    ///
    /// # Errors
    /// Those of the cluster.
    pub async fn get(&self) -> Result<PodJson> {
        Ok(self.cluster()?.pod(&self.namespace, &self.name).await?)
    }

    /// See [`podgate_cluster::Cluster::manifest`].
    ///
    /// # Errors
    /// Those of the cluster.
    pub async fn manifest(&self) -> Result<Vec<u8>> {
        Ok(self.cluster()?.manifest(&self.namespace, &self.name).await?)
    }
}

impl Scoped<DeletePod> {
    /// See [`podgate_cluster::Cluster::delete_pod`].
    ///
    /// # Errors
    /// Those of the cluster.
    pub async fn delete(&self, options: &delete::Options) -> Result<()> {
        Ok(self.cluster()?.delete_pod(&self.namespace, &self.name, options).await?)
    }
}

impl Scoped<ReadLogs> {
    /// See [`podgate_cluster::Cluster::log`].
    ///
    /// # Errors
    /// Those of the cluster.
    pub async fn log(&self, query: &log::Query) -> Result<log::Body> {
        Ok(self.cluster()?.log(&self.namespace, &self.name, query).await?)
    }

    /// See [`podgate_cluster::Cluster::follow`].
    ///
    /// # Errors
    /// Those of the cluster.
    pub async fn follow(&self, options: follow::Options) -> Result<follow::Frames> {
        Ok(self.cluster()?.follow(&self.namespace, &self.name, options).await?)
    }
}

impl Scoped<ReadEvents> {
    /// See [`podgate_cluster::Cluster::events`].
    ///
    /// # Errors
    /// Those of the cluster.
    pub async fn events(&self) -> Result<events::Events> {
        Ok(self.cluster()?.events(&self.namespace, &self.name).await?)
    }
}

impl Scoped<Exec> {
    /// See [`podgate_cluster::Cluster::exec`].
    ///
    /// # Errors
    /// Those of the cluster.
    pub async fn exec(&self, options: exec::Options) -> Result<exec::Session> {
        Ok(self.cluster()?.exec(&self.namespace, &self.name, options).await?)
    }
}

impl Scoped<ListClusters> {
    /// Returns every cluster, by number.
    ///
    /// # Errors
    /// [`Denied::Internal`].
    pub async fn list(&self) -> Result<Vec<Entry>> {
        self.gate.clusters.list().await
    }
}

impl Scoped<GetCluster> {
    /// Returns the cluster.
    ///
    /// # Errors
    /// [`Denied::Internal`].
    pub async fn get(&self) -> Result<Entry> {
        self.gate.clusters.get(self.cluster()?).await
    }

    /// Returns counts of its pods.
    ///
    /// # Errors
    /// [`Denied::Syncing`] before the first sync, or the error that made it fail.
    pub fn stats(&self) -> Result<Stats> {
        let cluster = self.cluster()?;
        synced(cluster)?;
        Ok(self.gate.index.stats(cluster.id(), &Scope::All))
    }

    /// Returns its namespaces, by name.
    ///
    /// # Errors
    /// Those of the cluster.
    pub async fn namespaces(&self) -> Result<Vec<String>> {
        Ok(self.cluster()?.namespaces().await?)
    }
}

impl Scoped<CreateCluster> {
    /// Tests, stores and starts a cluster.
    ///
    /// # Errors
    /// [`Denied::Invalid`], [`Denied::Conflict`] for a name that is taken, and the error of the
    /// test.
    pub async fn create(&self, new: New) -> Result<Entry> {
        self.gate.clusters.create(new).await
    }
}

impl Scoped<UpdateCluster> {
    /// Changes the given fields. A new credential is tested first.
    ///
    /// # Errors
    /// As [`Scoped::create`]; [`Denied::Conflict`] for a read-only cluster.
    pub async fn update(&self, edit: Edit) -> Result<Entry> {
        self.gate.clusters.update(self.cluster()?, edit).await
    }
}

impl Scoped<DeleteCluster> {
    /// Removes the cluster, its credential and its rows.
    ///
    /// # Errors
    /// [`Denied::Conflict`] for a read-only cluster.
    pub async fn delete(&self) -> Result<()> {
        self.gate.clusters.delete(self.cluster()?).await
    }
}

impl Scoped<TestCluster> {
    /// Tests the cluster's connection, and returns its version.
    ///
    /// # Errors
    /// The error of the test, without any of the upstream's body.
    pub async fn test(&self) -> Result<podgate_cluster::Info> {
        self.gate.clusters.test(self.cluster()?).await
    }
}

/// Returns how current a synced cluster's pods are. Of any other cluster, the index holds nothing
/// or only a part.
fn synced(cluster: &Cluster) -> Result<Sync> {
    let sync = cluster.sync();
    match (sync.state, &sync.error) {
        (SyncState::Failed, Some(error)) => Err(error.clone().into()),
        (SyncState::Syncing | SyncState::Failed, _) => Err(Denied::Syncing(format!(
            "the pods of cluster `{}` are still being synced for the first time: try again in a moment",
            cluster.name()
        ))),
        (SyncState::Synced | SyncState::Stale, _) => Ok(sync),
    }
}

/// Refuses a namespace that the index does not cover: an empty list would claim that it has no
/// pods.
fn check_watched(cluster: &Cluster, namespaces: &[String]) -> Result<()> {
    unwatched(cluster, namespaces).map_or(Ok(()), |error| Err(error.into()))
}
