//! The time from key stroke to echo: through Podgate's terminal, and through the same exec directly
//! on the API server.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest, handshake::client::generate_key, protocol::Role},
};

use crate::{
    Args, Result,
    cluster::{CLUSTER, RealCluster},
    server::Server,
    summary::{Met, Times, ms},
};

const POD: &str = "terminal";
/// How long an echo may take.
const LIMIT: Duration = Duration::from_secs(10);
/// Key strokes that are not counted.
const WARM_UP: u32 = 50;
/// The pause between two key strokes, so that the first is done everywhere.
const PAUSE: Duration = Duration::from_millis(5);

/// Measures, and returns the section for the report.
pub(crate) async fn measure(args: &Args, lab: &RealCluster, server: &Server) -> Result<String> {
    lab.run(POD, "sleep 3600", "Running").await?;
    let mut through = Through::open(lab, server).await?;
    let mut direct = Direct::open(lab).await?;
    let (mut slow, mut fast) = (Vec::new(), Vec::new());
    for (at, key) in (0..WARM_UP + args.keys).zip(('a'..='z').cycle()) {
        // Take turns at going first.
        for first in [at % 2 == 0, at % 2 != 0] {
            let (times, taken) = if first {
                (&mut fast, timed(direct.stroke(key)).await?)
            } else {
                (&mut slow, timed(through.stroke(key)).await?)
            };
            if at >= WARM_UP {
                times.push(taken);
            }
            sleep(PAUSE).await;
        }
    }
    lab.delete(POD).await?;
    Ok(written(args.keys, &Times::new(slow), &Times::new(fast)))
}

async fn timed(stroke: impl Future<Output = Result<()>>) -> Result<Duration> {
    let start = Instant::now();
    timeout(LIMIT, stroke)
        .await
        .map_err(|_| format!("no echo within {} s", LIMIT.as_secs()))??;
    Ok(start.elapsed())
}

/// The terminal of Podgate's contract.
struct Through(WebSocketStream<TcpStream>);

/// A frame from the server. Other frames are ignored.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Frame {
    Output {
        data: String,
    },
    Error {
        message: String,
    },
    #[serde(other)]
    Other,
}

impl Through {
    async fn open(lab: &RealCluster, server: &Server) -> Result<Self> {
        let stream = TcpStream::connect(server.address).await?;
        stream.set_nodelay(true)?;
        let namespace = &lab.namespace;
        let path = format!("/ws/clusters/{CLUSTER}/namespaces/{namespace}/pods/{POD}/exec?command=cat&tty=true");
        let mut request = format!("ws://{}{path}", server.address).into_client_request()?;
        let token = format!("Bearer {}", server.token).parse()?;
        request.headers_mut().insert(http::header::AUTHORIZATION, token);
        let (socket, _) = client_async(request, stream).await?;
        Ok(Self(socket))
    }

    /// Types a key and waits for its echo.
    async fn stroke(&mut self, key: char) -> Result<()> {
        let input = format!(r#"{{"type":"input","data":"{key}"}}"#);
        self.0.send(Message::text(input)).await?;
        while let Some(message) = self.0.next().await {
            let Message::Text(text) = message? else {
                continue;
            };
            match serde_json::from_str(&text)? {
                Frame::Output { data } if data.contains(key) => return Ok(()),
                Frame::Error { message } => return Err(message.into()),
                Frame::Output { .. } | Frame::Other => {}
            }
        }
        Err("Podgate closed the terminal".into())
    }
}

/// The API server's exec: the first byte of a message is its channel (KEP 4006,
/// `v5.channel.k8s.io`).
struct Direct(WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>);

const STDIN: u8 = 0;
const STDOUT: u8 = 1;

impl Direct {
    async fn open(lab: &RealCluster) -> Result<Self> {
        let namespace = &lab.namespace;
        let path = format!(
            "/api/v1/namespaces/{namespace}/pods/{POD}/exec?command=cat&stdin=true&stdout=true&stderr=false&tty=true"
        );
        let request = http::Request::get(path)
            .header(http::header::CONNECTION, "Upgrade")
            .header(http::header::UPGRADE, "websocket")
            .header(http::header::SEC_WEBSOCKET_VERSION, "13")
            .header(http::header::SEC_WEBSOCKET_KEY, generate_key())
            .header(http::header::SEC_WEBSOCKET_PROTOCOL, "v5.channel.k8s.io")
            .body(kube::client::Body::empty())?;
        let response = lab.client.send(request).await?;
        if response.status() != http::StatusCode::SWITCHING_PROTOCOLS {
            return Err(format!("the API server answered {} to an exec", response.status()).into());
        }
        let stream = TokioIo::new(hyper::upgrade::on(response).await?);
        Ok(Self(WebSocketStream::from_raw_socket(stream, Role::Client, None).await))
    }

    /// Types a key and waits for its echo.
    async fn stroke(&mut self, key: char) -> Result<()> {
        let key = u8::try_from(key)?;
        self.0.send(Message::binary(vec![STDIN, key])).await?;
        while let Some(message) = self.0.next().await {
            if let Message::Binary(bytes) = message?
                && let Some((&STDOUT, output)) = bytes.split_first()
                && output.contains(&key)
            {
                return Ok(());
            }
        }
        Err("the API server closed the terminal".into())
    }
}

fn written(keys: u32, slow: &Times, fast: &Times) -> String {
    let above = slow.median().as_secs_f64() - fast.median().as_secs_f64();
    let row = |name: &str, times: &Times| {
        let (p50, p99) = (ms(times.median()), ms(times.percentile(99)));
        format!("| {name} | {p50} | {p99} |\n")
    };
    format!(
        "`cat` with a tty in a running container, {keys} single characters each way in turn, from the key stroke to its echo:\n\n\
         | way | p50 | p99 |\n| --- | --- | --- |\n{}{}\n\
         At p50 Podgate adds {:.3} ms; the target is at most 0.25 ms: {}.\n",
        row("exec directly to the API server", fast),
        row("through Podgate's terminal", slow),
        above * 1000.0,
        Met(above <= 0.00025),
    )
}
