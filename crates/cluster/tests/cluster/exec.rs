//! Commands in containers.

use std::time::Duration;

use bytes::Bytes;
use podgate_cluster::{
    Cluster, Error, Failure, Policy, Registry, RemovalReason, Spec,
    exec::{Input, Options, Output, Session},
};
use podgate_index::Index;
use podgate_sim::Sim;
use serde_json::json;
use tokio::time::timeout;

use crate::{
    proxy::Proxy,
    world::{self, ID, is_failure, policy, until, untrusted},
};

const PATIENCE: Duration = Duration::from_secs(60);

struct Lab {
    sim: Sim,
    registry: Registry,
    cluster: Cluster,
}

impl Lab {
    /// Returns a cluster with pod `shop/web` and its container `main`.
    async fn new() -> Self {
        Self::of("admin").await
    }

    async fn of(user: &str) -> Self {
        let sim = Sim::start(world::options()).await.unwrap();
        let kubeconfig = sim.kubeconfig_for(user);
        Self::with(sim, &kubeconfig, policy())
    }

    fn with(sim: Sim, kubeconfig: &str, policy: Policy) -> Self {
        sim.run_pod("shop", "web", &["main"]);
        let registry = Registry::new(Index::new(), policy);
        let cluster = registry.add(Spec {
            id: ID,
            name: "prod".to_owned(),
            source: untrusted(kubeconfig),
            namespaces: vec!["shop".to_owned()],
        });
        Self { sim, registry, cluster }
    }

    async fn exec(&self, tty: bool, command: &[&str]) -> Session {
        self.cluster.exec("shop", "web", options(tty, command)).await.unwrap()
    }

    async fn end(self) {
        self.registry.shutdown().await;
        let sim = self.sim.clone();
        until("no stream is open", || sim.open_streams() == 0).await;
        self.sim.stop().await;
    }
}

fn options(tty: bool, command: &[&str]) -> Options {
    Options {
        container: None,
        command: command.iter().map(|part| (*part).to_owned()).collect(),
        tty,
    }
}

async fn next(session: &mut Session) -> Option<Output> {
    timeout(PATIENCE, session.output.recv()).await.expect("no output")
}

async fn send(session: &Session, input: Input) {
    timeout(PATIENCE, session.input.send(input))
        .await
        .expect("not taken")
        .unwrap();
}

async fn typed(session: &Session, text: &'static str) {
    send(session, Input::Data(Bytes::from_static(text.as_bytes()))).await;
}

/// Returns standard output and error up to the end, and the last output.
async fn rest(session: &mut Session) -> (Vec<u8>, Vec<u8>, Output) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    loop {
        match next(session).await.expect("an end") {
            Output::Stdout(bytes) => stdout.extend_from_slice(&bytes),
            Output::Stderr(bytes) => stderr.extend_from_slice(&bytes),
            Output::Warning(warning) => panic!("{warning}"),
            last => {
                assert!(next(session).await.is_none(), "the end is last");
                return (stdout, stderr, last);
            }
        }
    }
}

/// Reads until the output so far holds a text.
async fn output_with(session: &mut Session, wanted: &str) -> String {
    let mut text = String::new();
    while !text.contains(wanted) {
        match next(session).await {
            Some(Output::Stdout(bytes)) => text.push_str(&String::from_utf8_lossy(&bytes)),
            other => panic!("{other:?} after {text:?}"),
        }
    }
    text
}

#[tokio::test]
async fn output_and_errors_are_separate_and_the_exit_code_comes_last() {
    let lab = Lab::new().await;
    for v4 in [false, true] {
        lab.sim.faults().only_v4_exec(v4);
        let mut session = lab.exec(false, &["sh", "-c", "echo out; echo err >&2; exit 3"]).await;
        let (stdout, stderr, last) = rest(&mut session).await;
        assert_eq!(
            (stdout.as_slice(), stderr.as_slice()),
            (b"out\n".as_slice(), b"err\n".as_slice())
        );
        assert!(matches!(last, Output::Exit(3)), "{last:?}");
        let mut session = lab.exec(false, &["true"]).await;
        assert!(matches!(rest(&mut session).await.2, Output::Exit(0)));
    }
    lab.end().await;
}

#[tokio::test]
async fn a_paste_comes_back_whole_and_its_end_ends_cat() {
    let lab = Lab::new().await;
    let data: Vec<u8> = (0..1_000_000u32).map(|n| (n % 251) as u8).collect();
    let mut session = lab.exec(false, &["cat"]).await;
    let input = session.input.clone();
    let paste = data.clone();
    let writer = tokio::spawn(async move {
        for part in paste.chunks(100_000) {
            input.send(Input::Data(Bytes::copy_from_slice(part))).await.unwrap();
        }
        input.send(Input::Eof).await.unwrap();
    });
    let (stdout, _, last) = rest(&mut session).await;
    assert!(stdout == data, "{} bytes came back", stdout.len());
    assert!(matches!(last, Output::Exit(0)), "{last:?}");
    writer.await.unwrap();
    lab.end().await;
}

#[tokio::test]
async fn a_size_that_comes_at_once_is_applied() {
    let lab = Lab::new().await;
    for v4 in [false, true] {
        lab.sim.faults().only_v4_exec(v4);
        let mut session = lab.exec(true, &["/bin/sh"]).await;
        for cols in 1..=97 {
            send(&session, Input::Resize { cols, rows: 33 }).await;
        }
        typed(&session, "stty size\n").await;
        output_with(&mut session, "33 97\r\n").await;
        typed(&session, "exit 4\n").await;
        assert!(matches!(rest(&mut session).await.2, Output::Exit(4)));
    }
    lab.end().await;
}

#[tokio::test]
async fn the_end_of_input_is_typed_into_a_terminal() {
    let lab = Lab::new().await;
    let mut session = lab.exec(true, &["cat"]).await;
    typed(&session, "half a line").await;
    send(&session, Input::Eof).await;
    let (stdout, _, last) = rest(&mut session).await;
    assert!(String::from_utf8_lossy(&stdout).contains("half a line"));
    assert!(matches!(last, Output::Exit(0)), "{last:?}");
    lab.end().await;
}

#[tokio::test]
async fn without_v5_the_end_of_input_is_a_warning_and_output_continues() {
    let lab = Lab::new().await;
    lab.sim.faults().only_v4_exec(true);
    let mut session = lab.exec(false, &["cat"]).await;
    typed(&session, "one\n").await;
    output_with(&mut session, "one").await;
    send(&session, Input::Eof).await;
    match next(&mut session).await {
        Some(Output::Warning(error)) => assert!(is_failure(&error, &Failure::NoEndOfInput), "{error}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(lab.sim.open_execs(), 1);
    drop(session);
    until("cat is gone", || lab.sim.open_execs() == 0).await;
    lab.end().await;
}

#[tokio::test]
async fn a_dropped_session_ends_the_command() {
    let lab = Lab::new().await;
    let commands: [(bool, &[&str], &str); 5] = [
        (true, &["/bin/sh"], ""),
        (true, &["/bin/sh"], "echo half"),
        (true, &["/bin/sh"], "sleep 1000\n"),
        (true, &["/bin/sh"], "yes\n"),
        (false, &["cat"], "x"),
    ];
    for v4 in [false, true] {
        lab.sim.faults().only_v4_exec(v4);
        for (tty, command, input) in commands {
            let session = lab.exec(tty, command).await;
            typed(&session, input).await;
            until("it runs", || lab.sim.open_execs() == 1).await;
            drop(session);
            until("it is gone", || lab.sim.open_execs() == 0).await;
        }
    }
    lab.end().await;
}

#[tokio::test]
async fn a_command_that_cannot_run_has_errors_of_its_own() {
    let lab = Lab::new().await;
    lab.sim.run_pod("shop", "two", &["a", "b"]);
    lab.sim.run_pod("shop", "bare", &["distroless"]);
    lab.sim.run_pod("shop", "done", &["main"]);
    lab.sim.end_container("shop", "done", "main", 1);
    lab.sim.put(json!({"kind": "Pod", "metadata": {"namespace": "shop", "name": "new"}, "spec": {"containers": [{"name": "main"}]},
        "status": {"phase": "Pending"}}));
    let fails = async |pod: &str, container: Option<&str>| {
        let options = Options {
            container: container.map(str::to_owned),
            ..options(false, &["sh"])
        };
        lab.cluster.exec("shop", pod, options).await.expect_err(pod)
    };
    assert!(
        matches!(fails("gone", None).await, Error::PodNotFound(text) if text.contains("gone") && text.contains("`prod`"))
    );
    assert!(matches!(fails("web", Some("x")).await, Error::ContainerNotFound(text) if text.contains("`main`")));
    assert!(matches!(fails("two", None).await, Error::Invalid(text) if text.contains("`a`, `b`")));
    assert!(matches!(fails("done", None).await, Error::Conflict(text) if text.contains("code 1")));
    assert!(matches!(fails("new", None).await, Error::Conflict(text) if text.contains("not started")));
    for tty in [false, true] {
        let mut session = lab
            .cluster
            .exec("shop", "bare", options(tty, &["/bin/sh"]))
            .await
            .unwrap();
        match rest(&mut session).await.2 {
            Output::Failed(Error::NoExecutable(text)) => {
                assert!(text.contains("`/bin/sh`") && text.contains("`distroless`"), "{text}")
            }
            other => panic!("{other:?}"),
        }
    }
    lab.end().await;
}

/// A WebSocket is a GET, and API servers before 1.35 check `get` only: a caller who may not create
/// is refused on every version.
#[tokio::test]
async fn who_may_not_create_pods_exec_is_refused_before_the_upgrade() {
    let lab = Lab::of("viewer").await;
    lab.sim.run_pod("staging", "web", &["main"]);
    match lab.cluster.exec("staging", "web", options(true, &["sh"])).await {
        Err(Error::Forbidden(text)) => {
            for part in ["create pods/exec", "`staging`", "`prod`"] {
                assert!(text.contains(part), "{text}");
            }
        }
        other => panic!("{other:?}"),
    }
    let asked = lab
        .sim
        .requests()
        .iter()
        .filter(|request| request.path.ends_with("/exec"))
        .count();
    assert_eq!(asked, 0);
    lab.end().await;
}

#[tokio::test]
async fn a_review_without_an_answer_counts_as_not_allowed() {
    let lab = Lab::new().await;
    lab.sim.faults().fail_requests("selfsubjectaccessreviews", 500, 1);
    let refused = lab.cluster.exec("shop", "web", options(true, &["sh"])).await;
    assert!(
        matches!(
            &refused,
            Err(Error::Upstream {
                failure: Failure::Status { status: 500, .. },
                ..
            })
        ),
        "{refused:?}"
    );
    let session = lab.exec(true, &["sh"]).await;
    drop(session);
    lab.end().await;
}

#[tokio::test]
async fn a_connection_that_breaks_and_a_cluster_that_is_removed_end_it() {
    let lab = Lab::new().await;
    let mut session = lab.exec(true, &["/bin/sh"]).await;
    typed(&session, "echo up\n").await;
    output_with(&mut session, "up\r\n").await;
    lab.sim.faults().cut_execs();
    match rest(&mut session).await.2 {
        Output::Failed(Error::Upstream {
            what,
            failure: Failure::BrokeOff { .. },
        }) => assert!(what.contains("shop/web"), "{what}"),
        other => panic!("{other:?}"),
    }
    let mut session = lab.exec(true, &["/bin/sh"]).await;
    lab.registry.remove(ID).await;
    match rest(&mut session).await.2 {
        Output::Failed(error) => {
            assert!(is_failure(&error, &Failure::Removed(RemovalReason::Removed)), "{error}");
        }
        other => panic!("{other:?}"),
    }
    lab.end().await;
}

#[tokio::test]
async fn a_connection_that_falls_silent_is_given_up_and_a_quiet_one_is_not() {
    let sim = Sim::start(world::options()).await.unwrap();
    let proxy = Proxy::start(&sim).await;
    let kubeconfig = proxy.kubeconfig(&sim);
    let policy = Policy {
        stream_silence: Duration::from_secs(1),
        ..policy()
    };
    let lab = Lab::with(sim, &kubeconfig, policy);
    let mut session = lab.exec(false, &["cat"]).await;
    let quiet = timeout(Duration::from_secs(3), session.output.recv()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    typed(&session, "on\n").await;
    output_with(&mut session, "on\n").await;
    proxy.stall();
    typed(&session, "lost\n").await;
    match rest(&mut session).await.2 {
        Output::Failed(Error::Timeout(text)) => assert!(text.contains("no longer answers"), "{text}"),
        other => panic!("{other:?}"),
    }
    drop((session, proxy));
    lab.end().await;
}
