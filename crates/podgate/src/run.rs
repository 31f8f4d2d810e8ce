//! `podgate serve`: puts the parts together, and ends them.

use std::{io::Write, net::SocketAddr, path::Path, time::Duration};

use podgate_access::{Gate, Sessions, clusters::Clusters, sessions, tickets::Tickets};
use podgate_api::{
    State,
    serve::{Limits, Listening, raise_limit},
};
use podgate_cluster::{Context, FileContext, MemoryBudget, Policy, Registry, Source};
use podgate_index::Index;
use podgate_sim::Sim;
use podgate_store::Store;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    config::{InCluster, Serve},
    demo, page, signal,
};

/// How long WebSockets may take to close once the server stops.
const DRAIN: Duration = Duration::from_secs(10);

/// How often the index releases memory that it no longer uses.
const TIDY: Duration = Duration::from_secs(60);

/// Serves until SIGTERM or SIGINT, then drains.
pub(crate) async fn serve(flags: Serve) -> Result<(), String> {
    let signal = signal::stop()?;
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    let data_dir = flags.data_dir()?;
    let store = open_store(&flags, &data_dir).await?;
    // Everything that can fail comes before the first administrator is created: the password is
    // printed only once, and a failed start must not lose it.
    let listening = Listening::open(flags.listen, flags.tls())?;
    let options = api_options(&flags)?;
    let index = Index::new();
    tasks.spawn(tidy(index.clone(), stop.clone()));
    let policy = Policy {
        allowed_networks: flags.allowed_network.clone().into(),
        max_pods: flags.max_pods_per_cluster,
        bodies: MemoryBudget::new(flags.body_memory),
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
    greet(&flags, listening.address(), made_up.as_deref());
    tasks.spawn({
        let (sessions, stop) = (sessions.clone(), stop.clone());
        async move { sessions.sweep(stop).await }
    });
    tasks.spawn({
        let (sessions, stop) = (sessions.clone(), stop.clone());
        async move { sessions.probe(stop).await }
    });
    let state = State::new(gate, sessions, Tickets::default(), stop.clone(), options);
    tasks.spawn(leave(state.clone(), signal, flags.shutdown_delay, stop.clone()));
    let router = podgate_api::router(state.clone());
    listening.serve(router, &state, stop).await;

    if tokio::time::timeout(DRAIN, state.drained()).await.is_err() {
        tracing::warn!("some WebSockets did not close in time and were cut off");
    }
    tasks.close();
    tasks.wait().await;
    registry.shutdown().await;
    for shop in shops {
        shop.stop().await;
    }
    store.close().await.map_err(|error| error.to_string())
}

/// Waits for the signal, then for load balancers to notice that this server is leaving, and stops
/// it.
async fn leave(state: State, signal: CancellationToken, delay: Duration, stop: CancellationToken) {
    signal.cancelled().await;
    state.leave();
    if !delay.is_zero() {
        tracing::info!(
            ?delay,
            "stopping: /readyz responds 503, and everything else continues until the delay is over"
        );
        tokio::time::sleep(delay).await;
    }
    stop.cancel();
}

/// Tidies the index every minute, on a blocking thread because it may hold the lock for a while.
async fn tidy(index: Index, stop: CancellationToken) {
    while tokio::time::timeout(TIDY, stop.cancelled()).await.is_err() {
        let index = index.clone();
        if let Err(error) = tokio::task::spawn_blocking(move || index.tidy()).await {
            tracing::error!(%error, "tidying the index failed");
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

/// Returns the first administrator's password, or `None` if the operator gave none.
fn admin_password(flags: &Serve) -> Result<Option<String>, String> {
    if let Some(path) = &flags.admin_password_file {
        let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        return Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()));
    }
    Ok(std::env::var("PODGATE_ADMIN_PASSWORD")
        .ok()
        .filter(|password| !password.is_empty()))
}

/// Starts every cluster: those of the flags, the one that Podgate runs in, and those of the
/// database. Returns the simulated ones.
async fn start_clusters(flags: &Serve, data_dir: &Path, clusters: &Clusters) -> Result<Vec<Sim>, String> {
    let started = |error: podgate_access::Denied| format!("cannot start a cluster: {error}");
    let files = Source::from_kubeconfig_files(&flags.kubeconfig).map_err(|error| error.to_string())?;
    flags.warn_of_unknown_contexts(files.iter().map(|file| &file.context));
    for FileContext { key, context } in files {
        let Context { name, original, source } = context;
        let namespaces = flags.namespaces_of(&original, &name);
        if let Err(error) = clusters.start_fixed(&key, &name, &original, source, namespaces).await {
            tracing::error!(context = original, %error, "a cluster of a kubeconfig failed to start");
        }
    }
    let names_files = flags.kubeconfig.iter().any(|file| !file.as_os_str().is_empty());
    match (flags.in_cluster, Source::in_cluster()) {
        (InCluster::Always, None) => {
            return Err(
                "--in-cluster=always found no service account: run Podgate in a pod, or use --kubeconfig".to_owned(),
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
        connections: Limits {
            exempt: flags.trusted_proxy.clone(),
            ..Limits::for_files(raise_limit(), flags.max_connections, flags.max_connections_per_address)
        },
        allowed_hosts: flags.allowed_host.clone(),
        metrics_networks: Some(flags.metrics_network.clone()).filter(|networks| !networks.is_empty()),
        metrics_token,
        stream_memory: flags.stream_memory,
        page: page::page(&flags.base_path),
        features: if flags.demo { vec!["demo"] } else { Vec::new() },
        ..podgate_api::Options::default()
    })
}

/// Prints the address and, if a password was generated, the log-in. Standard error serves if
/// standard output is closed.
fn greet(flags: &Serve, address: SocketAddr, made_up: Option<&str>) {
    let scheme = if flags.tls_cert.is_some() { "https" } else { "http" };
    let mut text = format!("Podgate listens on {scheme}://{address}{}/\n", flags.base_path);
    if let Some(password) = made_up {
        text += &format!("Log in as `admin` with the password `{password}` (it is not shown again)\n");
    }
    let mut stdout = std::io::stdout();
    if stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).is_err() {
        // If both are closed, nobody is there to read it.
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
}
