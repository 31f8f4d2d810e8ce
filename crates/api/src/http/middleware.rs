//! The outermost middleware: request ids, errors, security headers, the access log and metrics.

use std::{
    any::Any,
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use axum::{
    extract::{MatchedPath, Request, State as Extract},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use http::{HeaderName, HeaderValue, StatusCode, header};

use podgate_cluster::text::{MAX_MESSAGE, quote, sanitize};

use crate::{
    ApiError, State,
    extract::auth::without_base,
    http::{
        body_stream::{StreamingRoute, metered},
        client_info, cors, csrf,
        request_context::{REQUEST_ID, RequestContext},
    },
    serve::Connection,
};

/// The routes whose requests would fill the access log without saying anything: the page's files
/// and the probes.
const LOGGED_AT_DEBUG: &[&str] = &["/assets/{file}", "/healthz", "/readyz"];

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Handles a request around all other layers.
pub(crate) async fn handle(Extract(state): Extract<State>, mut request: Request, next: Next) -> Response {
    let start = Instant::now();
    let context = RequestContext::new(request.headers());
    let method = request.method().clone();
    let uri = request.uri().clone();
    let path = uri.path();
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.and_then(|path| {
        state
            .routes()
            .path(without_base(path.as_str(), &state.options().base_path))
    });
    let strict = client_info::is_strict(&request, state.options());
    let listed = cors::listed(request.headers(), &state.options().allowed_origins);
    if let Some(connection) = request.extensions().get::<Connection>() {
        connection.set_request(&context);
    }
    request.extensions_mut().insert(context.clone());

    let mut response = if let Some(refusal) = state.hosts().refusal(&request, route, state.options()) {
        refusal.into_response()
    } else if listed.is_some() && cors::asks_leave(&request) {
        cors::preflight()
    } else if let Some(refusal) = csrf::refusal(&request, state.options()) {
        refusal.into_response()
    } else {
        caught(next.run(request)).await
    };
    if let Some(origin) = listed {
        cors::give_leave(response.headers_mut(), origin);
    }
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        if let ApiError::Internal(cause) = &error {
            let cause = sanitize(cause, MAX_MESSAGE);
            tracing::error!(
                request_id = context.id(),
                method = quote(method.as_str()),
                path = quote(path),
                cause,
                "a request failed because of a fault in Podgate"
            );
        }
        let rendered = error.render(context.id());
        let headers = std::mem::replace(&mut response, rendered);
        for (name, value) in headers.headers() {
            if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
                response.headers_mut().append(name, value.clone());
            }
        }
    }
    if let Some(StreamingRoute(path)) = response.extensions_mut().remove() {
        let sent = state.metrics().streamed(path);
        response = response.map(|body| metered(body, sent, context.revoked()));
    }
    let taken = start.elapsed();
    finish(&mut response, &context, taken);
    // This also binds a log-out, but its answer is usually taken at once.
    context.bind();
    if strict {
        let headers = response.headers_mut();
        headers.insert(header::STRICT_TRANSPORT_SECURITY, client_info::STRICT);
    }
    let status = response.status().as_u16();
    state.metrics().request(route, method.as_str(), status, taken);
    // The level of an event is a constant, so there are two; their fields cost nothing if the level
    // is off.
    macro_rules! access {
        ($level:ident) => {
            tracing::$level!(
                request_id = context.id(),
                method = quote(method.as_str()),
                path = quote(path),
                status,
                ms = taken.as_secs_f64() * 1000.0,
                user = context.user(),
                "request"
            )
        };
    }
    if route.is_some_and(|route| LOGGED_AT_DEBUG.contains(&route)) {
        access!(debug);
    } else {
        access!(info);
    }
    response
}

/// Sets the headers that every answer has. A header that the handler has set keeps its value.
fn finish(response: &mut Response, context: &RequestContext, taken: Duration) {
    let upgrade = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    // Room for the headers set below and those that the connection adds.
    headers.reserve(12);
    headers.insert(REQUEST_ID, context.header().clone());
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if upgrade {
        return;
    }
    let micros = taken.as_micros();
    if let Ok(timing) = HeaderValue::from_maybe_shared(format!("app;dur={}.{:03}", micros / 1000, micros % 1000)) {
        headers.insert(SERVER_TIMING, timing);
    }
    for (name, value) in [
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

/// Awaits a handler's answer, and turns a panic into one.
async fn caught(answer: impl Future<Output = Response>) -> Response {
    AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(panicked)
}

/// Logs a handler's panic, and builds the answer for it.
fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no text");
    ApiError::Internal(format!("panic: {text}")).into_response()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_an_answer_that_does_not_quote_it() {
        let response = caught(async { panic!("the secret of the panic") }).await;
        let error = response.extensions().get::<ApiError>().unwrap();
        assert_eq!(*error, ApiError::Internal("panic: the secret of the panic".into()));
        let body = axum::body::to_bytes(error.render("id").into_body(), 1000)
            .await
            .unwrap();
        let text = String::from_utf8_lossy(&body);
        assert!(text.contains("500001") && !text.contains("secret"), "{text}");
    }
}
