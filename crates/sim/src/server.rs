//! The TLS server, and the handling of every request before it reaches its endpoint.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tokio_util::task::TaskTracker;

use crate::auth::{self, Identity};
use crate::call::{Call, Query, Target};
use crate::negotiate::{self, Form};
use crate::object::Kind;
use crate::rbac::{self, Attributes};
use crate::state::{Request, State};
use crate::status::{Answer, Failure};
use crate::{delete, discovery, exec, list, log, protobuf, reviews, watch};

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A listener with its connections. It lives from a start or resume to a pause or stop.
pub(crate) struct Session {
    cut: CancellationToken,
    tasks: TaskTracker,
}

impl Session {
    /// Listens and serves until [`Session::end`] is called or the cluster stops.
    pub(crate) fn begin(listener: TcpListener, tls: TlsAcceptor, state: Arc<State>) -> Session {
        let session = Session {
            cut: state.stop.child_token(),
            tasks: TaskTracker::new(),
        };
        let (cut, tasks) = (session.cut.clone(), session.tasks.clone());
        session.tasks.spawn(async move {
            loop {
                let accepted = tokio::select! {
                    () = cut.cancelled() => return,
                    accepted = listener.accept() => accepted,
                };
                match accepted {
                    Ok((stream, _)) => {
                        let connection = serve(stream, tls.clone(), state.clone(), cut.clone());
                        tasks.spawn(async move {
                            if let Err(error) = Box::pin(connection).await {
                                tracing::debug!(%error, "a connection to the simulated cluster ended");
                            }
                        });
                    }
                    // The process is probably out of file descriptors, so wait for other
                    // connections to end.
                    Err(error) => {
                        tracing::warn!(%error, "the simulated cluster can't accept a connection");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                }
            }
        });
        session
    }

    /// Stops listening, cuts every connection and waits until they are gone.
    pub(crate) async fn end(self) {
        self.cut.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Binds the listening socket.
pub(crate) async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

async fn serve(stream: TcpStream, tls: TlsAcceptor, state: Arc<State>, cut: CancellationToken) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let handshake = tokio::time::timeout(HANDSHAKE, tls.accept(stream));
    let stream = tokio::select! {
        () = cut.cancelled() => return Ok(()),
        stream = handshake => stream??,
    };
    let io = TokioIo::new(Cuttable {
        stream,
        cut: Box::pin(cut.clone().cancelled_owned()),
    });
    let service = hyper::service::service_fn(move |request| {
        let state = state.clone();
        async move { Ok::<_, Infallible>(handle(state, request).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(io, service)
        .with_upgrades();
    tokio::select! {
        () = cut.cancelled() => Ok(()),
        served = connection => served.map_err(io::Error::other),
    }
}

/// A stream that can be cut, even after an upgrade has taken it from the server.
struct Cuttable<S> {
    stream: S,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl<S> Cuttable<S> {
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.cut.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionReset.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Cuttable<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_read(context, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Cuttable<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_write(context, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Handles one request. Records it, applies faults, authenticates it and passes it to its endpoint.
async fn handle(state: Arc<State>, request: http::Request<Incoming>) -> Response {
    let request = request.map(Body::new);
    let whole = request
        .uri()
        .path_and_query()
        .map_or_else(String::new, ToString::to_string);
    let identity = auth::identify(request.headers(), &state.faults);
    state.record(recorded(&request, identity.as_ref().ok()));
    let delay = state.faults.delay(&whole);
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let in_protobuf = wants_protobuf(&state, &request);
    let counter = state.clone();
    let answer = match (state.faults.failure(&whole), identity) {
        (Some(status), _) => Err(Failure::new(
            status,
            "a fault of the simulated cluster fails this request",
        )),
        (None, Ok(identity)) => Box::pin(answer(state, identity, request)).await,
        (None, Err(failure)) => Err(failure),
    };
    let response = match answer {
        Ok(response) => response,
        Err(failure) if in_protobuf => failure.into_protobuf(),
        Err(failure) => failure.into_response(),
    };
    let media_type = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    if media_type.is_some_and(|media_type| media_type.starts_with(protobuf::MEDIA_TYPE.as_bytes())) {
        counter.protobuf_answers.fetch_add(1, Ordering::SeqCst);
    }
    response
}

/// Returns whether the client wants failures in protobuf.
fn wants_protobuf(state: &State, request: &http::Request<Body>) -> bool {
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
    let form = negotiate::form(accept.unwrap_or_default(), !state.faults.protobuf_off());
    form == Ok(Form::Protobuf)
}

fn recorded(request: &http::Request<Body>, identity: Option<&Identity>) -> Request {
    let headers = request.headers();
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Request {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        user: identity.map(|identity| identity.user.name.clone()).unwrap_or_default(),
        impersonated_user: headers.get("impersonate-user").map(text),
        impersonated_groups: headers.get_all("impersonate-group").iter().map(text).collect(),
        accept: headers.get(ACCEPT).map(text).unwrap_or_default(),
    }
}

async fn answer(state: Arc<State>, identity: Identity, request: http::Request<Body>) -> Answer {
    let query = Query::parse(request.uri().query().unwrap_or_default());
    let path = request.uri().path().to_owned();
    let target = Target::parse(&path);
    let named = target.is_some();
    let call = Call {
        state,
        identity,
        target: target.unwrap_or_default(),
        query,
        request,
    };
    let wanted = attributes(&call, (!named).then_some(path.as_str()));
    rbac::authorize(call.user(), &wanted)?;
    if !named {
        return if call.request.method() == Method::GET {
            discovery::answer(&call, &path)
        } else {
            Err(Failure::no_route())
        };
    }
    if !call.target.group.is_empty() {
        return Box::pin(reviews::answer(call)).await;
    }
    let kind = Kind::from_plural(&call.target.resource).filter(|_| call.target.version == "v1");
    let kind = kind.ok_or_else(Failure::no_route)?;
    // `/namespaces/x` names the namespace itself. No other cluster-scoped kind has a path in a
    // namespace.
    if call.target.namespace.is_some() && !kind.namespaced() && kind != Kind::Namespace {
        return Err(Failure::no_route());
    }
    answer_object(call, kind).await
}

async fn answer_object(call: Call, kind: Kind) -> Answer {
    let name = call.target.name.as_deref();
    let method = call.request.method().clone();
    match (method, name, call.target.subresource.as_deref()) {
        (Method::GET, None, None) if call.query.flag("watch") => watch::answer(&call, kind),
        (Method::GET, None, None) => list::answer(&call, kind),
        (Method::GET, Some(_), None) => list::get(&call, kind),
        (Method::DELETE, Some(_), None) => Box::pin(delete::answer(call, kind)).await,
        (Method::GET, Some(_), Some("log")) if kind == Kind::Pod => Ok(Box::pin(log::route(call)).await),
        (Method::GET | Method::POST, Some(_), Some("exec")) if kind == Kind::Pod => {
            let create = Attributes {
                verb: "create".to_owned(),
                ..attributes(&call, None)
            };
            rbac::authorize(call.user(), &create)?;
            Ok(Box::pin(exec::route(call)).await)
        }
        (_, _, None) => Err(Failure::no_method()),
        (_, _, Some("log" | "exec")) if kind == Kind::Pod => Err(Failure::no_method()),
        _ => Err(Failure::no_route()),
    }
}

/// Returns the name to which the field selector of a list or watch restricts it.
fn named_by_selector(call: &Call) -> Option<String> {
    let mut terms = call.query.get("fieldSelector")?.split(',');
    let value = terms.find_map(|term| term.trim().strip_prefix("metadata.name="))?;
    Some(value.trim_start_matches('=').to_owned())
}

/// Returns the attributes of a request, as Kubernetes' `RequestInfoFactory` derives them.
///
/// `path` is set for a request that names no resource.
fn attributes(call: &Call, path: Option<&str>) -> Attributes {
    let target = &call.target;
    let verb = match (call.request.method().as_str(), &target.name) {
        (method, _) if path.is_some() => method.to_lowercase(),
        ("GET" | "HEAD", Some(_)) => "get".to_owned(),
        ("GET" | "HEAD", None) => if call.query.flag("watch") { "watch" } else { "list" }.to_owned(),
        ("POST", _) => "create".to_owned(),
        ("PUT", _) => "update".to_owned(),
        ("DELETE", None) => "deletecollection".to_owned(),
        (method, _) => method.to_lowercase(),
    };
    Attributes {
        verb,
        group: target.group.clone(),
        resource: target.resource.clone(),
        subresource: target.subresource.clone().unwrap_or_default(),
        namespace: target.namespace.clone().unwrap_or_default(),
        name: target
            .name
            .clone()
            .or_else(|| named_by_selector(call))
            .unwrap_or_default(),
        path: path.map(str::to_owned),
    }
}
