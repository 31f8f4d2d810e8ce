//! Events as the API server sends them.

use jiff::Timestamp;
use serde::Deserialize;

use super::Event;
use crate::{
    reason::Warning,
    text::{MAX_TEXT, sanitize},
    wire::nullable,
};

/// The most bytes that are kept of an event's message. Kubernetes bounds it to 1 KiB where it
/// checks it.
const MAX_MESSAGE: usize = 4 << 10;

/// An `Event` of `v1`, which also represents events reported through `events.k8s.io/v1`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct WireEvent {
    pub(super) metadata: Metadata,
    #[serde(deserialize_with = "nullable")]
    pub(super) involved_object: InvolvedObject,
    #[serde(rename = "type", deserialize_with = "nullable")]
    kind: String,
    #[serde(deserialize_with = "nullable")]
    reason: String,
    #[serde(deserialize_with = "nullable")]
    message: String,
    first_timestamp: Option<Timestamp>,
    last_timestamp: Option<Timestamp>,
    event_time: Option<Timestamp>,
    /// The count, which may be any number, because Kubernetes does not check it.
    #[serde(deserialize_with = "nullable")]
    count: i32,
    series: Option<Series>,
    #[serde(deserialize_with = "nullable")]
    source: Source,
    #[serde(deserialize_with = "nullable")]
    reporting_component: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Metadata {
    creation_timestamp: Option<Timestamp>,
    #[serde(deserialize_with = "nullable")]
    pub(super) resource_version: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct InvolvedObject {
    #[serde(deserialize_with = "nullable")]
    pub(super) kind: String,
    #[serde(deserialize_with = "nullable")]
    pub(super) namespace: String,
    #[serde(deserialize_with = "nullable")]
    pub(super) name: String,
    #[serde(deserialize_with = "nullable")]
    pub(super) uid: String,
    #[serde(deserialize_with = "nullable")]
    field_path: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Series {
    #[serde(deserialize_with = "nullable")]
    count: i32,
    last_observed_time: Option<Timestamp>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Source {
    #[serde(deserialize_with = "nullable")]
    component: String,
}

impl WireEvent {
    #[cfg(test)]
    pub(super) fn reason(&self) -> &str {
        &self.reason
    }

    pub(super) fn first_seen(&self) -> Option<Timestamp> {
        self.first_timestamp
            .or(self.event_time)
            .or(self.metadata.creation_timestamp)
    }

    pub(super) fn last_seen(&self) -> Option<Timestamp> {
        let series = self.series.as_ref().and_then(|series| series.last_observed_time);
        series
            .or(self.last_timestamp)
            .or(self.event_time)
            .or(self.metadata.creation_timestamp)
    }

    fn count(&self) -> u32 {
        let counts = [self.series.as_ref().map_or(0, |series| series.count), self.count];
        let positive = |count: i32| u32::try_from(count).ok().filter(|&count| count != 0);
        counts.into_iter().find_map(positive).unwrap_or(1)
    }

    /// Truncates the texts to the parts that are shown.
    pub(super) fn truncate(&mut self) {
        let short = [
            &mut self.kind,
            &mut self.reason,
            &mut self.source.component,
            &mut self.reporting_component,
            &mut self.involved_object.field_path,
        ];
        for text in short {
            truncate(text, MAX_TEXT);
        }
        truncate(&mut self.message, MAX_MESSAGE);
        // These fields are not needed from here on.
        self.involved_object.uid = String::new();
        self.involved_object.namespace = String::new();
        self.involved_object.name = String::new();
    }

    /// Returns about how many bytes of memory the event takes.
    pub(super) fn bytes(&self) -> usize {
        let texts = [
            &self.kind,
            &self.reason,
            &self.message,
            &self.source.component,
            &self.reporting_component,
            &self.involved_object.kind,
            &self.involved_object.field_path,
            &self.metadata.resource_version,
        ];
        size_of::<Self>() + texts.iter().map(|text| text.capacity()).sum::<usize>()
    }

    /// Returns the Warning in the event, if it explains why a pod does not come up.
    pub(super) fn warning(&self) -> Option<Warning> {
        (self.kind == "Warning" && Warning::explains(&self.reason)).then(|| Warning {
            reason: self.reason.clone(),
            message: self.message.clone(),
            container: container(&self.involved_object.field_path).to_owned(),
        })
    }

    pub(super) fn into_event(self) -> Event {
        let text = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
        Event {
            first_seen: text(self.first_seen()),
            last_seen: text(self.last_seen()),
            count: self.count(),
            container: container(&self.involved_object.field_path).to_owned(),
            source: if self.source.component.is_empty() {
                self.reporting_component
            } else {
                self.source.component
            },
            kind: self.kind,
            reason: self.reason,
            message: self.message,
        }
    }
}

fn truncate(text: &mut String, max: usize) {
    if text.len() > max {
        *text = sanitize(text, max);
    }
}

/// Returns the container, of any kind, that a field path such as `spec.containers{app}` names; an
/// empty text for any other path.
fn container(field_path: &str) -> &str {
    ["spec.containers", "spec.initContainers", "spec.ephemeralContainers"]
        .into_iter()
        .find_map(|list| field_path.strip_prefix(list)?.strip_prefix('{')?.strip_suffix('}'))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use serde_json::{Value, json};

    use super::*;

    fn read(event: Value) -> WireEvent {
        serde_json::from_value(event).unwrap()
    }

    #[test]
    fn times_and_counts_are_taken_from_the_first_place_that_has_them() {
        let times = |event| {
            let event = read(event).into_event();
            (event.first_seen, event.last_seen, event.count)
        };
        let [created, first, last, happened, observed] =
            [1, 2, 5, 3, 6].map(|hour| format!("2026-01-01T0{hour}:00:00Z"));
        let mut event = json!({"metadata": {"creationTimestamp": created}, "firstTimestamp": null, "lastTimestamp": null,
            "eventTime": null, "count": 0, "series": null});
        assert_eq!(times(event.clone()), (created.clone(), created, 1));
        event["eventTime"] = json!("2026-01-01T03:00:00.000000Z");
        assert_eq!(times(event.clone()), (happened.clone(), happened, 1));
        event["firstTimestamp"] = json!(first);
        event["lastTimestamp"] = json!("2026-01-01T06:00:00+01:00");
        event["count"] = json!(4);
        assert_eq!(times(event.clone()), (first.clone(), last, 4));
        event["series"] = json!({"count": 9, "lastObservedTime": observed});
        assert_eq!(times(event), (first, observed, 9));
    }

    #[test]
    fn a_count_below_one_is_unknown() {
        let count = |event| read(event).count();
        assert_eq!(count(json!({"count": -3})), 1);
        assert_eq!(count(json!({"count": 4, "series": {"count": -1}})), 4);
        assert_eq!(
            count(json!({"count": i32::MAX, "series": null})),
            i32::MAX.unsigned_abs()
        );
    }

    #[test]
    fn source_and_container_are_named() {
        let event = read(json!({"source": {"component": ""}, "reportingComponent": "kubelet",
            "involvedObject": {"fieldPath": "spec.initContainers{setup}"}}))
        .into_event();
        assert_eq!((event.source.as_str(), event.container.as_str()), ("kubelet", "setup"));
        assert_eq!(container("spec.containers{app}"), "app");
        assert_eq!(container("spec.ephemeralContainers{debug}"), "debug");
        for path in ["", "spec", "spec.containers", "spec.containers[2]", "metadata{x}"] {
            assert_eq!(container(path), "", "{path}");
        }
    }
}
