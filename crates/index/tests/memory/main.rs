//! The memory of a pod, and that churn leaves nothing behind.
//!
//! A binary of its own, because it counts every allocation of the process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/fleet.rs"]
mod fleet;
#[path = "../support/memory.rs"]
mod memory;

/// Returns a pod of the fleet that shares no text with another.
fn unlike(n: usize, pods: usize) -> podgate_index::Pod {
    let mut pod = fleet::pod(n, pods, 0);
    for text in [
        &mut pod.namespace,
        &mut pod.status,
        &mut pod.phase,
        &mut pod.qos_class,
        &mut pod.node,
        &mut pod.host_ip,
    ] {
        *text = format!("{text}-{n}");
    }
    if let Some(reason) = &mut pod.reason {
        reason.text = format!("{}-{n}", reason.text);
    }
    for container in &mut pod.containers {
        container.name = format!("{}-{n}", container.name);
        container.image = format!("{}-{n}", container.image);
    }
    for (key, value) in &mut pod.labels {
        (*key, *value) = (format!("{key}-{n}"), format!("{value}-{n}"));
    }
    pod
}

/// This is the only test, because the allocations of another thread would be counted too.
#[test]
fn a_pod_weighs_little_and_churn_leaves_nothing_behind() {
    let pods = 10_000;
    let (index, weight) = memory::weighed((0..pods).map(|n| fleet::pod(n, pods, 0)));
    let of_pod = weight / pods;
    println!("{of_pod} bytes a pod");
    assert!(of_pod < 600, "{of_pod} bytes a pod");
    let before = memory::bytes();
    index.remove_cluster(memory::CLUSTER);
    let kept = weight.saturating_sub(before - memory::bytes());
    assert!(kept < 100_000, "{kept} bytes without a pod");

    // Where no two pods share a text, each takes about what `Pod::weight` says.
    let said: usize = (0..pods).map(|n| unlike(n, pods).weight()).sum();
    let (_index, weight) = memory::weighed((0..pods).map(|n| unlike(n, pods)));
    println!(
        "{} bytes a pod that is like no other, {} by its weight",
        weight / pods,
        said / pods
    );
    assert!(weight <= said && said <= 2 * weight, "{weight} bytes, {said} said");

    let (churned, fresh) = memory::churned(2_000, 100_000);
    println!("{churned} bytes after churn, {fresh} fresh");
    assert!(churned * 10 <= fresh * 11, "{churned} bytes after churn, {fresh} fresh");
}
