//! The origin of a request: its network address, the address that its user typed, and the web page
//! that sent it.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{FromRequestParts, Request};
use http::{Extensions, HeaderMap, HeaderValue, Uri, header, request::Parts, uri::Authority};
use url::Url;

use super::{
    host::Host,
    proxy::{direct, is_trusted},
};
use crate::{ApiError, State, options::Options};

/// Extractor: where a request comes from, as far as its headers can be trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClientInfo {
    /// The address at the other end of the connection.
    pub(crate) direct: IpAddr,
    /// The caller's address. Behind trusted proxies it is the one that the outermost of them saw.
    pub(crate) peer: IpAddr,
    /// Whether the connection comes from a proxy that the operator named.
    pub(crate) by_trusted_proxy: bool,
    /// Whether the caller speaks HTTPS; `None` if an unknown proxy may have terminated TLS.
    pub(super) https: Option<bool>,
    /// The host (with its port) that the caller asked for.
    pub(crate) host: Option<String>,
}

impl FromRequestParts<State> for ClientInfo {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, ApiError> {
        Ok(Self::of(&parts.headers, &parts.uri, &parts.extensions, state.options()))
    }
}

impl ClientInfo {
    pub(crate) fn of(headers: &HeaderMap, uri: &Uri, extensions: &Extensions, options: &Options) -> Self {
        let direct = direct(extensions);
        let trusted = |ip: IpAddr| is_trusted(ip, options);
        // A request with an absolute target may name its host there alone.
        let host = last(headers, header::HOST.as_str()).or_else(|| uri.authority().map(ToString::to_string));
        if !trusted(direct) {
            return Self {
                direct,
                peer: direct,
                by_trusted_proxy: false,
                https: options.https.then_some(true),
                host,
            };
        }
        let forwarded = list(headers, "x-forwarded-for");
        let addresses = forwarded.iter().rev().map_while(|text| address(text));
        let peer = addresses.fold(direct, |seen, next| if trusted(seen) { next } else { seen });
        let https = last(headers, "x-forwarded-proto").map(|scheme| scheme.eq_ignore_ascii_case("https"));
        Self {
            direct,
            peer,
            by_trusted_proxy: true,
            https: https.or(options.https.then_some(true)),
            host: last(headers, "x-forwarded-host").or(host),
        }
    }

    /// Returns whether an origin is Podgate's own or on the operator's list.
    ///
    /// Podgate's own origin has the scheme, host and port that the browser asked for. If no trusted
    /// source reports the scheme, either one is accepted: a proxy in front may terminate TLS, and
    /// the cookie is bound to its scheme anyway.
    pub(super) fn admits(&self, origin: &str, options: &Options) -> bool {
        let Some(parsed) = Url::parse(origin)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
        else {
            return false;
        };
        let serialised = parsed.origin().ascii_serialization();
        if !serialised.eq_ignore_ascii_case(origin) {
            return false;
        }
        let listed = options
            .allowed_origins
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(&serialised));
        let public = options
            .public_url
            .as_ref()
            .is_some_and(|url| url.origin() == parsed.origin());
        if listed || public {
            return true;
        }
        let Some(authority) = self.host.as_deref().and_then(|host| host.parse::<Authority>().ok()) else {
            return false;
        };
        let https = parsed.scheme() == "https";
        let port = authority.port_u16().or(Some(if https { 443 } else { 80 }));
        parsed
            .host_str()
            .is_some_and(|host| host.eq_ignore_ascii_case(authority.host()))
            && parsed.port_or_known_default() == port
            && self.https.is_none_or(|known| known == https)
    }

    /// Returns whether the browser must use HTTPS from now on (RFC 6797). That is so if it used
    /// HTTPS and a name that means more than its own machine.
    pub(crate) fn is_strict(&self, headers: &HeaderMap, options: &Options) -> bool {
        let by_name = self.host.as_deref().is_some_and(|host| !Host::read(host).is_local());
        by_name && self.secure(headers, options)
    }

    /// Returns whether the caller's browser used HTTPS, or `None` if an unknown proxy may have
    /// terminated TLS and neither the request's own page nor the public URL shows the scheme.
    pub(crate) fn spoke_https(&self, headers: &HeaderMap, options: &Options) -> Option<bool> {
        let origin = last(headers, header::ORIGIN.as_str());
        let page = origin.as_deref().and_then(|origin| origin.strip_prefix("https://"));
        let own_page =
            page.is_some_and(|page| self.host.as_deref().is_some_and(|host| host.eq_ignore_ascii_case(page)));
        self.https
            .or((own_page || is_public_over_https(options)).then_some(true))
    }

    /// Returns whether the caller's browser used HTTPS, so that a cookie may be bound to it.
    pub(crate) fn secure(&self, headers: &HeaderMap, options: &Options) -> bool {
        let by_page = last(headers, header::ORIGIN.as_str()).is_some_and(|origin| origin.starts_with("https://"));
        self.https.unwrap_or(by_page || is_public_over_https(options))
    }
}

fn is_public_over_https(options: &Options) -> bool {
    options.public_url.as_ref().is_some_and(|url| url.scheme() == "https")
}

/// Returns whether the answer to a request must carry [`STRICT`].
pub(crate) fn is_strict(request: &Request, options: &Options) -> bool {
    // A quick exit for servers that no caller can reach over HTTPS.
    if !options.https && !is_public_over_https(options) && options.trusted_proxies.is_empty() {
        return false;
    }
    let headers = request.headers();
    ClientInfo::of(headers, request.uri(), request.extensions(), options).is_strict(headers, options)
}

/// The value of `Strict-Transport-Security`: 180 days, without `includeSubDomains`, because
/// subdomains may belong to others and must stay reachable.
pub(crate) const STRICT: HeaderValue = HeaderValue::from_static("max-age=15552000");

/// Returns the entries of a list header, over all its lines.
fn list(headers: &HeaderMap, name: &str) -> Vec<String> {
    let lines = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    lines
        .flat_map(|line| line.split(','))
        .map(|entry| entry.trim().to_owned())
        .collect()
}

/// Returns the last entry of a list header, which the nearest proxy wrote.
pub(super) fn last(headers: &HeaderMap, name: &str) -> Option<String> {
    list(headers, name).pop().filter(|entry| !entry.is_empty())
}

/// Parses an address of `X-Forwarded-For`, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let ip = bare
        .parse()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    ip.map(|ip| ip.to_canonical())
}

/// Returns whether a request asks to become a WebSocket.
pub(crate) fn is_upgrade(headers: &HeaderMap) -> bool {
    headers.contains_key(header::UPGRADE)
        && list(headers, "upgrade")
            .iter()
            .any(|protocol| protocol.eq_ignore_ascii_case("websocket"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use axum::extract::ConnectInfo;
    use http::HeaderName;

    use super::*;

    fn seen(peer: &str, values: &[(&str, &str)], options: &Options) -> ClientInfo {
        let mut headers = HeaderMap::new();
        for (name, value) in values {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1234)));
        ClientInfo::of(&headers, &Uri::from_static("/"), &extensions, options)
    }

    fn behind_proxy() -> Options {
        Options {
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            ..Options::default()
        }
    }

    #[test]
    fn a_stranger_cannot_forge_its_address() {
        let forged = [
            ("x-forwarded-for", "127.0.0.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil.example"),
            ("host", "pods.example"),
        ];
        let seen = seen("192.0.2.1", &forged, &behind_proxy());
        assert_eq!(seen.peer, "192.0.2.1".parse::<IpAddr>().unwrap());
        assert_eq!(seen.https, None);
        assert_eq!(seen.host.as_deref(), Some("pods.example"));
    }

    #[test]
    fn behind_trusted_proxies_the_first_untrusted_address_from_the_right_is_the_callers() {
        for (forwarded, peer) in [
            ("203.0.113.9", "203.0.113.9"),
            ("127.0.0.1, 203.0.113.9, 10.1.1.1", "203.0.113.9"),
            ("203.0.113.9:4444", "203.0.113.9"),
            ("[2001:db8::1]:4444", "2001:db8::1"),
            ("10.2.2.2, 10.1.1.1", "10.2.2.2"),
            ("rubbish, 10.1.1.1", "10.1.1.1"),
            ("", "10.0.0.1"),
        ] {
            let seen = seen("10.0.0.1", &[("x-forwarded-for", forwarded)], &behind_proxy());
            assert_eq!(seen.peer, peer.parse::<IpAddr>().unwrap(), "{forwarded}");
        }
    }

    #[test]
    fn our_own_pages_are_admitted_and_others_are_not() {
        let plain = Options::default();
        let tls = Options {
            https: true,
            ..Options::default()
        };
        let public = Options {
            public_url: Some("https://pods.example/base".parse().unwrap()),
            allowed_origins: vec!["https://portal.example:8443".into()],
            ..Options::default()
        };
        for (options, host, origin, admitted) in [
            (&plain, "localhost:8080", "http://localhost:8080", true),
            (&plain, "localhost:8080", "http://localhost:8081", false),
            (&plain, "localhost:8080", "http://localhost", false),
            (&plain, "pods.example", "https://pods.example", true),
            (&plain, "PODS.example", "http://pods.example", true),
            (&plain, "pods.example:80", "http://pods.example", true),
            (&plain, "pods.example", "http://pods.example.evil.example", false),
            (&plain, "pods.example", "http://pods.example@evil.example", false),
            (&plain, "pods.example", "http://evil.example", false),
            (&plain, "pods.example", "null", false),
            (&plain, "pods.example", "", false),
            (&plain, "pods.example", "http://pods.example/", false),
            (&plain, "pods.example", "file://pods.example", false),
            (&plain, "[::1]:8080", "http://[::1]:8080", true),
            (&tls, "pods.example", "https://pods.example", true),
            (&tls, "pods.example", "http://pods.example", false),
            (&public, "inner:8080", "https://pods.example", true),
            (&public, "inner:8080", "http://pods.example", false),
            (&public, "inner:8080", "https://portal.example:8443", true),
            (&public, "inner:8080", "https://portal.example", false),
        ] {
            let seen = seen("192.0.2.1", &[("host", host)], options);
            assert_eq!(seen.admits(origin, options), admitted, "{host} {origin}");
        }
    }

    #[test]
    fn https_is_to_stay_for_names_that_were_reached_by_it() {
        let tls = Options {
            https: true,
            ..Options::default()
        };
        let public = Options {
            public_url: Some("https://pods.example".parse().unwrap()),
            ..Options::default()
        };
        let proxy = behind_proxy();
        for (options, peer, values, strict) in [
            (&tls, "192.0.2.1", &[("host", "pods.example")][..], true),
            (&tls, "192.0.2.1", &[("host", "Pods.example.:8443")], true),
            (&tls, "192.0.2.1", &[("host", "localhost:8443")], false),
            (&tls, "192.0.2.1", &[("host", "LOCALHOST.")], false),
            (&tls, "192.0.2.1", &[("host", "192.0.2.7:8443")], false),
            (&tls, "192.0.2.1", &[("host", "[2001:db8::1]:8443")], false),
            (&tls, "192.0.2.1", &[], false),
            (&public, "192.0.2.1", &[("host", "pods.example")], true),
            (&proxy, "192.0.2.1", &[("host", "pods.example")], false),
            (
                &proxy,
                "192.0.2.1",
                &[("host", "pods.example"), ("x-forwarded-proto", "https")],
                false,
            ),
            (
                &proxy,
                "10.0.0.1",
                &[("host", "pods.example"), ("x-forwarded-proto", "http")],
                false,
            ),
            (
                &proxy,
                "10.0.0.1",
                &[("host", "pods.example"), ("x-forwarded-proto", "https")],
                true,
            ),
            (
                &proxy,
                "10.0.0.1",
                &[
                    ("host", "10.0.0.2"),
                    ("x-forwarded-proto", "https"),
                    ("x-forwarded-host", "pods.example"),
                ],
                true,
            ),
        ] {
            let mut request = Request::builder().body(axum::body::Body::empty()).unwrap();
            for (name, value) in values {
                request.headers_mut().append(*name, value.parse().unwrap());
            }
            let peer = ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1234));
            request.extensions_mut().insert(peer);
            assert_eq!(is_strict(&request, options), strict, "{values:?}");
        }
    }

    #[test]
    fn a_trusted_proxys_scheme_and_host_are_those_that_count() {
        let options = behind_proxy();
        let through = [
            ("host", "podgate.internal:8080"),
            ("x-forwarded-host", "pods.example"),
            ("x-forwarded-proto", "https"),
        ];
        let seen = seen("10.0.0.1", &through, &options);
        assert!(seen.admits("https://pods.example", &options));
        assert!(!seen.admits("http://pods.example", &options));
        assert!(!seen.admits("http://podgate.internal:8080", &options));
    }
}
