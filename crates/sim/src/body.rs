//! The bodies of requests.

use axum::body::Body;
use serde_json::{Value, json};

use crate::call::Call;
use crate::status::Failure;

/// The most bytes of a body that are read, as on a real server, where etcd sets the limit.
const LIMIT: usize = 3 << 20;

/// Reads an object of this kind in JSON.
///
/// # Errors
///
/// 400 for an object of another kind or invalid JSON, 413 for a body that is too large, 415 for
/// another content type.
pub(crate) async fn object(call: &mut Call, kind: &str) -> Result<Value, Failure> {
    let content_type = call.header(http::header::CONTENT_TYPE);
    if !content_type.is_empty() && !content_type.starts_with("application/json") {
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: application/json (got {content_type})"
        );
        return Err(Failure::new(415, message));
    }
    let body = std::mem::replace(call.request.body_mut(), Body::empty());
    let bytes = axum::body::to_bytes(body, LIMIT).await;
    let bytes = bytes.map_err(|_| Failure::new(413, format!("limit is {LIMIT}")))?;
    let refuse = |why: String| {
        Failure::bad_request(format!(
            "the object provided is unrecognized (must be of type {kind}): {why}"
        ))
    };
    if bytes.is_empty() && kind == "DeleteOptions" {
        return Ok(json!({}));
    }
    let value: Value = serde_json::from_slice(&bytes)
        .map_err(|error| refuse(format!("couldn't get version/kind; json parse error: {error}")))?;
    match value.get("kind").and_then(Value::as_str) {
        Some(given) if given == kind => Ok(value),
        None if value.is_object() => Ok(value),
        _ => Err(refuse("the body is of another kind".to_owned())),
    }
}
