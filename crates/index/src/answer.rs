//! How a query is answered: the matches as a set of row numbers, then one page of them in order.

use hashbrown::HashMap;
use memchr::memmem::Finder;

use crate::{
    ClusterId, Order, Query, Selector, Sort,
    bits::Bits,
    blocks::Blocks,
    dictionary::{Dictionary, Sym},
    sight::Sight,
    table::Table,
};

impl Table {
    /// The rows that match every filter. The cheap filters go first, so that the dear ones see fewer rows.
    pub(crate) fn matches(&self, query: &Query) -> Bits {
        let rows = &self.rows;
        let columns = &rows.columns;
        let mut matches = self.in_sight(query);
        if query.problem {
            matches.retain(|row| !rows.reasons.get(columns.reason[row as usize]).is_empty());
        }
        if let Some(node) = &query.node {
            let node = rows.nodes.find(node).map(|sym| sym.0).into_iter().collect();
            narrow(&mut matches, &columns.node, &node);
        }
        if !query.statuses.is_empty() {
            narrow(&mut matches, &columns.status, &alike(&rows.statuses, &query.statuses));
        }
        if !query.phases.is_empty() {
            narrow(&mut matches, &columns.phase, &alike(&rows.phases, &query.phases));
        }
        if let Some(selector) = &query.selector {
            self.select(&mut matches, selector);
        }
        if let Some(search) = &query.search {
            self.search(&mut matches, search);
        }
        matches
    }

    fn in_sight(&self, query: &Query) -> Bits {
        let sights: HashMap<ClusterId, Sight> = query
            .clusters
            .iter()
            .map(|&cluster| (cluster, self.sight(cluster, &query.scope, &query.namespaces)))
            .collect();
        let mut matches = self.live.clone();
        let whole = |cluster| matches!(sights.get(&cluster), Some(Sight::All));
        if !self.changes.clusters().all(whole) {
            let columns = &self.rows.columns;
            matches.retain(|row| {
                let sight = sights.get(&columns.cluster[row as usize]);
                sight.is_some_and(|sight| sight.shows(columns.namespace[row as usize]))
            });
        }
        matches
    }

    /// Evaluates a selector once for each distinct label set among the matches.
    fn select(&self, matches: &mut Bits, selector: &Selector) {
        let words = &self.rows.words;
        let requirements: Vec<_> = selector
            .requirements()
            .map(|(key, test)| (words.find(key), test))
            .collect();
        let (mut seen, mut passed) = (Bits::default(), Bits::default());
        matches.retain(|row| {
            let sym = self.rows.columns.labels[row as usize];
            if !seen.contains(sym.0) {
                seen.insert(sym.0);
                let labels = self.rows.label_sets.get(sym);
                let value = |key: Sym| labels.iter().find(|(other, _)| *other == key);
                if requirements.iter().all(|(key, test)| {
                    let value = key.and_then(value).map(|&(_, value)| words.get(value));
                    test.accepts(value)
                }) {
                    passed.insert(sym.0);
                }
            }
            passed.contains(sym.0)
        });
    }

    fn search(&self, matches: &mut Bits, text: &str) {
        if text.is_empty() {
            return;
        }
        let text = text.to_lowercase();
        let finder = Finder::new(&text);
        let rows = &self.rows;
        let named = rows.names.search(&finder);
        let namespaces = containing(&rows.namespaces, &finder);
        let nodes = containing(&rows.nodes, &finder);
        matches.retain(|row| {
            named.contains(row)
                || namespaces.contains(rows.columns.namespace[row as usize].0)
                || nodes.contains(rows.columns.node[row as usize].0)
        });
    }

    /// The row numbers of one page.
    pub(crate) fn page(&self, query: &Query, matches: &Bits, total: usize) -> Vec<u32> {
        if query.offset >= total || query.limit == 0 {
            return Vec::new();
        }
        let columns = &self.rows.columns;
        match (query.sort, query.order) {
            (Sort::CreatedAt, Order::Desc) => self.forward(&self.orders.age, query, matches, total),
            (Sort::CreatedAt, Order::Asc) => {
                let created_at = |row: u32| columns.created_at[row as usize];
                let same = |a, b| created_at(a) == created_at(b);
                backward(&self.ordered(&self.orders.age, matches, total), same, query)
            }
            (Sort::Name, Order::Asc) => self.forward(&self.orders.name, query, matches, total),
            (Sort::Name, Order::Desc) => {
                let same = |a, b| self.rows.names.name(a) == self.rows.names.name(b);
                backward(&self.ordered(&self.orders.name, matches, total), same, query)
            }
            (Sort::Namespace, Order::Asc) => self.forward(&self.orders.place, query, matches, total),
            (Sort::Namespace, Order::Desc) => {
                let same = |a: u32, b: u32| columns.namespace[a as usize] == columns.namespace[b as usize];
                backward(&self.ordered(&self.orders.place, matches, total), same, query)
            }
            (Sort::Status, _) => {
                let ranks = ranks(&self.rows.statuses);
                self.ranked(query, matches, total, |row| ranks[columns.status[row].0 as usize])
            }
            (Sort::NodeName, _) => {
                let ranks = ranks(&self.rows.nodes);
                self.ranked(query, matches, total, |row| ranks[columns.node[row].0 as usize])
            }
            (Sort::Restarts, _) => self.ranked(query, matches, total, |row| columns.restarts[row]),
        }
    }

    /// A page of the matches in a kept order. Without a filter it costs the page, not the rows before it.
    fn forward(&self, order: &Blocks, query: &Query, matches: &Bits, total: usize) -> Vec<u32> {
        if total == order.len() {
            return order.iter_from(query.offset).take(query.limit).collect();
        }
        let matching = order.iter().filter(|&row| matches.contains(row));
        matching.skip(query.offset).take(query.limit).collect()
    }

    /// All matches in a kept order.
    fn ordered(&self, order: &Blocks, matches: &Bits, total: usize) -> Vec<u32> {
        let mut rows = Vec::with_capacity(total);
        rows.extend(order.iter().filter(|&row| matches.contains(row)));
        rows
    }

    /// A page of the matches by a rank, ties by place. Sorts no more than the page.
    fn ranked(&self, query: &Query, matches: &Bits, total: usize, rank: impl Fn(usize) -> u32) -> Vec<u32> {
        let rows = self.ordered(&self.orders.place, matches, total);
        let mut keys: Vec<u64> = rows
            .iter()
            .enumerate()
            .map(|(at, &row)| {
                let rank = rank(row as usize);
                let rank = if query.order == Order::Desc { !rank } else { rank };
                u64::from(rank) << 32 | at as u64
            })
            .collect();
        let mut page = &mut keys[..];
        if query.offset > 0 {
            page = page.select_nth_unstable(query.offset - 1).2;
        }
        if query.limit < page.len() {
            page = page.select_nth_unstable(query.limit).0;
        }
        page.sort_unstable();
        page.iter().map(|key| rows[*key as u32 as usize]).collect()
    }
}

/// Keeps the rows whose value is in a set.
fn narrow(rows: &mut Bits, column: &[Sym], values: &Bits) {
    rows.retain(|row| values.contains(column[row as usize].0));
}

/// The values that equal one of some texts but for case.
fn alike(dictionary: &Dictionary<str>, texts: &[String]) -> Bits {
    let texts: Vec<_> = texts.iter().map(|text| text.to_lowercase()).collect();
    let alike = dictionary
        .iter()
        .filter(|(_, value)| texts.contains(&value.to_lowercase()));
    alike.map(|(sym, _)| sym.0).collect()
}

/// The values that contain what the finder looks for (in lower case) but for case.
fn containing(dictionary: &Dictionary<str>, finder: &Finder<'_>) -> Bits {
    let contains = |value: &str| {
        if value.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
            finder.find(value.to_lowercase().as_bytes()).is_some()
        } else {
            finder.find(value.as_bytes()).is_some()
        }
    };
    let containing = dictionary.iter().filter(|(_, value)| contains(value));
    containing.map(|(sym, _)| sym.0).collect()
}

/// Each value's rank among all, by its number.
fn ranks(dictionary: &Dictionary<str>) -> Vec<u32> {
    let mut values: Vec<_> = dictionary.iter().collect();
    values.sort_unstable_by_key(|(_, value)| *value);
    let len = values.iter().map(|(sym, _)| sym.0 as usize + 1).max().unwrap_or(0);
    let mut ranks = vec![0; len];
    for (rank, (sym, _)) in values.iter().enumerate() {
        ranks[sym.0 as usize] = rank as u32;
    }
    ranks
}

/// A page of an order read from its end, but within rows that are the same still forwards: ties keep their order in both directions.
fn backward(rows: &[u32], same: impl Fn(u32, u32) -> bool, query: &Query) -> Vec<u32> {
    let mut page = Vec::with_capacity(query.limit.min(rows.len()));
    let (mut skip, mut end) = (query.offset, rows.len());
    while end > 0 && page.len() < query.limit {
        let mut start = end - 1;
        while start > 0 && same(rows[start - 1], rows[end - 1]) {
            start -= 1;
        }
        let group = &rows[start..end];
        let skipped = skip.min(group.len());
        skip -= skipped;
        let wanted = query.limit - page.len();
        page.extend(group[skipped..].iter().take(wanted));
        end = start;
    }
    page
}
