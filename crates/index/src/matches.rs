//! The rows that match a query.

use std::borrow::Cow;

use memchr::memmem::Finder;
use roaring::RoaringBitmap;

use crate::{
    Owner, Query, Selector,
    bits::Bits,
    dictionary::Sym,
    postings::contains,
    rows::{LEFT_OUT, LabelSet, Rows},
    selector::Test,
    table::Table,
};

/// The most rows that are inserted into a set one by one.
const INSERT_MAX: u64 = 1024;

/// A search tests the candidates one by one if they are fewer than one in this many rows. Otherwise
/// it scans all names.
const SCAN_FRACTION: u64 = 8;

/// A set of rows, borrowed where the index holds it.
#[derive(Debug)]
pub(crate) struct Matches<'a> {
    pub(crate) rows: Cow<'a, RoaringBitmap>,
    pub(crate) total: usize,
    /// Whether this is every row of the index.
    pub(crate) all: bool,
}

impl Table {
    /// Returns the rows that match every filter.
    ///
    /// Postings come first, the smallest first, so that the costly filters see fewer rows.
    pub(crate) fn matches(&self, query: &Query) -> Matches<'_> {
        let mut found = intersection(self.filters(query));
        if let Some(columns) = ColumnFilters::new(self, query) {
            let rows = self.or_all(&found).iter().filter(|row| columns.accept(*row));
            found = Some(Cow::Owned(RoaringBitmap::from_sorted_iter(rows).unwrap_or_default()));
        }
        for search in query.searches.iter().filter(|text| !text.is_empty()) {
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

    /// Returns the rows of each filter that postings answer.
    fn filters(&self, query: &Query) -> Vec<Cow<'_, RoaringBitmap>> {
        // Every field is named, so that a new filter can't be forgotten here.
        let Query {
            clusters: _, // These three are what `visible_rows` reads.
            scope: _,
            namespaces: _,
            statuses,
            phases,
            qos_classes,
            nodes,
            owners: _, // `ColumnFilters` reads these.
            reason_codes,
            name,
            restarted_since: _,
            created_since: _,
            created_before: _,
            searches: _, // `matches` applies the searches and the selector to the rows that are left.
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
            filters.push(Cow::Borrowed(problems.all()));
        }
        if !reason_codes.is_empty() {
            filters.push(union(reason_codes.iter().map(|code| problems.of(*code)).collect()));
        }
        if !nodes.is_empty() {
            filters.push(union(
                nodes.iter().filter_map(|node| indexed.nodes.rows_of(node)).collect(),
            ));
        }
        if let Some(name) = name.as_ref().filter(|_| !query.namespaces.is_empty()) {
            filters.push(Cow::Owned(self.named(query, name)));
        }
        for (column, values) in [
            (&indexed.statuses, statuses),
            (&indexed.phases, phases),
            (&indexed.qos_classes, qos_classes),
        ] {
            if !values.is_empty() {
                filters.push(union(column.equal_ignoring_case(values)));
            }
        }
        filters
    }

    /// Returns the rows of a name in the query's namespaces: one look-up for each of them in each
    /// cluster.
    fn named(&self, query: &Query, name: &str) -> RoaringBitmap {
        let clusters = query.clusters.iter();
        let places = clusters.flat_map(|cluster| query.namespaces.iter().map(move |namespace| (*cluster, namespace)));
        places
            .filter_map(|(cluster, namespace)| self.find(cluster, namespace, name))
            .collect()
    }

    /// Returns the candidates whose labels match. Evaluates the selector once per distinct label
    /// set.
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
                let complete = labels.first().is_none_or(|(key, _)| Some(*key) != left_out);
                if requirements
                    .iter()
                    .all(|requirement| requirement.accepts(labels, complete, |value| words.get(value)))
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

    /// Returns the candidates whose name, IPs, namespace or node contain a text, compared without
    /// case.
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

/// The filters that a pass over columns answers.
#[derive(Debug)]
struct ColumnFilters<'a> {
    rows: &'a Rows,
    /// The symbols of the owners asked for that some row has; `None` if any owner will do.
    owners: Option<Vec<(Sym, Sym)>>,
    /// Only where no look-up by namespace has found the rows.
    name: Option<&'a [u8]>,
    restarted_since: Option<i64>,
    created_since: Option<i64>,
    created_before: Option<i64>,
}

impl<'a> ColumnFilters<'a> {
    /// Returns the filters of a query; `None` if it has none of this kind.
    fn new(table: &'a Table, query: &'a Query) -> Option<Self> {
        let Query {
            owners,
            name,
            namespaces,
            restarted_since,
            created_since,
            created_before,
            ..
        } = query;
        let rows = &table.rows;
        let known = |owner: &Owner| Some((rows.words.find(&owner.kind)?, rows.words.find(&owner.name)?));
        let filters = Self {
            rows,
            owners: (!owners.is_empty()).then(|| owners.iter().filter_map(known).collect()),
            name: name.as_deref().filter(|_| namespaces.is_empty()).map(str::as_bytes),
            restarted_since: *restarted_since,
            created_since: *created_since,
            created_before: *created_before,
        };
        let times = [filters.restarted_since, filters.created_since, filters.created_before];
        let has_any = filters.owners.is_some() || filters.name.is_some() || times.iter().any(Option::is_some);
        has_any.then_some(filters)
    }

    fn accept(&self, row: u32) -> bool {
        let (rows, at) = (self.rows, row as usize);
        self.restarted_since
            .is_none_or(|since| rows.columns.last_restart_at[at] >= since)
            && self
                .created_since
                .is_none_or(|since| rows.columns.created_at[at] >= since)
            && self
                .created_before
                .is_none_or(|before| rows.columns.created_at[at] < before)
            && (self.owners.as_ref())
                .is_none_or(|owners| rows.columns.owner(row).is_some_and(|owner| owners.contains(&owner)))
            && self.name.is_none_or(|name| rows.search_text.names.bytes(row) == name)
    }
}

/// A selector's requirement with symbols in place of texts.
struct Requirement<'a> {
    /// `None` if no row has the key.
    key: Option<Sym>,
    /// Those of the named values that some row has.
    values: Vec<Sym>,
    test: &'a Test,
}

impl Requirement<'_> {
    /// Returns whether no row can meet the requirement.
    fn is_hopeless(&self) -> bool {
        match self.test {
            Test::In(_) => self.key.is_none() || self.values.is_empty(),
            Test::Exists | Test::Above(_) | Test::Below(_) => self.key.is_none(),
            Test::Absent | Test::NotIn(_) => false,
        }
    }

    /// Returns whether a label set meets the requirement. A label that is absent may exist unless
    /// the set is `complete`.
    fn accepts<'w>(&self, labels: &LabelSet, complete: bool, text: impl Fn(Sym) -> &'w str) -> bool {
        let value = self.key.and_then(|key| labels.iter().find(|(other, _)| *other == key));
        let value = value.map(|&(_, value)| value);
        if value.is_none() && !complete {
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

/// Returns the union of sets.
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

/// Returns the intersection of sets; `None` if there are no sets, so that every row matches.
fn intersection(mut sets: Vec<Cow<'_, RoaringBitmap>>) -> Option<Cow<'_, RoaringBitmap>> {
    sets.sort_by_cached_key(|set| set.len());
    sets.into_iter().reduce(|a, b| Cow::Owned(&*a & &*b))
}
