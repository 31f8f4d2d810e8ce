//! A reader's view of a row: borrowed from the index, with nothing copied.

use memchr::memmem::Finder;

use crate::{
    ClusterId, Container, Owner, Pod, Reason, ReasonCode,
    dictionary::Sym,
    model::ReasonRef,
    rows::{Instance, LEFT_OUT, LabelSet, Packed, Rest, Rows},
    uid::{Uid, UidText},
};

/// A version of a row. No other state of the row, and no row of another index in this process, has
/// the same version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RowVersion {
    instance: Instance,
    clock: u64,
}

impl RowVersion {
    /// Returns a number that differs between most versions.
    pub fn number(self) -> u64 {
        self.clock
    }
}

/// A view of one row. Reading a field costs a look-up and no allocation.
#[derive(Clone, Copy, Debug)]
pub struct RowRef<'a> {
    rows: &'a Rows,
    row: u32,
    rest: &'a Rest,
}

/// A view of one container.
#[derive(Clone, Copy, Debug)]
pub struct ContainerRef<'a> {
    rows: &'a Rows,
    packed: &'a Packed,
}

impl Rows {
    /// Returns a row, if its number is in use.
    pub(crate) fn row(&self, row: u32) -> Option<RowRef<'_>> {
        let rest = self.columns.rest.get(row as usize)?.as_ref()?;
        Some(RowRef { rows: self, row, rest })
    }
}

impl<'a> RowRef<'a> {
    fn at(self) -> usize {
        self.row as usize
    }

    fn word(self, sym: Sym) -> &'a str {
        self.rows.words.get(sym)
    }

    /// Returns the row's version. While it stays the same, so does everything that this view shows.
    pub fn version(self) -> RowVersion {
        RowVersion {
            instance: self.rows.instance,
            clock: self.rows.columns.version[self.at()],
        }
    }

    /// Returns the pod's cluster.
    pub fn cluster(self) -> ClusterId {
        self.rows.columns.cluster[self.at()]
    }

    /// [`Pod::uid`].
    pub fn uid(self) -> UidText<'a> {
        self.rest.uid.text()
    }

    /// [`Pod::namespace`].
    pub fn namespace(self) -> &'a str {
        self.rows.namespace(self.row)
    }

    /// [`Pod::name`].
    pub fn name(self) -> &'a str {
        self.rows.search_text.names.get(self.row)
    }

    /// Returns the bytes of [`RowRef::name`], which itself checks that they are UTF-8.
    pub fn name_bytes(self) -> &'a [u8] {
        self.rows.search_text.names.bytes(self.row)
    }

    /// [`Pod::status`].
    pub fn status(self) -> &'a str {
        self.rows.indexed.statuses.get(self.row)
    }

    /// [`Pod::phase`].
    pub fn phase(self) -> &'a str {
        self.rows.indexed.phases.get(self.row)
    }

    /// [`Pod::qos_class`].
    pub fn qos_class(self) -> &'a str {
        self.rows.indexed.qos_classes.get(self.row)
    }

    /// [`Pod::reason`].
    pub fn reason(self) -> Option<ReasonRef<'a>> {
        let code = ReasonCode::of_severity(self.rows.columns.severity[self.at()])?;
        let entry = self.rows.reasons.get(self.rows.columns.reason[self.at()]);
        let (text, args) = entry.rsplit_once(Reason::BETWEEN)?;
        Some(ReasonRef { code, text, args })
    }

    /// [`Pod::node`].
    pub fn node(self) -> &'a str {
        self.rows.indexed.nodes.get(self.row)
    }

    /// [`Pod::pod_ip`].
    pub fn pod_ip(self) -> &'a str {
        self.rows.search_text.ips.get(self.row)
    }

    /// Returns the bytes of [`RowRef::pod_ip`], which itself checks that they are UTF-8.
    pub fn pod_ip_bytes(self) -> &'a [u8] {
        self.rows.search_text.ips.bytes(self.row)
    }

    /// [`Pod::more_ips`].
    pub fn more_ips(self) -> impl Iterator<Item = &'a str> {
        self.rows.search_text.more_ips(self.row)
    }

    /// [`Pod::host_ip`].
    pub fn host_ip(self) -> &'a str {
        self.word(self.rest.host_ip)
    }

    /// [`Pod::restarts`].
    pub fn restarts(self) -> u32 {
        self.rows.columns.restarts[self.at()]
    }

    /// [`Pod::last_restart_at`].
    pub fn last_restart_at(self) -> Option<i64> {
        self.rows.last_restart_at(self.row)
    }

    /// [`Pod::created_at`].
    pub fn created_at(self) -> Option<i64> {
        self.rows.created_at(self.row)
    }

    /// [`Pod::deletion_at`].
    pub fn deletion_at(self) -> Option<i64> {
        self.rest.deletion_at
    }

    /// [`Pod::ready`].
    pub fn ready(self) -> u32 {
        self.rest.ready
    }

    /// [`Pod::ready_total`].
    pub fn ready_total(self) -> u32 {
        self.rest.ready_total
    }

    /// Returns the kind and name of [`Pod::owner`].
    pub fn owner(self) -> Option<(&'a str, &'a str)> {
        let (kind, name) = self.rows.columns.owner(self.row)?;
        Some((self.word(kind), self.word(name)))
    }

    /// [`Pod::containers`].
    pub fn containers(self) -> impl ExactSizeIterator<Item = ContainerRef<'a>> {
        let (regular, _) = self.rest.containers.split_at(self.rest.regular.into());
        self.unpack(regular)
    }

    /// [`Pod::init_containers`].
    pub fn init_containers(self) -> impl ExactSizeIterator<Item = ContainerRef<'a>> {
        let (_, init) = self.rest.containers.split_at(self.rest.regular.into());
        self.unpack(init)
    }

    /// [`Pod::containers_left_out`].
    pub fn containers_left_out(self) -> u16 {
        self.rest.containers_left_out
    }

    fn unpack(self, containers: &'a [Packed]) -> impl ExactSizeIterator<Item = ContainerRef<'a>> {
        let rows = self.rows;
        containers.iter().map(move |packed| ContainerRef { rows, packed })
    }

    /// [`Pod::labels`], as keys and values sorted by key.
    pub fn labels(self) -> impl ExactSizeIterator<Item = (&'a str, &'a str)> + Clone {
        let (_, labels) = self.label_set();
        labels
            .iter()
            .map(move |&(key, value)| (self.word(key), self.word(value)))
    }

    /// [`Pod::labels_left_out`].
    pub fn labels_left_out(self) -> u32 {
        let (left_out, _) = self.label_set();
        left_out.and_then(|number| number.parse().ok()).unwrap_or(0)
    }

    /// Splits the label set into the number of labels left out, if any are, and the labels.
    fn label_set(self) -> (Option<&'a str>, &'a LabelSet) {
        let set = self.rows.label_sets.get(self.rows.columns.labels[self.at()]);
        match set.split_first() {
            Some((&(key, number), others)) if self.word(key) == LEFT_OUT => (Some(self.word(number)), others),
            _ => (None, set),
        }
    }

    /// Copies the row into a [`Pod`] that outlives the reader.
    pub fn to_pod(self) -> Pod {
        let owned = |(a, b): (&str, &str)| (a.to_owned(), b.to_owned());
        Pod {
            uid: self.uid().to_string(),
            namespace: self.namespace().to_owned(),
            name: self.name().to_owned(),
            status: self.status().to_owned(),
            phase: self.phase().to_owned(),
            qos_class: self.qos_class().to_owned(),
            reason: self.reason().map(ReasonRef::to_reason),
            node: self.node().to_owned(),
            pod_ip: self.pod_ip().to_owned(),
            more_ips: self.more_ips().map(str::to_owned).collect(),
            host_ip: self.host_ip().to_owned(),
            restarts: self.restarts(),
            last_restart_at: self.last_restart_at(),
            created_at: self.created_at(),
            deletion_at: self.deletion_at(),
            ready: self.ready(),
            ready_total: self.ready_total(),
            owner: self.owner().map(owned).map(|(kind, name)| Owner { kind, name }),
            containers: self.containers().map(ContainerRef::to_container).collect(),
            init_containers: self.init_containers().map(ContainerRef::to_container).collect(),
            containers_left_out: self.containers_left_out(),
            labels: self.labels().map(owned).collect(),
            labels_left_out: self.labels_left_out(),
        }
    }

    /// Returns whether the name or one of the IPs contains the finder's text, which is in lower
    /// case.
    pub(crate) fn contains(self, finder: &Finder<'_>) -> bool {
        self.rows.search_text.contains(self.row, finder)
    }

    pub(crate) fn uid_ref(self) -> &'a Uid {
        &self.rest.uid
    }

    /// Returns whether the row equals a pod that has its cluster, namespace and name.
    pub(crate) fn equals(self, pod: &Pod) -> bool {
        // Every field is named, so that a new one can't be forgotten here.
        let Pod {
            uid,
            namespace: _, // These two are the same: the row was found by them.
            name: _,
            status,
            phase,
            qos_class,
            reason,
            node,
            pod_ip,
            more_ips,
            host_ip,
            restarts,
            last_restart_at,
            created_at,
            deletion_at,
            ready,
            ready_total,
            owner,
            containers,
            init_containers,
            containers_left_out,
            labels,
            labels_left_out,
        } = pod;
        let owner = owner.as_ref().map(|owner| (&*owner.kind, &*owner.name));
        self.rest.uid.equals(uid)
            && self.status() == status
            && self.phase() == phase
            && self.qos_class() == qos_class
            && self.reason() == reason.as_ref().map(Reason::as_ref)
            && self.node() == node
            && self.pod_ip() == pod_ip
            && self.more_ips().eq(more_ips)
            && self.host_ip() == host_ip
            && self.restarts() == *restarts
            && self.last_restart_at() == *last_restart_at
            && self.created_at() == *created_at
            && self.deletion_at() == *deletion_at
            && (self.ready(), self.ready_total()) == (*ready, *ready_total)
            && self.owner() == owner
            && self.containers_left_out() == *containers_left_out
            && self.labels_left_out() == *labels_left_out
            && ContainerRef::all_equal(self.containers(), containers)
            && ContainerRef::all_equal(self.init_containers(), init_containers)
            && self.labels().eq(labels.iter().map(|(key, value)| (&**key, &**value)))
    }
}

impl<'a> ContainerRef<'a> {
    /// [`Container::name`].
    pub fn name(self) -> &'a str {
        self.rows.words.get(self.packed.name)
    }

    /// [`Container::image`].
    pub fn image(self) -> &'a str {
        self.rows.words.get(self.packed.image)
    }

    /// [`Container::ready`].
    pub fn ready(self) -> bool {
        self.packed.ready
    }

    /// [`Container::restart_count`].
    pub fn restart_count(self) -> u32 {
        self.packed.restart_count
    }

    fn to_container(self) -> Container {
        Container {
            name: self.name().to_owned(),
            image: self.image().to_owned(),
            ready: self.ready(),
            restart_count: self.restart_count(),
        }
    }

    fn all_equal(views: impl ExactSizeIterator<Item = Self>, containers: &[Container]) -> bool {
        views.len() == containers.len() && views.zip(containers).all(|(view, container)| view.equals(container))
    }

    fn equals(self, container: &Container) -> bool {
        let Container {
            name,
            image,
            ready,
            restart_count,
        } = container;
        self.name() == name && self.image() == image && self.ready() == *ready && self.restart_count() == *restart_count
    }
}
