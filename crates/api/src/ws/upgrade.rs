//! The upgrade of a request to a WebSocket.

use std::{marker::PhantomData, panic::AssertUnwindSafe};

use axum::{
    body::Body,
    extract::{FromRequestParts, MatchedPath},
    response::{IntoResponse, Response},
};
use futures_util::{FutureExt, future::BoxFuture};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use podgate_access::{Action, Caller, Scoped, action::Exec};
use podgate_cluster::{BoundedWebSocket, Sizes};
use tokio_tungstenite::tungstenite::{handshake::derive_accept_key, protocol::Role};
use tokio_util::sync::CancellationToken;

use super::{Closed, Socket};
use crate::{
    ApiError, State,
    extract::{
        auth, authorized,
        parameters::{FromParameters, Parameters},
    },
    http::{client_info, request_context::RequestContext},
};

/// Extractor: a request to open a WebSocket for action `A` with query parameters `T`. It is the
/// first argument of every WebSocket handler.
///
/// It refuses a request without a valid credential (401003), and one with a browser's cookie but
/// without an allowed `Origin` (403002). Every other error is kept for [`Upgrade::open`].
pub(crate) struct Upgrade<A: Action, T> {
    on_upgrade: OnUpgrade,
    accept: HeaderValue,
    state: State,
    trace: RequestContext,
    caller: Caller,
    scoped: Result<Scoped<A>, ApiError>,
    query: String,
    route: String,
    parameters: PhantomData<fn() -> T>,
}

impl<A: Action, T> std::fmt::Debug for Upgrade<A, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upgrade")
            .field("caller", &self.caller)
            .finish_non_exhaustive()
    }
}

impl<A: Action, T: FromParameters> FromRequestParts<State> for Upgrade<A, T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, ApiError> {
        let authenticated = auth::authenticate_socket(parts, state).await?;
        if authenticated.by_cookie && !parts.headers.contains_key(header::ORIGIN) {
            return Err(ApiError::ForeignOrigin(
                "a WebSocket with a cookie needs an `Origin` header: send a bearer token or a ticket instead".into(),
            ));
        }
        let accept = handshake(&parts.method, &parts.headers)?;
        let on_upgrade = parts
            .extensions
            .remove::<OnUpgrade>()
            .ok_or_else(|| not_a_websocket("this connection can't be upgraded"))?;
        let trace = parts.extensions.get::<RequestContext>().cloned();
        let route = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        let route = auth::without_base(route, &state.options().base_path).to_owned();
        let scoped = authorized::open(parts, state.gate(), &authenticated.caller).await;
        Ok(Self {
            on_upgrade,
            accept,
            state: state.clone(),
            trace: trace.ok_or_else(|| ApiError::Internal("a request has no context".into()))?,
            caller: authenticated.caller,
            scoped,
            query: auth::without_ticket(parts.uri.query().unwrap_or_default()),
            route,
            parameters: PhantomData,
        })
    }
}

impl<A: Action, T: FromParameters> Upgrade<A, T> {
    /// Answers 101 and runs a handler on the socket. An error of the request is sent as an `error`
    /// frame before the close.
    ///
    /// The socket closes with 1000 after the handler returned `Ok`, and with an `error` frame and
    /// 4000 + status after it failed. It closes with 1001 when the server shuts down, with 4401
    /// when the session ends, and with 4503 when the database is away and can't confirm the
    /// session; in these three cases the handler is dropped where it waits.
    pub(crate) fn open<F>(self, run: F) -> Response
    where
        F: for<'a> FnOnce(&'a mut Socket, Scoped<A>, T) -> BoxFuture<'a, Result<(), Closed>> + Send + 'static,
    {
        let limits = self.state.sockets().limits().clone();
        let living = self.state.sockets().track(A::NAME == Exec::NAME);
        let shutdown = self.closes_with();
        let accept = self.accept.clone();
        tokio::spawn(async move {
            let _living = living;
            let upgraded = match self.on_upgrade.await {
                Ok(upgraded) => TokioIo::new(upgraded),
                Err(error) => {
                    tracing::debug!(%error, "a client left before its WebSocket was open");
                    return;
                }
            };
            let sizes = Sizes {
                incoming: limits.max_frame,
                outgoing: MAX_OUTGOING,
            };
            let stream = BoundedWebSocket::new(upgraded, Role::Server, sizes).await;
            let mut socket = Socket::new(
                stream,
                &limits,
                self.trace.id(),
                self.state.metrics().streamed(&self.route),
            );
            let keep_alive = socket.keep_alive(&limits);
            let sockets = self.state.sockets();
            let permit = sockets.streams().enter(self.caller.session);
            let work = async {
                let _permit = permit?;
                let parameters = T::read(&Parameters::parse(&self.query, T::PARAMETERS)?)?;
                run(&mut socket, self.scoped?, parameters).await
            };
            let work = AssertUnwindSafe(work).catch_unwind();
            let ended = tokio::select! {
                ended = work => Some(ended.unwrap_or_else(|_| Err(panicked()))),
                () = keep_alive => Some(Err(Closed::Gone)),
                () = self.caller.revoked.cancelled() => Some(Err(Closed::Failed(self.caller.end().into()))),
                () = shutdown.cancelled() => None,
            };
            match ended {
                Some(ended) => socket.close(ended).await,
                None => socket.going_away().await,
            }
        });
        switching(accept)
    }
}

impl<A: Action, T> Upgrade<A, T> {
    /// Returns the token that closes the socket when the server shuts down. Terminals close last,
    /// because people sit at them.
    fn closes_with(&self) -> CancellationToken {
        if A::NAME == Exec::NAME {
            self.state.sockets().terminals_close().clone()
        } else {
            self.state.shutdown().clone()
        }
    }
}

/// Returns the error that a client sees after a handler's panic, which is logged elsewhere.
fn panicked() -> Closed {
    Closed::Failed(ApiError::Internal("the handler of a WebSocket panicked".into()))
}

/// The most bytes of a frame that is sent. The largest is a snapshot of a live query; log streams
/// and terminals send at most 128 KiB and a few names.
const MAX_OUTGOING: usize = 8 << 20;

fn not_a_websocket(what: &str) -> ApiError {
    ApiError::Parameter(format!(
        "{what}: open this route as a WebSocket (RFC 6455, version 13, over HTTP/1.1)"
    ))
}

/// Checks the client's handshake (RFC 6455, section 4.2.1), and returns the value of
/// `Sec-WebSocket-Accept`.
fn handshake(method: &Method, headers: &HeaderMap) -> Result<HeaderValue, ApiError> {
    let connection = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut connection = connection.flat_map(|line| line.split(','));
    if method != Method::GET
        || !client_info::is_upgrade(headers)
        || !connection.any(|token| token.trim().eq_ignore_ascii_case("upgrade"))
    {
        return Err(not_a_websocket("the request does not ask for an upgrade"));
    }
    if headers
        .get(header::SEC_WEBSOCKET_VERSION)
        .is_none_or(|version| version != "13")
    {
        return Err(not_a_websocket("the request asks for another version"));
    }
    let key = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .ok_or_else(|| not_a_websocket("the request has no Sec-WebSocket-Key"))?;
    HeaderValue::from_str(&derive_accept_key(key.as_bytes()))
        .map_err(|error| ApiError::Internal(format!("Sec-WebSocket-Accept: {error}")))
}

fn switching(accept: HeaderValue) -> Response {
    let mut response = (StatusCode::SWITCHING_PROTOCOLS, Body::empty()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn the_handshake_is_that_of_rfc_6455() {
        let good = [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "WebSocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        let headers = |values: &[(&'static str, &'static str)]| -> HeaderMap {
            values
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
                .collect()
        };
        // The example of RFC 6455, section 1.3.
        assert_eq!(
            handshake(&Method::GET, &headers(&good)).unwrap(),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
        assert!(handshake(&Method::HEAD, &headers(&good)).is_err());
        for missing in 0..good.len() {
            let mut values = good.to_vec();
            values.remove(missing);
            assert!(
                handshake(&Method::GET, &headers(&values)).is_err(),
                "{:?}",
                good[missing]
            );
        }
    }
}
