//! The HTTP stack below a [`super::Client`], and the connector that limits an untrusted source to
//! allowed addresses.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::BoxFuture;
use http::{Uri, header::PROXY_AUTHORIZATION};
use hyper::rt::{Read, Write};
use hyper_rustls::{DefaultServerNameResolver, FixedServerNameResolver, HttpsConnector, ResolveServerName};
use hyper_util::{
    client::legacy::{
        Builder,
        connect::{
            Connection, HttpConnector,
            proxy::{SocksV5, Tunnel},
        },
    },
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use jiff::Timestamp;
use kube::{Config, client::ConfigExt};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{net::TcpStream, sync::oneshot};
use tower::{BoxError, Service, ServiceBuilder};

use super::{
    Client, Policy, explain,
    forward::Forward,
    plug_in,
    proxy::{Environment, Kind, Proxy, ProxyError},
    tls,
};
use crate::{
    Error, Source,
    error::{Failure, Result},
    source::{InvalidSource, Loaded},
};

/// The interval of TCP keep-alive probes, which detect a vanished peer on streams that may be
/// silent for hours.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// The most bytes that a connection reads ahead of its reader. It also bounds the head of a
/// response.
const MAX_BUFFER: usize = 32 << 10;

/// A client, and the source that it was made from.
#[derive(Clone)]
pub(super) struct BuiltClient {
    pub(super) client: Client,
    pub(super) loaded: Loaded,
    /// When the credential must be renewed.
    pub(super) expires: Option<Timestamp>,
}

/// Reads a source on a separate thread, because a file may block for any time and must delay
/// neither the runtime nor its shutdown.
pub(super) fn load(source: &Source) -> Result<oneshot::Receiver<std::result::Result<Loaded, InvalidSource>>> {
    let (sender, loaded) = oneshot::channel();
    let source = source.clone();
    let started = std::thread::Builder::new()
        .name("credential".to_owned())
        .spawn(move || {
            let _ = sender.send(source.load());
        });
    started.map_err(|error| {
        Error::upstream(
            "the start of a thread to read a credential",
            Failure::Other(error.to_string().into()),
        )
    })?;
    Ok(loaded)
}

/// Makes a client. This reads the source's files, runs its exec plug-in and prepares TLS, but does
/// not connect.
pub(super) async fn build(source: Source, cluster: String, policy: Policy) -> Result<BuiltClient> {
    let unusable = |InvalidSource(why): InvalidSource| {
        Error::upstream(
            format!("preparing the connection to cluster `{cluster}`"),
            Failure::Other(why.into()),
        )
    };
    let gone = || InvalidSource("its credential could not be read".to_owned());
    let read = load(&source)?.await.unwrap_or_else(|_| Err(gone()));
    let loaded = read.map_err(unusable)?;
    let mut ready = loaded.clone();
    let mut expires = None;
    if let Some(exec) = &loaded.exec {
        let issued = plug_in::run(exec, loaded.authorities(), &cluster, &policy)
            .await
            .map_err(|why| unusable(InvalidSource(why)))?;
        expires = issued.expires;
        ready.certificate = issued.certificate;
        if let Some(token) = issued.token {
            ready.bear(&token).map_err(unusable)?;
        }
    }
    // This may read the system's authorities.
    let settings = ready.tls();
    let prepared = tokio::task::spawn_blocking(move || Ok((tls::config(&settings)?, settings.name()?)));
    let (config, name) = prepared
        .await
        .map_err(|_| gone())
        .and_then(|prepared| prepared.map_err(InvalidSource))
        .map_err(unusable)?;
    let proxy = proxy_for(&source, &ready).map_err(unusable)?;
    let guard = (!source.is_trusted()).then(|| policy.clone());
    let stack = Stack {
        loaded: &ready,
        config,
        name,
        tcp: Connector::new(&policy, guard),
    };
    let failed = |error| explain::unusable(&error, &cluster);
    let inner = stack.clone().by(proxy.as_ref()).map_err(failed)?;
    let mut client = Client::new(inner, &cluster, &policy, &ready);
    if let Some(proxy) = proxy.as_ref().filter(|proxy| stack.forwards(proxy)) {
        client.inner = stack.forwarding(proxy).map_err(failed)?;
    }
    Ok(BuiltClient {
        client,
        loaded,
        expires,
    })
}

/// Returns the proxy to use: the context's own, or else that of the environment if the source may
/// use it.
fn proxy_for(source: &Source, loaded: &Loaded) -> std::result::Result<Option<Proxy>, InvalidSource> {
    if let Some(proxy) = &loaded.proxy {
        return Ok(Some(proxy.clone()));
    }
    if !source.may_use_environment() {
        return Ok(None);
    }
    Environment::from_process().proxy(&loaded.server).map_err(InvalidSource)
}

/// The settings of the connections to one API server.
#[derive(Clone)]
struct Stack<'a> {
    loaded: &'a Loaded,
    config: Arc<ClientConfig>,
    /// The name to verify in the server's certificate in place of the address's host.
    name: Option<ServerName<'static>>,
    tcp: Connector,
}

impl Stack<'_> {
    /// Returns whether a proxy makes the requests itself, rather than tunnelling them.
    fn forwards(&self, proxy: &Proxy) -> bool {
        self.loaded.server.scheme_str() == Some("http") && proxy.kind != Kind::Socks
    }

    /// Builds the client for the calls that `proxy` forwards, which are all calls except upgrades.
    fn forwarding(self, proxy: &Proxy) -> kube::Result<kube::Client> {
        let (uri, tcp) = (proxy.uri.clone(), self.tcp.clone());
        let mut config = Config::new(self.loaded.server.clone());
        config.headers.clone_from(&self.loaded.headers);
        let authorization = proxy.authorization().map(|value| (PROXY_AUTHORIZATION, value));
        config.headers.extend(authorization);
        if proxy.kind == Kind::Https {
            let tls = HttpsConnector::from((tcp, self.config.clone()));
            self.over(&config, ViaProxy::new(proxy, Forward::new(uri, tls)))
        } else {
            self.over(&config, ViaProxy::new(proxy, Forward::new(uri, tcp)))
        }
    }

    /// Builds the client whose connections reach the API server, directly or through a tunnel.
    fn by(self, proxy: Option<&Proxy>) -> kube::Result<kube::Client> {
        let tcp = self.tcp.clone();
        let mut config = Config::new(with_port(&self.loaded.server));
        config.headers.clone_from(&self.loaded.headers);
        let config = &config;
        let Some(proxy) = proxy else {
            return self.over(config, tcp);
        };
        match proxy.kind {
            Kind::Http => self.over(config, ViaProxy::new(proxy, tunnel(proxy, tcp))),
            // A proxy's certificate is judged as the API server's is, as in Go's http.Transport.
            Kind::Https => {
                let tls = HttpsConnector::from((tcp, self.config.clone()));
                self.over(config, ViaProxy::new(proxy, tunnel(proxy, tls)))
            }
            Kind::Socks => {
                let socks = SocksV5::new(proxy.uri.clone(), tcp);
                let socks = match &proxy.user {
                    Some((name, password)) => socks.with_auth(name.clone(), password.clone()),
                    None => socks,
                };
                self.over(config, ViaProxy::new(proxy, socks))
            }
        }
    }

    /// Builds the client over a connector. The client follows no redirects.
    fn over<C>(self, config: &Config, connector: C) -> kube::Result<kube::Client>
    where
        C: Service<Uri> + Clone + Send + Sync + 'static,
        C::Response: Connection + Read + Write + Send + Unpin + 'static,
        C::Future: Send + 'static,
        C::Error: Into<BoxError>,
    {
        let names: Arc<dyn ResolveServerName + Send + Sync> = match self.name {
            Some(name) => Arc::new(FixedServerNameResolver::new(name)),
            None => Arc::new(DefaultServerNameResolver::default()),
        };
        let https = HttpsConnector::new(connector, self.config, false, names);
        let http = Builder::new(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(60))
            .pool_max_idle_per_host(16)
            .http1_max_buf_size(MAX_BUFFER)
            .build(https);
        let service = ServiceBuilder::new()
            .layer(config.base_uri_layer())
            .layer(config.extra_headers_layer()?)
            .map_err(BoxError::from)
            .service(http);
        Ok(kube::Client::new(service, config.default_namespace.clone()))
    }
}

/// Makes a connector that asks an HTTP proxy for a tunnel, with the proxy's user if it has one.
fn tunnel<C>(proxy: &Proxy, connector: C) -> Tunnel<C> {
    let tunnel = Tunnel::new(proxy.uri.clone(), connector);
    match proxy.authorization() {
        Some(value) => tunnel.with_auth(value),
        None => tunnel,
    }
}

/// Adds the port to an http address that lacks it, because a tunnel would assume the port of https.
fn with_port(server: &Uri) -> Uri {
    if server.scheme_str() != Some("http") || server.port().is_some() {
        return server.clone();
    }
    let authority = format!("{}:80", server.host().unwrap_or_default());
    let path = server.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let built = Uri::builder()
        .scheme("http")
        .authority(authority)
        .path_and_query(path)
        .build();
    built.unwrap_or_else(|_| server.clone())
}

/// A connector through a proxy, whose failures name the proxy.
#[derive(Clone)]
struct ViaProxy<C> {
    proxy: Arc<str>,
    inner: C,
}

impl<C> ViaProxy<C> {
    fn new(proxy: &Proxy, inner: C) -> Self {
        Self {
            proxy: proxy.to_string().into(),
            inner,
        }
    }
}

impl<C> Service<Uri> for ViaProxy<C>
where
    C: Service<Uri>,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    type Response = C::Response;
    type Error = ProxyError;
    type Future = BoxFuture<'static, std::result::Result<C::Response, ProxyError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<std::result::Result<(), ProxyError>> {
        let proxy = self.proxy.clone();
        self.inner.poll_ready(context).map_err(|cause| failed(&proxy, cause))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (proxy, connected) = (self.proxy.clone(), self.inner.call(uri));
        Box::pin(async move { connected.await.map_err(|cause| failed(&proxy, cause)) })
    }
}

fn failed(proxy: &str, cause: impl Into<BoxError>) -> ProxyError {
    ProxyError {
        proxy: proxy.to_owned(),
        cause: cause.into(),
    }
}

/// Connects by TCP.
///
/// With a guard, it resolves the name itself, checks each address, and connects only to allowed
/// ones.
#[derive(Clone)]
struct Connector {
    tcp: HttpConnector,
    guard: Option<Policy>,
}

impl Connector {
    fn new(policy: &Policy, guard: Option<Policy>) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEPALIVE));
        tcp.set_keepalive_interval(Some(KEEPALIVE / 3));
        tcp.set_connect_timeout(Some(policy.connect_timeout));
        Self { tcp, guard }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Attempt<Self::Response>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Attempt<()>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let mut tcp = self.tcp.clone();
        match self.guard.clone() {
            None => Box::pin(async move { Ok(tcp.call(uri).await?) }),
            Some(policy) => Box::pin(guarded(tcp, policy, uri)),
        }
    }
}

type Attempt<T> = std::result::Result<T, BoxError>;

async fn guarded(mut tcp: HttpConnector, policy: Policy, uri: Uri) -> Attempt<TokioIo<TcpStream>> {
    let mut last: BoxError = format!("`{}` has no address", uri.host().unwrap_or_default()).into();
    let addresses = resolve(&policy, &uri).await?;
    // The addresses share the time equally, so that one that drops packets does not use up the time
    // of the others.
    let each = policy.connect_timeout / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    tcp.set_connect_timeout(Some(each));
    for address in addresses {
        // Pass an address instead of the name, so that the connector has nothing left to resolve.
        match tcp.call(format!("http://{address}/").parse()?).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error.into(),
        }
    }
    Err(last)
}

/// Returns the allowed addresses of a host, or an error if none is allowed.
async fn resolve(policy: &Policy, uri: &Uri) -> Attempt<Vec<SocketAddr>> {
    let host = uri
        .host()
        .unwrap_or_default()
        .trim_start_matches('[')
        .trim_end_matches(']');
    let port = uri.port_u16().unwrap_or(443);
    let all = match host.parse::<IpAddr>() {
        Ok(literal) => vec![SocketAddr::new(literal, port)],
        Err(_) => {
            let resolved = tokio::time::timeout(policy.connect_timeout, tokio::net::lookup_host((host, port)));
            resolved.await??.collect()
        }
    };
    let allowed: Vec<_> = all
        .iter()
        .copied()
        .filter(|address| policy.allows(address.ip()))
        .collect();
    match (allowed.is_empty(), all.first()) {
        (true, Some(refused)) => Err(Box::new(Failure::Blocked {
            host: host.into(),
            address: refused.ip(),
        })),
        _ => Ok(allowed),
    }
}
