//! The command line. Every flag of `serve` has its `PODGATE_…` variable.

use std::{
    collections::HashSet,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;
use podgate_cluster::client::Policy;
use podgate_cluster::source::Context;
use url::Url;

use self::values::{
    base_path, body_memory, count, file, host_name, http_url, loopback, namespaces, network, origin, rate, seconds,
    stream_memory,
};

mod values;

/// The pod platform for every Kubernetes cluster you have.
#[derive(Debug, Parser)]
#[command(name = "podgate", version)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the API
    Serve(Box<Serve>),
    /// Serve a simulated shop on two clusters, from a throw-away data directory
    Demo(Demo),
    /// Run a simulated cluster alone; prints the path of its kubeconfig
    Sim(Sim),
}

/// Flags of `podgate serve`.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Address to listen on
    #[arg(long, env = "PODGATE_LISTEN", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// Where the database and the key file are kept [default: $XDG_DATA_HOME/podgate, else ~/.local/share/podgate]
    #[arg(long, env = "PODGATE_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// sqlite://… or postgres://… [default: SQLite in the data directory]
    #[arg(long, env = "PODGATE_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) database_url: Option<String>,
    /// A kubeconfig each context of which becomes a cluster (repeatable)
    #[arg(long, env = "PODGATE_KUBECONFIG", value_name = "FILE", value_delimiter = ':', value_parser = file)]
    pub(crate) kubeconfig: Vec<PathBuf>,
    /// The namespaces to watch of a --kubeconfig's context, where its credential may not list all (repeatable)
    #[arg(long, env = "PODGATE_NAMESPACES", value_name = "CONTEXT=a,b", value_delimiter = ';', value_parser = namespaces)]
    pub(crate) namespaces: Vec<Namespaces>,
    /// Serve the cluster that we run in, with the pod's own service account
    #[arg(long, env = "PODGATE_IN_CLUSTER", value_enum, default_value = "auto")]
    pub(crate) in_cluster: InCluster,
    /// Add two simulated clusters
    #[arg(long, env = "PODGATE_DEMO", value_parser = clap::builder::FalseyValueParser::new())]
    pub(crate) demo: bool,
    /// Path under which everything is served, such as /podgate
    #[arg(long, env = "PODGATE_BASE_PATH", default_value = "", value_parser = base_path)]
    pub(crate) base_path: String,
    /// The address under which browsers reach us
    #[arg(long, env = "PODGATE_PUBLIC_URL", value_name = "URL", value_parser = http_url)]
    pub(crate) public_url: Option<Url>,
    /// An origin beside our own whose pages may call us (repeatable)
    #[arg(long, env = "PODGATE_ALLOWED_ORIGIN", value_name = "ORIGIN", value_delimiter = ',', value_parser = origin)]
    pub(crate) allowed_origin: Vec<String>,
    /// A name beside those of --public-url and --allowed-origin that a request may have in Host (repeatable)
    #[arg(long, env = "PODGATE_ALLOWED_HOST", value_name = "NAME", value_delimiter = ',', value_parser = host_name)]
    pub(crate) allowed_host: Vec<String>,
    /// A network whose X-Forwarded-* headers we believe (repeatable)
    #[arg(long, env = "PODGATE_TRUSTED_PROXY", value_name = "CIDR", value_delimiter = ',', value_parser = network)]
    pub(crate) trusted_proxy: Vec<IpNet>,
    /// A loopback or link-local network that clusters added through the API may be in (repeatable)
    #[arg(long, env = "PODGATE_ALLOWED_NETWORK", value_name = "CIDR", value_delimiter = ',', value_parser = network)]
    pub(crate) allowed_network: Vec<IpNet>,
    /// The most pods that are kept of one cluster; together they may take 4 KiB of memory each
    #[arg(long, env = "PODGATE_MAX_PODS_PER_CLUSTER", value_name = "PODS", default_value_t = 1_000_000, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    pub(crate) max_pods_per_cluster: usize,
    /// What the answers of clusters may take of memory together, such as 128Mi; a call waits for its part, and then fails with 429001
    #[arg(long, env = "PODGATE_BODY_MEMORY", value_name = "SIZE", value_parser = body_memory, default_value = "128Mi")]
    pub(crate) body_memory: usize,
    /// A network that may read /metrics without a token, but not through a proxy (repeatable) [default: loopback, unless there is a --public-url, --trusted-proxy or --base-path]
    #[arg(long, env = "PODGATE_METRICS_NETWORK", value_name = "CIDR", value_delimiter = ',', value_parser = network)]
    pub(crate) metrics_network: Vec<IpNet>,
    /// A file with the token that may read /metrics from anywhere
    #[arg(long, env = "PODGATE_METRICS_TOKEN_FILE", value_name = "FILE")]
    pub(crate) metrics_token_file: Option<PathBuf>,
    /// A file with the first administrator's password (or set PODGATE_ADMIN_PASSWORD)
    #[arg(long, env = "PODGATE_ADMIN_PASSWORD_FILE", value_name = "FILE")]
    pub(crate) admin_password_file: Option<PathBuf>,
    /// A PEM file with our certificate chain: serve https
    #[arg(long, env = "PODGATE_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// A PEM file with our private key
    #[arg(long, env = "PODGATE_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Memory that log streams, log downloads and terminals may take together: bytes, or a number with Ki, Mi or Gi
    #[arg(long, env = "PODGATE_STREAM_MEMORY", value_name = "SIZE", value_parser = stream_memory, default_value = "512Mi")]
    pub(crate) stream_memory: usize,
    /// Connections at once in all [default: half the limit on open files, at most 16384]
    #[arg(long, env = "PODGATE_MAX_CONNECTIONS", value_name = "N", value_parser = count)]
    pub(crate) max_connections: Option<usize>,
    /// Connections at once from one address, unless it is a trusted proxy's [default: a quarter of --max-connections]
    #[arg(long, env = "PODGATE_MAX_CONNECTIONS_PER_ADDRESS", value_name = "N", value_parser = count)]
    pub(crate) max_connections_per_address: Option<usize>,
    /// Time from SIGTERM, when /readyz turns 503, to the end of serving: as long as a load balancer takes to notice, such as 10s
    #[arg(long, env = "PODGATE_SHUTDOWN_DELAY", value_name = "SECONDS", default_value = "0s", value_parser = seconds)]
    pub(crate) shutdown_delay: Duration,
    /// How the log on standard error looks
    #[arg(long, env = "PODGATE_LOG_FORMAT", value_enum, default_value = "text")]
    pub(crate) log_format: LogFormat,
}

/// The namespaces to watch of a context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Namespaces {
    /// The context's name as its file has it, or its cluster's name.
    pub(crate) context: String,
    /// At least one.
    pub(crate) names: Vec<String>,
}

/// Whether to use the service account of the pod that we run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum InCluster {
    /// If there is one and no kubeconfig is named.
    Auto,
    /// Fail without one.
    Always,
    /// Never.
    Never,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people.
    Text,
    /// An object a line.
    Json,
}

/// Flags of `podgate demo`.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Address to listen on
    #[arg(long, env = "PODGATE_LISTEN", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
}

/// Flags of `podgate sim`.
#[derive(Debug, Args)]
pub(crate) struct Sim {
    /// Number of pods
    #[arg(long)]
    pub(crate) pods: usize,
    /// Number of nodes
    #[arg(long, default_value_t = 20)]
    pub(crate) nodes: usize,
    /// Number of namespaces
    #[arg(long, default_value_t = 20)]
    pub(crate) namespaces: usize,
    /// Changes of pods a second
    #[arg(long, default_value_t = 0.0, value_name = "EVENTS_PER_SECOND", value_parser = rate)]
    pub(crate) churn: f64,
    /// Loopback address to listen on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0", value_parser = loopback)]
    pub(crate) listen: SocketAddr,
}

impl Serve {
    /// The flags of `podgate demo`.
    pub(crate) fn for_demo(listen: SocketAddr, data_dir: &Path) -> Self {
        Self {
            listen,
            data_dir: Some(data_dir.to_owned()),
            database_url: None,
            kubeconfig: Vec::new(),
            namespaces: Vec::new(),
            in_cluster: InCluster::Never,
            demo: true,
            base_path: String::new(),
            public_url: None,
            allowed_origin: Vec::new(),
            allowed_host: Vec::new(),
            trusted_proxy: Vec::new(),
            allowed_network: Vec::new(),
            max_pods_per_cluster: Policy::default().max_pods,
            body_memory: 128 << 20,
            metrics_network: Vec::new(),
            metrics_token_file: None,
            admin_password_file: None,
            tls_cert: None,
            tls_key: None,
            stream_memory: 512 << 20,
            max_connections: None,
            max_connections_per_address: None,
            shutdown_delay: Duration::ZERO,
            log_format: LogFormat::Text,
        }
    }

    /// The namespaces that are named for a context, by its own or its cluster's name; empty: all.
    pub(crate) fn namespaces_of(&self, context: &str, cluster: &str) -> Vec<String> {
        let named = self
            .namespaces
            .iter()
            .filter(|named| named.context == context || named.context == cluster);
        named.flat_map(|named| named.names.clone()).collect()
    }

    /// The files of certificate chain and key, if https is to be served.
    pub(crate) fn tls(&self) -> Option<(&Path, &Path)> {
        self.tls_cert.as_deref().zip(self.tls_key.as_deref())
    }

    /// Says in the log which `--namespaces` name none of the contexts.
    pub(crate) fn warn_of_unknown_contexts<'a>(&self, contexts: impl Iterator<Item = &'a Context>) {
        let known: HashSet<_> = contexts
            .flat_map(|context| [&*context.original, &*context.name])
            .collect();
        let unknown = |named: &&Namespaces| named.context != "in-cluster" && !known.contains(&*named.context);
        for Namespaces { context, .. } in self.namespaces.iter().filter(unknown) {
            tracing::warn!(context, "--namespaces names a context that no kubeconfig has");
        }
    }

    /// The data directory, as flagged or by the XDG base directory rules.
    pub(crate) fn data_dir(&self) -> Result<PathBuf, String> {
        if let Some(dir) = &self.data_dir {
            return Ok(dir.clone());
        }
        let absolute = |name: &str| {
            std::env::var_os(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        absolute("XDG_DATA_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
            .map(|base| base.join("podgate"))
            .ok_or_else(|| "there is no home directory to keep the database in: name one with --data-dir".to_owned())
    }
}

#[cfg(test)]
mod tests;
