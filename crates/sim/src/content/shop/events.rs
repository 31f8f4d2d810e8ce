//! The events of the shop, in the words of the scheduler, the kubelet and the controllers.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::object::Kind;
use crate::state::State;
use crate::time;

/// How long an event is kept (`--event-ttl` of the API server).
const EVENT_TTL: SignedDuration = SignedDuration::from_hours(1);

/// The most events that are kept. Beyond that, the oldest are dropped.
const MAX_EVENTS: usize = 2_000;

/// The object that an event is about.
pub(super) struct Subject<'a> {
    pub(super) kind: &'a str,
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
    pub(super) uid: &'a str,
    /// The container, if the event is about one.
    pub(super) container: Option<&'a str>,
    /// Whether `container` is an init container.
    pub(super) init: bool,
}

/// An occurrence to record.
pub(super) struct Event<'a> {
    /// The component that reports it: `kubelet`, `default-scheduler` or a controller.
    pub(super) reporter: &'a str,
    pub(super) node: &'a str,
    pub(super) warning: bool,
    pub(super) reason: &'a str,
    pub(super) message: String,
}

/// A recorder of events. Recording an event again raises the count of the first.
pub(super) struct Events {
    state: Arc<State>,
    /// The name, count and first time of each event, by subject, container and reason.
    known: HashMap<String, (String, u64, Timestamp)>,
    /// The keys of `known`, in the order of their first times.
    order: VecDeque<(Timestamp, String)>,
    written: u64,
}

impl Events {
    pub(super) fn new(state: Arc<State>) -> Events {
        Events {
            state,
            known: HashMap::new(),
            order: VecDeque::new(),
            written: 0,
        }
    }

    pub(super) fn write(&mut self, now: Timestamp, subject: &Subject<'_>, event: Event<'_>) {
        let key = format!(
            "{} {} {} {}",
            subject.namespace,
            subject.uid,
            subject.container.unwrap_or_default(),
            event.reason
        );
        self.written += 1;
        let unix = u64::try_from(now.as_nanosecond())
            .unwrap_or(0)
            .wrapping_add(self.written);
        let fresh = || (format!("{}.{unix:x}", subject.name), 0, now);
        let (name, count, first) = self.known.get(&key).cloned().unwrap_or_else(fresh);
        if count == 0 {
            self.order.push_back((now, key.clone()));
        }
        self.known.insert(key, (name.clone(), count + 1, first));
        self.state
            .put(Kind::Event, object(now, subject, event, &name, count + 1, first));
        self.forget(now);
    }

    /// Removes the events that are too old, and the oldest ones beyond the bound.
    fn forget(&mut self, now: Timestamp) {
        while let Some((first, key)) = self.order.front() {
            if now.duration_since(*first) < EVENT_TTL && self.order.len() <= MAX_EVENTS {
                return;
            }
            if let (Some((name, ..)), Some((namespace, _))) = (self.known.remove(key), key.split_once(' ')) {
                self.state.remove(Kind::Event, namespace, &name, None);
            }
            self.order.pop_front();
        }
    }
}

fn object(now: Timestamp, subject: &Subject<'_>, event: Event<'_>, name: &str, count: u64, first: Timestamp) -> Value {
    let mut involved = json!({"kind": subject.kind, "apiVersion": if subject.kind == "Pod" { "v1" } else { "apps/v1" },
        "namespace": subject.namespace, "name": subject.name, "uid": subject.uid});
    if let Some(container) = subject.container {
        let list = if subject.init { "initContainers" } else { "containers" };
        involved["fieldPath"] = format!("spec.{list}{{{container}}}").into();
    }
    let mut source = json!({"component": event.reporter});
    if !event.node.is_empty() {
        source["host"] = event.node.into();
    }
    json!({"kind": "Event", "metadata": {"namespace": subject.namespace, "name": name, "creationTimestamp": time::seconds(first)},
        "involvedObject": involved, "type": if event.warning { "Warning" } else { "Normal" }, "reason": event.reason,
        "message": event.message, "count": count, "firstTimestamp": time::seconds(first), "lastTimestamp": time::seconds(now),
        "eventTime": null, "source": source, "reportingComponent": event.reporter, "reportingInstance": event.node})
}
