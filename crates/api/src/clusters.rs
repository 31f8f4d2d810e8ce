//! The clusters: what there is, and adding, changing, trying and removing them. A credential never
//! comes back out.

use podgate_access::{
    action::{CreateCluster, DeleteCluster, GetCluster, ListClusters, TestCluster, UpdateCluster},
    clusters::{Edit, Entry, New},
};
use podgate_cluster::{Info, SyncState};
use podgate_index::Stats;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    ApiError, Authorized, Body, Data, FromParameters, Kind, Message, Operation, Parameter, Parameters, Params, Schemas,
    Success, sync::SyncView,
};

const REMOVED: &str = "Cluster removed";

/// A cluster.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Cluster)]
pub(crate) struct ClusterView {
    /// Its number; stays the same.
    id: u32,
    /// Its unique name.
    name: String,
    /// Free text; of a kubeconfig's context its original name.
    description: String,
    /// The API server's address.
    api_server: String,
    /// `healthy` (its pods are known and current), `unhealthy` (`sync` says why) or `unknown` (the
    /// first sync is under way).
    status: &'static str,
    /// The API server's version; empty while unknown.
    version: String,
    /// Nodes; null while unknown or not allowed.
    node_count: Option<usize>,
    /// Pods.
    pod_count: usize,
    /// The namespaces that it is watched in; empty: all.
    namespaces: Vec<String>,
    /// Given by the operator: it can't be changed here.
    read_only: bool,
    /// How current its pods are.
    sync: SyncView,
}

impl From<Entry> for ClusterView {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id,
            name: entry.name,
            description: entry.description,
            api_server: entry.api_server,
            status: match entry.sync.state {
                SyncState::Synced => "healthy",
                SyncState::Stale | SyncState::Failed => "unhealthy",
                SyncState::Syncing => "unknown",
            },
            version: entry.info.version,
            node_count: entry.info.nodes,
            pod_count: entry.pods,
            namespaces: entry.namespaces,
            read_only: entry.read_only,
            sync: SyncView::from(&entry.sync),
        }
    }
}

/// A page of clusters.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClusterPage {
    /// The clusters of this page, by number.
    items: Vec<ClusterView>,
    /// Clusters in all.
    total: usize,
    /// This page, from 1.
    page: u32,
    /// Clusters a page.
    page_size: u32,
}

/// A cluster to add: `kubeConfig`, or `apiServer` and `token`. Not `Debug`: it holds credentials.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct NewCluster {
    /// A DNS-1123 label, not all digits; unique.
    #[schema(
        pattern = "^(?![0-9]+$)[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        min_length = 1,
        max_length = 63
    )]
    name: String,
    /// Free text.
    #[serde(default)]
    description: String,
    /// A kubeconfig, YAML or its base64, without exec plug-in, auth provider, proxy or file.
    kube_config: Option<String>,
    /// `https://host[:port]`.
    #[schema(pattern = "^https://")]
    api_server: Option<String>,
    /// A bearer token.
    token: Option<String>,
    /// The API server's CA certificate, PEM or its base64; absent: the system's roots.
    ca_cert: Option<String>,
    /// The namespaces to watch, for a credential that may not list all; absent: all.
    #[serde(default)]
    namespaces: Vec<String>,
}

/// What to change of a cluster; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ClusterEdit {
    /// A DNS-1123 label, not all digits; unique.
    #[schema(
        pattern = "^(?![0-9]+$)[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        min_length = 1,
        max_length = 63
    )]
    name: Option<String>,
    /// Free text.
    description: Option<String>,
    /// A kubeconfig, YAML or its base64.
    kube_config: Option<String>,
    /// `https://host[:port]`.
    #[schema(pattern = "^https://")]
    api_server: Option<String>,
    /// A bearer token.
    token: Option<String>,
    /// The API server's CA certificate, PEM or its base64.
    ca_cert: Option<String>,
    /// The namespaces to watch; empty: all.
    namespaces: Option<Vec<String>>,
}

/// What a try of a cluster's connection found.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ClusterTest)]
pub(crate) struct TestView {
    /// The API server's version.
    version: String,
    /// Nodes; null when not allowed.
    node_count: Option<usize>,
}

impl From<Info> for TestView {
    fn from(info: Info) -> Self {
        Self {
            version: info.version,
            node_count: info.nodes,
        }
    }
}

/// Counts of a cluster's pods.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ClusterStats)]
pub(crate) struct StatsView {
    /// Pods in all.
    pods: usize,
    /// Pods by status, the most frequent first.
    by_status: Vec<StatusCount>,
    /// Pods by namespace, by name.
    by_namespace: Vec<NamespaceCount>,
}

/// Pods of one status.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct StatusCount {
    /// As `kubectl get pods` prints it.
    status: String,
    /// Pods.
    count: usize,
}

/// Pods of one namespace.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct NamespaceCount {
    /// Its name.
    namespace: String,
    /// Pods.
    count: usize,
}

impl From<Stats> for StatsView {
    fn from(stats: Stats) -> Self {
        let by_status = stats
            .by_status
            .into_iter()
            .map(|(status, count)| StatusCount { status, count });
        let by_namespace = stats
            .by_namespace
            .into_iter()
            .map(|(namespace, count)| NamespaceCount { namespace, count });
        Self {
            pods: stats.pods,
            by_status: by_status.collect(),
            by_namespace: by_namespace.collect(),
        }
    }
}

/// A cluster's namespaces.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Namespaces)]
pub(crate) struct NamespacesView {
    /// By name.
    items: Vec<NamespaceView>,
    /// How many.
    total: usize,
}

/// A namespace.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Namespace)]
pub(crate) struct NamespaceView {
    /// Its name.
    name: String,
}

/// Which page of the clusters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageQuery {
    page: u32,
    page_size: u32,
}

impl FromParameters for PageQuery {
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::one(
            "page",
            Kind::Int {
                min: 1,
                max: 1_000_000_000,
            },
            "The page, from 1; default 1.",
        ),
        Parameter::one(
            "pageSize",
            Kind::Int { min: 1, max: 1000 },
            "Clusters a page; default 20.",
        ),
    ];

    fn read(parameters: &Parameters) -> Result<Self, ApiError> {
        Ok(Self {
            page: parameters.int32("page").unwrap_or(1),
            page_size: parameters.int32("pageSize").unwrap_or(20),
        })
    }
}

pub(crate) const LIST: Operation = Operation::new(
    "clusters.list",
    "The clusters.",
    Success::Data(Schemas::of::<ClusterPage>),
);

/// `GET /api/clusters`.
pub(crate) async fn list(
    Authorized(scoped): Authorized<ListClusters>,
    Params(PageQuery { page, page_size }): Params<PageQuery>,
) -> Result<Data<ClusterPage>, ApiError> {
    let entries = scoped.list().await?;
    let total = entries.len();
    let skipped = (page as usize - 1).saturating_mul(page_size as usize);
    let items = entries
        .into_iter()
        .skip(skipped)
        .take(page_size as usize)
        .map(ClusterView::from);
    Ok(Data(ClusterPage {
        items: items.collect(),
        total,
        page,
        page_size,
    }))
}

pub(crate) const CREATE: Operation = Operation::new(
    "clusters.create",
    "Tries a cluster, then adds it.",
    Success::Data(Schemas::of::<ClusterView>),
)
.fails(&[409_001, 429_001, 502_001, 504_001]);

/// `POST /api/clusters`.
pub(crate) async fn create(
    Authorized(scoped): Authorized<CreateCluster>,
    Body(new): Body<NewCluster>,
) -> Result<Data<ClusterView>, ApiError> {
    let new = New {
        name: new.name,
        description: new.description,
        kubeconfig: given(new.kube_config),
        api_server: given(new.api_server),
        token: given(new.token),
        ca_cert: given(new.ca_cert),
        namespaces: new.namespaces,
    };
    Ok(Data(scoped.create(new).await?.into()))
}

pub(crate) const GET: Operation = Operation::new(
    "clusters.get",
    "One cluster.",
    Success::Data(Schemas::of::<ClusterView>),
);

/// `GET /api/clusters/{clusterId}`.
pub(crate) async fn get(Authorized(scoped): Authorized<GetCluster>) -> Result<Data<ClusterView>, ApiError> {
    Ok(Data(scoped.get().await?.into()))
}

pub(crate) const UPDATE: Operation = Operation::new(
    "clusters.update",
    "Changes a cluster.",
    Success::Data(Schemas::of::<ClusterView>),
)
.fails(&[409_001, 429_001, 502_001, 504_001]);

/// `PUT /api/clusters/{clusterId}`.
pub(crate) async fn update(
    Authorized(scoped): Authorized<UpdateCluster>,
    Body(edit): Body<ClusterEdit>,
) -> Result<Data<ClusterView>, ApiError> {
    let edit = Edit {
        name: edit.name,
        description: edit.description,
        kubeconfig: given(edit.kube_config),
        api_server: given(edit.api_server),
        token: given(edit.token),
        ca_cert: given(edit.ca_cert),
        namespaces: edit.namespaces,
    };
    Ok(Data(scoped.update(edit).await?.into()))
}

pub(crate) const DELETE: Operation =
    Operation::new("clusters.delete", "Removes a cluster.", Success::Message(REMOVED)).fails(&[409_001]);

/// `DELETE /api/clusters/{clusterId}`.
pub(crate) async fn delete(Authorized(scoped): Authorized<DeleteCluster>) -> Result<Message, ApiError> {
    scoped.delete().await?;
    Ok(Message(REMOVED))
}

pub(crate) const TEST: Operation = Operation::new(
    "clusters.test",
    "Tries a cluster's connection.",
    Success::Data(Schemas::of::<TestView>),
)
.fails(&[429_001, 502_001, 504_001]);

/// `POST /api/clusters/{clusterId}/test`.
pub(crate) async fn test(Authorized(scoped): Authorized<TestCluster>) -> Result<Data<TestView>, ApiError> {
    Ok(Data(scoped.test().await?.into()))
}

pub(crate) const STATS: Operation = Operation::new(
    "clusters.stats",
    "Counts of a cluster's pods.",
    Success::Data(Schemas::of::<StatsView>),
)
.fails(&[502_001, 503_001, 504_001]);

/// `GET /api/clusters/{clusterId}/stats`.
pub(crate) async fn stats(Authorized(scoped): Authorized<GetCluster>) -> Result<Data<StatsView>, ApiError> {
    Ok(Data(scoped.stats()?.into()))
}

pub(crate) const NAMESPACES: Operation = Operation::new(
    "clusters.namespaces",
    "A cluster's namespaces.",
    Success::Data(Schemas::of::<NamespacesView>),
)
.fails(&[429_001, 502_001, 504_001]);

/// `GET /api/clusters/{clusterId}/namespaces`.
pub(crate) async fn namespaces(Authorized(scoped): Authorized<GetCluster>) -> Result<Data<NamespacesView>, ApiError> {
    let items: Vec<NamespaceView> = scoped
        .namespaces()
        .await?
        .into_iter()
        .map(|name| NamespaceView { name })
        .collect();
    let total = items.len();
    Ok(Data(NamespacesView { items, total }))
}

/// An empty field is an absent one.
fn given(field: Option<String>) -> Option<String> {
    field.filter(|text| !text.is_empty())
}
