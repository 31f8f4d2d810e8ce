//! The bodies of requests.

use axum::body::Body;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::call::Call;
use crate::protobuf;
use crate::status::Failure;

/// Bytes of a body that are read, as etcd's limit makes a real server's.
const LIMIT: usize = 3 << 20;

/// Reads an object of this kind, in JSON or (not pods) protobuf.
///
/// # Errors
///
/// 400 for what is not an object of this kind, 413 for a body that is too large, 415 for another content type.
pub(crate) async fn object(call: &mut Call, kind: &str) -> Result<Value, Failure> {
    let content_type = call.header(http::header::CONTENT_TYPE).to_owned();
    let binary = content_type.starts_with("application/vnd.kubernetes.protobuf");
    if !content_type.is_empty() && !binary && !content_type.starts_with("application/json") {
        return Err(unsupported(
            &content_type,
            "application/json, application/vnd.kubernetes.protobuf",
        ));
    }
    let bytes = bytes(call).await?;
    let refuse = |why: String| {
        Failure::bad_request(format!(
            "the object provided is unrecognized (must be of type {kind}): {why}"
        ))
    };
    if bytes.is_empty() && kind == "DeleteOptions" {
        return Ok(json!({}));
    }
    if binary {
        return protobuf::decode(kind, &bytes).ok_or_else(|| refuse("it is no such object in protobuf".to_owned()));
    }
    let value: Value = serde_json::from_slice(&bytes)
        .map_err(|error| refuse(format!("couldn't get version/kind; json parse error: {error}")))?;
    match value.get("kind").and_then(Value::as_str) {
        Some(given) if given == kind => Ok(value),
        None if value.is_object() => Ok(value),
        _ => Err(refuse("it is of another kind".to_owned())),
    }
}

/// Reads the whole body.
///
/// # Errors
///
/// 413 for one that is too large.
pub(crate) async fn bytes(call: &mut Call) -> Result<Bytes, Failure> {
    let body = std::mem::replace(call.request.body_mut(), Body::empty());
    let bytes = axum::body::to_bytes(body, LIMIT).await;
    bytes.map_err(|_| Failure::new(413, format!("limit is {LIMIT}")))
}

/// 415 for a body of this content type.
pub(crate) fn unsupported(content_type: &str, accepted: &str) -> Failure {
    let message = format!(
        "the body of the request was in an unknown format - accepted media types include: {accepted} (got {content_type})"
    );
    Failure::new(415, message)
}
