//! Rows with their look-up and their orders: what is behind the index's lock.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

use crate::{
    Change, ClusterId, Pod, Scope, Stats,
    bits::Bits,
    blocks::Blocks,
    changes::{Changes, Happened},
    dictionary::Sym,
    rows::Rows,
};

/// All rows, found by (cluster, namespace, name) and in three orders.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) rows: Rows,
    /// The numbers of the rows there are.
    pub(crate) live: Bits,
    /// Row numbers to use again.
    free: Vec<u32>,
    pub(crate) changes: Changes,
    by_key: HashTable<u32>,
    hasher: DefaultHashBuilder,
    pub(crate) orders: Orders,
    /// How many relists have begun.
    generation: u32,
    /// The generation in which each row was last applied.
    applied: Vec<u32>,
    /// When each row last changed, by the clock of [`Table::changes`].
    pub(crate) versions: Vec<u64>,
}

/// The orders that are kept. Every other one is a small key over [`Orders::place`].
#[derive(Debug, Default)]
pub(crate) struct Orders {
    /// By [`Rows::by_age`].
    pub(crate) age: Blocks,
    /// By [`Rows::by_place`].
    pub(crate) place: Blocks,
    /// By [`Rows::by_name`].
    pub(crate) name: Blocks,
}

impl Table {
    pub(crate) fn apply(&mut self, cluster: ClusterId, change: &Change) {
        match change {
            Change::Upsert(pod) => self.upsert(cluster, pod),
            Change::Remove { namespace, name } => {
                if let Some(row) = self.find(cluster, namespace, name) {
                    self.remove(row);
                }
            }
        }
    }

    fn upsert(&mut self, cluster: ClusterId, pod: &Pod) {
        let row = match self.find(cluster, &pod.namespace, &pod.name) {
            Some(row) => {
                if self.rows.row(row).is_none_or(|known| !known.is(pod)) {
                    self.update(row, cluster, pod);
                }
                row
            }
            None => self.insert(cluster, pod),
        };
        self.applied[row as usize] = self.generation;
    }

    /// Place and name of a row never change, its age does when a pod is replaced by one of the same name.
    fn update(&mut self, row: u32, cluster: ClusterId, pod: &Pod) {
        let Self { rows, orders, .. } = self;
        let aged = rows.columns.created_at[row as usize] != pod.created_at;
        if aged {
            orders.age.remove(row, |other| rows.by_age(other, row));
        }
        rows.write(row, cluster, pod);
        if aged {
            orders.age.insert(row, |other| rows.by_age(other, row));
        }
        self.note(row, Happened::Changed);
    }

    fn note(&mut self, row: u32, happened: Happened) {
        let at = row as usize;
        let columns = &self.rows.columns;
        self.versions[at] = self.changes.note(columns.cluster[at], columns.namespace[at], happened);
    }

    fn insert(&mut self, cluster: ClusterId, pod: &Pod) -> u32 {
        let row = self.free.pop().unwrap_or_else(|| {
            self.applied.push(0);
            self.versions.push(0);
            self.applied.len() as u32 - 1
        });
        let Self {
            rows,
            orders,
            by_key,
            hasher,
            ..
        } = self;
        rows.write(row, cluster, pod);
        by_key.insert_unique(hash(hasher, rows, row), row, |&row| hash(hasher, rows, row));
        orders.age.insert(row, |other| rows.by_age(other, row));
        orders.place.insert(row, |other| rows.by_place(other, row));
        orders.name.insert(row, |other| rows.by_name(other, row));
        self.live.insert(row);
        self.note(row, Happened::New);
        row
    }

    fn remove(&mut self, row: u32) {
        self.note(row, Happened::Gone);
        let Self {
            rows,
            orders,
            by_key,
            hasher,
            ..
        } = self;
        orders.age.remove(row, |other| rows.by_age(other, row));
        orders.place.remove(row, |other| rows.by_place(other, row));
        orders.name.remove(row, |other| rows.by_name(other, row));
        if let Ok(found) = by_key.find_entry(hash(hasher, rows, row), |&other| other == row) {
            found.remove();
        }
        rows.erase(row);
        self.live.remove(row);
        self.free.push(row);
        if self.free.len() == self.applied.len() {
            // The last row takes what the tables have grown to with it.
            *self = Self {
                generation: self.generation,
                changes: std::mem::take(&mut self.changes),
                ..Self::default()
            };
        }
    }

    fn find(&self, cluster: ClusterId, namespace: &str, name: &str) -> Option<u32> {
        let namespace = self.rows.namespaces.find(namespace)?;
        let key = (cluster, namespace, name.as_bytes());
        self.by_key
            .find(self.hasher.hash_one(key), |&row| self.rows.key(row) == key)
            .copied()
    }

    /// Starts a generation; returns its number.
    pub(crate) fn begin(&mut self) -> u32 {
        self.generation += 1;
        self.generation
    }

    /// Removes the rows of a cluster, and of one namespace of it if named, that were last applied before a generation.
    pub(crate) fn sweep(&mut self, cluster: ClusterId, namespace: Option<&str>, generation: u32) -> usize {
        let namespace = match namespace.map(|namespace| self.rows.namespaces.find(namespace)) {
            Some(None) => return 0,
            Some(namespace) => namespace,
            None => None,
        };
        let columns = &self.rows.columns;
        let swept: Vec<u32> = self
            .live
            .iter()
            .filter(|&row| {
                let at = row as usize;
                columns.cluster[at] == cluster
                    && namespace.is_none_or(|namespace| columns.namespace[at] == namespace)
                    && self.applied[at] < generation
            })
            .collect();
        for &row in &swept {
            self.remove(row);
        }
        swept.len()
    }

    pub(crate) fn stats(&self, cluster: ClusterId, scope: &Scope) -> Stats {
        let columns = &self.rows.columns;
        let sight = self.sight(cluster, scope, &[]);
        let namespaces: Vec<_> = self
            .changes
            .namespaces(cluster)
            .filter(|(namespace, _)| sight.shows(*namespace))
            .collect();
        let mut statuses = HashMap::<Sym, usize>::new();
        for row in self.live.iter().map(|row| row as usize) {
            if columns.cluster[row] == cluster && sight.shows(columns.namespace[row]) {
                *statuses.entry(columns.status[row]).or_default() += 1;
            }
        }
        let pods = namespaces.iter().map(|(_, rows)| rows).sum();
        let mut by_namespace: Vec<_> = namespaces
            .into_iter()
            .map(|(sym, count)| (self.rows.namespaces.get(sym).to_owned(), count))
            .collect();
        by_namespace.sort();
        let mut by_status: Vec<_> = statuses
            .into_iter()
            .map(|(sym, count)| (self.rows.statuses.get(sym).to_owned(), count))
            .collect();
        by_status.sort_by(|(a, many), (b, more)| more.cmp(many).then_with(|| a.cmp(b)));
        Stats {
            pods,
            by_status,
            by_namespace,
        }
    }
}

impl Rows {
    /// What identifies a row.
    fn key(&self, row: u32) -> (ClusterId, Sym, &[u8]) {
        let at = row as usize;
        (
            self.columns.cluster[at],
            self.columns.namespace[at],
            self.names.name(row),
        )
    }
}

fn hash(hasher: &DefaultHashBuilder, rows: &Rows, row: u32) -> u64 {
    hasher.hash_one(rows.key(row))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::{Container, Owner};

    fn pod(n: usize, round: usize) -> Pod {
        Pod {
            uid: format!("uid-{n}-{round}"),
            namespace: format!("ns-{}", (n + round) % 50),
            name: format!("pod-{n}-{round}"),
            status: format!("Signal:{round}"),
            phase: "Running".to_owned(),
            node: format!("node-{}-{round}", n % 10),
            pod_ip: format!("10.0.{}.{}", n / 256, n % 256),
            created_at: n as i64,
            owner: Some(Owner {
                kind: "ReplicaSet".to_owned(),
                name: format!("web-{round}"),
            }),
            containers: vec![Container {
                name: "web".to_owned(),
                image: format!("web:{round}"),
                ..Container::default()
            }],
            labels: vec![
                ("app".to_owned(), format!("app-{}", n / 50)),
                // Several rows share a set, and so its words.
                ("round".to_owned(), format!("{round}-{}", n / 5)),
            ],
            ..Pod::default()
        }
    }

    /// Sizes of everything that grows: distinct values and places for them, bytes of text, row numbers, keys.
    fn sizes(table: &Table) -> Vec<usize> {
        let rows = &table.rows;
        let words = [&rows.namespaces, &rows.statuses, &rows.phases, &rows.nodes, &rows.words];
        let mut sizes: Vec<_> = words.iter().flat_map(|words| [words.len(), words.slots()]).collect();
        sizes.extend([rows.label_sets.len(), rows.label_sets.slots()]);
        sizes.extend([
            table.applied.len(),
            table.live.count(),
            table.by_key.len(),
            rows.names.len(),
        ]);
        sizes.extend([
            table.orders.age.len(),
            table.orders.place.len(),
            table.orders.name.len(),
        ]);
        sizes
    }

    fn filled(n: usize, round: usize) -> Table {
        let mut table = Table::default();
        for n in 0..n {
            table.apply(ClusterId(1), &Change::Upsert(pod(n, round)));
        }
        table
    }

    #[test]
    fn ever_new_names_and_labels_leave_nothing_behind() {
        let mut table = filled(500, 1000);
        for round in 1001..1100 {
            for n in 0..500 {
                let Pod { namespace, name, .. } = pod(n, round - 1);
                table.apply(ClusterId(1), &Change::Remove { namespace, name });
                table.apply(ClusterId(1), &Change::Upsert(pod(n, round)));
            }
        }
        let fresh = sizes(&filled(500, 1099));
        for (churned, fresh) in sizes(&table).into_iter().zip(&fresh) {
            // A free place or two, and a quarter of dead text, are what churn may leave.
            assert!(
                churned <= fresh * 4 / 3 + 16,
                "{:?} after churn, {fresh:?} fresh",
                sizes(&table)
            );
        }
    }

    #[test]
    fn values_that_rows_give_up_go() {
        let mut table = filled(1, 0);
        let fresh = sizes(&table);
        let mut changed = pod(0, 1);
        (changed.namespace, changed.name) = (pod(0, 0).namespace, pod(0, 0).name);
        table.apply(ClusterId(1), &Change::Upsert(changed));
        table.apply(ClusterId(1), &Change::Upsert(pod(0, 0)));
        let live = |sizes: &[usize]| sizes.iter().step_by(2).copied().take(6).collect::<Vec<_>>();
        assert_eq!(live(&sizes(&table)), live(&fresh));
    }

    #[test]
    fn the_last_row_takes_everything_with_it() {
        let mut table = filled(500, 0);
        table.sweep(ClusterId(1), None, u32::MAX);
        assert!(sizes(&table).iter().all(|&size| size == 0), "{:?}", sizes(&table));
    }
}
