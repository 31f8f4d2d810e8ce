//! What a failed connection means, in a sentence for the reader who must act.

use std::{error::Error as StdError, io};

use tokio::time::error::Elapsed;
use tower::buffer::error::Closed;

use super::{address::Blocked, proxy::ProxyError, tls};
use crate::{Error, text::excerpt};

/// A call that failed before, or within, its answer.
pub(super) fn failure(error: &(dyn StdError + 'static), what: &str) -> Error {
    chain(error).find_map(|cause| known(cause, what)).unwrap_or_else(|| {
        let root = chain(error).last().map(ToString::to_string).unwrap_or_default();
        Error::upstream(format!("{what} failed: {}", excerpt(&root)))
    })
}

/// Whether credential or authority of the source may be out of date, so that reading it again may help.
pub(super) fn concerns_source(error: &(dyn StdError + 'static)) -> bool {
    chain(error).any(|cause| cause.is::<rustls::Error>() || cause.is::<Closed>())
}

/// An error and what caused it. An `io::Error` hides the error that it wraps from `source`.
fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&cause: &&'a (dyn StdError + 'static)| {
        let wrapped = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        wrapped
            .map(|inner| inner as &(dyn StdError + 'static))
            .or_else(|| cause.source())
    })
}

/// A source of which no client can be made.
pub(super) fn unusable(error: &(dyn StdError + 'static), cluster: &str) -> Error {
    failure(error, &format!("preparing the connection to cluster `{cluster}`"))
}

fn known(cause: &(dyn StdError + 'static), what: &str) -> Option<Error> {
    if let Some(blocked) = cause.downcast_ref::<Blocked>() {
        return Some(Error::upstream(format!("{what} was not sent: {blocked}")));
    }
    if cause.is::<Closed>() {
        return Some(Error::upstream(format!(
            "{what} failed by a fault of Podgate's own, which ended the cluster's client: a new one is made, and the log has the reason"
        )));
    }
    if let Some(failed) = cause.downcast_ref::<ProxyError>() {
        return Some(proxy(failed, what));
    }
    if cause.is::<Elapsed>() {
        return Some(timed_out(what));
    }
    if let Some(error) = cause.downcast_ref::<rustls::Error>() {
        return Some(Error::upstream(format!(
            "{what} failed because {}",
            tls::explain(error)
        )));
    }
    if is_closed(cause) {
        return Some(Error::upstream(format!(
            "{what} failed because the server closed the connection before its answer was whole: try again, and if it happens each time, check \
             that the address is that of an API server and that nothing in between ends connections"
        )));
    }
    let io = cause.downcast_ref::<io::Error>().filter(|io| io.get_ref().is_none())?;
    match io.kind() {
        io::ErrorKind::TimedOut => Some(timed_out(what)),
        io::ErrorKind::ConnectionRefused => Some(Error::upstream(format!(
            "{what} failed because nothing accepts connections at its address: check that the API server runs and that the address is right"
        ))),
        _ => None,
    }
}

/// Whether the other end closed the connection, in a handshake or later. The libraries' words for it differ, and one of them is an address of its
/// documentation.
fn is_closed(cause: &(dyn StdError + 'static)) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let io = cause.downcast_ref::<io::Error>().map(io::Error::kind);
    let hyper = cause.downcast_ref::<hyper::Error>();
    matches!(
        io,
        Some(BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
    ) || hyper.is_some_and(hyper::Error::is_incomplete_message)
}

fn timed_out(what: &str) -> Error {
    Error::timeout(format!(
        "{what} failed because no connection was made in time: check the address, and that nothing in between drops packets"
    ))
}

/// What a tunnel's own error says, which has no kind that could be asked for.
fn by_proxy(text: &str) -> String {
    match text.split_once(" error: ").map_or(text, |(_, text)| text) {
        // A SOCKS connector keeps the cause to itself.
        "failed to create underlying connection" => "no connection to it was made".to_owned(),
        "unsuccessful" => "it refused".to_owned(),
        text => excerpt(text),
    }
}

/// A proxy that can't be reached, or that does not lead on.
fn proxy(failed: &ProxyError, what: &str) -> Error {
    let cause: &(dyn StdError + 'static) = failed.cause.as_ref();
    let io = chain(cause).find_map(|cause| cause.downcast_ref::<io::Error>().map(io::Error::kind));
    let why = match io {
        Some(io::ErrorKind::ConnectionRefused) => "nothing accepts connections there".to_owned(),
        Some(io::ErrorKind::TimedOut) => "it did not answer in time".to_owned(),
        _ => match chain(cause).find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
            Some(error) => tls::explain_proxy(error),
            None => by_proxy(&chain(cause).last().map(ToString::to_string).unwrap_or_default()),
        },
    };
    Error::upstream(format!(
        "{what} failed because {failed} ({why}): check the proxy's address, user name and password, and that it lets the API server's \
         address through"
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_library_s_words_for_a_closed_connection_are_not_repeated() {
        for kind in [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset] {
            let error = io::Error::other(io::Error::new(kind, "see https://docs.rs/library"));
            let text = failure(&error, "GET /version on cluster `prod`").to_string();
            assert!(
                text.contains("closed the connection") && !text.contains("docs.rs"),
                "{text}"
            );
        }
    }

    #[tokio::test]
    async fn a_client_whose_worker_panicked_is_made_anew() {
        use tower::{Service, ServiceExt};
        let faulty = tower::service_fn(|(): ()| {
            let nothing = Vec::<u8>::new();
            std::future::ready(Ok::<_, io::Error>(nothing[0]))
        });
        let mut client = tower::buffer::Buffer::new(faulty, 1);
        let error = client.ready().await.unwrap().call(()).await.unwrap_err();
        let text = failure(error.as_ref(), "GET /version on cluster `prod`").to_string();
        assert!(
            concerns_source(error.as_ref()) && text.contains("a fault of Podgate's own"),
            "{text}"
        );
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
            let text = failure(&failed, "GET /version on cluster `prod`").to_string();
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
        let text = failure(&error, "GET /version on cluster `prod`").to_string();
        assert!(
            text.contains("cluster `prod`") && text.contains("asks for a client certificate"),
            "{text}"
        );
    }
}
