//! Where rows are (cluster and namespace), and when something last changed there.

use hashbrown::HashMap;
use roaring::RoaringBitmap;

use crate::{ClusterId, dictionary::Sym};

/// The rows of each cluster and of each namespace of it, and the time of the last change to them by a clock that only goes
/// forward, so that no state is ever mistaken for another.
#[derive(Debug, Default)]
pub(crate) struct Partitions {
    /// How many changes there have been.
    clock: u64,
    /// When a cluster last lost its last row.
    emptied: u64,
    clusters: HashMap<ClusterId, ClusterRows>,
}

/// The rows of a cluster.
#[derive(Debug, Default)]
pub(crate) struct ClusterRows {
    pub(crate) rows: RoaringBitmap,
    /// The weight of all of them.
    pub(crate) weight: u64,
    changed: u64,
    /// When a namespace of it last lost its last row.
    emptied: u64,
    namespaces: HashMap<Sym, NamespaceRows>,
}

#[derive(Debug, Default)]
struct NamespaceRows {
    rows: RoaringBitmap,
    changed: u64,
}

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowEvent {
    Added,
    Changed,
    Removed,
}

impl Partitions {
    /// Notes a change of a row. Returns its time: one more than that of the change before.
    pub(crate) fn record(&mut self, cluster: ClusterId, namespace: Sym, row: u32, event: RowEvent) -> u64 {
        self.clock += 1;
        let now = self.clock;
        let of_cluster = self.clusters.entry(cluster).or_default();
        of_cluster.changed = now;
        let of_namespace = of_cluster.namespaces.entry(namespace).or_default();
        of_namespace.changed = now;
        match event {
            RowEvent::Changed => {}
            RowEvent::Added => {
                of_cluster.rows.insert(row);
                of_namespace.rows.insert(row);
            }
            RowEvent::Removed => {
                of_cluster.rows.remove(row);
                of_namespace.rows.remove(row);
                if of_namespace.rows.is_empty() {
                    of_cluster.namespaces.remove(&namespace);
                    of_cluster.emptied = now;
                }
                if of_cluster.rows.is_empty() {
                    self.clusters.remove(&cluster);
                    self.emptied = now;
                }
            }
        }
        now
    }

    /// Counts the weight of a row that a cluster has, before and after a change of it.
    pub(crate) fn adjust_weight(&mut self, cluster: ClusterId, before: u32, after: u32) {
        if let Some(of_cluster) = self.clusters.get_mut(&cluster) {
            of_cluster.weight = (of_cluster.weight + u64::from(after)).saturating_sub(before.into());
        }
    }

    /// How many changes there have been.
    pub(crate) fn clock(&self) -> u64 {
        self.clock
    }

    /// When a cluster last changed.
    pub(crate) fn cluster_changed(&self, cluster: ClusterId) -> u64 {
        let of_cluster = self.clusters.get(&cluster);
        of_cluster.map_or(self.emptied, |of_cluster| of_cluster.changed)
    }

    /// When a namespace of a cluster last changed; none: no row is in a namespace of that name.
    pub(crate) fn namespace_changed(&self, cluster: ClusterId, namespace: Option<Sym>) -> u64 {
        let Some(of_cluster) = self.clusters.get(&cluster) else {
            return self.emptied;
        };
        let of_namespace = namespace.and_then(|namespace| of_cluster.namespaces.get(&namespace));
        // What went before this cluster came back may have been of the namespace too.
        of_namespace.map_or(of_cluster.emptied.max(self.emptied), |of_namespace| {
            of_namespace.changed
        })
    }

    /// The clusters that have rows.
    pub(crate) fn clusters(&self) -> impl Iterator<Item = (ClusterId, &ClusterRows)> {
        self.clusters.iter().map(|(&cluster, rows)| (cluster, rows))
    }

    /// A cluster, if it has rows.
    pub(crate) fn cluster(&self, cluster: ClusterId) -> Option<&ClusterRows> {
        self.clusters.get(&cluster)
    }
}

impl ClusterRows {
    /// The rows of one of its namespaces.
    pub(crate) fn namespace(&self, namespace: Sym) -> Option<&RoaringBitmap> {
        self.namespaces.get(&namespace).map(|of_namespace| &of_namespace.rows)
    }

    /// Its namespaces with their rows.
    pub(crate) fn namespaces(&self) -> impl Iterator<Item = (Sym, &RoaringBitmap)> {
        let namespaces = self.namespaces.iter();
        namespaces.map(|(&sym, of_namespace)| (sym, &of_namespace.rows))
    }
}
