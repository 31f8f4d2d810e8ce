//! What an index weighs, by counting what is allocated.

use std::alloc::System;

use podgate_index::{Change, ClusterId, Index, Order, Pod, Query, Sort};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use crate::fleet;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

pub(crate) const CLUSTER: ClusterId = ClusterId(1);

/// Bytes in use.
pub(crate) fn bytes() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// Makes the index keep every order that it can.
pub(crate) fn keep_orders(index: &Index) {
    let reader = index.read();
    for sort in [
        Sort::CreatedAt,
        Sort::Name,
        Sort::Namespace,
        Sort::Status,
        Sort::Restarts,
        Sort::NodeName,
    ] {
        let query = Query {
            clusters: vec![CLUSTER],
            sort,
            order: Order::Asc,
            ..Query::default()
        };
        assert!(reader.answer(&query).total() > 0);
    }
}

/// An index of pods in the order given, as a list would fill it, and its bytes, every order kept.
pub(crate) fn weighed(pods: impl Iterator<Item = Pod>) -> (Index, usize) {
    let before = bytes();
    let index = Index::new();
    for pod in pods {
        index.apply(CLUSTER, vec![Change::Upsert(pod)]);
    }
    keep_orders(&index);
    let weight = bytes() - before;
    (index, weight)
}

/// Replaces pods one by one, each by one with a name and labels that never were, so many times in all. Returns the bytes of the
/// index after it, and those of a fresh one with the same pods.
pub(crate) fn churned(pods: usize, operations: usize) -> (usize, usize) {
    let before = bytes();
    let index = Index::new();
    let apply = |change| index.apply(CLUSTER, vec![change]);
    for n in 0..pods {
        apply(Change::Upsert(fleet::pod(n, pods, 0)));
    }
    keep_orders(&index);
    // An operation is a removal or an upsert.
    let mut left = operations.saturating_sub(pods);
    let mut round = 0;
    while left > 0 {
        round += 1;
        for n in (0..pods).map(|n| n * 7919 % pods).take(left.div_ceil(2)) {
            let Pod { namespace, name, .. } = fleet::pod(n, pods, round - 1);
            apply(Change::Remove { namespace, name });
            apply(Change::Upsert(fleet::pod(n, pods, round)));
        }
        left = left.saturating_sub(2 * pods);
    }
    let churned = bytes() - before;
    let query = Query {
        clusters: vec![CLUSTER],
        sort: Sort::Name,
        limit: usize::MAX,
        ..Query::default()
    };
    let reader = index.read();
    let content: Vec<Pod> = reader.answer(&query).rows().map(|row| row.to_pod()).collect();
    assert_eq!(content.len(), pods);
    let (_index, fresh) = weighed(content.into_iter());
    (churned, fresh)
}
