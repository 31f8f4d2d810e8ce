//! The check whether a text can be sent as a bearer token.

use http::HeaderValue;

use super::InvalidSource;

/// Returns whether an HTTP header can hold a token.
pub(super) fn is_token(token: &str) -> bool {
    HeaderValue::from_bytes(token.as_bytes()).is_ok()
}

/// Returns the error for a token that no HTTP header can hold. `what` names the token.
pub(super) fn not_a_token(what: &str) -> InvalidSource {
    InvalidSource(format!(
        "{what} holds a line feed or another character that an HTTP header can't hold: give the token alone"
    ))
}
