//! Failures of TLS handshakes, each with a sentence that says what to do. The sentences quote
//! neither a library nor the peer.

use std::fmt;

use rustls::{AlertDescription, CertificateError, Error, OtherError, PeerIncompatible};

use super::refusal::Refusal;

/// The reason why a TLS handshake failed. Its `Display` is about an API server, and is the half
/// sentence after "failed because".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsFailure {
    /// The server's certificate is refused, for this reason.
    Certificate(Refusal),
    /// The server's certificate is refused for any other reason.
    OtherCertificate,
    /// The server did not prove that it has the key of its certificate.
    NoProof,
    /// The server sent no certificate.
    NoCertificate,
    /// The server ended the handshake with this alert.
    Alert(AlertDescription),
    /// The server speaks only insecure versions of TLS.
    OldVersion,
    /// The server has no cipher suite, curve or signature in common with Podgate.
    NothingInCommon,
    /// The other end does not speak TLS.
    NotTls,
    /// The handshake broke off.
    Broken,
}

impl From<&Error> for TlsFailure {
    fn from(error: &Error) -> Self {
        match error {
            Error::InvalidCertificate(CertificateError::Other(OtherError(reason))) => {
                let refusal = reason.downcast_ref::<Refusal>().cloned();
                refusal.map_or(Self::OtherCertificate, Self::Certificate)
            }
            Error::InvalidCertificate(CertificateError::BadSignature) => Self::NoProof,
            Error::InvalidCertificate(_) => Self::OtherCertificate,
            Error::NoCertificatesPresented => Self::NoCertificate,
            Error::AlertReceived(alert) => Self::Alert(*alert),
            Error::PeerIncompatible(
                PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
            ) => Self::OldVersion,
            Error::PeerIncompatible(_) => Self::NothingInCommon,
            Error::InvalidMessage(_) | Error::PeerSentOversizedRecord => Self::NotTls,
            _ => Self::Broken,
        }
    }
}

impl fmt::Display for TlsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate(refusal) => return refusal.fmt(f),
            Self::OtherCertificate => {
                "the API server's certificate was not accepted: check the cluster's certificate authority and address"
            }
            Self::NoProof => {
                "the API server did not prove that it has the key of its certificate: check its certificate and key, and that \
                 nothing intercepts the connection"
            }
            Self::NoCertificate => "the API server sent no certificate: check that the address is that of an API server",
            Self::Alert(alert) => refused_by_peer(*alert),
            Self::OldVersion => {
                "the API server speaks neither TLS 1.2 nor TLS 1.3, and older versions are not safe: make it speak one of them"
            }
            Self::NothingInCommon => {
                "the API server has no cipher suite, curve or signature in common with Podgate: make it speak TLS 1.2 or 1.3 with ECDHE"
            }
            Self::NotTls => "the server does not speak TLS at this address: check the address and its port",
            Self::Broken => {
                "the TLS handshake broke off, because the server does not keep to the protocol: check that the address is that of an API server"
            }
        })
    }
}

impl TlsFailure {
    /// Returns the half sentence about an https proxy, whose certificate is checked as an API
    /// server's is.
    pub(in crate::client) fn with_proxy(&self) -> &'static str {
        match self {
            Self::Certificate(_) | Self::OtherCertificate | Self::NoProof | Self::NoCertificate => {
                "the proxy's own certificate was not accepted: check its names and dates, and that the cluster's `certificate-authority-data` (without \
                 it: the system's authorities) has the authority that issued it"
            }
            Self::Alert(_) => "the proxy ended the TLS handshake: look at its log",
            Self::NotTls => "the proxy does not speak TLS at its address: check its scheme and port",
            Self::OldVersion | Self::NothingInCommon | Self::Broken => {
                "the TLS handshake with the proxy broke off: it has no TLS 1.2 or 1.3 in common with Podgate, or does not keep to the protocol"
            }
        }
    }
}

/// Explains an alert by which the server ended the handshake.
fn refused_by_peer(alert: AlertDescription) -> &'static str {
    use AlertDescription as A;
    match alert {
        A::CertificateRequired | A::NoCertificate => {
            "the API server asks for a client certificate, and the context has none: give `client-certificate-data` and `client-key-data`"
        }
        A::UnknownCA => {
            "the API server does not know the authority that issued the context's client certificate: get a client certificate of this cluster"
        }
        A::CertificateExpired => {
            "the API server says that the context's client certificate has expired, or is not valid yet: renew it, and check \
             the clocks"
        }
        A::CertificateRevoked => "the API server says that the context's client certificate was revoked: renew it",
        A::BadCertificate | A::UnsupportedCertificate | A::CertificateUnknown | A::DecryptError | A::AccessDenied => {
            "the API server does not accept the context's client certificate, or asks for one: check that it is one of this cluster"
        }
        A::ProtocolVersion => {
            "the API server speaks no version of TLS that is safe, or has no certificate for one: make it speak TLS 1.2 or 1.3, with an RSA key \
             of 2048 to 8192 bits or one on P-256, P-384, P-521 or Ed25519 (not P-224 or DSA)"
        }
        A::HandshakeFailure | A::InsufficientSecurity => {
            "the API server found nothing in common for TLS: make it speak TLS 1.2 or 1.3 with ECDHE, and give it a certificate with an RSA key \
             of 2048 to 8192 bits or one on P-256, P-384, P-521 or Ed25519 (not P-224 or DSA, and not signed with SHA-1); it may also ask for a \
             client certificate that the context does not have"
        }
        A::UnrecognisedName => {
            "the API server does not know the name that was asked for: check the address, or set `tls-server-name`"
        }
        A::NoApplicationProtocol => {
            "the API server does not speak HTTP/1.1: check that the address is that of an API server"
        }
        A::InternalError => "the API server failed in the TLS handshake: look at its log",
        _ => "the API server ended the TLS handshake: look at its log, and check the address",
    }
}
