//! Relists: mark and sweep.

use podgate_index::{Change, ClusterId, Index, Pod, Query};

const CLUSTER: ClusterId = ClusterId(1);

fn upsert(namespace: &str, name: &str) -> Change {
    Change::Upsert(Pod {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        ..Pod::default()
    })
}

fn names(index: &Index, cluster: ClusterId) -> Vec<String> {
    let query = Query {
        clusters: vec![cluster],
        ..Query::default()
    };
    let rows = index.query(&query).rows;
    rows.into_iter()
        .map(|row| format!("{}/{}", row.pod.namespace, row.pod.name))
        .collect()
}

#[test]
fn sweeps_what_was_not_applied_since_its_begin() {
    let index = Index::new();
    index.apply(
        CLUSTER,
        vec![upsert("a", "old"), upsert("a", "kept"), upsert("b", "old")],
    );
    index.apply(ClusterId(2), vec![upsert("a", "other")]);
    let relist = index.begin(CLUSTER, None);
    index.apply(CLUSTER, vec![upsert("a", "kept"), upsert("c", "new")]);
    assert_eq!(names(&index, CLUSTER).len(), 4, "nobody sees half a list");
    assert_eq!(index.finish(relist), 2);
    assert_eq!(names(&index, CLUSTER), ["a/kept", "c/new"]);
    assert_eq!(names(&index, ClusterId(2)), ["a/other"]);
}

#[test]
fn many_rows_are_swept() {
    let index = Index::new();
    let all = (0..5_000).map(|n| upsert(if n % 2 == 0 { "a" } else { "b" }, &format!("pod-{n}")));
    index.apply(CLUSTER, all.collect());
    let relist = index.begin(CLUSTER, Some("a"));
    index.apply(CLUSTER, vec![upsert("a", "pod-0"), upsert("a", "new")]);
    assert_eq!(index.finish(relist), 2_499);
    assert_eq!(index.stats(CLUSTER, &podgate_index::Scope::All).pods, 2_502);
    index.remove_cluster(CLUSTER);
    assert_eq!(index.stats(CLUSTER, &podgate_index::Scope::All).pods, 0);
}

#[test]
fn relists_of_two_namespaces_overlap() {
    let index = Index::new();
    index.apply(
        CLUSTER,
        vec![upsert("a", "old"), upsert("b", "old"), upsert("c", "untouched")],
    );
    let a = index.begin(CLUSTER, Some("a"));
    index.apply(CLUSTER, vec![upsert("a", "new")]);
    let b = index.begin(CLUSTER, Some("b"));
    index.apply(CLUSTER, vec![upsert("b", "new")]);
    assert_eq!(index.finish(a), 1);
    assert_eq!(names(&index, CLUSTER), ["a/new", "b/new", "b/old", "c/untouched"]);
    assert_eq!(index.finish(b), 1);
    assert_eq!(names(&index, CLUSTER), ["a/new", "b/new", "c/untouched"]);
}

#[test]
fn an_abandoned_relist_leaves_every_row() {
    let index = Index::new();
    index.apply(CLUSTER, vec![upsert("a", "old")]);
    drop(index.begin(CLUSTER, None));
    assert_eq!(names(&index, CLUSTER), ["a/old"]);
}

#[test]
fn a_namespace_without_rows_sweeps_nothing() {
    let index = Index::new();
    index.apply(CLUSTER, vec![upsert("a", "old")]);
    let relist = index.begin(CLUSTER, Some("b"));
    assert_eq!(index.finish(relist), 0);
    assert_eq!(names(&index, CLUSTER), ["a/old"]);
}
