//! What a pod weighs, and that churn leaves nothing behind. A binary of its own: it counts what is allocated.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/fleet.rs"]
mod fleet;
#[path = "../support/memory.rs"]
mod memory;

/// One test: another thread's bytes would count.
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

    let (churned, fresh) = memory::churned(2_000, 100_000);
    println!("{churned} bytes after churn, {fresh} fresh");
    assert!(churned * 10 <= fresh * 11, "{churned} bytes after churn, {fresh} fresh");
}
