//! TLS of Podgate's own listener.

use std::{path::Path, sync::Arc};

use podgate_cluster::tls::{Names, pair};
use rustls::{ServerConfig, sign::SingleCertAndKey};
use tokio_rustls::TlsAcceptor;

/// Builds the TLS acceptor from PEM files of a certificate chain and its key. The key may have any
/// form that a cluster's credentials may have. It negotiates HTTP/1.1 only (ALPN, RFC 7301).
///
/// # Errors
/// A sentence that names the file, or both files if the key does not fit the certificate.
pub(super) fn acceptor(certificates: &Path, key: &Path) -> Result<TlsAcceptor, String> {
    let (chain, private) = (read(certificates)?, read(key)?);
    let names = Names {
        certificate: &format!("the certificate in `{}`", certificates.display()),
        key: &format!("the key in `{}`", key.display()),
    };
    let pair = pair(&chain, &private, names).map_err(|why| format!("cannot serve TLS: {why}"))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(pair)));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|error| format!("cannot read {}: {error}", file.display()))
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::process::Command;

    use rcgen::{CertifiedKey, generate_simple_self_signed};
    use rustls::{
        ClientConfig, RootCertStore,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    };
    use tokio::io::duplex;
    use tokio_rustls::TlsConnector;

    use super::*;

    /// Builds an acceptor for `podgate.example`, and returns it with its certificate.
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
    fn an_unusable_file_is_named() {
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
            (&missing, &key, &[&missing][..], "cannot read"),
            (&cert, &missing, &[&missing], "cannot read"),
            (&empty, &key, &[&empty], "is not a certificate in PEM"),
            (&cert, &empty, &[&empty], "is not a private key in PEM"),
            (&cert, &cert, &[&cert], "is not a private key in PEM"),
            (&broken, &key, &[&broken], "is not a certificate in PEM"),
            (&cert, &other, &[&cert, &other], "does not belong to"),
        ] {
            let Err(error) = acceptor(cert, key) else {
                panic!("{reason}: no error");
            };
            let names = |file: &&std::path::PathBuf| error.contains(&file.display().to_string());
            assert!(named.iter().all(names) && error.contains(reason), "{error}");
        }
    }

    /// Runs `openssl` in a folder, with arguments separated by blanks.
    fn openssl(folder: &Path, words: &str) {
        let output = Command::new("openssl")
            .args(words.split_whitespace())
            .current_dir(folder)
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {words}: {errors}");
    }

    #[tokio::test]
    async fn every_usual_kind_and_form_of_key_is_served_with() {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let curve = |name| format!("EC -pkeyopt ec_paramgen_curve:{name} -pkeyopt ec_param_enc:named_curve");
        for (kind, forms) in [
            (
                "RSA -pkeyopt rsa_keygen_bits:2048".to_owned(),
                &["PRIVATE", "RSA PRIVATE"][..],
            ),
            (curve("P-256"), &["PRIVATE", "EC PRIVATE"]),
            (curve("P-384"), &["PRIVATE", "EC PRIVATE"]),
            (curve("P-521"), &["PRIVATE", "EC PRIVATE"]),
            ("ED25519".to_owned(), &["PRIVATE"]),
        ] {
            let dir = tempfile::tempdir().unwrap();
            // Without this file, the system's configuration makes every certificate an authority's.
            std::fs::write(dir.path().join("conf"), "[req]\ndistinguished_name=name\n[name]\n").unwrap();
            openssl(dir.path(), &format!("genpkey -algorithm {kind} -out 0.pem"));
            if forms.len() > 1 {
                openssl(dir.path(), "pkey -in 0.pem -traditional -out 1.pem");
            }
            openssl(
                dir.path(),
                "req -config conf -x509 -new -key 0.pem -subj /CN=podgate -addext subjectAltName=DNS:podgate.example -out cert.pem",
            );
            let certificates = dir.path().join("cert.pem");
            for (number, label) in forms.iter().enumerate() {
                let key = dir.path().join(format!("{number}.pem"));
                let text = std::fs::read_to_string(&key).unwrap();
                assert!(text.starts_with(&format!("-----BEGIN {label} KEY")), "{kind}: {text}");
                let acceptor = acceptor(&certificates, &key).unwrap();
                shakes_hands(acceptor, &certificates)
                    .await
                    .unwrap_or_else(|error| panic!("{kind}, {label}: {error}"));
            }
        }
    }

    /// Connects a client that trusts the certificate, with each version of TLS.
    async fn shakes_hands(acceptor: TlsAcceptor, certificates: &Path) -> std::io::Result<()> {
        for version in rustls::ALL_VERSIONS {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_file(certificates).unwrap()).unwrap();
            let config = ClientConfig::builder_with_protocol_versions(&[version])
                .with_root_certificates(roots)
                .with_no_client_auth();
            let (theirs, ours) = duplex(64 << 10);
            let name = ServerName::try_from("podgate.example").unwrap();
            let connector = TlsConnector::from(Arc::new(config));
            let (client, server) = tokio::join!(connector.connect(name, theirs), acceptor.accept(ours));
            client?;
            server?;
        }
        Ok(())
    }
}
