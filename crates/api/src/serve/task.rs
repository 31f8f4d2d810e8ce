//! The task of one connection: TLS, then HTTP/1.1, until it ends by itself or is ended.

use std::{
    convert::Infallible,
    future::poll_fn,
    net::SocketAddr,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::ConnectInfo,
};
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body::{Body as _, Frame, SizeHint};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, Sleep, sleep_until},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::WaitForCancellationFutureOwned;
use tower::Service;

use super::{
    Times,
    connection::{Connection, Phase},
    io::{Io, MAX_HEAD, SMALL_HEAD},
};

/// The size of the read and write buffers in bytes, and so the bytes of a streamed answer that wait
/// for a peer.
const BUFFER: usize = 128 << 10;

/// Serves one connection. `peer` is its address.
pub(super) async fn run<S>(io: Io<S>, tls: Option<TlsAcceptor>, peer: SocketAddr, router: Router, times: Times)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let connection = io.connection().clone();
    let deadline = Instant::now() + times.head;
    let Some(acceptor) = tls else {
        return serve(io, Supervisor::new(connection, deadline, times), peer, router).await;
    };
    let mut handshake = pin!(tokio::time::timeout_at(deadline, acceptor.accept(io)));
    let accepted = poll_fn(|context| {
        if connection.poll_ended(context) || connection.signals().draining() {
            return Poll::Ready(None);
        }
        let result = ready!(handshake.as_mut().poll(context));
        Poll::Ready(result.ok().and_then(Result::ok))
    });
    if let Some(stream) = accepted.await {
        serve(stream, Supervisor::new(connection, deadline, times), peer, router).await;
    }
}

/// Serves HTTP/1.1 on an open stream.
async fn serve<S>(stream: S, mut supervisor: Supervisor, peer: SocketAddr, router: Router)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let connection = supervisor.connection.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        connection.begin(!request.body().is_end_stream());
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(connection.clone());
        let answer = router.clone().call(request);
        let connection = connection.clone();
        async move { Ok::<_, Infallible>(under_way(answer.await?, connection)) }
    });
    let mut builder = http1::Builder::new();
    // The supervisor has its own time limits, because hyper's sets a timer for every request.
    builder
        .header_read_timeout(None)
        .max_header_size(MAX_HEAD)
        .max_buf_size(BUFFER);
    let mut http = pin!(builder.serve_connection(TokioIo::new(stream), service).with_upgrades());
    poll_fn(|context| {
        if supervisor.connection.poll_ended(context) {
            return Poll::Ready(());
        }
        if supervisor.begins_to_drain() {
            http.as_mut().graceful_shutdown();
        }
        match http.as_mut().poll(context) {
            Poll::Ready(ended) => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection broke off");
                }
                Poll::Ready(())
            }
            Poll::Pending => supervisor.poll(context),
        }
    })
    .await;
}

/// Ends a connection when its time is up or its caller's session ends.
struct Supervisor {
    connection: Connection,
    times: Times,
    timer: Pin<Box<Sleep>>,
    /// Set if the timer is for an arriving head: the value of [`Connection::heads`] before it.
    for_head: Option<u32>,
    session: Option<Session>,
    draining: bool,
}

/// The session of the request that is under way.
struct Session {
    /// The value of [`Connection::requests`] when the session was looked up.
    request: u32,
    over: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Supervisor {
    fn new(connection: Connection, deadline: Instant, times: Times) -> Self {
        Self {
            connection,
            times,
            timer: Box::pin(sleep_until(deadline)),
            for_head: Some(0),
            session: None,
            draining: false,
        }
    }

    /// Returns whether the listener has begun to drain since the last call.
    fn begins_to_drain(&mut self) -> bool {
        let begins = !self.draining && self.connection.signals().draining();
        self.draining |= begins;
        begins
    }

    /// Checks the connection once its task has nothing more to do at once. Ready when it must end.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.connection.settle();
        let phase = self.connection.phase();
        if !phase.under_way() {
            self.session = None;
        } else if self.poll_session(context).is_ready() {
            tracing::debug!("a session has ended: closed a connection with one of its answers under way");
            return Poll::Ready(());
        }
        let in_head = matches!(phase, Phase::Fresh | Phase::Head);
        if in_head && self.draining {
            // A request that has not begun does not delay a shutdown.
            return Poll::Ready(());
        }
        let for_head = in_head.then(|| self.connection.heads());
        if in_head && self.for_head != for_head {
            self.timer.as_mut().reset(Instant::now() + self.times.head);
        }
        self.for_head = for_head;
        while self.timer.as_mut().poll(context).is_ready() {
            let now = Instant::now();
            let deadline = match phase {
                Phase::Fresh | Phase::Head => now,
                Phase::Idle => self.idle_until(now),
                Phase::Busy | Phase::Answered | Phase::Upgraded => now + self.times.idle,
            };
            if deadline <= now {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }

    fn idle_until(&self, now: Instant) -> Instant {
        let signals = self.connection.signals();
        let since = self.connection.idle_since().unwrap_or_else(|| signals.now());
        let idle = Duration::from_micros(signals.now().saturating_sub(since));
        now + self.times.idle.saturating_sub(idle)
    }

    /// Becomes ready when the session of the request under way has ended. It registers with the
    /// session only if a request is not answered at once, which is rare.
    fn poll_session(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let request = self.connection.requests();
        if self.session.as_ref().is_none_or(|session| session.request != request) {
            let revoked = self.connection.request().and_then(|trace| trace.ends_with());
            self.session = revoked.map(|revoked| Session {
                request,
                over: Box::pin(revoked.cancelled_owned()),
            });
        }
        match &mut self.session {
            Some(session) => session.over.as_mut().poll(context),
            None => Poll::Pending,
        }
    }
}

/// Wraps an answer so that the connection learns when hyper has taken its whole body or dropped it.
///
/// After a large request it is the connection's last answer, because hyper's buffer has grown with
/// the request and would stay as large while the connection is idle.
fn under_way(mut response: Response<Body>, connection: Connection) -> Response<Answer> {
    let guard = if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        connection.upgraded();
        None
    } else {
        if connection.received() > SMALL_HEAD {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        Some(UnderWay(connection))
    };
    response.map(|body| Answer { body, _guard: guard })
}

struct Answer {
    body: Body,
    _guard: Option<UnderWay>,
}

struct UnderWay(Connection);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.answered();
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
