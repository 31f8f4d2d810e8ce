//! Random pods, changes and queries. They draw from few values, so that they meet.

use podgate_index::{
    Change, ClusterId, Container, Facet, Namespaces, Order, Owner, Pod, Query, Reason, ReasonCode, Scope, Selector,
    Sort,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

const NAMES: [&str; 7] = ["web-1", "web-10", "db", "Ängel", "10.0.0.1", "a\u{130}b", "x"];
pub(crate) const NAMESPACES: [&str; 4] = ["default", "kube-system", "shop", "Ünit"];
const STATUSES: [&str; 5] = ["Running", "RUNNING", "CrashLoopBackOff", "Init:0/2", ""];
const PHASES: [&str; 3] = ["Running", "Pending", "Failed"];
const QOS_CLASSES: [&str; 4] = ["Guaranteed", "Burstable", "BestEffort", ""];
const NODES: [&str; 4] = ["", "node-1", "Node-10", "größe"];
const IPS: [&str; 5] = ["", "10.0.0.1", "10.0.0.12", "fe80::1", "FE80::1"];
const SEARCHES: [&str; 16] = [
    "",
    "web",
    "WEB-1",
    "0.0.1",
    "node",
    "ÄNGEL",
    "ü",
    "shop",
    "nothing",
    "E",
    ":",
    "-1default",
    "größe",
    "fd00::",
    "0.12",
    "o i",
];
const SELECTORS: [&str; 9] = [
    "app=web",
    "app!=web",
    "app in (web,db)",
    "app notin (web)",
    "tier",
    "!tier",
    "rank>1",
    "app=web,tier",
    "none=x",
];

pub(crate) fn text(from: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(from).prop_map(str::to_owned)
}

/// All clusters.
pub(crate) const ALL: [ClusterId; 3] = [ClusterId(0), ClusterId(1), ClusterId(2)];

pub(crate) fn cluster() -> impl Strategy<Value = ClusterId> {
    (0..3u32).prop_map(ClusterId)
}

fn container() -> impl Strategy<Value = Container> {
    (text(&["app", "sidecar"]), text(&["a:1", "b:2"]), any::<bool>(), 0..3u32).prop_map(
        |(name, image, ready, restart_count)| Container {
            name,
            image,
            ready,
            restart_count,
        },
    )
}

fn reason_code() -> impl Strategy<Value = ReasonCode> {
    select(&ReasonCode::ALL[..4])
}

fn reason() -> impl Strategy<Value = Option<Reason>> {
    let some = (
        reason_code(),
        text(&["Container web was OOMKilled", "web fails"]),
        text(&["{}", "{\"a\":1}"]),
    );
    option::weighted(0.4, some.prop_map(|(code, text, args)| Reason { code, text, args }))
}

fn owner() -> impl Strategy<Value = Owner> {
    (text(&["ReplicaSet", "Job"]), text(&["web", "db"])).prop_map(|(kind, name)| Owner { kind, name })
}

fn labels() -> impl Strategy<Value = Vec<(String, String)>> {
    let label = |key: &'static str, values: &'static [&'static str]| {
        option::of(text(values)).prop_map(move |value| value.map(|value| (key.to_owned(), value)))
    };
    (
        label("app", &["web", "db", ""]),
        label("rank", &["1", "2", "x"]),
        label("tier", &["front", "web"]),
    )
        .prop_map(|(a, b, c)| [a, b, c].into_iter().flatten().collect())
}

fn more_ips() -> impl Strategy<Value = Vec<String>> {
    let some = vec(text(&["10.0.0.12", "fd00::1", "FD00::2", "no ip"]), 1..3);
    option::weighted(0.3, some).prop_map(Option::unwrap_or_default)
}

fn pod() -> impl Strategy<Value = Pod> {
    (
        (
            text(&NAMES),
            text(&NAMESPACES),
            text(&STATUSES),
            text(&PHASES),
            text(&QOS_CLASSES),
            text(&NODES),
            reason(),
        ),
        (
            text(&IPS),
            text(&IPS),
            0..4u32,
            option::weighted(0.8, 0..4i64),
            option::of(0..9i64),
            option::of(0..9i64),
            more_ips(),
        ),
        (
            vec(container(), 0..3),
            vec(container(), 0..2),
            prop_oneof![4 => Just(0), 1 => 1..3u16],
            labels(),
            prop_oneof![4 => Just(0), 1 => 1..3u32],
            0..3u32,
            0..3u32,
        ),
        (
            option::of(owner()),
            text(&["", "1b4e28ba-2fa1-11d2-883f-0016d3cca427", "no-uuid"]),
        ),
    )
        .prop_map(
            |(
                (name, namespace, status, phase, qos_class, node, reason),
                (pod_ip, host_ip, restarts, created_at, last_restart_at, deletion_at, more_ips),
                (containers, init_containers, containers_left_out, labels, labels_left_out, ready, ready_total),
                (owner, uid),
            )| Pod {
                uid,
                namespace,
                name,
                status,
                phase,
                qos_class,
                reason,
                node,
                pod_ip,
                host_ip,
                restarts,
                last_restart_at,
                created_at,
                deletion_at,
                ready,
                ready_total,
                owner,
                containers,
                init_containers,
                containers_left_out,
                labels,
                labels_left_out,
                more_ips,
            },
        )
}

pub(crate) fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => pod().prop_map(Change::Upsert),
        1 => (text(&NAMESPACES), text(&NAMES)).prop_map(|(namespace, name)| Change::Remove { namespace, name }),
    ]
}

pub(crate) fn scope() -> impl Strategy<Value = Scope> {
    let namespaces = prop_oneof![
        1 => Just(Namespaces::All),
        2 => vec(text(&NAMESPACES), 0..3).prop_map(Namespaces::Named),
    ];
    prop_oneof![
        2 => Just(Scope::All),
        1 => vec((cluster(), namespaces), 0..4).prop_map(Scope::Only),
    ]
}

/// Generates a list that is empty in most cases.
fn some_of<T: std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    option::weighted(0.3, vec(value, 1..3)).prop_map(Option::unwrap_or_default)
}

pub(crate) fn query() -> impl Strategy<Value = Query> {
    (
        (vec(cluster(), 0..4), scope()),
        (
            vec(text(&["default", "shop", "gone"]), 0..3),
            vec(text(&["running", "crashLOOPbackoff", "Gone", ""]), 0..2),
            vec(text(&["PENDING", "Running"]), 0..2),
            vec(text(&["burstable", "GUARANTEED", "gone"]), 0..2),
        ),
        (
            some_of(text(&["node-1", "node-10", "", "gone"])),
            some_of(text(&SEARCHES)),
            option::weighted(0.3, select(&SELECTORS[..])),
            prop::bool::weighted(0.2),
        ),
        (
            some_of(owner()),
            some_of(reason_code()),
            option::weighted(0.1, text(&NAMES)),
            option::weighted(0.1, 0..9i64),
            option::weighted(0.1, 0..4i64),
            option::weighted(0.1, 0..4i64),
        ),
        (select(&Sort::ALL[..]), select(&[Order::Asc, Order::Desc][..])),
        (
            prop_oneof![3 => 0..4usize, 1 => 0..40usize, 1 => Just(usize::MAX)],
            prop_oneof![0..5usize, Just(1000)],
        ),
    )
        .prop_map(
            |(
                (clusters, scope),
                (namespaces, statuses, phases, qos_classes),
                (nodes, searches, selector, problem),
                (owners, reason_codes, name, restarted_since, created_since, created_before),
                (sort, order),
                page,
            )| {
                Query {
                    clusters,
                    scope,
                    namespaces,
                    statuses,
                    phases,
                    qos_classes,
                    nodes,
                    owners,
                    reason_codes,
                    name,
                    restarted_since,
                    created_since,
                    created_before,
                    searches,
                    selector: selector.map(|text| Selector::parse(text).unwrap()),
                    problem,
                    sort,
                    order,
                    offset: page.0,
                    limit: page.1,
                }
            },
        )
}

pub(crate) fn facet() -> impl Strategy<Value = Facet> {
    select(&Facet::ALL[..])
}
