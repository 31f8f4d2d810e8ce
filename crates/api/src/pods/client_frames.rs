//! Parses the frames that clients of log streams, terminals and live queries send.

use serde::de::DeserializeOwned;

use crate::{ApiError, extract::parameters::shown, ws::Incoming};

/// Reads a client's text frame.
///
/// # Errors
/// [`ApiError::Body`] for a text that is not JSON or not one of the frames. The connection stays
/// open.
pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ApiError> {
    serde_json::from_str(text)
        .map_err(|error| ApiError::Body(format!("the frame `{}` is not understood: {error}", shown(text))))
}

/// Reads a client's frame on a stream that takes text frames only.
///
/// # Errors
/// As [`parse`], and for a binary frame.
pub(super) fn parse_text<T: DeserializeOwned>(frame: &Incoming) -> Result<T, ApiError> {
    match frame {
        Incoming::Text(text) => parse(text),
        Incoming::Binary(_) => Err(ApiError::Body(
            "a binary frame is not understood here: send JSON as a text frame".into(),
        )),
    }
}
