//! Proxies between Podgate and an API server.

use std::{
    fs,
    sync::{Arc, Mutex},
};

use podgate_cluster::{Source, Spec, SyncState};
use podgate_index::ClusterId;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::{
    kubeconfig::Field,
    world::{policy, until},
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
    /// Answers `CONNECT` with a status.
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

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn http(mut stream: TcpStream, status: &str, noted: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let to = head.split(' ').nth(1).unwrap().to_owned();
    noted.lock().unwrap().push(head);
    stream
        .write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes())
        .await
        .unwrap();
    if status.starts_with("200") {
        let mut server = TcpStream::connect(to).await.unwrap();
        let _ = copy_bidirectional(&mut stream, &mut server).await;
    }
}

async fn plain(mut stream: TcpStream) {
    let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    // Until it goes: a reset would come before the answer.
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

/// SOCKS 5 with user name and password (RFC 1928, RFC 1929), for IPv4 addresses.
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

/// What comes of a cluster by way of a proxy.
async fn by(field: &Field, proxy: &str) -> String {
    let kubeconfig = field.kubeconfig(|config| config["clusters"][0]["cluster"]["proxy-url"] = json!(proxy));
    field.outcome(&kubeconfig).await
}

#[tokio::test]
async fn a_contexts_proxy_leads_to_loopback_too() {
    let field = Field::new(policy()).await;
    let proxy = Proxy::start(Speaks::Http("200 OK")).await;
    assert_eq!(
        by(&field, &format!("http://me:p%40ss@127.0.0.1:{}", proxy.port)).await,
        ""
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

#[tokio::test]
async fn a_socks_proxy_is_used_as_its_user() {
    let field = Field::new(policy()).await;
    let proxy = Proxy::start(Speaks::Socks).await;
    assert_eq!(
        by(&field, &format!("socks5://me:pass@127.0.0.1:{}", proxy.port)).await,
        ""
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
        (refusing.port, "http", "(it refused)"),
        (strict.port, "http", "authorization required"),
        (nobody, "http", "nothing accepts connections there"),
        (nobody, "socks5", "no connection to it was made"),
        (plain.port, "https", "does not speak TLS"),
    ] {
        let said = by(&field, &format!("{scheme}://me:secret@127.0.0.1:{port}")).await;
        let names = said.contains(&format!("proxy `{scheme}://127.0.0.1:{port}`"));
        assert!(names && said.contains(why) && !said.contains("secret"), "{said}");
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
