//! The connection that a request came over, and whether a proxy sent it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::ConnectInfo;
use http::{Extensions, HeaderMap};

use crate::options::Options;

/// Returns the address that a connection comes from.
pub(super) fn direct(extensions: &Extensions) -> IpAddr {
    let info = extensions.get::<ConnectInfo<SocketAddr>>();
    info.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip().to_canonical())
}

/// Returns whether an address is that of a proxy that the operator named.
pub(super) fn is_trusted(ip: IpAddr, options: &Options) -> bool {
    options.trusted_proxies.iter().any(|network| network.contains(&ip))
}

/// Returns whether a connection comes from a proxy that the operator named.
pub(super) fn is_by_trusted_proxy(extensions: &Extensions, options: &Options) -> bool {
    is_trusted(direct(extensions), options)
}

/// Returns whether a request says that a proxy passed it on.
pub(crate) fn is_proxied(headers: &HeaderMap) -> bool {
    let marks = ["via", "x-real-ip", "x-forwarded-for", "forwarded"];
    marks.iter().any(|mark| headers.contains_key(*mark))
}
