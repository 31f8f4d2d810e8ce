//! The rows: columns by row number, over dictionaries of the values that repeat.

mod columns;
mod problems;

use std::{
    cmp::Ordering,
    sync::atomic::{self, AtomicU64},
};

use self::columns::{Columns, IndexedColumns, UNKNOWN};
pub(crate) use self::columns::{Packed, Rest};
pub(crate) use self::problems::Problems;
use crate::{
    ClusterId, Pod, Reason, Sort,
    dictionary::{Dictionary, Sym},
    postings::Postings,
    search_text::SearchText,
    uid::Uid,
};

/// A label set: the symbols of keys and values, sorted by the keys' texts.
///
/// If labels are left out, the first entry has the key [`LEFT_OUT`] and their number as its value.
pub(crate) type LabelSet = [(Sym, Sym)];

/// The key that marks a label set with labels left out. No real label has it.
pub(crate) const LEFT_OUT: &str = "";

/// All rows. The caller assigns the row numbers; each stays in use until [`Rows::erase`].
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) namespaces: Dictionary<str>,
    pub(crate) indexed: IndexedColumns,
    /// The [`Reason::entry`] of each distinct reason, and an empty one for healthy pods.
    pub(crate) reasons: Dictionary<str>,
    pub(crate) problems: Problems,
    /// Images, host IPs, names of containers and owners, and keys and values of labels.
    pub(crate) words: Dictionary<str>,
    pub(crate) label_sets: Dictionary<LabelSet>,
    pub(crate) search_text: SearchText,
    pub(crate) columns: Columns,
    pub(crate) instance: Instance,
}

/// A number that no other [`Rows`] of this process has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Instance(u64);

impl Default for Instance {
    fn default() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, atomic::Ordering::Relaxed))
    }
}

/// What a row refers to outside of the postings.
#[derive(Debug)]
struct References {
    reason: Sym,
    labels: Sym,
    owner: Option<(Sym, Sym)>,
    rest: Rest,
}

/// Returns how bad a pod's reason is; 0 for a healthy pod.
fn severity(pod: &Pod) -> u8 {
    pod.reason.as_ref().map_or(0, |reason| reason.code.severity())
}

impl Rows {
    /// Writes a row to a number that is free.
    pub(crate) fn insert(&mut self, row: u32, cluster: ClusterId, pod: &Pod) {
        let (at, columns) = (row as usize, &mut self.columns);
        columns.grow(at + 1);
        columns.cluster[at] = cluster;
        columns.namespace[at] = self.namespaces.intern(&pod.namespace);
        self.indexed.insert(row, pod);
        self.write(row, pod);
    }

    /// Overwrites a row. Its cluster, namespace and name stay the same.
    pub(crate) fn update(&mut self, row: u32, pod: &Pod) {
        self.indexed.update(row, pod);
        let old = self.take_references(row);
        self.write(row, pod);
        // Release the old references last, so that values that both states share are not dropped in
        // between.
        if let Some(old) = old {
            self.release(old);
        }
    }

    /// Frees a row.
    pub(crate) fn erase(&mut self, row: u32) {
        self.search_text.remove(row);
        self.problems.set(row, None);
        self.indexed.remove(row);
        self.namespaces.release(self.columns.namespace[row as usize]);
        if let Some(old) = self.take_references(row) {
            self.release(old);
        }
    }

    /// Frees the space of values that no row uses.
    pub(crate) fn tidy(&mut self) {
        let Self {
            namespaces,
            indexed,
            reasons,
            problems: _,
            words,
            label_sets,
            search_text,
            columns: _,
            instance: _,
        } = self;
        for dictionary in [namespaces, reasons, words] {
            dictionary.tidy();
        }
        indexed.tidy();
        label_sets.tidy();
        search_text.tidy();
    }

    /// Frees the space of row numbers from `len` on, which are free.
    pub(crate) fn shorten(&mut self, len: usize) {
        let Self {
            namespaces: _,
            indexed,
            reasons: _,
            problems: _,
            words: _,
            label_sets: _,
            search_text,
            columns,
            instance: _,
        } = self;
        columns.shorten(len);
        indexed.shorten(len);
        search_text.shorten(len);
    }

    /// Writes every field that can change, except the [`IndexedColumns`].
    fn write(&mut self, row: u32, pod: &Pod) {
        self.search_text.set(row, &pod.name, &pod.pod_ip, &pod.more_ips);
        self.problems.set(row, pod.reason.as_ref().map(|reason| reason.code));
        let reason = pod.reason.as_ref().map(Reason::entry).unwrap_or_default();
        let labels = self.intern_labels(pod);
        let rest = self.pack(pod);
        let owner = pod.owner.as_ref();
        let owner = owner.map(|owner| (self.words.intern(&owner.kind), self.words.intern(&owner.name)));
        let (at, columns) = (row as usize, &mut self.columns);
        columns.reason[at] = self.reasons.intern(&reason);
        columns.severity[at] = severity(pod);
        columns.labels[at] = labels;
        columns.created_at[at] = pod.created_at.unwrap_or(UNKNOWN);
        columns.last_restart_at[at] = pod.last_restart_at.unwrap_or(UNKNOWN);
        columns.restarts[at] = pod.restarts;
        columns.set_owner(at, owner);
        columns.rest[at] = Some(rest);
    }

    /// Takes the references of a row that are outside the postings, for [`Rows::release`].
    fn take_references(&mut self, row: u32) -> Option<References> {
        let (at, columns) = (row as usize, &mut self.columns);
        let rest = columns.rest.get_mut(at)?.take()?;
        Some(References {
            reason: columns.reason[at],
            labels: columns.labels[at],
            owner: columns.owner(row),
            rest,
        })
    }

    fn intern_labels(&mut self, pod: &Pod) -> Sym {
        let mut set = Vec::with_capacity(pod.labels.len() + 1);
        if pod.labels_left_out > 0 {
            let number = pod.labels_left_out.to_string();
            set.push((self.words.intern(LEFT_OUT), self.words.intern(&number)));
        }
        let labels = pod.labels.iter();
        set.extend(labels.map(|(key, value)| (self.words.intern(key), self.words.intern(value))));
        let known = self.label_sets.find(&set).is_some();
        let sym = self.label_sets.intern(&set);
        if known {
            // A set holds one reference to each of its words, however many rows share the set.
            self.release_words(&set);
        }
        sym
    }

    fn pack(&mut self, pod: &Pod) -> Rest {
        // `podgate-cluster` keeps far fewer.
        let regular = u16::try_from(pod.containers.len()).unwrap_or(u16::MAX);
        let containers = pod.containers.iter().take(regular.into()).chain(&pod.init_containers);
        Rest {
            uid: Uid::new(&pod.uid),
            host_ip: self.words.intern(&pod.host_ip),
            deletion_at: pod.deletion_at,
            containers: containers
                .map(|container| Packed {
                    name: self.words.intern(&container.name),
                    image: self.words.intern(&container.image),
                    restart_count: container.restart_count,
                    ready: container.ready,
                })
                .collect(),
            regular,
            containers_left_out: pod.containers_left_out,
            ready: pod.ready,
            ready_total: pod.ready_total,
            weight: u32::try_from(pod.weight()).unwrap_or(u32::MAX),
        }
    }

    fn release(&mut self, references: References) {
        let References {
            reason,
            labels,
            owner,
            rest,
        } = references;
        let Rest {
            uid: _,
            host_ip,
            deletion_at: _,
            containers,
            regular: _,
            containers_left_out: _,
            ready: _,
            ready_total: _,
            weight: _,
        } = rest;
        self.reasons.release(reason);
        self.words.release(host_ip);
        if let Some(set) = self.label_sets.release(labels) {
            self.release_words(&set);
        }
        let containers = containers.iter().map(|packed| (packed.name, packed.image));
        for (a, b) in containers.chain(owner) {
            self.words.release(a);
            self.words.release(b);
        }
    }

    fn release_words(&mut self, pairs: &LabelSet) {
        for &(a, b) in pairs {
            self.words.release(a);
            self.words.release(b);
        }
    }

    /// Returns when a row's pod was created.
    pub(crate) fn created_at(&self, row: u32) -> Option<i64> {
        Some(self.columns.created_at[row as usize]).filter(|time| *time != UNKNOWN)
    }

    /// Returns when a row's pod last restarted.
    pub(crate) fn last_restart_at(&self, row: u32) -> Option<i64> {
        Some(self.columns.last_restart_at[row as usize]).filter(|time| *time != UNKNOWN)
    }

    /// Returns the [`Pod::weight`] of a row; 0 if its number is free.
    pub(crate) fn weight(&self, row: u32) -> u32 {
        let rest = self.columns.rest.get(row as usize);
        rest.and_then(Option::as_ref).map_or(0, |rest| rest.weight)
    }

    pub(crate) fn namespace(&self, row: u32) -> &str {
        self.namespaces.get(self.columns.namespace[row as usize])
    }

    fn compare_namespaces(&self, a: u32, b: u32) -> Ordering {
        let column = &self.columns.namespace;
        if column[a as usize] == column[b as usize] {
            return Ordering::Equal;
        }
        self.namespace(a).cmp(self.namespace(b))
    }

    fn compare_names(&self, a: u32, b: u32) -> Ordering {
        self.search_text.names.bytes(a).cmp(self.search_text.names.bytes(b))
    }

    /// Compares two rows by namespace, name and cluster, which together identify a row.
    fn compare_identities(&self, a: u32, b: u32) -> Ordering {
        let cluster = &self.columns.cluster;
        self.compare_namespaces(a, b)
            .then_with(|| self.compare_names(a, b))
            .then_with(|| cluster[a as usize].cmp(&cluster[b as usize]))
    }

    /// Compares two rows by the key of a sort alone, in its [`Sort::natural`] direction.
    pub(crate) fn compare_keys(&self, sort: Sort, a: u32, b: u32) -> Ordering {
        let texts = |postings: &Postings| {
            if postings.sym(a) == postings.sym(b) {
                return Ordering::Equal;
            }
            postings.get(a).cmp(postings.get(b))
        };
        let (at, bt) = (a as usize, b as usize);
        match sort {
            Sort::CreatedAt => self.columns.created_at[bt].cmp(&self.columns.created_at[at]),
            Sort::Name => self.compare_names(a, b),
            Sort::Namespace => self.compare_namespaces(a, b),
            Sort::Status => texts(&self.indexed.statuses),
            Sort::Restarts => self.columns.restarts[at].cmp(&self.columns.restarts[bt]),
            Sort::NodeName => texts(&self.indexed.nodes),
            Sort::QosClass => texts(&self.indexed.qos_classes),
            Sort::Problem => self.columns.severity[bt].cmp(&self.columns.severity[at]),
            Sort::LastRestartAt => self.columns.last_restart_at[bt].cmp(&self.columns.last_restart_at[at]),
        }
    }

    /// Compares two rows as the reverse of a kept order does: by key from last to first, then by
    /// identity. Rows that have no place among the keys come last as ever.
    pub(crate) fn compare_reversed(&self, sort: Sort, a: u32, b: u32) -> Ordering {
        (self.comes_last(sort, a).cmp(&self.comes_last(sort, b)))
            .then_with(|| self.compare_keys(sort, b, a))
            .then_with(|| self.compare_identities(a, b))
    }

    /// Returns whether a row comes after all others in both directions of a sort, because it has
    /// nothing to sort by.
    pub(crate) fn comes_last(&self, sort: Sort, row: u32) -> bool {
        sort == Sort::LastRestartAt && self.last_restart_at(row).is_none()
    }

    /// Compares two rows as the kept order of a sort does: by key, then by identity.
    pub(crate) fn compare(&self, sort: Sort, a: u32, b: u32) -> Ordering {
        self.compare_keys(sort, a, b)
            .then_with(|| self.compare_identities(a, b))
    }

    /// Returns whether a pod's new state moves its row in the order of a sort.
    pub(crate) fn changes_position(&self, sort: Sort, row: u32, pod: &Pod) -> bool {
        match sort {
            Sort::CreatedAt => self.created_at(row) != pod.created_at,
            Sort::Name | Sort::Namespace => false,
            Sort::Status => self.indexed.statuses.get(row) != pod.status,
            Sort::Restarts => self.columns.restarts[row as usize] != pod.restarts,
            Sort::NodeName => self.indexed.nodes.get(row) != pod.node,
            Sort::QosClass => self.indexed.qos_classes.get(row) != pod.qos_class,
            Sort::Problem => self.columns.severity[row as usize] != severity(pod),
            Sort::LastRestartAt => self.last_restart_at(row) != pod.last_restart_at,
        }
    }
}
