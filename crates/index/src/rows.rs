//! The rows themselves: columns by row number, over dictionaries of what repeats.

use std::cmp::Ordering;

use crate::{
    ClusterId, Pod, RowRef,
    compact::Uid,
    dictionary::{Dictionary, Sym},
    names::Names,
};

/// A label set: key and value by number, in the order of the keys' texts.
pub(crate) type LabelSet = [(Sym, Sym)];

/// All rows. A row number is given by the caller and stays until [`Rows::erase`].
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) namespaces: Dictionary<str>,
    pub(crate) statuses: Dictionary<str>,
    pub(crate) phases: Dictionary<str>,
    pub(crate) nodes: Dictionary<str>,
    pub(crate) reasons: Dictionary<str>,
    /// Images, host IPs, names of containers and owners, keys and values of labels.
    pub(crate) words: Dictionary<str>,
    pub(crate) label_sets: Dictionary<LabelSet>,
    pub(crate) names: Names,
    pub(crate) columns: Columns,
}

/// One entry a row number. What filters and sorts ask for is a column of its own, so that a scan reads nothing else.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    pub(crate) cluster: Vec<ClusterId>,
    pub(crate) namespace: Vec<Sym>,
    pub(crate) status: Vec<Sym>,
    pub(crate) phase: Vec<Sym>,
    pub(crate) node: Vec<Sym>,
    pub(crate) reason: Vec<Sym>,
    pub(crate) labels: Vec<Sym>,
    pub(crate) created_at: Vec<i64>,
    pub(crate) restarts: Vec<u32>,
    /// None: the number is free.
    rest: Vec<Option<Rest>>,
}

/// What only an answer shows.
#[derive(Debug)]
pub(crate) struct Rest {
    pub(crate) uid: Uid,
    pub(crate) host_ip: Sym,
    pub(crate) last_restart_at: Option<i64>,
    pub(crate) deletion_at: Option<i64>,
    pub(crate) owner: Option<(Sym, Sym)>,
    /// Regular containers, then init containers.
    pub(crate) containers: Box<[Packed]>,
    pub(crate) regular: u32,
    pub(crate) ready: u32,
    pub(crate) ready_total: u32,
}

/// A [`crate::Container`].
#[derive(Debug)]
pub(crate) struct Packed {
    pub(crate) name: Sym,
    pub(crate) image: Sym,
    pub(crate) restart_count: u32,
    pub(crate) ready: bool,
}

/// What a row refers to in the dictionaries.
struct References {
    namespace: Sym,
    status: Sym,
    phase: Sym,
    node: Sym,
    reason: Sym,
    labels: Sym,
    rest: Rest,
}

impl Rows {
    /// Writes a row, over what its number held before.
    pub(crate) fn write(&mut self, row: u32, cluster: ClusterId, pod: &Pod) {
        let new = References {
            namespace: self.namespaces.intern(&pod.namespace),
            status: self.statuses.intern(&pod.status),
            phase: self.phases.intern(&pod.phase),
            node: self.nodes.intern(&pod.node),
            reason: self.reasons.intern(&pod.reason),
            labels: self.intern_labels(&pod.labels),
            rest: self.pack(pod),
        };
        self.names.set(row, &pod.name, &pod.pod_ip);
        // The old references go last: what old and new share is not dropped in between.
        let old = self.columns.put(row, new);
        self.columns.cluster[row as usize] = cluster;
        self.columns.created_at[row as usize] = pod.created_at;
        self.columns.restarts[row as usize] = pod.restarts;
        if let Some(old) = old {
            self.release(old);
        }
    }

    /// Frees a row.
    pub(crate) fn erase(&mut self, row: u32) {
        self.names.remove(row);
        if let Some(old) = self.columns.take(row) {
            self.release(old);
        }
    }

    fn intern_labels(&mut self, labels: &[(String, String)]) -> Sym {
        let set: Vec<_> = labels
            .iter()
            .map(|(key, value)| (self.words.intern(key), self.words.intern(value)))
            .collect();
        let known = self.label_sets.find(&set).is_some();
        let sym = self.label_sets.intern(&set);
        if known {
            // A set holds its words once, however many rows hold the set.
            self.release_words(&set);
        }
        sym
    }

    fn pack(&mut self, pod: &Pod) -> Rest {
        let containers = pod.containers.iter().chain(&pod.init_containers);
        Rest {
            uid: Uid::new(&pod.uid),
            host_ip: self.words.intern(&pod.host_ip),
            last_restart_at: pod.last_restart_at,
            deletion_at: pod.deletion_at,
            owner: pod
                .owner
                .as_ref()
                .map(|owner| (self.words.intern(&owner.kind), self.words.intern(&owner.name))),
            containers: containers
                .map(|container| Packed {
                    name: self.words.intern(&container.name),
                    image: self.words.intern(&container.image),
                    restart_count: container.restart_count,
                    ready: container.ready,
                })
                .collect(),
            regular: pod.containers.len() as u32,
            ready: pod.ready,
            ready_total: pod.ready_total,
        }
    }

    fn release(&mut self, old: References) {
        self.namespaces.release(old.namespace);
        self.statuses.release(old.status);
        self.phases.release(old.phase);
        self.nodes.release(old.node);
        self.reasons.release(old.reason);
        self.words.release(old.rest.host_ip);
        if let Some(set) = self.label_sets.release(old.labels) {
            self.release_words(&set);
        }
        let containers = old.rest.containers.iter().map(|packed| (packed.name, packed.image));
        for (a, b) in containers.chain(old.rest.owner) {
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

    /// A row, if its number is in use.
    pub(crate) fn row(&self, row: u32) -> Option<RowRef<'_>> {
        let rest = self.columns.rest.get(row as usize)?.as_ref()?;
        Some(RowRef::new(self, row, rest))
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
        self.names.name(a).cmp(self.names.name(b))
    }

    fn compare_clusters(&self, a: u32, b: u32) -> Ordering {
        self.columns.cluster[a as usize].cmp(&self.columns.cluster[b as usize])
    }

    /// By namespace, name and cluster.
    pub(crate) fn by_place(&self, a: u32, b: u32) -> Ordering {
        self.compare_namespaces(a, b)
            .then_with(|| self.compare_names(a, b))
            .then_with(|| self.compare_clusters(a, b))
    }

    /// By name, namespace and cluster.
    pub(crate) fn by_name(&self, a: u32, b: u32) -> Ordering {
        self.compare_names(a, b)
            .then_with(|| self.compare_namespaces(a, b))
            .then_with(|| self.compare_clusters(a, b))
    }

    /// Newest first, then by place.
    pub(crate) fn by_age(&self, a: u32, b: u32) -> Ordering {
        let created_at = &self.columns.created_at;
        created_at[b as usize]
            .cmp(&created_at[a as usize])
            .then_with(|| self.by_place(a, b))
    }
}

impl Columns {
    /// Puts a row's references; returns those that it held before.
    fn put(&mut self, row: u32, new: References) -> Option<References> {
        let old = self.take(row);
        let at = row as usize;
        if at >= self.rest.len() {
            let len = at + 1;
            self.cluster.resize(len, ClusterId(0));
            self.namespace.resize(len, Sym(0));
            self.status.resize(len, Sym(0));
            self.phase.resize(len, Sym(0));
            self.node.resize(len, Sym(0));
            self.reason.resize(len, Sym(0));
            self.labels.resize(len, Sym(0));
            self.created_at.resize(len, 0);
            self.restarts.resize(len, 0);
            self.rest.resize_with(len, || None);
        }
        self.namespace[at] = new.namespace;
        self.status[at] = new.status;
        self.phase[at] = new.phase;
        self.node[at] = new.node;
        self.reason[at] = new.reason;
        self.labels[at] = new.labels;
        self.rest[at] = Some(new.rest);
        old
    }

    fn take(&mut self, row: u32) -> Option<References> {
        let at = row as usize;
        let rest = self.rest.get_mut(at)?.take()?;
        Some(References {
            namespace: self.namespace[at],
            status: self.status[at],
            phase: self.phase[at],
            node: self.node[at],
            reason: self.reason[at],
            labels: self.labels[at],
            rest,
        })
    }
}
