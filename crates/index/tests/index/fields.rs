//! Each field of a pod: a change of it alone is seen, kept and charged.

use podgate_index::{Change, ClusterId, Container, Index, Owner, Pod, Query, Reason, ReasonCode};

const CLUSTER: ClusterId = ClusterId(1);

fn reason(code: ReasonCode, text: &str, args: &str) -> Reason {
    Reason {
        code,
        text: text.to_owned(),
        args: args.to_owned(),
    }
}

fn pod() -> Pod {
    let container = |name: &str| Container {
        name: name.to_owned(),
        ..Container::default()
    };
    Pod {
        namespace: "shop".to_owned(),
        name: "web".to_owned(),
        more_ips: vec!["fd00::1".to_owned()],
        owner: Some(Owner::default()),
        containers: vec![container("app")],
        init_containers: vec![container("init")],
        labels: vec![("app".to_owned(), String::new())],
        ..Pod::default()
    }
}

/// Returns pods that differ from `pod` in one field each: first those with a longer text, then
/// those with another number.
fn variants(pod: &Pod) -> (Vec<Pod>, Vec<Pod>) {
    let longer = |text: &str| format!("{text}x");
    let of_first = |containers: &[Container], change: fn(&mut Container)| {
        let mut containers = containers.to_vec();
        change(&mut containers[0]);
        containers
    };
    // Every field is named, so that a new one gets its variant.
    let Pod {
        uid,
        namespace: _, // These two identify the pod.
        name: _,
        status,
        phase,
        qos_class,
        reason: _, // Absent in `pod`, too.
        node,
        pod_ip,
        more_ips,
        host_ip,
        restarts,
        last_restart_at: _, // Absent in `pod`, as the other times.
        created_at: _,
        deletion_at: _,
        ready,
        ready_total,
        owner,
        containers,
        init_containers,
        containers_left_out,
        labels,
        labels_left_out,
    } = pod;
    let owner = owner.as_ref().unwrap();
    let with = |change: &dyn Fn(&mut Pod)| {
        let mut variant = pod.clone();
        change(&mut variant);
        variant
    };
    let texts = vec![
        with(&|it| it.uid = longer(uid)),
        with(&|it| it.status = longer(status)),
        with(&|it| it.phase = longer(phase)),
        with(&|it| it.qos_class = longer(qos_class)),
        with(&|it| it.reason = Some(reason(ReasonCode::Crash, "x", ""))),
        with(&|it| it.reason = Some(reason(ReasonCode::Crash, "", "x"))),
        with(&|it| it.node = longer(node)),
        with(&|it| it.pod_ip = longer(pod_ip)),
        with(&|it| it.more_ips = vec![longer(&more_ips[0])]),
        with(&|it| it.host_ip = longer(host_ip)),
        with(&|it| it.owner.as_mut().unwrap().kind = longer(&owner.kind)),
        with(&|it| it.owner.as_mut().unwrap().name = longer(&owner.name)),
        with(&|it| it.containers = of_first(containers, |it| it.name.push('x'))),
        with(&|it| it.containers = of_first(containers, |it| it.image.push('x'))),
        with(&|it| it.init_containers = of_first(init_containers, |it| it.name.push('x'))),
        with(&|it| it.labels = vec![(longer(&labels[0].0), labels[0].1.clone())]),
        with(&|it| it.labels = vec![(labels[0].0.clone(), longer(&labels[0].1))]),
    ];
    let numbers = vec![
        with(&|it| it.reason = Some(reason(ReasonCode::Image, "", ""))),
        with(&|it| it.restarts = restarts + 1),
        with(&|it| it.last_restart_at = Some(1)),
        with(&|it| it.created_at = Some(1)),
        with(&|it| it.deletion_at = Some(1)),
        with(&|it| it.ready = ready + 1),
        with(&|it| it.ready_total = ready_total + 1),
        with(&|it| it.containers = of_first(containers, |it| it.ready = true)),
        with(&|it| it.containers = of_first(containers, |it| it.restart_count = 1)),
        with(&|it| it.containers_left_out = containers_left_out + 1),
        with(&|it| it.labels_left_out = labels_left_out + 1),
    ];
    (texts, numbers)
}

#[test]
fn a_change_of_any_field_alone_is_seen_and_kept() {
    let query = Query {
        clusters: vec![CLUSTER],
        ..Query::default()
    };
    let (texts, numbers) = variants(&pod());
    for variant in texts.into_iter().chain(numbers) {
        let index = Index::new();
        index.apply(CLUSTER, vec![Change::Upsert(pod())]);
        let before = index.read().generation(&query);
        index.apply(CLUSTER, vec![Change::Upsert(variant.clone())]);
        assert_ne!(index.read().generation(&query), before, "{variant:?}");
        assert_eq!(index.query(&query).rows[0].pod, variant);
    }
}

#[test]
fn a_longer_text_weighs_more() {
    for variant in variants(&pod()).0 {
        assert!(variant.weight() > pod().weight(), "{variant:?}");
    }
}
