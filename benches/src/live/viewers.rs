//! Viewers, and the events that they see.

use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt};
use http_body_util::BodyExt;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::ListParams};
use memchr::memmem;
use serde_json::{Value, json};
use tokio::{net::TcpStream, sync::mpsc::UnboundedSender, task::JoinSet};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use super::{SLOTS, Sent};
use crate::{Result, server::Server};

/// The number of viewers of the newest pods of all namespaces, and of viewers of one namespace
/// each.
pub(super) const UNFILTERED: usize = 200;
pub(super) const OF_NAMESPACES: usize = 200;
/// The number of all viewers: these, and for each slot one that searches and one that selects.
pub(super) const COUNT: usize = UNFILTERED + OF_NAMESPACES + 2 * SLOTS;
/// How many must see each event: the viewers of its namespace and of its slot, and the watch.
pub(super) const SURE: usize = OF_NAMESPACES / SLOTS + 3;
/// The viewers of one session, a few fewer than the server allows.
const PER_SESSION: usize = 200;
/// Digits of an event's number.
const DIGITS: usize = 5;

/// Who saw an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A viewer of the newest pods. It sees an event that is among the first 50 of its second.
    Unfiltered,
    Namespace,
    Search,
    Selector,
    /// The watch directly on the API server.
    Direct,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Unfiltered => "newest of all",
            Self::Namespace => "of one namespace",
            Self::Search => "with a search",
            Self::Selector => "with a selector",
            Self::Direct => "a watch",
        }
    }

    pub(super) fn is_sure(self) -> bool {
        self != Self::Unfiltered
    }
}

/// An event that was seen for the first time by someone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) kind: Kind,
    number: usize,
    at: Instant,
}

impl Seen {
    /// Returns the time since the event was sent.
    pub(super) fn since(&self, sent: &Sent) -> Option<Duration> {
        Some(self.at.saturating_duration_since(*sent.get(self.number)?))
    }
}

/// Returns the namespace of a slot's events.
pub(super) fn namespace(slot: usize) -> String {
    format!("team-{:03}", slot + 1)
}

/// Bytes and frames that viewers have read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Traffic {
    pub(super) bytes: u64,
    pub(super) frames: u64,
}

impl std::ops::Sub for Traffic {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            bytes: self.bytes - other.bytes,
            frames: self.frames - other.frames,
        }
    }
}

#[derive(Debug, Default)]
struct Counts {
    bytes: AtomicU64,
    frames: AtomicU64,
}

/// Viewers that are open. They end when it is dropped.
pub(super) struct Crowd {
    _readers: JoinSet<()>,
    /// Open, and never read.
    _stuck: Vec<Stream>,
    counts: Arc<Counts>,
}

type Stream = WebSocketStream<TcpStream>;

impl Crowd {
    /// Opens every viewer and waits for its first snapshot.
    pub(super) async fn open(server: &Server, mark: &str, stuck: usize, seen: &UnboundedSender<Seen>) -> Result<Self> {
        let counts = Arc::new(Counts::default());
        let (mut readers, mut tokens, mut held) = (JoinSet::new(), Vec::new(), Vec::new());
        for _ in 0..(COUNT + stuck).div_ceil(PER_SESSION) {
            tokens.push(server.session().await?);
        }
        let token = |at: usize| tokens.get(at / PER_SESSION).map_or("", String::as_str);
        for (at, (kind, query)) in queries().into_iter().enumerate() {
            let mut stream = connect(server.address, token(at), &query).await?;
            first(&mut stream).await?;
            let reader = Reader {
                kind,
                mark: format!("\"name\":\"{mark}"),
                seen: seen.clone(),
                counts: counts.clone(),
            };
            readers.spawn(reader.read(stream));
        }
        for at in 0..stuck {
            held.push(connect(server.address, token(COUNT + at), &json!({})).await?);
        }
        Ok(Self {
            _readers: readers,
            _stuck: held,
            counts,
        })
    }

    pub(super) fn traffic(&self) -> Traffic {
        Traffic {
            bytes: self.counts.bytes.load(Ordering::Relaxed),
            frames: self.counts.frames.load(Ordering::Relaxed),
        }
    }
}

/// Returns the query of each viewer.
fn queries() -> Vec<(Kind, Value)> {
    let mut queries = vec![(Kind::Unfiltered, json!({})); UNFILTERED];
    for at in 0..OF_NAMESPACES {
        queries.push((Kind::Namespace, json!({"namespace": namespace(at % SLOTS)})));
    }
    for slot in 0..SLOTS {
        queries.push((Kind::Search, json!({"search": format!("-slot{slot:02}")})));
        queries.push((Kind::Selector, json!({"labelSelector": format!("probe=slot{slot:02}")})));
    }
    queries
}

async fn connect(address: SocketAddr, token: &str, query: &Value) -> Result<Stream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut request = format!("ws://{address}/ws/pods").into_client_request()?;
    let token = format!("Bearer {token}").parse()?;
    request.headers_mut().insert(http::header::AUTHORIZATION, token);
    let (mut socket, _) = client_async(request, stream).await?;
    let subscribe = json!({"type": "subscribe", "query": query, "offset": 0, "limit": 50});
    socket.send(Message::text(subscribe.to_string())).await?;
    Ok(socket)
}

/// Waits for the snapshot.
async fn first(stream: &mut Stream) -> Result<()> {
    while let Some(message) = stream.next().await {
        match message? {
            Message::Text(text) if text.starts_with(r#"{"type":"snapshot""#) => return Ok(()),
            Message::Text(text) => return Err(format!("a live query began with {text}").into()),
            _ => {}
        }
    }
    Err("a live query was closed before its snapshot".into())
}

/// Reads one viewer's frames.
struct Reader {
    kind: Kind,
    mark: String,
    seen: UnboundedSender<Seen>,
    counts: Arc<Counts>,
}

impl Reader {
    async fn read(self, mut stream: Stream) {
        let mut known = HashSet::new();
        while let Some(Ok(message)) = stream.next().await {
            let Message::Text(text) = message else { continue };
            self.counts.bytes.fetch_add(text.len() as u64, Ordering::Relaxed);
            self.counts.frames.fetch_add(1, Ordering::Relaxed);
            report(self.kind, text.as_bytes(), &self.mark, &mut known, &self.seen);
        }
    }
}

/// Reports each new event in a text.
fn report(kind: Kind, text: &[u8], mark: &str, known: &mut HashSet<usize>, seen: &UnboundedSender<Seen>) {
    for found in memmem::find_iter(text, mark.as_bytes()) {
        let digits = text.get(found + mark.len()..found + mark.len() + DIGITS);
        let number = digits.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        if let Some(number) = number.filter(|number| known.insert(*number)) {
            // A receiver that is gone has seen enough.
            let _ = seen.send(Seen {
                kind,
                number,
                at: Instant::now(),
            });
        }
    }
}

/// Watches the API server itself until it is aborted.
pub(super) async fn watch(client: kube::Client, mark: String, seen: UnboundedSender<Seen>) -> Result<()> {
    let pods: Api<Pod> = Api::all(client.clone());
    let now = pods.list_metadata(&ListParams::default().limit(1)).await?.metadata;
    let version = now.resource_version.unwrap_or_default();
    let path = format!("/api/v1/pods?watch=1&timeoutSeconds=600&resourceVersion={version}");
    let request = http::Request::get(path)
        .header(http::header::ACCEPT, "application/vnd.kubernetes.protobuf;stream=watch")
        .body(kube::client::Body::empty())?;
    let mut body = client.send(request).await?.into_body();
    let (mut known, mut text) = (HashSet::new(), Vec::new());
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        text.extend_from_slice(&data);
        report(Kind::Direct, &text, &mark, &mut known, &seen);
        // A name may be cut by the end of a piece.
        let rest = text.len().min(mark.len() + DIGITS);
        text.drain(..text.len() - rest);
    }
    Err("the watch ended".into())
}
