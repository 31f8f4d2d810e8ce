//! The get and list endpoints.

mod page;

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::call::{Call, Query};
use crate::negotiate::Form;
use crate::object::{Kind, Object};
use crate::protobuf::{self, Encoded};
use crate::selectors::Selectors;
use crate::status::{Answer, Failure, bytes_response, json_response};
use crate::table::{self, Include};

use page::Page;
pub(crate) use page::{invalid_option, too_large, version};

/// How many bytes of a list are serialised at once.
const CHUNK: usize = 128 << 10;

/// Answers with one object.
///
/// # Errors
///
/// 404 when it does not exist, 406 when the client accepts none of its forms.
pub(crate) fn get(call: &Call, kind: Kind) -> Answer {
    let form = call.form(kind)?;
    let namespace = if kind.namespaced() { call.namespace() } else { "" };
    let found = call.state.store.get(kind, namespace, call.name());
    let found = found.ok_or_else(|| Failure::not_found(kind, call.name()))?;
    Ok(match form {
        Form::Json => bytes_response("application/json", found.json()),
        Form::Protobuf => {
            let found = found.protobuf().map(protobuf::object).unwrap_or_default();
            bytes_response(protobuf::MEDIA_TYPE, found)
        }
        Form::Yaml => yaml(&found.value())?,
        Form::Table => {
            let row = table::row(&found, include(&call.query)?, Timestamp::now());
            let metadata = json!({"resourceVersion": found.version.to_string()});
            json_response(&table::document(metadata, table::columns(kind), vec![row]))
        }
    })
}

/// Answers with a list, or a page of it.
///
/// # Errors
///
/// 400 and 422 for invalid or contradictory parameters, 410 for a version that is no longer kept,
/// 504 for one that has not been reached, 406 when the client accepts none of the forms.
pub(crate) fn answer(call: &Call, kind: Kind) -> Answer {
    let form = call.form(kind)?;
    let selectors = Selectors::from_query(&call.query, kind)?;
    let page = page::read(call, kind, &selectors)?;
    let list = format!("{}List", kind.name());
    Ok(match form {
        Form::Json => json_list(&list, page),
        Form::Protobuf => protobuf_list(page),
        Form::Yaml => {
            let items: Vec<Value> = page.objects.iter().map(|object| object.value()).collect();
            let list = json!({"kind": list, "apiVersion": "v1", "metadata": page.metadata, "items": items});
            yaml(&list)?
        }
        Form::Table => {
            let (include, now) = (include(&call.query)?, Timestamp::now());
            let rows = page
                .objects
                .iter()
                .map(|object| table::row(object, include, now))
                .collect();
            json_response(&table::document(page.metadata, table::columns(kind), rows))
        }
    })
}

/// Answers with a value as YAML.
fn yaml(value: &Value) -> Answer {
    let text = serde_saphyr::to_string(value);
    let text = text.map_err(|error| Failure::new(500, format!("the object can't be written as YAML: {error}")))?;
    Ok(bytes_response("application/yaml", text))
}

/// Reads the parameter `includeObject`, which says how much of an object a Table's row includes.
///
/// # Errors
///
/// 400 for an unknown `includeObject`.
pub(crate) fn include(query: &Query) -> Result<Include, Failure> {
    match query.get("includeObject") {
        None | Some("Metadata") => Ok(Include::Metadata),
        Some("None") => Ok(Include::None),
        Some("Object") => Ok(Include::Object),
        Some(other) => Err(Failure::bad_request(format!(
            "Unable to convert to Table as requested: includeObject: Invalid value: \"{other}\": must be 'Metadata', \
             'Object', 'None', or empty"
        ))),
    }
}

/// Answers with a list in JSON.
fn json_list(kind: &str, page: Page) -> Response {
    let head = format!(
        r#"{{"kind":"{kind}","apiVersion":"v1","metadata":{},"items":["#,
        page.metadata
    );
    let item = |object: &Object, first: bool, piece: &mut Vec<u8>| {
        if !first {
            piece.push(b',');
        }
        object.append_item(piece);
    };
    stream_list("application/json", head.into_bytes(), page.objects, item, b"]}")
}

/// Answers with a list of pods in protobuf.
fn protobuf_list(page: Page) -> Response {
    let len = page.objects.iter().filter_map(|pod| pod.protobuf());
    let head = protobuf::list_head(&page.metadata, len.map(Encoded::item_len).sum());
    let item = |pod: &Object, _, piece: &mut Vec<u8>| {
        if let Some(pod) = pod.protobuf() {
            pod.append_item(piece);
        }
    };
    stream_list(protobuf::MEDIA_TYPE, head, page.objects, item, protobuf::list_tail())
}

/// Answers with a list that is serialised in pieces, so that a large one is never in memory as a
/// whole.
fn stream_list(
    media_type: &'static str,
    head: Vec<u8>,
    objects: Vec<Arc<Object>>,
    append: fn(&Object, bool, &mut Vec<u8>),
    tail: &'static [u8],
) -> Response {
    let mut pieces = Pieces {
        head,
        objects: objects.into_iter(),
        append,
        tail,
        first: true,
        ended: false,
    };
    let first = pieces.next().unwrap_or_default();
    if pieces.ended {
        return bytes_response(media_type, first);
    }
    let rest = std::iter::once(first)
        .chain(pieces)
        .map(Ok::<_, std::convert::Infallible>);
    bytes_response(media_type, Body::from_stream(futures_util::stream::iter(rest)))
}

struct Pieces {
    head: Vec<u8>,
    objects: std::vec::IntoIter<Arc<Object>>,
    /// Appends an object; the flag says whether it is the first.
    append: fn(&Object, bool, &mut Vec<u8>),
    tail: &'static [u8],
    first: bool,
    ended: bool,
}

impl Iterator for Pieces {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        if self.ended {
            return None;
        }
        let mut piece = std::mem::take(&mut self.head);
        piece.reserve(CHUNK);
        while piece.len() < CHUNK {
            let Some(object) = self.objects.next() else {
                piece.extend_from_slice(self.tail);
                self.ended = true;
                break;
            };
            (self.append)(&object, std::mem::take(&mut self.first), &mut piece);
        }
        Some(piece.into())
    }
}
