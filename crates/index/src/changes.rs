//! When something last changed, and where.

use hashbrown::HashMap;

use crate::{ClusterId, dictionary::Sym};

/// The table's clock and what it said when a cluster or a namespace of one last changed. It only goes forward, so that no state
/// is ever mistaken for another.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// How many changes there have been.
    clock: u64,
    /// When a cluster last lost its last row.
    gone: u64,
    clusters: HashMap<ClusterId, OfCluster>,
}

#[derive(Debug, Default)]
struct OfCluster {
    rows: usize,
    changed: u64,
    /// When a namespace of it last lost its last row.
    gone: u64,
    namespaces: HashMap<Sym, OfNamespace>,
}

#[derive(Debug, Default)]
struct OfNamespace {
    rows: usize,
    changed: u64,
}

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    New,
    Changed,
    Gone,
}

impl Changes {
    /// Notes a change of a row. Returns its time.
    pub(crate) fn note(&mut self, cluster: ClusterId, namespace: Sym, happened: Happened) -> u64 {
        self.clock += 1;
        let now = self.clock;
        let of_cluster = self.clusters.entry(cluster).or_default();
        of_cluster.changed = now;
        let of_namespace = of_cluster.namespaces.entry(namespace).or_default();
        of_namespace.changed = now;
        match happened {
            Happened::Changed => {}
            Happened::New => {
                of_cluster.rows += 1;
                of_namespace.rows += 1;
            }
            Happened::Gone => {
                of_cluster.rows -= 1;
                of_namespace.rows -= 1;
                if of_namespace.rows == 0 {
                    of_cluster.namespaces.remove(&namespace);
                    of_cluster.gone = now;
                }
                if of_cluster.rows == 0 {
                    self.clusters.remove(&cluster);
                    self.gone = now;
                }
            }
        }
        now
    }

    /// When a cluster last changed.
    pub(crate) fn of_cluster(&self, cluster: ClusterId) -> u64 {
        self.clusters
            .get(&cluster)
            .map_or(self.gone, |of_cluster| of_cluster.changed)
    }

    /// When a namespace of a cluster last changed; none: no row is in a namespace of that name.
    pub(crate) fn of_namespace(&self, cluster: ClusterId, namespace: Option<Sym>) -> u64 {
        let Some(of_cluster) = self.clusters.get(&cluster) else {
            return self.gone;
        };
        let of_namespace = namespace.and_then(|namespace| of_cluster.namespaces.get(&namespace));
        // What went before this cluster came back may have been of the namespace too.
        of_namespace.map_or(of_cluster.gone.max(self.gone), |of_namespace| of_namespace.changed)
    }

    /// The clusters that have rows.
    pub(crate) fn clusters(&self) -> impl Iterator<Item = ClusterId> {
        self.clusters.keys().copied()
    }

    /// The namespaces of a cluster that have rows, and how many.
    pub(crate) fn namespaces(&self, cluster: ClusterId) -> impl Iterator<Item = (Sym, usize)> {
        let of_cluster = self.clusters.get(&cluster).into_iter();
        of_cluster
            .flat_map(|of_cluster| &of_cluster.namespaces)
            .map(|(sym, of_namespace)| (*sym, of_namespace.rows))
    }
}
