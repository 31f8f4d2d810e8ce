//! The columns of the rows.

use crate::{
    ClusterId, Pod,
    column::{grow, reserve, shorten},
    dictionary::Sym,
    postings::Postings,
    uid::Uid,
};

/// Marks a time that is unknown, or that never was. It sorts as older than any other.
pub(super) const UNKNOWN: i64 = i64::MIN;
/// Marks a row without an owner.
const NO_OWNER: (Sym, Sym) = (Sym(u32::MAX), Sym(u32::MAX));

/// The fields of the rows, by row number. Each field that filters and sorts read is a column of its
/// own, so that a scan reads nothing else.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    pub(crate) cluster: Vec<ClusterId>,
    pub(crate) namespace: Vec<Sym>,
    pub(crate) reason: Vec<Sym>,
    /// [`crate::ReasonCode::severity`]; 0 for healthy pods.
    pub(crate) severity: Vec<u8>,
    pub(crate) labels: Vec<Sym>,
    pub(crate) created_at: Vec<i64>,
    pub(crate) last_restart_at: Vec<i64>,
    pub(crate) restarts: Vec<u32>,
    /// Kind and name of the owner, or [`NO_OWNER`].
    owner: Vec<(Sym, Sym)>,
    /// When each row last changed, by the clock of [`crate::partitions::Partitions`].
    pub(crate) version: Vec<u64>,
    /// `None` if the number is free.
    pub(crate) rest: Vec<Option<Rest>>,
}

/// The fields that only answers show.
#[derive(Debug)]
pub(crate) struct Rest {
    pub(crate) uid: Uid,
    pub(crate) host_ip: Sym,
    pub(crate) deletion_at: Option<i64>,
    /// Regular containers, then init containers.
    pub(crate) containers: Box<[Packed]>,
    pub(crate) regular: u16,
    pub(crate) containers_left_out: u16,
    pub(crate) ready: u32,
    pub(crate) ready_total: u32,
    /// [`Pod::weight`].
    pub(super) weight: u32,
}

/// A [`crate::Container`].
#[derive(Debug)]
pub(crate) struct Packed {
    pub(crate) name: Sym,
    pub(crate) image: Sym,
    pub(crate) restart_count: u32,
    pub(crate) ready: bool,
}

impl Columns {
    /// Returns the symbols of the kind and the name of a row's owner.
    pub(crate) fn owner(&self, row: u32) -> Option<(Sym, Sym)> {
        Some(self.owner[row as usize]).filter(|owner| *owner != NO_OWNER)
    }

    pub(super) fn set_owner(&mut self, row: usize, owner: Option<(Sym, Sym)>) {
        self.owner[row] = owner.unwrap_or(NO_OWNER);
    }

    /// Lengthens every column to `len` entries if it is shorter.
    pub(super) fn grow(&mut self, len: usize) {
        let Self {
            cluster,
            namespace,
            reason,
            severity,
            labels,
            created_at,
            last_restart_at,
            restarts,
            owner,
            version,
            rest,
        } = self;
        grow(cluster, len, ClusterId::default());
        grow(namespace, len, Sym::default());
        grow(reason, len, Sym::default());
        grow(severity, len, 0);
        grow(labels, len, Sym::default());
        grow(created_at, len, UNKNOWN);
        grow(last_restart_at, len, UNKNOWN);
        grow(restarts, len, 0);
        grow(owner, len, NO_OWNER);
        grow(version, len, 0);
        if len > rest.len() {
            reserve(rest, len - rest.len());
            rest.resize_with(len, || None);
        }
    }

    /// Shortens every column to `len` entries if it is longer, and frees the unused capacity.
    pub(super) fn shorten(&mut self, len: usize) {
        let Self {
            cluster,
            namespace,
            reason,
            severity,
            labels,
            created_at,
            last_restart_at,
            restarts,
            owner,
            version,
            rest,
        } = self;
        shorten(cluster, len);
        shorten(namespace, len);
        shorten(reason, len);
        shorten(severity, len);
        shorten(labels, len);
        shorten(created_at, len);
        shorten(last_restart_at, len);
        shorten(restarts, len);
        shorten(owner, len);
        shorten(version, len);
        shorten(rest, len);
    }

    /// Returns the sum of the columns' capacities.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        let Self {
            cluster,
            namespace,
            reason,
            severity,
            labels,
            created_at,
            last_restart_at,
            restarts,
            owner,
            version,
            rest,
        } = self;
        cluster.capacity()
            + namespace.capacity()
            + reason.capacity()
            + severity.capacity()
            + labels.capacity()
            + created_at.capacity()
            + last_restart_at.capacity()
            + restarts.capacity()
            + owner.capacity()
            + version.capacity()
            + rest.capacity()
    }
}

/// The columns with postings: texts that repeat and that filters and facets read.
#[derive(Debug, Default)]
pub(crate) struct IndexedColumns {
    pub(crate) statuses: Postings,
    pub(crate) phases: Postings,
    pub(crate) qos_classes: Postings,
    pub(crate) nodes: Postings,
}

/// The number of [`IndexedColumns`].
const INDEXED: usize = 4;

impl IndexedColumns {
    /// Returns every column.
    fn each_mut(&mut self) -> [&mut Postings; INDEXED] {
        let Self {
            statuses,
            phases,
            qos_classes,
            nodes,
        } = self;
        [statuses, phases, qos_classes, nodes]
    }

    /// Returns what a pod has in each column, in the order of [`IndexedColumns::each_mut`].
    fn values(pod: &Pod) -> [&str; INDEXED] {
        [&pod.status, &pod.phase, &pod.qos_class, &pod.node]
    }

    pub(super) fn insert(&mut self, row: u32, pod: &Pod) {
        for (column, value) in self.each_mut().into_iter().zip(Self::values(pod)) {
            column.insert(row, value);
        }
    }

    pub(super) fn update(&mut self, row: u32, pod: &Pod) {
        for (column, value) in self.each_mut().into_iter().zip(Self::values(pod)) {
            column.update(row, value);
        }
    }

    pub(super) fn remove(&mut self, row: u32) {
        for column in self.each_mut() {
            column.remove(row);
        }
    }

    pub(super) fn tidy(&mut self) {
        for column in self.each_mut() {
            column.tidy();
        }
    }

    pub(super) fn shorten(&mut self, len: usize) {
        for column in self.each_mut() {
            column.shorten(len);
        }
    }

    /// Returns the [`Postings::sizes`] of every column.
    #[cfg(test)]
    pub(crate) fn sizes(&self) -> Vec<usize> {
        let Self {
            statuses,
            phases,
            qos_classes,
            nodes,
        } = self;
        [statuses, phases, qos_classes, nodes].map(Postings::sizes).concat()
    }
}
