//! The JSON encoding. A list is cut into its items while it arrives; a watch has one line for each
//! event.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{DecodeError, Event, INITIAL_EVENTS_END, ListDecoder, ListMeta, MAX_OBJECT, Object, WatchDecoder};
use crate::wire::{self, status::Status};

pub(super) mod split;

use split::{Part, Splitter};

/// A decoder of one response to a list.
#[derive(Default)]
pub(super) struct List {
    splitter: Splitter,
    meta: Option<ListMeta>,
}

impl ListDecoder for List {
    fn push(&mut self, bytes: &[u8], pods: &mut Vec<Object>) -> Result<(), DecodeError> {
        let meta = &mut self.meta;
        self.splitter.push(bytes, &mut |part, bytes| {
            match part {
                Part::Item => pods.push(pod(bytes).0),
                // This does not happen, because an oversized item of a list of pods is an error
                // that ends the list.
                Part::Oversized => {}
                Part::Metadata => *meta = Some(list_meta(bytes)?),
            }
            Ok(())
        })
    }

    fn finish(self: Box<Self>) -> Result<ListMeta, DecodeError> {
        ListMeta::finish(self.meta, self.splitter.is_complete())
    }

    #[cfg(test)]
    fn held(&self) -> usize {
        self.splitter.held()
    }
}

/// A decoder of one response to a watch.
#[derive(Default)]
pub(super) struct Watch {
    /// The beginning of an incomplete line.
    rest: Vec<u8>,
}

impl WatchDecoder for Watch {
    fn push(&mut self, mut bytes: &[u8], events: &mut Vec<Event>) -> Result<(), DecodeError> {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (line, rest) = bytes.split_at(end);
            bytes = rest.get(1..).unwrap_or_default();
            if self.rest.is_empty() {
                events.extend(event(line)?);
            } else {
                self.keep(line)?;
                events.extend(event(&self.rest)?);
                // `clear` would keep the memory of the largest event for as long as the watch
                // lives.
                self.rest = Vec::new();
            }
        }
        self.keep(bytes)
    }

    #[cfg(test)]
    fn held(&self) -> usize {
        self.rest.capacity()
    }
}

impl Watch {
    fn keep(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        if self.rest.len() + bytes.len() > MAX_OBJECT {
            return Err(DecodeError::too_long("an event", MAX_OBJECT));
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

/// The metadata that a bookmark has, and that identifies an invalid object.
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
    #[serde(rename = "annotations", deserialize_with = "initial_events_end")]
    initial_events_end: Option<String>,
    #[serde(rename = "continue", deserialize_with = "wire::nullable")]
    token: String,
}

fn initial_events_end<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    wire::annotation(deserializer, INITIAL_EVENTS_END)
}

/// Reads the event of a line; `None` for an empty line.
fn event(line: &[u8]) -> Result<Option<Event>, DecodeError> {
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
                end: head.initial_events_end.is_some_and(|value| value == "true"),
                version: head.resource_version,
            }
        }
        "ERROR" => Event::Error(Status::parse(object).unwrap_or_default()),
        _ => return Err(DecodeError::unknown_event()),
    }))
}

/// Reads a pod and its version.
fn pod(bytes: &[u8]) -> (Object, String) {
    match serde_json::from_slice::<wire::Pod>(bytes) {
        Ok(pod) => Object::read(pod),
        Err(error) => {
            let head = head(bytes).metadata;
            (
                Object::invalid(&head.namespace, &head.name, error),
                head.resource_version,
            )
        }
    }
}

/// Reads the metadata of an object, as far as possible.
fn head(bytes: &[u8]) -> Head {
    serde_json::from_slice(bytes).unwrap_or_default()
}

fn list_meta(bytes: &[u8]) -> Result<ListMeta, DecodeError> {
    let meta: HeadMeta = serde_json::from_slice(bytes).map_err(|error| not_json("the list's metadata", &error))?;
    Ok(ListMeta {
        version: meta.resource_version,
        token: meta.token,
    })
}

/// Makes the error for a text that is not the expected JSON. It says where the text is wrong,
/// without a quotation.
fn not_json(what: &str, error: &serde_json::Error) -> DecodeError {
    DecodeError(format!("{what} is not JSON of Kubernetes (at byte {})", error.column()))
}

#[cfg(test)]
mod tests;
