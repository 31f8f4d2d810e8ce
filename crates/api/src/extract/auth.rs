//! Authentication by bearer token, by the browser's session cookie, or by the ticket of a
//! WebSocket.

use std::convert::Infallible;

use axum::{
    extract::{FromRequestParts, OriginalUri},
    http::request::Parts,
};
use http::{HeaderMap, header};
use podgate_access::{Caller, Denied};

use crate::{
    ApiError, State,
    http::{client_info::ClientInfo, request_context::RequestContext},
    options::Options,
};

/// The session cookie's name over plain HTTP. Over HTTPS a prefix stands before it.
pub(crate) const COOKIE: &str = "podgate_session";

/// Returns the session cookie's name.
///
/// Over HTTPS it has a prefix that browsers enforce (RFC 6265bis, section 4.1.3): `__Host-` takes
/// the cookie from this host only but requires the path `/`, so under a base path the prefix is
/// `__Secure-`, which only requires `Secure`.
pub(crate) fn cookie_name(secure: bool, options: &Options) -> String {
    let prefix = match (secure, options.base_path.is_empty()) {
        (false, _) => "",
        (true, true) => "__Host-",
        (true, false) => "__Secure-",
    };
    format!("{prefix}{COOKIE}")
}

/// The most characters that a token may have to be looked up.
const MAX_TOKEN: usize = 512;

/// The credential that came with a request.
#[derive(PartialEq, Eq)]
enum Credential<'a> {
    Bearer(&'a str),
    Ticket(&'a str),
    Cookie(&'a str),
}

/// An authenticated caller, and the kind of its credential.
pub(crate) struct Authenticated {
    pub(crate) caller: Caller,
    /// Whether the credential was a cookie, which a browser also sends for foreign pages.
    pub(crate) by_cookie: bool,
}

/// Authenticates a request that is not a WebSocket.
///
/// # Errors
/// 401002 to 401004.
pub(crate) async fn authenticate(parts: &Parts, state: &State) -> Result<Authenticated, ApiError> {
    let credential = bearer(&parts.headers)?.or_else(|| cookie(parts, state.options()));
    resolve(credential, parts, state).await
}

/// Extractor: the caller, or the error of its authentication, for a route that takes both.
pub(crate) struct Tried(pub(crate) Result<Caller, ApiError>);

impl FromRequestParts<State> for Tried {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Infallible> {
        let tried = authenticate(parts, state).await;
        Ok(Self(tried.map(|authenticated| authenticated.caller)))
    }
}

/// Authenticates a WebSocket's request, which may have a ticket as its credential.
///
/// # Errors
/// 401002 to 401004.
pub(crate) async fn authenticate_socket(parts: &Parts, state: &State) -> Result<Authenticated, ApiError> {
    let ticket = ticket(parts.uri.query().unwrap_or_default());
    let credential = bearer(&parts.headers)?
        .or(ticket)
        .or_else(|| cookie(parts, state.options()));
    resolve(credential, parts, state).await
}

async fn resolve(credential: Option<Credential<'_>>, parts: &Parts, state: &State) -> Result<Authenticated, ApiError> {
    let by_cookie = matches!(credential, Some(Credential::Cookie(_)));
    let caller = match credential {
        None => Err(Denied::NoCredential(
            "this needs a log-in: send `Authorization: Bearer TOKEN` with the token that POST /api/auth/login returns"
                .into(),
        )),
        Some(Credential::Ticket(ticket)) => state.tickets().redeem(ticket, &target(parts, state)),
        Some(Credential::Bearer(token) | Credential::Cookie(token)) => state.sessions().authenticate(token).await,
    }?;
    if let Some(trace) = parts.extensions.get::<RequestContext>() {
        trace.set_caller(&caller);
    }
    Ok(Authenticated { caller, by_cookie })
}

/// Returns the token of `Authorization: Bearer`.
///
/// # Errors
/// [`ApiError::NoCredential`] for another scheme, and for a text that can't be a token.
pub(crate) fn bearer_token(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let refused = |what: &str| ApiError::NoCredential(format!("{what}: send `Authorization: Bearer TOKEN`"));
    if values.next().is_some() {
        return Err(refused("there is more than one Authorization header"));
    }
    let text = value
        .to_str()
        .map_err(|_| refused("the Authorization header is not text"))?;
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(refused("the Authorization header is not of the Bearer scheme"));
    }
    let token = token.trim();
    if token.is_empty() || token.len() > MAX_TOKEN {
        return Err(refused("the Authorization header does not contain a Podgate token"));
    }
    Ok(Some(token))
}

fn bearer(headers: &HeaderMap) -> Result<Option<Credential<'_>>, ApiError> {
    Ok(bearer_token(headers)?.map(Credential::Bearer))
}

/// The name of the refresh token's cookie over plain HTTP. Over HTTPS a prefix stands before it.
const REFRESH_COOKIE: &str = "podgate_refresh";

/// Returns the name of the refresh token's cookie. Its path is that of the refresh alone, which
/// rules out the prefix `__Host-`.
pub(crate) fn refresh_cookie_name(secure: bool) -> String {
    if secure {
        format!("__Secure-{REFRESH_COOKIE}")
    } else {
        REFRESH_COOKIE.to_owned()
    }
}

/// Returns the refresh token in a browser's cookie.
pub(crate) fn refresh_cookie<'a>(headers: &'a HeaderMap, seen: &ClientInfo, options: &Options) -> Option<&'a str> {
    bound_cookie(headers, seen, options, refresh_cookie_name)
}

/// Returns the session cookie.
fn cookie<'a>(parts: &'a Parts, options: &Options) -> Option<Credential<'a>> {
    let headers = &parts.headers;
    headers.get(header::COOKIE)?;
    let seen = ClientInfo::of(headers, &parts.uri, &parts.extensions, options);
    bound_cookie(headers, &seen, options, |secure| cookie_name(secure, options)).map(Credential::Cookie)
}

/// Returns a cookie whose name depends on whether it is bound to HTTPS.
///
/// Over HTTPS only the bound name counts, because any page of a sibling domain can set a cookie
/// without the prefix. If an unknown proxy may have terminated TLS, both names count, the bound one
/// first.
fn bound_cookie<'a>(
    headers: &'a HeaderMap,
    seen: &ClientInfo,
    options: &Options,
    name: impl Fn(bool) -> String,
) -> Option<&'a str> {
    let named = |secure| named_cookie(headers, &name(secure));
    match seen.spoke_https(headers, options) {
        Some(secure) => named(secure),
        None => named(true).or_else(|| named(false)),
    }
}

/// Returns the first cookie with a name. A browser sends the one with the longest path first (RFC
/// 6265, section 5.4); one with a shorter path belongs to another Podgate on the same host.
fn named_cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';'));
    let token = pairs.find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))?;
    (!token.is_empty() && token.len() <= MAX_TOKEN).then_some(token)
}

fn ticket(query: &str) -> Option<Credential<'_>> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix("ticket="))?;
    (!value.is_empty() && value.len() <= MAX_TOKEN).then_some(Credential::Ticket(value))
}

/// Removes the pair `ticket=…` from a query.
pub(crate) fn without_ticket(query: &str) -> String {
    let kept: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("ticket=")).collect();
    kept.join("&")
}

/// Returns the target that a ticket is bound to: path and query as the client wrote them, without
/// the base path and without the ticket.
fn target(parts: &Parts, state: &State) -> String {
    let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |uri| &uri.0);
    let query = without_ticket(uri.query().unwrap_or_default());
    let path = without_base(uri.path(), &state.options().base_path);
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

/// Removes the base path from the front of a path, if it is there.
pub(crate) fn without_base<'a>(path: &'a str, base: &str) -> &'a str {
    match path.strip_prefix(base) {
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use http::HeaderValue;

    use super::*;

    fn headers(values: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in values {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn a_bearer_token_is_read_whatever_the_schemes_case() {
        for value in ["Bearer abc", "bearer abc", "BEARER  abc "] {
            assert_eq!(
                bearer_token(&headers(&[("authorization", value)])).unwrap(),
                Some("abc"),
                "{value}"
            );
        }
        assert_eq!(bearer_token(&headers(&[])).unwrap(), None);
    }

    #[test]
    fn another_scheme_is_refused_rather_than_passed_over() {
        for values in [
            &[("authorization", "Basic abc")][..],
            &[("authorization", "Bearer")],
            &[("authorization", "Bearer ")],
            &[("authorization", "Bearer a"), ("authorization", "Bearer b")],
        ] {
            assert!(
                matches!(bearer_token(&headers(values)), Err(ApiError::NoCredential(_))),
                "{values:?}"
            );
        }
    }

    #[test]
    fn of_two_podgates_on_one_host_each_reads_its_own_cookie() {
        for values in [
            &[(
                "cookie",
                "theme=dark; podgate_session=under-pg; podgate_session=of-the-root",
            )][..],
            &[
                ("cookie", "podgate_session_=no;podgate_session=under-pg"),
                ("cookie", "podgate_session=of-the-root"),
            ],
        ] {
            assert_eq!(named_cookie(&headers(values), COOKIE), Some("under-pg"), "{values:?}");
        }
        for none in ["podgate_session", "podgate_session=", "xpodgate_session=a"] {
            assert!(named_cookie(&headers(&[("cookie", none)]), COOKIE).is_none(), "{none}");
        }
    }

    #[test]
    fn over_https_only_the_cookie_that_is_bound_to_it_counts() {
        let tls = Options {
            https: true,
            ..Options::default()
        };
        let below = Options {
            base_path: "/pg".into(),
            ..tls.clone()
        };
        let proxy = Options {
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            ..Options::default()
        };
        let plain = Options::default();
        let public = Options {
            public_url: Some("https://pods.example".parse().unwrap()),
            ..Options::default()
        };
        let own_page = ("origin", "https://Pods.example");
        let foreign_page = ("origin", "https://evil.example");
        let (host, secure, bare) = ("__Host-podgate_session", "__Secure-podgate_session", "podgate_session");
        let (by_https, by_http) = (("x-forwarded-proto", "https"), ("x-forwarded-proto", "http"));
        let none = ("x-none", "");
        for (options, header, name, counts) in [
            (&tls, none, host, true),
            (&tls, none, bare, false),
            (&tls, none, secure, false),
            (&below, none, secure, true),
            (&below, none, bare, false),
            (&below, none, host, false),
            (&proxy, by_https, host, true),
            (&proxy, by_https, bare, false),
            (&proxy, by_http, bare, true),
            (&proxy, by_http, host, false),
            // A proxy that the operator did not name may have terminated TLS. Only the page's
            // origin can tell.
            (&plain, none, bare, true),
            (&plain, none, host, true),
            (&plain, own_page, host, true),
            (&plain, own_page, bare, false),
            (&plain, foreign_page, bare, true),
            (&public, none, host, true),
            (&public, none, bare, false),
        ] {
            let request = http::Request::builder()
                .header(header.0, header.1)
                .header("host", "pods.example")
                .header("cookie", format!("a=b; {name}=token"))
                .extension(axum::extract::ConnectInfo(std::net::SocketAddr::from((
                    [10, 0, 0, 1],
                    1,
                ))));
            let (parts, ()) = request.body(()).unwrap().into_parts();
            assert_eq!(cookie(&parts, options).is_some(), counts, "{header:?} {name}");
        }
    }

    #[test]
    fn a_ticket_is_found_and_taken_out_of_the_query() {
        assert!(ticket("container=x&ticket=abc") == Some(Credential::Ticket("abc")));
        assert!(ticket("container=x&ticket=").is_none());
        assert_eq!(
            without_ticket("container=x&ticket=abc&tty=true"),
            "container=x&tty=true"
        );
        assert_eq!(without_ticket("ticket=abc"), "");
    }

    #[test]
    fn the_base_path_is_taken_off_at_a_segments_end_only() {
        assert_eq!(without_base("/pg/ws/x", "/pg"), "/ws/x");
        assert_eq!(without_base("/ws/x", "/pg"), "/ws/x");
        assert_eq!(without_base("/pgx/ws", "/pg"), "/pgx/ws");
        assert_eq!(without_base("/ws/x", ""), "/ws/x");
    }
}
