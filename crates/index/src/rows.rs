//! The rows themselves: columns by row number, over dictionaries of what repeats.

use std::cmp::Ordering;

use crate::{
    ClusterId, Container, Owner, Pod,
    compact::{Ip, Uid},
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
    /// Images, names of containers and owners, keys and values of labels.
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
    pub(crate) labels: Vec<Sym>,
    pub(crate) created_at: Vec<i64>,
    pub(crate) restarts: Vec<u32>,
    /// None: the number is free.
    rest: Vec<Option<Rest>>,
}

/// What only an answer shows.
#[derive(Debug)]
struct Rest {
    uid: Uid,
    host_ip: Ip,
    last_restart_at: Option<i64>,
    deletion_at: Option<i64>,
    owner: Option<(Sym, Sym)>,
    /// Regular containers, then init containers.
    containers: Box<[Packed]>,
    regular: u32,
    ready: u32,
    ready_total: u32,
}

/// A [`Container`].
#[derive(Debug)]
struct Packed {
    name: Sym,
    image: Sym,
    restart_count: u32,
    ready: bool,
}

/// What a row refers to in the dictionaries.
struct References {
    namespace: Sym,
    status: Sym,
    phase: Sym,
    node: Sym,
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
            host_ip: Ip::new(&pod.host_ip),
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

    /// A row as a pod.
    pub(crate) fn pod(&self, row: u32) -> Pod {
        let at = row as usize;
        let columns = &self.columns;
        let Some(rest) = columns.rest.get(at).and_then(Option::as_ref) else {
            return Pod::default();
        };
        let (regular, init) = rest.containers.split_at(rest.regular as usize);
        Pod {
            uid: rest.uid.text(),
            namespace: self.namespace(row).to_owned(),
            name: String::from_utf8_lossy(self.names.name(row)).into_owned(),
            status: self.statuses.get(columns.status[at]).to_owned(),
            phase: self.phases.get(columns.phase[at]).to_owned(),
            node: self.nodes.get(columns.node[at]).to_owned(),
            pod_ip: self.names.ip(row).to_owned(),
            host_ip: rest.host_ip.text(),
            restarts: columns.restarts[at],
            last_restart_at: rest.last_restart_at,
            created_at: columns.created_at[at],
            deletion_at: rest.deletion_at,
            ready: rest.ready,
            ready_total: rest.ready_total,
            owner: rest.owner.map(|(kind, name)| Owner {
                kind: self.words.get(kind).to_owned(),
                name: self.words.get(name).to_owned(),
            }),
            containers: self.unpack(regular),
            init_containers: self.unpack(init),
            labels: self
                .label_sets
                .get(columns.labels[at])
                .iter()
                .map(|&(key, value)| (self.words.get(key).to_owned(), self.words.get(value).to_owned()))
                .collect(),
        }
    }

    fn unpack(&self, containers: &[Packed]) -> Vec<Container> {
        containers
            .iter()
            .map(|packed| Container {
                name: self.words.get(packed.name).to_owned(),
                image: self.words.get(packed.image).to_owned(),
                ready: packed.ready,
                restart_count: packed.restart_count,
            })
            .collect()
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
            self.labels.resize(len, Sym(0));
            self.created_at.resize(len, 0);
            self.restarts.resize(len, 0);
            self.rest.resize_with(len, || None);
        }
        self.namespace[at] = new.namespace;
        self.status[at] = new.status;
        self.phase[at] = new.phase;
        self.node[at] = new.node;
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
            labels: self.labels[at],
            rest,
        })
    }
}
