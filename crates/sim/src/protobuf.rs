//! Pods and failures in protobuf, by field tables of our own.
//!
//! The tables are written apart from the decoder of the `cluster` crate, so that a mistake in one
//! shows in tests against the other.

mod objects;
mod schema;
mod write;

pub(crate) use objects::{Encoded, bookmark, event, failure, failure_event, list_head, list_tail, object, part};

/// The media type.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf";

/// What stands before every Kubernetes object in protobuf.
const MAGIC: &[u8] = b"k8s\0";

/// What a field holds.
#[derive(Clone, Copy)]
enum Shape {
    Text,
    /// Repeated text.
    Texts,
    Number,
    /// Repeated numbers, not packed.
    Numbers,
    Bool,
    One(Message),
    Many(Message),
    /// A message whose fields JSON has beside those of the message that it is in.
    Inline(Message),
    /// `map<string, string>`.
    TextMap,
    /// `map<string, Quantity>`.
    QuantityMap,
    /// `resource.Quantity`: a message with its text.
    Quantity,
    /// `intstr.IntOrString`.
    IntOrString,
    /// `metav1.Time`, in JSON as RFC 3339.
    Time,
    /// `metav1.FieldsV1`: a message with the bytes of the JSON.
    RawJson,
}

/// Field number, name in JSON, shape; from the `generated.proto` files of Kubernetes.
type Message = &'static [(u64, &'static str, Shape)];
