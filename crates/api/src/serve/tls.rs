//! TLS of our own listener.

use std::{path::Path, sync::Arc};

use rustls::{
    ServerConfig,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
};
use tokio_rustls::TlsAcceptor;

/// Returns what accepts TLS with a certificate chain and its key from PEM files. It agrees on HTTP/1.1 only (ALPN, RFC 7301).
///
/// # Errors
/// A sentence that names the file.
pub(super) fn acceptor(certificates: &Path, key: &Path) -> Result<TlsAcceptor, String> {
    let chain = CertificateDer::pem_file_iter(certificates)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable(certificates, "certificate", &error))?;
    if chain.is_empty() {
        return Err(unreadable(certificates, "certificate", &pem::Error::NoItemsFound));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, "private key", &error))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| {
            let (certificates, key) = (certificates.display(), key.display());
            format!("cannot serve TLS with the certificate in {certificates} and the key in {key}: {error}")
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn unreadable(file: &Path, item: &str, error: &pem::Error) -> String {
    let file = file.display();
    match error {
        pem::Error::NoItemsFound => format!("there is no {item} in {file}: it must be a PEM file"),
        pem::Error::Io(error) => format!("cannot read {file}: {error}"),
        _ => format!("cannot read the {item} in {file}: it is not well-formed PEM"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use rcgen::{CertifiedKey, generate_simple_self_signed};
    use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
    use tokio::io::duplex;
    use tokio_rustls::TlsConnector;

    use super::*;

    /// An acceptor for `podgate.example`, and its certificate.
    pub(crate) fn of_test() -> (TlsAcceptor, CertificateDer<'static>) {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["podgate.example".to_owned()]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let (certificates, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
        std::fs::write(&certificates, cert.pem()).unwrap();
        std::fs::write(&key, signing_key.serialize_pem()).unwrap();
        (acceptor(&certificates, &key).unwrap(), cert.der().clone())
    }

    #[tokio::test]
    async fn of_the_protocols_that_a_client_offers_http_1_1_is_agreed_on() {
        let (acceptor, certificate) = of_test();
        for (offered, agreed) in [
            (&["h2", "http/1.1"][..], Some(Some(&b"http/1.1"[..]))),
            (&[], Some(None)),
            (&["h2"], None),
        ] {
            let mut roots = RootCertStore::empty();
            roots.add(certificate.clone()).unwrap();
            let mut config = ClientConfig::builder()
                .with_root_certificates(roots)
                .with_no_client_auth();
            config.alpn_protocols = offered.iter().map(|name| name.as_bytes().to_vec()).collect();
            let (theirs, ours) = duplex(64 << 10);
            let name = ServerName::try_from("podgate.example").unwrap();
            let connector = TlsConnector::from(Arc::new(config));
            let (client, server) = tokio::join!(connector.connect(name, theirs), acceptor.accept(ours));
            match agreed {
                Some(protocol) => {
                    client.unwrap();
                    assert_eq!(server.unwrap().get_ref().1.alpn_protocol(), protocol, "{offered:?}");
                }
                None => assert!(client.is_err() && server.is_err(), "{offered:?}"),
            }
        }
    }

    #[test]
    fn a_file_that_can_not_be_used_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        let cert = file("cert.pem", &cert.pem());
        let key = file("key.pem", &signing_key.serialize_pem());
        let other = generate_simple_self_signed(["b.example".to_owned()])
            .unwrap()
            .signing_key;
        let other = file("other.pem", &other.serialize_pem());
        let (missing, empty) = (dir.path().join("missing.pem"), file("empty.pem", ""));
        let broken = file(
            "broken.pem",
            "-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n",
        );
        for (cert, key, named, reason) in [
            (&missing, &key, &missing, "cannot read"),
            (&cert, &missing, &missing, "cannot read"),
            (&empty, &key, &empty, "there is no certificate"),
            (&cert, &empty, &empty, "there is no private key"),
            (&cert, &cert, &cert, "there is no private key"),
            (&broken, &key, &broken, "not well-formed PEM"),
            (&cert, &other, &other, "cannot serve TLS"),
        ] {
            let Err(error) = acceptor(cert, key) else {
                panic!("{reason}: no error");
            };
            assert!(
                error.contains(&named.display().to_string()) && error.contains(reason),
                "{error}"
            );
        }
    }
}
