//! The HTTP stack below a [`super::Client`], and the connector that lets an untrusted source reach allowed addresses only.

use std::{
    net::{IpAddr, SocketAddr},
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::BoxFuture;
use http::Uri;
use hyper_util::{
    client::legacy::{Builder, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use kube::{
    Config,
    client::{ClientBuilder, ConfigExt},
};
use tokio::net::TcpStream;
use tower::{BoxError, Service, ServiceBuilder};

use super::{Policy, explain};
use crate::{Source, error::Result};

/// Probes of an idle connection, so that a peer that vanished is noticed on streams that may be silent for hours.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Makes a client. Blocks: reads files and runs exec plug-ins. Needs a tokio runtime at hand.
pub(super) fn build(source: &Source, cluster: &str, policy: &Policy) -> Result<kube::Client> {
    let mut config = source
        .config()
        .map_err(|refused| explain::unusable(&refused, cluster))?;
    config.default_retry = false;
    config.connect_timeout = Some(policy.connect_timeout);
    config.read_timeout = None;
    config.write_timeout = None;
    let built = match (source.is_trusted(), &config.proxy_url) {
        (true, Some(_)) => ClientBuilder::try_from(config).map(ClientBuilder::build),
        (true, None) => direct(&config, Connector::new(policy, None)),
        (false, _) => direct(&config, Connector::new(policy, Some(policy.clone()))),
    };
    built.map_err(|error| explain::unusable(&error, cluster))
}

/// Without a proxy. Nothing in it follows a redirect.
fn direct(config: &Config, connector: Connector) -> kube::Result<kube::Client> {
    let auth = config.auth_layer()?;
    let https = config.rustls_https_connector_with_connector(connector)?;
    let http = Builder::new(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_secs(60))
        .pool_max_idle_per_host(16)
        .build(https);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(auth)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(http);
    Ok(kube::Client::new(service, config.default_namespace.clone()))
}

/// An untrusted source names an address that it may not reach.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{host}` leads to {address}, which a cluster added through the API may not reach (this host, its link, or cloud metadata): the operator can \
     allow its network"
)]
pub(super) struct Blocked {
    host: String,
    address: IpAddr,
}

/// Connects by TCP. Guarded, it resolves the name itself, judges each address, and connects to none but those that it judged.
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
    // The time is for all of them: one that drops packets must not take the turn of the next.
    let each = policy.connect_timeout / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    tcp.set_connect_timeout(Some(each));
    for address in addresses {
        // An address instead of the name: the connector has nothing left to resolve.
        match tcp.call(format!("http://{address}/").parse()?).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error.into(),
        }
    }
    Err(last)
}

/// The allowed addresses of a host; an error when none is.
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
        (true, Some(refused)) => Err(Box::new(Blocked {
            host: host.to_owned(),
            address: refused.ip(),
        })),
        _ => Ok(allowed),
    }
}
