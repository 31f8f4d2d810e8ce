//! Every operation of a cluster against an API server that does what no API server should: each
//! ends within its limits, takes no more than its bounds, and repeats nothing of the peer that is
//! long or not text. A target of its own, because it takes all the processor time that there is and
//! counts the memory of its process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod handshake;
mod memory;
mod server;

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use futures_util::{StreamExt, future::join_all};
use podgate_cluster::{
    Cluster, Error, Failure, MemoryBudget, Policy, Registry, Source, Spec, SyncState, WatchTimeouts, delete, exec,
    follow, log,
};
use podgate_index::{ClusterId, Index, Scope};
use tokio::time::timeout;

use self::server::{Behaviour, EVIL, OVER_HTTP, OVER_WEBSOCKET, Server};

/// How long a test waits for anything before it fails.
const DEADLINE: Duration = Duration::from_secs(60);
/// How long an operation without an end is observed.
const WATCHED: Duration = Duration::from_secs(2);
/// Bytes that a connection may hold in addition to those that its reader took: sockets on both
/// sides, TLS and HTTP.
const UNDER_WAY: usize = 24 << 20;
/// Bytes of a log or a terminal that are read before it is left.
const ENOUGH: usize = 4 << 20;

/// Held by each test: one at a time measures the memory, or has the processor.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

type Outcome = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// An operation, and the request that is answered in a hostile way.
struct Operation {
    name: &'static str,
    is_target: fn(&str) -> bool,
    run: fn(Cluster) -> Outcome,
    /// The most bytes that it takes from one answer, or from all pages.
    most: usize,
}

const fn operation(name: &'static str, is_target: fn(&str) -> bool, run: fn(Cluster) -> Outcome) -> Operation {
    Operation {
        name,
        is_target,
        run,
        most: 16 << 20,
    }
}

fn is_pod(path: &str) -> bool {
    path.ends_with("/pods/web")
}

fn operations() -> Vec<Operation> {
    vec![
        operation("detail", is_pod, |cluster| {
            Box::pin(async move { cluster.pod("shop", "web").await.map(drop) })
        }),
        operation("manifest", is_pod, |cluster| {
            Box::pin(async move { cluster.manifest("shop", "web").await.map(drop) })
        }),
        operation("delete", is_pod, |cluster| {
            Box::pin(async move { cluster.delete_pod("shop", "web", &delete::Options::default()).await })
        }),
        operation("pod of a log", is_pod, |cluster| Box::pin(read_log(cluster))),
        operation(
            "log",
            |path| path.ends_with("/log"),
            |cluster| Box::pin(read_log(cluster)),
        ),
        Operation {
            // Lines are passed on as long as somebody reads them.
            most: usize::MAX,
            ..operation(
                "follow",
                |path| path.ends_with("/log"),
                |cluster| Box::pin(follow(cluster)),
            )
        },
        operation("pod of events", is_pod, |cluster| Box::pin(events(cluster))),
        Operation {
            most: 64 << 20,
            ..operation(
                "events",
                |path| path.ends_with("/events"),
                |cluster| Box::pin(events(cluster)),
            )
        },
        operation("pod of a terminal", is_pod, |cluster| Box::pin(terminal(cluster))),
        operation(
            "review",
            |path| path.ends_with("selfsubjectaccessreviews"),
            |cluster| Box::pin(terminal(cluster)),
        ),
        operation("terminal", is_exec, |cluster| Box::pin(terminal(cluster))),
        Operation {
            // The cluster itself asks for its version once, too.
            most: 32 << 20,
            ..operation("version", |path| path == "/version", |cluster| Box::pin(probe(cluster)))
        },
        Operation {
            // The cluster's watch reads the same path meanwhile, for as long as pods come.
            most: usize::MAX - UNDER_WAY,
            ..operation(
                "probe of pods",
                |path| path == "/api/v1/pods",
                |cluster| Box::pin(probe(cluster)),
            )
        },
        Operation {
            most: 128 << 20,
            ..operation(
                "namespaces",
                |path| path.ends_with("/namespaces"),
                |cluster| Box::pin(async move { cluster.namespaces().await.map(drop) }),
            )
        },
        Operation {
            most: usize::MAX - UNDER_WAY,
            ..operation(
                "watch",
                |path| path == "/api/v1/pods",
                |cluster| Box::pin(watch(cluster)),
            )
        },
    ]
}

fn is_exec(path: &str) -> bool {
    path.ends_with("/exec")
}

async fn events(cluster: Cluster) -> Result<(), Error> {
    let events = cluster.events("shop", "web").await?;
    assert!(events.newest.len() <= 1000);
    Ok(())
}

async fn probe(cluster: Cluster) -> Result<(), Error> {
    let info = cluster.probe().await?;
    assert!(info.version.len() <= 256);
    Ok(())
}

async fn read_log(cluster: Cluster) -> Result<(), Error> {
    let mut body = cluster.log("shop", "web", &log::Query::default()).await?;
    let read = async {
        let mut taken = 0;
        while let Some(bytes) = body.stream.next().await {
            taken += bytes?.len();
            if taken > ENOUGH {
                break;
            }
        }
        Ok(())
    };
    timeout(WATCHED, read).await.unwrap_or(Ok(()))
}

/// Follows a log, which has no end while its container runs.
async fn follow(cluster: Cluster) -> Result<(), Error> {
    let options = follow::Options {
        follow: true,
        ..follow::Options::default()
    };
    let mut frames = cluster.follow("shop", "web", options).await?;
    let read = async {
        while let Some(frame) = frames.recv().await {
            if let follow::Frame::Failed(error) = frame {
                return Err(error);
            }
        }
        Ok(())
    };
    timeout(WATCHED, read).await.unwrap_or(Ok(()))
}

async fn terminal(cluster: Cluster) -> Result<(), Error> {
    let options = exec::Options {
        container: None,
        command: vec!["/bin/sh".to_owned()],
        tty: true,
    };
    let mut session = cluster.exec("shop", "web", options).await?;
    let read = async {
        let mut taken = 0;
        while let Some(output) = session.output.recv().await {
            match output {
                exec::Output::Failed(error) => return Err(error),
                exec::Output::Stdout(bytes) | exec::Output::Stderr(bytes) => taken += bytes.len(),
                exec::Output::Warning(_) | exec::Output::Exit(_) => {}
            }
            if taken > ENOUGH {
                break;
            }
        }
        Ok(())
    };
    timeout(WATCHED, read).await.unwrap_or(Ok(()))
}

/// Checks that the cluster is synced or says what is wrong, and that its counts can be read.
async fn watch(mut cluster: Cluster) -> Result<(), Error> {
    loop {
        let sync = cluster.sync();
        match (sync.state, sync.error) {
            (SyncState::Synced, _) => return Ok(()),
            (_, Some(error)) => return Err(error),
            _ => {}
        }
        cluster.sync_changed().await;
    }
}

/// Returns a policy with short limits.
fn policy() -> Policy {
    Policy {
        connect_timeout: Duration::from_secs(10),
        request_timeout: Duration::from_secs(2),
        stream_silence: Duration::from_secs(1),
        body_wait: Duration::from_millis(100),
        bodies: MemoryBudget::new(64 << 20),
        watch: WatchTimeouts {
            silence: Duration::from_secs(2),
            progress: Duration::from_secs(1),
            list: Duration::from_secs(5),
            retry_min: Duration::from_millis(100),
            retry_max: Duration::from_millis(200),
            settle: Duration::from_millis(100),
            info: Duration::from_secs(3600),
        },
        allowed_networks: Arc::new(["127.0.0.0/8".parse().unwrap()]),
        ..Policy::default()
    }
}

/// Runs an operation against a behaviour. Returns what it came to, and what is wrong with that.
async fn run(operation: &Operation, behaviour: Behaviour) -> (Result<(), Error>, Vec<String>) {
    let server = Server::start(behaviour, operation.is_target).await;
    let (outcome, mut wrong) = face(operation, server.source()).await;
    // Output is passed on as long as somebody reads it.
    let most = operation.most.saturating_add(UNDER_WAY);
    if server.taken() > most && behaviour != Behaviour::OutputFlood {
        wrong.push(format!("took {} bytes", server.taken()));
    }
    (outcome, wrong)
}

/// Runs an operation of a cluster, and ends the cluster. Returns what the operation came to, and
/// what is wrong with that.
async fn face(operation: &Operation, source: Source) -> (Result<(), Error>, Vec<String>) {
    let policy = policy();
    let (index, bodies) = (Index::new(), policy.bodies.clone());
    let registry = Registry::new(index.clone(), policy);
    let cluster = registry.add(Spec {
        id: ClusterId(7),
        name: "prod".to_owned(),
        source,
        namespaces: Vec::new(),
    });
    let mut wrong = Vec::new();
    let outcome = timeout(DEADLINE, (operation.run)(cluster)).await.unwrap_or_else(|_| {
        wrong.push("has no end".to_owned());
        Ok(())
    });
    let _ = index.stats(ClusterId(7), &Scope::All);
    if timeout(DEADLINE, registry.shutdown()).await.is_err() {
        wrong.push("has tasks without an end".to_owned());
    }
    // The tasks of a dropped stream end a moment after it.
    if timeout(DEADLINE, bodies.reserve(bodies.total())).await.is_err() {
        wrong.push("kept memory".to_owned());
    }
    if let Err(error) = &outcome {
        wrong.extend(check(error));
    }
    (outcome, wrong)
}

/// Returns what is wrong with the description of a failure; `None` if nothing is.
fn check(error: &Error) -> Option<String> {
    let text = error.to_string();
    let odd = |c: char| {
        c.is_control() || matches!(c, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let names_it = ["cluster `", "the server", "the cluster"]
        .iter()
        .any(|words| text.contains(words));
    let fine = text.len() <= 2048
        && !text.contains(odd)
        && text.matches(EVIL).count() * EVIL.len() <= 1024
        && names_it
        // Nobody has given a parameter that could be at fault.
        && !matches!(error, Error::Invalid(_));
    (!fine).then(|| format!("says {error:?}"))
}

/// Crosses operations with behaviours, some at a time.
async fn cross(operations: &[Operation], behaviours: &[Behaviour]) {
    let mut wrong = Vec::new();
    for behaviours in behaviours.chunks(3) {
        let pairs = behaviours
            .iter()
            .flat_map(|behaviour| operations.iter().map(|operation| (operation, *behaviour)));
        let runs = pairs.map(|(operation, behaviour)| async move {
            let (_, wrong) = run(operation, behaviour).await;
            let case = move |wrong| format!("{} against {behaviour:?} {wrong}", operation.name);
            wrong.into_iter().map(case).collect::<Vec<_>>()
        });
        wrong.extend(join_all(runs).await.into_iter().flatten());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_survives_every_answer() {
    let _alone = ALONE.lock().await;
    cross(&operations(), OVER_HTTP).await;
}

/// A server that has not proved its identity gets no request and so no token.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_names_why_a_handshake_failed() {
    let _alone = ALONE.lock().await;
    handshake::check().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_survives_every_websocket() {
    let _alone = ALONE.lock().await;
    cross(&[named("terminal")], OVER_WEBSOCKET).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_bodies_do_not_become_large() {
    let _alone = ALONE.lock().await;
    memory::check().await;
}

fn named(name: &str) -> Operation {
    let mut operations = operations().into_iter();
    operations.find(|operation| operation.name == name).unwrap()
}

async fn outcome(name: &str, behaviour: Behaviour) -> Error {
    let (outcome, wrong) = run(&named(name), behaviour).await;
    assert!(wrong.is_empty(), "{wrong:?}");
    outcome.unwrap_err()
}

/// The message names what a proxy dropped, and the failure is attributed to the proxy alone.
#[tokio::test]
async fn a_dropped_upgrade_is_the_proxys() {
    let _alone = ALONE.lock().await;
    for status in [200, 400, 403, 404, 502] {
        let behaviour = if status == 200 {
            Behaviour::Html
        } else {
            Behaviour::Bare(status)
        };
        match outcome("terminal", behaviour).await {
            Error::Upstream {
                failure: Failure::NotUpgraded { why },
                ..
            } => assert!(why.contains("`Upgrade`") && why.contains(&status.to_string()), "{why}"),
            other => panic!("{status}: {other:?}"),
        }
    }
}

fn is_upstream(error: &Error, is: fn(&Failure) -> bool) -> bool {
    matches!(error, Error::Upstream { failure, .. } if is(failure))
}

#[tokio::test]
async fn a_refusal_is_classified() {
    let _alone = ALONE.lock().await;
    use Behaviour::{Bare, Refusal, Silence, SilenceInBody};
    for (name, behaviour, is) in [
        (
            "detail",
            Silence,
            (|error| matches!(error, Error::Timeout(_))) as fn(&Error) -> bool,
        ),
        ("detail", SilenceInBody, |error| matches!(error, Error::Timeout(_))),
        ("detail", Refusal(400), |error| matches!(error, Error::Rejected(_))),
        ("log", Refusal(400), |error| matches!(error, Error::Rejected(_))),
        ("delete", Refusal(422), |error| matches!(error, Error::Rejected(_))),
        ("delete", Behaviour::Html, |error| {
            is_upstream(error, |failure| matches!(failure, Failure::NotKubernetes { .. }))
        }),
        ("events", Refusal(403), |error| matches!(error, Error::Forbidden(_))),
        ("detail", Refusal(404), |error| matches!(error, Error::PodNotFound(_))),
        ("terminal", Refusal(403), |error| matches!(error, Error::Forbidden(_))),
        ("namespaces", Bare(504), |error| matches!(error, Error::Timeout(_))),
        ("detail", Refusal(401), |error| {
            is_upstream(error, |failure| *failure == Failure::Unauthorized)
        }),
    ] {
        let error = outcome(name, behaviour).await;
        assert!(is(&error), "{name} {behaviour:?}: {error:?}");
    }
}
