//! Live queries: the matches of a query, kept current with the index, and the windows through which
//! viewers see them.
//!
//! Like the rest of the crate this is pure; the owner decides when to look. On each tick it opens a
//! [`Reader`], calls [`Live::update`], then [`Live::delta`] for each viewer, and drops the reader.
//! Viewers with the same [`Query::group`] share one [`Live`].

use std::sync::Arc;

use hashbrown::HashMap;
use roaring::RoaringBitmap;

use crate::{
    Answer, ClusterId, Facet, FacetValue, Query, Reach, Reader, RowRef, UidText, matches::Matches,
    predicate::Predicate, rows::Rows, table::Table, uid::Uid,
};

/// The matches of one query, as of the last look at the index.
#[derive(Debug)]
pub struct Live {
    predicate: Predicate,
    matches: RoaringBitmap,
    /// The index's clock at the last look.
    seen: u64,
    /// The clock at the last look that found a change.
    changed: u64,
    /// The clock at the last change that [`Live::update`] reported.
    reported: u64,
    facets: HashMap<Facet, Counted>,
    /// For each group that has a filter, by [`Facet::group`]: the same query without that filter.
    others: HashMap<Facet, Live>,
}

/// Counts, and the clock of the change that they include.
#[derive(Debug)]
struct Counted {
    at: u64,
    counts: Arc<Vec<(FacetValue, usize)>>,
}

/// The part of a live query's rows that one viewer sees, and the rows that the viewer was last
/// sent.
///
/// Takes some 48 bytes per row.
#[derive(Clone, Debug)]
pub struct Window {
    offset: usize,
    limit: usize,
    /// The clock of the change that was last sent; `None` before the first answer and after a move.
    at: Option<u64>,
    total: usize,
    sent: Vec<Sent>,
}

/// A row in the version that was sent.
#[derive(Clone, Debug)]
struct Sent {
    row: u32,
    version: u64,
    cluster: ClusterId,
    uid: Uid,
    /// The hash of its key, by which it is found again: row numbers change.
    hash: u64,
}

/// The changes in a window.
#[derive(Clone, Debug)]
pub struct Delta<'a> {
    rows: &'a Rows,
    total: usize,
    upsert: Vec<u32>,
    order: Option<Vec<u32>>,
    gone: Vec<Uid>,
    ambiguous: bool,
}

impl Window {
    /// Creates a window of at most `limit` rows that starts at a row of the whole answer; 0 is the
    /// first.
    pub fn new(offset: usize, limit: usize) -> Self {
        Self {
            offset,
            limit,
            at: None,
            total: 0,
            sent: Vec::new(),
        }
    }

    /// Moves the window. The viewer keeps the rows that it has: the next delta brings only those
    /// that come into view.
    pub fn move_to(&mut self, offset: usize, limit: usize) {
        (self.offset, self.limit) = (offset, limit);
        self.at = None;
    }

    /// Returns whether a page is what the viewer was sent, unchanged since.
    fn shows(&self, table: &Table, page: &[u32]) -> bool {
        let sent = self.sent.iter().map(|sent| (sent.row, sent.version));
        page.iter().map(|&row| (row, table.version(row))).eq(sent)
    }

    /// Returns the UIDs of the rows that were sent and whose pod no longer exists.
    fn gone(&self, table: &Table) -> Vec<Uid> {
        let is_gone = |sent: &&Sent| !table.has(sent.hash, sent.cluster, &sent.uid);
        self.sent.iter().filter(is_gone).map(|sent| sent.uid.clone()).collect()
    }

    /// Returns whether two rows of different clusters, sent before or due now, have the same UID.
    fn has_twins(&self, table: &Table, page: &[u32]) -> bool {
        let sent = self.sent.iter().map(|sent| (sent.cluster, &sent.uid));
        let now = page.iter().filter_map(|&row| table.rows.row(row));
        let all = sent.chain(now.map(|row| (row.cluster(), row.uid_ref())));
        let mut clusters: HashMap<&Uid, ClusterId> = HashMap::new();
        let mut of_several = all.clone().map(|(cluster, _)| cluster);
        let first = of_several.next();
        of_several.any(|cluster| Some(cluster) != first)
            && all
                .into_iter()
                .any(|(cluster, uid)| *clusters.entry(uid).or_insert(cluster) != cluster)
    }

    /// Returns the number of rows before the window.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Returns the most rows that the window shows.
    pub fn limit(&self) -> usize {
        self.limit
    }
}

impl Live {
    /// Evaluates a query without its page. Costs as much as [`Reader::find`].
    pub fn new(reader: &Reader<'_>, query: Query) -> Self {
        let table = &*reader.table;
        let predicate = Predicate::new(query.group());
        let matches = table.matches(predicate.query()).rows.into_owned();
        let now = table.partitions.clock();
        Self {
            predicate,
            matches,
            seen: now,
            changed: now,
            reported: now,
            facets: HashMap::new(),
            others: HashMap::new(),
        }
    }

    /// Returns the query in the form of [`Query::group`].
    pub fn query(&self) -> &Query {
        self.predicate.query()
    }

    /// Returns the number of matches at the last look.
    pub fn total(&self) -> usize {
        self.matches.len() as usize
    }

    /// Brings the matches up to date. Returns whether any came, went or changed since the last
    /// call.
    ///
    /// If it returns `false`, all windows and facets are what they were.
    ///
    /// Costs a test of each row that changed. After more changes than the index remembers (a
    /// quarter of its rows, at least 4,096) the query is evaluated anew.
    pub fn update(&mut self, reader: &Reader<'_>) -> bool {
        self.catch_up(&reader.table);
        std::mem::replace(&mut self.reported, self.changed) != self.changed
    }

    fn catch_up(&mut self, table: &Table) {
        let now = table.partitions.clock();
        if now == self.seen {
            return;
        }
        let changed = match table.journal.since(self.seen) {
            Some(rows) => self.apply_changed(table, rows),
            None => {
                let matches = table.matches(self.predicate.query()).rows.into_owned();
                let changed = matches != self.matches || matches.iter().any(|row| table.version(row) > self.seen);
                self.matches = matches;
                changed
            }
        };
        self.seen = now;
        if changed {
            self.changed = now;
        }
    }

    fn apply_changed(&mut self, table: &Table, rows: impl Iterator<Item = u32>) -> bool {
        let mut changed = false;
        for row in rows {
            let is_match = table.rows.row(row).is_some_and(|view| self.predicate.accepts(view));
            let was_match = if is_match {
                !self.matches.insert(row)
            } else {
                self.matches.remove(row)
            };
            changed |= is_match || was_match;
        }
        changed
    }

    /// Returns the rows in a window and the number of matches, and records them as sent.
    ///
    /// Costs the page, as [`crate::Found::page`] says.
    pub fn snapshot<'a>(&mut self, reader: &'a Reader<'_>, window: &mut Window) -> Answer<'a> {
        let table = &*reader.table;
        self.catch_up(table);
        let page = self.page(table, window);
        self.record_sent(table, window, &page);
        Answer::new(&table.rows, page, self.total())
    }

    /// Returns the changes in a window since its last snapshot or delta, and records them as sent.
    /// `None` if there are none.
    ///
    /// Costs one comparison if no match changed, otherwise the page, as [`crate::Found::page`]
    /// says.
    pub fn delta<'a>(&mut self, reader: &'a Reader<'_>, window: &mut Window) -> Option<Delta<'a>> {
        let table = &*reader.table;
        self.catch_up(table);
        if window.at == Some(self.changed) {
            return None;
        }
        let page = self.page(table, window);
        let same_total = window.total == self.total();
        if same_total && window.shows(table, &page) {
            window.at = Some(self.changed);
            return None;
        }
        let versions: HashMap<u32, u64> = window.sent.iter().map(|sent| (sent.row, sent.version)).collect();
        let is_new = |row: &u32| versions.get(row) != Some(&table.version(*row));
        let upsert: Vec<u32> = page.iter().copied().filter(is_new).collect();
        let pods = page.iter().filter_map(|&row| table.rows.row(row));
        let sent = window.sent.iter().map(|sent| (sent.cluster, &sent.uid));
        let same_order = pods.map(|row| (row.cluster(), row.uid_ref())).eq(sent);
        let ambiguous = !same_order && window.has_twins(table, &page);
        let gone = if same_order { Vec::new() } else { window.gone(table) };
        self.record_sent(table, window, &page);
        (!same_total || !same_order || !upsert.is_empty()).then(|| Delta {
            rows: &table.rows,
            total: self.total(),
            upsert,
            order: (!same_order).then_some(page),
            gone,
            ambiguous,
        })
    }

    /// Counts the matches by a field, as [`crate::Found::facets`] does. Equal counts are the same
    /// `Arc` as before.
    ///
    /// Costs nothing if no match changed, otherwise what [`crate::Found::facets`] says.
    pub fn facets(&mut self, reader: &Reader<'_>, facet: Facet) -> Arc<Vec<(FacetValue, usize)>> {
        let table = &*reader.table;
        self.catch_up(table);
        let known = self.facets.get(&facet);
        if let Some(known) = known
            && known.at == self.changed
        {
            return Arc::clone(&known.counts);
        }
        let counts = table.facets(&self.matches(table), facet);
        let counts = match known {
            Some(known) if *known.counts == counts => Arc::clone(&known.counts),
            _ => Arc::new(counts),
        };
        let counted = Counted {
            at: self.changed,
            counts: Arc::clone(&counts),
        };
        self.facets.insert(facet, counted);
        counts
    }

    /// Counts by a field the rows that match every filter except those of the field's own group, as
    /// [`crate::Found::other_facets`] does, and says how many rows were counted.
    ///
    /// Keeps a second set of matches for each group that has a filter, which costs what this live
    /// query costs without its windows.
    pub fn other_facets(
        &mut self,
        reader: &Reader<'_>,
        facet: Facet,
        reach: &Reach,
    ) -> (Arc<Vec<(FacetValue, usize)>>, usize) {
        let Some(wider) = self.query().without(facet, reach).map(Query::group) else {
            return (self.facets(reader, facet), self.total());
        };
        let group = facet.group();
        let kept = self.others.remove(&group).filter(|other| *other.query() == wider);
        let mut other = kept.unwrap_or_else(|| Self::new(reader, wider));
        let counted = (other.facets(reader, facet), other.total());
        self.others.insert(group, other);
        counted
    }

    /// Returns how many matches come before a pod; `None` if it is not among them.
    ///
    /// Costs O(log n) if all rows match, else a comparison with each match.
    pub fn position(&mut self, reader: &Reader<'_>, cluster: ClusterId, namespace: &str, name: &str) -> Option<usize> {
        let table = &*reader.table;
        self.catch_up(table);
        let row = table.find(cluster, namespace, name)?;
        let Query { sort, order, .. } = *self.query();
        let is_match = self.matches.contains(row);
        is_match.then(|| table.position(&self.matches(table), (sort, order), row))
    }

    fn matches(&self, table: &Table) -> Matches<'_> {
        Matches {
            rows: std::borrow::Cow::Borrowed(&self.matches),
            total: self.total(),
            all: self.total() == table.len(),
        }
    }

    fn page(&self, table: &Table, window: &Window) -> Vec<u32> {
        let query = self.predicate.query();
        table.page(
            &self.matches(table),
            (query.sort, query.order),
            window.offset,
            window.limit,
        )
    }

    fn record_sent(&self, table: &Table, window: &mut Window, page: &[u32]) {
        window.at = Some(self.changed);
        window.total = self.total();
        window.sent.clear();
        window.sent.extend(page.iter().filter_map(|&row| {
            let view = table.rows.row(row)?;
            Some(Sent {
                row,
                version: table.version(row),
                cluster: view.cluster(),
                uid: view.uid_ref().clone(),
                hash: table.key_hash(row),
            })
        }));
    }
}

impl<'a> Delta<'a> {
    /// Returns the number of matches now.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Returns the rows of the window that are new in it or have changed, in its order.
    pub fn upsert(&self) -> impl Iterator<Item = RowRef<'a>> {
        let rows = self.rows;
        self.upsert.iter().filter_map(move |&row| rows.row(row))
    }

    /// Returns the UIDs of rows that the viewer has and whose pod no longer exists, or has another
    /// UID now. Empty if the order has not changed.
    pub fn gone(&self) -> impl ExactSizeIterator<Item = UidText<'_>> {
        self.gone.iter().map(Uid::text)
    }

    /// Returns whether the order of UIDs is ambiguous, so that the viewer needs a snapshot instead.
    ///
    /// It is if two rows, before or now, have the same UID: a cluster that is known under two names
    /// shows each pod twice.
    pub fn is_ambiguous(&self) -> bool {
        self.ambiguous
    }

    /// Returns the UIDs of the window in order, if that changed.
    pub fn order(&self) -> Option<impl Iterator<Item = UidText<'a>>> {
        let rows = self.rows;
        let order = self.order.as_ref()?.iter();
        Some(order.filter_map(move |&row| rows.row(row)).map(RowRef::uid))
    }
}
