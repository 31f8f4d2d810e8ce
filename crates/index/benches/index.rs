//! Benchmarks queries, changes and ticks at several numbers of pods: `cargo bench --workspace
//! --bench index`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "../tests/support/fleet.rs"]
mod fleet;

use std::{cell::Cell, hint::black_box};

use criterion::{BatchSize, Bencher, Criterion, criterion_group, criterion_main};
use podgate_index::{
    Change, ClusterId, Facet, Index, Namespaces, Order, Owner, Pod, Query, Reach, Scope, Selector, Sort,
    live::{Live, Window},
};

const SIZES: [usize; 4] = [1_000, 20_000, 100_000, 500_000];
const CLUSTER: ClusterId = ClusterId(1);

fn filled(pods: usize) -> Index {
    let index = Index::new();
    for n in 0..pods {
        index.apply(CLUSTER, vec![Change::Upsert(fleet::pod(n, pods, 0))]);
    }
    index
}

fn all() -> Query {
    Query {
        clusters: vec![CLUSTER],
        ..Query::default()
    }
}

fn search(text: &str) -> Query {
    Query {
        searches: vec![text.to_owned()],
        ..all()
    }
}

/// Returns the measured queries and their names.
fn queries(pods: usize) -> Vec<(&'static str, Query)> {
    let named = |name: &str| vec![name.to_owned()];
    let selector = Selector::parse("app.kubernetes.io/name=checkout,environment in (production)").unwrap();
    let by = |sort, order, offset| Query {
        sort,
        order,
        offset,
        ..all()
    };
    let scope = (0..50).map(|n| format!("team-{n}")).collect();
    vec![
        ("page 1", all()),
        (
            "deep page",
            Query {
                offset: pods / 2,
                ..all()
            },
        ),
        ("name order, deep", by(Sort::Name, Order::Asc, pods / 2)),
        ("name descending, deep", by(Sort::Name, Order::Desc, pods / 2)),
        ("status descending, deep", by(Sort::Status, Order::Desc, pods / 2)),
        (
            "one namespace",
            Query {
                namespaces: named("team-1"),
                ..all()
            },
        ),
        (
            "status",
            Query {
                statuses: named("crashloopbackoff"),
                ..all()
            },
        ),
        (
            "status that most have, deep",
            Query {
                statuses: named("running"),
                offset: pods / 2,
                ..all()
            },
        ),
        ("problem", Query { problem: true, ..all() }),
        (
            "problem, worst first",
            Query {
                problem: true,
                ..by(Sort::Problem, Order::Desc, 0)
            },
        ),
        ("last restart, oldest first", by(Sort::LastRestartAt, Order::Asc, 0)),
        (
            "owner",
            Query {
                owners: vec![Owner {
                    kind: "StatefulSet".to_owned(),
                    name: fleet::pod(70, pods, 0).owner.unwrap().name,
                }],
                ..all()
            },
        ),
        (
            "created since",
            Query {
                created_since: Some(1_766_000_000),
                ..all()
            },
        ),
        (
            "exact name in a namespace",
            Query {
                name: Some(fleet::pod(7, pods, 0).name),
                namespaces: vec![fleet::pod(7, pods, 0).namespace],
                ..all()
            },
        ),
        (
            "scope of 50 namespaces",
            Query {
                scope: Scope::Only(vec![(CLUSTER, Namespaces::Named(scope))]),
                ..all()
            },
        ),
        ("search without a hit", search("no-such-pod")),
        ("search with few hits", search("checkout-12")),
        ("search with many hits", search("checkout")),
        ("search for an address", search("10.0.1.")),
        (
            "search in one namespace",
            Query {
                namespaces: named("team-1"),
                ..search("checkout")
            },
        ),
        (
            "selector",
            Query {
                selector: Some(selector.clone()),
                ..all()
            },
        ),
        (
            "search and selector",
            Query {
                selector: Some(selector),
                ..search("checkout-1")
            },
        ),
    ]
}

/// Answers a query and reads the rows, as a page does.
fn answered(index: &Index, query: &Query) -> usize {
    let reader = index.read();
    let answer = reader.answer(query);
    let read: usize = answer.rows().map(|row| row.name().len() + row.status().len()).sum();
    answer.total() + read
}

fn answers(criterion: &mut Criterion) {
    for pods in SIZES {
        let index = filled(pods);
        for (name, query) in queries(pods) {
            criterion.bench_function(&format!("{name}/{pods}"), |b| {
                b.iter(|| answered(&index, black_box(&query)))
            });
        }
        let facet = |b: &mut Bencher<'_>, query: &Query| {
            b.iter(|| index.read().find(black_box(query)).facets(Facet::Status));
        };
        criterion.bench_function(&format!("facets/{pods}"), |b| facet(b, &all()));
        criterion.bench_function(&format!("facets of a search/{pods}"), |b| facet(b, &search("checkout")));
        let filtered = Query {
            namespaces: vec!["team-1".to_owned(), "team-2".to_owned()],
            statuses: vec!["running".to_owned()],
            qos_classes: vec!["burstable".to_owned()],
            ..all()
        };
        criterion.bench_function(&format!("facets beside 3 filters/{pods}"), |b| {
            let facets = [Facet::Namespace, Facet::Status, Facet::QosClass, Facet::Problem];
            let reach = Reach {
                clusters: vec![CLUSTER],
                ..Reach::default()
            };
            b.iter(|| index.read().find(black_box(&filtered)).other_facets(&facets, &reach));
        });
        criterion.bench_function(&format!("facets of labels/{pods}"), |b| {
            b.iter(|| index.read().find(black_box(&all())).label_keys());
        });
        let by_name = Query {
            sort: Sort::Name,
            statuses: vec!["running".to_owned()],
            ..all()
        };
        let Pod { namespace, name, .. } = fleet::pod(pods / 2 + 3, pods, 0);
        let mut live = Live::new(&index.read(), by_name);
        criterion.bench_function(&format!("place of a pod by name/{pods}"), |b| {
            b.iter(|| live.position(&index.read(), CLUSTER, black_box(&namespace), black_box(&name)));
        });
    }
}

fn restarted(n: usize, pods: usize, restarts: u32) -> Change {
    Change::Upsert(Pod {
        restarts,
        ..fleet::pod(n, pods, 0)
    })
}

fn changes(criterion: &mut Criterion) {
    for pods in SIZES {
        let index = filled(pods);
        let count = Cell::new(0);
        let next = || {
            count.set(count.get() + 1);
            (count.get() * 7919 % pods, count.get() as u32)
        };
        let apply = |b: &mut Bencher<'_>, change: &dyn Fn(usize, u32) -> Change| {
            let setup = || {
                let (n, restarts) = next();
                vec![change(n, restarts)]
            };
            b.iter_batched(setup, |changes| index.apply(CLUSTER, changes), BatchSize::SmallInput);
        };
        criterion.bench_function(&format!("change/{pods}"), |b| {
            apply(b, &|n, restarts| restarted(n, pods, restarts));
        });
        criterion.bench_function(&format!("change of nothing/{pods}"), |b| {
            apply(b, &|_, _| Change::Upsert(fleet::pod(0, pods, 0)));
        });
        criterion.bench_function(&format!("new pod and its end/{pods}"), |b| {
            let setup = || {
                let (n, _) = next();
                let pod = fleet::pod(n, pods, 1);
                let (namespace, name) = (pod.namespace.clone(), pod.name.clone());
                vec![Change::Upsert(pod), Change::Remove { namespace, name }]
            };
            b.iter_batched(setup, |changes| index.apply(CLUSTER, changes), BatchSize::SmallInput);
        });
    }
}

/// Measures the first query that asks for an order.
fn orders(criterion: &mut Criterion) {
    for pods in SIZES {
        let index = filled(pods);
        let query = Query {
            sort: Sort::Name,
            order: Order::Asc,
            ..all()
        };
        criterion.bench_function(&format!("first page by name/{pods}"), |b| {
            // The second call finds the order unused since the first, and drops it.
            let setup = || (0..2).for_each(|_| index.tidy());
            b.iter_batched(setup, |()| answered(&index, &query), BatchSize::PerIteration);
        });
    }
}

/// Measures one tick of 100 ms at 1,000 events per second, for 200 viewers of all pods, 200 viewers
/// of 50 namespaces and 100 searches.
fn ticks(criterion: &mut Criterion) {
    let pods = 100_000;
    let index = filled(pods);
    let namespace = |n: usize| Query {
        namespaces: vec![format!("team-{n}")],
        ..all()
    };
    let searches = (0..100).map(|n| search(&format!("-{n}-")));
    let groups: Vec<(Query, usize)> = std::iter::once((all(), 200))
        .chain((0..50).map(|n| (namespace(n), 4)))
        .chain(searches.map(|query| (query, 1)))
        .collect();
    let mut viewers: Vec<(Live, Vec<Window>)> = groups
        .into_iter()
        .map(|(query, viewers)| {
            let windows = (0..viewers).map(|n| Window::new(n * 50, 50)).collect();
            (Live::new(&index.read(), query), windows)
        })
        .collect();
    let count = Cell::new(0);
    let event = || {
        count.set(count.get() + 1);
        restarted(count.get() * 7919 % pods, pods, count.get() as u32)
    };
    criterion.bench_function("tick of 500 viewers/100000", |b| {
        b.iter_batched(
            || index.apply(CLUSTER, (0..100).map(|_| event()).collect()),
            |()| {
                let reader = index.read();
                let mut sent = 0;
                for (live, windows) in &mut viewers {
                    if live.update(&reader) {
                        for window in windows {
                            sent += live.delta(&reader, window).map_or(0, |delta| delta.upsert().count());
                        }
                    }
                }
                sent
            },
            BatchSize::PerIteration,
        );
    });
}

criterion_group!(benches, answers, orders, changes, ticks);
criterion_main!(benches);
