//! Explanations of failed connections.

use std::{error::Error as StdError, io};

use tokio::time::error::Elapsed;
use tower::buffer::error::Closed;

use super::proxy::{ProxyError, ProxyFailure};
use crate::{Error, error::Failure, text::excerpt};

/// Returns the error for a call that failed before or within its response.
pub(super) fn failure(error: &(dyn StdError + 'static), what: &str) -> Error {
    match chain(error).find_map(known) {
        Some(Ok(failure)) => Error::upstream(what, failure),
        Some(Err(TimedOut)) => Error::timeout(format!(
            "{what} failed because no connection was made in time: check the address, and that nothing in between drops packets"
        )),
        None => {
            let root = chain(error).last().map(ToString::to_string).unwrap_or_default();
            Error::upstream(what, Failure::Other(excerpt(&root).into()))
        }
    }
}

/// Returns whether an error may mean that the source's credential or authority is out of date, so
/// that reading the source again may help.
pub(super) fn concerns_source(error: &(dyn StdError + 'static)) -> bool {
    chain(error).any(|cause| cause.is::<rustls::Error>() || cause.is::<Closed>())
}

/// Returns an iterator over an error and its causes. It also visits the error inside an
/// `io::Error`, which `source` skips.
fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&cause: &&'a (dyn StdError + 'static)| {
        let wrapped = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        wrapped
            .map(|inner| inner as &(dyn StdError + 'static))
            .or_else(|| cause.source())
    })
}

/// Returns the error for a source from which no client can be made.
pub(super) fn unusable(error: &(dyn StdError + 'static), cluster: &str) -> Error {
    failure(error, &format!("preparing the connection to cluster `{cluster}`"))
}

/// The marker of a connection that was not made in time.
struct TimedOut;

/// Returns the meaning of a cause, if its type has one.
fn known(cause: &(dyn StdError + 'static)) -> Option<Result<Failure, TimedOut>> {
    if let Some(failure) = cause.downcast_ref::<Failure>() {
        return Some(Ok(failure.clone()));
    }
    if cause.is::<Closed>() {
        return Some(Ok(Failure::Fault));
    }
    if let Some(error) = cause.downcast_ref::<ProxyError>() {
        return Some(Ok(Failure::Proxy {
            proxy: error.proxy.as_str().into(),
            why: proxy(error.cause.as_ref()),
        }));
    }
    if cause.is::<Elapsed>() {
        return Some(Err(TimedOut));
    }
    if let Some(error) = cause.downcast_ref::<rustls::Error>() {
        return Some(Ok(Failure::Tls(error.into())));
    }
    if is_closed(cause) {
        return Some(Ok(Failure::ConnectionClosed));
    }
    let io = cause.downcast_ref::<io::Error>().filter(|io| io.get_ref().is_none())?;
    match io.kind() {
        io::ErrorKind::TimedOut => Some(Err(TimedOut)),
        io::ErrorKind::ConnectionRefused => Some(Ok(Failure::ConnectionRefused)),
        _ => None,
    }
}

/// Returns whether the other end closed the connection, during a handshake or later. The libraries
/// report this in different ways and in texts that do not help the reader.
fn is_closed(cause: &(dyn StdError + 'static)) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let io = cause.downcast_ref::<io::Error>().map(io::Error::kind);
    let hyper = cause.downcast_ref::<hyper::Error>();
    matches!(
        io,
        Some(BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
    ) || hyper.is_some_and(hyper::Error::is_incomplete_message)
}

/// Returns why a proxy can't be reached, or did not connect to the API server.
fn proxy(cause: &(dyn StdError + 'static)) -> ProxyFailure {
    let io = chain(cause).find_map(|cause| cause.downcast_ref::<io::Error>().map(io::Error::kind));
    match io {
        Some(io::ErrorKind::ConnectionRefused) => ProxyFailure::ConnectionRefused,
        Some(io::ErrorKind::TimedOut) => ProxyFailure::TimedOut,
        _ => match chain(cause).find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
            Some(error) => ProxyFailure::Tls(error.into()),
            None => from_tunnel(&chain(cause).last().map(ToString::to_string).unwrap_or_default()),
        },
    }
}

/// Returns the meaning of a tunnel's error from its text, because its type is private to
/// hyper-util.
fn from_tunnel(text: &str) -> ProxyFailure {
    match text.split_once(" error: ").map_or(text, |(_, text)| text) {
        // A SOCKS connector does not report the cause.
        "failed to create underlying connection" => ProxyFailure::Unreachable,
        "unsuccessful" => ProxyFailure::Refused,
        text => ProxyFailure::Other(excerpt(text).into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const WHAT: &str = "GET /version on cluster `prod`";

    #[test]
    fn a_library_s_words_for_a_closed_connection_are_not_repeated() {
        for kind in [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset] {
            let error = io::Error::other(io::Error::new(kind, "see https://docs.rs/library"));
            assert_eq!(failure(&error, WHAT), Error::upstream(WHAT, Failure::ConnectionClosed));
        }
    }

    #[tokio::test]
    async fn a_client_whose_worker_panicked_is_replaced() {
        use tower::{Service, ServiceExt};
        let faulty = tower::service_fn(|(): ()| {
            let nothing = Vec::<u8>::new();
            std::future::ready(Ok::<_, io::Error>(nothing[0]))
        });
        let mut client = tower::buffer::Buffer::new(faulty, 1);
        let error = client.ready().await.unwrap().call(()).await.unwrap_err();
        assert!(concerns_source(error.as_ref()));
        assert_eq!(failure(error.as_ref(), WHAT), Error::upstream(WHAT, Failure::Fault));
    }

    #[test]
    fn a_handshake_with_a_proxy_that_fails_blames_the_proxy() {
        let bad = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        for (error, part) in [
            (bad, "the proxy's own certificate was not accepted"),
            (
                rustls::Error::AlertReceived(rustls::AlertDescription::HandshakeFailure),
                "the proxy ended the TLS handshake",
            ),
        ] {
            let failed = ProxyError {
                proxy: "https://proxy.example:443".to_owned(),
                cause: io::Error::new(io::ErrorKind::InvalidData, error).into(),
            };
            let text = failure(&failed, WHAT).to_string();
            assert!(
                text.contains(part)
                    && text.contains("`https://proxy.example:443`")
                    && !text.contains("the API server's certificate"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_failed_handshake_says_its_kind() {
        let refused = rustls::Error::AlertReceived(rustls::AlertDescription::CertificateRequired);
        let error = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, refused));
        let text = failure(&error, WHAT).to_string();
        assert!(
            text.contains("cluster `prod`") && text.contains("asks for a client certificate"),
            "{text}"
        );
    }
}
