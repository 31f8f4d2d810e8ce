//! Proxies on the way to an API server: the one that a context names, or the environment's by the
//! rules of Go's `httpproxy`.

use http::{HeaderValue, Uri};
use percent_encoding::percent_decode_str;
use url::Url;

use super::tls::TlsFailure;
use crate::text::{Message, quote};

mod environment;

pub(super) use self::environment::Environment;

/// A proxy. Its `Display` and `Debug` show neither user name nor password.
#[derive(Clone, PartialEq)]
pub(crate) struct Proxy {
    pub(super) kind: Kind,
    /// The address: scheme, host and port only.
    pub(super) uri: Uri,
    /// User name and password.
    pub(super) user: Option<(String, String)>,
}

/// The protocol of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// HTTP, with tunnels by `CONNECT`.
    Http,
    /// HTTP within TLS.
    Https,
    /// SOCKS 5. The proxy resolves host names itself.
    Socks,
}

/// The reason why a proxy did not connect to the API server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyFailure {
    /// Nothing listens at the proxy's address.
    #[error("nothing accepts connections at the proxy's address")]
    ConnectionRefused,
    /// No connection to the proxy was made. The connector does not report why.
    #[error("no connection to the proxy was made")]
    Unreachable,
    /// The proxy did not answer in time.
    #[error("the proxy did not answer in time")]
    TimedOut,
    /// The TLS handshake with the proxy failed.
    #[error("{}", .0.with_proxy())]
    Tls(TlsFailure),
    /// The proxy refused the tunnel.
    #[error("it refused")]
    Refused,
    /// Any other failure.
    #[error("{0}")]
    Other(Message),
}

/// The error of a connection through a proxy.
#[derive(Debug, thiserror::Error)]
#[error("the API server could not be reached through the proxy `{proxy}`")]
pub(super) struct ProxyError {
    /// The proxy's address, without user name and password.
    pub(super) proxy: String,
    #[source]
    pub(super) cause: tower::BoxError,
}

impl std::fmt::Display for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.uri.to_string().trim_end_matches('/'))
    }
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl Proxy {
    /// Reads a context's `proxy-url` (`parseProxyURL` of client-go).
    ///
    /// # Errors
    /// The end of a sentence that begins with the origin of the address. It shows the address
    /// without user name and password.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let refuse = |why: &str| Err(format!("is `{}`, which {why}", without_user(text)));
        let Ok(url) = Url::parse(text) else {
            return refuse("is not an address: give `http://host:port`");
        };
        let (kind, port) = match url.scheme() {
            "http" => (Kind::Http, 80),
            "https" => (Kind::Https, 443),
            "socks5" | "socks5h" => (Kind::Socks, 1080),
            _ => return refuse("does not begin with `http://`, `https://` or `socks5://`"),
        };
        let scheme = if kind == Kind::Socks { "socks5" } else { url.scheme() };
        let host = url.host_str().unwrap_or_default();
        let port = url.port().unwrap_or(port);
        let Some(uri) = format!("{scheme}://{host}:{port}")
            .parse::<Uri>()
            .ok()
            .filter(|_| !host.is_empty())
        else {
            return refuse("has no host: give `http://host:port`");
        };
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let user = (decoded(url.username()), decoded(url.password().unwrap_or_default()));
        Ok(Self {
            kind,
            uri,
            user: Some(user).filter(|user| *user != (String::new(), String::new())),
        })
    }

    /// Returns the `Proxy-Authorization` header for an HTTP proxy.
    pub(super) fn authorization(&self) -> Option<HeaderValue> {
        let (name, password) = self.user.as_ref()?;
        let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("{name}:{password}"));
        HeaderValue::try_from(format!("Basic {encoded}")).ok()
    }
}

/// Returns an address for a message: as it was given, but shortened, and without anything before an
/// `@`.
fn without_user(text: &str) -> String {
    let is_scheme = |scheme: &str| {
        scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    };
    let (scheme, rest) = text
        .split_once("://")
        .filter(|(scheme, _)| is_scheme(scheme))
        .unwrap_or(("", text));
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let separator = if scheme.is_empty() { "" } else { "://" };
    quote(&format!("{scheme}{separator}{rest}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_proxy_has_a_scheme_a_host_and_a_port() {
        for (text, shown) in [
            ("http://proxy.example", "http://proxy.example:80"),
            ("https://proxy.example/", "https://proxy.example:443"),
            ("socks5://10.0.0.1", "socks5://10.0.0.1:1080"),
            ("socks5h://proxy.example:9", "socks5://proxy.example:9"),
            ("http://[fd12::1]:3128", "http://[fd12::1]:3128"),
        ] {
            assert_eq!(Proxy::parse(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn its_user_is_decoded_and_not_shown() {
        let proxy = Proxy::parse("http://me:p%40ss@proxy.example:3128").unwrap();
        assert_eq!(proxy.user, Some(("me".to_owned(), "p@ss".to_owned())));
        assert_eq!(proxy.authorization().unwrap(), "Basic bWU6cEBzcw==");
        assert_eq!(
            format!("{proxy} {proxy:?}"),
            "http://proxy.example:3128 http://proxy.example:3128"
        );
    }

    #[test]
    fn a_refused_proxy_is_named_without_its_password() {
        for (text, shown) in [
            ("me:secret@proxy.example:3128", "`proxy.example:3128`"),
            ("ftp://me:secret@proxy.example", "`ftp://proxy.example`"),
            ("http://me:secret@", "`http://`"),
            ("http://me:secret@pro xy:80", "`http://pro xy:80`"),
            ("me:secret://@x://y@proxy", "proxy`"),
            ("", "``"),
        ] {
            let refused = Proxy::parse(text).unwrap_err();
            assert!(
                refused.contains(shown) && !refused.contains("secret"),
                "{text}: {refused}"
            );
        }
    }
}
