//! Counts of a query's matches by a field.

use hashbrown::HashMap;

use crate::{
    ClusterId,
    bits::Bits,
    dictionary::{Dictionary, Sym},
    table::Table,
};

/// A field to count by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Facet {
    /// The cluster.
    Cluster,
    /// The namespace, of whichever cluster.
    Namespace,
    /// [`crate::Pod::status`].
    Status,
    /// [`crate::Pod::phase`].
    Phase,
    /// [`crate::Pod::node`].
    Node,
    /// Whether there is a [`crate::Pod::reason`].
    Problem,
}

/// A value of a [`Facet`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FacetValue {
    /// Of [`Facet::Cluster`].
    Cluster(ClusterId),
    /// Of a facet whose values are texts.
    Text(String),
    /// Of [`Facet::Problem`].
    Problem(bool),
}

impl Table {
    /// The matches by a field: each value that occurs and how often, most frequent first, ties by value.
    pub(crate) fn facets(&self, matches: &Bits, facet: Facet) -> Vec<(FacetValue, usize)> {
        let (rows, columns) = (&self.rows, &self.rows.columns);
        let mut counts = match facet {
            Facet::Cluster => {
                let counts = counted(matches, |row| columns.cluster[row]);
                let values = counts.into_iter();
                values
                    .map(|(cluster, count)| (FacetValue::Cluster(cluster), count))
                    .collect()
            }
            Facet::Problem => {
                let counts = counted(matches, |row| !rows.reasons.get(columns.reason[row]).is_empty());
                let values = counts.into_iter();
                values
                    .map(|(problem, count)| (FacetValue::Problem(problem), count))
                    .collect()
            }
            Facet::Namespace => texts(matches, &columns.namespace, &rows.namespaces),
            Facet::Status => texts(matches, &columns.status, &rows.statuses),
            Facet::Phase => texts(matches, &columns.phase, &rows.phases),
            Facet::Node => texts(matches, &columns.node, &rows.nodes),
        };
        counts.sort_unstable_by(|(a, many), (b, more)| more.cmp(many).then_with(|| a.cmp(b)));
        counts
    }
}

fn texts(matches: &Bits, column: &[Sym], dictionary: &Dictionary<str>) -> Vec<(FacetValue, usize)> {
    counted(matches, |row| column[row])
        .into_iter()
        .map(|(sym, count)| (FacetValue::Text(dictionary.get(sym).to_owned()), count))
        .collect()
}

fn counted<T: std::hash::Hash + Eq>(matches: &Bits, value: impl Fn(usize) -> T) -> HashMap<T, usize> {
    let mut counts = HashMap::new();
    for row in matches.iter() {
        *counts.entry(value(row as usize)).or_default() += 1;
    }
    counts
}
