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

/// What an action is on.
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

/// Decides, and hands out what was decided. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gate {
    pub(crate) index: Index,
    pub(crate) registry: Registry,
    pub(crate) clusters: Clusters,
}

/// How a cluster does, for the process's own health and metrics. Names no pod.
#[derive(Clone, Debug)]
pub struct Health {
    /// The cluster's name.
    pub name: String,
    /// How current its pods are.
    pub sync: podgate_cluster::Sync,
    /// Pods in the index.
    pub pods: usize,
    /// Pods that did not parse, so far.
    pub skipped: u64,
    /// Labels left out of rows, so far.
    pub labels_left_out: u64,
    /// What its watches have been through.
    pub counts: Counts,
}

/// What a caller may touch: the methods of action `A`, on one target. Made by [`Gate::open`] only.
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
    /// A gate over everything there is.
    pub fn new(index: Index, registry: Registry, clusters: Clusters) -> Self {
        Self {
            index,
            registry,
            clusters,
        }
    }

    /// Asks whether a caller may do `A` on a target.
    ///
    /// # Errors
    /// [`Denied::ClusterNotFound`]; [`Denied::Forbidden`], naming verb, resource, namespace and
    /// cluster.
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

    /// Wakes when the rows or the sync state of any cluster, or the set of clusters, may have
    /// changed. Names nothing.
    pub fn changes(&self) -> tokio::sync::watch::Receiver<()> {
        self.registry.changes()
    }

    /// How every cluster does, by number. Needs no caller: it is for health checks and metrics, not
    /// for answers to users.
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

    /// A cluster by number or by unique name.
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

/// The one role there is may do everything; an account without it may do nothing.
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
    /// Who was let in.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The name of the target's pod, or empty.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The cluster of the target. Private to this crate: handlers get only what their action
    /// offers.
    pub(crate) fn cluster(&self) -> Result<&Cluster> {
        self.cluster
            .as_ref()
            .ok_or_else(|| Denied::Internal(format!("{} was opened without a cluster", A::NAME)))
    }
}
