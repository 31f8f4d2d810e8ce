//! Log streams.

use serde_json::{Value, json};

use crate::support::{Got, Lab, Server, Socket, pod, shell_pod, until};

/// Reads frames until one satisfies `last`. Returns all frames, in order.
pub(crate) async fn frames_until(socket: &mut Socket, last: impl Fn(&Value) -> bool) -> Vec<Value> {
    let mut frames = Vec::new();
    loop {
        match socket.next().await {
            Got::Frame(frame) => {
                let done = last(&frame);
                frames.push(frame);
                if done {
                    return frames;
                }
            }
            Got::Closed(code) => panic!("closed with {code} after {:?}", frames.last()),
        }
    }
}

/// Returns the lines of `log` and `logs` frames.
pub(crate) fn lines(frames: &[Value]) -> Vec<&str> {
    frames
        .iter()
        .flat_map(|frame| match frame["type"].as_str() {
            Some("log") => vec![frame["data"].as_str().unwrap()],
            Some("logs") => frame["lines"]
                .as_array()
                .unwrap()
                .iter()
                .map(|line| line.as_str().unwrap())
                .collect(),
            _ => Vec::new(),
        })
        .collect()
}

/// Returns whether a frame is a `log` with this text.
fn says(frame: &Value, text: &str) -> bool {
    frame["type"] == "log" && frame["data"].as_str().is_some_and(|data| data.ends_with(text))
}

/// Starts a pod that logs ever higher numbers.
pub(crate) fn counter(name: &str) -> Value {
    pod(
        name,
        &[(
            "main",
            "trap 'exit 0' TERM; i=0; while :; do i=$((i+1)); echo n $i; sleep 0.02; done",
        )],
    )
}

/// Creates the file that a container's script waits for.
async fn touch_go(server: &Server, lab: &Lab, pod: &str) {
    let touch = "exec?tty=false&command=touch&command=/tmp/go";
    let (frames, _) = server.socket(&lab.namespace, pod, touch).await.rest().await;
    assert_eq!(frames.last().unwrap()["code"], 0, "{frames:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn a_log_without_follow_ends_after_its_last_line() {
    let lab = Lab::new("whole").await;
    let server = Server::start().await;
    lab.create(pod("done", &[("main", "seq 1 500"), ("side", "echo aside")]))
        .await;
    lab.wait_ended("done").await;

    let mut socket = server.socket(&lab.namespace, "done", "logs").await;
    socket
        .send(json!({"type": "subscribe", "container": "main", "follow": false, "timestamps": false}))
        .await;
    let (frames, code) = socket.rest().await;
    assert_eq!(
        (&frames[0]["type"], &frames[0]["containers"]),
        (&"subscribed".into(), &json!(["main"]))
    );
    let expected: Vec<String> = (1..=500).map(|n| n.to_string()).collect();
    assert_eq!(lines(&frames), expected);
    assert_eq!((&frames.last().unwrap()["type"], code), (&"end".into(), 1000));

    let mut socket = server.socket(&lab.namespace, "done", "logs").await;
    socket
        .send(json!({"type": "subscribe", "containers": ["*"], "tailLines": 2, "batch": true}))
        .await;
    let (frames, _) = socket.rest().await;
    let of = |name: &str| {
        lines(
            &frames
                .iter()
                .filter(|f| f["container"] == name)
                .cloned()
                .collect::<Vec<_>>(),
        )
        .len()
    };
    assert_eq!((of("main"), of("side")), (2, 1));
    let first = lines(&frames)[0];
    assert!(
        first.as_bytes()[10] == b'T' && first.split(' ').next().unwrap().ends_with('Z'),
        "{first}"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn a_restart_during_a_follow_is_reported_and_no_line_is_lost() {
    let lab = Lab::new("restart").await;
    let server = Server::start().await;
    // Each run ends when its file is created.
    let script =
        "for i in $(seq 1 200); do echo n $i; done; while [ ! -e /tmp/go ]; do sleep 0.1; done; echo last; exit 1";
    let mut restarts = pod("again", &[("main", script)]);
    restarts["spec"]["restartPolicy"] = "Always".into();
    lab.run(restarts).await;
    let mut socket = server.socket(&lab.namespace, "again", "logs").await;
    socket
        .send(json!({"type": "subscribe", "follow": true, "timestamps": false}))
        .await;
    let mut first = frames_until(&mut socket, |frame| says(frame, "n 200")).await;
    touch_go(&server, &lab, "again").await;
    first.extend(frames_until(&mut socket, |frame| frame["type"] == "restarted").await);
    assert_eq!(first.last().unwrap()["restartCount"], 1);
    let mut second = frames_until(&mut socket, |frame| says(frame, "n 200")).await;
    touch_go(&server, &lab, "again").await;
    second.extend(frames_until(&mut socket, |frame| says(frame, "last")).await);
    let run: Vec<String> = (1..=200).map(|i| format!("n {i}")).chain(["last".to_owned()]).collect();
    assert_eq!(lines(&first), run);
    assert_eq!(lines(&second), run);
    assert!(!first.iter().chain(&second).any(|frame| frame["type"] == "gap"));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn a_pod_deleted_or_replaced_under_a_follow_ends_it() {
    let lab = Lab::new("gone").await;
    let server = Server::start().await;
    lab.run(counter("gone")).await;
    let mut socket = server.socket(&lab.namespace, "gone", "logs").await;
    socket
        .send(json!({"type": "subscribe", "follow": true, "timestamps": false}))
        .await;
    frames_until(&mut socket, |frame| says(frame, "n 5")).await;
    lab.delete_now("gone").await;
    // The successor has the same name and other lines.
    lab.wait_gone("gone").await;
    lab.run(pod("gone", &[("main", "while :; do echo successor; sleep 1; done")]))
        .await;
    let (frames, code) = socket.rest().await;
    assert_eq!((&frames.last().unwrap()["type"], code), (&"end".into(), 1000));
    assert!(!lines(&frames).contains(&"successor"));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn a_follow_continues_across_a_rotation() {
    let lab = Lab::new("rotation").await;
    let server = Server::start().await;
    // 60 MB, which the node rotates at 50 MiB. It starts counting only on request, because a
    // kubelet may itself skip lines of a file that it rotates while it is being written.
    let script = "trap 'exit 0' TERM; echo begin; head -c 60000000 /dev/zero | tr '\\0' x | fold -w 1000; echo; echo full; \
        while [ ! -e /tmp/go ]; do sleep 0.1; done; i=0; while :; do i=$((i+1)); echo n $i; sleep 0.02; done";
    lab.run(pod("turns", &[("main", script)])).await;
    let mut socket = server.socket(&lab.namespace, "turns", "logs").await;
    socket
        .send(json!({"type": "subscribe", "follow": true, "timestamps": false, "batch": true}))
        .await;
    let holds = |frame: &Value, text: &str| {
        frame["lines"]
            .as_array()
            .is_some_and(|lines| lines.iter().any(|line| line == text))
    };
    frames_until(&mut socket, |frame| holds(frame, "full")).await;
    // A direct read holds the newest file only; on a slow node that is one from the middle of the
    // writing.
    until("the log is rotated", || async {
        (lab.log("turns", "limitBytes=5").await != b"begin").then_some(())
    })
    .await;
    touch_go(&server, &lab, "turns").await;
    let frames = frames_until(&mut socket, |frame| holds(frame, "n 300")).await;
    let counted: Vec<u64> = lines(&frames)
        .iter()
        .filter_map(|line| line.strip_prefix("n ")?.parse().ok())
        .collect();
    assert_eq!(
        counted,
        (1..=*counted.last().unwrap()).collect::<Vec<_>>(),
        "every line once"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn a_log_out_ends_open_streams() {
    let lab = Lab::new("revoked").await;
    let server = Server::start().await;
    lab.run(counter("talks")).await;
    lab.run(shell_pod("box")).await;
    let mut logs = server.socket(&lab.namespace, "talks", "logs").await;
    logs.send(json!({"type": "subscribe", "follow": true})).await;
    logs.frame("log").await;
    let mut shell = server.socket(&lab.namespace, "box", "exec").await;
    shell.frame("output").await;
    server.ok(http::Method::POST, "/api/auth/logout", None).await;
    assert_eq!(logs.rest().await.1, 4401);
    assert_eq!(shell.rest().await.1, 4401);
    assert_eq!(server.refused(http::Method::GET, "/api/auth/me", None).await.0, 401_003);
}
