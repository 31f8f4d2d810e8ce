//! What a failed connection means, in a sentence for the reader who must act.

use std::{error::Error as StdError, io};

use kube::client::AuthError;
use tokio::time::error::Elapsed;

use super::{connect::Blocked, tls};
use crate::{Error, text::words};

/// A call that failed before, or within, its answer.
pub(super) fn failure(error: &(dyn StdError + 'static), what: &str) -> Error {
    chain(error).find_map(|cause| known(cause, what)).unwrap_or_else(|| {
        let root = chain(error).last().map(ToString::to_string).unwrap_or_default();
        Error::upstream(format!("{what} failed: {}", words(&root)))
    })
}

/// Whether credential or authority of the source may be out of date, so that reading it again may help.
pub(super) fn concerns_source(error: &(dyn StdError + 'static)) -> bool {
    chain(error).any(|cause| cause.is::<AuthError>() || cause.is::<rustls::Error>())
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
    if let Some(auth) = cause.downcast_ref::<AuthError>() {
        return Some(credential(auth, what));
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

/// The output of a plug-in may hold a credential: it goes nowhere, and what it printed on standard error goes to the log.
fn credential(error: &AuthError, what: &str) -> Error {
    Error::upstream(match error {
        AuthError::AuthExecRun { out, .. } => {
            let said = words(String::from_utf8_lossy(&out.stderr).trim());
            tracing::warn!(call = what, status = %out.status, stderr = said, "exec plug-in failed");
            format!(
                "{what} failed because the exec plug-in of the kubeconfig failed ({}): see the log",
                out.status
            )
        }
        AuthError::AuthExecParse(_) => {
            format!("{what} failed because the exec plug-in of the kubeconfig printed no ExecCredential")
        }
        AuthError::AuthExecStart(error) => {
            format!("{what} failed because the exec plug-in of the kubeconfig could not be started ({error})")
        }
        other => format!(
            "{what} failed because there is no usable credential: {}",
            words(&other.to_string())
        ),
    })
}

#[cfg(test)]
mod tests {
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
