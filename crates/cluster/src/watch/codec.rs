//! The encodings of pods.
//!
//! A codec names the media types to ask for and decodes the responses. Decoders take bytes as they
//! arrive and hold no more than the object in progress. An object that does not parse is reported
//! separately, so one invalid pod ends neither a list nor a watch.

use http::{HeaderMap, header::CONTENT_TYPE};

use crate::{
    text::{MAX_TEXT, quote, truncate},
    wire::{self, status::Status},
};

mod chunk_buffer;
mod json;
mod protobuf;

pub(crate) use json::split::{Part, Splitter};

/// The most bytes of one pod or one event. The API server stores at most 1.5 MiB per object.
const MAX_OBJECT: usize = 16 << 20;
/// The most bytes of the name of a pod, a namespace or a node: a DNS-1123 subdomain.
const LONGEST_NAME: usize = MAX_TEXT;
/// The most bytes of a list's version, and of the token for its next page.
const LONGEST_TOKEN: usize = 16 << 10;
/// The annotation of the bookmark that ends the initial events (KEP-3157).
const INITIAL_EVENTS_END: &str = "k8s.io/initial-events-end";

/// An encoding of pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    Protobuf,
    Json,
}

impl Codec {
    /// Returns the `Accept` header that asks for this encoding. It names JSON too, for servers
    /// without protobuf.
    pub(crate) fn accept(self) -> &'static str {
        match self {
            Self::Protobuf => "application/vnd.kubernetes.protobuf, application/json",
            Self::Json => "application/json",
        }
    }

    /// Picks the codec from a response's `Content-Type`. Any other type is tried as JSON, whose
    /// decoder then reports the error.
    pub(crate) fn from_content_type(headers: &HeaderMap) -> Self {
        let named = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media = named.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if media.eq_ignore_ascii_case("application/vnd.kubernetes.protobuf") {
            return Self::Protobuf;
        }
        Self::Json
    }

    /// Returns a decoder for one response to a list.
    pub(crate) fn list(self) -> Box<dyn ListDecoder> {
        match self {
            Self::Protobuf => Box::new(protobuf::List::default()),
            Self::Json => Box::new(json::List::default()),
        }
    }

    /// Returns a decoder for one response to a watch.
    pub(crate) fn watch(self) -> Box<dyn WatchDecoder> {
        match self {
            Self::Protobuf => Box::new(protobuf::Watch::default()),
            Self::Json => Box::new(json::Watch::default()),
        }
    }
}

/// A decoder of a list, or of one page of it.
pub(crate) trait ListDecoder: Send {
    /// Takes the next bytes and adds the pods that they complete.
    fn push(&mut self, bytes: &[u8], pods: &mut Vec<Object>) -> Result<(), DecodeError>;
    /// Returns the list's metadata once all bytes have been pushed.
    fn finish(self: Box<Self>) -> Result<ListMeta, DecodeError>;
    /// Returns the bytes that are held for an incomplete object.
    #[cfg(test)]
    fn held(&self) -> usize;
}

/// A decoder of a watch.
pub(crate) trait WatchDecoder: Send {
    /// Takes the next bytes and adds the events that they complete.
    fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), DecodeError>;
    /// Returns the bytes that are held for an incomplete event.
    #[cfg(test)]
    fn held(&self) -> usize;
}

/// A pod, or an object that does not parse as one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Object {
    Pod(Box<wire::Pod>),
    Invalid {
        /// The object's `namespace/name`, as far as it can be read.
        name: String,
        /// Why it does not parse.
        error: String,
    },
}

impl Object {
    /// Returns a decoded pod with its version. A pod is invalid if it has no name or no namespace,
    /// or if one of its names is longer than Kubernetes allows.
    fn read(pod: wire::Pod) -> (Self, String) {
        let meta = &pod.metadata;
        let version = meta.resource_version.clone();
        if meta.name.is_empty() || meta.namespace.is_empty() {
            let error = "it has no name or no namespace";
            return (Self::invalid(&meta.namespace, &meta.name, error), version);
        }
        let names = [&meta.name, &meta.namespace, &pod.spec.node_name, &pod.status.pod_ip];
        if names.iter().any(|name| name.len() > LONGEST_NAME) {
            let error = format!("one of its names or its IP is longer than {LONGEST_NAME} bytes");
            return (Self::invalid(&meta.namespace, &meta.name, error), version);
        }
        (Self::Pod(Box::new(pod)), version)
    }

    /// Makes an invalid object. Long names are truncated; they match no row.
    fn invalid(namespace: &str, name: &str, error: impl ToString) -> Self {
        Self::Invalid {
            name: format!("{}/{}", truncate(namespace, MAX_TEXT), truncate(name, MAX_TEXT)),
            error: quote(&error.to_string()),
        }
    }
}

/// The metadata of a list.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ListMeta {
    pub(crate) version: String,
    /// The token that asks for the next page; empty on the last.
    pub(crate) token: String,
}

impl ListMeta {
    /// Checks the metadata of a list after its last byte. `complete` says whether the list's end
    /// has arrived.
    fn finish(meta: Option<Self>, complete: bool) -> Result<Self, DecodeError> {
        match meta {
            Some(meta) if meta.version.len().max(meta.token.len()) > LONGEST_TOKEN => Err(DecodeError::too_long(
                "the version of the list or the token for its next page",
                LONGEST_TOKEN,
            )),
            Some(meta) if complete && !meta.version.is_empty() => Ok(meta),
            Some(_) => Err(DecodeError(
                "the list is cut off, or has no resource version".to_owned(),
            )),
            None => Err(DecodeError(
                "the response is not a list of Kubernetes objects".to_owned(),
            )),
        }
    }
}

/// An event of a watch. A `version` is empty if it could not be read.
#[derive(Debug)]
pub(crate) enum Event {
    Applied {
        object: Object,
        version: String,
    },
    Deleted {
        namespace: String,
        name: String,
        version: String,
    },
    Bookmark {
        version: String,
        /// Whether the bookmark ends the initial events of a streaming list.
        end: bool,
    },
    Error(Status),
}

/// The error for bytes that do not match the media type. Nothing after them can be trusted.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct DecodeError(pub(crate) String);

impl DecodeError {
    fn too_long(what: &str, most: usize) -> Self {
        Self(format!("{what} is longer than {most} bytes"))
    }

    fn unknown_event() -> Self {
        Self("the watch sent an event of a kind that Kubernetes does not have".to_owned())
    }
}

#[cfg(test)]
mod tests;
