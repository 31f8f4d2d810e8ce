//! The rows that match a query.

use std::borrow::Cow;

use memchr::memmem::Finder;
use roaring::RoaringBitmap;

use crate::{
    Query, Selector,
    bits::Bits,
    dictionary::Sym,
    postings::contains,
    rows::{LEFT_OUT, LabelSet},
    selector::Test,
    table::Table,
};

/// So many rows at most are put into a set one by one.
const INSERT_MAX: u64 = 1024;

/// A search tests the candidates one by one where they are fewer than one row in so many, else it reads all names.
const SCAN_FRACTION: u64 = 8;

/// A set of rows, borrowed where it is one of the index's own.
#[derive(Debug)]
pub(crate) struct Matches<'a> {
    pub(crate) rows: Cow<'a, RoaringBitmap>,
    pub(crate) total: usize,
    /// Whether these are all rows there are.
    pub(crate) all: bool,
}

impl Table {
    /// The rows that match every filter: those of the postings first, smallest first, so that the dear ones see fewer rows.
    pub(crate) fn matches(&self, query: &Query) -> Matches<'_> {
        let mut found = intersection(self.filters(query));
        if let Some(search) = query.search.as_ref().filter(|text| !text.is_empty()) {
            found = Some(Cow::Owned(self.search(self.or_all(&found), search)));
        }
        if let Some(selector) = &query.selector {
            found = Some(Cow::Owned(self.select(self.or_all(&found), selector)));
        }
        let all = found.is_none();
        let rows = found.unwrap_or(Cow::Borrowed(&self.in_use));
        Matches {
            total: rows.len() as usize,
            rows,
            all,
        }
    }

    fn or_all<'a>(&'a self, found: &'a Option<Cow<'_, RoaringBitmap>>) -> &'a RoaringBitmap {
        found.as_deref().unwrap_or(&self.in_use)
    }

    /// The rows of each filter that postings answer.
    fn filters(&self, query: &Query) -> Vec<Cow<'_, RoaringBitmap>> {
        // Every field is named, so that a new filter can't be forgotten here.
        let Query {
            clusters: _, // These three are what `visible_rows` reads.
            scope: _,
            namespaces: _,
            statuses,
            phases,
            node,
            search: _, // `matches` applies the search and the selector to the rows that are left.
            selector: _,
            problem,
            sort: _, // The rest pages the matches.
            order: _,
            offset: _,
            limit: _,
        } = query;
        let (indexed, problems) = (&self.rows.indexed, &self.rows.problems);
        let mut filters = Vec::new();
        filters.extend(self.visible_rows(query));
        if *problem {
            filters.push(Cow::Borrowed(problems));
        }
        if let Some(node) = node {
            filters.push(union(indexed.nodes.rows_of(node).into_iter().collect()));
        }
        for (column, values) in [(&indexed.statuses, statuses), (&indexed.phases, phases)] {
            if !values.is_empty() {
                filters.push(union(column.equal_ignoring_case(values)));
            }
        }
        filters
    }

    /// The candidates whose labels match. Evaluates the selector once for each distinct label set.
    fn select(&self, candidates: &RoaringBitmap, selector: &Selector) -> RoaringBitmap {
        let words = &self.rows.words;
        let requirements: Vec<_> = selector
            .requirements()
            .map(|(key, test)| Requirement {
                key: words.find(key),
                values: test.values().iter().filter_map(|value| words.find(value)).collect(),
                test,
            })
            .collect();
        if requirements.iter().any(Requirement::is_hopeless) {
            return RoaringBitmap::new();
        }
        let left_out = words.find(LEFT_OUT);
        let (mut seen, mut passed) = (Bits::default(), Bits::default());
        let accepts = |row: &u32| {
            let sym = self.rows.columns.labels[*row as usize];
            if !seen.contains(sym.0) {
                seen.insert(sym.0);
                let labels = self.rows.label_sets.get(sym);
                let whole = labels.first().is_none_or(|(key, _)| Some(*key) != left_out);
                if requirements
                    .iter()
                    .all(|requirement| requirement.accepts(labels, whole, |value| words.get(value)))
                {
                    passed.insert(sym.0);
                }
            }
            passed.contains(sym.0)
        };
        let accepted = candidates.iter().filter(accepts);
        if candidates.len() <= INSERT_MAX {
            return accepted.collect();
        }
        RoaringBitmap::from(&accepted.collect::<Bits>())
    }

    /// The candidates of which name, IP, namespace or node contains a text but for case.
    fn search(&self, candidates: &RoaringBitmap, text: &str) -> RoaringBitmap {
        let text = text.to_lowercase();
        let finder = Finder::new(&text);
        let rows = &self.rows;
        let mut placed = rows.indexed.nodes.containing(&finder);
        let namespaces = rows.namespaces.iter().filter(|(_, name)| contains(name, &finder));
        for (namespace, _) in namespaces {
            let clusters = self.partitions.clusters();
            placed.extend(clusters.filter_map(|(_, cluster)| cluster.namespace(namespace)));
        }
        let placed = union(placed);
        if candidates.len() * SCAN_FRACTION < self.in_use.len() {
            let found = |row: &u32| placed.contains(*row) || rows.search_text.contains(*row, &finder);
            return candidates.iter().filter(found).collect();
        }
        let mut found = RoaringBitmap::from(&rows.search_text.search(&finder));
        found |= &*placed;
        found &= candidates;
        found
    }
}

/// A selector's requirement in the index's numbers.
struct Requirement<'a> {
    /// None: no row has the key.
    key: Option<Sym>,
    /// The values named that rows have.
    values: Vec<Sym>,
    test: &'a Test,
}

impl Requirement<'_> {
    /// Whether no row can have what it asks for.
    fn is_hopeless(&self) -> bool {
        match self.test {
            Test::In(_) => self.key.is_none() || self.values.is_empty(),
            Test::Exists | Test::Above(_) | Test::Below(_) => self.key.is_none(),
            Test::Absent | Test::NotIn(_) => false,
        }
    }

    /// Whether a label set has what it asks for. One that is not whole may have any label that is absent in it.
    fn accepts<'w>(&self, labels: &LabelSet, whole: bool, text: impl Fn(Sym) -> &'w str) -> bool {
        let value = self.key.and_then(|key| labels.iter().find(|(other, _)| *other == key));
        let value = value.map(|&(_, value)| value);
        if value.is_none() && !whole {
            return false;
        }
        let named = || value.is_some_and(|value| self.values.contains(&value));
        match self.test {
            Test::In(_) => named(),
            Test::NotIn(_) => !named(),
            test => test.accepts(value.map(text)),
        }
    }
}

/// The rows in any of some sets.
pub(crate) fn union(sets: Vec<&RoaringBitmap>) -> Cow<'_, RoaringBitmap> {
    let mut sets = sets.into_iter();
    let Some(first) = sets.next() else {
        return Cow::Owned(RoaringBitmap::new());
    };
    sets.fold(Cow::Borrowed(first), |mut union, set| {
        *union.to_mut() |= set;
        union
    })
}

/// The rows in all of some sets; none: no set restricts them.
fn intersection(mut sets: Vec<Cow<'_, RoaringBitmap>>) -> Option<Cow<'_, RoaringBitmap>> {
    sets.sort_by_cached_key(|set| set.len());
    sets.into_iter().reduce(|a, b| Cow::Owned(&*a & &*b))
}
