//! Measures the memory of an index by counting allocations.

use std::alloc::System;

use podgate_index::{Change, ClusterId, Index, Order, Pod, Query, Sort};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use crate::fleet;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

pub(crate) const CLUSTER: ClusterId = ClusterId(1);

/// Returns the bytes in use.
pub(crate) fn bytes() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// Makes the index keep every order that it can.
pub(crate) fn keep_orders(index: &Index) {
    let reader = index.read();
    for sort in Sort::ALL {
        let query = Query {
            clusters: vec![CLUSTER],
            sort,
            order: Order::Asc,
            ..Query::default()
        };
        assert!(reader.answer(&query).total() > 0);
    }
}

/// Builds an index of pods, applied in the order given, with every order kept from the first pod
/// on. Returns it and its bytes.
pub(crate) fn weighed(pods: impl Iterator<Item = Pod>) -> (Index, usize) {
    let before = bytes();
    let index = Index::new();
    for (n, pod) in pods.enumerate() {
        index.apply(CLUSTER, vec![Change::Upsert(pod)]);
        if n == 0 {
            keep_orders(&index);
        }
    }
    let weight = bytes() - before;
    (index, weight)
}

/// Replaces pods one by one, each by a pod with a new name and new labels, until `operations` are
/// done.
///
/// Returns the bytes of the index then, and those of a fresh index with the same pods.
pub(crate) fn churned(pods: usize, operations: usize) -> (usize, usize) {
    let before = bytes();
    let index = Index::new();
    let mut names = Vec::with_capacity(pods);
    let apply = |change| index.apply(CLUSTER, vec![change]);
    let place = |pod: &Pod| (pod.namespace.clone(), pod.name.clone());
    for n in 0..pods {
        let pod = fleet::pod(n, pods, 0);
        names.push(place(&pod));
        apply(Change::Upsert(pod));
    }
    keep_orders(&index);
    // An operation is a removal or an upsert.
    let mut left = operations.saturating_sub(pods);
    let mut round = 0;
    while left > 0 {
        round += 1;
        for n in (0..pods).map(|n| n * 7919 % pods).take(left.div_ceil(2)) {
            let pod = fleet::pod(n, pods, round);
            let (namespace, name) = std::mem::replace(&mut names[n], place(&pod));
            apply(Change::Remove { namespace, name });
            apply(Change::Upsert(pod));
        }
        left = left.saturating_sub(2 * pods);
    }
    drop(names);
    // The owner does this every minute. The orders stay, because they were used since the last
    // call.
    index.tidy();
    let churned = bytes() - before;
    let query = Query {
        clusters: vec![CLUSTER],
        limit: usize::MAX,
        ..Query::default()
    };
    let reader = index.read();
    let content: Vec<Pod> = reader.answer(&query).rows().map(|row| row.to_pod()).collect();
    assert_eq!(content.len(), pods);
    let (_index, fresh) = weighed(content.iter().cloned());
    (churned, fresh)
}
