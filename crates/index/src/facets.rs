//! Counts of a query's matches by a field.

use hashbrown::HashMap;

use crate::{
    Facet, FacetValue, Owner, ReasonCode, dictionary::Sym, matches::Matches, postings::Postings, rows::LEFT_OUT,
    table::Table,
};

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

    /// Counts the matches by the keys of their labels, as [`Table::facets`] counts them. Costs a
    /// pass over the matches, and one over each distinct label set.
    pub(crate) fn label_keys(&self, matches: &Matches<'_>) -> Vec<(String, usize)> {
        let mut counts = HashMap::<Sym, usize>::new();
        for (set, count) in self.label_sets(matches) {
            for &(key, _) in self.rows.label_sets.get(set) {
                *counts.entry(key).or_default() += count;
            }
        }
        let counts = counts.into_iter().map(|(key, count)| (self.rows.words.get(key), count));
        most_first(counts.filter(|(key, _)| *key != LEFT_OUT))
    }

    /// Counts the matches by the values of a label; a match without the label counts as `""`. Costs
    /// as [`Table::label_keys`].
    pub(crate) fn label_values(&self, matches: &Matches<'_>, key: &str) -> Vec<(String, usize)> {
        let key = self.rows.words.find(key);
        let mut counts = HashMap::<&str, usize>::new();
        for (set, count) in self.label_sets(matches) {
            let labels = self.rows.label_sets.get(set);
            let value = key.and_then(|key| labels.iter().find(|(other, _)| *other == key));
            let value = value.map_or("", |&(_, value)| self.rows.words.get(value));
            *counts.entry(value).or_default() += count;
        }
        most_first(counts.into_iter())
    }

    /// Counts the matches by their label sets.
    fn label_sets(&self, matches: &Matches<'_>) -> HashMap<Sym, usize> {
        let mut counts = HashMap::new();
        for row in matches.rows.iter() {
            *counts.entry(self.rows.columns.labels[row as usize]).or_default() += 1;
        }
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

/// Returns counts in the order of [`Table::facets`].
fn most_first<'a>(counts: impl Iterator<Item = (&'a str, usize)>) -> Vec<(String, usize)> {
    let mut counts: Vec<_> = counts.map(|(text, count)| (text.to_owned(), count)).collect();
    counts.sort_unstable_by(|(a, many), (b, more)| more.cmp(many).then_with(|| a.cmp(b)));
    counts
}

fn texts(postings: &Postings, matches: &Matches<'_>) -> Vec<(FacetValue, usize)> {
    if matches.all {
        let values = postings.iter();
        return values.map(|(value, rows)| (text(value), rows.len() as usize)).collect();
    }
    let counts = postings.count(matches.rows.iter()).into_iter();
    counts.map(|(value, count)| (text(value), count)).collect()
}
