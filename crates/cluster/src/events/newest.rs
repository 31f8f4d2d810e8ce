//! The selection of a pod's newest events.

use std::{cmp::Reverse, collections::BinaryHeap};

use jiff::Timestamp;

use super::{MAX_EVENTS, SubjectMetadata, wire::WireEvent};
use crate::list::Sink;

/// The rank of an event. Newer events have higher ranks.
///
/// Times in seconds are too coarse for a pod's start, so the resource version decides between equal
/// times; in practice it is a number that grows with each write. Without it, or between equal
/// versions, the event that was listed first counts as newer.
type Rank = (Option<Timestamp>, Option<Timestamp>, Option<u64>, Reverse<usize>);

/// An event and its rank.
struct Ranked {
    rank: Rank,
    event: WireEvent,
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}

impl Eq for Ranked {}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank.cmp(&other.rank)
    }
}

/// The newest [`MAX_EVENTS`] events of a pod.
pub(super) struct NewestEvents<'a> {
    subject: &'a SubjectMetadata,
    namespace: &'a str,
    name: &'a str,
    /// The kept events, with the oldest on top.
    newest: BinaryHeap<Reverse<Ranked>>,
    /// The number of events of the pod so far, including dropped ones.
    count: usize,
    skipped: usize,
    bytes: usize,
}

impl<'a> NewestEvents<'a> {
    pub(super) fn new(subject: &'a SubjectMetadata, namespace: &'a str, name: &'a str) -> Self {
        Self {
            subject,
            namespace,
            name,
            newest: BinaryHeap::new(),
            count: 0,
            skipped: 0,
            bytes: 0,
        }
    }

    /// Returns the events, newest first, the number of older events, and the number of unreadable
    /// events.
    pub(super) fn into_parts(self) -> (Vec<WireEvent>, usize, usize) {
        let left_out = self.count - self.newest.len();
        let sorted = self.newest.into_sorted_vec().into_iter();
        (sorted.map(|ranked| ranked.0.event).collect(), left_out, self.skipped)
    }

    /// Returns whether an event names the pod. A server that ignores the selector lists the events
    /// of other objects too.
    fn is_named_by(&self, event: &WireEvent) -> bool {
        let object = &event.involved_object;
        let is = |text: &str, wanted: &str| text.is_empty() || text == wanted;
        is(&object.kind, "Pod") && is(&object.namespace, self.namespace) && is(&object.name, self.name)
    }

    fn take(&mut self, mut event: WireEvent) {
        if !self.is_named_by(&event) || !self.subject.is_meant_by(&event) {
            return;
        }
        let version = event.metadata.resource_version.parse::<u64>().ok();
        let rank = (event.last_seen(), event.first_seen(), version, Reverse(self.count));
        self.count += 1;
        if self.newest.len() == MAX_EVENTS {
            if self.newest.peek().is_some_and(|oldest| oldest.0.rank > rank) {
                return;
            }
            if let Some(oldest) = self.newest.pop() {
                self.bytes -= oldest.0.event.bytes();
            }
        }
        event.metadata.resource_version = String::new();
        event.truncate();
        self.bytes += event.bytes();
        self.newest.push(Reverse(Ranked { rank, event }));
    }
}

impl Sink for NewestEvents<'_> {
    fn item(&mut self, json: Option<&[u8]>) {
        match json.and_then(|json| serde_json::from_slice(json).ok()) {
            Some(event) => self.take(event),
            None => self.skipped += 1,
        }
    }

    fn kept(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use serde_json::{Value, json};

    use super::super::Subject;

    use super::*;

    fn read(event: Value) -> WireEvent {
        serde_json::from_value(event).unwrap()
    }

    fn kept<'a>(subject: &'a SubjectMetadata, items: impl IntoIterator<Item = String>) -> NewestEvents<'a> {
        let mut keep = NewestEvents::new(subject, "shop", "web");
        for item in items {
            keep.item(Some(item.as_bytes()));
        }
        keep
    }

    #[test]
    fn only_the_newest_are_kept_and_the_others_counted() {
        let subject = SubjectMetadata::default();
        let event = |second: usize| {
            let time = Timestamp::from_second(second.try_into().unwrap()).unwrap().to_string();
            json!({"reason": second.to_string(), "message": "x".repeat(5000), "lastTimestamp": time}).to_string()
        };
        // In neither ascending nor descending order.
        let keep = kept(&subject, (0..3_000).map(|at| event(at * 7 % 3_000)));
        assert!(keep.kept() < MAX_EVENTS * 6_000);
        let (newest, left_out, skipped) = keep.into_parts();
        assert_eq!((newest.len(), left_out, skipped), (MAX_EVENTS, 2_000, 0));
        assert_eq!((newest[0].reason(), newest[999].reason()), ("2999", "2000"));
        let message = newest.into_iter().next().unwrap().into_event().message;
        assert!(message.len() <= 4096 && message.ends_with('…'));
    }

    #[test]
    fn those_of_others_are_neither_kept_nor_counted() {
        let subject = SubjectMetadata::default();
        let of = |object: Value| json!({"involvedObject": object}).to_string();
        let keep = kept(
            &subject,
            [
                of(json!({"kind": "Node", "name": "web"})),
                of(json!({"kind": "Pod", "namespace": "shop", "name": "other"})),
                of(json!({"kind": "Pod", "namespace": "prod", "name": "web"})),
                of(json!({"uid": "other"})),
                of(json!({"kind": "Pod", "namespace": "shop", "name": "web"})),
                of(json!(null)),
            ],
        );
        let (newest, left_out, skipped) = keep.into_parts();
        assert_eq!((newest.len(), left_out, skipped), (2, 0, 0));
    }

    #[test]
    fn invalid_and_overlong_events_are_skipped_and_counted() {
        let subject = SubjectMetadata::default();
        let mut keep = kept(
            &subject,
            ["{\"count\":\"x\"}", "{}", "{", "{\"lastTimestamp\":7}"].map(str::to_owned),
        );
        keep.item(None);
        let (newest, left_out, skipped) = keep.into_parts();
        assert_eq!((newest.len(), left_out, skipped), (1, 0, 4));
    }

    #[test]
    fn events_of_one_second_come_newest_first_by_version_and_else_as_listed() {
        let (early, late) = ("2026-01-01T00:00:01Z", "2026-01-01T00:00:02Z");
        let event = |reason: &str, version: &str, first: &str, last: &str| {
            read(
                json!({"reason": reason, "metadata": {"resourceVersion": version}, "firstTimestamp": first, "lastTimestamp": last}),
            )
        };
        let events = vec![
            event("Created", "1002", late, late),
            event("Scheduled", "998", late, late),
            event("Started", "1003", late, late),
            event("Pulled", "1001", late, late),
            event("BackOff", "7", early, late),
            event("Before", "2000", early, early),
            event("ListedFirst", "", early, early),
            event("ListedNext", "not-a-number", early, early),
        ];
        let subject = SubjectMetadata::default();
        let mut keep = NewestEvents::new(&subject, "shop", "web");
        events.into_iter().for_each(|event| keep.take(event));
        let (newest, ..) = keep.into_parts();
        let reasons: Vec<_> = newest.iter().map(|event| event.reason()).collect();
        assert_eq!(
            reasons,
            [
                "Started",
                "Created",
                "Pulled",
                "Scheduled",
                "BackOff",
                "Before",
                "ListedFirst",
                "ListedNext"
            ]
        );
    }

    #[test]
    fn an_event_means_the_pod_by_uid_by_mirror_or_by_time() {
        let pod: Subject = serde_json::from_value(
            json!({"metadata": {"uid": "mine", "creationTimestamp": "2026-01-01T00:00:00Z",
            "annotations": {"kubernetes.io/config.mirror": "hash"}}}),
        )
        .unwrap();
        let meant = |uid: &str, time: &str| {
            pod.metadata
                .is_meant_by(&read(json!({"involvedObject": {"uid": uid}, "lastTimestamp": time})))
        };
        let (before, at, after) = ("2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z");
        assert!(meant("mine", before) && meant("hash", before));
        assert!(!meant("other", after));
        assert!(meant("", at) && meant("", after) && !meant("", before));
    }
}
