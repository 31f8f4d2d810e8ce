//! How pods travel: the media type that is asked for, and how its bytes become pods. Decoders take bytes as they come and isolate what
//! does not parse, so that one odd pod ends neither a list nor a watch.

use crate::{error::Status, wire};

mod json;

pub(crate) use json::Json;

/// The most bytes of one pod or one event. The API server stores 1.5 MiB an object at most.
const MAX_OBJECT: usize = 16 << 20;

/// A way to encode pods.
pub(crate) trait Codec: Send + Sync + 'static {
    /// The `Accept` header.
    fn accept(&self) -> &'static str;
    /// Decodes one answer to a list.
    fn list(&self) -> Box<dyn ListDecoder>;
    /// Decodes one answer to a watch.
    fn watch(&self) -> Box<dyn WatchDecoder>;
}

/// Decodes a list, or a page of one.
pub(crate) trait ListDecoder: Send {
    /// Takes the next bytes and adds the pods that they complete.
    fn push(&mut self, bytes: &[u8], pods: &mut Vec<Object>) -> Result<(), Garbage>;
    /// What the list says of itself, once all bytes are in.
    fn finish(self: Box<Self>) -> Result<ListMeta, Garbage>;
}

/// Decodes a watch.
pub(crate) trait WatchDecoder: Send {
    /// Takes the next bytes and adds the events that they complete.
    fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), Garbage>;
}

/// A pod, or what should have been one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Object {
    Pod(Box<wire::Pod>),
    Odd {
        /// `namespace/name`, as far as it can be read.
        name: String,
        /// What is wrong with it.
        error: String,
    },
}

/// `metadata` of a list.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ListMeta {
    pub(crate) version: String,
    /// Asks for the next page; empty on the last.
    pub(crate) token: String,
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
pub(crate) struct Garbage(pub(crate) String);
