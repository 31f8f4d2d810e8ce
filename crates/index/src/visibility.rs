//! The rows that a query may see: those of its clusters, scope and namespaces.

use std::borrow::Cow;

use roaring::RoaringBitmap;

use crate::{ClusterId, Namespaces, Query, Scope, Stats, matches::union, table::Table};

impl Table {
    /// Returns the rows that a query's clusters, scope and namespaces let it see; `None` if that is
    /// all rows.
    pub(crate) fn visible_rows(&self, query: &Query) -> Option<Cow<'_, RoaringBitmap>> {
        let mut clusters = query.clusters.clone();
        clusters.sort_unstable();
        clusters.dedup();
        let (mut visible, mut whole) = (Vec::new(), 0);
        for cluster in clusters {
            let names = visible_namespaces(cluster, &query.scope, &query.namespaces);
            whole += usize::from(names.is_none() && self.partitions.cluster(cluster).is_some());
            self.add_visible(cluster, names.as_deref(), &mut visible);
        }
        (whole < self.partitions.clusters().count()).then(|| union(visible))
    }

    /// Adds the rows of a cluster's namespaces, or of the whole cluster if `names` is `None`.
    fn add_visible<'a>(&'a self, cluster: ClusterId, names: Option<&[&String]>, visible: &mut Vec<&'a RoaringBitmap>) {
        let Some(cluster) = self.partitions.cluster(cluster) else {
            return;
        };
        let Some(names) = names else {
            visible.push(&cluster.rows);
            return;
        };
        let known = names.iter().filter_map(|name| self.rows.namespaces.find(name));
        visible.extend(known.filter_map(|sym| cluster.namespace(sym)));
    }

    /// Returns when the rows that a query may see last changed.
    pub(crate) fn generation(&self, query: &Query) -> u64 {
        let of_cluster = |&cluster| match visible_namespaces(cluster, &query.scope, &query.namespaces) {
            None => self.partitions.cluster_changed(cluster),
            Some(names) => names
                .iter()
                .map(|name| {
                    self.partitions
                        .namespace_changed(cluster, self.rows.namespaces.find(name))
                })
                .max()
                .unwrap_or(0),
        };
        query.clusters.iter().map(of_cluster).max().unwrap_or(0)
    }

    pub(crate) fn stats(&self, cluster: ClusterId, scope: &Scope) -> Stats {
        let names = visible_namespaces(cluster, scope, &[]);
        let mut visible = Vec::new();
        self.add_visible(cluster, names.as_deref(), &mut visible);
        let rows = union(visible);
        let namespaces = self.partitions.cluster(cluster).into_iter();
        let namespaces = namespaces.flat_map(|cluster| cluster.namespaces());
        let mut by_namespace: Vec<_> = namespaces
            .map(|(sym, rows)| (self.rows.namespaces.get(sym).to_owned(), rows.len() as usize))
            .filter(|(name, _)| names.as_ref().is_none_or(|names| names.contains(&name)))
            .collect();
        by_namespace.sort_unstable();
        let mut by_status: Vec<_> = (self.rows.indexed.statuses.iter())
            .map(|(status, of_status)| (status.to_owned(), rows.intersection_len(of_status) as usize))
            .filter(|(_, count)| *count > 0)
            .collect();
        by_status.sort_unstable_by(|(a, many), (b, more)| more.cmp(many).then_with(|| a.cmp(b)));
        Stats {
            pods: rows.len() as usize,
            by_status,
            by_namespace,
        }
    }
}

/// Returns the namespaces of a cluster that are both in scope and wanted; `None` if all are.
pub(crate) fn visible_namespaces<'a>(
    cluster: ClusterId,
    scope: &'a Scope,
    wanted: &'a [String],
) -> Option<Vec<&'a String>> {
    let every = || (!wanted.is_empty()).then(|| wanted.iter().collect());
    let Scope::Only(only) = scope else {
        return every();
    };
    let mut allowed = Vec::new();
    for (_, namespaces) in only.iter().filter(|(of, _)| *of == cluster) {
        match namespaces {
            Namespaces::All => return every(),
            Namespaces::Named(names) => allowed.extend(names),
        }
    }
    if !wanted.is_empty() {
        allowed.sort_unstable();
        allowed = wanted
            .iter()
            .filter(|name| allowed.binary_search(name).is_ok())
            .collect();
    }
    Some(allowed)
}
