//! Around every request: its id, the last word on errors, security headers, the access log and the counts.

use std::{
    any::Any,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use axum::{
    extract::{MatchedPath, Request, State as Extract},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use podgate_access::Caller;
use tokio_util::sync::CancellationToken;

use crate::{
    ApiError, State,
    credential::without_base,
    stream::{Streamed, watched},
};

/// The header that carries a request's id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
/// Characters of the longest request id that is taken over from a caller.
const MAX_REQUEST_ID: usize = 64;
/// The longest that an answer with an end may take us. Calls to clusters have shorter limits of their own.
const UNARY_LIMIT: Duration = Duration::from_secs(120);

/// A request's id and caller. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Trace {
    id: Arc<str>,
    caller: Arc<OnceLock<Caller>>,
}

impl Trace {
    fn new(headers: &HeaderMap) -> Self {
        Self {
            id: request_id(headers),
            caller: Arc::new(OnceLock::new()),
        }
    }

    /// The request's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Notes who calls, once that is known.
    pub(crate) fn set_caller(&self, caller: &Caller) {
        self.caller.get_or_init(|| caller.clone());
    }

    fn user(&self) -> &str {
        self.caller.get().map_or("-", |caller| caller.user.username.as_str())
    }

    fn revoked(&self) -> Option<CancellationToken> {
        self.caller.get().map(|caller| caller.revoked.clone())
    }
}

/// The caller's id if it is sane, else a new one.
fn request_id(headers: &HeaderMap) -> Arc<str> {
    let sane = |id: &&str| {
        (1..=MAX_REQUEST_ID).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    };
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(sane);
    given.map_or_else(new_id, Arc::from)
}

/// 16 hexadecimal digits: from the system's random numbers, or from the clock where those fail.
fn new_id() -> Arc<str> {
    let number = getrandom::u64().unwrap_or_else(|_| jiff::Timestamp::now().as_microsecond().unsigned_abs());
    Arc::from(format!("{number:016x}"))
}

/// The outermost middleware.
pub(crate) async fn around(Extract(state): Extract<State>, mut request: Request, next: Next) -> Response {
    let start = Instant::now();
    let trace = Trace::new(request.headers());
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.map(|path| without_base(path.as_str(), &state.options().base_path).to_owned());
    request.extensions_mut().insert(trace.clone());

    let mut response = next.run(request).await;
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        if let ApiError::Internal(cause) = &error {
            tracing::error!(request_id = trace.id(), %method, path, cause, "a request failed through a fault of ours");
        }
        let rendered = error.render(trace.id());
        let headers = std::mem::replace(&mut response, rendered);
        for (name, value) in headers.headers() {
            if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
                response.headers_mut().append(name, value.clone());
            }
        }
    }
    if let Some(Streamed(path)) = response.extensions_mut().remove() {
        let sent = state.metrics().streamed(path);
        response = response.map(|body| watched(body, sent, trace.revoked()));
    }
    let taken = start.elapsed();
    finish(&mut response, &trace, taken);
    let status = response.status().as_u16();
    state
        .metrics()
        .request(route.as_deref(), method.as_str(), status, taken);
    tracing::info!(
        request_id = trace.id(),
        %method,
        path,
        status,
        ms = taken.as_secs_f64() * 1000.0,
        user = trace.user(),
        "request"
    );
    response
}

/// Sets the headers that every answer has. What a handler has set stays.
fn finish(response: &mut Response, trace: &Trace, taken: Duration) {
    let upgrade = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(trace.id()) {
        headers.insert(REQUEST_ID, id);
    }
    if upgrade {
        return;
    }
    if let Ok(timing) = HeaderValue::from_str(&format!("app;dur={:.3}", taken.as_secs_f64() * 1000.0)) {
        headers.insert(SERVER_TIMING, timing);
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// What a panic in a handler becomes.
pub(crate) fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no text");
    ApiError::Internal(format!("panic: {text}")).into_response()
}

/// Middleware of routes whose answer has an end: gives up after [`UNARY_LIMIT`].
pub(crate) async fn limit(request: Request, next: Next) -> Response {
    tokio::time::timeout(UNARY_LIMIT, next.run(request))
        .await
        .unwrap_or_else(|_| {
            ApiError::Timeout(format!("no answer within {} s: try again later", UNARY_LIMIT.as_secs())).into_response()
        })
}

/// What a path without a route answers. The base path itself leads to the page under it.
pub(crate) async fn no_route(Extract(state): Extract<State>, request: Request) -> Response {
    let path = request.uri().path();
    let base = &state.options().base_path;
    if !base.is_empty() && path == base {
        return Redirect::permanent(&format!("{base}/")).into_response();
    }
    let path = crate::parameters::shown(path);
    ApiError::NotFound(format!(
        "there is nothing at `{path}`: {base}/api/openapi.json lists all routes"
    ))
    .into_response()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_sane_request_id_is_kept_and_another_replaced() {
        let id = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_str(value).unwrap());
            request_id(&headers).to_string()
        };
        assert_eq!(id("Abc-1.2_3"), "Abc-1.2_3");
        assert_eq!(id(&"x".repeat(64)), "x".repeat(64));
        for bad in ["", "a b", "a\"b", "<script>", &"x".repeat(65)] {
            assert_eq!(id(bad).len(), 16, "{bad}");
        }
        assert_ne!(id(""), id(""));
    }

    #[tokio::test]
    async fn a_panic_becomes_an_answer_that_says_nothing_of_it() {
        use tower::ServiceExt;
        use tower_http::catch_panic::CatchPanicLayer;

        async fn breaks() -> Response {
            panic!("the secret of the panic")
        }

        let app: axum::Router = axum::Router::new()
            .fallback(breaks)
            .layer(CatchPanicLayer::custom(panicked));
        let response = app
            .oneshot(http::Request::new(axum::body::Body::empty()))
            .await
            .unwrap();
        let error = response.extensions().get::<ApiError>().unwrap();
        assert_eq!(*error, ApiError::Internal("panic: the secret of the panic".into()));
        let body = axum::body::to_bytes(error.render("id").into_body(), 1000)
            .await
            .unwrap();
        let text = String::from_utf8_lossy(&body);
        assert!(text.contains("500001") && !text.contains("secret"), "{text}");
    }
}
