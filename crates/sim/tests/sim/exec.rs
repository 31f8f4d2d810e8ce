//! `pods/exec` over WebSocket.

use crate::client::{Api, DEADLINE, authority_pem, until};
use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

const V5: &str = "v5.channel.k8s.io";
const V4: &str = "v4.channel.k8s.io";

struct Exec {
    socket: WebSocketStream<TlsStream<TcpStream>>,
    protocol: String,
    seen: Vec<u8>,
}

/// Everything that an exec sent.
#[derive(Debug, PartialEq)]
struct End {
    out: String,
    err: String,
    status: Value,
}

/// Opens an exec, or returns the HTTP status and body of the refusal.
async fn open(api: &Api, path: &str, protocols: &str, user: &str) -> Result<Exec, (u16, String)> {
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(&authority_pem(&api.sim)).unwrap())
        .unwrap();
    let config = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(api.sim.address()).await.unwrap();
    let name = ServerName::from(api.sim.address().ip());
    let stream = tokio_rustls::TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .unwrap();
    let url = format!("wss://{}/api/v1/namespaces/{path}", api.sim.address());
    let mut request = url.into_client_request().unwrap();
    request
        .headers_mut()
        .insert("authorization", format!("Bearer {user}-token").parse().unwrap());
    if !protocols.is_empty() {
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocols.parse().unwrap());
    }
    match tokio_tungstenite::client_async(request, stream).await {
        Ok((socket, response)) => {
            let protocol = response.headers().get("sec-websocket-protocol");
            let protocol = protocol.map(|it| it.to_str().unwrap().to_owned()).unwrap_or_default();
            Ok(Exec {
                socket,
                protocol,
                seen: Vec::new(),
            })
        }
        Err(Error::Http(response)) => {
            let body = response.body().clone().unwrap_or_default();
            Err((response.status().as_u16(), String::from_utf8_lossy(&body).into_owned()))
        }
        Err(error) => panic!("{error}"),
    }
}

async fn shop() -> Api {
    let api = Api::start().await;
    api.sim.run_pod("shop", "web", &["app"]);
    api
}

async fn exec(api: &Api, query: &str) -> Exec {
    open(
        api,
        &format!("shop/pods/web/exec?{query}"),
        &format!("{V5}, {V4}"),
        "admin",
    )
    .await
    .unwrap()
}

impl Exec {
    async fn send(&mut self, channel: u8, bytes: &[u8]) {
        self.socket
            .send(Message::Binary([&[channel], bytes].concat().into()))
            .await
            .unwrap();
    }

    async fn next(&mut self) -> Option<Result<Message, Error>> {
        let next = tokio::time::timeout(DEADLINE, self.socket.next());
        next.await.expect("the exec falls silent")
    }

    /// Reads standard output until it contains `text`.
    async fn expect(&mut self, text: &str) {
        while !String::from_utf8_lossy(&self.seen).contains(text) {
            match self.next().await {
                Some(Ok(Message::Binary(bytes))) if bytes.first() == Some(&1) => {
                    self.seen.extend_from_slice(&bytes[1..])
                }
                other => panic!(
                    "{other:?} instead of {text:?} after {:?}",
                    String::from_utf8_lossy(&self.seen)
                ),
            }
        }
        self.seen.clear();
    }

    /// Reads to the close frame, which must be a normal one.
    async fn end(mut self) -> End {
        let (mut out, mut err, mut status) = (std::mem::take(&mut self.seen), Vec::new(), Value::Null);
        loop {
            match self.next().await.unwrap().unwrap() {
                Message::Binary(bytes) => match bytes.first() {
                    Some(1) => out.extend_from_slice(&bytes[1..]),
                    Some(2) => err.extend_from_slice(&bytes[1..]),
                    Some(3) => status = serde_json::from_slice(&bytes[1..]).unwrap(),
                    other => panic!("channel {other:?}"),
                },
                Message::Close(frame) => {
                    assert_eq!(frame.unwrap().code, CloseCode::Normal);
                    let (out, err) = (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap());
                    return End { out, err, status };
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

fn failure(code: i32) -> Value {
    json!({"metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
        "message": format!("command terminated with non-zero exit code: command terminated with exit code {code}"),
        "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]}})
}

fn success() -> Value {
    json!({"metadata": {}, "status": "Success"})
}

#[tokio::test]
async fn a_command_gives_its_output_and_status() {
    let api = shop().await;
    let mut run = exec(&api, "command=echo&command=hi&stdout=true&stderr=true").await;
    assert_eq!(run.protocol, V5);
    let first = run.socket.next().await.unwrap().unwrap();
    assert_eq!(
        first,
        Message::Binary(vec![1].into()),
        "the API server opens with an empty message"
    );
    assert_eq!(
        run.end().await,
        End {
            out: "hi\n".to_owned(),
            err: String::new(),
            status: success()
        }
    );
    let script = "command=sh&command=-c&command=echo%20out;%20echo%20err%20%3E%262;%20exit%207";
    let run = exec(&api, &format!("{script}&stdout=true&stderr=true")).await;
    assert_eq!(
        run.end().await,
        End {
            out: "out\n".to_owned(),
            err: "err\n".to_owned(),
            status: failure(7)
        }
    );
    let run = exec(&api, &format!("{script}&stderr=1")).await;
    assert_eq!(
        run.end().await,
        End {
            out: String::new(),
            err: "err\n".to_owned(),
            status: failure(7)
        }
    );
    until("the execs' end", || api.sim.open_execs() == 0).await;
}

#[tokio::test]
async fn a_large_paste_comes_back_whole_and_v5_closes_the_input() {
    let api = shop().await;
    let run = exec(&api, "command=cat&stdin=true&stdout=true").await;
    let pasted: String = (0..20_000).map(|at| format!("{at:05}\n")).collect();
    let (mut sender, mut receiver) = run.socket.split();
    let writer = async {
        for chunk in pasted.as_bytes().chunks(32 << 10) {
            sender
                .send(Message::Binary([&[0], chunk].concat().into()))
                .await
                .unwrap();
        }
        sender.send(Message::Binary(vec![255, 0].into())).await.unwrap();
    };
    let reader = async {
        let mut got = Vec::new();
        while let Some(Ok(Message::Binary(bytes))) = receiver.next().await {
            match bytes.first() {
                Some(1) => got.extend_from_slice(&bytes[1..]),
                _ => assert_eq!(serde_json::from_slice::<Value>(&bytes[1..]).unwrap(), success()),
            }
        }
        got
    };
    let ((), got) = tokio::join!(writer, reader);
    assert!(got == pasted.as_bytes());
}

#[tokio::test]
async fn v4_has_no_close_of_the_input() {
    let api = shop().await;
    api.sim.faults().only_v4_exec(true);
    let mut run = exec(&api, "command=cat&stdin=true&stdout=true").await;
    assert_eq!(run.protocol, V4);
    run.send(0, b"one\n").await;
    run.expect("one\n").await;
    run.send(255, &[0]).await;
    run.send(0, b"two\n").await;
    run.expect("two\n").await;
    assert_eq!(api.sim.open_execs(), 1);
    let refused = open(&api, "shop/pods/web/exec?command=ls&stdout=true", V5, "admin").await;
    assert_eq!(refused.err().map(|(code, _)| code), Some(403));
    drop(run);
    until("the exec's end", || api.sim.open_execs() == 0).await;
}

#[tokio::test]
async fn a_terminal_is_resized_and_interrupted() {
    let api = shop().await;
    let mut run = exec(&api, "command=/bin/sh&stdin=true&stdout=true&tty=true").await;
    run.send(4, br#"{"Width":120,"Height":40}"#).await;
    run.expect("/ # ").await;
    run.send(0, b"stty size\r").await;
    run.expect("40 120\r\n/ # ").await;
    run.send(4, b"garbage").await;
    run.send(4, br#"{"Width":100,"Height":30}"#).await;
    run.send(0, b"yes\r").await;
    run.expect("y\r\ny\r\n").await;
    run.send(0, b"\x03").await;
    run.expect("^C").await;
    run.expect("\r\n/ # ").await;
    run.send(0, b"stty size; exit 3\r").await;
    let end = run.end().await;
    assert!(end.out.ends_with("30 100\r\n"), "{end:?}");
    assert_eq!((end.err.as_str(), end.status), ("", failure(3)));
}

#[tokio::test]
async fn an_executable_that_is_not_there_is_an_internal_error() {
    let api = shop().await;
    let mut pod = api.sim.get("Pod", "shop", "web").unwrap();
    pod["metadata"] = json!({"namespace": "shop", "name": "bare"});
    pod["spec"]["containers"][0]["image"] = "gcr.io/distroless/static:latest".into();
    api.sim.put(pod);
    let cases = [
        (
            "web",
            "/nope",
            "exec: \"/nope\": stat /nope: no such file or directory: unknown",
        ),
        (
            "web",
            "nope",
            "exec: \"nope\": executable file not found in $PATH: unknown",
        ),
        (
            "bare",
            "/bin/sh",
            "exec: \"/bin/sh\": stat /bin/sh: no such file or directory: unknown",
        ),
    ];
    for (pod, command, problem) in cases {
        let path = format!("shop/pods/{pod}/exec?command={command}&command=-v9&stdout=true");
        let end = open(&api, &path, V5, "admin").await.unwrap().end().await;
        assert_eq!(
            (end.out.as_str(), &end.status["reason"], &end.status["code"]),
            ("", &"InternalError".into(), &500.into())
        );
        let message = end.status["message"].as_str().unwrap();
        assert!(message.starts_with("Internal error occurred: Internal error occurred: error executing command"));
        assert!(message.ends_with(problem), "{message}");
        assert!(
            end.status["details"]["causes"][0]["message"]
                .as_str()
                .unwrap()
                .ends_with(problem)
        );
    }
}

#[tokio::test]
async fn refusals_come_before_the_upgrade() {
    let api = shop().await;
    api.sim.run_pod("shop", "two", &["app", "proxy"]);
    api.sim.run_pod("shop", "done", &["app"]);
    api.sim.end_container("shop", "done", "app", 0);
    api.sim
        .put(json!({"kind": "Pod", "metadata": {"namespace": "shop", "name": "new"},
        "spec": {"containers": [{"name": "app"}]}, "status": {"phase": "Pending"}}));
    let cases = [
        ("nope/exec?command=ls&stdout=true", 404, "pods \\\"nope\\\" not found"),
        (
            "two/exec?command=ls&stdout=true",
            400,
            "a container name must be specified for pod two, choose one of: [app proxy]",
        ),
        (
            "web/exec?container=x&command=ls&stdout=true",
            400,
            "container x is not valid for pod web",
        ),
        (
            "new/exec?command=ls&stdout=true",
            400,
            "pod new does not have a host assigned",
        ),
        (
            "web/exec?command=ls",
            400,
            "you must specify at least 1 of stdin, stdout, stderr",
        ),
        ("done/exec?command=ls&stdout=true", 500, "container not found (\"app\")"),
    ];
    for (path, code, text) in cases {
        let Err((status, body)) = open(&api, &format!("shop/pods/{path}"), V5, "admin").await else {
            panic!("{path} was accepted");
        };
        assert_eq!(status, code, "{path}");
        assert!(body.contains(text), "{path}: {body}");
    }
    let path = "/api/v1/namespaces/shop/pods/web/exec?command=ls&stdout=true";
    for method in [Method::GET, Method::POST] {
        let response = api.send(method, path).await;
        assert_eq!(response.status(), 400);
        assert_eq!(
            response.json::<Value>().await.unwrap()["message"],
            "Upgrade request required"
        );
    }
    let Err((status, body)) = open(&api, "shop/pods/web/exec?command=ls&stdout=true", V5, "nobody").await else {
        panic!("nobody was let in");
    };
    assert_eq!(status, 403);
    assert!(
        body.contains("User \\\"nobody\\\" cannot get resource \\\"pods/exec\\\""),
        "{body}"
    );
    let Err((status, _)) = open(&api, "shop/pods/web/exec?command=ls&stdout=true", "foo.bar", "admin").await else {
        panic!("an unknown protocol was accepted");
    };
    assert_eq!(status, 403);
}

#[tokio::test]
async fn a_client_that_disconnects_ends_its_command() {
    let api = shop().await;
    for query in [
        "command=cat&stdin=true&stdout=true",
        "command=/bin/sh&stdin=true&stdout=true&tty=true",
        "command=yes&stdout=true",
        "command=sleep&command=1000&stdin=true&stdout=true",
    ] {
        let run = exec(&api, query).await;
        until("the exec's start", || api.sim.open_execs() == 1).await;
        drop(run);
        until("the exec's end", || api.sim.open_execs() == 0).await;
    }
}

#[tokio::test]
async fn a_command_is_killed_with_its_container() {
    let api = shop().await;
    let mut run = exec(&api, "command=/bin/sh&stdin=true&stdout=true&tty=true").await;
    run.expect("/ # ").await;
    api.sim.restart_container("shop", "web", "app", 1);
    assert_eq!(run.end().await.status, failure(137));
    let mut run = exec(&api, "command=/bin/sh&stdin=true&stdout=true&tty=true").await;
    run.expect("/ # ").await;
    api.sim.remove("Pod", "shop", "web");
    assert_eq!(run.end().await.status, failure(137));
}

#[tokio::test]
async fn a_cut_breaks_the_connection_without_a_close_frame() {
    let api = shop().await;
    let mut run = exec(&api, "command=/bin/sh&stdin=true&stdout=true&tty=true").await;
    run.expect("/ # ").await;
    api.sim.faults().cut_execs();
    assert!(matches!(run.socket.next().await, Some(Err(_)) | None));
    until("the exec's end", || api.sim.open_execs() == 0).await;
}

#[tokio::test]
async fn pings_are_answered_while_nothing_reads_the_input() {
    let api = shop().await;
    let mut run = exec(&api, "command=sleep&command=1000&stdin=true&stdout=true").await;
    run.socket
        .send(Message::Ping(b"are you there".to_vec().into()))
        .await
        .unwrap();
    loop {
        match run.socket.next().await.unwrap().unwrap() {
            Message::Pong(payload) => break assert_eq!(payload.as_ref(), b"are you there"),
            Message::Binary(_) => {}
            other => panic!("{other:?}"),
        }
    }
}
