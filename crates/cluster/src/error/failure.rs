//! How something failed upstream: in the cluster, on the way to it, or in what is kept of it.

use std::{fmt, net::IpAddr};

use crate::{
    client::{ProxyFailure, tls::TlsFailure},
    removal::RemovalReason,
    text::Message,
};

/// How a call or a task failed upstream. Displays as the rest of a sentence that begins with what
/// failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The address is one that a cluster added through the API may not reach.
    #[error(
        "was not sent: `{host}` leads to {address}, which a cluster added through the API may not reach (this host, its link, or cloud \
         metadata): the operator can allow its network"
    )]
    Blocked {
        /// The host as the source names it.
        host: Message,
        /// An address that the host resolves to.
        address: IpAddr,
    },
    /// Nothing listens at the address.
    #[error(
        "failed because nothing accepts connections at its address: check that the API server runs and that the address is right"
    )]
    ConnectionRefused,
    /// The other end closed the connection, in a handshake or later.
    #[error(
        "failed because the server closed the connection before its answer was whole: try again, and if it happens each time, check \
         that the address is that of an API server and that nothing in between ends connections"
    )]
    ConnectionClosed,
    /// The TLS handshake failed.
    #[error("failed because {0}")]
    Tls(TlsFailure),
    /// The proxy on the way can't be reached, or does not lead on.
    #[error(
        "failed because the proxy `{proxy}` did not lead to the API server ({why}): check the proxy's address, user name and password, \
         and that it lets the API server's address through"
    )]
    Proxy {
        /// Its address, without user name and password.
        proxy: Message,
        /// The failure there.
        why: ProxyFailure,
    },
    /// The cluster does not accept the credential (401): a new one is needed.
    #[error("was refused because the cluster does not accept Podgate's credential: renew the cluster's credential")]
    Unauthorized,
    /// The cluster asks for a credential (401), and the source has none.
    #[error("was refused by the cluster (status 401), because {why}")]
    Anonymous {
        /// Why there is none.
        why: Message,
    },
    /// Another status than success that has no variant of [`crate::Error`].
    #[error("{}", status_text(*status, said.as_deref()))]
    Status {
        /// The HTTP status.
        status: u16,
        /// The cluster's explanation. `None` if the answer is not a `Status`: it may be a proxy's
        /// page, of which nothing is repeated.
        said: Option<Message>,
    },
    /// The response is not one of Kubernetes.
    #[error("was not answered as Kubernetes answers ({why}): check that the address is that of an API server")]
    NotKubernetes {
        /// The fault in it.
        why: Message,
    },
    /// The answer is longer than is read.
    #[error("was answered with more than {most}")]
    TooLong {
        /// The most that is read.
        most: Message,
    },
    /// The connection did not become a WebSocket.
    #[error(
        "was not upgraded to a WebSocket: {why}. Look at the proxies between Podgate and the API server: one of them has to let \
         WebSockets pass"
    )]
    NotUpgraded {
        /// The missing part of the handshake.
        why: Message,
    },
    /// The API server ended the answer.
    #[error("was ended by the API server")]
    Ended,
    /// A log or a terminal broke off.
    #[error("broke off: {why}")]
    BrokeOff {
        /// Why, as far as it is known.
        why: Message,
    },
    /// The cluster is no longer served as it was.
    #[error("was ended: {0}")]
    Removed(RemovalReason),
    /// The cluster only speaks version 4 of the channel protocol, in which standard input has no
    /// end of its own.
    #[error(
        "can't signal the end of the input without closing the connection (v4.channel.k8s.io): the process waits for input until you \
         close it"
    )]
    NoEndOfInput,
    /// The cluster has more pods than are kept of one.
    #[error("has more than {most} pods, the most that are kept of one cluster: raise --max-pods-per-cluster")]
    TooManyPods {
        /// The bound.
        most: usize,
    },
    /// The rows of the cluster's pods take more memory than those of one cluster may.
    #[error(
        "has pods that take more than {mib} MiB of memory, the most that those of one cluster may take: raise --max-pods-per-cluster"
    )]
    PodsTooLarge {
        /// The bound in MiB.
        mib: u64,
    },
    /// The cluster is to be watched in more namespaces than are watched of one.
    #[error("has more than {most} namespaces to watch: name fewer")]
    TooManyNamespaces {
        /// The bound.
        most: usize,
    },
    /// The pod has more parts than are read.
    #[error(
        "has more than {most} containers, container statuses and restart rules together, and is not read for that reason: make it smaller"
    )]
    TooManyParts {
        /// The bound.
        most: usize,
    },
    /// The rows of the cluster may be old.
    #[error("is listed again, because {0}")]
    Stale(StaleReason),
    /// A task or a client of Podgate's own failed.
    #[error("failed by a fault of Podgate's own: try again, and if it happens again, look into the log")]
    Fault,
    /// Nothing acts on it.
    #[error("failed: {0}")]
    Other(Message),
}

/// Why rows may be old, where no call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaleReason {
    /// A list does not end, and brings nothing.
    Repeats,
    /// The API server has forgotten the changes since the last one seen.
    Expired,
    /// The watch brings nothing.
    Silent,
    /// The versions of the cluster went backwards.
    Backwards,
}

impl fmt::Display for StaleReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Repeats => "the API server sends page after page without a new pod",
            Self::Expired => "the API server no longer has the changes since the last one seen",
            Self::Silent => "the watch fell silent",
            Self::Backwards => "its versions went backwards, as after a restore",
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
            "was answered with status {status}, and not as Kubernetes answers: check that the address is that of an API server"
        ),
    }
}
