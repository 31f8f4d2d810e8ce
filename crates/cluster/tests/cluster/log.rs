//! Logs of clusters that misbehave in ways that a simulated one does not.

use std::time::Duration;

use futures_util::StreamExt;
use podgate_cluster::{Cluster, Error, Failure, Policy, Registry, RemovalReason, Source, Spec, log::Query};
use podgate_index::Index;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::world::{ID, is_failure, policy};

const POD: &str = r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web-1","namespace":"shop","uid":"u"},
    "spec":{"containers":[{"name":"app"}]},
    "status":{"phase":"Running","containerStatuses":[{"name":"app","state":{"running":{}}}]}}"#;

/// Returns a server that has pod `shop/web-1`, whose log stops after its first line. Ends with the
/// test's runtime.
async fn stalling() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    address
}

async fn answer(mut stream: TcpStream) {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return,
            }
        }
        let head = String::from_utf8(head).unwrap();
        let path = head.split(' ').nth(1).unwrap();
        if path.starts_with("/api/v1/namespaces/shop/pods/web-1/log?") {
            let start =
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nline\n\r\n";
            stream.write_all(start.as_bytes()).await.unwrap();
            // The connection stays open and silent until the client gives up.
            let _ = stream.read_u8().await;
            return;
        }
        let (status, body) = match path {
            "/api/v1/namespaces/shop/pods/web-1" => ("200 OK", POD),
            _ => ("404 Not Found", ""),
        };
        let length = body.len();
        let answer =
            format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}");
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

async fn cluster(policy: Policy) -> (Registry, Cluster) {
    let address = stalling().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("kubeconfig");
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n\
         clusters: [{{name: c, cluster: {{server: \"http://{address}\"}}}}]\nusers: [{{name: u, user: {{token: t}}}}]\n"
    );
    std::fs::write(&file, kubeconfig).unwrap();
    let source = Source::from_kubeconfig_file(&file).unwrap().remove(0).source;
    let registry = Registry::new(Index::new(), policy);
    let name = "prod".to_owned();
    let cluster = registry.add(Spec {
        id: ID,
        name,
        source,
        namespaces: Vec::new(),
    });
    (registry, cluster)
}

#[tokio::test]
async fn a_log_that_stops_in_the_middle_is_given_up() {
    let policy = Policy {
        request_timeout: Duration::from_secs(1),
        ..policy()
    };
    let (registry, cluster) = cluster(policy).await;
    let mut log = cluster.log("shop", "web-1", &Query::default()).await.unwrap();
    assert_eq!(log.container, "app");
    assert_eq!(log.stream.next().await.unwrap().unwrap(), "line\n");
    match log.stream.next().await {
        Some(Err(Error::Timeout(text))) => assert!(text.contains("web-1/log") && text.contains("`prod`"), "{text}"),
        other => panic!("{other:?}"),
    }
    assert!(log.stream.next().await.is_none(), "an error is the last item");
    registry.shutdown().await;
}

#[tokio::test]
async fn a_log_ends_with_an_error_when_its_cluster_is_removed() {
    let (registry, cluster) = cluster(policy()).await;
    let mut log = cluster.log("shop", "web-1", &Query::default()).await.unwrap();
    assert_eq!(log.stream.next().await.unwrap().unwrap(), "line\n");
    registry.remove(ID).await;
    match log.stream.next().await {
        Some(Err(error)) => assert!(is_failure(&error, &Failure::Removed(RemovalReason::Removed)), "{error}"),
        other => panic!("{other:?}"),
    }
    registry.shutdown().await;
}
