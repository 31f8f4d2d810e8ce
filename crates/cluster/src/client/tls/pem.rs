//! PEM as kubectl reads it: blocks between any other text. Blocks of other kinds are skipped.

use rustls::pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{PemObject, SectionKind},
};

/// Returns the certificates of a bundle, in its order. Unreadable blocks are skipped, as in Go's
/// `AppendCertsFromPEM`.
pub(super) fn certificates(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).collect()
}

/// The result of looking for a file's first private key.
pub(super) enum Key {
    /// The key in each encoding that its bytes may have, beginning with the one that the label
    /// says. Go tries all of them too.
    Plain(Vec<PrivateKeyDer<'static>>),
    /// The key needs a passphrase.
    Encrypted,
    /// The file has no key.
    Missing,
}

/// Returns the first private key, skipping certificates and `EC PARAMETERS`.
pub(super) fn key(pem: &[u8]) -> Key {
    if is_encrypted(pem) {
        return Key::Encrypted;
    }
    let sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(pem).filter_map(Result::ok);
    let encodings = sections.filter_map(|(kind, der)| {
        let [pkcs8, pkcs1, sec1]: [PrivateKeyDer<'static>; 3] = [
            PrivateKeyDer::Pkcs8(der.clone().into()),
            PrivateKeyDer::Pkcs1(der.clone().into()),
            PrivateKeyDer::Sec1(der.into()),
        ];
        match kind {
            SectionKind::PrivateKey => Some(vec![pkcs8, pkcs1, sec1]),
            SectionKind::RsaPrivateKey => Some(vec![pkcs1, pkcs8, sec1]),
            SectionKind::EcPrivateKey => Some(vec![sec1, pkcs8, pkcs1]),
            _ => None,
        }
    });
    encodings.into_iter().next().map_or(Key::Missing, Key::Plain)
}

/// Returns whether the first key is encrypted. In PKCS#8 the label says so, in the older form a
/// header of the block (RFC 1421).
fn is_encrypted(pem: &[u8]) -> bool {
    let mut lines = pem.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii);
    let ends = |line: &[u8]| line.starts_with(b"-----BEGIN ") && line.ends_with(b"PRIVATE KEY-----");
    match lines.find(|line| ends(line)) {
        Some(begin) if begin.starts_with(b"-----BEGIN ENCRYPTED") => true,
        Some(_) => lines
            .take_while(|line| !line.starts_with(b"-----END"))
            .any(|line| line.starts_with(b"Proc-Type:") && line.ends_with(b"ENCRYPTED")),
        None => false,
    }
}
