//! The clusters that Podgate knows: what the database stores of them, joined with what the registry runs.

use podgate_cluster::{Cluster, Registry, Sync, registry::Info};
use podgate_index::Index;
use podgate_store::Store;

use crate::error::Result;

/// A cluster as the API shows it. Holds no credential.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Number.
    pub id: u32,
    /// Unique name.
    pub name: String,
    /// Free text; of a kubeconfig's context its original name.
    pub description: String,
    /// Address.
    pub api_server: String,
    /// Watched namespaces; empty: all.
    pub namespaces: Vec<String>,
    /// From a kubeconfig or flag: the API can't change it.
    pub read_only: bool,
    /// Version and nodes.
    pub info: Info,
    /// Pods in the index.
    pub pods: usize,
    /// How current they are.
    pub sync: Sync,
}

/// A cluster to add. Either `kubeconfig`, or `api_server` and `token`.
#[derive(Clone, Default)]
pub struct New {
    /// A DNS-1123 label, not all digits.
    pub name: String,
    /// Free text.
    pub description: String,
    /// YAML, or its base64.
    pub kubeconfig: Option<String>,
    /// `https://host[:port]`.
    pub api_server: Option<String>,
    /// Bearer token.
    pub token: Option<String>,
    /// PEM or its base64.
    pub ca_cert: Option<String>,
    /// Watched namespaces; empty: all.
    pub namespaces: Vec<String>,
}

/// What to change; absent stays.
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

/// See the module. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Clusters {}

impl Clusters {
    /// Joins a store and a registry.
    pub fn new(_store: Store, _registry: Registry, _index: Index) -> Self {
        todo!()
    }

    /// Starts every cluster that the database holds (those added through the API).
    ///
    /// # Errors
    /// [`crate::Denied::Internal`] when the database fails.
    pub async fn start_stored(&self) -> Result<()> {
        todo!()
    }

    /// Starts a cluster of the operator's under a stable number: `key` says which one it is at the next start.
    ///
    /// # Errors
    /// [`crate::Denied::Internal`] when the database fails.
    pub async fn start_fixed(
        &self,
        _key: &str,
        _name: &str,
        _description: &str,
        _source: podgate_cluster::Source,
    ) -> Result<Entry> {
        todo!()
    }

    pub(crate) async fn list(&self) -> Result<Vec<Entry>> {
        todo!()
    }

    pub(crate) async fn get(&self, _cluster: &Cluster) -> Result<Entry> {
        todo!()
    }

    pub(crate) async fn create(&self, _new: New) -> Result<Entry> {
        todo!()
    }

    pub(crate) async fn update(&self, _cluster: &Cluster, _edit: Edit) -> Result<Entry> {
        todo!()
    }

    pub(crate) async fn delete(&self, _cluster: &Cluster) -> Result<()> {
        todo!()
    }

    pub(crate) async fn test(&self, _cluster: &Cluster) -> Result<Info> {
        todo!()
    }
}
