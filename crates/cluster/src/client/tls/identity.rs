//! Podgate's own certificates, with their keys.

use rustls::{crypto::CryptoProvider, pki_types::PrivateKeyDer, sign::CertifiedKey};

use super::{
    certificate::{Certificate, key_bits},
    pem, provider,
    refusal::SUPPORTED,
};

/// The names of a certificate and its key in messages, which say where they come from.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// The certificate's name, such as "the certificate in `tls.crt`".
    pub certificate: &'a str,
    /// The key's name, such as "the key in `tls.key`".
    pub key: &'a str,
}

const CLIENT: Names<'static> = Names {
    certificate: "the context's client certificate (`client-certificate-data`)",
    key: "the key of the context's client certificate (`client-key-data`)",
};

/// Reads a certificate of any X.509 version with its chain, and its key (PKCS#8, PKCS#1 or SEC1),
/// from PEM.
///
/// # Errors
/// A sentence that says which of the two is wrong, why, and what to do.
pub fn pair(chain: &[u8], key: &[u8], names: Names<'_>) -> Result<CertifiedKey, String> {
    read(chain, key, names, &provider()).map(|(pair, _)| pair)
}

/// Reads the client certificate of a context. microk8s issues X.509 certificates of version 1.
///
/// # Errors
/// As [`pair`], and for a certificate that no API server would accept.
pub(super) fn client(chain: &[u8], key: &[u8], provider: &CryptoProvider) -> Result<CertifiedKey, String> {
    let (pair, leaf) = read(chain, key, CLIENT, provider)?;
    match leaf.weak_signature {
        Some(algorithm) => Err(format!(
            "{} is signed with {algorithm}, which is not safe: get one that is signed with SHA-256",
            CLIENT.certificate
        )),
        None => Ok(pair),
    }
}

fn read(
    chain: &[u8],
    key: &[u8],
    names: Names<'_>,
    provider: &CryptoProvider,
) -> Result<(CertifiedKey, Certificate), String> {
    let chain = pem::certificates(chain);
    let Some(first) = chain.first() else {
        return Err(format!(
            "{} is not a certificate in PEM: check that it is whole, from its BEGIN line to its END line",
            names.certificate
        ));
    };
    let Some(leaf) = Certificate::read(first) else {
        return Err(format!(
            "{} can't be read as an X.509 certificate: give it again",
            names.certificate
        ));
    };
    if leaf.key.is_refused() {
        return Err(format!(
            "{} has {}, which is not supported: get one with {SUPPORTED}",
            names.certificate, leaf.key
        ));
    }
    let encodings = match pem::key(key) {
        pem::Key::Plain(encodings) => encodings,
        pem::Key::Encrypted => {
            return Err(format!(
                "{} is encrypted, and Podgate can't ask for its passphrase: decrypt it with `openssl pkey`",
                names.key
            ));
        }
        pem::Key::Missing => {
            return Err(format!(
                "{} is not a private key in PEM: give it as PKCS#8, PKCS#1 or SEC1",
                names.key
            ));
        }
    };
    let load = |key: PrivateKeyDer<'static>| provider.key_provider.load_private_key(key).ok();
    let Some(key) = encodings.into_iter().find_map(load) else {
        return Err(format!("{} can't be used: give {SUPPORTED}", names.key));
    };
    // Compare only the keys, because certificates encode the algorithm in several ways.
    let belongs = key
        .public_key()
        .is_none_or(|public| key_bits(&public).is_some_and(|bits| bits == leaf.key_bits));
    if !belongs {
        return Err(format!(
            "{} does not belong to {}: give a certificate and a key that belong together",
            names.key, names.certificate
        ));
    }
    Ok((CertifiedKey::new(chain, key), leaf))
}
