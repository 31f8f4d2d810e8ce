//! The Gate: the only way from a caller to a cluster or the index.

use std::marker::PhantomData;

use podgate_cluster::{Cluster, Counts, Registry};
use podgate_index::Index;

use crate::{
    action::Action,
    caller::Caller,
    clusters::Clusters,
    error::{Denied, Result},
};

/// The object of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// All of Podgate.
    Everything,
    /// A cluster, by number or name.
    Cluster(&'a str),
    /// A pod.
    Pod {
        /// The cluster, by number or name.
        cluster: &'a str,
        /// Namespace.
        namespace: &'a str,
        /// Name.
        name: &'a str,
    },
}

/// Decides whether a caller may do something, and returns the means to do it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gate {
    pub(crate) index: Index,
    pub(crate) registry: Registry,
    pub(crate) clusters: Clusters,
}

/// The health of a cluster, for the server's own health check and metrics. Contains nothing about
/// single pods.
#[derive(Clone, Debug)]
pub struct Health {
    /// The cluster's name.
    pub name: String,
    /// How current its pods are.
    pub sync: podgate_cluster::Sync,
    /// Pods in the index.
    pub pods: usize,
    /// The number of pods that did not parse since the start.
    pub skipped: u64,
    /// The number of labels left out of rows since the start.
    pub labels_left_out: u64,
    /// The counters of its watches.
    pub counts: Counts,
}

/// The permission for action `A` on one target, which offers that action's methods. Only
/// [`Gate::open`] creates it.
#[derive(Debug)]
pub struct Scoped<A: Action> {
    pub(crate) gate: Gate,
    pub(crate) caller: Caller,
    pub(crate) cluster: Option<Cluster>,
    pub(crate) namespace: String,
    pub(crate) name: String,
    action: PhantomData<A>,
}

impl Gate {
    /// Creates the gate to all clusters and the index.
    pub fn new(index: Index, registry: Registry, clusters: Clusters) -> Self {
        Self {
            index,
            registry,
            clusters,
        }
    }

    /// Opens the way to action `A` on a target, if the caller may do it.
    ///
    /// # Errors
    /// [`Denied::ClusterNotFound`]; [`Denied::Forbidden`], which names verb, resource, namespace
    /// and cluster.
    pub async fn open<A: Action>(&self, caller: &Caller, target: Target<'_>) -> Result<Scoped<A>> {
        let (cluster, namespace, name) = match target {
            Target::Everything => (None, "", ""),
            Target::Cluster(cluster) => (Some(cluster), "", ""),
            Target::Pod {
                cluster,
                namespace,
                name,
            } => (Some(cluster), namespace, name),
        };
        authorise::<A>(caller, cluster, namespace)?;
        let cluster = cluster.map(|cluster| self.find(cluster)).transpose()?;
        Ok(Scoped {
            gate: self.clone(),
            caller: caller.clone(),
            cluster,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            action: PhantomData,
        })
    }

    /// Returns a receiver that wakes when rows, sync states or the set of clusters may have
    /// changed. It does not say which.
    pub fn changes(&self) -> tokio::sync::watch::Receiver<()> {
        self.registry.changes()
    }

    /// Returns the health of every cluster, by number. It needs no caller, because it is for health
    /// checks and metrics, not for responses to users.
    pub fn health(&self) -> Vec<Health> {
        let health = |cluster: Cluster| Health {
            name: cluster.name().to_owned(),
            sync: cluster.sync(),
            pods: self.index.usage(cluster.id()).pods,
            skipped: cluster.skipped(),
            labels_left_out: cluster.labels_left_out(),
            counts: cluster.counts(),
        };
        self.registry.all().into_iter().map(health).collect()
    }

    /// Finds a cluster by its number or unique name.
    pub(crate) fn find(&self, id: &str) -> Result<Cluster> {
        let found = if id.bytes().all(|b| b.is_ascii_digit()) {
            id.parse()
                .ok()
                .and_then(|id| self.registry.get(podgate_index::ClusterId(id)))
        } else {
            self.registry.named(id)
        };
        found
            .ok_or_else(|| Denied::ClusterNotFound(format!("there is no cluster `{id}`: GET /api/clusters lists them")))
    }
}

/// Checks the role. The only role, `admin`, may do everything; an account without it may do
/// nothing.
fn authorise<A: Action>(caller: &Caller, cluster: Option<&str>, namespace: &str) -> Result<()> {
    if caller.user.role == "admin" {
        return Ok(());
    }
    let place = match (cluster, namespace) {
        (None, _) => String::new(),
        (Some(cluster), "") => format!(" on cluster `{cluster}`"),
        (Some(cluster), namespace) => format!(" in namespace `{namespace}` on cluster `{cluster}`"),
    };
    Err(Denied::Forbidden(format!(
        "Podgate: user `{}` may not {}{place}",
        caller.user.username,
        A::PERMISSION
    )))
}

impl<A: Action> Scoped<A> {
    /// Returns the caller.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Returns the name of the target's pod, or an empty text.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the target's cluster. Private to this crate, so that handlers get only what their
    /// action offers.
    pub(crate) fn cluster(&self) -> Result<&Cluster> {
        self.cluster
            .as_ref()
            .ok_or_else(|| Denied::Internal(format!("{} was opened without a cluster", A::NAME)))
    }
}
