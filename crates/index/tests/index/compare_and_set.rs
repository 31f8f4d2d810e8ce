//! Replacing a row only if it still equals the given pod.

use podgate_index::{Change, ClusterId, Index, Pod, Query, Reason, ReasonCode};

const CLUSTER: ClusterId = ClusterId(1);

fn pod(status: &str, reason: &str) -> Pod {
    Pod {
        uid: "u".to_owned(),
        namespace: "shop".to_owned(),
        name: "web".to_owned(),
        status: status.to_owned(),
        reason: (!reason.is_empty()).then(|| Reason {
            code: ReasonCode::Warning,
            text: reason.to_owned(),
            args: "{}".to_owned(),
        }),
        ..Pod::default()
    }
}

fn holding(pod: Pod) -> Index {
    let index = Index::new();
    index.apply(CLUSTER, vec![Change::Upsert(pod)]);
    index
}

fn all() -> Query {
    Query {
        clusters: vec![CLUSTER],
        ..Query::default()
    }
}

fn rows(index: &Index) -> Vec<Pod> {
    index.query(&all()).rows.into_iter().map(|row| row.pod).collect()
}

#[test]
fn a_row_that_equals_before_is_replaced() {
    let index = holding(pod("Pending", ""));
    let changed = pod("Pending", "no volume");
    assert!(index.compare_and_set(CLUSTER, &pod("Pending", ""), &changed));
    assert_eq!(rows(&index), [changed]);
    let problems = Query { problem: true, ..all() };
    assert_eq!(index.query(&problems).total, 1);
}

#[test]
fn any_other_row_stays() {
    let (before, after) = (pod("Pending", ""), pod("Pending", "no volume"));
    for now in [pod("Running", ""), pod("Pending", "other")] {
        let index = holding(now.clone());
        assert!(!index.compare_and_set(CLUSTER, &before, &after));
        assert!(!index.compare_and_set(ClusterId(2), &now, &after), "another cluster's");
        assert_eq!(rows(&index), [now]);
    }
    let index = Index::new();
    assert!(!index.compare_and_set(CLUSTER, &before, &after));
    assert!(rows(&index).is_empty(), "no row is created");
}

#[test]
fn a_relist_still_sweeps_it() {
    let index = holding(pod("Pending", ""));
    let relist = index.begin(CLUSTER, None);
    assert!(index.compare_and_set(CLUSTER, &pod("Pending", ""), &pod("Pending", "no volume")));
    assert_eq!(index.finish(relist), 1);
    assert!(rows(&index).is_empty());
}
