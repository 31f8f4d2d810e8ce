//! `GET /metrics`, and who may read it.

use axum::{
    extract::State as Extract,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, header};
use subtle::ConstantTimeEq;

use super::{OPEN_METRICS, Open};
use crate::{
    ApiError, Operation, State, Success,
    extract::auth::bearer_token,
    http::{client_info::ClientInfo, host::Host, proxy::is_proxied},
    options::Options,
};

pub(crate) const GET: Operation = Operation::new(
    "process.metrics",
    "Returns metrics for Prometheus.",
    Success::Text("application/openmetrics-text"),
)
.fails(&[401_003, 403_001]);

/// `GET /metrics`.
pub(crate) async fn get(
    Extract(state): Extract<State>,
    seen: ClientInfo,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    admit(&state, &seen, &headers)?;
    let open = Open {
        connections: state.connections().count(),
        sockets: state.sockets().count(),
        viewers: state.live().viewers(),
    };
    let text = state
        .metrics()
        .text(&state.gate().health(), open)
        .map_err(|error| ApiError::Internal(format!("metrics: {error}")))?;
    Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response())
}

/// Admits a caller with the operator's token or from a listed address.
fn admit(state: &State, seen: &ClientInfo, headers: &HeaderMap) -> Result<(), ApiError> {
    let options = state.options();
    if let Some(given) = bearer_token(headers)? {
        let right = options
            .metrics_token
            .as_ref()
            .is_some_and(|token| token.as_bytes().ct_eq(given.as_bytes()).into());
        return if right {
            Ok(())
        } else {
            Err(ApiError::NoCredential(
                "this is not the token of --metrics-token-file".into(),
            ))
        };
    }
    // A proxy's address stands for everyone behind it, and its headers are not proof enough
    // for this route.
    if seen.by_trusted_proxy || is_proxied(headers) {
        return Err(ApiError::Forbidden(
            "Podgate: a request for the metrics that comes through a proxy needs a token: the operator sets it with --metrics-token-file, and it is sent as \
             `Authorization: Bearer TOKEN`"
                .into(),
        ));
    }
    let listed = match &options.metrics_networks {
        Some(networks) => networks.iter().any(|network| network.contains(&seen.direct)),
        None => is_by_itself(options) && seen.direct.is_loopback() && is_local(seen),
    };
    if listed {
        return Ok(());
    }
    Err(ApiError::Forbidden(format!(
        "Podgate: {} may not read the metrics: the operator lists networks with --metrics-network, or sets a token with --metrics-token-file",
        seen.direct
    )))
}

/// Returns whether no option hints at a proxy, so that a loopback address means this machine.
fn is_by_itself(options: &Options) -> bool {
    options.public_url.is_none() && options.trusted_proxies.is_empty() && options.base_path.is_empty()
}

/// Returns whether the caller asked for an address or for its own machine.
///
/// Another name that resolves to loopback comes from a web page, and the user of a browser need not
/// be the operator.
fn is_local(seen: &ClientInfo) -> bool {
    seen.host.as_deref().is_none_or(|host| Host::read(host).is_local())
}
