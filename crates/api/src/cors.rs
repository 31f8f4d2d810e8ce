//! Answers to pages of the origins that the operator listed, which a browser shows them only with leave (Fetch Standard, "CORS protocol").

use axum::{
    extract::{Request, State as Extract},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use crate::State;

const HEADERS: HeaderValue = HeaderValue::from_static("accept, authorization, content-type, x-request-id");
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, DELETE");
const EXPOSED: HeaderValue = HeaderValue::from_static("content-disposition, retry-after, x-request-id");
/// Seconds that a browser may remember a preflight's answer.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// Middleware: gives leave to listed origins and to no others.
pub(crate) async fn leave(Extract(state): Extract<State>, request: Request, next: Next) -> Response {
    let Some(origin) = listed(request.headers(), &state.options().allowed_origins) else {
        return next.run(request).await;
    };
    let asks = header::ACCESS_CONTROL_REQUEST_METHOD;
    let mut response = if request.method() == Method::OPTIONS && request.headers().contains_key(asks) {
        preflight()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
        HeaderValue::from_static("true"),
    );
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    response
}

fn preflight() -> Response {
    let leave: [(HeaderName, HeaderValue); 3] = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
        (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
    ];
    (StatusCode::NO_CONTENT, leave).into_response()
}

/// The request's origin, if it is one of these.
fn listed(headers: &HeaderMap, origins: &[String]) -> Option<HeaderValue> {
    let origin = headers.get(header::ORIGIN)?;
    let text = origin.to_str().ok()?;
    origins
        .iter()
        .any(|listed| listed.eq_ignore_ascii_case(text))
        .then(|| origin.clone())
}
