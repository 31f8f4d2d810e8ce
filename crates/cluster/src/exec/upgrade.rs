//! The WebSocket handshake with an API server.

use futures_util::FutureExt;
use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode,
    header::{
        CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
    },
};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use kube::client::Body;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::{
    handshake::{client::generate_key, derive_accept_key},
    protocol::Role,
};

use super::{MAX_INPUT, Options, status::ExecTarget};
use crate::{
    Error,
    client::{Client, uri},
    error::{CallerParameters, Failure, Result},
    websocket::{BoundedWebSocket, Sizes},
};

/// The versions of the channel protocol (`apimachinery/pkg/util/remotecommand/constants.go`).
const V5: &str = "v5.channel.k8s.io";
const V4: &str = "v4.channel.k8s.io";

/// The bounds of a message: one byte for the channel, and the bytes of one read. An API server
/// reads 32 kB at a time (`io.Copy`), and we send at most [`MAX_INPUT`].
pub(super) const SIZES: Sizes = Sizes {
    incoming: 64 << 10,
    outgoing: 1 + MAX_INPUT,
};

/// An open connection to a process.
pub(super) struct Socket<S = TokioIo<Upgraded>> {
    pub(super) stream: BoundedWebSocket<S>,
    pub(super) opened: Instant,
    /// Whether a single channel can be closed (v5).
    pub(super) closes_channels: bool,
}

/// Opens the connection to a new process.
///
/// # Errors
/// The API server's refusal, and those of every call.
pub(super) async fn open(
    client: &Client,
    namespace: &str,
    name: &str,
    options: &Options,
    target: &ExecTarget,
) -> Result<Socket> {
    let key = generate_key();
    let request = request(namespace, name, options, target, &key)?;
    let call = client.what(&request);
    let response = client.send(request).await?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        let given: Vec<_> = options.command.iter().map(|part| ("command", part.as_str())).collect();
        return Err(refused(client, response, &call, &given, target).await);
    }
    let protocol = verify(&response, &key).map_err(|wrong| not_upgraded(&call, wrong))?;
    let upgraded = upgrade(client, response, &call).await?;
    let stream = BoundedWebSocket::new(TokioIo::new(upgraded), Role::Client, SIZES);
    Ok(Socket {
        stream: stream.boxed().await,
        opened: Instant::now(),
        closes_channels: protocol == V5,
    })
}

/// Returns the error for a response that does not switch protocols.
///
/// An API server refuses with a `Status`. Any other response comes from a proxy, and the error says
/// which part of the handshake that proxy dropped.
async fn refused(
    client: &Client,
    response: Response<Body>,
    call: &str,
    given: &CallerParameters<'_>,
    target: &ExecTarget,
) -> Error {
    let status = response.status();
    let lacks = if has(response.headers(), UPGRADE, "websocket") {
        "is not 101 Switching Protocols"
    } else {
        "has no `Upgrade` header"
    };
    let (parsed, error) = client.refusal_in_full(response, call, given).await;
    match parsed {
        // apimachinery's `wsstream` and `spdy` answer like this if the request arrived without its
        // upgrade headers.
        Some(parsed) if status == StatusCode::BAD_REQUEST && asks_for_upgrade(&parsed.message) => not_upgraded(
            call,
            "the API server did not receive the `Connection` and `Upgrade` headers of the request",
        ),
        Some(parsed) => target.refused(error, &parsed.message),
        None if matches!(status.as_u16(), 401 | 408 | 504) => error,
        None => not_upgraded(
            call,
            &format!("the response {lacks}, and its status is {}", status.as_u16()),
        ),
    }
}

fn asks_for_upgrade(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("upgrade request required") || message.contains("missing upgrade headers")
}

fn not_upgraded(call: &str, why: &str) -> Error {
    Error::upstream(call, Failure::NotUpgraded { why: why.into() })
}

async fn upgrade(client: &Client, response: Response<Body>, call: &str) -> Result<Upgraded> {
    let pending = timeout(client.policy.request_timeout, hyper::upgrade::on(response));
    match pending.await {
        Ok(Ok(upgraded)) => Ok(upgraded),
        Ok(Err(error)) => Err(client.broken(&error, call)),
        Err(_) => Err(Error::timeout(format!(
            "{call} was not upgraded to a WebSocket in time"
        ))),
    }
}

fn request(namespace: &str, name: &str, options: &Options, target: &ExecTarget, key: &str) -> Result<Request<Vec<u8>>> {
    let flag = |on: bool| if on { "true" } else { "false" };
    let mut query = vec![
        ("container", target.container.as_str()),
        ("stdin", "true"),
        ("stdout", "true"),
        ("stderr", flag(!options.tty)),
        ("tty", flag(options.tty)),
    ];
    query.extend(options.command.iter().map(|part| ("command", part.as_str())));
    let uri = uri(&["api", "v1", "namespaces", namespace, "pods", name, "exec"], &query)?;
    Request::get(uri)
        .header(CONNECTION, HeaderValue::from_static("Upgrade"))
        .header(UPGRADE, HeaderValue::from_static("websocket"))
        .header(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"))
        .header(SEC_WEBSOCKET_KEY, key)
        .header(SEC_WEBSOCKET_PROTOCOL, format!("{V5}, {V4}"))
        .body(Vec::new())
        .map_err(|error| Error::invalid(format!("this command can't be sent: {error}")))
}

/// Checks the response as RFC 6455, section 4.1, requires, and returns the chosen protocol.
fn verify(response: &Response<Body>, key: &str) -> std::result::Result<&'static str, &'static str> {
    let headers = response.headers();
    if !has(headers, UPGRADE, "websocket") {
        return Err("the response has no `Upgrade: websocket` header");
    }
    if !has(headers, CONNECTION, "upgrade") {
        return Err("the response has no `Connection: Upgrade` header");
    }
    let accept = headers.get(SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes);
    if accept != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
        return Err("the response has a wrong `Sec-WebSocket-Accept` header");
    }
    let chosen = headers.get(SEC_WEBSOCKET_PROTOCOL).map(HeaderValue::as_bytes);
    [V5, V4]
        .into_iter()
        .find(|protocol| chosen == Some(protocol.as_bytes()))
        .ok_or("the API server chose neither v5 nor v4 of the channel protocol")
}

fn has(headers: &HeaderMap, name: http::HeaderName, wanted: &str) -> bool {
    let values = headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|token| token.trim().eq_ignore_ascii_case(wanted))
}
