//! The reasons for which a server's certificate is refused. Their sentences quote no text of the
//! peer.

use std::fmt;

use jiff::Timestamp;

use super::certificate::Key;

/// The supported keys, for messages.
pub(super) const SUPPORTED: &str = "an RSA key of 2048 to 8192 bits, or one on P-256, P-384, P-521 or Ed25519";

/// The role of a certificate in a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateRole {
    /// The API server's own certificate.
    Leaf,
    /// A certificate that the API server sent with its own.
    Intermediate,
    /// An authority's certificate that the kubeconfig or the system trusts.
    Authority,
}

impl fmt::Display for CertificateRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Leaf => "the API server's certificate",
            Self::Intermediate => "an intermediate certificate that the API server sent",
            Self::Authority => "the cluster's certificate authority (`certificate-authority-data`)",
        })
    }
}

/// The reason why the server's certificate is refused. Times are in seconds since 1970, and `asked`
/// is the address or name that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the type documents the fields")]
pub enum Refusal {
    /// It can't be read, or claims something that nobody may ignore.
    Unreadable,
    /// It expired at this time.
    Expired(CertificateRole, i64),
    /// It is valid from this later time on.
    NotYetValid(CertificateRole, i64),
    /// None of the authorities issued it. `named` says whether they are the kubeconfig's rather
    /// than the system's.
    UnknownIssuer { named: bool },
    /// An authority has the issuer's name, but did not sign it.
    BadSignature,
    /// The address that was asked for is not among its names.
    WrongName { asked: String },
    /// It has no name except the common name.
    CommonNameOnly { asked: String },
    /// It has no names at all.
    NoName { asked: String },
    /// It is an authority's own certificate, and not one of the configured ones.
    Authority,
    /// It is signed with this algorithm, which is insecure.
    WeakSignature(CertificateRole, &'static str),
    /// Its signature has an unknown algorithm.
    UnknownSignature,
    /// Its key is not supported.
    Key(CertificateRole, Key),
    /// Its extended key usages do not include servers.
    Purpose,
    /// An authority in its chain may not issue it.
    Constraint,
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable => f.write_str(
                "the API server's certificate can't be read as an X.509 certificate: issue it again",
            ),
            Self::Expired(which, at) => write!(f, "{which} expired{}: renew it", date(" on ", *at)),
            Self::NotYetValid(which, at) => write!(
                f,
                "{which} is not valid yet{}: check the clocks of this host and of the cluster",
                date(", only from ", *at)
            ),
            Self::UnknownIssuer { named: true } => f.write_str(
                "the API server's certificate was not issued by the cluster's certificate authority: check that the address is that of this \
                 cluster, and give the authority that issued the certificate as `certificate-authority-data`",
            ),
            Self::UnknownIssuer { named: false } => f.write_str(
                "the API server's certificate was not issued by an authority that this system trusts, and no other is configured: give the \
                 cluster's authority as `certificate-authority-data`",
            ),
            Self::BadSignature => f.write_str(
                "the API server's certificate was issued by an authority with the name of the configured one and another key: the cluster was \
                 probably made anew, so give its present authority as `certificate-authority-data`",
            ),
            Self::WrongName { asked } => write!(
                f,
                "the API server's certificate is not valid for `{asked}`, which was asked for: use an address that the certificate names, or \
                 set one of its names as `tls-server-name`"
            ),
            Self::CommonNameOnly { asked } => write!(
                f,
                "the API server's certificate has its name in the common name (CN) only, which no longer counts: issue it again with \
                 `{asked}` as a subject alternative name (SAN)"
            ),
            Self::NoName { asked } => write!(
                f,
                "the API server's certificate names no address: issue it again with `{asked}` as a subject alternative name (SAN)"
            ),
            Self::Authority => f.write_str(
                "the API server's certificate is an authority's own (CA:TRUE), and not one of the configured ones: if you trust it, give this \
                 very certificate as `certificate-authority-data`, else issue one without CA:TRUE",
            ),
            Self::WeakSignature(which, algorithm) => write!(
                f,
                "{which} is signed with {algorithm}, which is not safe: issue it again, signed with SHA-256"
            ),
            Self::UnknownSignature => f.write_str(
                "the API server's certificate, or one that it sent along, is signed with an algorithm that is not supported: issue it again, \
                 signed by RSA or ECDSA with SHA-256, or by Ed25519",
            ),
            Self::Key(which, key) => write!(
                f,
                "{which} has {key}, which is not supported: issue it again for {SUPPORTED}"
            ),
            Self::Purpose => f.write_str(
                "the API server's certificate is not for servers: issue it again with the extended key usage `serverAuth`",
            ),
            Self::Constraint => f.write_str(
                "the API server's certificate was issued by an authority that may not issue it (its constraints on names, path length or use \
                 say so): issue it by another authority",
            ),
        }
    }
}

/// Returns `words` followed by a date; an empty text if the time can't be shown as a date.
fn date(words: &str, seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(
        |_| String::new(),
        |at| format!("{words}{}", at.strftime("%Y-%m-%d %H:%M UTC")),
    )
}
