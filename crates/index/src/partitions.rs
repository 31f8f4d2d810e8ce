//! The rows of each cluster and namespace, and when each of these last changed.

use hashbrown::HashMap;
use roaring::RoaringBitmap;

use crate::{ClusterId, dictionary::Sym};

/// The rows of each cluster and of each of its namespaces, with the time of their last change.
///
/// Times are counted by a clock that only advances, so that no state is ever mistaken for another.
#[derive(Debug, Default)]
pub(crate) struct Partitions {
    /// The number of changes so far.
    clock: u64,
    /// When a cluster last lost its last row.
    emptied: u64,
    clusters: HashMap<ClusterId, ClusterRows>,
}

/// The rows of a cluster.
#[derive(Debug, Default)]
pub(crate) struct ClusterRows {
    pub(crate) rows: RoaringBitmap,
    /// The sum of their weights.
    pub(crate) weight: u64,
    changed: u64,
    /// When one of its namespaces last lost its last row.
    emptied: u64,
    namespaces: HashMap<Sym, NamespaceRows>,
}

#[derive(Debug, Default)]
struct NamespaceRows {
    rows: RoaringBitmap,
    changed: u64,
}

/// A change of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowEvent {
    Added,
    Changed,
    Removed,
}

impl Partitions {
    /// Records a change of a row. Returns its time, which is one later than the change before.
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

    /// Updates a cluster's weight after a row's weight changed.
    pub(crate) fn adjust_weight(&mut self, cluster: ClusterId, before: u32, after: u32) {
        if let Some(of_cluster) = self.clusters.get_mut(&cluster) {
            of_cluster.weight = (of_cluster.weight + u64::from(after)).saturating_sub(before.into());
        }
    }

    /// Returns the number of changes so far.
    pub(crate) fn clock(&self) -> u64 {
        self.clock
    }

    /// Returns when a cluster last changed.
    pub(crate) fn cluster_changed(&self, cluster: ClusterId) -> u64 {
        let of_cluster = self.clusters.get(&cluster);
        of_cluster.map_or(self.emptied, |of_cluster| of_cluster.changed)
    }

    /// Returns when a namespace of a cluster last changed. Pass `None` for a name that no row has.
    pub(crate) fn namespace_changed(&self, cluster: ClusterId, namespace: Option<Sym>) -> u64 {
        let Some(of_cluster) = self.clusters.get(&cluster) else {
            return self.emptied;
        };
        let of_namespace = namespace.and_then(|namespace| of_cluster.namespaces.get(&namespace));
        // The rows that were removed before this cluster came back may have been in the namespace
        // too.
        of_namespace.map_or(of_cluster.emptied.max(self.emptied), |of_namespace| {
            of_namespace.changed
        })
    }

    /// Returns the clusters that have rows.
    pub(crate) fn clusters(&self) -> impl Iterator<Item = (ClusterId, &ClusterRows)> {
        self.clusters.iter().map(|(&cluster, rows)| (cluster, rows))
    }

    /// Returns a cluster, if it has rows.
    pub(crate) fn cluster(&self, cluster: ClusterId) -> Option<&ClusterRows> {
        self.clusters.get(&cluster)
    }
}

impl ClusterRows {
    /// Returns the rows of one of its namespaces.
    pub(crate) fn namespace(&self, namespace: Sym) -> Option<&RoaringBitmap> {
        self.namespaces.get(&namespace).map(|of_namespace| &of_namespace.rows)
    }

    /// Returns its namespaces with their rows.
    pub(crate) fn namespaces(&self) -> impl Iterator<Item = (Sym, &RoaringBitmap)> {
        let namespaces = self.namespaces.iter();
        namespaces.map(|(&sym, of_namespace)| (sym, &of_namespace.rows))
    }
}
