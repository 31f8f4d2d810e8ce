//! JSON bodies, read strictly.

use std::time::Duration;

use axum::extract::{FromRequest, Request};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use podgate_cluster::{MemoryBudget, Reservation};
use serde::de::DeserializeOwned;

use crate::{ApiError, State};

/// Bytes that a body may have.
pub(crate) const MAX_BODY: usize = 1024 * 1024;

/// Bytes that a body may have on a route that takes one without a credential.
pub(crate) const SMALL_BODY: usize = 16 * 1024;

/// Bytes that one of them is counted with: its text, and what is parsed of it.
const COUNTED: usize = 2 * MAX_BODY;

/// The longest that a body may take to arrive. Some routes take one without a credential, and until
/// it is there its connection counts as busy.
const BODY_LIMIT: Duration = Duration::from_secs(30);

/// Characters of what is told of a body that could not be read: it may quote all of it.
const MAX_PROBLEM: usize = 300;

/// Extractor: the body as a `T`. A `T` should deny unknown fields.
///
/// Refuses what is not `application/json` or is compressed (415001), what is larger than `MAX`
/// bytes (413001, before it is read if its length is announced), and what is not a `T` (400002);
/// JSON nested deeper than 128 levels is not read. A body over [`SMALL_BODY`] for which there is no
/// memory is 429001.
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

/// Extractor: as [`Body`] of at most [`SMALL_BODY`], for a body that may be left out: `None` for
/// one without a byte.
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

/// A body, and its part of the memory.
#[derive(Debug)]
struct Whole {
    bytes: Vec<u8>,
    _memory: Reservation,
}

/// Refuses a body that announces too great a length, before it is read.
fn check_length(headers: &HeaderMap, max: usize) -> Result<(), ApiError> {
    let announced = headers.get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    match announced {
        Some(length) if length > max as u64 => Err(too_large(max)),
        _ => Ok(()),
    }
}

/// Reads a whole body within its limits of bytes, memory and time.
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
    serde_json::from_slice(bytes).map_err(|error| {
        ApiError::Body(format!(
            "the body is not what this route takes: {}",
            cut(&error.to_string())
        ))
    })
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
        message: "too many large bodies are on their way to this server: try again in a moment".into(),
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

    /// A body of which this has come, and whose end does not come.
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
