//! What a scope and a wish leave to see of a cluster.

use crate::{ClusterId, Namespaces, Query, Scope, bits::Bits, dictionary::Sym, table::Table};

/// The namespaces of one cluster that a query may show.
#[derive(Debug)]
pub(crate) enum Sight {
    All,
    Only(Bits),
}

impl Sight {
    pub(crate) fn shows(&self, namespace: Sym) -> bool {
        match self {
            Self::All => true,
            Self::Only(namespaces) => namespaces.contains(namespace.0),
        }
    }
}

impl Table {
    /// What a scope shows of a cluster's namespaces, within those that are wanted (none: all).
    pub(crate) fn sight(&self, cluster: ClusterId, scope: &Scope, wanted: &[String]) -> Sight {
        match names(cluster, scope, wanted) {
            None => Sight::All,
            Some(names) => {
                let syms = names.iter().filter_map(|name| self.rows.namespaces.find(name));
                Sight::Only(syms.map(|sym| sym.0).collect())
            }
        }
    }

    /// When what a query's clusters and scope let it see last changed.
    pub(crate) fn generation(&self, query: &Query) -> u64 {
        let of_cluster = |&cluster| match names(cluster, &query.scope, &query.namespaces) {
            None => self.changes.of_cluster(cluster),
            Some(names) => names
                .iter()
                .map(|name| self.changes.of_namespace(cluster, self.rows.namespaces.find(name)))
                .max()
                .unwrap_or(0),
        };
        query.clusters.iter().map(of_cluster).max().unwrap_or(0)
    }
}

/// The namespaces of a cluster that are both in scope and wanted; none: all.
fn names<'a>(cluster: ClusterId, scope: &'a Scope, wanted: &'a [String]) -> Option<Vec<&'a String>> {
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
