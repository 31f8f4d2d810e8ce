//! Live queries: a query's matches kept up with the index, and the windows through which viewers see them.
//!
//! Pure like the rest: the owner decides when to look. For each tick it opens a [`Reader`], calls [`Live::update`] and, for each
//! viewer, [`Live::delta`], and lets the reader go. Viewers with the same [`Query::group`] share one [`Live`].

use std::sync::Arc;

use hashbrown::HashMap;
use roaring::RoaringBitmap;

use crate::{
    Answer, ClusterId, Facet, FacetValue, Query, Reader, RowRef, UidText, matches::Matches, predicate::Predicate,
    rows::Rows, table::Table, uid::Uid,
};

/// The matches of one query, as of the last look.
#[derive(Debug)]
pub struct Live {
    predicate: Predicate,
    matches: RoaringBitmap,
    /// The table's clock at the last look.
    seen: u64,
    /// The clock of the last look that found a change.
    changed: u64,
    /// The clock of the last change that [`Live::update`] told of.
    reported: u64,
    facets: HashMap<Facet, Counted>,
}

/// Counts, and the clock of the change they hold for.
#[derive(Debug)]
struct Counted {
    at: u64,
    counts: Arc<Vec<(FacetValue, usize)>>,
}

/// The part of a live query's rows that one viewer sees, and what the viewer was last told of it: some 40 bytes a row.
#[derive(Clone, Debug)]
pub struct Window {
    offset: usize,
    limit: usize,
    /// The change of the last answer; none: there was none, or the window was moved.
    at: Option<u64>,
    total: usize,
    sent: Vec<Sent>,
}

/// A row as it was told.
#[derive(Clone, Debug)]
struct Sent {
    row: u32,
    version: u64,
    cluster: ClusterId,
    uid: Uid,
}

/// What changed in a window.
#[derive(Clone, Debug)]
pub struct Delta<'a> {
    rows: &'a Rows,
    total: usize,
    upsert: Vec<u32>,
    order: Option<Vec<u32>>,
    ambiguous: bool,
}

impl Window {
    /// A window from a row of the whole on (0 is the first), of at most so many rows.
    pub fn new(offset: usize, limit: usize) -> Self {
        Self {
            offset,
            limit,
            at: None,
            total: 0,
            sent: Vec::new(),
        }
    }

    /// Moves the window. What the viewer was told stays known: the next delta brings only the rows that come into view.
    pub fn move_to(&mut self, offset: usize, limit: usize) {
        (self.offset, self.limit) = (offset, limit);
        self.at = None;
    }

    /// Whether these are the rows that were told, unchanged since.
    fn shows(&self, table: &Table, page: &[u32]) -> bool {
        let sent = self.sent.iter().map(|sent| (sent.row, sent.version));
        page.iter().map(|&row| (row, table.version(row))).eq(sent)
    }

    /// Whether two of the rows that were told, or are to be told now, are of two clusters and have one uid.
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

    /// Rows before the window.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Rows in the window at most.
    pub fn limit(&self) -> usize {
        self.limit
    }
}

impl Live {
    /// Evaluates a query, without regard to its page. Costs what [`Reader::find`] says.
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
        }
    }

    /// The query, as [`Query::group`].
    pub fn query(&self) -> &Query {
        self.predicate.query()
    }

    /// The number of matches at the last look.
    pub fn total(&self) -> usize {
        self.matches.len() as usize
    }

    /// Takes in what changed in the index since the last look. True if, since this was last called, matches came, went or
    /// changed; else all windows and facets are what they were.
    ///
    /// Costs a test of each row that changed. After more changes than the index remembers (a quarter of its rows, at least 4,096)
    /// the query is evaluated anew.
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

    /// The rows in a window and the total now. The window takes them as told.
    ///
    /// Costs the page, as [`crate::Found::page`] says.
    pub fn snapshot<'a>(&mut self, reader: &'a Reader<'_>, window: &mut Window) -> Answer<'a> {
        let table = &*reader.table;
        self.catch_up(table);
        let page = self.page(table, window);
        self.record_sent(table, window, &page);
        Answer::new(&table.rows, page, self.total())
    }

    /// What changed in a window since its last snapshot or delta; none: nothing. The window takes it as told.
    ///
    /// Costs a comparison if no match changed, else the page, as [`crate::Found::page`] says.
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
        self.record_sent(table, window, &page);
        (!same_total || !same_order || !upsert.is_empty()).then(|| Delta {
            rows: &table.rows,
            total: self.total(),
            upsert,
            order: (!same_order).then_some(page),
            ambiguous,
        })
    }

    /// Counts the matches by a field, as [`crate::Found::facets`] does. The same `Arc` as before if the counts are.
    ///
    /// Costs nothing if no match changed, else what [`crate::Found::facets`] says.
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
            })
        }));
    }
}

impl<'a> Delta<'a> {
    /// The number of matches now.
    pub fn total(&self) -> usize {
        self.total
    }

    /// The rows of the window that are new in it or have changed, in its order.
    pub fn upsert(&self) -> impl Iterator<Item = RowRef<'a>> {
        let rows = self.rows;
        self.upsert.iter().filter_map(move |&row| rows.row(row))
    }

    /// Whether the order does not tell which row is where, because two rows, before or now, have one uid: a cluster that is known under two names shows
    /// each pod twice. Then only a snapshot tells.
    pub fn is_ambiguous(&self) -> bool {
        self.ambiguous
    }

    /// The uids of the window in order, if that is not what it was.
    pub fn order(&self) -> Option<impl Iterator<Item = UidText<'a>>> {
        let rows = self.rows;
        let order = self.order.as_ref()?.iter();
        Some(order.filter_map(move |&row| rows.row(row)).map(RowRef::uid))
    }
}
