//! The protobuf encoding.
//!
//! A list is the magic followed by an `Unknown` that contains a `PodList`. It is read field by
//! field while it arrives, so at most one item is held. A watch is a sequence of frames: a
//! big-endian length of four bytes, and a `WatchEvent` without magic, which contains a wrapped
//! object.

use std::borrow::Cow;

use super::{
    DecodeError, Event, INITIAL_EVENTS_END, ListDecoder, ListMeta, MAX_OBJECT, Object, WatchDecoder,
    chunk_buffer::ChunkBuffer,
};
use crate::{
    protobuf::{self, Broken, Field, Fields, MAGIC, Varint},
    wire::{self, status::Status},
};

impl From<Broken> for DecodeError {
    fn from(_: Broken) -> Self {
        Self("the response is not a list of Kubernetes objects in protobuf".to_owned())
    }
}

/// The position of a list's decoder in the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
enum At {
    #[default]
    Magic,
    Key,
    /// Within a number that is not needed.
    Number,
    Length {
        field: u64,
    },
    Held {
        part: Part,
        length: usize,
    },
    Skipped {
        bytes: u64,
    },
}

/// The fields that are held until they are complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    TypeMeta,
    ListMeta,
    Item,
}

/// A decoder of one response to a list.
#[derive(Debug, Default)]
pub(super) struct List {
    at: At,
    varint: Varint,
    chunks: ChunkBuffer,
    /// The number of bytes of the `PodList` that have not arrived; `None` outside the `PodList`.
    inside: Option<u64>,
    /// Whether the `PodList` has begun.
    began: bool,
    is_pod_list: bool,
    meta: Option<ListMeta>,
}

impl ListDecoder for List {
    fn push(&mut self, mut bytes: &[u8], pods: &mut Vec<Object>) -> Result<(), DecodeError> {
        loop {
            let (before, inside) = (bytes.len(), self.inside);
            let goes_on = self.step(&mut bytes, pods)?;
            if let Some(inside) = inside {
                let taken = u64::try_from(before - bytes.len()).unwrap_or(u64::MAX);
                self.inside = Some(inside.checked_sub(taken).ok_or(Broken)?);
            }
            if self.inside == Some(0) {
                match self.at {
                    At::Key if self.varint.is_whole() => self.inside = None,
                    At::Held { length: 0, .. } | At::Skipped { bytes: 0 } => {}
                    // The field would extend beyond the list.
                    _ => return Err(Broken.into()),
                }
            }
            if !goes_on {
                return Ok(());
            }
        }
    }

    fn finish(self: Box<Self>) -> Result<ListMeta, DecodeError> {
        let complete = self.at == At::Key && self.varint.is_whole() && self.inside.is_none();
        ListMeta::finish(self.meta, complete)
    }

    #[cfg(test)]
    fn held(&self) -> usize {
        self.chunks.held()
    }
}

impl List {
    /// Takes the next element. Returns whether `bytes` may hold more.
    fn step(&mut self, bytes: &mut &[u8], pods: &mut Vec<Object>) -> Result<bool, DecodeError> {
        match self.at {
            At::Magic => {
                let Some(magic) = self.chunks.take(MAGIC.len(), bytes) else {
                    return Ok(false);
                };
                if *magic != MAGIC {
                    return Err(Broken.into());
                }
                self.at = At::Key;
            }
            At::Key => {
                let Some(key) = self.varint.push(bytes)? else {
                    return Ok(false);
                };
                self.at = match key & 7 {
                    0 => At::Number,
                    1 => At::Skipped { bytes: 8 },
                    2 => At::Length { field: key >> 3 },
                    5 => At::Skipped { bytes: 4 },
                    _ => return Err(Broken.into()),
                };
            }
            At::Number => {
                if self.varint.push(bytes)?.is_none() {
                    return Ok(false);
                }
                self.at = At::Key;
            }
            At::Length { field } => {
                let Some(length) = self.varint.push(bytes)? else {
                    return Ok(false);
                };
                self.at = self.enter(field, length)?;
            }
            At::Held { part, length } => {
                let Some(whole) = self.chunks.take(length, bytes) else {
                    return Ok(false);
                };
                self.part(part, &whole, pods)?;
                self.at = At::Key;
            }
            At::Skipped { bytes: left } => {
                let now = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                *bytes = bytes.get(now..).unwrap_or_default();
                self.at = match left - now as u64 {
                    0 => At::Key,
                    bytes => At::Skipped { bytes },
                };
                return Ok(self.at == At::Key);
            }
        }
        Ok(true)
    }

    /// Returns how to read a field of this length.
    fn enter(&mut self, field: u64, length: u64) -> Result<At, DecodeError> {
        let part = match (self.inside, field) {
            (Some(left), _) if length > left => return Err(Broken.into()),
            (None, 1) => Part::TypeMeta,
            (None, 2) => {
                if self.began || !self.is_pod_list {
                    return Err(Broken.into());
                }
                self.began = true;
                self.inside = Some(length);
                return Ok(At::Key);
            }
            (Some(_), 1) => Part::ListMeta,
            (Some(_), 2) => Part::Item,
            _ => return Ok(At::Skipped { bytes: length }),
        };
        match usize::try_from(length) {
            Ok(length) if length <= MAX_OBJECT => Ok(At::Held { part, length }),
            _ => Err(DecodeError::too_long("an item of the list", MAX_OBJECT)),
        }
    }

    fn part(&mut self, part: Part, bytes: &[u8], pods: &mut Vec<Object>) -> Result<(), DecodeError> {
        match part {
            Part::TypeMeta => self.is_pod_list = protobuf::kind(bytes)? == b"PodList",
            Part::ListMeta => self.meta = Some(list_meta(bytes)?),
            Part::Item => pods.push(pod(bytes).0),
        }
        Ok(())
    }
}

fn list_meta(message: &[u8]) -> Result<ListMeta, Broken> {
    let mut meta = ListMeta::default();
    for field in Fields::new(message) {
        match field? {
            (2, version) => meta.version = version.text(),
            (3, token) => meta.token = token.text(),
            _ => {}
        }
    }
    Ok(meta)
}

/// A decoder of one response to a watch.
#[derive(Debug, Default)]
pub(super) struct Watch {
    chunks: ChunkBuffer,
    /// The length of the current frame; `None` until it has arrived.
    length: Option<usize>,
}

impl WatchDecoder for Watch {
    fn push(&mut self, mut bytes: &[u8], events: &mut Vec<Event>) -> Result<(), DecodeError> {
        loop {
            let Some(length) = self.length else {
                let Some(prefix) = self.chunks.take(4, &mut bytes) else {
                    return Ok(());
                };
                let length = prefix.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
                if length > MAX_OBJECT {
                    return Err(DecodeError::too_long("an event", MAX_OBJECT));
                }
                self.length = Some(length);
                continue;
            };
            let Some(frame) = self.chunks.take(length, &mut bytes) else {
                return Ok(());
            };
            self.length = None;
            events.push(event(&frame)?);
        }
    }

    #[cfg(test)]
    fn held(&self) -> usize {
        self.chunks.held()
    }
}

/// Reads the event of a frame.
fn event(frame: &[u8]) -> Result<Event, DecodeError> {
    let broken = || DecodeError("a frame of the watch is not an event of Kubernetes in protobuf".to_owned());
    let (mut kind, mut wrapped): (&[u8], &[u8]) = (&[], &[]);
    for field in Fields::new(frame) {
        match field.map_err(|_| broken())? {
            (1, named) => kind = named.bytes(),
            (2, extension) => wrapped = raw(extension.bytes()).map_err(|_| broken())?,
            _ => {}
        }
    }
    let object = || protobuf::Object::unwrap(wrapped).ok_or_else(broken);
    Ok(match kind {
        b"ADDED" | b"MODIFIED" => {
            let (object, version) = pod(object()?.message);
            Event::Applied { object, version }
        }
        b"DELETED" => {
            let head = Head::read(object()?.message);
            Event::Deleted {
                namespace: head.namespace.into_owned(),
                name: head.name.into_owned(),
                version: head.version.into_owned(),
            }
        }
        b"BOOKMARK" => {
            let head = Head::read(object()?.message);
            Event::Bookmark {
                version: head.version.into_owned(),
                end: head.ends_initial_events,
            }
        }
        b"ERROR" => Event::Error(Status::parse(wrapped).unwrap_or_default()),
        _ => return Err(DecodeError::unknown_event()),
    })
}

/// Returns the bytes in a `RawExtension`.
fn raw(extension: &[u8]) -> Result<&[u8], Broken> {
    let mut raw: &[u8] = &[];
    for field in Fields::new(extension) {
        if let (1, bytes) = field? {
            raw = bytes.bytes();
        }
    }
    Ok(raw)
}

/// Reads a pod and its version.
fn pod(message: &[u8]) -> (Object, String) {
    match wire::Pod::from_protobuf(message) {
        Ok(pod) => Object::read(pod),
        Err(error) => {
            let head = Head::read(message);
            (
                Object::invalid(&head.namespace, &head.name, error),
                head.version.into_owned(),
            )
        }
    }
}

/// The metadata that a bookmark has, and that identifies an invalid object, as far as it can be
/// read.
#[derive(Debug, Default)]
struct Head<'a> {
    name: Cow<'a, str>,
    namespace: Cow<'a, str>,
    version: Cow<'a, str>,
    ends_initial_events: bool,
}

impl<'a> Head<'a> {
    fn read(object: &'a [u8]) -> Self {
        let mut head = Self::default();
        let whole = |field: Result<(u64, Field<'a>), Broken>| field.ok();
        for (number, metadata) in Fields::new(object).map_while(whole) {
            if number != 1 {
                continue;
            }
            for (number, field) in Fields::new(metadata.bytes()).map_while(whole) {
                let text = || String::from_utf8_lossy(field.bytes());
                match number {
                    1 => head.name = text(),
                    3 => head.namespace = text(),
                    6 => head.version = text(),
                    12 => head.ends_initial_events |= is_initial_events_end(field.bytes()),
                    _ => {}
                }
            }
        }
        head
    }
}

/// Returns whether an annotation is the one that marks the end of the initial events.
fn is_initial_events_end(entry: &[u8]) -> bool {
    let (mut key, mut value): (&[u8], &[u8]) = (&[], &[]);
    for field in Fields::new(entry).map_while(Result::ok) {
        match field {
            (1, text) => key = text.bytes(),
            (2, text) => value = text.bytes(),
            _ => {}
        }
    }
    key == INITIAL_EVENTS_END.as_bytes() && value == b"true"
}

#[cfg(test)]
mod tests;
