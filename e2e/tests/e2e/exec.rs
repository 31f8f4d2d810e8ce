//! Terminals.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Got, Lab, Server, Socket, pod, shell_pod, until};

/// A bound far below the two minutes of silence after which a client counts as gone: these tests
/// must see the connection's end itself.
const LINGERS: Duration = Duration::from_secs(45);

fn exit_code(frames: &[Value]) -> Option<i64> {
    frames
        .iter()
        .find(|frame| frame["type"] == "exit")
        .and_then(|frame| frame["code"].as_i64())
}

/// Returns the bytes that the process wrote to a stream (`""` is standard output).
fn written(frames: &[Value], stream: &str) -> String {
    frames
        .iter()
        .filter(|frame| {
            frame["type"] == "output" && frame["stream"].as_str().unwrap_or("").trim_start_matches("stdout") == stream
        })
        .map(|frame| frame["data"].as_str().unwrap())
        .collect()
}

/// Makes the shell wait until its terminal has this size: a node handles sizes and input
/// independently.
async fn has_size(socket: &mut Socket, size: &str) {
    let wait = format!("until [ \"$(stty size)\" = '{size}' ]; do sleep 0.1; done; echo \"$(stty size)\" it is\n");
    socket.send(json!({"type": "input", "data": wait})).await;
    socket
        .output_until(|all| all.contains(&format!("{size} it is\r\n")))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn a_terminal_echoes_resizes_and_exits() {
    let lab = Lab::new("terminal").await;
    let server = Server::start().await;
    lab.run(shell_pod("box")).await;
    let mut socket = server.socket(&lab.namespace, "box", "exec").await;
    // Sent before the shell can run; it applies once it does.
    socket.send(json!({"type": "resize", "cols": 101, "rows": 37})).await;
    socket.output_until(|all| all.contains('#') || all.contains('$')).await;
    has_size(&mut socket, "37 101").await;
    socket
        .send(json!({"type": "input", "data": "echo $((40+2)) ü\n"}))
        .await;
    socket.output_until(|all| all.contains("42 ü\r\n")).await;
    socket.send(json!({"type": "resize", "cols": 80, "rows": 24})).await;
    has_size(&mut socket, "24 80").await;
    socket.send(json!({"type": "ping"})).await;
    socket.frame("pong").await;
    socket.send(json!({"type": "nonsense"})).await;
    loop {
        match socket.next().await {
            Got::Frame(frame) if frame["type"] == "error" => break assert_eq!(frame["code"], 400_002),
            Got::Frame(_) => {}
            Got::Closed(code) => panic!("a malformed frame closed the terminal with {code}"),
        }
    }
    socket.send(json!({"type": "input", "data": "exit 7\n"})).await;
    let (frames, code) = socket.rest().await;
    assert_eq!((exit_code(&frames), code), (Some(7), 1000));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn without_a_tty_the_streams_are_separate_and_the_end_of_input_arrives() {
    let lab = Lab::new("pipes").await;
    let server = Server::start().await;
    lab.run(shell_pod("box")).await;

    let command = "exec?tty=false&command=sh&command=-c&command=echo+out%3B+echo+err+%3E%262%3B+exit+3";
    let (frames, code) = server.socket(&lab.namespace, "box", command).await.rest().await;
    assert_eq!((exit_code(&frames), code), (Some(3), 1000));
    assert_eq!(
        (written(&frames, ""), written(&frames, "stderr")),
        ("out\n".to_owned(), "err\n".to_owned())
    );

    // 100 kB come back whole, and the end of input ends the reader after its output.
    let mut socket = server.socket(&lab.namespace, "box", "exec?tty=false&command=cat").await;
    let text: String = (0..10_000).map(|n| format!("{n:09}\n")).collect();
    for part in text.as_bytes().chunks(16_000) {
        socket.send_binary(part).await;
    }
    socket.send(json!({"type": "eof"})).await;
    let (frames, _) = socket.rest().await;
    assert_eq!(exit_code(&frames), Some(0));
    assert!(written(&frames, "") == text);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn a_large_paste_into_a_raw_terminal_comes_whole() {
    let lab = Lab::new("paste").await;
    let server = Server::start().await;
    lab.run(shell_pod("box")).await;
    let command =
        "exec?command=sh&command=-c&command=stty+raw+-echo%3B+echo+ready%3B+head+-c+100000+%7C+md5sum%3B+echo+done";
    let mut socket = server.socket(&lab.namespace, "box", command).await;
    socket.output_until(|all| all.contains("ready")).await;
    socket.send(json!({"type": "input", "data": "x".repeat(100_000)})).await;
    let all = socket.output_until(|all| all.contains("done")).await;
    assert!(all.contains(&md5_of_x(&lab).await), "{all}");
}

/// Returns the checksum that the container computes of the same 100,000 bytes.
async fn md5_of_x(lab: &Lab) -> String {
    lab.create(pod(
        "sum",
        &[("main", "head -c 100000 /dev/zero | tr '\\0' x | md5sum | cut -c1-32")],
    ))
    .await;
    lab.wait_ended("sum").await;
    String::from_utf8(lab.log("sum", "").await).unwrap().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn a_command_that_cannot_run_says_why() {
    let lab = Lab::new("refused").await;
    let server = Server::start().await;
    lab.run(shell_pod("box")).await;
    let mut bare = shell_pod("bare");
    bare["spec"]["containers"][0]["image"] = std::env::var("E2E_DISTROLESS_IMAGE")
        .unwrap_or_else(|_| "kubelab/distroless:1".to_owned())
        .into();
    bare["spec"]["containers"][0]["command"] = json!(["/bin/sleep", "inf"]);
    lab.run(bare).await;
    lab.create(pod("over", &[("main", "exit 0")])).await;
    lab.wait_ended("over").await;

    for (pod, query, expected) in [
        ("bare", "exec", 409_002),
        ("bare", "exec?tty=false", 409_002),
        ("box", "exec?command=/no/such", 409_002),
        ("box", "exec?container=none", 404_003),
        ("none", "exec", 404_001),
        ("over", "exec", 409_001),
        ("box", "exec?tty=perhaps", 400_001),
    ] {
        let (frames, close) = server.socket(&lab.namespace, pod, query).await.rest().await;
        let error = frames
            .iter()
            .find(|frame| frame["type"] == "error")
            .unwrap_or_else(|| panic!("{pod} {query}: {frames:?}"));
        assert_eq!(error["code"], expected, "{pod} {query}: {error}");
        assert_eq!(i64::from(close), 4000 + expected / 1000, "{pod} {query}");
    }
}

/// Returns whether a process with this command line runs in the container.
async fn runs(server: &Server, lab: &Lab, line: &str) -> bool {
    let (frames, _) = server
        .socket(
            &lab.namespace,
            "box",
            "exec?tty=false&command=ps&command=-o&command=args",
        )
        .await
        .rest()
        .await;
    written(&frames, "").lines().any(|args| args.trim() == line)
}

async fn leaves_nothing_behind(lab: &Lab, server: &Server, socket: Socket, line: &str) {
    until("it runs", || async { runs(server, lab, line).await.then_some(()) }).await;
    socket.vanish();
    let gone = tokio::time::Instant::now() + LINGERS;
    while runs(server, lab, line).await {
        assert!(
            tokio::time::Instant::now() < gone,
            "`{line}` outlives its client by more than {LINGERS:?}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn an_idle_shell_and_a_waiting_reader_end_with_their_client() {
    let lab = Lab::new("leave").await;
    let server = Server::start().await;
    lab.run(shell_pod("box")).await;
    let mut shell = server
        .socket(&lab.namespace, "box", "exec?command=/bin/sh&command=-i")
        .await;
    shell.output_until(|all| all.contains('#') || all.contains('$')).await;
    leaves_nothing_behind(&lab, &server, shell, "/bin/sh -i").await;
    let reader = server.socket(&lab.namespace, "box", "exec?tty=false&command=cat").await;
    leaves_nothing_behind(&lab, &server, reader, "cat").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn a_pod_deleted_under_a_terminal_ends_it() {
    let lab = Lab::new("under").await;
    let server = Server::start().await;
    lab.run(shell_pod("box")).await;
    let mut socket = server.socket(&lab.namespace, "box", "exec").await;
    socket.output_until(|all| all.contains('#') || all.contains('$')).await;
    lab.delete_now("box").await;
    let (frames, code) = socket.rest().await;
    let explained = frames
        .iter()
        .any(|frame| frame["type"] == "exit" || frame["type"] == "error");
    assert!(explained && (code == 1000 || code > 4000), "{frames:?} {code}");
}
