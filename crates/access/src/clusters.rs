//! The clusters that Podgate knows: those stored in the database, joined with those that the
//! registry runs.

mod validate;

use std::{collections::HashMap, sync::Arc};

use podgate_cluster::{Cluster, Info, InvalidSource, Registry, Source, Spec, Sync};
use podgate_index::{ClusterId, Index, Scope};
use podgate_store::{ClusterEdit, NewCluster, Origin, Store};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::{
    clock::Clock,
    error::{Denied, Result},
};

/// A cluster as the API shows it. Holds no credential.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Number.
    pub id: u32,
    /// Unique name.
    pub name: String,
    /// Free text. For a context of a kubeconfig, its original name.
    pub description: String,
    /// Address.
    pub api_server: String,
    /// The namespaces that are watched now. Empty means all.
    pub namespaces: Vec<String>,
    /// Whether the API can't change it, because it comes from a kubeconfig or a flag.
    pub read_only: bool,
    /// Version and nodes.
    pub info: Info,
    /// Pods in the index.
    pub pods: usize,
    /// How current these pods are.
    pub sync: Sync,
}

/// A cluster to add, given by `kubeconfig`, or by `api_server` and `token`.
#[derive(Clone, Default)]
pub struct New {
    /// A DNS-1123 label, not all digits.
    pub name: String,
    /// Free text.
    pub description: String,
    /// YAML, or YAML in base64.
    pub kubeconfig: Option<String>,
    /// `https://host[:port]`.
    pub api_server: Option<String>,
    /// Bearer token.
    pub token: Option<String>,
    /// PEM, or PEM in base64.
    pub ca_cert: Option<String>,
    /// The namespaces to watch. Empty means all.
    pub namespaces: Vec<String>,
}

/// The changes to a cluster. `None` leaves a field as it is.
#[derive(Clone, Default)]
pub struct Edit {
    /// As in [`New`].
    pub name: Option<String>,
    /// As in [`New`].
    pub description: Option<String>,
    /// As in [`New`].
    pub kubeconfig: Option<String>,
    /// As in [`New`].
    pub api_server: Option<String>,
    /// As in [`New`].
    pub token: Option<String>,
    /// As in [`New`].
    pub ca_cert: Option<String>,
    /// As in [`New`].
    pub namespaces: Option<Vec<String>>,
}

/// The clusters of the database and the registry. Cheap to clone.
///
/// A change is written to the database first: after a crash in between, the next start follows the
/// database.
#[derive(Clone, Debug)]
pub struct Clusters {
    store: Store,
    registry: Registry,
    index: Index,
    clock: Clock,
    /// Held from a change in the database until the registry has followed, so that two changes to
    /// one cluster can't leave database and registry inconsistent. An async mutex, because both
    /// steps await. Reads don't take it.
    changes: Arc<Mutex<()>>,
}

impl Clusters {
    /// Joins a store and a registry.
    pub fn new(store: Store, registry: Registry, index: Index) -> Self {
        Self {
            store,
            registry,
            index,
            clock: Clock::default(),
            changes: Arc::default(),
        }
    }

    /// Starts every cluster of the database: those added through the API. A cluster whose
    /// credential can't be decrypted is listed too, with that reason.
    ///
    /// # Errors
    /// [`crate::Denied::Internal`] when the database fails.
    pub async fn start_stored(&self) -> Result<()> {
        for row in self.store.list_clusters().await? {
            if row.origin == Origin::Fixed {
                continue;
            }
            let source = self.usable_source(&row).await?;
            self.start(&row, source);
        }
        Ok(())
    }

    /// Starts a cluster of the operator under a stable number, which `key` identifies at the next
    /// start. `namespaces` are those to watch; empty means all.
    ///
    /// # Errors
    /// [`crate::Denied::Internal`] when the database fails.
    pub async fn start_fixed(
        &self,
        key: &str,
        name: &str,
        description: &str,
        source: podgate_cluster::Source,
        namespaces: Vec<String>,
    ) -> Result<Entry> {
        // A context's name may have characters that a database refuses.
        let plain = |text: &str| text.replace(char::is_control, " ");
        let (key, description) = (plain(key), plain(description));
        let mut row = self
            .store
            .adopt_fixed(&key, name, &description, &source.api_server(), self.clock.now())
            .await?;
        row.namespaces = namespaces;
        let cluster = self.start(&row, source);
        Ok(self.entry(&cluster, row))
    }

    pub(crate) async fn list(&self) -> Result<Vec<Entry>> {
        let rows = self.store.list_clusters().await?;
        let mut rows: HashMap<u32, _> = rows.into_iter().map(|row| (row.id, row)).collect();
        let clusters = self.registry.all();
        // A cluster without a row is being removed.
        let entries = clusters
            .iter()
            .filter_map(|cluster| Some(self.entry(cluster, rows.remove(&cluster.id().0)?)));
        Ok(entries.collect())
    }

    pub(crate) async fn get(&self, cluster: &Cluster) -> Result<Entry> {
        Ok(self.entry(cluster, self.row(cluster).await?))
    }

    pub(crate) async fn create(&self, new: New) -> Result<Entry> {
        validate::name(&new.name)?;
        validate::description(&new.description)?;
        let namespaces = validate::namespaces(new.namespaces)?;
        let source = match (&new.kubeconfig, &new.api_server, &new.token) {
            (Some(_), None, None) | (None, Some(_), Some(_)) => {
                source(new.kubeconfig, new.api_server, new.token, new.ca_cert)?
            }
            (None, None, None) => return Err(missing("`kubeConfig`, or `apiServer` and `token`")),
            (None, Some(_), None) => return Err(missing("`token`")),
            (None, None, Some(_)) => return Err(missing("`apiServer`")),
            (Some(_), _, _) => return Err(both()),
        };
        self.check_name(&new.name).await?;
        self.registry.probe(&source, &namespaces).await?;
        let row = NewCluster {
            name: new.name,
            description: new.description,
            api_server: source.api_server(),
            namespaces,
            credential: Zeroizing::new(source.to_stored()),
        };
        self.change(move |clusters| async move {
            clusters.free_name(&row.name).await?;
            let row = clusters.store.insert_cluster(row, clusters.clock.now()).await?;
            tracing::info!(cluster = row.name, id = row.id, "a cluster was added");
            let cluster = clusters.start(&row, source);
            Ok(clusters.entry(&cluster, row))
        })
        .await
    }

    pub(crate) async fn update(&self, cluster: &Cluster, edit: Edit) -> Result<Entry> {
        let row = self.changeable(cluster, "changed").await?;
        let name = edit.name.filter(|name| *name != row.name);
        if let Some(name) = &name {
            validate::name(name)?;
            self.check_name(name).await?;
        }
        if let Some(description) = &edit.description {
            validate::description(description)?;
        }
        let namespaces = edit.namespaces.map(validate::namespaces).transpose()?;
        let namespaces = namespaces.filter(|namespaces| *namespaces != row.namespaces);
        let given = match (edit.kubeconfig, edit.api_server, edit.token, edit.ca_cert) {
            (None, None, None, None) => None,
            (None, None, Some(token), None) => {
                let stored = self.stored_source(row.id).await?.map_err(lost)?;
                Some(stored.with_token(&token).map_err(invalid)?)
            }
            // A stored credential must never be sent to a server that it was not given for.
            (None, _, None, _) => return Err(missing("`token`, which a new `apiServer` or `caCert` needs as well,")),
            (None, None, Some(_), Some(_)) => return Err(missing("`apiServer`, which a new `caCert` needs as well,")),
            (kubeconfig, api_server, token, ca_cert) => Some(source(kubeconfig, api_server, token, ca_cert)?),
        };
        let watched = namespaces.as_ref().unwrap_or(&row.namespaces);
        if let Some(source) = &given {
            self.registry.probe(source, watched).await?;
        } else if namespaces.is_some() {
            let stored = self.stored_source(row.id).await?.map_err(lost)?;
            self.registry.probe(&stored, watched).await?;
        }
        let restart = given.is_some() || name.is_some() || namespaces.is_some();
        let edit = ClusterEdit {
            api_server: given.as_ref().map(Source::api_server),
            credential: given.as_ref().map(|source| Zeroizing::new(source.to_stored())),
            name,
            description: edit.description,
            namespaces,
        };
        let running = cluster.clone();
        self.change(move |clusters| async move {
            if let Some(name) = &edit.name {
                clusters.free_name(name).await?;
            }
            // Done before anything changes: without the source, the cluster could not be started
            // again.
            let source = match given {
                None if restart => Some(clusters.usable_source(&row).await?),
                given => given,
            };
            let changed = clusters
                .store
                .update_cluster(row.id, edit, clusters.clock.now())
                .await?;
            let row = changed.ok_or_else(|| gone(&running))?;
            let Some(source) = source else {
                return Ok(clusters.entry(&running, row));
            };
            let cluster = clusters.start(&row, source);
            Ok(clusters.entry(&cluster, row))
        })
        .await
    }

    pub(crate) async fn delete(&self, cluster: &Cluster) -> Result<()> {
        let row = self.changeable(cluster, "removed").await?;
        self.change(move |clusters| async move {
            clusters.store.delete_cluster(row.id).await?;
            clusters.registry.remove(ClusterId(row.id)).await;
            tracing::info!(cluster = row.name, id = row.id, "a cluster was removed");
            Ok(())
        })
        .await
    }

    pub(crate) async fn test(&self, cluster: &Cluster) -> Result<Info> {
        Ok(cluster.probe().await?)
    }

    fn start(&self, row: &podgate_store::Cluster, source: Source) -> Cluster {
        self.registry.add(Spec {
            id: ClusterId(row.id),
            name: row.name.clone(),
            source,
            namespaces: row.namespaces.clone(),
        })
    }

    fn entry(&self, cluster: &Cluster, row: podgate_store::Cluster) -> Entry {
        Entry {
            id: row.id,
            name: row.name,
            description: row.description,
            api_server: row.api_server,
            namespaces: cluster.watched().to_vec(),
            read_only: row.origin == Origin::Fixed,
            info: cluster.info(),
            pods: self.index.stats(cluster.id(), &Scope::All).pods,
            sync: cluster.sync(),
        }
    }

    async fn row(&self, cluster: &Cluster) -> Result<podgate_store::Cluster> {
        let row = self.store.cluster(cluster.id().0).await?;
        row.ok_or_else(|| gone(cluster))
    }

    async fn changeable(&self, cluster: &Cluster, what: &str) -> Result<podgate_store::Cluster> {
        let row = self.row(cluster).await?;
        if row.origin == Origin::Fixed {
            return Err(Denied::Conflict(format!(
                "cluster `{}` comes from the operator's kubeconfig or flags: it can be {what} there, not through the API",
                row.name
            )));
        }
        Ok(row)
    }

    /// Returns the stored source, or the reason why it is lost.
    ///
    /// # Errors
    /// Those of the database: while it fails, the source is not lost.
    async fn stored_source(&self, id: u32) -> Result<std::result::Result<Source, InvalidSource>> {
        let stored = match self.store.cluster_credential(id).await {
            Err(error @ podgate_store::Error::Unseal(_)) => return Ok(Err(InvalidSource(error.to_string()))),
            other => other?,
        };
        let missing = || InvalidSource("it has no stored credential".to_owned());
        Ok(stored
            .ok_or_else(missing)
            .and_then(|stored| Source::from_stored(&stored)))
    }

    /// Returns the stored source, or a source that reports why it is lost.
    async fn usable_source(&self, row: &podgate_store::Cluster) -> Result<Source> {
        let stored = self.stored_source(row.id).await?;
        Ok(stored.unwrap_or_else(|InvalidSource(reason)| {
            tracing::error!(cluster = row.name, reason, "the credential of a cluster can't be used");
            Source::unusable(&row.api_server, &reason)
        }))
    }

    /// Refuses a name that a running or a stored cluster already has, before the connection is
    /// tested.
    async fn check_name(&self, name: &str) -> Result<()> {
        match self.store.cluster_by_name(name).await? {
            Some(row) if row.origin == Origin::Api || self.registry.get(ClusterId(row.id)).is_some() => {
                Err(podgate_store::Error::Taken(row.name).into())
            }
            _ => Ok(()),
        }
    }

    /// Frees a name that belongs to a cluster of the operator that is absent at this start.
    async fn free_name(&self, name: &str) -> Result<()> {
        self.check_name(name).await?;
        if let Some(row) = self.store.cluster_by_name(name).await? {
            self.store.release_name(row.id, self.clock.now()).await?;
        }
        Ok(())
    }

    /// Carries out a change. Changes run one at a time, and to their end even if the caller's
    /// request is dropped.
    async fn change<T: Send + 'static, F: Future<Output = Result<T>> + Send + 'static>(
        &self,
        work: impl FnOnce(Self) -> F,
    ) -> Result<T> {
        let changes = self.changes.clone();
        let work = work(self.clone());
        let changed = tokio::spawn(async move {
            let _turn = changes.lock().await;
            work.await
        });
        match changed.await {
            Ok(result) => result,
            Err(error) => Err(Denied::Internal(format!("changing a cluster failed: {error}"))),
        }
    }
}

/// Builds a source from a request: from its kubeconfig, or from its address and token.
fn source(
    kubeconfig: Option<String>,
    api_server: Option<String>,
    token: Option<String>,
    ca_cert: Option<String>,
) -> Result<Source> {
    match (kubeconfig, api_server, token) {
        (Some(kubeconfig), None, None) if ca_cert.is_none() => {
            Source::from_untrusted_kubeconfig(&kubeconfig).map_err(invalid)
        }
        (None, Some(api_server), Some(token)) => {
            Source::from_parts(&api_server, &token, &ca_cert.unwrap_or_default()).map_err(invalid)
        }
        _ => Err(both()),
    }
}

fn invalid(InvalidSource(reason): InvalidSource) -> Denied {
    Denied::Invalid(reason)
}

fn missing(what: &str) -> Denied {
    Denied::Invalid(format!("{what} is missing"))
}

fn both() -> Denied {
    Denied::Invalid(
        "give either `kubeConfig`, or `apiServer` and `token` (and `caCert`), and not some of both".to_owned(),
    )
}

fn lost(InvalidSource(reason): InvalidSource) -> Denied {
    tracing::error!(reason, "the credential of a cluster can't be used");
    Denied::Conflict(
        "the stored credential of this cluster can't be read: supply a credential with this change".to_owned(),
    )
}

fn gone(cluster: &Cluster) -> Denied {
    Denied::ClusterNotFound(format!("cluster `{}` has just been removed", cluster.name()))
}
