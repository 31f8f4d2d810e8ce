//! The events of one pod.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use crate::{
    Cluster, Error,
    client::{self, BodyReservation, Client},
    cluster::Inner,
    detail,
    error::Result,
    list::{self, Bounds},
    wire as k8s,
};

mod newest;
mod wire;

use newest::NewestEvents;
use wire::WireEvent;

/// The most events that are returned. They are the newest ones.
pub const MAX_EVENTS: usize = 1_000;
/// The `limit` of one page.
const PAGE: &str = "500";
/// The most bytes of one event. A longer one is skipped. Kubernetes bounds an event's message to 1
/// KiB where it checks it.
const MAX_EVENT: usize = 256 << 10;
/// The most bytes of all pages, enough for 30,000 ordinary events. Kubernetes drops events after an
/// hour, and counts repeated ones in a single event.
const MAX_BYTES: usize = 64 << 20;
/// The annotation on a static pod's mirror that names the UID by which the kubelet, and therefore
/// the pod's events, know the pod.
const MIRROR: &str = "kubernetes.io/config.mirror";

/// An event as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `Normal` or `Warning`.
    pub kind: String,
    /// The reason, in one word.
    pub reason: String,
    /// The message, a sentence.
    pub message: String,
    /// When it first happened, in RFC 3339 and UTC: `firstTimestamp`, else `eventTime`, else the
    /// creation.
    pub first_seen: String,
    /// When it last happened, in RFC 3339 and UTC: the time of the series, else `lastTimestamp`,
    /// else `eventTime`, else the creation.
    pub last_seen: String,
    /// How many times it happened: the count of the series, else that of the event, else 1.
    pub count: u32,
    /// The component that reported it.
    pub source: String,
    /// The container that `involvedObject.fieldPath` names, or empty.
    pub container: String,
}

/// The events of one pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// The newest [`MAX_EVENTS`], newest first.
    pub newest: Vec<Event>,
    /// The number of older events.
    pub left_out: usize,
    /// The number of events that were skipped because they are too long or do not parse.
    pub skipped: usize,
}

impl Events {
    /// Returns a sentence about the events that are not listed; `None` if all of them are.
    pub fn omissions(&self) -> Option<String> {
        let left_out = (self.left_out > 0).then(|| {
            format!(
                "only the newest {MAX_EVENTS} of {} events are listed",
                self.newest.len() + self.left_out
            )
        });
        let skipped =
            (self.skipped > 0).then(|| format!("{} events were skipped because they can't be read", self.skipped));
        let notes: Vec<_> = left_out.into_iter().chain(skipped).collect();
        (!notes.is_empty()).then(|| notes.join("; "))
    }
}

impl Cluster {
    /// Returns the pod's events, newest first.
    ///
    /// An event belongs to the pod if the UID in it is the pod's or the one in the pod's
    /// `kubernetes.io/config.mirror` annotation, or if it has no UID and is not older than the pod.
    /// The newest Warning that explains why the pod is not ready is remembered for the reason in
    /// the pod's row.
    ///
    /// # Errors
    /// [`crate::Error::PodNotFound`], [`crate::Error::Busy`], and those of every call.
    pub async fn events(&self, namespace: &str, name: &str) -> Result<Events> {
        let client = self.client().await?;
        let request = client::get(&detail::pod_path(namespace, name)?)?;
        let what = client.what(&request);
        let mut body = client.bytes(request).await?;
        let subject: Subject = body.parse(&what).await?;
        // A pod that does not parse has no row.
        let pod = body.parse(&what).await.ok();
        drop(body);
        let pages = Pages {
            client: &client,
            namespace,
            name,
            subject: &subject.metadata,
        };
        let kept = client
            .within(
                pages.read(),
                &format!(
                    "the list of the events of pod `{namespace}/{name}` on cluster `{}`",
                    self.name()
                ),
            )
            .await?;
        let (newest, left_out, skipped) = kept.into_parts();
        if let Some(pod) = pod {
            let Inner {
                warnings, index, spec, ..
            } = self.inner.as_ref();
            if warnings.remember(&pod, newest.iter().find_map(WireEvent::warning), index, spec.id) {
                self.inner.rows_changed();
            }
        }
        Ok(Events {
            newest: newest.into_iter().map(WireEvent::into_event).collect(),
            left_out,
            skipped,
        })
    }
}

/// The list of all events that name a pod, including events of earlier pods with the same name.
struct Pages<'a> {
    client: &'a Client,
    namespace: &'a str,
    name: &'a str,
    subject: &'a SubjectMetadata,
}

impl<'a> Pages<'a> {
    /// Reads all pages. If a page fails, for example because a compaction in the API server expired
    /// its token, the list is read again in one piece.
    async fn read(&self) -> Result<NewestEvents<'a>> {
        let (mut kept, mut token) = (self.newest(), String::new());
        // The bounds apply to all attempts together, so every list ends.
        let mut bounds = Bounds {
            item: MAX_EVENT,
            left: MAX_BYTES,
        };
        let mut reservation = BodyReservation::new(&self.client.policy);
        loop {
            let page = self.request(Some(&token))?;
            match list::page(self.client, page, &mut bounds, &mut reservation, &mut kept).await {
                Ok(meta) => token = meta.token,
                Err(Error::Upstream { .. }) if !token.is_empty() => {
                    kept = self.newest();
                    let whole = self.request(None)?;
                    list::page(self.client, whole, &mut bounds, &mut reservation, &mut kept).await?;
                    return Ok(kept);
                }
                Err(error) => return Err(error),
            }
            if token.is_empty() {
                return Ok(kept);
            }
        }
    }

    fn newest(&self) -> NewestEvents<'a> {
        NewestEvents::new(self.subject, self.namespace, self.name)
    }

    /// Makes the request for a page, or for the whole list if `token` is `None`.
    fn request(&self, token: Option<&str>) -> Result<http::Request<Vec<u8>>> {
        let Self { namespace, name, .. } = self;
        let selector =
            format!("involvedObject.kind=Pod,involvedObject.name={name},involvedObject.namespace={namespace}");
        let mut query = vec![("fieldSelector", selector.as_str())];
        query.extend(token.map(|_| ("limit", PAGE)));
        query.extend(token.filter(|token| !token.is_empty()).map(|token| ("continue", token)));
        client::get(&client::uri(&["api", "v1", "namespaces", namespace, "events"], &query)?)
    }
}

/// The pod whose events are read.
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
    #[serde(rename = "annotations", deserialize_with = "mirror")]
    mirror: Option<String>,
}

fn mirror<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<String>, D::Error> {
    k8s::annotation(deserializer, MIRROR)
}

impl SubjectMetadata {
    /// Returns whether an event that names the pod is about this pod, rather than an earlier one
    /// with the same name.
    fn is_meant_by(&self, event: &WireEvent) -> bool {
        let uid = &event.involved_object.uid;
        if uid.is_empty() {
            return event.last_seen() >= self.creation_timestamp;
        }
        *uid == self.uid || self.mirror.as_ref() == Some(uid)
    }
}
