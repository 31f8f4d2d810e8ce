//! The client certificate of a context, and its key.

use rustls::{crypto::CryptoProvider, pki_types::PrivateKeyDer, sign::CertifiedKey};

use super::{
    certificate::{Certificate, key_bits},
    pem,
    refusal::SUPPORTED,
};

/// Reads a client certificate of any X.509 version (microk8s makes version 1) with the certificates behind it, and its key, which must belong
/// to it.
///
/// # Errors
/// A sentence that says what is wrong with which of the two.
pub(super) fn read(chain: &[u8], key: &[u8], provider: &CryptoProvider) -> Result<CertifiedKey, String> {
    let chain = pem::certificates(chain);
    let Some(leaf) = chain.first() else {
        return Err(
            "the context's client certificate (`client-certificate-data`) holds no certificate in PEM: check that it is the whole file, from \
             `-----BEGIN CERTIFICATE-----`"
                .to_owned(),
        );
    };
    let Some(leaf) = Certificate::read(leaf) else {
        return Err(
            "the context's client certificate (`client-certificate-data`) can't be read as an X.509 certificate: give it again"
                .to_owned(),
        );
    };
    if leaf.key.is_refused() {
        return Err(format!(
            "the context's client certificate has {}, which is not supported: get one with {SUPPORTED}",
            leaf.key
        ));
    }
    if let Some(algorithm) = leaf.weak_signature {
        return Err(format!(
            "the context's client certificate is signed with {algorithm}, which is not safe: get one that is signed with SHA-256"
        ));
    }
    let encodings = match pem::key(key) {
        pem::Key::Plain(encodings) => encodings,
        pem::Key::Encrypted => {
            return Err(
                "the key of the context's client certificate (`client-key-data`) is encrypted, and there is nobody to ask for its \
                 passphrase: decrypt it with `openssl pkey`"
                    .to_owned(),
            );
        }
        pem::Key::Missing => {
            return Err(
                "the key of the context's client certificate (`client-key-data`) holds no private key in PEM: give it as PKCS#8, PKCS#1 or SEC1"
                    .to_owned(),
            );
        }
    };
    let load = |key: PrivateKeyDer<'static>| provider.key_provider.load_private_key(key).ok();
    let Some(key) = encodings.into_iter().find_map(load) else {
        return Err(format!(
            "the key of the context's client certificate (`client-key-data`) can't be used: give {SUPPORTED}"
        ));
    };
    // The keys alone are compared, because certificates write the algorithm in several ways.
    let belongs = key
        .public_key()
        .is_none_or(|public| key_bits(&public).is_some_and(|bits| bits == leaf.key_bits));
    if !belongs {
        return Err(
            "the key of the context's client certificate (`client-key-data`) is not the key of that certificate: give the two that belong together"
                .to_owned(),
        );
    }
    Ok(CertifiedKey::new(chain, key))
}
