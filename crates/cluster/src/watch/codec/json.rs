//! JSON: a list is cut into its items while it arrives, a watch is a line for each event.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Codec, Event, Garbage, ListDecoder, ListMeta, MAX_OBJECT, Object, WatchDecoder};
use crate::{error::Status, wire};

mod split;

use split::{Part, Splitter};

/// The annotation of the bookmark that ends the initial events (KEP-3157).
const INITIAL_EVENTS_END: &str = "k8s.io/initial-events-end";

/// `application/json`.
#[derive(Debug)]
pub(crate) struct Json;

impl Codec for Json {
    fn accept(&self) -> &'static str {
        "application/json"
    }

    fn list(&self) -> Box<dyn ListDecoder> {
        Box::new(List::default())
    }

    fn watch(&self) -> Box<dyn WatchDecoder> {
        Box::new(Watch::default())
    }
}

#[derive(Default)]
struct List {
    splitter: Splitter,
    meta: Option<ListMeta>,
}

impl ListDecoder for List {
    fn push(&mut self, bytes: &[u8], pods: &mut Vec<Object>) -> Result<(), Garbage> {
        let meta = &mut self.meta;
        self.splitter.push(bytes, &mut |part, bytes| {
            match part {
                Part::Item => pods.push(pod(bytes).0),
                Part::Metadata => *meta = Some(list_meta(bytes)?),
            }
            Ok(())
        })
    }

    fn finish(self: Box<Self>) -> Result<ListMeta, Garbage> {
        match self.meta {
            Some(meta) if self.splitter.is_complete() && !meta.version.is_empty() => Ok(meta),
            Some(_) => Err(Garbage(
                "the list ends in its middle, or has no resource version".to_owned(),
            )),
            None => Err(Garbage("the answer is not a list of Kubernetes objects".to_owned())),
        }
    }
}

#[derive(Default)]
struct Watch {
    /// The beginning of a line whose end has not come.
    rest: Vec<u8>,
}

impl WatchDecoder for Watch {
    fn push(&mut self, mut bytes: &[u8], events: &mut Vec<Event>) -> Result<(), Garbage> {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (line, rest) = bytes.split_at(end);
            bytes = rest.get(1..).unwrap_or_default();
            if self.rest.is_empty() {
                events.extend(event(line)?);
            } else {
                self.keep(line)?;
                events.extend(event(&self.rest)?);
                // Not `clear`: one large event must not cost its size as long as the watch lives.
                self.rest = Vec::new();
            }
        }
        self.keep(bytes)
    }
}

impl Watch {
    fn keep(&mut self, bytes: &[u8]) -> Result<(), Garbage> {
        if self.rest.len() + bytes.len() > MAX_OBJECT {
            return Err(Garbage(format!("an event is longer than {MAX_OBJECT} bytes")));
        }
        self.rest.extend_from_slice(bytes);
        Ok(())
    }
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    object: &'a RawValue,
}

/// As much of an object as a bookmark has, and as identifies one that is odd otherwise.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Head {
    metadata: HeadMeta,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct HeadMeta {
    #[serde(deserialize_with = "wire::nullable")]
    name: String,
    #[serde(deserialize_with = "wire::nullable")]
    namespace: String,
    #[serde(deserialize_with = "wire::nullable")]
    resource_version: String,
    #[serde(deserialize_with = "wire::nullable")]
    annotations: BTreeMap<String, String>,
    #[serde(rename = "continue", deserialize_with = "wire::nullable")]
    token: String,
}

/// The event of a line; none for an empty one.
fn event(line: &[u8]) -> Result<Option<Event>, Garbage> {
    if line.trim_ascii().is_empty() {
        return Ok(None);
    }
    let line: Line<'_> = serde_json::from_slice(line).map_err(|error| not_json("a line of the watch", &error))?;
    let object = line.object.get().as_bytes();
    Ok(Some(match &*line.kind {
        "ADDED" | "MODIFIED" => {
            let (object, version) = pod(object);
            Event::Applied { object, version }
        }
        "DELETED" => {
            let head = head(object).metadata;
            Event::Deleted {
                namespace: head.namespace,
                name: head.name,
                version: head.resource_version,
            }
        }
        "BOOKMARK" => {
            let head = head(object).metadata;
            Event::Bookmark {
                end: head
                    .annotations
                    .get(INITIAL_EVENTS_END)
                    .is_some_and(|value| value == "true"),
                version: head.resource_version,
            }
        }
        "ERROR" => Event::Error(Status::parse(object).unwrap_or_default()),
        _ => {
            return Err(Garbage(
                "the watch tells an event of a kind that Kubernetes does not have".to_owned(),
            ));
        }
    }))
}

/// The pod and its version.
fn pod(bytes: &[u8]) -> (Object, String) {
    match serde_json::from_slice::<wire::Pod>(bytes) {
        Ok(pod) if pod.metadata.name.is_empty() || pod.metadata.namespace.is_empty() => {
            let odd = Object::Odd {
                name: format!("{}/{}", pod.metadata.namespace, pod.metadata.name),
                error: "it has no name or no namespace".to_owned(),
            };
            (odd, pod.metadata.resource_version)
        }
        Ok(pod) => {
            let version = pod.metadata.resource_version.clone();
            (Object::Pod(Box::new(pod)), version)
        }
        Err(error) => {
            let head = head(bytes).metadata;
            let odd = Object::Odd {
                name: format!("{}/{}", head.namespace, head.name),
                error: error.to_string(),
            };
            (odd, head.resource_version)
        }
    }
}

/// What can be read of an object's metadata.
fn head(bytes: &[u8]) -> Head {
    serde_json::from_slice(bytes).unwrap_or_default()
}

fn list_meta(bytes: &[u8]) -> Result<ListMeta, Garbage> {
    let meta: HeadMeta = serde_json::from_slice(bytes).map_err(|error| not_json("the list's metadata", &error))?;
    Ok(ListMeta {
        version: meta.resource_version,
        token: meta.token,
    })
}

/// Says where, and not what: it may be of anything.
fn not_json(what: &str, error: &serde_json::Error) -> Garbage {
    Garbage(format!("{what} is not JSON of Kubernetes (at byte {})", error.column()))
}

#[cfg(test)]
mod tests;
