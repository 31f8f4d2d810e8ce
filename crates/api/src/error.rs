//! The failures that a caller may see.
//!
//! One enum has a variant for each, and one table gives its HTTP status, code and message.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use podgate_access::Denied;
use podgate_cluster::text::Message;
use serde::Serialize;

/// Seconds after which a caller may ask again for pods whose first sync is still running.
const SYNC_RETRY: u64 = 2;
/// Seconds after which a caller may repeat a request for which Podgate had no memory.
const BUSY_RETRY: u64 = 2;

/// Seconds after which a caller may repeat a request that needs the database.
const DATABASE_RETRY: u64 = 5;

/// A failed call.
///
/// The text is a sentence for the caller. It names what is wrong and, where there is one, the
/// remedy. The text of [`ApiError::Internal`] is for the log alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
pub enum ApiError {
    /// A parameter is missing, malformed, out of range, unknown or contradicts another.
    Parameter(String),
    /// The body is not valid.
    Body(String),
    /// The user name or the password is wrong.
    WrongPassword(String),
    /// The session has ended.
    SessionExpired(String),
    /// The credential is missing or invalid.
    NoCredential(String),
    /// The account is locked or disabled.
    AccountLocked(String),
    /// The caller has no permission.
    Forbidden(String),
    /// A browser sent the request for a page of another origin.
    ForeignOrigin(String),
    /// The pod does not exist.
    PodNotFound(String),
    /// The cluster does not exist.
    ClusterNotFound(String),
    /// The container does not exist.
    ContainerNotFound(String),
    /// The route or another resource does not exist.
    NotFound(String),
    /// The route does not take this method.
    Method(String),
    /// The route can't answer in any media type that the caller accepts.
    Accept(String),
    /// The state of the object does not allow this: its name is taken, a precondition failed, the
    /// container has not started or has no previous run.
    Conflict(String),
    /// The container has no such executable.
    NoExecutable(String),
    /// The body or frame is too large.
    TooLarge(String),
    /// The body has a content type that the route does not take.
    ContentType(String),
    /// The caller sends too many requests, or a limit of Podgate is reached.
    TooMany {
        /// The sentence for the caller.
        message: String,
        /// Seconds until another try makes sense.
        retry_after: u64,
    },
    /// Podgate itself failed. The text goes to the log, never to the caller.
    Internal(String),
    /// The cluster refused, broke off the connection, or sent an answer that can't be read.
    Upstream(String),
    /// The cluster did not answer in time.
    Timeout(String),
    /// The cluster's pods are still being synced for the first time.
    Syncing(String),
    /// The database can't be reached.
    Unavailable(String),
}

/// Every code with its meaning, for the OpenAPI document. The HTTP status is `code / 1000`.
pub(crate) const CODES: &[(u32, &str)] = &[
    (
        400_001,
        "A parameter is missing, malformed, out of range, unknown or contradicts another.",
    ),
    (400_002, "The body is not valid."),
    (401_001, "Wrong user name or password."),
    (401_002, "The session has expired."),
    (401_003, "The credential is missing or invalid."),
    (401_004, "The account is locked or disabled."),
    (
        403_001,
        "The caller has no permission; the message names verb, resource, namespace, cluster and who refused.",
    ),
    (403_002, "The request comes from a foreign origin."),
    (404_001, "The pod does not exist."),
    (404_002, "The cluster does not exist."),
    (
        404_003,
        "The container does not exist; the message lists the pod's containers.",
    ),
    (404_004, "The route or another resource does not exist."),
    (
        405_001,
        "The route does not take this method; `Allow` lists those it takes.",
    ),
    (406_001, "The route can't answer in any media type that `Accept` names."),
    (
        409_001,
        "A conflict: the name is taken, a precondition failed, or the container has not started or has no previous run.",
    ),
    (409_002, "The container has no such executable."),
    (413_001, "The body or frame is too large."),
    (415_001, "The body's `Content-Type` is not one that the route takes."),
    (429_001, "Too many requests; `Retry-After` is set."),
    (
        500_001,
        "A fault in Podgate; the message contains the request id and no internals.",
    ),
    (
        502_001,
        "The cluster refused, broke off the connection, or sent an answer that can't be read.",
    ),
    (
        503_001,
        "The cluster's pods are still being synced for the first time; `Retry-After` is set.",
    ),
    (
        503_002,
        "The database is unavailable, and the call needs it; `Retry-After` is set.",
    ),
    (504_001, "The cluster did not answer in time."),
];

impl ApiError {
    /// Returns the code: the HTTP status × 1000, plus a number (`docs/api.md` has the table).
    pub fn code(&self) -> u32 {
        match self {
            Self::Parameter(_) => 400_001,
            Self::Body(_) => 400_002,
            Self::WrongPassword(_) => 401_001,
            Self::SessionExpired(_) => 401_002,
            Self::NoCredential(_) => 401_003,
            Self::AccountLocked(_) => 401_004,
            Self::Forbidden(_) => 403_001,
            Self::ForeignOrigin(_) => 403_002,
            Self::PodNotFound(_) => 404_001,
            Self::ClusterNotFound(_) => 404_002,
            Self::ContainerNotFound(_) => 404_003,
            Self::NotFound(_) => 404_004,
            Self::Method(_) => 405_001,
            Self::Accept(_) => 406_001,
            Self::Conflict(_) => 409_001,
            Self::NoExecutable(_) => 409_002,
            Self::TooLarge(_) => 413_001,
            Self::ContentType(_) => 415_001,
            Self::TooMany { .. } => 429_001,
            Self::Internal(_) => 500_001,
            Self::Upstream(_) => 502_001,
            Self::Syncing(_) => 503_001,
            Self::Unavailable(_) => 503_002,
            Self::Timeout(_) => 504_001,
        }
    }

    /// Returns the HTTP status, which is the first three digits of the code.
    pub fn status(&self) -> StatusCode {
        let status = u16::try_from(self.code() / 1000).unwrap_or(500);
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Returns the sentence for the caller. The one for [`ApiError::Internal`] reveals nothing.
    pub fn message(&self) -> &str {
        match self {
            Self::Internal(_) => "this request failed because of a fault in Podgate",
            Self::Parameter(message)
            | Self::Body(message)
            | Self::WrongPassword(message)
            | Self::SessionExpired(message)
            | Self::NoCredential(message)
            | Self::AccountLocked(message)
            | Self::Forbidden(message)
            | Self::ForeignOrigin(message)
            | Self::PodNotFound(message)
            | Self::ClusterNotFound(message)
            | Self::ContainerNotFound(message)
            | Self::NotFound(message)
            | Self::Method(message)
            | Self::Accept(message)
            | Self::Conflict(message)
            | Self::NoExecutable(message)
            | Self::TooLarge(message)
            | Self::ContentType(message)
            | Self::TooMany { message, .. }
            | Self::Upstream(message)
            | Self::Timeout(message)
            | Self::Syncing(message)
            | Self::Unavailable(message) => message,
        }
    }

    /// Returns the seconds after which another try makes sense.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooMany { retry_after, .. } => Some(*retry_after),
            Self::Syncing(_) => Some(SYNC_RETRY),
            Self::Unavailable(_) => Some(DATABASE_RETRY),
            _ => None,
        }
    }

    /// Returns the sentence for the caller. For [`ApiError::Internal`] it names the request, so
    /// that the operator finds the failure in the log.
    pub(crate) fn message_for(&self, request_id: &str) -> String {
        match self {
            Self::Internal(_) => format!("{} (request {request_id}): the server's log says more", self.message()),
            // The message may quote a request or a cluster at any length.
            _ => Message::from(self.message()).into(),
        }
    }

    /// Builds the response. [`crate::http::middleware`] adds the parts that depend on the request.
    pub(crate) fn render(&self, request_id: &str) -> Response {
        let body = Envelope {
            code: self.code(),
            message: &self.message_for(request_id),
            data: (),
        };
        let mut response = (self.status(), Json(body)).into_response();
        if let Some(seconds) = self.retry_after() {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"podgate\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// The body of a failed call.
#[derive(Serialize)]
struct Envelope<'a> {
    code: u32,
    message: &'a str,
    data: (),
}

/// Attaches the error itself to the response. The outermost middleware renders it with the request
/// id, and logs it if it is internal.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Denied> for ApiError {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::WrongPassword => Self::WrongPassword(denied.to_string()),
            Denied::SessionExpired => Self::SessionExpired(denied.to_string()),
            Denied::NoCredential(message) => Self::NoCredential(message),
            Denied::AccountLocked(message) => Self::AccountLocked(message),
            Denied::Forbidden(message) => Self::Forbidden(message),
            Denied::TooMany { retry_after } => Self::TooMany {
                message: denied.to_string(),
                retry_after,
            },
            Denied::Invalid(message) => Self::Body(message),
            Denied::ClusterNotFound(message) => Self::ClusterNotFound(message),
            Denied::Conflict(message) => Self::Conflict(message),
            Denied::Syncing(message) => Self::Syncing(message),
            Denied::Unavailable => Self::Unavailable(denied.to_string()),
            Denied::Cluster(error) => error.into(),
            Denied::Internal(message) => Self::Internal(message),
        }
    }
}

impl From<podgate_cluster::Error> for ApiError {
    fn from(error: podgate_cluster::Error) -> Self {
        use podgate_cluster::Error;
        let message = error.to_string();
        match error {
            Error::PodNotFound(_) => Self::PodNotFound(message),
            Error::ContainerNotFound(_) => Self::ContainerNotFound(message),
            Error::NotFound(_) => Self::NotFound(message),
            Error::Forbidden(_) => Self::Forbidden(message),
            Error::Invalid(_) => Self::Parameter(message),
            Error::Conflict(_) => Self::Conflict(message),
            Error::NoExecutable(_) => Self::NoExecutable(message),
            Error::Busy(_) => Self::TooMany {
                message,
                retry_after: BUSY_RETRY,
            },
            Error::Rejected(_) | Error::Upstream { .. } => Self::Upstream(message),
            Error::Timeout(_) => Self::Timeout(message),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn all() -> Vec<(ApiError, u16, u32)> {
        let text = || "the text".to_owned();
        vec![
            (ApiError::Parameter(text()), 400, 400_001),
            (ApiError::Body(text()), 400, 400_002),
            (ApiError::WrongPassword(text()), 401, 401_001),
            (ApiError::SessionExpired(text()), 401, 401_002),
            (ApiError::NoCredential(text()), 401, 401_003),
            (ApiError::AccountLocked(text()), 401, 401_004),
            (ApiError::Forbidden(text()), 403, 403_001),
            (ApiError::ForeignOrigin(text()), 403, 403_002),
            (ApiError::PodNotFound(text()), 404, 404_001),
            (ApiError::ClusterNotFound(text()), 404, 404_002),
            (ApiError::ContainerNotFound(text()), 404, 404_003),
            (ApiError::NotFound(text()), 404, 404_004),
            (ApiError::Method(text()), 405, 405_001),
            (ApiError::Accept(text()), 406, 406_001),
            (ApiError::Conflict(text()), 409, 409_001),
            (ApiError::NoExecutable(text()), 409, 409_002),
            (ApiError::TooLarge(text()), 413, 413_001),
            (ApiError::ContentType(text()), 415, 415_001),
            (
                ApiError::TooMany {
                    message: text(),
                    retry_after: 7,
                },
                429,
                429_001,
            ),
            (ApiError::Internal(text()), 500, 500_001),
            (ApiError::Upstream(text()), 502, 502_001),
            (ApiError::Syncing(text()), 503, 503_001),
            (ApiError::Unavailable(text()), 503, 503_002),
            (ApiError::Timeout(text()), 504, 504_001),
        ]
    }

    #[test]
    fn every_variant_has_the_contracts_status_and_code() {
        for (error, status, code) in all() {
            assert_eq!(error.status().as_u16(), status, "{error:?}");
            assert_eq!(error.code(), code, "{error:?}");
        }
    }

    #[test]
    fn the_documented_codes_are_those_of_the_variants() {
        let documented: Vec<u32> = CODES.iter().map(|(code, _)| *code).collect();
        let mut used: Vec<u32> = all().iter().map(|(error, ..)| error.code()).collect();
        used.sort_unstable();
        assert_eq!(documented, used);
    }

    #[test]
    fn an_internal_error_names_the_request_and_nothing_else() {
        let error = ApiError::Internal("table sessions is on fire".into());
        let message = error.message_for("abc");
        assert!(message.contains("abc"));
        assert!(!message.contains("fire"));
        assert!(!error.to_string().contains("fire"));
    }

    #[test]
    fn no_answer_repeats_a_long_or_odd_text() {
        let error = ApiError::Parameter(format!("\u{202e}a\n{}", "x".repeat(1 << 20)));
        let message = error.message_for("abc");
        assert!(message.len() <= 2048 && message.starts_with("a x"), "{message}");
    }

    #[test]
    fn a_temporary_failure_has_a_retry_after() {
        for (error, ..) in all() {
            let response = error.render("id");
            let wants = matches!(
                error,
                ApiError::TooMany { .. } | ApiError::Syncing(_) | ApiError::Unavailable(_)
            );
            assert_eq!(response.headers().contains_key(header::RETRY_AFTER), wants, "{error:?}");
        }
    }
}
