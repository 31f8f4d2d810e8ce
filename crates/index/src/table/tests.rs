//! Tests that the table frees the space of whatever is gone.
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
        created_at: Some(n as i64),
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
            // Several rows share a label set and its words.
            ("round".to_owned(), format!("{round}-{}", n / 5)),
        ],
        ..Pod::default()
    }
}

/// Returns the sizes of everything that grows: values and entries, bytes of text, row numbers,
/// keys.
fn sizes(table: &Table) -> Vec<usize> {
    let mut sizes = values(table);
    let texts = &table.rows.search_text;
    sizes.extend([
        table.applied.len(),
        table.in_use.len() as usize,
        table.by_key.len(),
        texts.names.len(),
        texts.ips.len(),
    ]);
    sizes.extend(Sort::ALL.map(|sort| table.orders.of(sort, &table.rows, &table.in_use).len()));
    sizes
}

/// Returns the number of distinct values in each dictionary, and of entries for them.
fn values(table: &Table) -> Vec<usize> {
    let Rows {
        namespaces,
        indexed,
        reasons,
        problems: _,
        words,
        label_sets,
        search_text: _,
        columns: _,
        instance: _,
    } = &table.rows;
    let dictionaries = [namespaces, words, reasons].map(|words| [words.len(), words.slots()]);
    let mut sizes = indexed.sizes();
    sizes.extend(dictionaries.as_flattened());
    sizes.extend([label_sets.len(), label_sets.slots()]);
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
        // Churn may leave a few free entries and a quarter of unused text.
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
    let live = |table: &Table| values(table).into_iter().step_by(2).collect::<Vec<_>>();
    let fresh = live(&table);
    let mut changed = pod(0, 1);
    (changed.namespace, changed.name) = (pod(0, 0).namespace, pod(0, 0).name);
    table.apply(ClusterId(1), &Change::Upsert(changed));
    table.apply(ClusterId(1), &Change::Upsert(pod(0, 0)));
    assert_eq!(live(&table), fresh);
}

#[test]
fn a_fleet_that_shrank_gives_up_its_room() {
    let mut table = filled(5_000, 0);
    let columns = |table: &Table| table.applied.capacity() + table.rows.columns.capacity();
    let full = columns(&table);
    for n in (0..5_000).filter(|n| n % 10 != 9) {
        let Pod { namespace, name, .. } = pod(n, 0);
        table.apply(ClusterId(1), &Change::Remove { namespace, name });
    }
    assert_eq!(columns(&table), full);
    let mut rounds = 0;
    while table.compact(100) {
        rounds += 1;
    }
    assert_eq!(rounds, 4, "row numbers below 500 had 50 rows");
    assert!(columns(&table) * 8 < full, "{} of {full}", columns(&table));
    assert_eq!((table.len(), table.in_use.max()), (500, Some(499)));
    for n in (0..5_000).filter(|n| n % 10 == 9) {
        let went_in = pod(n, 0);
        let row = table.find(ClusterId(1), &went_in.namespace, &went_in.name);
        assert_eq!(
            row.and_then(|row| table.rows.row(row)).map(|row| row.to_pod()),
            Some(went_in)
        );
    }
    table.apply(ClusterId(1), &Change::Upsert(pod(0, 0)));
    assert_eq!(table.in_use.max(), Some(500), "a new row comes after the others");
}

#[test]
fn the_last_row_takes_everything_with_it() {
    let mut table = filled(500, 0);
    let all = table.stale(ClusterId(1), None, u32::MAX);
    assert_eq!(table.sweep(ClusterId(1), None, u32::MAX, &all), 500);
    assert!(sizes(&table).iter().all(|&size| size == 0), "{:?}", sizes(&table));
}
