//! The proxies that the environment names, by the rules of `golang.org/x/net/http/httpproxy`, which
//! kubectl uses.

use std::net::IpAddr;

use http::Uri;
use ipnet::IpNet;

use super::Proxy;

/// The variables that name proxies and the addresses to reach without one.
#[derive(Clone, Debug, Default)]
pub(in crate::client) struct Environment {
    /// `HTTPS_PROXY`, or empty.
    https: String,
    /// `HTTP_PROXY`, or empty.
    http: String,
    /// `NO_PROXY`, or empty.
    none: String,
}

/// An entry of `NO_PROXY`.
enum Rule {
    All,
    Network(IpNet),
    Address(IpAddr, String),
    /// A name with a leading dot, a port (or an empty text), and whether the name itself matches in
    /// addition to its subdomains.
    Domain(String, String, bool),
}

impl Environment {
    /// Reads the variables of this process. Names in upper case take precedence, and an empty
    /// variable counts as absent.
    pub(in crate::client) fn from_process() -> Self {
        let any = |names: [&str; 2]| {
            let mut values = names.into_iter().filter_map(|name| std::env::var(name).ok());
            values.find(|value| !value.is_empty()).unwrap_or_default()
        };
        Self {
            https: any(["HTTPS_PROXY", "https_proxy"]),
            http: any(["HTTP_PROXY", "http_proxy"]),
            none: any(["NO_PROXY", "no_proxy"]),
        }
    }

    /// Returns the proxy for an address, if one is to be used. It is `None` for an address in
    /// `NO_PROXY`, and for loopback whatever the variables say.
    ///
    /// # Errors
    /// A sentence that names the variable and the proxy that can't be used.
    pub(in crate::client) fn proxy(&self, server: &Uri) -> Result<Option<Proxy>, String> {
        let (variable, text, port) = match server.scheme_str() {
            Some("https") => ("HTTPS_PROXY", &self.https, 443),
            _ => ("HTTP_PROXY", &self.http, 80),
        };
        let port = server.port_u16().unwrap_or(port).to_string();
        if text.is_empty() || self.is_direct(server.host().unwrap_or_default(), &port) {
            return Ok(None);
        }
        // The value has no scheme, although Go's parser would take the host for one:
        // "proxy.example:3128" and "10.0.0.1:3128".
        let whole = if text.contains("://") {
            text.clone()
        } else {
            format!("http://{text}")
        };
        let proxy = Proxy::parse(&whole).map_err(|why| {
            format!("the environment variable `{variable}` {why}; `NO_PROXY` can name the hosts that need no proxy")
        })?;
        Ok(Some(proxy))
    }

    fn is_direct(&self, host: &str, port: &str) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']').to_lowercase();
        let address = host.parse::<IpAddr>().ok().map(|address| address.to_canonical());
        if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
            return true;
        }
        let rules = self.none.split(',').filter_map(rule);
        rules.into_iter().any(|rule| match (rule, address) {
            (Rule::All, _) => true,
            (Rule::Network(network), Some(address)) => network.contains(&address),
            (Rule::Address(only, of), Some(address)) => only == address && (of.is_empty() || of == port),
            (Rule::Domain(suffix, of, itself), None) => {
                (host.ends_with(&suffix) || (itself && host == suffix[1..])) && (of.is_empty() || of == port)
            }
            _ => false,
        })
    }
}

/// Reads an entry of `NO_PROXY`; `None` for an empty or malformed one, which is ignored.
fn rule(text: &str) -> Option<Rule> {
    let text = text.trim().to_lowercase();
    if text == "*" {
        return Some(Rule::All);
    }
    if let Ok(network) = text.parse() {
        return Some(Rule::Network(network));
    }
    let (host, port) = split_port(&text);
    if let Ok(address) = host.parse::<IpAddr>() {
        return Some(Rule::Address(address.to_canonical(), port.to_owned()));
    }
    let host = host
        .strip_prefix('*')
        .filter(|rest| rest.starts_with('.'))
        .unwrap_or(host);
    match host.chars().next()? {
        '.' => Some(Rule::Domain(host.to_owned(), port.to_owned(), false)),
        _ => Some(Rule::Domain(format!(".{host}"), port.to_owned(), true)),
    }
}

/// Splits host and port as `net.SplitHostPort` does. Without a port, the whole text is the host.
fn split_port(text: &str) -> (&str, &str) {
    if let Some(bracketed) = text.strip_prefix('[') {
        return bracketed.split_once("]:").unwrap_or((text, ""));
    }
    match text.split_once(':') {
        Some((host, port)) if !port.contains(':') => (host, port),
        _ => (text, ""),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PROXY: &str = "http://proxy.example:3128";

    fn used(none: &str, server: &str) -> bool {
        let environment = Environment {
            https: PROXY.to_owned(),
            http: PROXY.to_owned(),
            none: none.to_owned(),
        };
        let proxy = environment.proxy(&server.parse().unwrap()).unwrap();
        proxy.inspect(|proxy| assert_eq!(proxy.to_string(), PROXY)).is_some()
    }

    /// Each row was compared with the result of Go's `httpproxy`.
    #[test]
    fn no_proxy_is_read_as_go_reads_it() {
        for (none, server, expected) in [
            ("", "https://k8s.example", true),
            ("", "https://localhost:6443", false),
            ("", "https://127.0.0.1:6443", false),
            ("", "https://127.9.9.9", false),
            ("", "https://[::1]:6443", false),
            ("", "http://localhost", false),
            ("localhost,", "https://k8s.example", true),
            (", ,", "https://k8s.example", true),
            ("*", "https://k8s.example", false),
            ("a.example, *", "https://10.0.0.1", false),
            ("k8s.example", "https://k8s.example:6443", false),
            ("k8s.example", "https://api.k8s.example", false),
            ("k8s.example", "https://xk8s.example", true),
            ("K8S.Example", "https://k8s.EXAMPLE", false),
            (" k8s.example ,x", "https://k8s.example", false),
            (".example", "https://k8s.example", false),
            (".k8s.example", "https://k8s.example", true),
            ("*.k8s.example", "https://k8s.example", true),
            ("*.k8s.example", "https://a.b.k8s.example", false),
            ("*k8s.example", "https://k8s.example", true),
            ("k8s.example:6443", "https://k8s.example:6443", false),
            ("k8s.example:6443", "https://k8s.example", true),
            ("k8s.example:443", "https://k8s.example", false),
            ("k8s.example:80", "http://k8s.example", false),
            ("10.0.0.0/8", "https://10.1.2.3:6443", false),
            ("10.0.0.0/8", "https://11.1.2.3", true),
            ("10.0.0.0/8", "https://k8s.example", true),
            ("10.0.0.1", "https://10.0.0.1:6443", false),
            ("10.0.0.1:6443", "https://10.0.0.1:6443", false),
            ("10.0.0.1:6443", "https://10.0.0.1", true),
            ("fd12::/16", "https://[fd12::1]", false),
            ("fd12::1", "https://[fd12::1]:6443", false),
            ("[fd12::1]", "https://[fd12::1]:6443", true),
            ("[fd12::1]:6443", "https://[fd12::1]:6443", false),
            (":6443", "https://k8s.example:6443", true),
            ("0.0.1", "https://10.0.0.1", true),
        ] {
            assert_eq!(used(none, server), expected, "NO_PROXY={none:?} {server}");
        }
    }

    #[test]
    fn a_proxy_without_a_scheme_speaks_http() {
        let environment = |https: &str| Environment {
            https: https.to_owned(),
            ..Environment::default()
        };
        let server: Uri = "https://k8s.example".parse().unwrap();
        for (text, shown) in [
            ("proxy.example:3128", "http://proxy.example:3128"),
            ("10.0.0.1:3128", "http://10.0.0.1:3128"),
            ("proxy", "http://proxy:80"),
            ("me:secret@proxy:8080", "http://proxy:8080"),
            ("socks5://proxy", "socks5://proxy:1080"),
        ] {
            assert_eq!(environment(text).proxy(&server).unwrap().unwrap().to_string(), shown);
        }
        assert!(environment("").proxy(&server).unwrap().is_none());
        assert!(
            environment("proxy")
                .proxy(&"http://k8s.example".parse().unwrap())
                .unwrap()
                .is_none()
        );
        let refused = environment("ftp://me:secret@proxy").proxy(&server).unwrap_err();
        assert!(
            refused.contains("`HTTPS_PROXY` is `ftp://proxy`") && !refused.contains("secret"),
            "{refused}"
        );
        assert!(
            environment("ftp://proxy")
                .proxy(&"https://localhost".parse().unwrap())
                .unwrap()
                .is_none()
        );
    }
}
