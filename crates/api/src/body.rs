//! JSON bodies, read strictly.

use std::time::Duration;

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use crate::{ApiError, State};

/// Bytes that a body may have.
pub const MAX_BODY: usize = 1024 * 1024;

/// The longest that a body may take to arrive. Some routes take one without a credential, and until it is there its connection counts as busy.
const BODY_LIMIT: Duration = Duration::from_secs(30);

/// Characters of what is told of a body that could not be read: it may quote all of it.
const MAX_PROBLEM: usize = 300;

/// Extractor: the body as a `T`. A `T` should deny unknown fields.
///
/// Refuses what is not `application/json` or is compressed (415001), what is larger than [`MAX_BODY`] (413001, before it is read if its length is announced), and what is
/// not a `T` (400002); JSON nested deeper than 128 levels is not read.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequest<State> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &State) -> Result<Self, ApiError> {
        check_type(request.headers())?;
        check_length(request.headers())?;
        let bytes = collect(request.into_body()).await?;
        if bytes.is_empty() {
            return Err(ApiError::Body("the body is empty: send a JSON object".into()));
        }
        parse(&bytes).map(Self)
    }
}

/// Extractor: as [`Body`], for a body that may be left out: `None` for one without a byte.
#[derive(Debug)]
pub struct MaybeBody<T>(pub Option<T>);

impl<T: DeserializeOwned + Send> FromRequest<State> for MaybeBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &State) -> Result<Self, ApiError> {
        check_length(request.headers())?;
        let headers = request.headers().clone();
        let bytes = collect(request.into_body()).await?;
        if bytes.is_empty() {
            return Ok(Self(None));
        }
        check_type(&headers)?;
        parse(&bytes).map(|body| Self(Some(body)))
    }
}

/// Refuses a body that announces too great a length, before it is read.
fn check_length(headers: &HeaderMap) -> Result<(), ApiError> {
    let announced = headers.get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    match announced {
        Some(length) if length > MAX_BODY as u64 => Err(too_large()),
        _ => Ok(()),
    }
}

/// Reads a whole body within its limits of bytes and time.
async fn collect(body: axum::body::Body) -> Result<Bytes, ApiError> {
    let collected = tokio::time::timeout(BODY_LIMIT, Limited::new(body, MAX_BODY).collect()).await;
    match collected {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if is_limit(error.as_ref()) => Err(too_large()),
        Ok(Err(_)) => Err(ApiError::Body("the body broke off before its end".into())),
        Err(_) => Err(ApiError::Body(format!(
            "the body did not arrive within {} s",
            BODY_LIMIT.as_secs()
        ))),
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(bytes).map_err(|error| {
        ApiError::Body(format!(
            "the body is not what this route takes: {}",
            cut(&error.to_string())
        ))
    })
}

fn is_limit(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| error.is::<LengthLimitError>())
}

fn cut(problem: &str) -> String {
    match problem.char_indices().nth(MAX_PROBLEM) {
        Some((end, _)) => format!("{}…", problem.get(..end).unwrap_or_default()),
        None => problem.to_owned(),
    }
}

fn too_large() -> ApiError {
    ApiError::TooLarge(format!("the body is larger than {MAX_BODY} bytes"))
}

fn check_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let sent = headers
        .get(header::CONTENT_TYPE)
        .map(|value| value.to_str().unwrap_or("?"));
    let essence = sent
        .and_then(|value| value.split(';').next())
        .unwrap_or_default()
        .trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return check_coding(headers);
    }
    Err(ApiError::ContentType(match sent {
        None => "the body has no Content-Type: send application/json".into(),
        Some(sent) => format!(
            "the body's Content-Type is `{}`: send application/json",
            crate::parameters::shown(sent)
        ),
    }))
}

/// A compressed body is refused as RFC 9110, section 15.5.16, has it, lest it be called malformed JSON.
fn check_coding(headers: &HeaderMap) -> Result<(), ApiError> {
    let mut codings = headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .map(|value| value.to_str().unwrap_or("?"));
    match codings.find(|coding| !coding.trim().eq_ignore_ascii_case("identity")) {
        None => Ok(()),
        Some(coding) => Err(ApiError::ContentType(format!(
            "the body's Content-Encoding is `{}`: send it without one",
            crate::parameters::shown(coding)
        ))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::convert::Infallible;

    use futures_util::{StreamExt, stream};
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_given_up() {
        let begin = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"{"))]);
        let body = axum::body::Body::from_stream(begin.chain(stream::pending()));
        let from = Instant::now();
        let error = collect(body).await.unwrap_err();
        assert_eq!(from.elapsed(), BODY_LIMIT);
        assert!(
            matches!(&error, ApiError::Body(text) if text.contains("30 s")),
            "{error:?}"
        );
    }
}
