//! Pods and failures in protobuf, encoded by field tables of this crate.
//!
//! The tables share no type with the decoder of the `cluster` crate, so that tests of one against
//! the other find mistakes in either. For the same reason no crate with Kubernetes' messages is
//! used.

mod objects;
mod schema;
mod write;

pub(crate) use objects::{Encoded, bookmark, event, failure, failure_event, list_head, list_tail, object, part};

/// The media type of Kubernetes' protobuf.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf";

/// The prefix of every Kubernetes object in protobuf.
const MAGIC: &[u8] = b"k8s\0";

/// The type of a field.
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
    /// A message whose fields are inlined in JSON, into the object around it.
    Inline(Message),
    /// `map<string, string>`.
    TextMap,
    /// `map<string, Quantity>`.
    QuantityMap,
    /// `resource.Quantity`: a message around its text.
    Quantity,
    /// `intstr.IntOrString`.
    IntOrString,
    /// `metav1.Time`, in JSON RFC 3339.
    Time,
    /// `metav1.FieldsV1`: a message around the bytes of its JSON.
    RawJson,
}

/// The fields of a message: number, name in JSON and type, from the `generated.proto` files of
/// Kubernetes.
type Message = &'static [(u64, &'static str, Shape)];
