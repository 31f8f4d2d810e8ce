//! Proxies between Podgate and an API server.

use std::{
    fs,
    sync::{Arc, Mutex},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use podgate_cluster::{
    Error, Failure, ProxyFailure, Source, Spec, SyncState,
    exec::{self, Output},
    tls::{Refusal, TlsFailure},
};
use podgate_index::ClusterId;
use podgate_sim::Sim;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    kubeconfig::Field,
    tls::connector,
    world::{is_failure, policy, until},
};

/// A proxy that notes what it is asked for.
struct Proxy {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone, Copy)]
enum Speaks {
    /// Answers `CONNECT` with a status, and forwards requests in absolute form.
    Http(&'static str),
    /// Answers anything at once with what is not TLS.
    Plain,
    Socks,
}

impl Proxy {
    async fn start(speaks: Speaks) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let noted = asked.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let noted = noted.clone();
                tokio::spawn(async move {
                    match speaks {
                        Speaks::Http(status) => http(stream, status, &noted).await,
                        Speaks::Plain => plain(stream).await,
                        Speaks::Socks => socks(stream, &noted).await,
                    }
                });
            }
        });
        Self { port, asked, task }
    }

    /// Starts a proxy that answers `CONNECT` within TLS.
    async fn start_tls(acceptor: TlsAcceptor) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let noted = asked.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, noted) = (acceptor.clone(), noted.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        http(stream, "200 OK", &noted).await;
                    }
                });
            }
        });
        Self { port, asked, task }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Reads the head of a request.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(head).unwrap())
}

async fn http(mut stream: impl AsyncRead + AsyncWrite + Unpin, status: &str, noted: &Mutex<Vec<String>>) {
    let Some(head) = head(&mut stream).await else { return };
    let target = head.split(' ').nth(1).unwrap().to_owned();
    noted.lock().unwrap().push(head.clone());
    if let Some(rest) = target.strip_prefix("http://") {
        // An API server takes the absolute form as well.
        let to = rest.split('/').next().unwrap();
        let mut server = TcpStream::connect(to).await.unwrap();
        server.write_all(head.as_bytes()).await.unwrap();
        let _ = copy_bidirectional(&mut stream, &mut server).await;
        return;
    }
    stream
        .write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes())
        .await
        .unwrap();
    if status.starts_with("200") {
        let mut server = TcpStream::connect(target).await.unwrap();
        let _ = copy_bidirectional(&mut stream, &mut server).await;
    }
}

/// A simulated cluster without TLS, which takes everybody for an administrator: no credential is
/// sent over plain HTTP.
struct Plain {
    port: u16,
    task: JoinHandle<()>,
}

impl Drop for Plain {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Plain {
    async fn start(sim: &Sim) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (connector, behind) = (connector(sim), sim.address());
        let task = tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let connector = connector.clone();
                tokio::spawn(async move {
                    let name = ServerName::try_from("localhost").unwrap();
                    let stream = TcpStream::connect(behind).await.unwrap();
                    let mut server = connector.connect(name, stream).await.unwrap();
                    let Some(head) = head(&mut client).await else { return };
                    // One request a connection, so that each begins with a head.
                    let close = if head.contains("websocket") {
                        ""
                    } else {
                        "connection: close\r\n"
                    };
                    let head = format!(
                        "{}\r\nauthorization: Bearer admin-token\r\n{close}\r\n",
                        head.trim_end()
                    );
                    server.write_all(head.as_bytes()).await.unwrap();
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Self { port, task }
    }
}

async fn plain(mut stream: TcpStream) {
    let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    // Until the client closes: a reset would arrive before the answer.
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

/// Speaks SOCKS 5 with user name and password (RFC 1928, RFC 1929), for IPv4 addresses.
async fn socks(mut stream: TcpStream, noted: &Mutex<Vec<String>>) {
    let mut greeting = [0; 3];
    stream.read_exact(&mut greeting).await.unwrap();
    assert_eq!(greeting, [5, 1, 2]);
    stream.write_all(&[5, 2]).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), 1);
    for _ in 0..2 {
        let mut text = vec![0; stream.read_u8().await.unwrap().into()];
        stream.read_exact(&mut text).await.unwrap();
        noted.lock().unwrap().push(String::from_utf8(text).unwrap());
    }
    stream.write_all(&[1, 0]).await.unwrap();
    let mut request = [0; 10];
    stream.read_exact(&mut request).await.unwrap();
    assert_eq!(request[..4], [5, 1, 0, 1]);
    let port = u16::from_be_bytes([request[8], request[9]]);
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
    let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let _ = copy_bidirectional(&mut stream, &mut server).await;
}

/// Returns the outcome of reaching a cluster through a proxy.
async fn by(field: &Field, proxy: &str) -> Option<Error> {
    let kubeconfig = field.kubeconfig(|config| config["clusters"][0]["cluster"]["proxy-url"] = json!(proxy));
    field.error(&kubeconfig).await
}

#[tokio::test]
async fn a_contexts_proxy_leads_to_loopback_too() {
    let field = Field::new(policy()).await;
    let proxy = Proxy::start(Speaks::Http("200 OK")).await;
    assert_eq!(
        by(&field, &format!("http://me:p%40ss@127.0.0.1:{}", proxy.port)).await,
        None
    );
    let asked = proxy.asked();
    let address = field.sim.address();
    assert!(
        asked[0].starts_with(&format!("CONNECT {address} HTTP/1.1\r\n")),
        "{asked:?}"
    );
    assert!(
        asked[0].contains("Proxy-Authorization: Basic bWU6cEBzcw==\r\n"),
        "{asked:?}"
    );
    field.end().await;
}

/// Waits until a cluster is synced or has failed, and returns its error; empty if it is synced.
async fn settled(cluster: &podgate_cluster::Cluster) -> String {
    until("it is settled", || cluster.sync().state != SyncState::Syncing).await;
    cluster.sync().error.map(|error| error.to_string()).unwrap_or_default()
}

#[tokio::test]
async fn a_proxy_forwards_all_but_upgrades_to_a_server_without_tls() {
    let field = Field::new(policy()).await;
    let server = Plain::start(&field.sim).await;
    let proxy = Proxy::start(Speaks::Http("200 OK")).await;
    field.sim.run_pod("shop", "web", &["main"]);
    let kubeconfig = field.kubeconfig(|config| {
        config["clusters"][0]["cluster"] = json!({
            "server": format!("http://127.0.0.1:{}", server.port),
            "proxy-url": format!("http://me:p%40ss@127.0.0.1:{}", proxy.port),
        });
    });
    let cluster = field.add(&kubeconfig);
    assert_eq!(settled(&cluster).await, "");
    let asked = proxy.asked();
    let whole = format!("GET http://127.0.0.1:{}/", server.port);
    assert!(asked.iter().all(|head| head.starts_with(&whole)), "{asked:?}");
    let user = "proxy-authorization: Basic bWU6cEBzcw==\r\n";
    assert!(asked.iter().all(|head| head.contains(user)), "{asked:?}");
    let options = exec::Options {
        container: None,
        command: vec!["echo".to_owned(), "here".to_owned()],
        tty: false,
    };
    let mut session = cluster.exec("shop", "web", options).await.unwrap();
    let first = session.output.recv().await;
    assert!(
        matches!(&first, Some(Output::Stdout(bytes)) if &bytes[..] == b"here\n"),
        "{first:?}"
    );
    let tunnel = format!("CONNECT 127.0.0.1:{} HTTP/1.1\r\n", server.port);
    let asked = proxy.asked();
    assert_eq!(
        asked.iter().filter(|head| head.starts_with(&tunnel)).count(),
        1,
        "{asked:?}"
    );
    field.end().await;
}

#[tokio::test]
async fn a_proxy_is_spoken_to_by_tls() {
    let field = Field::new(policy()).await;
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let server = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let proxy = Proxy::start_tls(TlsAcceptor::from(Arc::new(server))).await;
    let kubeconfig = |trusts_proxy: bool| {
        field.kubeconfig(|config| {
            let cluster = &mut config["clusters"][0]["cluster"];
            cluster["proxy-url"] = json!(format!("https://me:p%40ss@127.0.0.1:{}", proxy.port));
            if trusts_proxy {
                let authorities = format!("{}{}", field.authority(), cert.pem());
                cluster["certificate-authority-data"] = json!(STANDARD.encode(authorities));
            }
        })
    };
    let error = field.error(&kubeconfig(false)).await.unwrap();
    let unknown = TlsFailure::Certificate(Refusal::UnknownIssuer { named: true });
    let failure = Failure::Proxy {
        proxy: format!("https://127.0.0.1:{}", proxy.port).into(),
        why: ProxyFailure::Tls(unknown),
    };
    assert!(is_failure(&error, &failure), "{error:?}");
    assert!(proxy.asked().is_empty());
    assert_eq!(field.outcome(&kubeconfig(true)).await, "");
    let asked = proxy.asked();
    let tunnel = format!("CONNECT {} HTTP/1.1\r\n", field.sim.address());
    let user = "Proxy-Authorization: Basic bWU6cEBzcw==\r\n";
    assert!(asked[0].starts_with(&tunnel) && asked[0].contains(user), "{asked:?}");
    field.end().await;
}

#[tokio::test]
async fn a_socks_proxy_is_used_as_its_user() {
    let field = Field::new(policy()).await;
    let proxy = Proxy::start(Speaks::Socks).await;
    assert_eq!(
        by(&field, &format!("socks5://me:pass@127.0.0.1:{}", proxy.port)).await,
        None
    );
    assert_eq!(proxy.asked()[..2], ["me", "pass"]);
    field.end().await;
}

#[tokio::test]
async fn a_proxy_that_fails_is_named_without_its_password() {
    let field = Field::new(policy()).await;
    let refusing = Proxy::start(Speaks::Http("403 Forbidden")).await;
    let strict = Proxy::start(Speaks::Http("407 Proxy Authentication Required")).await;
    let plain = Proxy::start(Speaks::Plain).await;
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    };
    for (port, scheme, why) in [
        (refusing.port, "http", ProxyFailure::Refused),
        (
            strict.port,
            "http",
            ProxyFailure::Other("proxy authorization required".into()),
        ),
        (nobody, "http", ProxyFailure::ConnectionRefused),
        (nobody, "socks5", ProxyFailure::Unreachable),
        (plain.port, "https", ProxyFailure::Tls(TlsFailure::NotTls)),
    ] {
        let error = by(&field, &format!("{scheme}://me:secret@127.0.0.1:{port}"))
            .await
            .unwrap();
        let proxy = format!("{scheme}://127.0.0.1:{port}").into();
        assert!(is_failure(&error, &Failure::Proxy { proxy, why }), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    field.end().await;
}

#[tokio::test]
async fn a_refused_proxy_costs_only_its_own_cluster() {
    let field = Field::new(policy()).await;
    let kubeconfig = field.kubeconfig(|config| {
        let mut other = config["clusters"][0].clone();
        other["name"] = json!("d");
        other["cluster"]["proxy-url"] = json!("ftp://me:secret@proxy.example");
        config["clusters"].as_array_mut().unwrap().push(other);
        config["contexts"]
            .as_array_mut()
            .unwrap()
            .push(json!({"name": "odd", "context": {"cluster": "d", "user": "u"}}));
    });
    let file = field.path("config");
    fs::write(&file, kubeconfig).unwrap();
    let contexts = Source::from_kubeconfig_file(&file).unwrap().into_iter().zip(1..);
    let clusters: Vec<_> = contexts
        .map(|(context, id)| {
            field.registry.add(Spec {
                id: ClusterId(id),
                name: context.name,
                source: context.source,
                namespaces: Vec::new(),
            })
        })
        .collect();
    until("both are settled", || {
        clusters
            .iter()
            .all(|cluster| cluster.sync().state != SyncState::Syncing)
    })
    .await;
    assert_eq!(clusters[0].sync().state, SyncState::Synced);
    let said = clusters[1].sync().error.unwrap().to_string();
    assert!(
        said.contains("`proxy-url` of cluster `d` is `ftp://proxy.example`") && !said.contains("secret"),
        "{said}"
    );
    field.end().await;
}
