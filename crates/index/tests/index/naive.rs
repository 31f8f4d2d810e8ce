//! The naive model: the index's meaning as a list of pods that every query scans and sorts.

use std::collections::BTreeMap;

use podgate_index::{
    Change, ClusterId, Facet, FacetValue, Namespaces, Order, Page, Pod, Query, ReasonCode, Row, Scope, Sort, Stats,
    Usage,
};

#[derive(Debug, Default)]
pub(crate) struct Naive {
    rows: BTreeMap<(ClusterId, String, String), (Pod, usize)>,
    clock: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct NaiveRelist {
    cluster: ClusterId,
    namespace: Option<String>,
    since: usize,
}

impl Naive {
    pub(crate) fn apply(&mut self, cluster: ClusterId, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Upsert(pod) => {
                    let key = (cluster, pod.namespace.clone(), pod.name.clone());
                    self.rows.insert(key, (pod.clone(), self.clock));
                }
                Change::Remove { namespace, name } => {
                    self.rows.remove(&(cluster, namespace.clone(), name.clone()));
                }
            }
        }
    }

    pub(crate) fn begin(&mut self, cluster: ClusterId, namespace: Option<&str>) -> NaiveRelist {
        self.clock += 1;
        NaiveRelist {
            cluster,
            namespace: namespace.map(str::to_owned),
            since: self.clock,
        }
    }

    pub(crate) fn finish(&mut self, relist: &NaiveRelist) -> usize {
        let before = self.rows.len();
        self.rows.retain(|(cluster, namespace, _), (_, applied)| {
            *cluster != relist.cluster
                || relist.namespace.as_ref().is_some_and(|named| named != namespace)
                || *applied >= relist.since
        });
        before - self.rows.len()
    }

    pub(crate) fn remove_cluster(&mut self, cluster: ClusterId) {
        self.rows.retain(|(other, ..), _| *other != cluster);
    }

    pub(crate) fn query(&self, query: &Query) -> Page {
        let mut rows: Vec<_> = self
            .rows
            .iter()
            .filter(|((cluster, ..), (pod, _))| is_match(query, *cluster, pod))
            .map(|((cluster, ..), (pod, _))| Row {
                cluster: *cluster,
                pod: pod.clone(),
            })
            .collect();
        rows.sort_by(|a, b| {
            let key = match query.sort {
                Sort::CreatedAt => a.pod.created_at.cmp(&b.pod.created_at),
                Sort::Name => a.pod.name.cmp(&b.pod.name),
                Sort::Namespace => a.pod.namespace.cmp(&b.pod.namespace),
                Sort::Status => a.pod.status.cmp(&b.pod.status),
                Sort::Restarts => a.pod.restarts.cmp(&b.pod.restarts),
                Sort::NodeName => a.pod.node.cmp(&b.pod.node),
                Sort::QosClass => a.pod.qos_class.cmp(&b.pod.qos_class),
                Sort::Problem => badness(&a.pod).cmp(&badness(&b.pod)),
                Sort::LastRestartAt => a.pod.last_restart_at.cmp(&b.pod.last_restart_at),
            };
            let key = if query.order == Order::Desc { key.reverse() } else { key };
            let never = |row: &Row| query.sort == Sort::LastRestartAt && row.pod.last_restart_at.is_none();
            let key = never(a).cmp(&never(b)).then(key);
            let place = |row: &Row| (row.pod.namespace.clone(), row.pod.name.clone(), row.cluster);
            key.then_with(|| place(a).cmp(&place(b)))
        });
        Page {
            total: rows.len(),
            rows: rows.into_iter().skip(query.offset).take(query.limit).collect(),
        }
    }

    /// Counts as [`podgate_index::Found::other_facets`] says. `all` are all clusters.
    pub(crate) fn other_facets(
        &self,
        query: &Query,
        facet: Facet,
        all: &[ClusterId],
    ) -> (Vec<(FacetValue, usize)>, usize) {
        let mut query = query.clone();
        match facet {
            Facet::Cluster => query.clusters = all.to_vec(),
            Facet::Namespace => query.namespaces = Vec::new(),
            Facet::Node => query.nodes = Vec::new(),
            Facet::Phase => query.phases = Vec::new(),
            Facet::QosClass => query.qos_classes = Vec::new(),
            Facet::Owner => query.owners = Vec::new(),
            Facet::Status | Facet::Problem | Facet::ReasonCode => {
                (query.statuses, query.reason_codes, query.problem) = (Vec::new(), Vec::new(), false);
            }
        }
        (self.facets(&query, facet), self.query(&query).total)
    }

    /// Counts by the keys of labels, and by the values of one.
    pub(crate) fn labels(&self, query: &Query, key: &str) -> [Vec<(String, usize)>; 2] {
        let whole = Query {
            offset: 0,
            limit: usize::MAX,
            ..query.clone()
        };
        let (mut keys, mut values) = (BTreeMap::new(), BTreeMap::new());
        for Row { pod, .. } in self.query(&whole).rows {
            let value = pod.labels.iter().find(|(other, _)| other == key);
            *values
                .entry(value.map_or(String::new(), |(_, value)| value.clone()))
                .or_insert(0) += 1;
            for (key, _) in pod.labels {
                *keys.entry(key).or_insert(0) += 1;
            }
        }
        [keys, values].map(|counts| {
            let mut counts: Vec<_> = counts.into_iter().collect();
            counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            counts
        })
    }

    /// Returns whether any pod has a UID.
    pub(crate) fn has_uid(&self, uid: &str) -> bool {
        self.rows.values().any(|(pod, _)| pod.uid == uid)
    }

    pub(crate) fn facets(&self, query: &Query, facet: Facet) -> Vec<(FacetValue, usize)> {
        let whole = Query {
            offset: 0,
            limit: usize::MAX,
            ..query.clone()
        };
        let mut counts = BTreeMap::new();
        for Row { cluster, pod } in self.query(&whole).rows {
            let value = match facet {
                Facet::ReasonCode => match &pod.reason {
                    Some(reason) => FacetValue::ReasonCode(reason.code),
                    None => continue,
                },
                Facet::Owner => match pod.owner {
                    Some(owner) => FacetValue::Owner(owner),
                    None => continue,
                },
                Facet::Cluster => FacetValue::Cluster(cluster),
                Facet::Namespace => FacetValue::Text(pod.namespace),
                Facet::Status => FacetValue::Text(pod.status),
                Facet::Phase => FacetValue::Text(pod.phase),
                Facet::QosClass => FacetValue::Text(pod.qos_class),
                Facet::Node => FacetValue::Text(pod.node),
                Facet::Problem => FacetValue::Problem(pod.reason.is_some()),
            };
            *counts.entry(value).or_insert(0) += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }

    pub(crate) fn usage(&self, cluster: ClusterId) -> Usage {
        let rows = self.rows.iter().filter(|((other, ..), _)| *other == cluster);
        rows.fold(Usage::default(), |usage, (_, (pod, _))| Usage {
            pods: usage.pods + 1,
            bytes: usage.bytes + pod.weight() as u64,
        })
    }

    pub(crate) fn stats(&self, cluster: ClusterId, scope: &Scope) -> Stats {
        let (mut statuses, mut namespaces) = (BTreeMap::new(), BTreeMap::new());
        let rows = self.rows.iter().filter(|((other, ..), _)| *other == cluster);
        for (_, (pod, _)) in rows.filter(|(_, (pod, _))| is_visible(scope, cluster, pod)) {
            *statuses.entry(pod.status.clone()).or_insert(0) += 1;
            *namespaces.entry(pod.namespace.clone()).or_insert(0) += 1;
        }
        let mut by_status: Vec<_> = statuses.into_iter().collect();
        by_status.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        Stats {
            pods: by_status.iter().map(|(_, count)| count).sum(),
            by_status,
            by_namespace: namespaces.into_iter().collect(),
        }
    }
}

/// Returns how bad a pod is: the later a code was declared, the better.
fn badness(pod: &Pod) -> usize {
    let place = |code| ReasonCode::ALL.iter().position(|other| *other == code);
    let place = pod.reason.as_ref().and_then(|reason| place(reason.code));
    place.map_or(0, |place| ReasonCode::ALL.len() - place)
}

fn is_visible(scope: &Scope, cluster: ClusterId, pod: &Pod) -> bool {
    let Scope::Only(only) = scope else { return true };
    only.iter().any(|(of, namespaces)| {
        *of == cluster
            && match namespaces {
                Namespaces::All => true,
                Namespaces::Named(names) => names.contains(&pod.namespace),
            }
    })
}

fn is_match(query: &Query, cluster: ClusterId, pod: &Pod) -> bool {
    // Every field is named, so that a new filter can't be forgotten here.
    let Query {
        clusters,
        scope,
        namespaces,
        statuses,
        phases,
        qos_classes,
        nodes,
        owners,
        reason_codes,
        name,
        restarted_since,
        created_since,
        created_before,
        searches,
        selector,
        problem,
        sort: _,
        order: _,
        offset: _,
        limit: _,
    } = query;
    let alike = |values: &[String], value: &str| {
        values.is_empty() || values.iter().any(|other| other.to_lowercase() == value.to_lowercase())
    };
    let contains = |needle: &String| {
        [&pod.name, &pod.namespace, &pod.node, &pod.pod_ip]
            .into_iter()
            .chain(&pod.more_ips)
            .any(|text| text.to_lowercase().contains(&needle.to_lowercase()))
    };
    let reason = pod.reason.as_ref().map(|reason| reason.code);
    clusters.contains(&cluster)
        && is_visible(scope, cluster, pod)
        && (!problem || pod.reason.is_some())
        && (reason_codes.is_empty() || reason.is_some_and(|code| reason_codes.contains(&code)))
        && (owners.is_empty() || pod.owner.as_ref().is_some_and(|owner| owners.contains(owner)))
        && name.as_ref().is_none_or(|name| *name == pod.name)
        && restarted_since.is_none_or(|since| pod.last_restart_at.is_some_and(|at| at >= since))
        && created_since.is_none_or(|since| pod.created_at.is_some_and(|at| at >= since))
        && created_before.is_none_or(|before| pod.created_at.is_none_or(|at| at < before))
        && (namespaces.is_empty() || namespaces.contains(&pod.namespace))
        && alike(statuses, &pod.status)
        && alike(phases, &pod.phase)
        && alike(qos_classes, &pod.qos_class)
        && (nodes.is_empty() || nodes.contains(&pod.node))
        && searches.iter().all(contains)
        && selector
            .as_ref()
            .is_none_or(|selector| selector.matches(&pod.labels, pod.labels_left_out == 0))
}
