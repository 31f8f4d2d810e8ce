//! Events of one pod.

use std::{cmp::Reverse, collections::BTreeMap};

use jiff::Timestamp;
use serde::Deserialize;

use crate::{
    Cluster, Error,
    client::{self, Client},
    detail,
    error::Result,
    reason::Warning,
    registry::Inner,
    wire::nullable,
};

/// Events asked for at once.
const PAGE: &str = "500";
/// Pages read at most. Kubernetes forgets events after an hour, and counts what repeats in one: a pod with more has nothing new to say.
const MAX_PAGES: usize = 20;
/// On a static pod's mirror: the UID by which its kubelet, and so its events, call the pod.
const MIRROR: &str = "kubernetes.io/config.mirror";

/// An event as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `Normal` or `Warning`.
    pub kind: String,
    /// Machine-readable reason.
    pub reason: String,
    /// Sentence.
    pub message: String,
    /// RFC 3339 UTC: firstTimestamp, else eventTime, else creation.
    pub first_seen: String,
    /// RFC 3339 UTC: series, else lastTimestamp, else eventTime, else creation.
    pub last_seen: String,
    /// Series, else count, else 1.
    pub count: u32,
    /// The component that reports.
    pub source: String,
    /// The container that `involvedObject.fieldPath` names, or empty.
    pub container: String,
}

impl Cluster {
    /// The pod's events, newest first: those whose UID is the pod's, or its `kubernetes.io/config.mirror` annotation's, or empty and not
    /// older than the pod. The newest Warning among them that explains a pod which is not ready becomes known to its row's reason.
    ///
    /// # Errors
    /// [`crate::Error::PodNotFound`], and those of every call.
    pub async fn events(&self, namespace: &str, name: &str) -> Result<Vec<Event>> {
        let client = self.client().await?;
        let request = client::get(&detail::path(namespace, name)?)?;
        let what = client.what(&request);
        let pod = client.bytes(request, client::MAX_JSON).await?;
        let subject: Subject = client::parse(&pod, &what)?;
        let mut events = match list(&client, namespace, name, Some(PAGE)).await {
            // A page's token expires when the API server compacts its history: then the whole list, in one piece.
            Err(Stopped::Between(Error::Upstream(_))) => list(&client, namespace, name, None).await,
            other => other,
        }
        .map_err(Stopped::error)?;
        events.retain(|event| subject.metadata.is_meant_by(event));
        newest_first(&mut events);
        // A pod that does not parse has no row.
        if let Ok(pod) = serde_json::from_slice(&pod) {
            let Inner {
                warnings, index, spec, ..
            } = self.inner.as_ref();
            if warnings.learn(&pod, events.iter().find_map(Wire::warning), index, spec.id) {
                self.inner.rows_changed();
            }
        }
        Ok(events.into_iter().map(Wire::show).collect())
    }
}

/// Sorts by last and first sighting. Their seconds are too coarse for a pod's start, so the resource version decides between equal ones: a number in
/// practice, and greater the later the event was written. Without one, or with equal ones, the list's order stays.
fn newest_first(events: &mut [Wire]) {
    events.sort_by_key(|event| {
        let version = event.metadata.resource_version.parse::<u64>().ok();
        Reverse((event.last_seen(), event.first_seen(), version))
    });
}

/// Where a list by pages failed.
enum Stopped {
    /// On its first page.
    AtOnce(Error),
    /// On a later page.
    Between(Error),
}

impl Stopped {
    fn error(self) -> Error {
        match self {
            Self::AtOnce(error) | Self::Between(error) => error,
        }
    }
}

/// All events that name the pod, whichever pod of that name they mean.
async fn list(
    client: &Client,
    namespace: &str,
    name: &str,
    limit: Option<&str>,
) -> std::result::Result<Vec<Wire>, Stopped> {
    let selector = format!("involvedObject.kind=Pod,involvedObject.name={name},involvedObject.namespace={namespace}");
    let mut query = vec![("fieldSelector", selector.as_str())];
    query.extend(limit.map(|limit| ("limit", limit)));
    let mut events = Vec::new();
    let mut token = String::new();
    for page in 0..MAX_PAGES {
        let stopped = |error| {
            if page == 0 {
                Stopped::AtOnce(error)
            } else {
                Stopped::Between(error)
            }
        };
        let mut query = query.clone();
        if !token.is_empty() {
            query.push(("continue", &token));
        }
        let uri = client::uri(&["api", "v1", "namespaces", namespace, "events"], &query).map_err(stopped)?;
        let request = client::get(&uri).map_err(stopped)?;
        let list: List = client.json(request).await.map_err(stopped)?;
        events.extend(list.items);
        token = list.metadata.continue_token;
        if token.is_empty() {
            return Ok(events);
        }
    }
    tracing::warn!(cluster = %client.cluster, namespace, pod = name, "the pod has too many events: only some are read");
    Ok(events)
}

/// The pod whose events are asked for.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Subject {
    metadata: SubjectMetadata,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SubjectMetadata {
    uid: String,
    creation_timestamp: Option<Timestamp>,
    #[serde(deserialize_with = "nullable")]
    annotations: BTreeMap<String, String>,
}

impl SubjectMetadata {
    /// Whether an event that names the pod means this one, and not another that had its name.
    fn is_meant_by(&self, event: &Wire) -> bool {
        let uid = &event.involved_object.uid;
        if uid.is_empty() {
            return event.last_seen() >= self.creation_timestamp;
        }
        *uid == self.uid || self.annotations.get(MIRROR) == Some(uid)
    }
}

/// `EventList`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct List {
    #[serde(deserialize_with = "nullable")]
    metadata: ListMetadata,
    #[serde(deserialize_with = "nullable")]
    items: Vec<Wire>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ListMetadata {
    #[serde(rename = "continue", deserialize_with = "nullable")]
    continue_token: String,
}

/// `Event` of `v1`, which also holds those reported through `events.k8s.io/v1`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Wire {
    metadata: Metadata,
    involved_object: InvolvedObject,
    #[serde(rename = "type", deserialize_with = "nullable")]
    kind: String,
    #[serde(deserialize_with = "nullable")]
    reason: String,
    #[serde(deserialize_with = "nullable")]
    message: String,
    first_timestamp: Option<Timestamp>,
    last_timestamp: Option<Timestamp>,
    event_time: Option<Timestamp>,
    /// Signed, and Kubernetes checks no bounds: whoever may write events may write any number.
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
struct Metadata {
    creation_timestamp: Option<Timestamp>,
    #[serde(deserialize_with = "nullable")]
    resource_version: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct InvolvedObject {
    #[serde(deserialize_with = "nullable")]
    uid: String,
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

impl Wire {
    fn first_seen(&self) -> Option<Timestamp> {
        self.first_timestamp
            .or(self.event_time)
            .or(self.metadata.creation_timestamp)
    }

    fn last_seen(&self) -> Option<Timestamp> {
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

    /// The event as a Warning that explains, if it is one.
    fn warning(&self) -> Option<Warning> {
        (self.kind == "Warning" && Warning::tells(&self.reason)).then(|| Warning {
            reason: self.reason.clone(),
            message: self.message.clone(),
            container: container(&self.involved_object.field_path).to_owned(),
        })
    }

    fn show(self) -> Event {
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

/// The container that a field path names: `spec.containers{app}`, and so for init and ephemeral ones. Else empty.
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

    fn read(event: Value) -> Wire {
        serde_json::from_value(event).unwrap()
    }

    #[test]
    fn times_and_counts_are_taken_from_the_first_place_that_has_them() {
        let times = |event| {
            let event = read(event).show();
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
    fn a_count_below_one_is_none() {
        let count = |event| read(event).count();
        assert_eq!(count(json!({"count": -3})), 1);
        assert_eq!(count(json!({"count": 4, "series": {"count": -1}})), 4);
        assert_eq!(
            count(json!({"count": i32::MAX, "series": null})),
            i32::MAX.unsigned_abs()
        );
    }

    #[test]
    fn events_of_one_second_come_newest_first_by_version_and_else_as_listed() {
        let (early, late) = ("2026-01-01T00:00:01Z", "2026-01-01T00:00:02Z");
        let event = |reason: &str, version: &str, first: &str, last: &str| {
            read(
                json!({"reason": reason, "metadata": {"resourceVersion": version}, "firstTimestamp": first, "lastTimestamp": last}),
            )
        };
        let mut events = vec![
            event("Created", "1002", late, late),
            event("Scheduled", "998", late, late),
            event("Started", "1003", late, late),
            event("Pulled", "1001", late, late),
            event("BackOff", "7", early, late),
            event("Before", "2000", early, early),
            event("ListedFirst", "", early, early),
            event("ListedNext", "not-a-number", early, early),
        ];
        newest_first(&mut events);
        let reasons: Vec<_> = events.iter().map(|event| event.reason.as_str()).collect();
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

    #[test]
    fn source_and_container_are_named() {
        let event = read(json!({"source": {"component": ""}, "reportingComponent": "kubelet",
            "involvedObject": {"fieldPath": "spec.initContainers{setup}"}}))
        .show();
        assert_eq!((event.source.as_str(), event.container.as_str()), ("kubelet", "setup"));
        assert_eq!(container("spec.containers{app}"), "app");
        assert_eq!(container("spec.ephemeralContainers{debug}"), "debug");
        for path in ["", "spec", "spec.containers", "spec.containers[2]", "metadata{x}"] {
            assert_eq!(container(path), "", "{path}");
        }
    }
}
