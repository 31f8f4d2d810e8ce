//! The endpoints of clusters: list, add, change, test and remove them.
//!
//! No answer ever contains a credential.

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
    /// The cluster's number. It never changes.
    id: u32,
    /// The cluster's unique name.
    name: String,
    /// Free text. For a context of the operator's kubeconfig, the context's original name.
    description: String,
    /// The API server's address.
    api_server: String,
    /// `healthy` (its pods are known and current), `unhealthy` (`sync` says why) or `unknown` (the
    /// first sync is under way).
    status: &'static str,
    /// The API server's version; empty while unknown.
    version: String,
    /// Number of nodes; null while it is unknown, or if the credential may not list nodes.
    node_count: Option<usize>,
    /// Number of pods.
    pod_count: usize,
    /// The namespaces that Podgate watches; empty means all.
    namespaces: Vec<String>,
    /// Whether the operator configured the cluster, so that it can't be changed through the API.
    read_only: bool,
    /// The state of the cluster's synchronisation.
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
    /// The clusters of this page, ordered by number.
    items: Vec<ClusterView>,
    /// Number of clusters on all pages.
    total: usize,
    /// Number of this page, starting at 1.
    page: u32,
    /// Clusters per page.
    page_size: u32,
}

/// A cluster to add, given by `kubeConfig`, or by `apiServer` and `token`.
///
/// It has no `Debug` because it holds credentials.
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
    /// A kubeconfig as YAML or base64-encoded YAML. It must not name an exec plug-in, an auth
    /// provider, a proxy or a file.
    kube_config: Option<String>,
    /// `https://host[:port]`.
    #[schema(pattern = "^https://")]
    api_server: Option<String>,
    /// A bearer token.
    token: Option<String>,
    /// The API server's CA certificate as PEM or base64-encoded PEM. The default is the system's
    /// root certificates.
    ca_cert: Option<String>,
    /// The namespaces to watch, for a credential that may not list pods in all namespaces. The
    /// default is all.
    #[serde(default)]
    namespaces: Vec<String>,
}

/// Changes to a cluster. A field that is absent keeps its value.
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
    /// A kubeconfig as YAML or base64-encoded YAML.
    kube_config: Option<String>,
    /// `https://host[:port]`.
    #[schema(pattern = "^https://")]
    api_server: Option<String>,
    /// A bearer token.
    token: Option<String>,
    /// The API server's CA certificate as PEM or base64-encoded PEM.
    ca_cert: Option<String>,
    /// The namespaces to watch; an empty list means all.
    namespaces: Option<Vec<String>>,
}

/// The result of testing the connection to a cluster.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ClusterTest)]
pub(crate) struct TestView {
    /// The API server's version.
    version: String,
    /// Number of nodes; null if the credential may not list nodes.
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

/// Counts a cluster's pods.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ClusterStats)]
pub(crate) struct StatsView {
    /// Number of pods in the cluster.
    pods: usize,
    /// Number of pods for each status, the most frequent status first.
    by_status: Vec<StatusCount>,
    /// Number of pods for each namespace, ordered by the namespace's name.
    by_namespace: Vec<NamespaceCount>,
}

/// The number of pods with one status.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct StatusCount {
    /// The status as `kubectl get pods` prints it.
    status: String,
    /// Number of pods.
    count: usize,
}

/// The number of pods in one namespace.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct NamespaceCount {
    /// The namespace's name.
    namespace: String,
    /// Number of pods.
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

/// The namespaces of a cluster.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Namespaces)]
pub(crate) struct NamespacesView {
    /// The namespaces, ordered by name.
    items: Vec<NamespaceView>,
    /// Number of namespaces.
    total: usize,
}

/// A namespace.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Namespace)]
pub(crate) struct NamespaceView {
    /// The namespace's name.
    name: String,
}

/// The parameters that select a page of clusters.
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
            "The number of the page, starting at 1; default 1.",
        ),
        Parameter::one(
            "pageSize",
            Kind::Int { min: 1, max: 1000 },
            "Clusters per page; default 20.",
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
    "Tests a cluster's connection, then adds it.",
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
    "Tests a cluster's connection.",
    Success::Data(Schemas::of::<TestView>),
)
.fails(&[429_001, 502_001, 504_001]);

/// `POST /api/clusters/{clusterId}/test`.
pub(crate) async fn test(Authorized(scoped): Authorized<TestCluster>) -> Result<Data<TestView>, ApiError> {
    Ok(Data(scoped.test().await?.into()))
}

pub(crate) const STATS: Operation = Operation::new(
    "clusters.stats",
    "Counts a cluster's pods.",
    Success::Data(Schemas::of::<StatsView>),
)
.fails(&[502_001, 503_001, 504_001]);

/// `GET /api/clusters/{clusterId}/stats`.
pub(crate) async fn stats(Authorized(scoped): Authorized<GetCluster>) -> Result<Data<StatsView>, ApiError> {
    Ok(Data(scoped.stats()?.into()))
}

pub(crate) const NAMESPACES: Operation = Operation::new(
    "clusters.namespaces",
    "Lists a cluster's namespaces.",
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

/// Treats an empty field as absent.
fn given(field: Option<String>) -> Option<String> {
    field.filter(|text| !text.is_empty())
}
