//! Responses, and errors as Kubernetes Status objects.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::object::Kind;
use crate::protobuf;

/// An error that is sent as a `metav1.Status`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    pub(crate) code: u16,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    pub(crate) details: Value,
    /// The `metadata.continue` of the Status, with which a list can continue after its token
    /// expired.
    pub(crate) continue_token: Option<String>,
}

/// The result of an endpoint.
pub(crate) type Answer = Result<Response, Failure>;

impl Failure {
    /// Makes a failure with the reason that belongs to the code.
    pub(crate) fn new(code: u16, message: impl Into<String>) -> Failure {
        let reason = match code {
            400 => "BadRequest",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "NotFound",
            405 => "MethodNotAllowed",
            406 => "NotAcceptable",
            409 => "Conflict",
            410 => "Expired",
            413 => "RequestEntityTooLarge",
            415 => "UnsupportedMediaType",
            422 => "Invalid",
            429 => "TooManyRequests",
            503 => "ServiceUnavailable",
            504 => "Timeout",
            _ => "InternalError",
        };
        Failure {
            code,
            reason,
            message: message.into(),
            details: Value::Null,
            continue_token: None,
        }
    }

    /// Makes a 400 (`BadRequest`).
    pub(crate) fn bad_request(message: impl Into<String>) -> Failure {
        Failure::new(400, message)
    }

    /// Makes the 404 for an object, in Kubernetes' words.
    pub(crate) fn not_found(kind: Kind, name: &str) -> Failure {
        let failure = Failure::new(404, format!("{} \"{name}\" not found", kind.plural()));
        failure.with_details(json!({"name": name, "kind": kind.plural()}))
    }

    /// Makes the 404 for an unknown path.
    pub(crate) fn no_route() -> Failure {
        Failure::new(404, "the server could not find the requested resource").with_details(json!({}))
    }

    /// Makes the 405 for a verb that the resource does not have.
    pub(crate) fn no_method() -> Failure {
        Failure::new(405, "the server does not allow this method on the requested resource").with_details(json!({}))
    }

    /// Makes the 410 for a watch or list from a version that is no longer kept.
    pub(crate) fn expired(message: impl Into<String>) -> Failure {
        Failure::new(410, message)
    }

    /// Sets the `details`.
    pub(crate) fn with_details(mut self, details: Value) -> Failure {
        self.details = details;
        self
    }

    /// Builds the Status object.
    pub(crate) fn status(&self) -> Value {
        let mut metadata = json!({});
        if let (Some(token), Some(metadata)) = (&self.continue_token, metadata.as_object_mut()) {
            metadata.insert("continue".to_owned(), token.clone().into());
        }
        let mut status = json!({"kind": "Status", "apiVersion": "v1", "metadata": metadata, "status": "Failure",
            "message": self.message, "reason": self.reason, "code": self.code});
        if let (false, Some(status)) = (self.details.is_null(), status.as_object_mut()) {
            status.insert("details".to_owned(), self.details.clone());
        }
        status
    }
}

impl Failure {
    /// Builds the response in protobuf.
    pub(crate) fn into_protobuf(self) -> Response {
        let response = bytes_response(protobuf::MEDIA_TYPE, protobuf::failure(&self.status()));
        self.head(response)
    }

    fn head(&self, mut response: Response) -> Response {
        *response.status_mut() = StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if matches!(self.code, 429 | 503 | 504) {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let response = json_response(&self.status());
        self.head(response)
    }
}

/// Answers 200 with a JSON value.
pub(crate) fn json_response(value: &Value) -> Response {
    bytes_response("application/json", value.to_string())
}

/// Answers 200 with a body of this content type.
pub(crate) fn bytes_response(content_type: &'static str, body: impl Into<Body>) -> Response {
    (
        [(header::CONTENT_TYPE, HeaderValue::from_static(content_type))],
        body.into(),
    )
        .into_response()
}
