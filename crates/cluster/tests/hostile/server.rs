//! An API server that does what no API server should.

use std::{
    io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use podgate_cluster::Source;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// The marker in every hostile text.
pub(crate) const EVIL: &str = "EVIL";

/// The answer to requests for the target. All others are answered as an API server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// A body without end, of blanks that JSON allows.
    EndlessBody,
    /// A body without end after an honest beginning, within one text.
    EndlessText,
    /// A body whose declared length is beyond all bounds.
    HugeLength,
    /// Brackets within brackets.
    DeepJson,
    /// A list or object of millions of items that take three bytes each.
    TinyItems,
    /// An object of millions of fields.
    TinyFields,
    /// Pages without end, each with a token for the next.
    EndlessPages,
    /// A list whose token for the next page has megabytes.
    HugeToken,
    /// A byte now and then.
    Trickle,
    /// Nothing at all.
    Silence,
    /// Half a head, and then nothing.
    SilenceInHead,
    /// A head and half a body, and then nothing.
    SilenceInBody,
    /// The connection ends before the head, or in the body.
    Close,
    CloseInBody,
    /// A page for people.
    Html,
    /// Bytes that are not HTTP.
    NoHttp,
    /// Bytes that are neither JSON nor the protobuf that their type names.
    FalseProtobuf,
    /// A body that is said to be compressed.
    FalseGzip,
    /// To where a client must not go.
    Redirect,
    /// Headers without end.
    EndlessHead,
    /// Preliminary answers without end.
    EndlessContinue,
    /// A status with a `Status` whose texts are long and hostile.
    Refusal(u16),
    /// A status with an endless body.
    EndlessRefusal(u16),
    /// A status with a proxy's page.
    Bare(u16),
    /// A success without a body.
    Empty,
    /// A WebSocket that sends pings as fast as it can and reads nothing.
    PingFlood,
    /// A WebSocket whose first frame never ends.
    EndlessFrame,
    /// A WebSocket that sends output as fast as it can.
    OutputFlood,
    /// A WebSocket whose verdict never ends.
    EndlessVerdict,
    /// A WebSocket that breaks the protocol.
    BadFrame,
    /// A WebSocket that says nothing.
    SilentSocket,
}

pub(crate) use Behaviour::*;

/// The hostile answers that an HTTP call may meet.
pub(crate) const OVER_HTTP: &[Behaviour] = &[
    EndlessBody,
    EndlessText,
    HugeLength,
    DeepJson,
    TinyItems,
    TinyFields,
    EndlessPages,
    HugeToken,
    Trickle,
    Silence,
    SilenceInHead,
    SilenceInBody,
    Close,
    CloseInBody,
    Html,
    NoHttp,
    FalseProtobuf,
    FalseGzip,
    Redirect,
    EndlessHead,
    EndlessContinue,
    Refusal(400),
    Refusal(401),
    Refusal(403),
    Refusal(404),
    Refusal(409),
    Refusal(410),
    Refusal(422),
    Refusal(429),
    Refusal(500),
    Refusal(999),
    EndlessRefusal(400),
    EndlessRefusal(503),
    Bare(204),
    Bare(304),
    Bare(400),
    Bare(403),
    Bare(404),
    Bare(502),
    Bare(504),
    Empty,
];

/// The hostile behaviour that an upgraded connection may meet.
pub(crate) const OVER_WEBSOCKET: &[Behaviour] = &[
    PingFlood,
    EndlessFrame,
    OutputFlood,
    EndlessVerdict,
    BadFrame,
    SilentSocket,
];

/// A running server. Dropping it ends it and its connections.
pub(crate) struct Server {
    port: u16,
    taken: Arc<AtomicUsize>,
    _task: tokio_util::task::AbortOnDropHandle<()>,
}

type Stream = TlsStream<TcpStream>;

fn identity() -> &'static (TlsAcceptor, String) {
    static IDENTITY: OnceLock<(TlsAcceptor, String)> = OnceLock::new();
    IDENTITY.get_or_init(|| {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let certificate = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(certificate.signing_key.serialize_der()).unwrap();
        let config = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.cert.der().clone()], key)
            .unwrap();
        (TlsAcceptor::from(Arc::new(config)), certificate.cert.pem())
    })
}

impl Server {
    /// Answers requests whose path (without query) `is_target` in this way.
    pub(crate) async fn start(behaviour: Behaviour, is_target: fn(&str) -> bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let taken = Arc::new(AtomicUsize::new(0));
        let count = taken.clone();
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let connection = Connection {
                    behaviour,
                    is_target,
                    taken: count.clone(),
                };
                connections.spawn(async move {
                    if let Ok(stream) = identity().0.accept(stream).await {
                        let _ = connection.serve(stream).await;
                    }
                });
            }
        });
        Self {
            port,
            taken,
            _task: tokio_util::task::AbortOnDropHandle::new(task),
        }
    }

    pub(crate) fn source(&self) -> Source {
        let url = format!("https://localhost:{}", self.port);
        Source::from_parts(&url, "token", &identity().1).unwrap()
    }

    /// Bytes of hostile answers that were taken from it.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}

struct Connection {
    behaviour: Behaviour,
    is_target: fn(&str) -> bool,
    taken: Arc<AtomicUsize>,
}

/// A request as far as it matters.
struct Request {
    path: String,
    key: Option<String>,
}

impl Connection {
    async fn serve(&self, mut stream: Stream) -> io::Result<()> {
        while let Some(request) = read(&mut stream).await? {
            if !(self.is_target)(&request.path) {
                stream.write_all(&honest(&request.path)).await?;
                continue;
            }
            self.behave(&mut stream, &request).await?;
            if !matches!(self.behaviour, EndlessPages | Refusal(_) | Bare(_) | Empty) {
                return stream.shutdown().await;
            }
        }
        Ok(())
    }

    async fn behave(&self, stream: &mut Stream, request: &Request) -> io::Result<()> {
        let json = head(200, "application/json", None);
        match self.behaviour {
            EndlessBody => self.pour(stream, &json, &[b' '; 16 << 10]).await,
            EndlessText => {
                let beginning = format!(r#"{json}{{"kind":"Pod","metadata":{{"name":""#);
                self.pour(stream, &beginning, EVIL.repeat(4 << 10).as_bytes()).await
            }
            HugeLength => {
                let head = head(200, "application/json", Some(1 << 40));
                self.pour(stream, &head, &[b' '; 16 << 10]).await
            }
            DeepJson => self.pour(stream, &json, "[{\"a\":".repeat(2 << 10).as_bytes()).await,
            TinyItems => {
                let beginning = format!(r#"{json}{{"kind":"List","metadata":{{"resourceVersion":"1"}},"items":["#);
                self.pour(stream, &beginning, "{},".repeat(5 << 10).as_bytes()).await
            }
            TinyFields => {
                let beginning = format!(r#"{json}{{"kind":"Pod","metadata":{{"name":"web"}},"spec":{{"#);
                self.pour(stream, &beginning, "\"a\":{},".repeat(2 << 10).as_bytes())
                    .await
            }
            EndlessPages => self.send(stream, page("more").as_bytes()).await,
            HugeToken => self.send(stream, page(&EVIL.repeat(1 << 20)).as_bytes()).await,
            Trickle => {
                self.send(stream, json.as_bytes()).await?;
                loop {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    self.send(stream, b" ").await?;
                }
            }
            Silence => std::future::pending().await,
            SilenceInHead => self.send_and_wait(stream, "HTTP/1.1 200 OK\r\nContent-").await,
            SilenceInBody => {
                let begun = format!("{}{{\"kind\":", head(200, "application/json", Some(1000)));
                self.send_and_wait(stream, &begun).await
            }
            Close => Ok(()),
            CloseInBody => {
                let begun = format!("{}{{\"kind\":", head(200, "application/json", Some(1000)));
                self.send(stream, begun.as_bytes()).await
            }
            Html => {
                let html = format!("<html>{}</html>", EVIL.repeat(1000));
                let head = head(200, "text/html", Some(html.len()));
                self.send(stream, format!("{head}{html}").as_bytes()).await
            }
            NoHttp => self.send(stream, format!("\u{1b}[2J{EVIL}\r\n\r\n").as_bytes()).await,
            FalseProtobuf => {
                let head = head(200, "application/vnd.kubernetes.protobuf", Some(8));
                self.send(stream, format!("{head}\u{0}EVIL\u{7f}\u{1}\u{2}").as_bytes())
                    .await
            }
            FalseGzip => {
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}";
                self.send(stream, head.as_bytes()).await
            }
            Redirect => {
                let head = "HTTP/1.1 307 No\r\nLocation: http://169.254.169.254/EVIL\r\nContent-Length: 0\r\n\r\n";
                self.send(stream, head.as_bytes()).await
            }
            EndlessHead => {
                let header = format!("X-Header: {}\r\n", EVIL.repeat(100));
                self.pour(stream, "HTTP/1.1 200 OK\r\n", header.as_bytes()).await
            }
            EndlessContinue => {
                self.pour(stream, "", "HTTP/1.1 100 Continue\r\n\r\n".repeat(100).as_bytes())
                    .await
            }
            Refusal(status) => {
                let body = refusal(status);
                let head = head(status, "application/json", Some(body.len()));
                self.send(stream, format!("{head}{body}").as_bytes()).await
            }
            EndlessRefusal(status) => {
                let head = head(status, "application/json", None);
                self.pour(stream, &head, EVIL.repeat(1000).as_bytes()).await
            }
            Bare(status) => {
                let page = if matches!(status, 204 | 304) {
                    ""
                } else {
                    "<html>EVIL</html>"
                };
                let head = head(status, "text/html", Some(page.len()));
                self.send(stream, format!("{head}{page}").as_bytes()).await
            }
            Empty => {
                self.send(stream, head(200, "application/json", Some(0)).as_bytes())
                    .await
            }
            PingFlood | EndlessFrame | OutputFlood | EndlessVerdict | BadFrame | SilentSocket => {
                self.socket(stream, request).await
            }
        }
    }

    /// Upgrades the connection, then sends frames according to the behaviour.
    async fn socket(&self, stream: &mut Stream, request: &Request) -> io::Result<()> {
        let accept = derive_accept_key(request.key.as_deref().unwrap_or_default().as_bytes());
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\
             Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n"
        );
        self.send(stream, head.as_bytes()).await?;
        let message = |channel: u8| [&[0x82, 126, 0x10, 0x01, channel][..], &[b'x'; 4096]].concat();
        match self.behaviour {
            PingFlood => self.pour(stream, "", &[&[0x89, 125][..], &[b'p'; 125]].concat()).await,
            EndlessFrame => {
                self.send(stream, &[0x82, 127, 0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1])
                    .await?;
                self.pour(stream, "", &[b'x'; 16 << 10]).await
            }
            OutputFlood => self.pour(stream, "", &message(1)).await,
            EndlessVerdict => self.pour(stream, "", &message(3)).await,
            BadFrame => {
                self.send(stream, &[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, b'E', b'V'])
                    .await
            }
            _ => std::future::pending().await,
        }
    }

    async fn send(&self, stream: &mut Stream, bytes: &[u8]) -> io::Result<()> {
        for part in bytes.chunks(16 << 10) {
            stream.write_all(part).await?;
            self.taken.fetch_add(part.len(), Ordering::Relaxed);
        }
        stream.flush().await
    }

    async fn send_and_wait(&self, stream: &mut Stream, text: &str) -> io::Result<()> {
        self.send(stream, text.as_bytes()).await?;
        std::future::pending().await
    }

    /// Sends the same bytes for as long as they are taken.
    async fn pour(&self, stream: &mut Stream, beginning: &str, bytes: &[u8]) -> io::Result<()> {
        self.send(stream, beginning.as_bytes()).await?;
        loop {
            self.send(stream, bytes).await?;
        }
    }
}

fn head(status: u16, media: &str, length: Option<usize>) -> String {
    // Without a length the body ends with the connection.
    let length = length
        .map(|length| format!("Content-Length: {length}\r\n"))
        .unwrap_or_default();
    format!("HTTP/1.1 {status} X\r\nContent-Type: {media}\r\n{length}\r\n")
}

fn answer(status: u16, body: &str) -> String {
    format!("{}{body}", head(status, "application/json", Some(body.len())))
}

/// Returns a page that names a next one.
fn page(token: &str) -> String {
    let page = json!({"kind": "List", "metadata": {"resourceVersion": "1", "continue": token}, "items": [{}]});
    answer(200, &page.to_string())
}

/// Returns a `Status` with texts that no log and no terminal should show.
fn refusal(status: u16) -> String {
    let evil = format!(
        "{}\u{202e}\u{1b}[2J\nERROR forged {}",
        EVIL.repeat(10),
        EVIL.repeat(5_000)
    );
    json!({"kind": "Status", "status": "Failure", "code": status, "message": evil, "reason": evil,
        "details": {"name": evil, "kind": "pods", "causes": [{"reason": "x", "message": "y"}]}})
    .to_string()
}

/// Returns the answer of an ordinary API server.
fn honest(path: &str) -> Vec<u8> {
    let meta = json!({"resourceVersion": "1"});
    let body = if path.ends_with("/pods/web") {
        json!({"kind": "Pod", "metadata": {"name": "web", "namespace": "shop", "uid": "u"},
            "spec": {"containers": [{"name": "main"}]},
            "status": {"phase": "Running", "containerStatuses": [{"name": "main", "containerID": "c://1", "state": {"running": {}}}]}})
    } else if path.ends_with("selfsubjectaccessreviews") {
        json!({"kind": "SelfSubjectAccessReview", "status": {"allowed": true}})
    } else if path == "/version" {
        json!({"gitVersion": "v1.36.0"})
    } else if path.ends_with("/events") || path.ends_with("/namespaces") || path.ends_with("/nodes") {
        json!({"kind": "List", "metadata": meta, "items": []})
    } else {
        return answer(
            403,
            &json!({"kind": "Status", "code": 403, "message": "no"}).to_string(),
        )
        .into_bytes();
    };
    answer(200, &body.to_string()).into_bytes()
}

/// Returns the next request with its body; `None` at the end of the connection.
async fn read(stream: &mut Stream) -> io::Result<Option<Request>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).await? == 0 {
            return Ok(None);
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head);
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(':'));
        lines.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned()))
    };
    let length = header("content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    stream.read_exact(&mut vec![0; length]).await?;
    let target = head.split(' ').nth(1).unwrap_or_default();
    let (path, _) = target.split_once('?').unwrap_or((target, ""));
    Ok(Some(Request {
        path: path.to_owned(),
        key: header("sec-websocket-key"),
    }))
}
