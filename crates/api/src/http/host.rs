//! The host names that Podgate answers to.
//!
//! Refusing all others protects against DNS rebinding: a foreign page whose name was pointed at
//! Podgate's address can't read answers.

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv6Addr},
};

use axum::extract::Request;
use http::{HeaderMap, header};
use url::Url;

use super::proxy::is_by_trusted_proxy;
use crate::{ApiError, extract::parameters::shown, options::Options, route::ASKED_BY_ADDRESS};

/// A host, without its port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// An IP address. No name was resolved, so none can have been rebound.
    Address,
    /// A name in lower case, without a dot at its end.
    Name(String),
}

impl Host {
    /// Parses `NAME[:PORT]` or `ADDRESS[:PORT]`, an IPv6 address in brackets.
    pub(crate) fn read(authority: &str) -> Self {
        if let Some((address, port)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']'))
            && address.parse::<Ipv6Addr>().is_ok()
            && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
        {
            return Self::Address;
        }
        let name = match authority.rsplit_once(':') {
            Some((name, port)) if is_port(port) => name,
            _ => authority,
        };
        if [name, authority].iter().any(|text| text.parse::<IpAddr>().is_ok()) {
            return Self::Address;
        }
        Self::Name(normal(name))
    }

    /// Returns whether the host is an address, or a name that always means the caller's own
    /// machine.
    pub(crate) fn is_local(&self) -> bool {
        match self {
            Self::Address => true,
            Self::Name(name) => name == LOCALHOST,
        }
    }
}

const LOCALHOST: &str = "localhost";

fn is_port(text: &str) -> bool {
    text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Converts a name to lower case, without a dot at its end.
pub(crate) fn normal(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// The names that Podgate answers to.
#[derive(Debug)]
pub(crate) struct Hosts {
    /// The names; `None` if the operator did not say under which address Podgate is reached.
    names: Option<HashSet<String>>,
}

impl Hosts {
    pub(crate) fn of(options: &Options) -> Self {
        let names = options.public_url.as_ref().map(|public| {
            let origins = options
                .allowed_origins
                .iter()
                .filter_map(|origin| Url::parse(origin).ok());
            let urls = origins.chain([public.clone()]);
            let hosts = urls.filter_map(|url| url.host_str().map(normal));
            let named = options.allowed_hosts.iter().map(|host| normal(host));
            hosts.chain(named).chain([LOCALHOST.to_owned()]).collect()
        });
        Self { names }
    }

    /// Returns the error for a request that has two `Host` headers, or one with a name that is not
    /// Podgate's. Behind a trusted proxy the proxy's virtual hosts decide. `route` is the path of
    /// the route without the base path.
    pub(crate) fn refusal(&self, request: &Request, route: Option<&str>, options: &Options) -> Option<ApiError> {
        let headers = request.headers();
        if headers.get_all(header::HOST).iter().nth(1).is_some() {
            return Some(ApiError::Parameter(
                "the request has several `Host` headers: send one".to_owned(),
            ));
        }
        let names = self.names.as_ref()?;
        if route.is_some_and(|route| ASKED_BY_ADDRESS.contains(&route))
            || is_by_trusted_proxy(request.extensions(), options)
        {
            return None;
        }
        // The host of an absolute target counts as well as the header (RFC 9112, section 3.2.2).
        let target = request.uri().authority().map(|authority| authority.as_str());
        let asked = target.into_iter().map(str::to_owned).chain(host(headers));
        let mut foreign = asked.filter_map(|authority| match Host::read(&authority) {
            Host::Name(name) if !name.is_empty() && !names.contains(&name) => Some(name),
            _ => None,
        });
        let name = shown(&foreign.next()?);
        tracing::warn!(
            host = name,
            "refused a request whose `Host` is not a name of this server: see --allowed-host"
        );
        Some(ApiError::Parameter(format!(
            "this server was asked for as `{name}` in `Host`, which is not a name of its own: use the address of --public-url, or have the operator \
             add the name with --allowed-host"
        )))
    }
}

/// Returns the `Host` header. A value that is not text becomes a name that no server has.
fn host(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::HOST)?;
    Some(value.to_str().unwrap_or("?").trim().to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::net::SocketAddr;

    use axum::{body::Body, extract::ConnectInfo};

    use super::*;

    fn options() -> Options {
        Options {
            public_url: Some("https://Pods.example/podgate".parse().unwrap()),
            allowed_origins: vec!["https://portal.example:8443".into()],
            allowed_hosts: vec!["Inner.example.".into()],
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            ..Options::default()
        }
    }

    fn request(peer: &str, target: &str, hosts: &[&str]) -> Request {
        let mut request = Request::builder().uri(target).body(Body::empty()).unwrap();
        for host in hosts {
            request.headers_mut().append(header::HOST, host.parse().unwrap());
        }
        let peer = SocketAddr::new(peer.parse().unwrap(), 1234);
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    }

    fn refused(options: &Options, request: &Request, route: &str) -> Option<String> {
        let refusal = Hosts::of(options).refusal(request, Some(route), options)?;
        match refusal {
            ApiError::Parameter(message) => Some(message),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn names_that_are_not_ours_are_refused() {
        let options = options();
        for (host, ours) in [
            ("pods.example", true),
            ("PODS.Example", true),
            ("pods.example.", true),
            ("pods.example:8080", true),
            ("pods.example.:443", true),
            ("pods.example:", true),
            ("portal.example", true),
            ("inner.example", true),
            ("INNER.example.:80", true),
            ("localhost", true),
            ("LOCALHOST:8080", true),
            ("localhost.:8080", true),
            ("127.0.0.1", true),
            ("127.0.0.1:8080", true),
            ("192.0.2.7:1", true),
            ("[::1]", true),
            ("[::1]:8080", true),
            ("[2001:db8::1]:443", true),
            ("::1", true),
            ("", true),
            ("evil.example", false),
            ("evil.example:8080", false),
            ("pods.example.evil.example", false),
            ("xpods.example", false),
            ("pods.example..", false),
            ("pods.example:x", false),
            ("pods.example:123456", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("127.1", false),
            ("2130706433", false),
            ("0x7f.0.0.1", false),
            ("[::1].evil.example", false),
            ("[evil.example]", false),
            ("[::1", false),
            ("pods.example, evil.example", false),
            ("user@pods.example", false),
        ] {
            let message = refused(
                &options,
                &request("192.0.2.1", "/api/clusters", &[host]),
                "/api/clusters",
            );
            assert_eq!(message.is_none(), ours, "{host}: {message:?}");
            if let Some(message) = message {
                assert!(message.contains("--allowed-host"), "{message}");
            }
        }
    }

    #[test]
    fn an_absolute_target_names_a_host_too() {
        let options = options();
        for (target, hosts, ours) in [
            ("http://pods.example/api/clusters", &["pods.example"][..], true),
            ("http://evil.example/api/clusters", &["pods.example"], false),
            ("http://pods.example/api/clusters", &["evil.example"], false),
            ("http://127.0.0.1:8080/api/clusters", &[], true),
            ("/api/clusters", &[], true),
        ] {
            let message = refused(&options, &request("192.0.2.1", target, hosts), "/api/clusters");
            assert_eq!(message.is_none(), ours, "{target} {hosts:?}: {message:?}");
        }
    }

    #[test]
    fn probes_and_trusted_proxies_are_not_asked() {
        let options = options();
        let evil = request("192.0.2.1", "/", &["evil.example"]);
        for route in ASKED_BY_ADDRESS {
            assert_eq!(refused(&options, &evil, route), None, "{route}");
        }
        let through = request("10.1.2.3", "/api/clusters", &["evil.example"]);
        assert_eq!(refused(&options, &through, "/api/clusters"), None);
        let unknown = Options {
            public_url: None,
            ..options
        };
        assert_eq!(refused(&unknown, &evil, "/api/clusters"), None);
    }

    #[test]
    fn two_host_headers_are_refused_from_everyone() {
        for options in [options(), Options::default()] {
            for (peer, route) in [("192.0.2.1", "/api/clusters"), ("10.0.0.1", "/healthz")] {
                let twice = request(peer, route, &["pods.example", "pods.example"]);
                let message = refused(&options, &twice, route).unwrap();
                assert!(message.contains("several `Host` headers"), "{message}");
            }
        }
    }
}
