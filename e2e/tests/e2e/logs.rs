//! Logs as the cluster holds them.

use http::{Method, StatusCode};
use sha2::{Digest, Sha256};

use crate::support::{Lab, Server, pod, shell_pod};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn a_log_comes_as_the_cluster_holds_it() {
    let lab = Lab::new("logs").await;
    let server = Server::start().await;
    let script = r#"printf 'one\n\n\033[32mgreen\033[0m \303\274\n'; printf '\377\376bad\n'; printf last"#;
    lab.create(pod("speaks", &[("main", script), ("other", "echo other")]))
        .await;
    lab.wait_ended("speaks").await;
    let path = format!("{}/logs", server.pod(&lab.namespace, "speaks"));

    let (code, message) = server.refused(Method::GET, &path, None).await;
    assert_eq!(code, 400_001);
    assert!(message.contains("main") && message.contains("other"), "{message}");
    let log = server.get(&format!("{path}?container=main")).await;
    assert_eq!(
        log["logs"],
        "one\n\n\u{1b}[32mgreen\u{1b}[0m ü\n\u{fffd}\u{fffd}bad\nlast"
    );
    let log = server.get(&format!("{path}?container=main&tailLines=1")).await;
    assert_eq!(log["logs"], "last");
    let log = server.get(&format!("{path}?container=other&timestamps=true")).await;
    assert!(
        log["logs"].as_str().unwrap().starts_with("20") && log["logs"].as_str().unwrap().ends_with(" other\n"),
        "{log}"
    );
    let (code, message) = server
        .refused(Method::GET, &format!("{path}?container=none"), None)
        .await;
    assert_eq!(code, 404_003);
    assert!(message.contains("main") && message.contains("other"), "{message}");
    let (code, _) = server
        .refused(Method::GET, &format!("{path}?container=main&previous=true"), None)
        .await;
    assert_eq!(code, 409_001);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn a_previous_run_keeps_its_log() {
    let lab = Lab::new("previous").await;
    let server = Server::start().await;
    let mut crashes = pod(
        "crashes",
        &[("main", "echo run $(cat /proc/self/stat | cut -d' ' -f1); exit 4")],
    );
    crashes["spec"]["restartPolicy"] = "Always".into();
    lab.create(crashes).await;
    lab.wait("crashes", "has restarted", |pod| {
        (pod.status.as_ref()?.container_statuses.as_ref()?[0].restart_count > 0).then_some(())
    })
    .await;
    let path = format!("{}/logs?previous=true", server.pod(&lab.namespace, "crashes"));
    assert!(server.get(&path).await["logs"].as_str().unwrap().starts_with("run "));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn a_container_that_never_started_has_no_log() {
    let lab = Lab::new("unstarted").await;
    let server = Server::start().await;
    let mut unscheduled = shell_pod("unscheduled");
    unscheduled["spec"]["nodeSelector"] = serde_json::json!({"no": "such-node"});
    lab.create(unscheduled).await;
    let (code, message) = server
        .refused(
            Method::GET,
            &format!("{}/logs", server.pod(&lab.namespace, "unscheduled")),
            None,
        )
        .await;
    assert_eq!(code, 409_001, "{message}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn a_large_log_is_whole_as_text_and_honest_as_json() {
    let lab = Lab::new("large").await;
    let server = Server::start().await;
    let script = "yes 'a line of some forty characters, or so, of text' | head -n 450000 | cat -n";
    lab.create(pod("large", &[("main", script)])).await;
    lab.wait_ended("large").await;
    let path = format!("{}/logs", server.pod(&lab.namespace, "large"));
    let direct = lab.log("large", "").await;
    assert!(direct.len() > 20_000_000, "{}", direct.len());

    let response = server.raw(&path, "text/plain").await;
    assert_eq!(response.status(), StatusCode::OK);
    let through = response.bytes().await.unwrap();
    assert_eq!(Sha256::digest(&through), Sha256::digest(&direct));

    let log = server.get(&path).await;
    let text = log["logs"].as_str().unwrap();
    assert_eq!(log["truncated"], true);
    assert!(text.len() <= 10 << 20 && text.len() > (10 << 20) - 100);
    assert!(direct.ends_with(text.as_bytes()), "the last lines");
    assert_eq!(direct[direct.len() - text.len() - 1], b'\n', "whole lines");

    let download = server.raw(&format!("{path}?download=true&tailLines=3"), "*/*").await;
    assert!(
        download.headers()["content-disposition"]
            .to_str()
            .unwrap()
            .starts_with("attachment")
    );
    assert_eq!(download.text().await.unwrap().lines().count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn a_debug_container_has_a_log() {
    let lab = Lab::new("debug").await;
    let server = Server::start().await;
    lab.run(shell_pod("target")).await;
    let image = std::env::var("E2E_IMAGE").unwrap_or_else(|_| "kubelab/busybox:1".to_owned());
    let patch = serde_json::json!({"spec": {"ephemeralContainers": [
        {"name": "debugger", "image": image, "imagePullPolicy": "IfNotPresent", "command": ["sh", "-c", "echo debugging"]}]}});
    lab.pods()
        .patch_subresource(
            "ephemeralcontainers",
            "target",
            &Default::default(),
            &kube::api::Patch::Strategic(patch),
        )
        .await
        .unwrap();
    lab.wait("target", "has run its debugger", |pod| {
        let statuses = pod.status.as_ref()?.ephemeral_container_statuses.as_ref()?;
        statuses[0].state.as_ref()?.terminated.as_ref().map(|_| ())
    })
    .await;
    let path = format!("{}/logs?container=debugger", server.pod(&lab.namespace, "target"));
    assert_eq!(server.get(&path).await["logs"], "debugging\n");

    let mut socket = server.socket(&lab.namespace, "target", "logs").await;
    socket
        .send(serde_json::json!({"type": "subscribe", "container": "debugger", "timestamps": false}))
        .await;
    assert_eq!(socket.frame("log").await["data"], "debugging");
}
