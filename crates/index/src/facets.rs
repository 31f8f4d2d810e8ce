//! Counts of a query's matches by a field.

use hashbrown::HashMap;

use crate::{
    ClusterId, Owner, ReasonCode, dictionary::Sym, listed::listed_enum, matches::Matches, postings::Postings,
    table::Table,
};

listed_enum! {
    /// A field to count by.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Facet {
        /// The cluster.
        Cluster,
        /// The namespace, regardless of the cluster.
        Namespace,
        /// [`crate::Pod::status`].
        Status,
        /// [`crate::Pod::phase`].
        Phase,
        /// [`crate::Pod::qos_class`].
        QosClass,
        /// [`crate::Pod::node`].
        Node,
        /// Whether there is a [`crate::Pod::reason`].
        Problem,
        /// The code of [`crate::Pod::reason`]; healthy pods are not counted.
        ReasonCode,
        /// [`crate::Pod::owner`]; pods without one are not counted.
        Owner,
    }
}

/// A value of a [`Facet`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FacetValue {
    /// A value of [`Facet::Cluster`].
    Cluster(ClusterId),
    /// A value of a facet whose values are texts.
    Text(String),
    /// A value of [`Facet::Problem`].
    Problem(bool),
    /// A value of [`Facet::ReasonCode`].
    ReasonCode(ReasonCode),
    /// A value of [`Facet::Owner`].
    Owner(Owner),
}

impl Table {
    /// Counts the matches by a field: every value that occurs, most frequent first, ties by value.
    ///
    /// If all rows match, the counts are the sizes of the postings. Otherwise it takes one pass
    /// over the matches.
    pub(crate) fn facets(&self, matches: &Matches<'_>, facet: Facet) -> Vec<(FacetValue, usize)> {
        let rows = &self.rows;
        let mut counts = match facet {
            Facet::Cluster => self.clusters(matches),
            Facet::Namespace => self.namespaces(matches),
            Facet::Status => texts(&rows.indexed.statuses, matches),
            Facet::Phase => texts(&rows.indexed.phases, matches),
            Facet::QosClass => texts(&rows.indexed.qos_classes, matches),
            Facet::Node => texts(&rows.indexed.nodes, matches),
            Facet::Problem => {
                let problems = matches.rows.intersection_len(rows.problems.all()) as usize;
                let counts = [(true, problems), (false, matches.total - problems)];
                let values = counts.map(|(problem, count)| (FacetValue::Problem(problem), count));
                values.into_iter().filter(|(_, count)| *count > 0).collect()
            }
            Facet::ReasonCode => self.reason_codes(matches),
            Facet::Owner => self.owners(matches),
        };
        counts.sort_unstable_by(|(a, many), (b, more)| more.cmp(many).then_with(|| a.cmp(b)));
        counts
    }

    fn reason_codes(&self, matches: &Matches<'_>) -> Vec<(FacetValue, usize)> {
        let counts = ReasonCode::ALL.into_iter().map(|code| {
            let count = matches.rows.intersection_len(self.rows.problems.of(code)) as usize;
            (FacetValue::ReasonCode(code), count)
        });
        counts.filter(|(_, count)| *count > 0).collect()
    }

    fn owners(&self, matches: &Matches<'_>) -> Vec<(FacetValue, usize)> {
        let mut counts = HashMap::<(Sym, Sym), usize>::new();
        for owner in matches.rows.iter().filter_map(|row| self.rows.columns.owner(row)) {
            *counts.entry(owner).or_default() += 1;
        }
        let word = |sym| self.rows.words.get(sym).to_owned();
        let value = |(kind, name)| {
            FacetValue::Owner(Owner {
                kind: word(kind),
                name: word(name),
            })
        };
        counts.into_iter().map(|(owner, count)| (value(owner), count)).collect()
    }

    fn clusters(&self, matches: &Matches<'_>) -> Vec<(FacetValue, usize)> {
        let counts = self.partitions.clusters().map(|(cluster, of_cluster)| {
            let count = matches.rows.intersection_len(&of_cluster.rows) as usize;
            (FacetValue::Cluster(cluster), count)
        });
        counts.filter(|(_, count)| *count > 0).collect()
    }

    fn namespaces(&self, matches: &Matches<'_>) -> Vec<(FacetValue, usize)> {
        let mut counts = HashMap::<Sym, usize>::new();
        if matches.all {
            for (_, cluster) in self.partitions.clusters() {
                for (sym, rows) in cluster.namespaces() {
                    *counts.entry(sym).or_default() += rows.len() as usize;
                }
            }
        } else {
            for row in &*matches.rows {
                *counts.entry(self.rows.columns.namespace[row as usize]).or_default() += 1;
            }
        }
        let counts = counts.into_iter();
        counts
            .map(|(sym, count)| (text(self.rows.namespaces.get(sym)), count))
            .collect()
    }
}

fn text(value: &str) -> FacetValue {
    FacetValue::Text(value.to_owned())
}

fn texts(postings: &Postings, matches: &Matches<'_>) -> Vec<(FacetValue, usize)> {
    if matches.all {
        let values = postings.iter();
        return values.map(|(value, rows)| (text(value), rows.len() as usize)).collect();
    }
    let counts = postings.count(matches.rows.iter()).into_iter();
    counts.map(|(value, count)| (text(value), count)).collect()
}
