//! Queries of many rows: in every order, the pages join to the whole.

use podgate_index::{
    Change, ClusterId, Facet, FacetValue, Index, Namespaces, Order, Owner, Pod, Query, Reach, Reason, ReasonCode,
    Scope, Selector, Sort,
};

use crate::naive::Naive;

const CLUSTER: ClusterId = ClusterId(1);

fn pod(n: u32) -> Pod {
    Pod {
        uid: format!("0c8dd1b6-3a34-4b21-9d3f-0000{n:08x}"),
        namespace: format!("team-{}", n % 17),
        name: format!("web-{:x}", n.wrapping_mul(2_654_435_761)),
        status: ["Running", "Pending", "CrashLoopBackOff"][n as usize % 3].to_owned(),
        phase: "Running".to_owned(),
        qos_class: ["Guaranteed", "Burstable", "BestEffort"][n as usize % 3].to_owned(),
        node: format!("node-{}", n % 41),
        pod_ip: format!("10.{}.{}.1", n / 256, n % 256),
        restarts: n % 5,
        created_at: Some(i64::from(n % 101)),
        labels: vec![("app".to_owned(), format!("app-{}", n % 29))],
        ..Pod::default()
    }
}

fn filled(n: u32) -> (Index, Naive) {
    let (index, mut naive) = (Index::new(), Naive::default());
    let changes: Vec<_> = (0..n).map(pod).map(Change::Upsert).collect();
    naive.apply(CLUSTER, &changes);
    index.apply(CLUSTER, changes);
    (index, naive)
}

fn all() -> Query {
    Query {
        clusters: vec![CLUSTER],
        ..Query::default()
    }
}

#[test]
fn pages_of_every_order_join_to_the_whole() {
    let (index, naive) = filled(3_000);
    // Removed and moved rows split and join blocks of the orders.
    let mut changes: Vec<_> = (0..3_000)
        .filter(|n| n % 7 == 0)
        .map(|n| Change::Remove {
            namespace: pod(n).namespace,
            name: pod(n).name,
        })
        .collect();
    changes.extend((0..3_000).filter(|n| n % 11 == 0).map(|n| {
        Change::Upsert(Pod {
            created_at: (n % 22 != 0).then(|| 1_000 - i64::from(n)),
            ..pod(n)
        })
    }));
    let mut naive = naive;
    naive.apply(CLUSTER, &changes);
    index.apply(CLUSTER, changes);
    let filters = [
        all(),
        Query {
            selector: Some(Selector::parse("app in (app-1,app-2,app-3)").unwrap()),
            ..all()
        },
    ];
    for filter in filters {
        for (sort, order) in Sort::ALL
            .into_iter()
            .flat_map(|sort| [(sort, Order::Asc), (sort, Order::Desc)])
        {
            let query = |offset, limit| Query {
                sort,
                order,
                offset,
                limit,
                ..filter.clone()
            };
            let whole = naive.query(&query(0, usize::MAX));
            let mut rows = Vec::new();
            while rows.len() < whole.total {
                let page = index.query(&query(rows.len(), 97));
                assert_eq!(page.total, whole.total);
                assert!(!page.rows.is_empty(), "{sort:?} {order:?} ended at {}", rows.len());
                rows.extend(page.rows);
            }
            assert_eq!(rows, whole.rows, "{sort:?} {order:?}");
        }
    }
}

#[test]
fn a_page_past_the_end_is_empty_and_keeps_its_total() {
    let (index, _) = filled(10);
    for (offset, limit) in [(10, 20), (usize::MAX, usize::MAX), (0, 0)] {
        let page = index.query(&Query { offset, limit, ..all() });
        assert_eq!((page.rows.len(), page.total), (0, 10));
    }
}

#[test]
fn naming_no_cluster_finds_none() {
    let (index, _) = filled(10);
    assert_eq!(index.query(&Query::default()).total, 0);
}

#[test]
fn a_scope_hides_the_rest_from_pages_totals_and_search() {
    let (index, _) = filled(170);
    let query = |scope: &[&str], namespaces: &[&str]| {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let query = Query {
            scope: Scope::Only(vec![(CLUSTER, Namespaces::Named(texts(scope)))]),
            namespaces: texts(namespaces),
            searches: vec!["team".to_owned()],
            ..all()
        };
        index.query(&query).total
    };
    assert_eq!(query(&["team-1", "team-2"], &[]), 20);
    assert_eq!(query(&["team-1", "team-2"], &["team-2", "team-3"]), 10);
    assert_eq!(query(&["team-1"], &["team-3"]), 0);
    assert_eq!(query(&[], &[]), 0);
}

#[test]
fn a_pod_comes_out_as_it_went_in() {
    let index = Index::new();
    let mut went_in = pod(1);
    went_in.pod_ip = "fd00::7".to_owned();
    went_in.host_ip = "192.168.1.10".to_owned();
    went_in.more_ips = vec!["10.0.0.7".to_owned()];
    (went_in.containers_left_out, went_in.labels_left_out) = (3, 44);
    index.apply(CLUSTER, vec![Change::Upsert(went_in.clone())]);
    assert_eq!(index.query(&all()).rows[0].pod, went_in);
}

#[test]
fn a_page_borrows_what_went_in() {
    let (index, _) = filled(50);
    let reader = index.read();
    let query = Query {
        sort: Sort::Name,
        order: Order::Asc,
        offset: 7,
        limit: 5,
        ..all()
    };
    let answer = reader.answer(&query);
    let names: Vec<_> = answer.rows().map(|row| (row.namespace(), row.name())).collect();
    let page = filled(50).1.query(&query);
    let expected: Vec<_> = page
        .rows
        .iter()
        .map(|row| (&*row.pod.namespace, &*row.pod.name))
        .collect();
    assert_eq!((names, answer.total()), (expected, 50));
    let uid = answer.rows().next().unwrap().uid();
    assert_eq!(
        (&*uid, uid.to_string()),
        (&*page.rows[0].pod.uid, page.rows[0].pod.uid.clone())
    );
}

#[test]
fn queries_that_ask_the_same_have_one_group() {
    let named = |cluster, names: &[&str]| {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        (ClusterId(cluster), Namespaces::Named(names))
    };
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let owner = |name: &str| Owner {
        kind: "Job".to_owned(),
        name: name.to_owned(),
    };
    // Every field is named, so that a new one has a form in disorder and its canonical one.
    let one = Query {
        clusters: vec![ClusterId(2), CLUSTER, CLUSTER],
        scope: Scope::Only(vec![
            named(1, &["b", "a"]),
            named(3, &["c"]),
            named(2, &["x"]),
            named(1, &["a"]),
        ]),
        namespaces: texts(&["b", "a", "b"]),
        statuses: texts(&["Running", "RUNNING", "Failed"]),
        phases: texts(&["Running", "Failed", "running"]),
        qos_classes: texts(&["Guaranteed", "BURSTABLE", "guaranteed"]),
        nodes: texts(&["node-2", "node-1", "node-2"]),
        owners: vec![owner("web"), owner("api"), owner("web")],
        reason_codes: vec![ReasonCode::Image, ReasonCode::Crash, ReasonCode::Image],
        name: Some("web-1".to_owned()),
        restarted_since: Some(1),
        created_since: Some(2),
        created_before: Some(3),
        searches: texts(&["WEB", "", "shop", "web"]),
        selector: Some(Selector::parse("b in (y,x),a,a").unwrap()),
        problem: true,
        sort: Sort::Status,
        order: Order::Asc,
        offset: 40,
        limit: 20,
    };
    let other = Query {
        clusters: vec![CLUSTER, ClusterId(2)],
        scope: Scope::Only(vec![named(1, &["a", "b"]), named(2, &["x"])]),
        namespaces: texts(&["a", "b"]),
        statuses: texts(&["failed", "running"]),
        phases: texts(&["failed", "running"]),
        qos_classes: texts(&["burstable", "guaranteed"]),
        nodes: texts(&["node-1", "node-2"]),
        owners: vec![owner("api"), owner("web")],
        reason_codes: vec![ReasonCode::Crash, ReasonCode::Image],
        name: Some("web-1".to_owned()),
        restarted_since: Some(1),
        created_since: Some(2),
        created_before: Some(3),
        searches: texts(&["shop", "web"]),
        selector: Some(Selector::parse("a,b in (x,y)").unwrap()),
        problem: true,
        sort: Sort::Status,
        order: Order::Asc,
        offset: 0,
        limit: 7,
    };
    assert_eq!(one.group(), other.group());
    let whole = Query {
        scope: Scope::Only(vec![(CLUSTER, Namespaces::All), named(1, &["a"])]),
        searches: vec![String::new()],
        selector: Some(Selector::parse("").unwrap()),
        ..all()
    };
    assert_eq!(whole.canonical(), all().canonical());
}

#[test]
fn matches_that_are_all_at_one_end_are_found() {
    let (index, mut naive) = filled(3_000);
    let oldest = (0..3_000).map(pod).filter(|pod| pod.created_at < Some(3));
    let changes: Vec<_> = oldest
        .map(|pod| Pod {
            reason: Some(Reason {
                code: ReasonCode::Crash,
                text: "It is old.".to_owned(),
                args: "{}".to_owned(),
            }),
            ..pod
        })
        .map(Change::Upsert)
        .collect();
    naive.apply(CLUSTER, &changes);
    index.apply(CLUSTER, changes);
    for (order, offset) in [(Order::Desc, 0), (Order::Asc, 0), (Order::Desc, 80), (Order::Asc, 80)] {
        let query = Query {
            problem: true,
            order,
            offset,
            ..all()
        };
        assert_eq!(index.query(&query), naive.query(&query), "{order:?} from {offset}");
    }
}

#[test]
fn a_count_beside_the_filter_by_cluster_stays_within_the_scope() {
    let index = Index::new();
    let other = ClusterId(2);
    for cluster in [CLUSTER, other] {
        index.apply(cluster, vec![Change::Upsert(pod(1))]);
    }
    let scope = Scope::Only(vec![(CLUSTER, Namespaces::All)]);
    // Its canonical form has the whole of its one cluster in scope.
    let query = Query {
        scope: scope.clone(),
        ..all()
    };
    let reach = Reach {
        clusters: vec![CLUSTER, other],
        scope,
    };
    let counted = index
        .read()
        .find(&query.canonical())
        .other_facets(&[Facet::Cluster], &reach);
    assert_eq!(counted, [(vec![(FacetValue::Cluster(CLUSTER), 1)], 1)]);
}
