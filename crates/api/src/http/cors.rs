//! CORS headers for the origins that the operator allowed (Fetch Standard, "CORS protocol").

use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

const HEADERS: HeaderValue =
    HeaderValue::from_static("accept, authorization, content-type, if-match, if-none-match, x-request-id");
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, DELETE");
const EXPOSED: HeaderValue = HeaderValue::from_static("content-disposition, etag, retry-after, x-request-id");
/// Seconds for which a browser may cache the answer to a preflight.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// Returns whether a request is a CORS preflight.
pub(crate) fn asks_leave(request: &Request) -> bool {
    let asks = header::ACCESS_CONTROL_REQUEST_METHOD;
    request.method() == Method::OPTIONS && request.headers().contains_key(asks)
}

/// Adds the headers that let a page of an allowed origin read an answer.
pub(crate) fn give_leave(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
        HeaderValue::from_static("true"),
    );
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    headers.append(header::VARY, HeaderValue::from_static("origin"));
}

/// Builds the answer to a preflight.
pub(crate) fn preflight() -> Response {
    let leave: [(HeaderName, HeaderValue); 3] = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
        (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
    ];
    (StatusCode::NO_CONTENT, leave).into_response()
}

/// Returns the request's origin if it is in the list.
pub(crate) fn listed(headers: &HeaderMap, origins: &[String]) -> Option<HeaderValue> {
    let origin = headers.get(header::ORIGIN)?;
    let text = origin.to_str().ok()?;
    origins
        .iter()
        .any(|listed| listed.eq_ignore_ascii_case(text))
        .then(|| origin.clone())
}
