//! Certificates and keys of API servers and of clients, in handshakes with `openssl s_server`: each
//! pair connects, or a sentence says why not.

use std::sync::Arc;

use podgate_cluster::{
    Registry, Source, Spec, SyncState,
    tls::{Settings, TlsFailure, config},
};
use podgate_index::Index;
use podgate_sim::Sim;
use rustls::{
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    sign::{CertifiedKey, SingleCertAndKey},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

mod clients;
mod forge;
mod front;
mod servers;

pub(crate) use self::front::connector;

use self::{forge::Forge, front::Front};
use crate::world::{ID, options, policy, until, untrusted};

/// Connects to a port of this host, asks for a page, and returns the head of the answer's first
/// line, or why there is none.
async fn ask(settings: &Settings, port: u16, address: &str) -> Result<String, String> {
    let connector = TlsConnector::from(config(settings)?);
    let name = settings.name()?;
    let name = name.unwrap_or_else(|| ServerName::try_from(address.to_owned()).unwrap());
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let answer = async {
        let mut stream = connector.connect(name, stream).await?;
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
        let mut head = [0; 15];
        stream.read_exact(&mut head).await?;
        Ok(String::from_utf8_lossy(&head).into_owned())
    };
    answer.await.map_err(|error: std::io::Error| {
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
        cause.map_or_else(
            || format!("no TLS error: {error}"),
            |cause| TlsFailure::from(cause).to_string(),
        )
    })
}

fn trusting(authority: &[u8]) -> Settings {
    Settings {
        ca: Some(authority.to_vec()),
        ..Settings::default()
    }
}

/// Fails unless a refusal says these words, and neither the peer's names nor a library's `Debug`.
#[track_caller]
fn says(case: &str, outcome: Result<String, String>, words: &[&str]) {
    let text = outcome.expect_err(case);
    for word in words {
        assert!(text.contains(word), "{case}: `{word}` is not in: {text}");
    }
    for wrong in [
        "peer.example",
        "Context",
        "Error(",
        "webpki",
        "rustls",
        "Some(",
        "{",
        "OtherError",
    ] {
        assert!(!text.contains(wrong), "{case}: `{wrong}` is in: {text}");
    }
    assert!(
        text.contains(": ") || text.contains("there are both"),
        "{case}: no remedy in: {text}"
    );
}

#[tokio::test]
async fn all_usable_pairs_of_certificates_connect() {
    let forge = Forge::new();
    let clients = clients::usable(&forge);
    for version in ["-tls1_3", "-tls1_2"] {
        for kind in servers::usable(&forge) {
            let server = forge.serve(&kind, &[version]).await;
            let strict = forge
                .serve(&kind, &[version, "-Verify", "3", "-verify_return_error"])
                .await;
            let case = format!("{} {version}", kind.name);
            let anonymous = ask(&trusting(&kind.trusted), server.port, kind.address).await;
            assert_eq!(anonymous.as_deref(), Ok("HTTP/1.0 200 ok"), "{case}");
            for (name, chain, key) in &clients {
                let settings = Settings {
                    client: Some((chain.clone(), key.clone())),
                    ..trusting(&kind.trusted)
                };
                let known = ask(&settings, strict.port, kind.address).await;
                assert_eq!(known.as_deref(), Ok("HTTP/1.0 200 ok"), "{case} with {name}");
            }
        }
    }
}

#[tokio::test]
async fn a_refused_server_certificate_is_named() {
    let forge = Forge::new();
    for (kind, words) in servers::refused(&forge) {
        for version in ["-tls1_3", "-tls1_2"] {
            let server = forge.serve(&kind, &[version]).await;
            let outcome = ask(&trusting(&kind.trusted), server.port, kind.address).await;
            says(&format!("{} {version}", kind.name), outcome, words);
        }
    }
}

#[test]
fn a_refused_client_certificate_is_named() {
    let forge = Forge::new();
    for (name, chain, key, words) in clients::refused(&forge) {
        let settings = Settings {
            client: Some((chain, key)),
            ..trusting(&forge.authority)
        };
        says(name, config(&settings).map(|_| String::new()), words);
    }
}

#[test]
fn a_bundle_is_read_as_go_reads_it() {
    let forge = Forge::new();
    let authority = String::from_utf8(forge.authority).unwrap();
    let other = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    for usable in [
        authority.replace('\n', "\r\n"),
        format!("the authority of the house\n{authority}"),
        format!("{other}{authority}"),
        format!("{authority}{other}"),
        authority.trim_end().to_owned(),
    ] {
        config(&trusting(usable.as_bytes())).expect(&usable);
    }
    for useless in ["", "nonsense", other, "-----BEGIN CERTIFICATE-----\nMA"] {
        let outcome = config(&trusting(useless.as_bytes())).map(|_| String::new());
        says(
            useless,
            outcome,
            &["certificate authority", "certificate-authority-data"],
        );
    }
}

#[tokio::test]
async fn an_alert_of_the_server_names_the_remedy() {
    let forge = Forge::new();
    let kind = servers::plain(&forge);
    let stranger = forge.client_of_another_authority();
    let expired = forge.dated(
        "expired",
        Some("ca"),
        ["20200101", "20210101"],
        "extendedKeyUsage=clientAuth",
    );
    let cases = [
        (None, ["client certificate", "client-certificate-data"]),
        (
            Some(stranger),
            ["does not know the authority", "client certificate of this cluster"],
        ),
        (Some(expired), ["expired", "renew"]),
    ];
    for (client, words) in cases {
        let settings = Settings {
            client,
            ..trusting(&kind.trusted)
        };
        let strict = ["-Verify", "3", "-verify_return_error", "-tls1_3"];
        let server = forge.serve(&kind, &strict).await;
        says("TLS 1.3", ask(&settings, server.port, kind.address).await, &words);
        let server = forge
            .serve(&kind, &["-Verify", "3", "-verify_return_error", "-tls1_2"])
            .await;
        // TLS 1.2 has no alert for a client certificate that is missing.
        says("TLS 1.2", ask(&settings, server.port, kind.address).await, &words[..1]);
    }
    for version in ["-tls1", "-tls1_1"] {
        let server = forge.serve(&kind, &[version]).await;
        let outcome = ask(&trusting(&kind.trusted), server.port, kind.address).await;
        says(version, outcome, &["version", "TLS 1.2"]);
    }
}

#[tokio::test]
async fn a_server_without_tls_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.0 400 Bad Request\r\n\r\n").await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let forge = Forge::new();
    let outcome = ask(&trusting(&forge.authority), port, "localhost").await;
    says("plain HTTP", outcome, &["does not speak TLS", "port"]);
}

#[tokio::test]
async fn insecure_accepts_any_certificate_but_not_without_its_key() {
    let forge = Forge::new();
    let insecure = Settings {
        insecure: true,
        ..Settings::default()
    };
    for kind in servers::insecurely_usable(&forge) {
        for version in ["-tls1_3", "-tls1_2"] {
            let server = forge.serve(&kind, &[version]).await;
            let outcome = ask(&insecure, server.port, "else.example").await;
            assert_eq!(outcome.as_deref(), Ok("HTTP/1.0 200 ok"), "{} {version}", kind.name);
        }
    }
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let port = impostor(&forge, version).await;
        let trusting = trusting(&forge.authority);
        for settings in [&insecure, &trusting] {
            let outcome = ask(settings, port, "localhost").await;
            says("impostor", outcome, &["did not prove", "key"]);
        }
    }
    let both = Settings {
        insecure: true,
        ..trusting(&forge.authority)
    };
    says(
        "both",
        config(&both).map(|_| String::new()),
        &["insecure-skip-tls-verify"],
    );
}

/// Returns a server with a good certificate and the key of another.
async fn impostor(forge: &Forge, version: &'static rustls::SupportedProtocolVersion) -> u16 {
    let (chain, _) = forge.leaf("true", "p256", "DNS:localhost");
    let (_, key) = forge.leaf("false", "p256", "DNS:localhost");
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&chain).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(&key).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = provider.key_provider.load_private_key(key).unwrap();
    let pair = SingleCertAndKey::from(CertifiedKey::new(chain, key));
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(pair));
    let acceptor = TlsAcceptor::from(Arc::new(server));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = acceptor.accept(stream).await;
        }
    });
    port
}

#[tokio::test]
async fn the_name_may_be_another_than_the_address() {
    let forge = Forge::new();
    let kind = servers::plain(&forge);
    let server = forge.serve(&kind, &[]).await;
    for name in ["localhost", "127.0.0.1", "::1", "[::1]"] {
        let settings = Settings {
            server_name: Some(name.to_owned()),
            ..trusting(&kind.trusted)
        };
        let outcome = ask(&settings, server.port, "else.example").await;
        assert_eq!(outcome.as_deref(), Ok("HTTP/1.0 200 ok"), "{name}");
    }
    let settings = Settings {
        server_name: Some("no name".to_owned()),
        ..trusting(&kind.trusted)
    };
    says(
        "no name",
        config(&settings).map(|_| String::new()),
        &["tls-server-name", "no name"],
    );
    let wrong = ask(&trusting(&kind.trusted), server.port, "10.9.8.7").await;
    says("wrong address", wrong, &["not valid for `10.9.8.7`", "tls-server-name"]);
}

/// microk8s and many private clusters: the server's certificate is the authority itself, the
/// client's is of version 1.
#[tokio::test]
async fn a_kubeconfig_with_odd_certificates_syncs() {
    let forge = Forge::new();
    let kind = servers::authority_itself(&forge);
    let client = (forge::data("v1.crt"), forge::data("v1.key"));
    let sim = Sim::start(options()).await.unwrap();
    sim.run_pod("shop", "p0", &["main"]);
    let front = Front::start(&sim, &kind).await;
    let registry = Registry::new(Index::new(), policy());
    let cluster = registry.add(spec(untrusted(&front.kubeconfig(&sim, &kind, &client))));
    until("the cluster is synced", || cluster.sync().state == SyncState::Synced).await;
    assert_eq!(
        front.presented(),
        Some(CertificateDer::from_pem_slice(&client.0).unwrap())
    );
    registry.shutdown().await;
    sim.stop().await;
}

#[tokio::test]
async fn a_cluster_with_a_refused_certificate_says_why() {
    let forge = Forge::new();
    let (kind, words) = servers::common_name_only(&forge);
    let client = (forge::data("v1.crt"), forge::data("v1.key"));
    let sim = Sim::start(options()).await.unwrap();
    let front = Front::start(&sim, &kind).await;
    let registry = Registry::new(Index::new(), policy());
    let cluster = registry.add(spec(untrusted(&front.kubeconfig(&sim, &kind, &client))));
    until("the cluster has failed", || cluster.sync().state == SyncState::Failed).await;
    let error = cluster.sync().error.unwrap().to_string();
    assert!(error.contains("cluster `prod`"), "{error}");
    says("common name only", Err(error), words);
    registry.shutdown().await;
    sim.stop().await;
}

fn spec(source: Source) -> Spec {
    Spec {
        id: ID,
        name: "prod".to_owned(),
        source,
        namespaces: Vec::new(),
    }
}
