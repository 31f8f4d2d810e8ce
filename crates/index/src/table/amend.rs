//! A row changed by somebody who is not its watch.

use super::Table;
use crate::{Change, ClusterId, Pod};

impl Table {
    /// Changes a row that is still what it is thought to be. Whether it was.
    pub(crate) fn amend(&mut self, cluster: ClusterId, before: &Pod, after: &Pod) -> bool {
        let Some(row) = self.find(cluster, &before.namespace, &before.name) else {
            return false;
        };
        if !self.rows.row(row).is_some_and(|known| known.is(before)) {
            return false;
        }
        let applied = self.applied[row as usize];
        self.apply(cluster, &Change::Upsert(after.clone()));
        // A relist under way has not seen it yet.
        self.applied[row as usize] = applied;
        true
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use crate::{Change, ClusterId, Index, Pod, Query};

    const CLUSTER: ClusterId = ClusterId(1);

    fn pod(status: &str, reason: &str) -> Pod {
        Pod {
            uid: "u".to_owned(),
            namespace: "shop".to_owned(),
            name: "web".to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            ..Pod::default()
        }
    }

    fn holding(pod: Pod) -> Index {
        let index = Index::new();
        index.apply(CLUSTER, vec![Change::Upsert(pod)]);
        index
    }

    fn all() -> Query {
        Query {
            clusters: vec![CLUSTER],
            ..Query::default()
        }
    }

    fn rows(index: &Index) -> Vec<Pod> {
        index.query(&all()).rows.into_iter().map(|row| row.pod).collect()
    }

    #[test]
    fn a_row_that_is_as_thought_is_changed() {
        let index = holding(pod("Pending", ""));
        let amended = pod("Pending", "no volume");
        assert!(index.amend(CLUSTER, &pod("Pending", ""), &amended));
        assert_eq!(rows(&index), [amended]);
        let problems = Query { problem: true, ..all() };
        assert_eq!(index.query(&problems).total, 1);
    }

    #[test]
    fn any_other_row_stays() {
        let (before, after) = (pod("Pending", ""), pod("Pending", "no volume"));
        for now in [pod("Running", ""), pod("Pending", "other")] {
            let index = holding(now.clone());
            assert!(!index.amend(CLUSTER, &before, &after));
            assert!(!index.amend(ClusterId(2), &now, &after), "another cluster's");
            assert_eq!(rows(&index), [now]);
        }
        let index = Index::new();
        assert!(!index.amend(CLUSTER, &before, &after));
        assert!(rows(&index).is_empty(), "none is made");
    }

    #[test]
    fn a_relist_still_sweeps_it() {
        let index = holding(pod("Pending", ""));
        let relist = index.begin(CLUSTER, None);
        assert!(index.amend(CLUSTER, &pod("Pending", ""), &pod("Pending", "no volume")));
        assert_eq!(index.finish(relist), 1);
        assert!(rows(&index).is_empty());
    }
}
