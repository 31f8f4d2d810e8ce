//! Plug-ins and files of a source, as a shared client reads them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{fs, path::Path, time::Duration};

use serde_json::json;

use super::*;

/// Returns a source whose plug-in runs a script in `folder`.
fn source(folder: &Path, script: &str) -> Source {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let exec = json!({"apiVersion": "client.authentication.k8s.io/v1", "command": "sh",
        "args": ["-c", format!("cd \"$0\"; {script}"), folder], "provideClusterInfo": true});
    of_user(folder, json!({"exec": exec}))
}

fn of_user(folder: &Path, user: serde_json::Value) -> Source {
    let kubeconfig = json!({
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1", "tls-server-name": "inside"}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    });
    let file = folder.join("config");
    fs::write(&file, kubeconfig.to_string()).unwrap();
    Source::from_kubeconfig_file(&file).unwrap().remove(0).source
}

fn shared(source: Source, request_timeout: Duration) -> SharedClient {
    let mut policy = Policy {
        request_timeout,
        ..Policy::default()
    };
    policy.watch.retry_max = Duration::ZERO;
    SharedClient::new(source, "prod".to_owned(), policy)
}

/// Returns the output of a plug-in.
fn credential(status: &str) -> String {
    format!(
        "printf '{{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{status}}}'"
    )
}

/// Returns a script that records its start in `starts`, and ends when a file `go` appears.
fn waiting() -> String {
    format!(
        "echo >> starts; until [ -e go ]; do sleep 0.01; done; {}",
        credential(r#"{"token":"t"}"#)
    )
}

fn starts(folder: &Path) -> usize {
    fs::read_to_string(folder.join("starts"))
        .unwrap_or_default()
        .lines()
        .count()
}

async fn refusal(script: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(source(folder.path(), script), Duration::from_secs(60));
    shared.get().await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_plug_in_that_hangs_is_started_once_and_its_late_answer_counts() {
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(source(folder.path(), &waiting()), Duration::from_millis(200));
    for _ in 0..3 {
        assert!(matches!(shared.get().await, Err(Error::Timeout(_))));
        assert!(matches!(shared.fresh().await, Err(Error::Timeout(_))));
    }
    fs::write(folder.path().join("go"), "").unwrap();
    while shared.get().await.is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(starts(folder.path()), 1);
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_the_client_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(source(folder.path(), &waiting()), Duration::from_secs(60));
    assert!(futures_util::poll!(std::pin::pin!(shared.get())).is_pending());
    fs::write(folder.path().join("go"), "").unwrap();
    shared.get().await.unwrap();
    shared.get().await.unwrap();
    assert_eq!(starts(folder.path()), 1);
    shared.fresh().await.unwrap();
    assert_eq!(starts(folder.path()), 2);
}

/// Waits until a plug-in has written its process ID, and returns it.
async fn process(folder: &Path) -> rustix::process::Pid {
    loop {
        let text = fs::read_to_string(folder.join("process")).unwrap_or_default();
        if let Ok(number) = text.trim().parse() {
            return rustix::process::Pid::from_raw(number).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until no process runs under an ID. A process that ended and was not waited for counts as
/// gone, whoever its parent is now.
async fn is_gone(process: rustix::process::Pid) {
    let stat = format!("/proc/{}/stat", process.as_raw_nonzero());
    while let Ok(text) = fs::read_to_string(&stat)
        && !text.contains(") Z")
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn removing_a_cluster_ends_its_plug_in_and_the_plug_ins_children() {
    let folder = tempfile::tempdir().unwrap();
    let script = "sh -c 'echo $$ > own; mv own process; exec sleep 1000' & wait";
    let shared = shared(source(folder.path(), script), Duration::from_secs(60));
    assert!(futures_util::poll!(std::pin::pin!(shared.get())).is_pending());
    let child = process(folder.path()).await;
    drop(shared);
    is_gone(child).await;
}

#[tokio::test]
async fn a_plug_in_that_never_ends_is_killed_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let script = "echo $$ > own; mv own process; exec sleep 1000";
    let mut shared = shared(source(folder.path(), script), Duration::from_secs(60));
    shared.policy.plug_in_timeout = Duration::from_millis(300);
    let error = shared.get().await.map(drop).unwrap_err().to_string();
    assert!(error.contains("plug-in `sh` did not end within 0.3 s"), "{error}");
    is_gone(process(folder.path()).await).await;
}

#[tokio::test]
async fn a_child_left_behind_by_a_plug_in_delays_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "sh -c 'echo $$ > own; mv own process; exec sleep 1000' & until [ -e process ]; do sleep 0.01; done; {}",
        credential(r#"{"token":"t"}"#)
    );
    let shared = shared(source(folder.path(), &script), Duration::from_secs(60));
    shared.get().await.unwrap();
    is_gone(process(folder.path()).await).await;
}

#[tokio::test]
async fn a_plug_in_is_informed_and_never_asked_questions() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "printf %s \"$KUBERNETES_EXEC_INFO\" > info; cat > stdin; {}",
        credential(r#"{"token":"t"}"#)
    );
    let shared = shared(source(folder.path(), &script), Duration::from_secs(60));
    shared.get().await.unwrap();
    let info: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("info")).unwrap()).unwrap();
    assert_eq!(
        info,
        json!({"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1",
            "spec": {"interactive": false, "cluster": {"server": "https://127.0.0.1:1", "tls-server-name": "inside"}}})
    );
    assert_eq!(fs::read_to_string(folder.path().join("stdin")).unwrap(), "");
}

#[tokio::test]
async fn a_plug_ins_output_is_checked_and_not_quoted() {
    for (script, part) in [
        (credential("null"), "without a token"),
        (credential("{}"), "without a token"),
        (credential(r#"{"clientCertificateData":"secret"}"#), "without its key"),
        (credential(r#"{"token":5}"#), "not a text"),
        (credential(r#"{"token":"secret\\n"}"#), "line feed"),
        (
            credential(r#"{"token":"t","expirationTimestamp":"secret"}"#),
            "not a time",
        ),
        (
            credential(r#"{"token":"t"}"#).replace("io/v1", "io/v1beta1"),
            "whose version is not",
        ),
        ("echo secret".to_owned(), "did not print an ExecCredential"),
        ("head -c 2000000 /dev/zero".to_owned(), "more than"),
        ("echo secret >&2; exit 3".to_owned(), "exit status: 3"),
    ] {
        let error = refusal(&script).await;
        assert!(
            error.contains("cluster `prod`") && error.contains(part) && !error.contains("secret"),
            "{script}: {error}"
        );
    }
}

#[tokio::test]
async fn a_plug_in_that_is_not_there_is_named_with_its_hint() {
    let folder = tempfile::tempdir().unwrap();
    let exec = json!({"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "no-such-plug-in", "installHint": "get it there"});
    let shared = shared(of_user(folder.path(), json!({"exec": exec})), Duration::from_secs(60));
    let error = shared.get().await.map(drop).unwrap_err().to_string();
    assert!(
        error.contains("`no-such-plug-in` is not installed") && error.contains("get it there"),
        "{error}"
    );
}

#[tokio::test]
async fn a_credential_that_runs_out_is_renewed_before() {
    let folder = tempfile::tempdir().unwrap();
    let print = r#"echo >> starts; printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"t","expirationTimestamp":"%s"}}' "$(cat until)""#;
    let shared = shared(source(folder.path(), print), Duration::from_secs(60));
    let until = |seconds: i64| {
        let at = Timestamp::from_second(Timestamp::now().as_second() + seconds).unwrap();
        fs::write(folder.path().join("until"), at.to_string()).unwrap();
    };
    until(-5);
    shared.get().await.unwrap();
    until(3600);
    shared.get().await.unwrap();
    shared.get().await.unwrap();
    assert_eq!(starts(folder.path()), 2);
}

#[tokio::test]
async fn files_that_change_are_read_again_and_files_that_go_are_not_missed() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    fs::write(&token, "first\n").unwrap();
    let mut shared = shared(
        of_user(folder.path(), json!({"tokenFile": "token"})),
        Duration::from_secs(60),
    );
    assert!(bears(&shared, "first").await);
    fs::write(&token, "second\n").unwrap();
    assert!(bears(&shared, "first").await, "it is fresh");
    shared.policy.credential_fresh = Duration::ZERO;
    assert!(bears(&shared, "second").await);
    fs::remove_file(&token).unwrap();
    assert!(bears(&shared, "second").await);
    fs::write(&token, "").unwrap();
    assert!(bears(&shared, "second").await);
}

/// Returns whether a shared client sends a token.
async fn bears(shared: &SharedClient, token: &str) -> bool {
    shared.get().await.unwrap();
    let state = shared.state.lock().await;
    let (_, current) = state.last.as_ref().unwrap();
    let mut headers = current.as_ref().unwrap().loaded.headers.iter();
    headers.any(|(_, value)| value == &format!("Bearer {token}"))
}

/// A kubeconfig yields a client or a sentence, and never ends a task.
#[tokio::test]
async fn each_kubeconfig_makes_a_client_or_a_sentence() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/kubeconfig"));
    for file in ["clusters.yaml", "users.yaml", "wrong-names.yaml", "wrong-types.yaml"] {
        for context in Source::from_kubeconfig_file(&folder.join(file)).unwrap() {
            if let Err(error) = shared(context.source, Duration::from_secs(60)).get().await {
                let said = error.to_string();
                let begins = said.starts_with("preparing the connection to cluster `prod` failed: ");
                assert!(
                    begins && !said.contains("could not be read") && !said.contains("secret"),
                    "{said}"
                );
            }
        }
    }
}
