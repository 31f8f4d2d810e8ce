//! The addresses that a cluster added through the API may have.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use podgate_cluster::{
    Error, Failure, Policy, Registry, Source,
    tls::{Refusal, TlsFailure},
};
use podgate_index::Index;
use podgate_sim::Sim;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::world::{is_failure, options, policy, untrusted};

async fn probe(source: &Source, policy: Policy) -> Result<podgate_cluster::Info, Error> {
    Registry::new(Index::new(), policy).probe(source, &[]).await
}

#[tokio::test]
async fn this_host_is_reached_only_when_the_operator_allows_it() {
    let sim = Sim::start(options()).await.unwrap();
    let source = untrusted(&sim.kubeconfig());
    let error = probe(&source, Policy::default()).await.unwrap_err();
    assert_eq!(blocked(&error), Some("127.0.0.1".parse().unwrap()), "{error}");
    assert!(sim.requests().is_empty());
    assert!(probe(&source, policy()).await.unwrap().version.starts_with("v1."));
    sim.stop().await;
}

/// Returns the address that a failure names as forbidden.
fn blocked(error: &Error) -> Option<IpAddr> {
    match error {
        Error::Upstream {
            failure: Failure::Blocked { address, .. },
            ..
        } => Some(*address),
        _ => None,
    }
}

/// Returns whether anybody comes to a listener on this host by way of a host name or address.
async fn comes(host: &str, policy: Policy) -> (bool, Option<Error>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let source = Source::from_parts(&format!("https://{host}:{port}"), "token", "").unwrap();
    tokio::select! {
        biased;
        _ = listener.accept() => (true, None),
        result = probe(&source, policy) => (false, Some(result.unwrap_err())),
    }
}

#[tokio::test]
async fn names_and_disguises_of_this_host_lead_nowhere() {
    for host in [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "0.0.0.0",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
    ] {
        let (came, error) = comes(host, Policy::default()).await;
        let error = error.unwrap();
        let refused = blocked(&error).is_some() || error.to_string().contains("invalid dns name");
        assert!(!came && refused, "{host}: {error}");
    }
    let (came, _) = comes("localhost", policy()).await;
    assert!(came, "the test would not notice");
}

#[tokio::test]
async fn cloud_metadata_is_not_asked() {
    for host in [
        "169.254.169.254",
        "[fd00:ec2::254]",
        "[64:ff9b::a9fe:a9fe]",
        "[fe80::1]",
    ] {
        let source = Source::from_parts(&format!("https://{host}"), "token", "").unwrap();
        let error = probe(&source, Policy::default()).await.unwrap_err();
        assert!(blocked(&error).is_some(), "{host}: {error}");
    }
}

/// Returns a server whose certificate the source trusts and that answers everything with `answer`.
async fn answering(answer: &'static str) -> io::Result<(SocketAddr, Source)> {
    let certificate = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(certificate.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut request = vec![0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    let url = format!("https://localhost:{}", address.port());
    Ok((
        address,
        Source::from_parts(&url, "token", &certificate.cert.pem()).unwrap(),
    ))
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let sim = Sim::start(options()).await.unwrap();
    let location = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: https://{}/version\r\nContent-Length: 0\r\n\r\n",
        sim.address()
    );
    let (_, source) = answering(location.leak()).await.unwrap();
    let error = probe(&source, policy()).await.unwrap_err();
    let not_followed = Failure::Status {
        status: 307,
        said: None,
    };
    assert!(is_failure(&error, &not_followed), "{error}");
    assert!(sim.requests().is_empty());
    sim.stop().await;
}

#[tokio::test]
async fn a_probe_repeats_nothing_of_an_answer() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nconfidential",
        "HTTP/1.1 200 OK\r\nContent-Length: 29\r\n\r\n{\"gitVersion\":[\"confidential\"]",
        "HTTP/1.1 403 No\r\nContent-Length: 42\r\n\r\n{\"kind\":\"Status\",\"message\":\"confidential\"}",
        "HTTP/1.1 429 No\r\nContent-Length: 42\r\n\r\n{\"kind\":\"Status\",\"message\":\"confidential\"}",
        "HTTP/1.1 500 No\r\nContent-Length: 42\r\n\r\n{\"kind\":\"Status\",\"message\":\"confidential\"}",
        "HTTP/1.1 504 No\r\nContent-Length: 42\r\n\r\n{\"kind\":\"Status\",\"message\":\"confidential\"}",
        "HTTP/1.1 500 No\r\nContent-Length: 12\r\n\r\nconfidential",
        "confidential\r\n\r\n",
    ] {
        let (_, source) = answering(answer).await.unwrap();
        let error = probe(&source, policy()).await.unwrap_err().to_string();
        assert!(!error.contains("confidential"), "{error}");
    }
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    let (_, source) = answering("HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    let sim = Sim::start(options()).await.unwrap();
    let ours = source.api_server();
    let other = sim.kubeconfig().replace(&format!("https://{}", sim.address()), &ours);
    let error = probe(&untrusted(&other), policy()).await.unwrap_err();
    let refused = TlsFailure::Certificate(Refusal::UnknownIssuer { named: true });
    assert!(is_failure(&error, &Failure::Tls(refused)), "{error}");
    sim.stop().await;
}

#[tokio::test]
async fn a_probe_says_what_the_credential_may_not_do() {
    let sim = Sim::start(options()).await.unwrap();
    let registry = Registry::new(Index::new(), policy());
    let viewer = untrusted(&sim.kubeconfig_for("viewer"));
    let error = registry.probe(&viewer, &[]).await.unwrap_err();
    assert!(
        matches!(&error, Error::Forbidden(text) if text.contains("name the namespaces")),
        "{error}"
    );
    assert!(registry.probe(&viewer, &["staging".to_owned()]).await.is_ok());
    let error = registry
        .probe(&viewer, &["staging".to_owned(), "shop".to_owned()])
        .await
        .unwrap_err();
    assert!(error.to_string().contains("`shop`"), "{error}");
    sim.stop().await;
}
