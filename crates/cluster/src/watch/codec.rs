//! How pods travel: the media types that are asked for, and how the bytes of an answer become pods. Decoders take bytes as they come, hold no
//! more than the object that is under way, and isolate what does not parse, so that one odd pod ends neither a list nor a watch.

use http::{HeaderMap, header::CONTENT_TYPE};

use crate::{
    text::{MAX_TEXT, quote, truncate},
    wire::{self, status::Status},
};

mod chunk_buffer;
mod json;
mod protobuf;

pub(crate) use json::split::{Part, Splitter};

/// The most bytes of one pod or one event. The API server stores 1.5 MiB an object at most.
const MAX_OBJECT: usize = 16 << 20;
/// Bytes of the longest name of a pod, a namespace or a node: a DNS-1123 subdomain.
const LONGEST_NAME: usize = MAX_TEXT;
/// Bytes of the longest version of a list, and of the longest token for its next page.
const LONGEST_TOKEN: usize = 16 << 10;
/// The annotation of the bookmark that ends the initial events (KEP-3157).
const INITIAL_EVENTS_END: &str = "k8s.io/initial-events-end";

/// A way to encode pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    Protobuf,
    Json,
}

impl Codec {
    /// The `Accept` header that asks for it. A server that has no protobuf finds JSON in the same header.
    pub(crate) fn accept(self) -> &'static str {
        match self {
            Self::Protobuf => "application/vnd.kubernetes.protobuf, application/json",
            Self::Json => "application/json",
        }
    }

    /// That of an answer, by its `Content-Type`. What is neither is read as JSON, which then says that it is none.
    pub(crate) fn from_content_type(headers: &HeaderMap) -> Self {
        let named = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media = named.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if media.eq_ignore_ascii_case("application/vnd.kubernetes.protobuf") {
            return Self::Protobuf;
        }
        Self::Json
    }

    /// Decodes one answer to a list.
    pub(crate) fn list(self) -> Box<dyn ListDecoder> {
        match self {
            Self::Protobuf => Box::new(protobuf::List::default()),
            Self::Json => Box::new(json::List::default()),
        }
    }

    /// Decodes one answer to a watch.
    pub(crate) fn watch(self) -> Box<dyn WatchDecoder> {
        match self {
            Self::Protobuf => Box::new(protobuf::Watch::default()),
            Self::Json => Box::new(json::Watch::default()),
        }
    }
}

/// Decodes a list, or a page of one.
pub(crate) trait ListDecoder: Send {
    /// Takes the next bytes and adds the pods that they complete.
    fn push(&mut self, bytes: &[u8], pods: &mut Vec<Object>) -> Result<(), DecodeError>;
    /// What the list says of itself, once all bytes are in.
    fn finish(self: Box<Self>) -> Result<ListMeta, DecodeError>;
    /// Bytes that wait for the rest of their object.
    #[cfg(test)]
    fn held(&self) -> usize;
}

/// Decodes a watch.
pub(crate) trait WatchDecoder: Send {
    /// Takes the next bytes and adds the events that they complete.
    fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), DecodeError>;
    /// Bytes that wait for the rest of their event.
    #[cfg(test)]
    fn held(&self) -> usize;
}

/// A pod, or what should have been one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Object {
    Pod(Box<wire::Pod>),
    Invalid {
        /// `namespace/name`, as far as it can be read.
        name: String,
        /// What is wrong with it.
        error: String,
    },
}

impl Object {
    /// A pod that was read, with its version. One without a name or a namespace is odd, and so is one whose names no Kubernetes takes.
    fn read(pod: wire::Pod) -> (Self, String) {
        let meta = &pod.metadata;
        let version = meta.resource_version.clone();
        if meta.name.is_empty() || meta.namespace.is_empty() {
            let error = "it has no name or no namespace";
            return (Self::invalid(&meta.namespace, &meta.name, error), version);
        }
        let names = [&meta.name, &meta.namespace, &pod.spec.node_name, &pod.status.pod_ip];
        if names.iter().any(|name| name.len() > LONGEST_NAME) {
            let error = format!("a name or an IP of it is longer than {LONGEST_NAME} bytes");
            return (Self::invalid(&meta.namespace, &meta.name, error), version);
        }
        (Self::Pod(Box::new(pod)), version)
    }

    /// One that is odd. A name that is cut is no row's.
    fn invalid(namespace: &str, name: &str, error: impl ToString) -> Self {
        Self::Invalid {
            name: format!("{}/{}", truncate(namespace, MAX_TEXT), truncate(name, MAX_TEXT)),
            error: quote(&error.to_string()),
        }
    }
}

/// `metadata` of a list.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ListMeta {
    pub(crate) version: String,
    /// Asks for the next page; empty on the last.
    pub(crate) token: String,
}

impl ListMeta {
    /// That of a list whose bytes are all in; `complete` if it came to its end.
    fn finish(meta: Option<Self>, complete: bool) -> Result<Self, DecodeError> {
        match meta {
            Some(meta) if meta.version.len().max(meta.token.len()) > LONGEST_TOKEN => Err(DecodeError::too_long(
                "the version of the list or the token for its next page",
                LONGEST_TOKEN,
            )),
            Some(meta) if complete && !meta.version.is_empty() => Ok(meta),
            Some(_) => Err(DecodeError(
                "the list ends in its middle, or has no resource version".to_owned(),
            )),
            None => Err(DecodeError("the answer is not a list of Kubernetes objects".to_owned())),
        }
    }
}

/// What a watch tells. An empty `version` is one that could not be read.
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
        /// It ends the initial events of a streaming list.
        end: bool,
    },
    Error(Status),
}

/// The bytes are not what the media type promises: nothing after them can be trusted.
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
