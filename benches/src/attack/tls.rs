//! A certificate for a server that is attacked over TLS, and a client that trusts it.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use crate::Result;

const NAME: &str = "localhost";

/// A certificate and its key as files, and a client.
pub(crate) struct Tls {
    connector: TlsConnector,
    dir: TempDir,
}

impl Tls {
    pub(crate) fn new() -> Result<Self> {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed([NAME.to_owned()])?;
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone())?;
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let tls = Self {
            connector: TlsConnector::from(Arc::new(config)),
            dir: TempDir::new()?,
        };
        std::fs::write(tls.certificate(), cert.pem())?;
        std::fs::write(tls.key(), signing_key.serialize_pem())?;
        Ok(tls)
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.dir.path().join("cert.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.dir.path().join("key.pem")
    }

    /// Asks for `/healthz`.
    pub(crate) async fn healthz(&self, address: SocketAddr) -> Result<()> {
        let stream = TcpStream::connect(address).await?;
        let mut stream = self.connector.connect(ServerName::try_from(NAME)?, stream).await?;
        let head = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        stream.write_all(head).await?;
        let mut begin = [0; 12];
        stream.read_exact(&mut begin).await?;
        if &begin == b"HTTP/1.1 200" {
            Ok(())
        } else {
            Err("/healthz is not a success".into())
        }
    }
}
