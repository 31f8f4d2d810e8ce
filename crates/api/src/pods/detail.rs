//! `GET …/pods/{name}`: one pod, read live. The cluster's JSON is passed through as text, because
//! parsed values would take many times its memory.

use std::borrow::Cow;

use axum::{extract::State as Extract, response::Response};
use podgate_access::action::GetPod;
use podgate_cluster::{Summary, VIEW_OVERHEAD};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess},
};
use serde_json::value::RawValue;

use super::{answers, schemas::PodDetail};
use crate::{
    ApiError, Authorized, Operation, Params, Schemas, State, Success,
    extract::content_negotiation::{JSON, MediaTypes, Negotiated},
    http::{envelope, etag::IfNoneMatch},
};

const YAML: &str = "application/yaml";
/// The most fields of `spec`, `status` or a container, and the most containers of a list.
/// Kubernetes defines about 40 fields for each.
const MOST: usize = 2_000;
/// The most fields and containers of one detail in total. Each takes 48 bytes while it is
/// processed.
const ALL: usize = 50_000;

/// The media types: the API's JSON, or the manifest as YAML.
#[derive(Debug)]
pub(crate) struct Forms;

impl MediaTypes for Forms {
    const TYPES: &'static [&'static str] = &[JSON, YAML];
}

pub(crate) const GET: Operation = Operation::new("pods.get", "One pod, live.", Success::Data(Schemas::of::<PodDetail>));

/// Returns the pod, or 304 if it has not changed since the caller got it. The cluster is asked in
/// either case.
pub(crate) async fn get(
    Authorized(scoped): Authorized<GetPod>,
    Extract(state): Extract<State>,
    Params(()): Params<()>,
    known: IfNoneMatch,
    accepted: Negotiated<Forms>,
) -> Result<Response, ApiError> {
    let (answers, tags, session) = (state.answers(), state.tags(), scoped.caller().session);
    if accepted.media == YAML {
        let manifest = scoped.manifest().await?;
        return answers::tagged(answers, tags, session, YAML, manifest, &known);
    }
    let pod = scoped.get().await?;
    let text = text(pod.json()).map_err(|error| pod.not_json(&error))?;
    // Frees memory that is for calls to clusters: a client that does not read must not block them.
    drop(pod);
    answers::tagged(answers, tags, session, JSON, text, &known)
}

/// Returns the pod in the API's form, within the envelope.
fn text(json: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    let summary = Summary::from_json(json)?;
    let pod: Pod<'_> = serde_json::from_slice(json)?;
    // A large text must not grow by doubling beyond the bytes counted for it.
    let beside = if json.len() > VIEW_OVERHEAD / 8 {
        VIEW_OVERHEAD
    } else {
        1024
    };
    let mut text = Vec::with_capacity(json.len() + beside);
    serde_json::to_writer(&mut text, &envelope::envelope(&View::of(pod, &summary)?))?;
    Ok(text)
}

/// A value as the cluster wrote it, unless it is `null`.
type Raw<'a> = Option<&'a RawValue>;

#[derive(Deserialize)]
struct Pod<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
    #[serde(borrow, default)]
    spec: Raw<'a>,
    #[serde(borrow, default)]
    status: Raw<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    #[serde(borrow, default)]
    name: Raw<'a>,
    #[serde(borrow, default)]
    namespace: Raw<'a>,
    #[serde(borrow, default)]
    uid: Raw<'a>,
    #[serde(borrow, default)]
    resource_version: Raw<'a>,
    #[serde(borrow, default)]
    labels: Raw<'a>,
    #[serde(borrow, default)]
    annotations: Raw<'a>,
    #[serde(borrow, default)]
    owner_references: Raw<'a>,
    #[serde(borrow, default)]
    creation_timestamp: Raw<'a>,
    #[serde(borrow, default)]
    deletion_timestamp: Raw<'a>,
}

/// The API's form. `spec` and `status` are passed on as Kubernetes has them; the specified fields
/// are always present.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    name: Value<'a>,
    namespace: Value<'a>,
    uid: Value<'a>,
    resource_version: Value<'a>,
    labels: Value<'a>,
    annotations: Value<'a>,
    owner_references: Value<'a>,
    created_at: Value<'a>,
    deletion_timestamp: Value<'a>,
    status_text: &'a str,
    restarts: u32,
    status: Object<'a>,
    spec: Object<'a>,
}

impl<'a> View<'a> {
    fn of(pod: Pod<'a>, summary: &'a Summary) -> Result<Self, serde_json::Error> {
        let Metadata {
            name,
            namespace,
            uid,
            resource_version,
            labels,
            annotations,
            owner_references,
            creation_timestamp,
            deletion_timestamp,
        } = pod.metadata;
        let mut left = Left(ALL);
        Ok(Self {
            name: Value::or(name, Value::Text),
            namespace: Value::or(namespace, Value::Text),
            uid: Value::or(uid, Value::Text),
            resource_version: Value::or(resource_version, Value::Text),
            labels: Value::or(labels, Value::Map),
            annotations: Value::or(annotations, Value::Map),
            owner_references: Value::or(owner_references, Value::List),
            created_at: Value::or(creation_timestamp, Value::Text),
            deletion_timestamp: Value::or(deletion_timestamp, Value::Text),
            status_text: &summary.status,
            restarts: summary.restarts,
            status: status(pod.status, &mut left)?,
            spec: spec(pod.spec, &mut left)?,
        })
    }
}

/// The number of fields and containers that a detail may still have.
struct Left(usize);

impl Left {
    fn take(&mut self, count: usize) -> Result<(), serde_json::Error> {
        let left = self.0.checked_sub(count);
        self.0 = left.ok_or_else(|| de::Error::custom(format!("more than {ALL} fields")))?;
        Ok(())
    }
}

fn status<'a>(status: Raw<'a>, left: &mut Left) -> Result<Object<'a>, serde_json::Error> {
    let mut status = Object::of(status, left)?;
    status.fill(&[
        ("phase", Value::Text),
        ("conditions", Value::List),
        ("containerStatuses", Value::List),
    ]);
    let absent = [
        ("ready", Value::False),
        ("restartCount", Value::Zero),
        ("state", Value::Map),
    ];
    status.each("containerStatuses", &absent, left)?;
    Ok(status)
}

fn spec<'a>(spec: Raw<'a>, left: &mut Left) -> Result<Object<'a>, serde_json::Error> {
    let mut spec = Object::of(spec, left)?;
    spec.fill(&[
        ("nodeName", Value::Text),
        ("containers", Value::List),
        ("volumes", Value::List),
    ]);
    let absent = [
        ("image", Value::Text),
        ("ports", Value::List),
        ("resources", Value::Map),
        ("volumeMounts", Value::List),
    ];
    spec.each("containers", &absent, left)?;
    Ok(spec)
}

/// A value of the response: as the cluster wrote it, or the default of an absent one.
#[derive(Clone, Debug)]
enum Value<'a> {
    /// The cluster's own text.
    Raw(&'a RawValue),
    /// A list: objects with their absent fields filled in, and other items as they came.
    Items(Vec<Result<Object<'a>, &'a RawValue>>),
    /// `""`.
    Text,
    /// `[]`.
    List,
    /// `{}`.
    Map,
    /// `false`.
    False,
    /// `0`.
    Zero,
}

impl<'a> Value<'a> {
    fn or(raw: Raw<'a>, absent: Self) -> Self {
        raw.map_or(absent, Self::Raw)
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Raw(raw) => raw.serialize(serializer),
            Self::Items(items) => serializer.collect_seq(items.iter().map(|item| match item {
                Ok(object) => Item::Object(object),
                Err(raw) => Item::Raw(raw),
            })),
            Self::Text => serializer.serialize_str(""),
            Self::List => serializer.collect_seq([(); 0]),
            Self::Map => serializer.collect_map([((), ()); 0]),
            Self::False => serializer.serialize_bool(false),
            Self::Zero => serializer.serialize_u64(0),
        }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Item<'a> {
    Object(&'a Object<'a>),
    Raw(&'a RawValue),
}

/// The fields of an object, in the cluster's order.
#[derive(Clone, Debug, Default)]
struct Object<'a> {
    fields: Vec<(Cow<'a, str>, Value<'a>)>,
}

impl<'a> Object<'a> {
    /// Returns the fields of an object, or none for any other value.
    fn of(raw: Raw<'a>, left: &mut Left) -> Result<Self, serde_json::Error> {
        let object = match raw {
            Some(raw) if raw.get().starts_with('{') => serde_json::from_str(raw.get())?,
            _ => Self::default(),
        };
        left.take(object.fields.len())?;
        Ok(object)
    }

    /// Fills in absent and null fields with their empty values.
    fn fill(&mut self, absent: &[(&'static str, Value<'a>)]) {
        for (name, value) in absent {
            match self.fields.iter_mut().find(|(field, _)| field == name) {
                Some((_, Value::Raw(raw))) if raw.get() != "null" => {}
                Some((_, slot)) => slot.clone_from(value),
                None => self.fields.push((Cow::Borrowed(*name), value.clone())),
            }
        }
    }

    /// Fills in the fields of each object of a list.
    fn each(
        &mut self,
        list: &str,
        absent: &[(&'static str, Value<'a>)],
        left: &mut Left,
    ) -> Result<(), serde_json::Error> {
        let lists = self.fields.iter_mut().filter(|(field, _)| field == list);
        for (_, value) in lists {
            if let Value::Raw(raw) = value
                && raw.get().starts_with('[')
            {
                let Items(items) = serde_json::from_str(raw.get())?;
                left.take(items.len())?;
                let filled = items.into_iter().map(|item| {
                    if !item.get().starts_with('{') {
                        return Ok(Err(item));
                    }
                    let mut object = Object::of(Some(item), left)?;
                    object.fill(absent);
                    Ok(Ok(object))
                });
                *value = Value::Items(filled.collect::<Result<_, serde_json::Error>>()?);
            }
        }
        Ok(())
    }
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.fields.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "an object of at most {MOST} fields")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some((Name(name), value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    if fields.len() == MOST {
                        return Err(de::Error::invalid_length(MOST + 1, &self));
                    }
                    fields.push((name, Value::Raw(value)));
                }
                Ok(Object { fields })
            }
        }

        deserializer.deserialize_map(Visitor)
    }
}

/// A field's name, borrowed if it has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// At most [`MOST`] items.
struct Items<'a>(Vec<&'a RawValue>);

impl<'de> Deserialize<'de> for Items<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Items<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "a list of at most {MOST} items")
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Items<'de>, A::Error> {
                let mut few = Vec::new();
                while let Some(item) = items.next_element()? {
                    if few.len() == MOST {
                        return Err(de::Error::invalid_length(MOST + 1, &self));
                    }
                    few.push(item);
                }
                Ok(Items(few))
            }
        }

        deserializer.deserialize_seq(Visitor)
    }
}

#[cfg(test)]
mod tests;
