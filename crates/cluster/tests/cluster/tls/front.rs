//! A simulated cluster behind a certificate of one's own.

use std::sync::{Arc, Mutex};

use base64::{Engine, engine::general_purpose::STANDARD};
use podgate_sim::Sim;
use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
    server::danger::{ClientCertVerified, ClientCertVerifier},
    sign::SingleCertAndKey,
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::{forge::Pair, servers::Kind};

/// Takes connections with a certificate, and carries them on to the simulated cluster.
pub(super) struct Front {
    port: u16,
    seen: Arc<Seen>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Accepts every client certificate, as an API server does in the handshake, and keeps the last.
#[derive(Debug, Default)]
struct Seen(Mutex<Option<CertificateDer<'static>>>);

impl ClientCertVerifier for Seen {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        *self.0.lock().unwrap() = Some(leaf.clone().into_owned());
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let provider = aws_lc_rs::default_provider();
        provider.signature_verification_algorithms.supported_schemes()
    }
}

impl Front {
    pub(super) async fn start(sim: &Sim, kind: &Kind) -> Self {
        let names = podgate_cluster::tls::Names {
            certificate: "certificate",
            key: "key",
        };
        let pair = podgate_cluster::tls::pair(&kind.chain, &kind.key, names).unwrap();
        let seen = Arc::new(Seen::default());
        let server = rustls::ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(seen.clone())
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(pair)));
        let acceptor = TlsAcceptor::from(Arc::new(server));
        let (connector, behind) = (connector(sim), sim.address());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, connector) = (acceptor.clone(), connector.clone());
                tokio::spawn(async move {
                    let Ok(mut client) = acceptor.accept(stream).await else {
                        return;
                    };
                    let name = ServerName::try_from("localhost").unwrap();
                    let stream = TcpStream::connect(behind).await.unwrap();
                    let mut server = connector.connect(name, stream).await.unwrap();
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Self { port, seen, task }
    }

    /// Returns the kubeconfig of the simulated cluster with this address, the authorities of a
    /// kind, and a client certificate.
    pub(super) fn kubeconfig(&self, sim: &Sim, kind: &Kind, client: &Pair) -> String {
        let (chain, key) = (STANDARD.encode(&client.0), STANDARD.encode(&client.1));
        let server = format!("    server: https://localhost:{}", self.port);
        let authorities = format!("    certificate-authority-data: {}", STANDARD.encode(&kind.trusted));
        let lines = sim.kubeconfig();
        let lines = lines.lines().map(|line| match line.trim_start() {
            field if field.starts_with("server:") => server.clone(),
            field if field.starts_with("certificate-authority-data:") => authorities.clone(),
            field if field.starts_with("token:") => {
                format!("{line}\n    client-certificate-data: {chain}\n    client-key-data: {key}")
            }
            _ => line.to_owned(),
        });
        lines.map(|line| line + "\n").collect()
    }

    /// Returns the client certificate of the last connection that had one.
    pub(super) fn presented(&self) -> Option<CertificateDer<'static>> {
        self.seen.0.lock().unwrap().clone()
    }
}

/// Clients that connect to a simulated cluster by TLS.
pub(crate) fn connector(sim: &Sim) -> TlsConnector {
    let text = sim.kubeconfig();
    let data = text
        .lines()
        .find_map(|line| line.trim_start().strip_prefix("certificate-authority-data: "));
    let pem = STANDARD.decode(data.unwrap()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&pem).unwrap()).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}
