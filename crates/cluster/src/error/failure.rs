//! Upstream failures: in a cluster, on the way to it, or with the rows that Podgate keeps.

use std::{fmt, net::IpAddr};

use crate::{
    client::{ProxyFailure, tls::TlsFailure},
    removal::RemovalReason,
    text::Message,
};

/// The way in which a call or a task failed upstream. Its `Display` is the rest of a sentence that
/// begins with what failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The host resolves to an address that a cluster added through the API may not use.
    #[error(
        "was not sent, because `{host}` resolves to {address}, and a cluster added through the API may not use loopback, \
         link-local or cloud metadata addresses: the operator can allow the network with --allowed-network"
    )]
    Blocked {
        /// The host name in the source.
        host: Message,
        /// An address that the host resolves to.
        address: IpAddr,
    },
    /// Nothing listens at the address.
    #[error(
        "failed because nothing accepts connections at the cluster's address: check that the API server runs and that the \
         address is right"
    )]
    ConnectionRefused,
    /// The other end closed the connection, during a handshake or later.
    #[error(
        "failed because the server closed the connection before the response was complete: try again, and if it happens every \
         time, check that the address is that of an API server and that nothing in between closes connections"
    )]
    ConnectionClosed,
    /// The TLS handshake failed.
    #[error("failed because {0}")]
    Tls(TlsFailure),
    /// The proxy can't be reached, or did not connect to the API server.
    #[error(
        "failed because the API server could not be reached through the proxy `{proxy}` ({why}): check the proxy's address, \
         user name and password, and that it allows connections to the API server"
    )]
    Proxy {
        /// The proxy's address, without user name and password.
        proxy: Message,
        /// The failure at the proxy.
        why: ProxyFailure,
    },
    /// The cluster does not accept the credential (401), so a new one is needed.
    #[error("was refused because the cluster does not accept Podgate's credential: renew the cluster's credential")]
    Unauthorized,
    /// The cluster asks for a credential (401), and the source has none.
    #[error("was refused by the cluster (status 401), because {why}")]
    Anonymous {
        /// Why the source has no credential, as part of a sentence.
        why: Message,
    },
    /// The cluster answered with a failure status that has no variant in [`crate::Error`].
    #[error("{}", status_text(*status, said.as_deref()))]
    Status {
        /// The HTTP status.
        status: u16,
        /// The cluster's explanation; `None` if the response is not a `Status`. Such a response may
        /// be a proxy's page, which must not be repeated.
        said: Option<Message>,
    },
    /// The response is not a Kubernetes object.
    #[error(
        "failed because the response is not one of the Kubernetes API ({why}): check that the address is that of an API server"
    )]
    NotKubernetes {
        /// The fault in the response.
        why: Message,
    },
    /// The response is larger than Podgate accepts.
    #[error("failed because the response is larger than {most}")]
    TooLong {
        /// The limit, with its unit.
        most: Message,
    },
    /// The connection did not become a WebSocket.
    #[error(
        "was not upgraded to a WebSocket, because {why}: check that every proxy between Podgate and the API server lets \
         WebSockets pass"
    )]
    NotUpgraded {
        /// The part of the handshake that is missing or wrong.
        why: Message,
    },
    /// The API server ended the response.
    #[error("was ended by the API server")]
    Ended,
    /// The stream of a log or a terminal broke off.
    #[error("broke off: {why}")]
    BrokeOff {
        /// The reason, as far as it is known.
        why: Message,
    },
    /// The cluster was removed or replaced, or Podgate is shutting down.
    #[error("was ended: {0}")]
    Removed(RemovalReason),
    /// The cluster speaks only version 4 of the channel protocol, in which standard input can't be
    /// closed separately.
    #[error(
        "can't signal the end of the input without closing the connection (v4.channel.k8s.io): the process waits for input until you \
         close it"
    )]
    NoEndOfInput,
    /// The cluster has more pods than Podgate keeps for one cluster.
    #[error("has more than {most} pods, the limit for one cluster: raise --max-pods-per-cluster")]
    TooManyPods {
        /// The limit.
        most: usize,
    },
    /// The rows of the cluster's pods take more memory than one cluster may use.
    #[error(
        "has pods that take more than {mib} MiB of memory, the limit for one cluster: raise --max-pods-per-cluster"
    )]
    PodsTooLarge {
        /// The limit in MiB.
        mib: u64,
    },
    /// More namespaces are named than Podgate watches in one cluster.
    #[error("has more than {most} namespaces to watch, the limit for one cluster: name fewer")]
    TooManyNamespaces {
        /// The limit.
        most: usize,
    },
    /// The pod has more parts than Podgate reads.
    #[error(
        "has more than {most} containers, container statuses and restart rules together, the limit for one pod: make the pod \
         smaller"
    )]
    TooManyParts {
        /// The limit.
        most: usize,
    },
    /// The rows of the cluster may be out of date.
    #[error("is listed again, because {0}")]
    Stale(StaleReason),
    /// An internal task or client of Podgate failed.
    #[error(
        "failed because of an internal error in Podgate: try again, and if it happens again, look into Podgate's log"
    )]
    Fault,
    /// Any other failure. No code depends on its kind.
    #[error("failed: {0}")]
    Other(Message),
}

/// The reason why rows may be out of date although no call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaleReason {
    /// A list does not end, and its pages bring no new pod.
    Repeats,
    /// The API server has forgotten the changes since the last one seen.
    Expired,
    /// The watch has sent nothing for too long.
    Silent,
    /// The versions of the cluster went backwards.
    Backwards,
}

impl fmt::Display for StaleReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Repeats => "the API server sends page after page without a new pod",
            Self::Expired => "the API server no longer has the changes since the last one seen",
            Self::Silent => "the watch sent nothing for too long",
            Self::Backwards => "the cluster's resource versions went backwards, as after a restore from a backup",
        })
    }
}

fn status_text(status: u16, said: Option<&str>) -> String {
    match (status, said) {
        (429, Some(said)) => {
            format!("was refused because the API server is overloaded; try again in a moment: {said}")
        }
        (_, Some(said)) => format!("failed with status {status}: {said}"),
        (429 | 500..=599, None) => format!("failed with status {status}: try again in a moment"),
        (_, None) => format!(
            "failed with status {status} and without the explanation that Kubernetes gives: check that the address is that of \
             an API server"
        ),
    }
}
