//! Which texts can be bearer tokens.

use http::HeaderValue;

use super::InvalidSource;

/// Returns whether a header can hold a token.
pub(super) fn is_token(token: &str) -> bool {
    HeaderValue::from_bytes(token.as_bytes()).is_ok()
}

/// Returns the error for a token that no header can hold. `what` names it.
pub(super) fn not_a_token(what: &str) -> InvalidSource {
    InvalidSource(format!(
        "{what} holds a line feed or another character that a header can't hold: check that it is whole and alone"
    ))
}
