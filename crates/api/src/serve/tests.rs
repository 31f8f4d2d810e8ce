//! Tests of connections over a pipe with a small buffer, on a paused clock. The router belongs to
//! the test; the API's own is tested over TCP in `tests/api`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{convert::Infallible, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    response::Response,
    routing::MethodRouter,
};
use futures_util::stream;
use http::{HeaderValue, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::{
    Connections, Limits, Times,
    connection::{Connection, Phase},
    io::Io,
    task,
};

/// The bytes that the pipe holds in each direction.
const PIPE: usize = 4 << 10;
const FOREVER: Duration = Duration::from_secs(86_400);
const GET: &str = "GET / HTTP/1.1\r\nhost: podgate\r\n\r\n";

/// One served connection.
struct Served {
    peer: DuplexStream,
    connection: Connection,
    connections: Connections,
    task: JoinHandle<()>,
}

impl Served {
    async fn of(router: Router) -> Self {
        Self::with(router, Limits::default()).await
    }

    async fn with(router: Router, limits: Limits) -> Self {
        Self::on(Connections::new(&limits), router).await
    }

    /// Opens another connection of a listener.
    async fn on(connections: Connections, router: Router) -> Self {
        let times = connections.limits().times;
        let address = "192.0.2.1:1234".parse().unwrap();
        let place = connections.enter(address).await.unwrap();
        let connection = place.connection.clone();
        let (peer, ours) = duplex(PIPE);
        let io = Io::new(ours, place, times.stall);
        let task = tokio::spawn(task::run(io, None, address, router, times));
        Self {
            peer,
            connection,
            connections,
            task,
        }
    }

    async fn send(&mut self, text: &str) {
        self.peer.write_all(text.as_bytes()).await.unwrap();
    }

    /// Reads one answer, whose body is `ok`.
    async fn answer(&mut self) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\nok") {
            head.push(self.peer.read_u8().await.unwrap());
        }
        assert!(
            head.starts_with(b"HTTP/1.1 200 OK\r\n"),
            "{}",
            String::from_utf8_lossy(&head)
        );
    }

    /// Waits until the connection's task has done all that it can do now.
    async fn settled(&self) {
        for _ in 0..16 {
            tokio::task::yield_now().await;
        }
    }

    /// Waits until the connection is closed, and returns the time that this took.
    async fn closes(self) -> Duration {
        let from = Instant::now();
        timeout(FOREVER, self.task).await.expect("it stays open").unwrap();
        from.elapsed()
    }
}

fn router(route: MethodRouter) -> Router {
    #[expect(clippy::disallowed_methods, reason = "these routes are not the API's")]
    Router::new().route("/", route)
}

fn ok() -> Router {
    router(axum::routing::any(async || "ok"))
}

/// Builds a router whose answer never ends.
fn endless() -> Router {
    let chunks = || stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 1024])));
    router(axum::routing::get(move || async move { Body::from_stream(chunks()) }))
}

/// Builds a router whose answer is complete at once and larger than the pipe.
fn large() -> Router {
    router(axum::routing::get(async || "x".repeat(100_000)))
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_sends_no_whole_head_is_closed_in_time() {
    for sent in ["", "P", "GET / HTTP/1.1\r\nhost: podgate\r\n"] {
        let mut served = Served::of(ok()).await;
        let from = Instant::now();
        served.send(sent).await;
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_secs(5)).await;
            served.send("").await;
        }
        let connections = served.connections.clone();
        served.closes().await;
        assert_eq!(from.elapsed().as_secs(), Times::default().head.as_secs(), "{sent:?}");
        assert_eq!(connections.count(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn over_tls_the_same_time_holds_and_silence_can_be_ended_from_outside() {
    for ends in [false, true] {
        let (acceptor, _) = super::tls::tests::of_test();
        let connections = Connections::new(&Limits::default());
        let address = "192.0.2.1:1234".parse().unwrap();
        let place = connections.enter(address).await.unwrap();
        let connection = place.connection.clone();
        let (mut peer, ours) = duplex(PIPE);
        let times = Times::default();
        let io = Io::new(ours, place, times.stall);
        let task = tokio::spawn(task::run(io, Some(acceptor), address, ok(), times));
        // The start of a TLS record of 512 bytes that holds a ClientHello.
        peer.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
        let from = Instant::now();
        tokio::time::sleep(Duration::from_secs(1)).await;
        if ends {
            connection.end();
        }
        timeout(FOREVER, task).await.unwrap().unwrap();
        let wanted = if ends { 1 } else { times.head.as_secs() };
        assert_eq!((from.elapsed().as_secs(), connections.count()), (wanted, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_later_head_has_the_same_time_from_its_first_byte() {
    let mut served = Served::of(ok()).await;
    for _ in 0..3 {
        served.send(GET).await;
        served.answer().await;
        tokio::time::sleep(Times::default().head * 3).await;
    }
    assert_eq!(served.connection.phase(), Phase::Idle);
    served.send("P").await;
    assert_eq!(served.closes().await.as_secs(), Times::default().head.as_secs());
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_after_its_time() {
    let mut served = Served::of(ok()).await;
    served.send(GET).await;
    served.answer().await;
    tokio::time::sleep(Duration::from_secs(100)).await;
    served.send(GET).await;
    served.answer().await;
    assert_eq!(served.closes().await.as_secs(), Times::default().idle.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_request_under_way_may_take_its_time() {
    let slow = router(axum::routing::get(async || {
        tokio::time::sleep(Times::default().idle * 3).await;
        "ok"
    }));
    let mut served = Served::of(slow).await;
    served.send(GET).await;
    served.answer().await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_is_given_up_whatever_the_answer_is() {
    for (router, kind) in [(endless(), "endless"), (large(), "large")] {
        let mut served = Served::of(router).await;
        served.send(GET).await;
        let connections = served.connections.clone();
        assert_eq!(
            served.closes().await.as_secs(),
            Times::default().stall.as_secs(),
            "{kind}"
        );
        assert_eq!(connections.count(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_slowly_is_not() {
    let mut served = Served::of(large()).await;
    served.send(GET).await;
    let mut bytes = [0; 10_000];
    for _ in 0..10 {
        tokio::time::sleep(Times::default().stall - Duration::from_secs(1)).await;
        served.peer.read_exact(&mut bytes).await.unwrap();
    }
    assert!(!served.task.is_finished());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_taken_counts_as_under_way() {
    let mut served = Served::of(large()).await;
    served.send(GET).await;
    served.settled().await;
    assert_eq!(served.connection.phase(), Phase::Answered);
    let mut answer = vec![0; 100_000];
    served.peer.read_exact(&mut answer).await.unwrap();
    served.send("").await;
    let mut rest = vec![0; PIPE];
    let _ = served.peer.read(&mut rest).await.unwrap();
    served.settled().await;
    assert_eq!(served.connection.phase(), Phase::Idle);
}

/// Builds a router that upgrades the connection, as for a WebSocket, and then writes forever.
fn upgrading() -> Router {
    router(axum::routing::get(async |mut request: axum::extract::Request| {
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let mut io = TokioIo::new(upgrade.await.unwrap());
            while io.write_all(&[b'x'; 1024]).await.is_ok() {}
        });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let upgrade = HeaderValue::from_static("upgrade");
        response.headers_mut().insert(header::CONNECTION, upgrade);
        response
            .headers_mut()
            .insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        response
    }))
}

const UPGRADE: &str = "GET / HTTP/1.1\r\nhost: podgate\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";

/// Waits until no connection is open, and returns the time that this took.
async fn gone(connections: &Connections) -> Duration {
    let from = Instant::now();
    let none = async {
        while connections.count() > 0 {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    timeout(FOREVER, none).await.expect("it stays open");
    from.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_websocket_keeps_its_place_and_is_bound_by_the_same_time() {
    let mut served = Served::of(upgrading()).await;
    served.send(UPGRADE).await;
    (&mut served.task).await.unwrap();
    assert_eq!(
        (served.connection.phase(), served.connections.count()),
        (Phase::Upgraded, 1)
    );
    let taken = gone(&served.connections).await;
    let stall = Times::default().stall;
    assert!((stall..stall + Duration::from_secs(2)).contains(&taken), "{taken:?}");
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_connection_can_be_ended_from_outside() {
    let waiting = router(axum::routing::get(async || {
        std::future::pending::<&'static str>().await
    }));
    for (router, sent) in [
        (ok(), ""),
        (ok(), "P"),
        (ok(), GET),
        (waiting, GET),
        (endless(), GET),
        (large(), GET),
        (upgrading(), UPGRADE),
    ] {
        let mut served = Served::with(router, Limits::default()).await;
        served.send(sent).await;
        served.settled().await;
        served.connection.end();
        served.settled().await;
        assert_eq!(
            served.connections.count(),
            0,
            "{:?} after {sent:?}",
            served.connection.phase()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_drain_closes_what_waits_and_lets_a_request_end() {
    let slow = router(axum::routing::get(async || {
        tokio::time::sleep(Duration::from_secs(5)).await;
        "ok"
    }));
    let mut busy = Served::of(slow).await;
    busy.send(GET).await;
    busy.settled().await;
    busy.connections.drain();
    busy.answer().await;
    assert!(busy.closes().await.is_zero());
    for sent in ["", "P", GET] {
        let mut served = Served::of(ok()).await;
        served.send(sent).await;
        served.settled().await;
        served.connections.drain();
        assert!(served.closes().await.is_zero(), "{sent:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn heads_are_bounded_each_and_together() {
    let limits = Limits {
        large_heads: super::io::MAX_HEAD,
        ..Limits::default()
    };
    let mut one = Served::with(ok(), limits).await;
    let filler = "x-filler: ".to_owned() + &"x".repeat(20_000) + "\r\n";
    let begin = "GET / HTTP/1.1\r\nhost: podgate\r\n".to_owned() + &filler;
    one.send(&begin).await;
    one.settled().await;
    let mut two = Served::on(one.connections.clone(), ok()).await;
    // The connection ends while it sends, so the rest of the head may not be written.
    let _ = two.peer.write_all(begin.as_bytes()).await;
    assert!(two.closes().await.is_zero());
    one.send("\r\n").await;
    let mut answer = String::new();
    one.peer.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    let connections = one.connections.clone();
    assert!(one.closes().await.is_zero());
    let mut three = Served::on(connections, ok()).await;
    three.send(&begin).await;
    three.send("\r\n").await;
    three.answer().await;
}

#[tokio::test(start_paused = true)]
async fn a_large_body_is_a_connections_last_and_a_small_one_is_not() {
    let read = router(axum::routing::post(async |body: Bytes| {
        assert!(!body.is_empty());
        "ok"
    }));
    let mut served = Served::of(read).await;
    for length in [100, 8000, 20_000] {
        served
            .send(&format!(
                "POST / HTTP/1.1\r\nhost: podgate\r\ncontent-length: {length}\r\n\r\n"
            ))
            .await;
        served.send(&"x".repeat(length)).await;
        served.answer().await;
    }
    assert!(served.closes().await.is_zero());
}

#[tokio::test(start_paused = true)]
async fn each_head_behind_an_answer_has_its_time_from_when_the_answer_is_taken() {
    let mut served = Served::of(large()).await;
    let (begin, end) = GET.split_at(7);
    let limit = Times::default().head;
    served.send(begin).await;
    for _ in 0..3 {
        served.send(end).await;
        served.settled().await;
        served.send(begin).await;
        tokio::time::sleep(limit * 2).await;
        assert_eq!(served.connection.phase(), Phase::Answered);
        let mut answer = Vec::new();
        while !answer.ends_with(&[b'x'; 100_000]) {
            served.peer.read_buf(&mut answer).await.unwrap();
        }
        tokio::time::sleep(limit - Duration::from_secs(1)).await;
        assert_eq!((served.connection.phase(), served.connection.head()), (Phase::Head, 7));
    }
    assert_eq!(served.closes().await.as_secs(), 1);
}

#[test]
fn by_default_connections_take_half_the_files_and_one_address_a_quarter_of_them() {
    for (files, total, per_address, expected) in [
        (None, None, None, (16_384, 4096)),
        (Some(1 << 20), None, None, (16_384, 4096)),
        (Some(32_767), None, None, (16_383, 4095)),
        (Some(1024), None, None, (512, 128)),
        (Some(256), None, Some(7), (128, 7)),
        (Some(1), None, None, (1, 1)),
        (Some(1024), Some(20_000), None, (20_000, 5000)),
    ] {
        let limits = Limits::for_files(files, total, per_address);
        assert_eq!((limits.total, limits.per_address), expected, "{files:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_is_too_large_is_431() {
    let mut served = Served::of(ok()).await;
    let line = "x-filler: ".to_owned() + &"x".repeat(20_000) + "\r\n";
    let head = "GET / HTTP/1.1\r\nhost: podgate\r\n".to_owned() + &line.repeat(6);
    let _ = served.peer.write_all(head.as_bytes()).await;
    let mut answer = [0; 12];
    served.peer.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 431");
}
