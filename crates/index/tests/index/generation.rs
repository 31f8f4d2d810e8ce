//! The changes that change a query's generation, and those that do not.

use podgate_index::{Change, ClusterId, Index, Namespaces, Pod, Query, Scope};

const ONE: ClusterId = ClusterId(1);
const TWO: ClusterId = ClusterId(2);

fn pod(namespace: &str, name: &str) -> Pod {
    Pod {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        status: "Running".to_owned(),
        ..Pod::default()
    }
}

fn remove(namespace: &str, name: &str) -> Change {
    Change::Remove {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

fn filled() -> Index {
    let index = Index::new();
    index.apply(ONE, vec![Change::Upsert(pod("a", "x")), Change::Upsert(pod("b", "x"))]);
    index.apply(TWO, vec![Change::Upsert(pod("a", "x"))]);
    index
}

/// Returns which of four queries see a change: cluster one, its namespace a by filter, its
/// namespace a by scope, and both clusters.
fn seen(change: impl FnOnce(&Index)) -> [bool; 4] {
    let of = |clusters: &[ClusterId]| Query {
        clusters: clusters.to_vec(),
        ..Query::default()
    };
    let queries = [
        of(&[ONE]),
        Query {
            namespaces: vec!["a".to_owned()],
            ..of(&[ONE])
        },
        Query {
            scope: Scope::Only(vec![
                (ONE, Namespaces::Named(vec!["a".to_owned(), "gone".to_owned()])),
                (TWO, Namespaces::All),
            ]),
            ..of(&[ONE])
        },
        of(&[ONE, TWO]),
    ];
    let index = filled();
    let generations = || queries.each_ref().map(|query| index.read().generation(query));
    let before = generations();
    change(&index);
    let after = generations();
    std::array::from_fn(|at| before[at] != after[at])
}

#[test]
fn a_change_is_seen_where_it_is_and_nowhere_else() {
    let changed = Change::Upsert(Pod {
        restarts: 1,
        ..pod("a", "x")
    });
    assert_eq!(seen(|index| index.apply(ONE, vec![changed.clone()])), [true; 4]);
    assert_eq!(
        seen(|index| index.apply(TWO, vec![changed])),
        [false, false, false, true]
    );
    let new = Change::Upsert(pod("b", "y"));
    assert_eq!(seen(|index| index.apply(ONE, vec![new])), [true, false, false, true]);
    assert_eq!(seen(|index| index.apply(ONE, vec![remove("a", "x")])), [true; 4]);
    assert_eq!(seen(|index| index.remove_cluster(ONE)), [true; 4]);
}

#[test]
fn a_change_without_effect_is_not_reported() {
    assert_eq!(
        seen(|index| {
            let relist = index.begin(ONE, None);
            index.apply(ONE, vec![Change::Upsert(pod("a", "x")), Change::Upsert(pod("b", "x"))]);
            index.apply(ONE, vec![remove("a", "unknown")]);
            assert_eq!(index.finish(relist), 0);
        }),
        [false; 4]
    );
}

#[test]
fn a_window_that_comes_back_has_a_generation_of_its_own() {
    let index = filled();
    let query = Query {
        clusters: vec![ONE],
        namespaces: vec!["a".to_owned()],
        ..Query::default()
    };
    let generation = || index.read().generation(&query);
    let mut seen = vec![generation()];
    for _ in 0..3 {
        index.apply(ONE, vec![remove("a", "x")]);
        seen.push(generation());
        index.apply(ONE, vec![Change::Upsert(pod("a", "x"))]);
        seen.push(generation());
        index.remove_cluster(ONE);
        index.remove_cluster(TWO);
        seen.push(generation());
        index.apply(ONE, vec![Change::Upsert(pod("a", "x"))]);
        seen.push(generation());
    }
    assert!(seen.is_sorted_by(|a, b| a < b), "{seen:?}");
}
