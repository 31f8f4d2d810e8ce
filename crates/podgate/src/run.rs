//! `podgate serve`: wiring and shutdown.

use std::{io::Write, net::SocketAddr, path::Path, time::Duration};

use axum::Router;
use axum_server::{Handle, accept::NoDelayAcceptor, tls_rustls::RustlsConfig};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use podgate_access::{Gate, Sessions, clusters::Clusters, sessions, tickets::Tickets};
use podgate_api::State;
use podgate_cluster::{
    Registry, Source,
    client::Policy,
    source::{Context, OfFiles},
};
use podgate_index::Index;
use podgate_sim::Sim;
use podgate_store::Store;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    config::{InCluster, Serve},
    demo,
};

/// How long requests under way may take to end once we are told to stop.
const DRAIN: Duration = Duration::from_secs(10);
/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);

/// How often the index gives up memory that is of no use.
const TIDY: Duration = Duration::from_secs(60);

/// A token that SIGTERM and ^C cancel.
pub(crate) fn stop_signal() -> Result<CancellationToken, String> {
    use tokio::signal::unix::{SignalKind, signal};
    let cannot = |error| format!("cannot listen for signals: {error}");
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        token.cancel();
    });
    Ok(stop)
}

/// Serves until SIGTERM or ^C, then drains.
pub(crate) async fn serve(flags: Serve) -> Result<(), String> {
    let stop = stop_signal()?;
    let tasks = TaskTracker::new();
    let data_dir = flags.data_dir()?;
    let store = open_store(&flags, &data_dir).await?;
    // Whatever may fail comes before the first administrator: its password is shown once, and must not be lost.
    let listening = Listening::open(&flags).await?;
    let options = api_options(&flags)?;
    let index = Index::new();
    tasks.spawn(tidy(index.clone(), stop.clone()));
    let policy = Policy {
        allowed_networks: flags.allowed_network.clone().into(),
        max_pods: flags.max_pods_per_cluster,
        ..Policy::default()
    };
    let registry = Registry::new(index.clone(), policy);
    let clusters = Clusters::new(store.clone(), registry.clone(), index.clone());
    let shops = start_clusters(&flags, &data_dir, &clusters).await?;
    let gate = Gate::new(index, registry.clone(), clusters);

    let sessions = Sessions::new(store.clone(), sessions::Options::default());
    let made_up = sessions
        .ensure_admin(admin_password(&flags)?.as_deref())
        .await
        .map_err(|error| error.to_string())?;
    greet(&flags, listening.address, made_up.as_deref());
    tasks.spawn({
        let (sessions, stop) = (sessions.clone(), stop.clone());
        async move { sessions.sweep(stop).await }
    });
    tasks.spawn({
        let (sessions, stop) = (sessions.clone(), stop.clone());
        async move { sessions.probe(stop).await }
    });
    let state = State::new(gate, sessions, Tickets::default(), stop.clone(), options);
    let served = listening.serve(podgate_api::router(state.clone()), stop.clone()).await;

    // Also when serving failed: whatever runs ends in order.
    stop.cancel();
    if tokio::time::timeout(DRAIN, state.drained()).await.is_err() {
        tracing::warn!("some WebSockets did not close in time: ended them");
    }
    tasks.close();
    tasks.wait().await;
    registry.shutdown().await;
    for shop in shops {
        shop.stop().await;
    }
    store.close().await.map_err(|error| error.to_string())?;
    served
}

/// Tidies the index every minute. It may take the lock for a while, so a thread that may block does it.
async fn tidy(index: Index, stop: CancellationToken) {
    while tokio::time::timeout(TIDY, stop.cancelled()).await.is_err() {
        let index = index.clone();
        if let Err(error) = tokio::task::spawn_blocking(move || index.tidy()).await {
            tracing::error!(%error, "the index could not be tidied");
        }
    }
}

async fn open_store(flags: &Serve, data_dir: &Path) -> Result<Store, String> {
    podgate_store::create_data_dir(data_dir).map_err(|error| error.to_string())?;
    let default = || format!("sqlite:{}", data_dir.join("podgate.db").display());
    let url = flags.database_url.clone().unwrap_or_else(default);
    let opened = Store::open(&url, &data_dir.join("key")).await;
    opened.map_err(|error| error.to_string())
}

/// The first administrator's password, if one is given.
fn admin_password(flags: &Serve) -> Result<Option<String>, String> {
    if let Some(path) = &flags.admin_password_file {
        let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        return Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()));
    }
    Ok(std::env::var("PODGATE_ADMIN_PASSWORD")
        .ok()
        .filter(|password| !password.is_empty()))
}

/// Starts every cluster: of the flags, of the pod we run in, of the database. Returns the simulated ones.
async fn start_clusters(flags: &Serve, data_dir: &Path, clusters: &Clusters) -> Result<Vec<Sim>, String> {
    let started = |error: podgate_access::Denied| format!("cannot start a cluster: {error}");
    let files = Source::from_kubeconfig_files(&flags.kubeconfig).map_err(|error| error.to_string())?;
    for OfFiles { key, context } in files {
        let Context { name, original, source } = context;
        let namespaces = flags.namespaces_of(&original, &name);
        if let Err(error) = clusters.start_fixed(&key, &name, &original, source, namespaces).await {
            tracing::error!(context = original, %error, "a cluster of a kubeconfig could not be started");
        }
    }
    let names_files = flags.kubeconfig.iter().any(|file| !file.as_os_str().is_empty());
    match (flags.in_cluster, Source::in_cluster()) {
        (InCluster::Always, None) => {
            return Err(
                "--in-cluster=always, but there is no service account: run in a pod, or name a --kubeconfig".to_owned(),
            );
        }
        (InCluster::Always, Some(source)) => start_in_cluster(flags, clusters, source).await?,
        (InCluster::Auto, Some(source)) if !names_files && !flags.demo => {
            start_in_cluster(flags, clusters, source).await?;
        }
        (InCluster::Auto | InCluster::Never, _) => {}
    }
    let mut sims = Vec::new();
    if flags.demo {
        for (sim, name, description, source) in demo::start_shops(data_dir).await? {
            clusters
                .start_fixed(&format!("demo:{name}"), &name, &description, source, Vec::new())
                .await
                .map_err(started)?;
            sims.push(sim);
        }
    }
    clusters.start_stored().await.map_err(started)?;
    Ok(sims)
}

async fn start_in_cluster(flags: &Serve, clusters: &Clusters, source: Source) -> Result<(), String> {
    let name = "in-cluster";
    let namespaces = flags.namespaces_of(name, name);
    clusters
        .start_fixed(name, name, "The cluster that Podgate runs in", source, namespaces)
        .await
        .map(drop)
        .map_err(|error| format!("cannot start a cluster: {error}"))
}

fn api_options(flags: &Serve) -> Result<podgate_api::Options, String> {
    let metrics_token = flags
        .metrics_token_file
        .as_ref()
        .map(|path| std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display())))
        .transpose()?
        .map(|token| token.trim().to_owned());
    if metrics_token.as_deref() == Some("") {
        return Err("the file of --metrics-token-file is empty: write a token into it".to_owned());
    }
    Ok(podgate_api::Options {
        base_path: flags.base_path.clone(),
        public_url: flags.public_url.clone(),
        allowed_origins: flags.allowed_origin.clone(),
        trusted_proxies: flags.trusted_proxy.clone(),
        https: flags.tls_cert.is_some(),
        metrics_networks: flags.metrics_network.clone(),
        metrics_token,
        stream_memory: flags.stream_memory,
        ..podgate_api::Options::default()
    })
}

/// An open listener. What connects before [`Listening::serve`] waits.
struct Listening {
    listener: std::net::TcpListener,
    address: SocketAddr,
    tls: Option<RustlsConfig>,
}

impl Listening {
    /// Listens where the flags say, with their certificate.
    async fn open(flags: &Serve) -> Result<Self, String> {
        let tls = match (&flags.tls_cert, &flags.tls_key) {
            (Some(cert), Some(key)) => {
                let config = RustlsConfig::from_pem_file(cert, key)
                    .await
                    .map_err(|error| format!("cannot use {} with {}: {error}", cert.display(), key.display()))?;
                Some(config)
            }
            _ => None,
        };
        let cannot = |error: std::io::Error| format!("cannot listen on {}: {error}", flags.listen);
        let listener = std::net::TcpListener::bind(flags.listen).map_err(cannot)?;
        listener.set_nonblocking(true).map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        Ok(Self { listener, address, tls })
    }

    /// Serves until told to stop and drained.
    async fn serve(self, app: Router, stop: CancellationToken) -> Result<(), String> {
        let ended = |error: std::io::Error| format!("the server ended: {error}");
        let handle = Handle::new();
        let drain = handle.clone();
        let watcher = tokio::spawn(async move {
            stop.cancelled().await;
            drain.graceful_shutdown(Some(DRAIN));
        });
        let service = app.into_make_service_with_connect_info::<SocketAddr>();
        let served = match self.tls {
            Some(config) => {
                let server = axum_server::from_tcp_rustls(self.listener, config)
                    .map_err(ended)?
                    .handle(handle);
                let mut server = server.map(|acceptor| acceptor.acceptor(NoDelayAcceptor::new()));
                limit_heads(server.http_builder());
                server.serve(service).await
            }
            None => {
                let server = axum_server::from_tcp(self.listener).map_err(ended)?.handle(handle);
                let mut server = server.acceptor(NoDelayAcceptor::new());
                limit_heads(server.http_builder());
                server.serve(service).await
            }
        };
        watcher.abort();
        served.map_err(ended)
    }
}

/// A client that dawdles over its request's head does not hold a connection.
fn limit_heads(builder: &mut hyper_util::server::conn::auto::Builder<TokioExecutor>) {
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT);
}

/// Says where we listen, and the log-in where no one else can know it: on standard error if standard output is closed.
fn greet(flags: &Serve, address: SocketAddr, made_up: Option<&str>) {
    let scheme = if flags.tls_cert.is_some() { "https" } else { "http" };
    let mut text = format!("Podgate listens on {scheme}://{address}{}/\n", flags.base_path);
    if let Some(password) = made_up {
        text += &format!("Log in as `admin` with the password `{password}` (it is not shown again)\n");
    }
    let mut stdout = std::io::stdout();
    if stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).is_err() {
        // Where both are closed nobody listens.
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
}
