//! `pods/exec` over WebSocket, with the API server's subprotocols `v5.channel.k8s.io` and
//! `v4.channel.k8s.io`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use crate::call::Call;
use crate::containers::{self, Container};
use crate::runtime::Run;
use crate::shell::{self, Output, Size, StartError, Streams};
use crate::state::State;
use crate::status::Failure;

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const ERROR: u8 = 3;
const RESIZE: u8 = 4;
/// The channel of messages whose payload is the number of the channel that the sender closes (v5).
const CLOSE: u8 = 255;

const V5: &str = "v5.channel.k8s.io";
const V4: &str = "v4.channel.k8s.io";

/// The most messages that may wait for the command, and the most that may wait for the client.
const QUEUE: usize = 8;

/// The most bytes of one message from the client.
const MAX_MESSAGE: usize = 4 << 20;

/// How long a command may run after its client has gone and its input has ended.
const ORPHAN_TIMEOUT: Duration = Duration::from_secs(1);

/// The exit status of a command whose container has ended (SIGKILL).
const KILLED: i32 = 137;

/// How long to wait for the client's close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Answers an exec request with a WebSocket, or with an error as an HTTP status.
pub(crate) async fn route(call: Call) -> Response {
    let exec = match Exec::parse(&call) {
        Ok(exec) => exec,
        Err(response) => return *response,
    };
    let state = call.state.clone();
    let (mut parts, _) = call.request.into_parts();
    let Ok(upgrade) = WebSocketUpgrade::from_request_parts(&mut parts, &()).await else {
        return Failure::bad_request("Upgrade request required").into_response();
    };
    let offered = parts.headers.contains_key(header::SEC_WEBSOCKET_PROTOCOL);
    let known: &[&'static str] = if state.faults.exec_is_v4() { &[V4] } else { &[V5, V4] };
    let upgrade = upgrade
        .protocols(known.iter().copied())
        .max_message_size(MAX_MESSAGE)
        .max_frame_size(MAX_MESSAGE);
    if offered && upgrade.selected_protocol().is_none() {
        return StatusCode::FORBIDDEN.into_response();
    }
    upgrade.on_upgrade(move |socket| async move {
        let _open = state.execs.open();
        Box::pin(serve(socket, exec, &state)).await;
    })
}

/// A valid request.
struct Exec {
    container: shell::Container,
    /// The container's current run. The command ends when the run does.
    run: Arc<Run>,
    command: Vec<String>,
    stdin: bool,
    stdout: bool,
    stderr: bool,
    tty: bool,
}

impl Exec {
    fn parse(call: &Call) -> Result<Exec, Box<Response>> {
        let refuse = |failure: Failure| Box::new(failure.into_response());
        // The kubelet's errors come without a Status.
        let plain = |code, text: String| Box::new((code, text).into_response());
        let pod = containers::pod(call).map_err(refuse)?;
        let container = containers::choose(pod, call.query.get("container")).map_err(refuse)?;
        if container.node().is_empty() {
            let message = format!("pod {} does not have a host assigned", container.pod_name());
            return Err(refuse(Failure::bad_request(message)));
        }
        if !upgrades(call) {
            return Err(refuse(Failure::bad_request("Upgrade request required")));
        }
        let flag = |name| call.query.flag(name);
        let (stdin, stdout, stderr) = (flag("stdin"), flag("stdout"), flag("stderr"));
        if !(stdin || stdout || stderr) {
            let text = "you must specify at least 1 of stdin, stdout, stderr".to_owned();
            return Err(plain(StatusCode::BAD_REQUEST, text));
        }
        let Some(run) = container.running_run(&call.state) else {
            let text = format!("container not found (\"{}\")", container.name);
            return Err(plain(StatusCode::INTERNAL_SERVER_ERROR, text));
        };
        Ok(Exec {
            container: shell_container(&container),
            run,
            command: call.query.all("command").map(str::to_owned).collect(),
            stdin,
            stdout,
            stderr,
            tty: flag("tty"),
        })
    }
}

fn upgrades(call: &Call) -> bool {
    call.header(header::UPGRADE).eq_ignore_ascii_case("websocket")
}

/// Builds the shell's container from the names, variables and command line of the pod's spec.
fn shell_container(container: &Container) -> shell::Container {
    let spec = container.spec().cloned().unwrap_or_default();
    let strings = |key: &str| -> Vec<String> {
        let list = spec.get(key).and_then(Value::as_array);
        list.into_iter()
            .flatten()
            .filter_map(|it| it.as_str().map(str::to_owned))
            .collect()
    };
    let variables = spec.get("env").and_then(Value::as_array);
    let environment = variables.into_iter().flatten().filter_map(|it| {
        let (name, value) = (it.get("name")?.as_str()?, it.get("value").and_then(Value::as_str)?);
        Some((name.to_owned(), value.to_owned()))
    });
    let image = containers::text(&spec, "/image");
    let command = [strings("command"), strings("args")].concat().join(" ");
    shell::Container {
        pod: container.pod_name().to_owned(),
        command: if command.is_empty() {
            container.name.clone()
        } else {
            command
        },
        distroless: image.contains("distroless") || container.name == "distroless",
        environment: environment.collect(),
        files: vec![
            ("/etc/hostname".to_owned(), format!("{}\n", container.pod_name())),
            (
                "/etc/hosts".to_owned(),
                "127.0.0.1\tlocalhost\n::1\tlocalhost\n".to_owned(),
            ),
            (
                "/etc/os-release".to_owned(),
                "NAME=\"BusyBox\"\nID=busybox\n".to_owned(),
            ),
            ("/etc/passwd".to_owned(), "root:x:0:0:root:/root:/bin/sh\n".to_owned()),
            ("/etc/resolv.conf".to_owned(), "nameserver 10.96.0.10\n".to_owned()),
        ],
    }
}

type Sender = SplitSink<WebSocket, Message>;

async fn serve(socket: WebSocket, exec: Exec, state: &State) {
    let v5 = socket.protocol().is_some_and(|it| it == V5);
    let statuses = socket.protocol().is_some();
    let (sender, receiver) = socket.split();
    let (stdin, input) = mpsc::channel(QUEUE);
    let (written, output) = mpsc::channel(QUEUE);
    let (resize, size) = watch::channel(Size { columns: 0, rows: 0 });
    let streams = Streams {
        input: exec.stdin.then_some(input),
        output: written,
        size,
    };
    let command = async {
        tokio::select! {
            ended = shell::run(exec.container, &exec.command, exec.tty, streams) => ended,
            () = run_ended(&exec.run) => Ok(KILLED),
        }
    };
    let mut cut = state.faults.streams();
    let before = cut.borrow().cut_execs;

    let mut received = std::pin::pin!(receive(receiver, stdin, resize, v5 && !exec.tty));
    let served = async { tokio::join!(command, transmit(sender, output, exec.stdout, exec.stderr)) };
    let mut served = std::pin::pin!(served);
    let broken = async {
        tokio::select! {
            _ = cut.wait_for(|signal| signal.cut_execs > before) => {}
            () = state.stop.cancelled() => {}
        }
    };
    let mut broken = std::pin::pin!(broken);
    let ended = tokio::select! {
        biased;
        () = &mut broken => return,
        (ended, sent) = &mut served => sent.map(|sender| (ended, sender)),
        () = &mut received => {
            // The client has gone, so the command's output has no reader.
            tokio::select! {
                () = &mut broken => {}
                _ = tokio::time::timeout(ORPHAN_TIMEOUT, served) => {}
            }
            return;
        }
    };
    let Ok((ended, mut sender)) = ended else { return };
    let closing = async {
        if statuses {
            let frame = [&[ERROR], status(&ended).to_string().as_bytes()].concat();
            sender.send(Message::Binary(frame.into())).await?;
        }
        let close = CloseFrame {
            code: axum::extract::ws::close_code::NORMAL,
            reason: "".into(),
        };
        sender.send(Message::Close(Some(close))).await
    };
    let closing = async {
        if closing.await.is_ok() {
            let _ = tokio::time::timeout(CLOSE_TIMEOUT, received).await;
        }
    };
    tokio::select! {
        () = broken => {}
        () = closing => {}
    }
}

/// Completes when a container's run has ended.
async fn run_ended(run: &Run) {
    let mut changes = run.changes();
    while run.exit().is_none() {
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// Sends the command's output as fast as the client reads it, until the command closes it.
async fn transmit(
    mut sender: Sender,
    mut output: mpsc::Receiver<Output>,
    stdout: bool,
    stderr: bool,
) -> Result<Sender, axum::Error> {
    // The API server starts with an empty message on standard output.
    sender.send(Message::Binary(Bytes::from_static(&[STDOUT]))).await?;
    while let Some(output) = output.recv().await {
        let (channel, wanted, bytes) = match output {
            Output::Stdout(bytes) => (STDOUT, stdout, bytes),
            Output::Stderr(bytes) => (STDERR, stderr, bytes),
        };
        if wanted {
            sender
                .send(Message::Binary([&[channel], bytes.as_ref()].concat().into()))
                .await?;
        }
    }
    Ok(sender)
}

/// Handles the client's messages until it closes the connection or is gone. Then ends the input.
async fn receive(
    mut receiver: SplitStream<WebSocket>,
    stdin: mpsc::Sender<Bytes>,
    resize: watch::Sender<Size>,
    closes: bool,
) {
    let mut stdin = Some(stdin);
    while let Some(Ok(message)) = receiver.next().await {
        let mut bytes = match message {
            Message::Binary(bytes) => bytes,
            Message::Text(text) => Bytes::from(text),
            Message::Close(_) => break,
            Message::Ping(_) | Message::Pong(_) => continue,
        };
        if bytes.is_empty() {
            continue;
        }
        let channel = bytes.split_to(1);
        match channel.first().copied() {
            Some(STDIN) if !bytes.is_empty() => {
                if let Some(stdin) = &stdin {
                    // If the command has ended or takes no input, the bytes are lost, as in a
                    // closed pipe.
                    let _ = stdin.send(bytes).await;
                }
            }
            Some(RESIZE) => {
                if let Ok(size) = serde_json::from_slice::<Resize>(&bytes) {
                    resize.send_replace(Size {
                        columns: size.width,
                        rows: size.height,
                    });
                }
            }
            Some(CLOSE) if closes && bytes.first() == Some(&STDIN) => stdin = None,
            _ => {}
        }
    }
}

/// A terminal's size, as client-go serialises `TerminalSize`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Resize {
    width: u16,
    height: u16,
}

/// Builds the Status of the error channel, which says how the command ended or why it could not be
/// started.
fn status(ended: &Result<i32, StartError>) -> Value {
    match ended {
        Ok(0) => json!({"metadata": {}, "status": "Success"}),
        Ok(code) => json!({"metadata": {}, "status": "Failure",
            "message": format!("command terminated with non-zero exit code: command terminated with exit code {code}"),
            "reason": "NonZeroExitCode",
            "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]}}),
        Err(error) => {
            let id = crate::names::container_id();
            let cause = format!(
                "Internal error occurred: error executing command in container: failed to exec in container: failed to \
                 start exec \"{id}\": OCI runtime exec failed: {error}: unknown"
            );
            json!({"metadata": {}, "status": "Failure", "message": format!("Internal error occurred: {cause}"),
                "reason": "InternalError", "details": {"causes": [{"message": cause}]}, "code": 500})
        }
    }
}
