//! Protection against cross-site request forgery.

use axum::extract::Request;
use http::{Method, header};

use crate::{
    ApiError,
    extract::parameters::shown,
    http::client_info::{ClientInfo, is_upgrade, last},
    options::Options,
};

/// Returns the error for a request that a foreign page made a browser send, if it would change
/// something or open a WebSocket.
pub(crate) fn refusal(request: &Request, options: &Options) -> Option<ApiError> {
    let harmless = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if harmless && !is_upgrade(request.headers()) {
        return None;
    }
    let headers = request.headers();
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let seen = ClientInfo::of(headers, request.uri(), request.extensions(), options);
    match (origins.next(), origins.next()) {
        (None, _) => {
            // A browser that omits `Origin` still reports the site of the page.
            let site = last(headers, "sec-fetch-site")?;
            (!matches!(site.as_str(), "same-origin" | "none")).then(|| foreign("another site", &seen))
        }
        (Some(origin), None) => {
            let origin = origin.to_str().unwrap_or("?");
            (!seen.admits(origin, options)).then(|| foreign(&format!("`{}`", shown(origin)), &seen))
        }
        (Some(_), Some(_)) => Some(foreign("several origins", &seen)),
    }
}

fn foreign(origin: &str, seen: &ClientInfo) -> ApiError {
    let host = seen.host.as_deref().map_or("unknown".to_owned(), shown);
    let scheme = match seen.https {
        Some(true) => "https",
        Some(false) => "http",
        None => "http or https",
    };
    let error = ApiError::ForeignOrigin(format!(
        "the request comes from a page of {origin}, and this server was asked for as `{host}` over {scheme}: if that is how it is meant, the operator \
         names the page's address with --public-url or --allowed-origin, or the proxy with --trusted-proxy"
    ));
    tracing::warn!(origin, host, scheme, "refused a request from a foreign origin");
    error
}
