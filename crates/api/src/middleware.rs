//! Around every request: its id, the last word on errors, security headers, the access log and the counts.

use std::{
    any::Any,
    panic::AssertUnwindSafe,
    sync::{
        Arc, LazyLock, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    extract::{MatchedPath, Request, State as Extract},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use podgate_access::Caller;
use podgate_cluster::text::{MAX_MESSAGE, quote, sanitize};
use tokio_util::sync::CancellationToken;

use crate::{
    ApiError, State, cors,
    credential::without_base,
    origin, routes,
    serve::Connection,
    stream::{Streamed, watched},
};

/// The header that carries a request's id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
/// Characters of the longest request id that is taken over from a caller.
const MAX_REQUEST_ID: usize = 64;
const HEX: &[u8; 16] = b"0123456789abcdef";

/// A request's id and caller. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Trace {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    id: HeaderValue,
    caller: OnceLock<Caller>,
    /// The connection ends with the caller's session while this request is under way.
    bound: AtomicBool,
}

impl Trace {
    fn new(headers: &HeaderMap) -> Self {
        let inner = Inner {
            id: request_id(headers),
            caller: OnceLock::new(),
            bound: AtomicBool::new(false),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The request's id.
    pub fn id(&self) -> &str {
        self.inner.id.to_str().unwrap_or_default()
    }

    /// Notes who calls, once that is known.
    pub(crate) fn set_caller(&self, caller: &Caller) {
        self.inner.caller.get_or_init(|| caller.clone());
    }

    /// Binds the request to its caller's session: when that is revoked, the connection ends.
    pub(crate) fn bind(&self) {
        self.inner.bound.store(true, Ordering::Relaxed);
    }

    /// The token with which the request ends; `None` as long as it is not bound.
    pub(crate) fn ends_with(&self) -> Option<CancellationToken> {
        let bound = self.inner.bound.load(Ordering::Relaxed);
        bound.then(|| self.revoked()).flatten()
    }

    fn user(&self) -> &str {
        let caller = self.inner.caller.get();
        caller.map_or("-", |caller| caller.user.username.as_str())
    }

    fn revoked(&self) -> Option<CancellationToken> {
        self.inner.caller.get().map(|caller| caller.revoked.clone())
    }
}

/// The caller's id if it is sane, else a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let sane = |id: &&HeaderValue| {
        (1..=MAX_REQUEST_ID).contains(&id.len())
            && id
                .as_bytes()
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    };
    let given = headers.get(REQUEST_ID).filter(sane);
    given.map_or_else(new_id, Clone::clone)
}

/// 16 hexadecimal digits that no other request to this process gets: a count from a random start, stirred (the finaliser of SplitMix64, which maps no two
/// numbers to one). Asking the system for random numbers every time would cost more than the rest of this page.
fn new_id() -> HeaderValue {
    static NEXT: LazyLock<AtomicU64> = LazyLock::new(|| {
        let random = getrandom::u64();
        AtomicU64::new(random.unwrap_or_else(|_| jiff::Timestamp::now().as_microsecond().unsigned_abs()))
    });
    let mut number = NEXT.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^= number >> 31;
    let digits: [u8; 16] = std::array::from_fn(|at| HEX[(number >> (60 - 4 * at)) as usize & 15]);
    HeaderValue::from_bytes(&digits).unwrap_or_else(|_| HeaderValue::from_static("-"))
}

/// Around every request.
pub(crate) async fn around(Extract(state): Extract<State>, mut request: Request, next: Next) -> Response {
    let start = Instant::now();
    let trace = Trace::new(request.headers());
    let method = request.method().clone();
    let uri = request.uri().clone();
    let path = uri.path();
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.and_then(|path| routes::known(without_base(path.as_str(), &state.options().base_path)));
    let strict = origin::is_strict(&request, state.options());
    let listed = cors::listed(request.headers(), &state.options().allowed_origins);
    if let Some(connection) = request.extensions().get::<Connection>() {
        connection.set_request(&trace);
    }
    request.extensions_mut().insert(trace.clone());

    let mut response = if let Some(refusal) = state.hosts().refusal(&request, route, state.options()) {
        refusal.into_response()
    } else if listed.is_some() && cors::asks_leave(&request) {
        cors::preflight()
    } else if let Some(refusal) = origin::refusal(&request, state.options()) {
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
                request_id = trace.id(),
                method = quote(method.as_str()),
                path = quote(path),
                cause,
                "a request failed through a fault of ours"
            );
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
    // Also a log-out, whose answer is as a rule taken at once.
    trace.bind();
    if strict {
        let headers = response.headers_mut();
        headers.insert(header::STRICT_TRANSPORT_SECURITY, origin::STRICT);
    }
    let status = response.status().as_u16();
    state.metrics().request(route, method.as_str(), status, taken);
    tracing::info!(
        request_id = trace.id(),
        method = quote(method.as_str()),
        path = quote(path),
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
    // For all that follow here and those that the connection adds.
    headers.reserve(12);
    headers.insert(REQUEST_ID, trace.inner.id.clone());
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

/// An answer, also of a handler that panics.
async fn caught(answer: impl Future<Output = Response>) -> Response {
    AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(panicked)
}

/// What a panic in a handler becomes.
fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no text");
    ApiError::Internal(format!("panic: {text}")).into_response()
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
            request_id(&headers).to_str().unwrap().to_owned()
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
