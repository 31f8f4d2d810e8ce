//! Strict reading of JSON bodies.

use std::time::Duration;

use axum::extract::{FromRequest, Request};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use podgate_cluster::{MemoryBudget, Reservation};
use serde::de::DeserializeOwned;

use crate::{ApiError, State};

/// The most bytes that a body may have.
pub(crate) const MAX_BODY: usize = 1024 * 1024;

/// The most bytes that a body may have on a route that needs no credential.
pub(crate) const SMALL_BODY: usize = 16 * 1024;

/// Bytes that a large body reserves: for its text and for the values parsed from it.
const COUNTED: usize = 2 * MAX_BODY;

/// How long a body may take to arrive.
///
/// Some routes take a body without a credential, and a connection counts as busy until its body is
/// complete.
const BODY_LIMIT: Duration = Duration::from_secs(30);

/// The most characters of a decoder's message that an answer quotes, because the message may quote
/// the whole body.
const MAX_PROBLEM: usize = 300;

/// Extractor: the body as a `T`, which should deny unknown fields.
///
/// Refuses a body that is not `application/json` or is compressed (415001), that is larger than
/// `MAX` bytes (413001; before reading it, if its length is announced), and that is not a `T` or is
/// nested deeper than 128 levels (400002). A body over [`SMALL_BODY`] for which there is no memory
/// is refused with 429001.
#[derive(Debug)]
pub struct Body<T, const MAX: usize = MAX_BODY>(pub T);

impl<T: DeserializeOwned + Send, const MAX: usize> FromRequest<State> for Body<T, MAX> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &State) -> Result<Self, ApiError> {
        check_type(request.headers())?;
        check_length(request.headers(), MAX)?;
        let whole = collect(request.into_body(), MAX, state.body_memory()).await?;
        if whole.bytes.is_empty() {
            return Err(ApiError::Body("the body is empty: send a JSON object".into()));
        }
        parse(&whole.bytes).map(Self)
    }
}

/// Extractor: like [`Body`] with at most [`SMALL_BODY`] bytes, but `None` if the body is empty.
#[derive(Debug)]
pub(crate) struct MaybeBody<T>(pub Option<T>);

impl<T: DeserializeOwned + Send> FromRequest<State> for MaybeBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &State) -> Result<Self, ApiError> {
        check_length(request.headers(), SMALL_BODY)?;
        let headers = request.headers().clone();
        let whole = collect(request.into_body(), SMALL_BODY, state.body_memory()).await?;
        if whole.bytes.is_empty() {
            return Ok(Self(None));
        }
        check_type(&headers)?;
        parse(&whole.bytes).map(|body| Self(Some(body)))
    }
}

/// A complete body, with the memory reserved for it.
#[derive(Debug)]
struct Whole {
    bytes: Vec<u8>,
    _memory: Reservation,
}

/// Refuses a body whose announced length is too great, before it is read.
fn check_length(headers: &HeaderMap, max: usize) -> Result<(), ApiError> {
    let announced = headers.get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    match announced {
        Some(length) if length > max as u64 => Err(too_large(max)),
        _ => Ok(()),
    }
}

/// Reads a whole body within the limits of bytes, memory and time.
async fn collect(body: axum::body::Body, max: usize, memory: &MemoryBudget) -> Result<Whole, ApiError> {
    let collected = tokio::time::timeout(BODY_LIMIT, read(body, max, memory)).await;
    collected.unwrap_or_else(|_| {
        Err(ApiError::Body(format!(
            "the body did not arrive within {} s",
            BODY_LIMIT.as_secs()
        )))
    })
}

async fn read(mut body: axum::body::Body, max: usize, memory: &MemoryBudget) -> Result<Whole, ApiError> {
    let (mut bytes, mut held) = (Vec::new(), memory.empty());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiError::Body("the body broke off before its end".into()))?;
        let Ok(data) = frame.into_data() else { continue };
        let length = bytes.len() + data.len();
        if length > max {
            return Err(too_large(max));
        }
        if length > SMALL_BODY && held.bytes() == 0 {
            held.resize(COUNTED).map_err(|_| no_memory())?;
            bytes.reserve_exact(max - bytes.len());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(Whole { bytes, _memory: held })
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(bytes)
        .map_err(|error| ApiError::Body(format!("the body does not fit this route: {}", cut(&error.to_string()))))
}

fn cut(problem: &str) -> String {
    match problem.char_indices().nth(MAX_PROBLEM) {
        Some((end, _)) => format!("{}…", problem.get(..end).unwrap_or_default()),
        None => problem.to_owned(),
    }
}

fn too_large(max: usize) -> ApiError {
    ApiError::TooLarge(format!("the body is larger than {max} bytes"))
}

fn no_memory() -> ApiError {
    ApiError::TooMany {
        message: "this server is receiving too many large request bodies: try again in a moment".into(),
        retry_after: 2,
    }
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
            crate::extract::parameters::shown(sent)
        ),
    }))
}

/// Refuses a compressed body by RFC 9110, section 15.5.16.
///
/// Otherwise it would be reported as malformed JSON.
fn check_coding(headers: &HeaderMap) -> Result<(), ApiError> {
    let mut codings = headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .map(|value| value.to_str().unwrap_or("?"));
    match codings.find(|coding| !coding.trim().eq_ignore_ascii_case("identity")) {
        None => Ok(()),
        Some(coding) => Err(ApiError::ContentType(format!(
            "the body's Content-Encoding is `{}`: send it without one",
            crate::extract::parameters::shown(coding)
        ))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::convert::Infallible;

    use bytes::Bytes;
    use futures_util::{FutureExt, StreamExt, stream};
    use tokio::time::Instant;

    use super::*;

    /// Builds a body that begins with these bytes and never ends.
    fn endless(begin: Vec<u8>) -> axum::body::Body {
        let begin = stream::iter([Ok::<_, Infallible>(Bytes::from(begin))]);
        axum::body::Body::from_stream(begin.chain(stream::pending()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_given_up() {
        let memory = MemoryBudget::new(COUNTED);
        let from = Instant::now();
        let error = collect(endless(b"{".to_vec()), MAX_BODY, &memory).await.unwrap_err();
        assert_eq!(from.elapsed(), BODY_LIMIT);
        assert!(
            matches!(&error, ApiError::Body(text) if text.contains("30 s")),
            "{error:?}"
        );
    }

    #[tokio::test]
    async fn a_body_without_a_credential_is_small() {
        let memory = MemoryBudget::new(0);
        let fits = collect(vec![b' '; SMALL_BODY].into(), SMALL_BODY, &memory).await;
        assert_eq!(fits.unwrap().bytes.len(), SMALL_BODY);
        let error = collect(endless(vec![b' '; SMALL_BODY + 1]), SMALL_BODY, &memory).await;
        assert_eq!(error.unwrap_err().code(), 413_001);
    }

    #[tokio::test]
    async fn large_bodies_on_their_way_share_a_budget() {
        let memory = MemoryBudget::new(COUNTED);
        let mut first = Box::pin(collect(endless(vec![b' '; SMALL_BODY + 1]), MAX_BODY, &memory));
        assert!(first.as_mut().now_or_never().is_none());
        let large = || vec![b' '; MAX_BODY].into();
        let error = collect(large(), MAX_BODY, &memory).await.unwrap_err();
        assert_eq!(error.code(), 429_001);
        let small = collect(vec![b' '; SMALL_BODY].into(), MAX_BODY, &memory).await;
        assert_eq!(small.unwrap().bytes.len(), SMALL_BODY);
        drop(first);
        assert_eq!(collect(large(), MAX_BODY, &memory).await.unwrap().bytes.len(), MAX_BODY);
        assert_eq!(memory.free(), COUNTED, "all of it comes back");
    }
}
