//! Parsers of flag values.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use ipnet::IpNet;
use url::Url;

use super::Namespaces;

/// Parses a path. It may be empty, because `PODGATE_KUBECONFIG` may have empty entries.
pub(super) fn file(text: &str) -> Result<PathBuf, std::convert::Infallible> {
    Ok(PathBuf::from(text))
}

/// Parses `CONTEXT=a,b`. The context's name may contain `=`.
pub(super) fn namespaces(text: &str) -> Result<Namespaces, String> {
    let usage = || "takes a context and its namespaces, such as prod=shop,staging".to_owned();
    let (context, names) = text.rsplit_once('=').ok_or_else(usage)?;
    let names: Vec<String> = names
        .split(',')
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    let label = |name: &String| {
        let inner = name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        inner && name.len() <= 63 && !name.starts_with('-') && !name.ends_with('-')
    };
    if context.is_empty() || names.is_empty() || !names.iter().all(label) {
        return Err(usage());
    }
    Ok(Namespaces {
        context: context.to_owned(),
        names,
    })
}

/// Parses a base path: empty, or a path that begins with a slash and does not end with one.
pub(super) fn base_path(text: &str) -> Result<String, String> {
    let path = text.trim_end_matches('/');
    let segments_are_plain = path.split('/').skip(1).all(|segment| {
        !segment.is_empty()
            && segment
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
            && !matches!(segment, "." | "..")
    });
    if path.is_empty() || (path.starts_with('/') && segments_are_plain) {
        Ok(path.to_owned())
    } else {
        Err("takes a path such as /podgate, of letters, digits and -._~ between slashes".to_owned())
    }
}

pub(super) fn http_url(text: &str) -> Result<Url, String> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => Ok(url),
        _ => Err("takes a URL that begins with http:// or https://".to_owned()),
    }
}

/// Parses an origin as browsers send it: scheme, host and port without a path (RFC 6454, section
/// 6.1).
pub(super) fn origin(text: &str) -> Result<String, String> {
    let url = http_url(text)?;
    match url.path() {
        "" | "/" => Ok(url.origin().ascii_serialization()),
        _ => Err("takes an origin, which is scheme, host and port only, such as https://portal.example.com".to_owned()),
    }
}

/// Parses a host name, without scheme, port or path.
pub(super) fn host_name(text: &str) -> Result<String, String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if !text.is_empty() && text.bytes().all(is_plain) {
        return Ok(text.to_owned());
    }
    Err("takes a host name such as podgate.internal, without scheme and port".to_owned())
}

/// Parses a network or a single address.
pub(super) fn network(text: &str) -> Result<IpNet, String> {
    text.parse()
        .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
        .map_err(|_| "takes a network such as 10.0.0.0/8, or an address".to_owned())
}

/// Parses a number of bytes as Kubernetes writes memory.
pub(super) fn size(text: &str) -> Result<usize, String> {
    let (number, shift) = match text.split_at_checked(text.len().saturating_sub(2)) {
        Some((number, "Ki")) => (number, 10),
        Some((number, "Mi")) => (number, 20),
        Some((number, "Gi")) => (number, 30),
        _ => (text, 0),
    };
    let bytes = number
        .parse::<usize>()
        .ok()
        .and_then(|number| number.checked_mul(1 << shift));
    bytes.ok_or_else(|| "takes a number of bytes, or a number with Ki, Mi or Gi, such as 512Mi".to_owned())
}

/// Parses a [`size`] that is enough for one terminal.
pub(super) fn stream_memory(text: &str) -> Result<usize, String> {
    let bytes = size(text)?;
    if bytes < 2 << 20 {
        return Err("takes at least 2Mi, because one terminal may need as much".to_owned());
    }
    Ok(bytes)
}

pub(super) fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 1..=1_000_000) => Ok(count),
        _ => Err("takes a number from 1 to 1000000".to_owned()),
    }
}

/// Parses whole seconds up to an hour, with or without the unit.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    match text.strip_suffix('s').unwrap_or(text).parse() {
        Ok(seconds @ 0..=3600) => Ok(Duration::from_secs(seconds)),
        _ => Err("takes seconds from 0 to 3600, such as 10s".to_owned()),
    }
}

/// Parses a [`size`] that is enough to hold and convert the largest response.
pub(super) fn body_memory(text: &str) -> Result<usize, String> {
    let bytes = size(text)?;
    if bytes < 64 << 20 {
        return Err("takes at least 64Mi, because one large response may need as much".to_owned());
    }
    Ok(bytes)
}

pub(super) fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && (0.0..=100_000.0).contains(&rate) => Ok(rate),
        _ => Err("takes a number of events per second from 0 to 100000".to_owned()),
    }
}

pub(super) fn loopback(text: &str) -> Result<SocketAddr, String> {
    match text.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Ok(address),
        _ => Err(
            "takes a loopback address such as 127.0.0.1:0, because the simulated cluster's credentials are public"
                .to_owned(),
        ),
    }
}
