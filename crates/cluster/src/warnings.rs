//! Warning events, for the reasons of pods whose statuses do not explain themselves.
//!
//! Events are not watched, because a busy cluster has more of them than pods. When somebody reads a
//! pod's events through [`crate::Cluster::events`], the newest explanatory Warning is remembered
//! here and shown in the row at once.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use podgate_index::{ClusterId, Index};

use crate::{
    reason::{self, Warning},
    row,
    text::{MAX_TEXT, truncate},
    wire,
};

/// The most pods of one cluster whose Warning is kept. Beyond that, the oldest entry is dropped.
const MAX_PODS: usize = 4096;
/// The most bytes of a Warning's message that are kept, which is more than a reason can show.
const MAX_MESSAGE: usize = 1024;

/// The newest explanatory Warnings of the pods of one cluster.
#[derive(Debug, Default)]
pub(crate) struct Warnings {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// The entries, by the pod's namespace and name.
    pods: HashMap<(String, String), Entry>,
    /// The keys of `pods` in the order in which their entries were remembered.
    order: BTreeMap<u64, (String, String)>,
    sequence: u64,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    /// The pod's UID. A later pod with the same name has its own Warnings.
    uid: String,
    warning: Warning,
}

impl Warnings {
    /// Returns the Warning of a pod whose reason may need one. Forgets it if the pod is well or
    /// finished, or if the name belongs to another pod now.
    pub(crate) fn get(&self, pod: &wire::Pod) -> Option<Warning> {
        let mut known = self.known();
        if known.pods.is_empty() {
            return None;
        }
        known.get(pod)
    }

    /// Forgets a deleted pod.
    pub(crate) fn forget(&self, namespace: &str, name: &str) {
        let mut known = self.known();
        if !known.pods.is_empty() {
            known.remove(&(namespace.to_owned(), name.to_owned()));
        }
    }

    /// Stores the newest explanatory Warning of a pod (`None` clears it) and updates the pod's row,
    /// unless the row has changed since `pod` was read. Returns whether the row changed.
    ///
    /// A row that the watch makes at the same time may miss the Warning, until the pod changes
    /// again or its events are read again.
    pub(crate) fn remember(&self, pod: &wire::Pod, newest: Option<Warning>, index: &Index, cluster: ClusterId) -> bool {
        let newest = newest.map(bounded);
        // Keep the lock to the end, so that the later of two readers also decides the row.
        let mut known = self.known();
        let befores = [known.get(pod), None];
        match &newest {
            Some(warning) if reason::heeds_warnings(pod) => known.insert(pod, warning.clone()),
            _ => known.remove(&key(pod)),
        }
        let after = row::row(pod, newest.as_ref());
        befores.into_iter().any(|before| {
            let before = row::row(pod, before.as_ref());
            before != after && index.compare_and_set(cluster, &before, &after)
        })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn get(&mut self, pod: &wire::Pod) -> Option<Warning> {
        let key = key(pod);
        let entry = self.pods.get(&key)?;
        if entry.uid == pod.metadata.uid && reason::heeds_warnings(pod) {
            return Some(entry.warning.clone());
        }
        self.remove(&key);
        None
    }

    fn insert(&mut self, pod: &wire::Pod, warning: Warning) {
        let key = key(pod);
        self.remove(&key);
        // Kubernetes does not allow such names, and such pods have no rows.
        let names = [&pod.metadata.namespace, &pod.metadata.name, &pod.metadata.uid];
        if names.iter().any(|name| name.len() > MAX_TEXT) {
            return;
        }
        self.sequence += 1;
        self.order.insert(self.sequence, key.clone());
        let entry = Entry {
            number: self.sequence,
            uid: pod.metadata.uid.clone(),
            warning,
        };
        self.pods.insert(key, entry);
        if self.pods.len() > MAX_PODS
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.pods.remove(&oldest);
        }
    }

    fn remove(&mut self, key: &(String, String)) {
        if let Some(entry) = self.pods.remove(key) {
            self.order.remove(&entry.number);
        }
    }
}

/// Truncates the texts of a Warning before it is kept.
fn bounded(warning: Warning) -> Warning {
    Warning {
        reason: truncate(warning.reason, MAX_TEXT),
        message: truncate(warning.message, MAX_MESSAGE),
        container: truncate(warning.container, MAX_TEXT),
    }
}

fn key(pod: &wire::Pod) -> (String, String) {
    (pod.metadata.namespace.clone(), pod.metadata.name.clone())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use podgate_index::{Change, Query};
    use serde_json::{Value, json};

    use super::*;

    const CLUSTER: ClusterId = ClusterId(1);

    fn pod(name: &str, uid: &str, status: Value) -> wire::Pod {
        let metadata = json!({"name": name, "namespace": "prod", "uid": uid});
        let spec = json!({"nodeName": "node-1", "containers": [{"name": "app", "image": "app:1"}]});
        serde_json::from_value(json!({"metadata": metadata, "spec": spec, "status": status})).unwrap()
    }

    fn creating(name: &str, uid: &str) -> wire::Pod {
        let waiting = json!({"waiting": {"reason": "ContainerCreating"}});
        pod(
            name,
            uid,
            json!({"phase": "Pending", "containerStatuses": [{"name": "app", "state": waiting}]}),
        )
    }

    fn ready(name: &str, uid: &str) -> wire::Pod {
        let running = json!([{"name": "app", "ready": true, "started": true, "state": {"running": {}}}]);
        let conditions = json!([{"type": "Ready", "status": "True"}]);
        pod(
            name,
            uid,
            json!({"phase": "Running", "conditions": conditions, "containerStatuses": running}),
        )
    }

    fn warning(message: &str) -> Warning {
        Warning {
            reason: "FailedMount".to_owned(),
            message: message.to_owned(),
            container: String::new(),
        }
    }

    /// Makes an index that holds a pod as the watch brought it.
    fn holding(pod: &wire::Pod) -> Index {
        let index = Index::new();
        index.apply(CLUSTER, vec![Change::Upsert(row::row(pod, None))]);
        index
    }

    fn reasons(index: &Index) -> Vec<String> {
        let all = Query {
            clusters: vec![CLUSTER],
            ..Query::default()
        };
        let rows = index.query(&all).rows;
        rows.into_iter()
            .map(|row| row.pod.reason.map(|reason| reason.text).unwrap_or_default())
            .collect()
    }

    #[test]
    fn a_remembered_warning_shows_at_once_and_goes_with_its_cause() {
        let (warnings, pod) = (Warnings::default(), creating("web", "uid-1"));
        let index = holding(&pod);
        assert_eq!(reasons(&index), [""]);
        assert!(warnings.remember(&pod, Some(warning("no volume")), &index, CLUSTER));
        assert_eq!(reasons(&index), ["FailedMount: no volume"]);
        assert!(
            !warnings.remember(&pod, Some(warning("no volume")), &index, CLUSTER),
            "nothing new"
        );
        warnings.remember(&pod, Some(warning("no secret")), &index, CLUSTER);
        assert_eq!(reasons(&index), ["FailedMount: no secret"]);
        assert_eq!(warnings.get(&pod), Some(warning("no secret")), "later rows show it too");
        warnings.remember(&pod, None, &index, CLUSTER);
        assert_eq!(reasons(&index), [""]);
        assert_eq!(warnings.get(&pod), None);
    }

    #[test]
    fn a_row_that_came_without_it_gets_it_at_the_next_reading() {
        let (warnings, pod) = (Warnings::default(), creating("web", "uid-1"));
        warnings.remember(&pod, Some(warning("no volume")), &Index::new(), CLUSTER);
        let index = holding(&pod);
        assert!(warnings.remember(&pod, Some(warning("no volume")), &index, CLUSTER));
        assert_eq!(reasons(&index), ["FailedMount: no volume"]);
    }

    #[test]
    fn a_row_of_another_state_of_the_pod_is_not_changed() {
        let (warnings, old) = (Warnings::default(), creating("web", "uid-1"));
        let index = holding(&ready("web", "uid-1"));
        warnings.remember(&old, Some(warning("no volume")), &index, CLUSTER);
        assert_eq!(reasons(&index), [""]);
        let index = holding(&creating("web", "successor"));
        warnings.remember(&old, Some(warning("no volume")), &index, CLUSTER);
        assert_eq!(reasons(&index), [""]);
        let index = Index::new();
        warnings.remember(&old, Some(warning("no volume")), &index, CLUSTER);
        assert!(reasons(&index).is_empty(), "a pod that is gone does not come back");
    }

    #[test]
    fn a_pod_that_becomes_well_or_goes_is_forgotten() {
        let (warnings, index, pod) = (Warnings::default(), Index::new(), creating("web", "uid-1"));
        let remember = || {
            warnings.remember(&pod, Some(warning("no volume")), &index, CLUSTER);
        };
        remember();
        assert_eq!(warnings.get(&ready("web", "uid-1")), None);
        assert_eq!(warnings.get(&pod), None, "it was well since");
        remember();
        assert_eq!(warnings.get(&creating("web", "successor")), None);
        assert_eq!(warnings.get(&pod), None, "it has been replaced");
        remember();
        warnings.forget("prod", "other");
        assert_eq!(warnings.get(&pod), Some(warning("no volume")));
        warnings.forget("prod", "web");
        assert_eq!(warnings.get(&pod), None);
        warnings.remember(&ready("web", "uid-1"), Some(warning("old")), &index, CLUSTER);
        assert!(warnings.known().pods.is_empty(), "a healthy pod needs none");
    }

    #[test]
    fn the_kept_bytes_are_bounded() {
        let (warnings, pod) = (Warnings::default(), creating("web", "uid-1"));
        let long = || Warning {
            reason: "r".repeat(10_000),
            message: "m".repeat(1 << 20),
            container: "c".repeat(10_000),
        };
        let index = holding(&pod);
        assert!(warnings.remember(&pod, Some(long()), &index, CLUSTER));
        let kept = warnings.get(&pod).unwrap();
        assert_eq!(
            (kept.reason.len(), kept.message.len(), kept.container.len()),
            (MAX_TEXT, MAX_MESSAGE, MAX_TEXT)
        );
        assert!(!warnings.remember(&pod, Some(long()), &index, CLUSTER), "nothing new");
        warnings.remember(&creating("web", &"u".repeat(254)), Some(long()), &index, CLUSTER);
        assert!(warnings.known().pods.is_empty());
    }

    #[test]
    fn the_oldest_go_first() {
        let (warnings, index) = (Warnings::default(), Index::new());
        let pod = |number: usize| creating(&format!("web-{number}"), "uid-1");
        for number in 0..MAX_PODS {
            warnings.remember(&pod(number), Some(warning("first")), &index, CLUSTER);
        }
        warnings.remember(&pod(0), Some(warning("again")), &index, CLUSTER);
        warnings.remember(&pod(MAX_PODS), Some(warning("one more")), &index, CLUSTER);
        assert_eq!(warnings.get(&pod(1)), None);
        assert_eq!(warnings.get(&pod(0)), Some(warning("again")));
        let known = warnings.known();
        assert_eq!((known.pods.len(), known.order.len()), (MAX_PODS, MAX_PODS));
    }
}
