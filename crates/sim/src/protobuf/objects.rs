//! Pods and failures as they are sent: items of lists, single objects and watch frames.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::schema::{LIST_META, OBJECT_META, POD, POD_SPEC, POD_STATUS, STATUS};
use super::write::{field_len, head, message, mistyped, text, write, write_field};
use super::{MAGIC, Shape};
use crate::shared_json::{self, Draft};

/// The fields after the object in its `Unknown`: an empty encoding and an empty content type.
const TAIL: &[u8] = b"\x1a\x00\x22\x00";

/// The size in bytes from which on a field of metadata or spec is shared with equal fields.
const WORTH_SHARING: usize = 128;

/// A pod's message in pieces. A piece that many pods have in common is kept only once.
#[derive(Debug)]
pub(crate) struct Encoded {
    pieces: Box<[Arc<[u8]>]>,
    len: usize,
}

impl Encoded {
    /// Encodes a pod. Shared pieces come last in their section, which protobuf allows, because the
    /// order of fields is free.
    pub(crate) fn new(draft: &Draft) -> Encoded {
        let mut pieces = Vec::new();
        let nothing = Map::new();
        let pod = draft.value.as_object().unwrap_or(&nothing);
        for (number, name, message) in [
            (1, "metadata", OBJECT_META),
            (2, "spec", POD_SPEC),
            (3, "status", POD_STATUS),
        ] {
            let (mut own, mut shared) = (Vec::new(), Vec::new());
            match pod.get(name) {
                Some(Value::Object(section)) => {
                    for field in message {
                        let begin = own.len();
                        if let Some(known) = draft.shared.iter().find(|it| it.section == name && it.key == field.1) {
                            shared.push(known.protobuf.clone());
                            continue;
                        }
                        write_field(field, section, &mut own);
                        if own.len() - begin >= WORTH_SHARING && name != "status" {
                            shared.push(shared_json::intern(own.get(begin..).unwrap_or_default()));
                            own.truncate(begin);
                        }
                    }
                }
                None | Some(Value::Null) => continue,
                Some(other) => {
                    mistyped(number, other, &mut own);
                    pieces.push(own.into());
                    continue;
                }
            }
            let len = own.len() + shared.iter().map(|piece| piece.len()).sum::<usize>();
            let mut piece = Vec::with_capacity(own.len() + 6);
            head(number, len, &mut piece);
            piece.extend_from_slice(&own);
            pieces.push(piece.into());
            pieces.append(&mut shared);
        }
        Encoded {
            len: pieces.iter().map(|piece: &Arc<[u8]>| piece.len()).sum(),
            pieces: pieces.into(),
        }
    }

    /// Returns the number of bytes that the pod takes as an item of a list.
    pub(crate) fn item_len(&self) -> usize {
        field_len(2, self.len)
    }

    /// Appends the pod as an item of a list.
    pub(crate) fn append_item(&self, out: &mut Vec<u8>) {
        head(2, self.len, out);
        self.append(out);
    }

    fn append(&self, out: &mut Vec<u8>) {
        for piece in &self.pieces {
            out.extend_from_slice(piece);
        }
    }
}

/// Encodes the field `section.key` of a pod as a shared piece.
pub(crate) fn part(section: &str, key: &str, value: &Value) -> Vec<u8> {
    let message = if section == "metadata" { OBJECT_META } else { POD_SPEC };
    let mut out = Vec::new();
    if let Some((number, _, shape)) = message.iter().find(|(_, name, _)| *name == key) {
        write(*number, *shape, value, &mut out);
    }
    out
}

/// Builds the bytes before the items of a `PodList`.
///
/// `items` is the length of the items in bytes. [`list_tail`] comes after them.
pub(crate) fn list_head(metadata: &Value, items: usize) -> Vec<u8> {
    let mut meta = Vec::new();
    write(1, Shape::One(LIST_META), metadata, &mut meta);
    let mut out = begin("PodList", meta.len() + items);
    out.extend_from_slice(&meta);
    out
}

/// Builds a response with one pod.
pub(crate) fn object(pod: &Encoded) -> Vec<u8> {
    let mut out = begin("Pod", pod.len);
    pod.append(&mut out);
    out.extend_from_slice(TAIL);
    out
}

/// Returns the bytes after the items of a `PodList`.
pub(crate) fn list_tail() -> &'static [u8] {
    TAIL
}

/// Builds a response with a failure.
pub(crate) fn failure(status: &Value) -> Vec<u8> {
    wrapped("Status", &message(STATUS, status))
}

/// Appends the frame of an event about a pod.
pub(crate) fn event(kind: &str, pod: &Encoded, out: &mut Vec<u8>) {
    let begin = begin("Pod", pod.len);
    frame(kind, begin.len() + pod.len + TAIL.len(), out);
    out.extend_from_slice(&begin);
    pod.append(out);
    out.extend_from_slice(TAIL);
}

/// Appends the frame of a bookmark, whose pod has metadata only.
pub(crate) fn bookmark(pod: &Value, out: &mut Vec<u8>) {
    let object = wrapped("Pod", &message(POD, pod));
    frame("BOOKMARK", object.len(), out);
    out.extend_from_slice(&object);
}

/// Appends the frame of a failure.
pub(crate) fn failure_event(status: &Value, out: &mut Vec<u8>) {
    let object = failure(status);
    frame("ERROR", object.len(), out);
    out.extend_from_slice(&object);
}

/// Appends the start of a frame: its length, and the event up to the `len` bytes of its object.
fn frame(kind: &str, len: usize, out: &mut Vec<u8>) {
    let event = field_len(1, kind.len()) + field_len(2, field_len(1, len));
    out.extend_from_slice(&u32::try_from(event).unwrap_or(u32::MAX).to_be_bytes());
    text(1, kind, out);
    head(2, field_len(1, len), out);
    head(1, len, out);
}

/// Builds the bytes before an object of `len` bytes: the magic prefix and the beginning of the
/// `Unknown`.
fn begin(kind: &str, len: usize) -> Vec<u8> {
    let mut types = Vec::new();
    text(1, "v1", &mut types);
    text(2, kind, &mut types);
    let mut out = MAGIC.to_vec();
    head(1, types.len(), &mut out);
    out.extend_from_slice(&types);
    head(2, len, &mut out);
    out
}

fn wrapped(kind: &str, message: &[u8]) -> Vec<u8> {
    let mut out = begin(kind, message.len());
    out.extend_from_slice(message);
    out.extend_from_slice(TAIL);
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use serde_json::json;

    use super::*;

    fn pod(value: Value) -> Vec<u8> {
        let mut out = Vec::new();
        Encoded::new(&value.into()).append(&mut out);
        out
    }

    #[test]
    fn an_inline_message_is_written_only_if_not_empty() {
        let probe = |value: Value| pod(json!({"spec": {"containers": [{"livenessProbe": value}]}}));
        let with = probe(json!({"tcpSocket": {"port": 80}, "periodSeconds": 5}));
        assert!(
            with.ends_with(b"\x52\x0c\x0a\x08\x1a\x06\x0a\x04\x08\x00\x10\x50\x20\x05"),
            "{with:x?}"
        );
        assert!(probe(json!({"periodSeconds": 5})).ends_with(b"\x52\x02\x20\x05"));
    }

    #[test]
    fn shared_fields_are_written_in_their_section() {
        let label = "v".repeat(300);
        let value =
            json!({"metadata": {"name": "n", "labels": {"l": label}}, "spec": {"nodeName": "x", "volumes": null}});
        let volumes = part("spec", "volumes", &json!([{"name": "tmp", "emptyDir": {}}]));
        let mut draft = Draft::from(value.clone());
        draft.shared.push(crate::shared_json::SharedField {
            section: "spec",
            key: "volumes",
            text: b"[]"[..].into(),
            protobuf: volumes.into(),
        });
        let mut out = Vec::new();
        let encoded = Encoded::new(&draft);
        encoded.append(&mut out);
        assert_eq!(out.len(), encoded.len);
        assert!(
            out.ends_with(b"\x12\x0e\x52\x01x\x0a\x09\x0a\x03tmp\x12\x02\x12\x00"),
            "{}",
            out.escape_ascii()
        );
        let other = Encoded::new(&value.into());
        assert!(
            Arc::ptr_eq(&encoded.pieces[1], &other.pieces[1]),
            "the labels of both are one"
        );
    }

    #[test]
    fn a_frame_is_as_long_as_it_says() {
        let encoded = Encoded::new(&json!({"metadata": {"name": "n".repeat(300)}}).into());
        let mut out = Vec::new();
        event("ADDED", &encoded, &mut out);
        let len = u32::from_be_bytes(out[..4].try_into().unwrap());
        assert_eq!(usize::try_from(len).unwrap(), out.len() - 4);
        let mut item = Vec::new();
        encoded.append_item(&mut item);
        assert_eq!(item.len(), encoded.item_len());
    }
}
