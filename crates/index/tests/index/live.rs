//! Live queries: a client that applies snapshots and deltas holds the same rows that a list
//! returns.

use std::collections::{HashMap, HashSet};

use podgate_index::{
    Change, ClusterId, Facet, FacetValue, Index, Page, Pod, Query, Reach, Reader, Relist, Row, RowRef, Selector, Sort,
    live::{Live, Window},
};
use proptest::{collection::vec, option, prelude::*};

use crate::{
    naive::{Naive, NaiveRelist},
    random::{ALL, NAMESPACES, change, cluster, facet, query, text},
};

/// A viewer with the rows that it was sent, by UID, and their order.
struct Client {
    window: Window,
    rows: HashMap<String, Row>,
    order: Vec<String>,
    total: usize,
    /// The UIDs that the last delta said to be gone.
    gone: HashSet<String>,
}

fn copy(row: RowRef<'_>) -> (String, Row) {
    let pod = row.to_pod();
    let cluster = row.cluster();
    (pod.uid.clone(), Row { cluster, pod })
}

impl Client {
    fn new(offset: usize, limit: usize) -> Self {
        Self {
            window: Window::new(offset, limit),
            rows: HashMap::new(),
            order: Vec::new(),
            total: 0,
            gone: HashSet::new(),
        }
    }

    fn snapshot(&mut self, live: &mut Live, reader: &Reader<'_>) {
        let answer = live.snapshot(reader, &mut self.window);
        self.total = answer.total();
        self.rows = answer.rows().map(copy).collect();
        self.order = answer.rows().map(|row| row.uid().to_string()).collect();
    }

    /// Applies a delta, if there is one, and returns how many rows it brought.
    fn delta(&mut self, live: &mut Live, reader: &Reader<'_>) -> Option<usize> {
        self.gone.clear();
        let delta = live.delta(reader, &mut self.window)?;
        self.total = delta.total();
        self.rows.extend(delta.upsert().map(copy));
        self.gone = delta.gone().map(|uid| uid.to_string()).collect();
        if let Some(order) = delta.order() {
            self.order = order.map(|uid| uid.to_string()).collect();
            let seen: HashSet<_> = self.order.iter().collect();
            self.rows.retain(|uid, _| seen.contains(uid));
        }
        Some(delta.upsert().count())
    }

    fn page(&self) -> Page {
        Page {
            rows: self.order.iter().map(|uid| self.rows[uid].clone()).collect(),
            total: self.total,
        }
    }

    fn query(&self, query: &Query) -> Query {
        Query {
            offset: self.window.offset(),
            limit: self.window.limit(),
            ..query.clone()
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Apply(ClusterId, Vec<Change>),
    Begin(ClusterId, Option<String>),
    Finish,
    RemoveCluster(ClusterId),
    Tidy,
    Snapshot(usize),
    Move(usize, usize, usize),
    Tick,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (cluster(), vec(change(), 1..12)).prop_map(|(cluster, changes)| Step::Apply(cluster, changes)),
        1 => (cluster(), option::of(text(&NAMESPACES))).prop_map(|(cluster, namespace)| Step::Begin(cluster, namespace)),
        1 => Just(Step::Finish),
        1 => cluster().prop_map(Step::RemoveCluster),
        1 => Just(Step::Tidy),
        1 => (0..3usize).prop_map(Step::Snapshot),
        1 => (0..3usize, 0..12usize, 0..8usize).prop_map(|(client, offset, limit)| Step::Move(client, offset, limit)),
        6 => Just(Step::Tick),
    ]
}

/// Makes each UID belong to one pod. Its random part makes some pods successors of others with the
/// same name.
fn owned(cluster: ClusterId, changes: Vec<Change>) -> Vec<Change> {
    let own = |pod: Pod| Pod {
        uid: format!("{}/{}/{}/{}", cluster.0, pod.namespace, pod.name, pod.uid),
        ..pod
    };
    let changes = changes.into_iter().map(|change| match change {
        Change::Upsert(pod) => Change::Upsert(own(pod)),
        remove => remove,
    });
    changes.collect()
}

/// A group of viewers of an index, and the naive model to compare with.
struct World {
    index: Index,
    naive: Naive,
    relist: Option<(Relist, NaiveRelist)>,
    query: Query,
    facet: Facet,
    live: Live,
    clients: Vec<Client>,
    /// The whole answer and the counts at the last update.
    before: (Page, Vec<(FacetValue, usize)>),
}

impl World {
    fn new(query: Query, facet: Facet) -> Self {
        let index = Index::new();
        let live = Live::new(&index.read(), query.clone());
        Self {
            index,
            naive: Naive::default(),
            relist: None,
            query,
            facet,
            live,
            clients: vec![Client::new(0, 3), Client::new(2, 5), Client::new(0, 1000)],
            before: (Page::default(), Vec::new()),
        }
    }

    fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Apply(cluster, changes) => {
                let changes = owned(cluster, changes);
                self.naive.apply(cluster, &changes);
                self.index.apply(cluster, changes);
            }
            Step::Begin(cluster, namespace) => {
                let namespace = namespace.as_deref();
                self.relist = Some((
                    self.index.begin(cluster, namespace),
                    self.naive.begin(cluster, namespace),
                ));
            }
            Step::Finish => {
                if let Some((relist, naive)) = self.relist.take() {
                    self.naive.finish(&naive);
                    self.index.finish(relist);
                }
            }
            Step::RemoveCluster(cluster) => {
                self.naive.remove_cluster(cluster);
                self.index.remove_cluster(cluster);
            }
            Step::Tidy => self.index.tidy(),
            Step::Snapshot(client) => self.clients[client].snapshot(&mut self.live, &self.index.read()),
            Step::Move(client, offset, limit) => self.clients[client].window.move_to(offset, limit),
            Step::Tick => self.tick()?,
        }
        Ok(())
    }

    fn tick(&mut self) -> Result<(), TestCaseError> {
        let reader = self.index.read();
        let changed = self.live.update(&reader);
        let whole = Query {
            offset: 0,
            limit: usize::MAX,
            ..self.query.clone()
        };
        let now = (self.naive.query(&whole), self.naive.facets(&self.query, self.facet));
        prop_assert!(changed || now == self.before, "a change was not reported");
        self.before = now;
        prop_assert_eq!(self.live.total(), self.before.0.total);
        prop_assert_eq!(&*self.live.facets(&reader, self.facet), &self.before.1);
        let reach = Reach {
            clusters: ALL.to_vec(),
            scope: self.query.scope.clone(),
        };
        let counted = self.live.other_facets(&reader, self.facet, &reach);
        let expected = self.naive.other_facets(&self.query, self.facet, &ALL);
        prop_assert_eq!((&*counted.0, counted.1), (&expected.0, expected.1));
        for (place, Row { cluster, pod }) in self.before.0.rows.iter().enumerate() {
            let found = self.live.position(&reader, *cluster, &pod.namespace, &pod.name);
            prop_assert_eq!(found, Some(place), "{:?}", pod);
        }
        for client in &mut self.clients {
            let held = client.order.clone();
            client.delta(&mut self.live, &reader);
            if client.order != held {
                let gone = held.into_iter().filter(|uid| !self.naive.has_uid(uid)).collect();
                prop_assert_eq!(&client.gone, &gone);
            }
            prop_assert_eq!(client.page(), self.naive.query(&client.query(&self.query)));
            prop_assert!(client.delta(&mut self.live, &reader).is_none(), "nothing changed since");
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_client_holds_what_a_list_would_answer(query in query(), facet in facet(), steps in vec(step(), 1..60)) {
        let mut world = World::new(query, facet);
        for step in steps.into_iter().chain([Step::Tick]) {
            world.take(step)?;
        }
    }
}

const CLUSTER: ClusterId = ClusterId(1);

fn pod(n: u32) -> Pod {
    Pod {
        uid: format!("uid-{n}"),
        namespace: format!("ns-{}", n % 7),
        name: format!("web-{n:05}"),
        status: "Running".to_owned(),
        created_at: Some(10_000 - i64::from(n)),
        labels: vec![("app".to_owned(), format!("app-{}", n % 3))],
        ..Pod::default()
    }
}

fn filled(n: u32) -> Index {
    let index = Index::new();
    index.apply(CLUSTER, (0..n).map(pod).map(Change::Upsert).collect());
    index
}

fn all() -> Query {
    Query {
        clusters: vec![CLUSTER],
        ..Query::default()
    }
}

fn remove(n: u32) -> Change {
    let Pod { namespace, name, .. } = pod(n);
    Change::Remove { namespace, name }
}

#[test]
fn a_delta_brings_what_changed_in_the_window_and_no_more() {
    let index = filled(100);
    let (mut live, mut client) = (Live::new(&index.read(), all()), Client::new(10, 10));
    client.snapshot(&mut live, &index.read());
    let mut delta = |changes| {
        index.apply(CLUSTER, changes);
        let reader = index.read();
        let order = client.order.clone();
        let brought = client.delta(&mut live, &reader);
        (brought, order != client.order, client.total)
    };
    let restarted = |n| Change::Upsert(Pod { restarts: 1, ..pod(n) });
    assert_eq!(delta(vec![restarted(15), restarted(50)]), (Some(1), false, 100));
    assert_eq!(delta(vec![restarted(15), restarted(51)]), (None, false, 100));
    assert_eq!(delta(vec![remove(99)]), (Some(0), false, 99), "below the window");
    assert_eq!(delta(vec![remove(0)]), (Some(1), true, 98), "above the window");
    assert_eq!(delta(vec![remove(12), Change::Upsert(pod(200))]), (Some(1), true, 98));
}

#[test]
fn a_row_whose_number_is_used_again_is_a_new_row() {
    let index = filled(10);
    let (mut live, mut client) = (Live::new(&index.read(), all()), Client::new(0, 20));
    client.snapshot(&mut live, &index.read());
    let successor = Pod {
        uid: "uid-of-another".to_owned(),
        ..pod(4)
    };
    index.apply(CLUSTER, vec![remove(4), Change::Upsert(successor.clone())]);
    assert_eq!(client.delta(&mut live, &index.read()), Some(1));
    assert_eq!(client.page().rows[4].pod, successor);
    assert_eq!(client.order[4], "uid-of-another");
}

#[test]
fn a_pod_that_only_left_the_window_is_not_gone() {
    let index = filled(100);
    let by_status = Query {
        statuses: vec!["running".to_owned()],
        ..all()
    };
    let (mut live, mut client) = (Live::new(&index.read(), by_status), Client::new(0, 10));
    client.snapshot(&mut live, &index.read());
    let failed = Pod {
        status: "Error".to_owned(),
        ..pod(3)
    };
    let successor = Pod {
        uid: "uid-of-another".to_owned(),
        ..pod(5)
    };
    index.apply(
        CLUSTER,
        vec![Change::Upsert(failed), remove(4), remove(5), Change::Upsert(successor)],
    );
    // The numbers of rows change, and the pods are still found.
    index.tidy();
    client.delta(&mut live, &index.read());
    assert_eq!(client.gone, HashSet::from(["uid-4".to_owned(), "uid-5".to_owned()]));
    assert_eq!(live.position(&index.read(), CLUSTER, "ns-3", "web-00003"), None);
    assert_eq!(live.position(&index.read(), CLUSTER, "ns-6", "web-00006"), Some(4));
}

#[test]
fn a_moved_window_brings_the_rows_that_come_into_view() {
    let index = filled(100);
    let (mut live, mut client) = (Live::new(&index.read(), all()), Client::new(0, 10));
    client.snapshot(&mut live, &index.read());
    client.window.move_to(4, 10);
    assert_eq!(client.delta(&mut live, &index.read()), Some(4));
    assert_eq!(client.page(), index.query(&client.query(&all())));
}

/// More changes than the index remembers, in every kind of order.
#[test]
fn a_viewer_that_was_away_for_long_sees_all() {
    let index = filled(6_000);
    let queries = [
        all(),
        Query {
            searches: vec!["00".to_owned()],
            sort: Sort::Status,
            ..all()
        },
        Query {
            selector: Some(Selector::parse("app=app-1").unwrap()),
            ..all()
        },
    ];
    let mut viewers: Vec<_> = queries
        .into_iter()
        .map(|query| (Live::new(&index.read(), query.clone()), Client::new(3, 50), query))
        .collect();
    for round in 0..3u32 {
        let changes = (0..6_000).filter(|n| n % 2 == round % 2).flat_map(|n| {
            let changed = Pod {
                restarts: round,
                status: format!("Signal:{}", n % 5),
                ..pod(n + round * 10_000)
            };
            [remove(n), Change::Upsert(changed), Change::Upsert(pod(n + 1))]
        });
        index.apply(CLUSTER, changes.collect());
        let reader = index.read();
        for (live, client, query) in &mut viewers {
            assert!(live.update(&reader));
            assert!(!live.update(&reader));
            client.delta(live, &reader);
            let answer = reader.answer(&client.query(query));
            let rows: Vec<_> = answer.rows().map(|row| copy(row).1).collect();
            assert_eq!((client.page().rows, client.total), (rows, answer.total()));
        }
    }
}

#[test]
fn a_change_elsewhere_is_nothing_to_tell() {
    let index = filled(100);
    let query = Query {
        namespaces: vec!["ns-1".to_owned()],
        ..all()
    };
    let mut live = Live::new(&index.read(), query);
    let counts = live.facets(&index.read(), Facet::Status);
    index.apply(CLUSTER, vec![Change::Upsert(Pod { restarts: 7, ..pod(2) }), remove(3)]);
    assert!(!live.update(&index.read()));
    index.apply(CLUSTER, vec![Change::Upsert(Pod { restarts: 7, ..pod(1) })]);
    assert!(live.update(&index.read()));
    let same = live.facets(&index.read(), Facet::Status);
    assert!(std::sync::Arc::ptr_eq(&counts, &same), "equal counts keep the same Arc");
}
