//! A failed handshake in a sentence for the reader who must act. Never a library's own text, and nothing that the peer chose.

use rustls::{AlertDescription, CertificateError, Error, OtherError, PeerIncompatible};

use super::refusal::Refusal;

/// Says why TLS with an API server failed, in half a sentence that goes after "failed because".
pub fn explain(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(CertificateError::Other(OtherError(reason))) => match reason.downcast_ref::<Refusal>() {
            Some(refusal) => refusal.to_string(),
            None => "the API server's certificate was not accepted: check the cluster's certificate authority and address".to_owned(),
        },
        Error::InvalidCertificate(CertificateError::BadSignature) => {
            "the API server did not prove that it has the key of its certificate: check its certificate and key, and that nothing sits in \
             between"
                .to_owned()
        }
        Error::InvalidCertificate(_) => {
            "the API server's certificate was not accepted: check the cluster's certificate authority and address".to_owned()
        }
        Error::NoCertificatesPresented => "the API server sent no certificate: check that the address is that of an API server".to_owned(),
        Error::AlertReceived(alert) => refused_by_peer(*alert),
        Error::PeerIncompatible(reason) => incompatible(reason),
        Error::InvalidMessage(_) | Error::PeerSentOversizedRecord => {
            "the server does not speak TLS at this address: check the address and its port".to_owned()
        }
        _ => "the TLS handshake broke off, because the server does not keep to the protocol: check that the address is that of an API server"
            .to_owned(),
    }
}

/// Says why TLS with an https proxy failed, in half a sentence. Its certificate is judged as the API server's is.
pub fn explain_proxy(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(_) | Error::NoCertificatesPresented => {
            "the proxy's own certificate was not accepted: check its names and dates, and that the cluster's `certificate-authority-data` (without \
             it: the system's authorities) has the authority that issued it"
        }
        Error::AlertReceived(_) => "the proxy ended the TLS handshake: look at its log",
        Error::InvalidMessage(_) | Error::PeerSentOversizedRecord => "the proxy does not speak TLS at its address: check its scheme and port",
        _ => "the TLS handshake with the proxy broke off: it has no TLS 1.2 or 1.3 in common with Podgate, or does not keep to the protocol",
    }
    .to_owned()
}

/// The server ended the handshake, and its alert says why.
fn refused_by_peer(alert: AlertDescription) -> String {
    use AlertDescription as A;
    match alert {
        A::CertificateRequired | A::NoCertificate => {
            "the API server asks for a client certificate, and the context has none: give `client-certificate-data` and `client-key-data`"
        }
        A::UnknownCA => {
            "the API server does not know the authority that issued the context's client certificate: get a client certificate of this cluster"
        }
        A::CertificateExpired => {
            "the API server says that the context's client certificate expired, or is not valid yet: renew it, and check the clocks"
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
        A::NoApplicationProtocol => "the API server does not speak HTTP/1.1: check that the address is that of an API server",
        A::InternalError => "the API server failed in the TLS handshake: look at its log",
        _ => "the API server ended the TLS handshake: look at its log, and check the address",
    }
    .to_owned()
}

fn incompatible(reason: &PeerIncompatible) -> String {
    match reason {
        PeerIncompatible::ServerDoesNotSupportTls12Or13 | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig => {
            "the API server speaks neither TLS 1.2 nor TLS 1.3, and older versions are not safe: make it speak one of them"
        }
        _ => {
            "the API server has no cipher suite, curve or signature in common with Podgate: make it speak TLS 1.2 or 1.3 with ECDHE"
        }
    }
    .to_owned()
}
