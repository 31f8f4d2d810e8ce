//! Lists that do not end, whatever they are made of: the first sync fails in the end and says why,
//! and other clusters do not notice.

use std::time::Duration;

use podgate_cluster::{Error, Failure, Policy, Registry, Source, Spec, StaleReason, SyncState};
use podgate_index::{ClusterId, Index};
use podgate_sim::Sim;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::world::{ID, options, policy, until, untrusted};

/// The answer of an API server to a request for pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pods {
    /// Page after page of new pods.
    Pages,
    /// Page after page of the same pods.
    SamePages,
    /// Page after page without a pod.
    EmptyPages,
    /// Always the token that it was asked with.
    SameToken,
    /// One list of ever more pods.
    List,
    /// One list of large pods.
    Large,
    /// One list that continues with blanks forever.
    Blanks,
    /// One list with a pod now and then.
    Drip,
    /// The initial events of a streaming list, for ever.
    Stream,
    /// Empty lines in the place of initial events.
    EmptyLines,
}

/// Pods of a page.
const PAGE: usize = 50;

fn pod(number: usize, containers: usize) -> String {
    let containers: Vec<_> = (0..containers).map(|_| json!({"name": "c"})).collect();
    json!({
        "metadata": {"name": format!("p{number}"), "namespace": "shop", "resourceVersion": "5"},
        "spec": {"containers": containers},
    })
    .to_string()
}

/// Returns the pods from a number on, as JSON between commas.
fn pods(from: usize, count: usize) -> String {
    let pods: Vec<_> = (from..from + count).map(|number| pod(number, 1)).collect();
    pods.join(",")
}

fn page(token: usize, pods: &str) -> String {
    format!(
        r#"{{"kind":"PodList","apiVersion":"v1","metadata":{{"resourceVersion":"5","continue":"{token}"}},"items":[{pods}]}}"#
    )
}

/// Starts an API server in plain HTTP, and returns a source for it.
async fn server(answer: Pods) -> Source {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(serve(connection, answer));
        }
    });
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("kubeconfig");
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n\
         clusters: [{{name: c, cluster: {{server: \"http://{address}\"}}}}]\nusers: [{{name: u, user: {{token: t}}}}]\n"
    );
    std::fs::write(&file, kubeconfig).unwrap();
    Source::from_kubeconfig_file(&file).unwrap().remove(0).source
}

/// Answers requests until the client goes, which ends every endless answer.
async fn serve(mut connection: TcpStream, answer: Pods) -> std::io::Result<()> {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(connection.read_u8().await?);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let target = head.split(' ').nth(1).unwrap_or_default();
        let streams = matches!(answer, Pods::Stream | Pods::EmptyLines);
        if !target.starts_with("/api/v1/pods") || (target.contains("watch=") && !streams) {
            let none = "HTTP/1.1 422 Unprocessable Entity\r\nContent-Length: 0\r\n\r\n";
            connection.write_all(none.as_bytes()).await?;
            continue;
        }
        let token = target.split("continue=").nth(1).and_then(|rest| rest.parse().ok());
        let token: usize = token.unwrap_or_default();
        let body = match answer {
            Pods::Pages => page(token + 1, &pods(token * PAGE, PAGE)),
            Pods::SamePages => page(token + 1, &pods(0, PAGE)),
            Pods::EmptyPages => page(token + 1, ""),
            Pods::SameToken => page(7, &pods(0, PAGE)),
            _ => return endless(connection, answer).await,
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        connection.write_all((head + &body).as_bytes()).await?;
    }
}

/// Answers for ever.
async fn endless(mut connection: TcpStream, answer: Pods) -> std::io::Result<()> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n";
    connection.write_all(head.as_bytes()).await?;
    if !matches!(answer, Pods::Stream | Pods::EmptyLines) {
        let begin = r#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"5"},"items":["#;
        connection.write_all((begin.to_owned() + &pod(0, 1)).as_bytes()).await?;
    }
    for round in 0.. {
        let more = match answer {
            Pods::Large => format!(",{}", pod(round, 400)),
            Pods::Blanks => " ".repeat(64 << 10),
            Pods::EmptyLines => "\n".repeat(64 << 10),
            Pods::Drip => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                format!(",{}", pod(round, 1))
            }
            Pods::Stream => {
                let events = (round * PAGE..).take(PAGE);
                let events = events.map(|at| format!("{{\"type\":\"ADDED\",\"object\":{}}}\n", pod(at, 1)));
                events.collect()
            }
            _ => format!(",{}", pods(round * PAGE, PAGE)),
        };
        connection.write_all(more.as_bytes()).await?;
    }
    Ok(())
}

/// Returns the error of a cluster that answers like this and never syncs, while another one syncs.
async fn fails(answer: Pods, change: impl FnOnce(&mut Policy)) -> Error {
    let mut policy = Policy {
        max_pods: 2_000,
        ..policy()
    };
    change(&mut policy);
    let most = policy.max_pods;
    let index = Index::new();
    let registry = Registry::new(index.clone(), policy);
    let sim = Sim::start(options()).await.unwrap();
    sim.run_pod("shop", "web", &["main"]);
    let add = |id: ClusterId, name: &str, source: Source| {
        registry.add(Spec {
            id,
            name: name.to_owned(),
            source,
            namespaces: Vec::new(),
        })
    };
    let endless = add(ID, "endless", server(answer).await);
    let healthy = add(ClusterId(ID.0 + 1), "healthy", untrusted(&sim.kubeconfig()));
    until("the endless list fails", || endless.sync().state == SyncState::Failed).await;
    let error = endless.sync().error.unwrap();
    // No retry succeeds.
    until("it is tried again", || {
        endless.counts().lists.iter().map(|(_, count)| count).sum::<u64>() > 2
    })
    .await;
    assert_eq!(endless.sync().state, SyncState::Failed);
    assert!(index.usage(ID).pods <= 2 * most, "{:?}", index.usage(ID));
    until("the other one is synced", || {
        healthy.sync().state == SyncState::Synced && index.usage(healthy.id()).pods == 1
    })
    .await;
    registry.shutdown().await;
    sim.stop().await;
    error
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_ever_more_pods_is_too_many_pods() {
    for answer in [Pods::Pages, Pods::SamePages, Pods::List, Pods::Stream] {
        let error = fails(answer, |_| {}).await;
        let expected = Error::upstream("cluster `endless`", Failure::TooManyPods { most: 2000 });
        assert_eq!(error, expected, "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_are_bounded_in_bytes_too() {
    let error = fails(Pods::Large, |policy| policy.max_pods = 10_000).await;
    let expected = Error::upstream("cluster `endless`", Failure::PodsTooLarge { mib: 64 });
    assert_eq!(error, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_bring_nothing_are_no_progress() {
    for answer in [Pods::EmptyPages, Pods::SameToken] {
        let error = fails(answer, |_| {}).await;
        let expected = Error::upstream("cluster `endless`", Failure::Stale(StaleReason::Repeats));
        assert_eq!(error, expected, "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_bring_nothing_are_no_progress() {
    for answer in [Pods::Blanks, Pods::EmptyLines] {
        let error = fails(answer, |policy| policy.watch.progress = Duration::from_millis(300)).await;
        assert!(
            matches!(&error, Error::Timeout(text) if text.contains("makes no progress")),
            "{answer:?}: {error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_drips_for_ever_is_given_up() {
    let error = fails(Pods::Drip, |policy| policy.watch.list = Duration::from_millis(500)).await;
    assert!(
        matches!(&error, Error::Timeout(text) if text.contains("has not ended within 500ms")),
        "{error}"
    );
}
