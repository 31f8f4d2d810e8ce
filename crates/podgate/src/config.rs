//! The command line. Every flag of `serve` can also be set by a `PODGATE_…` variable.

#![expect(
    clippy::doc_markdown,
    reason = "the docs of flags are their `--help`, which shows backticks"
)]

use std::{
    collections::HashSet,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;
use podgate_cluster::Context;
use podgate_cluster::Policy;
use url::Url;

use self::values::{
    base_path, body_memory, count, file, host_name, http_url, loopback, namespaces, network, origin, rate, seconds,
    stream_memory,
};

mod values;

/// Fast, safe access to the pods of all your Kubernetes clusters, over REST and WebSocket.
#[derive(Debug, Parser)]
#[command(name = "podgate", version)]
pub(crate) struct Cli {
    /// The subcommand.
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the API for your clusters
    Serve(Box<Serve>),
    /// Try Podgate on two simulated clusters; nothing is kept
    Demo(Demo),
    /// Run one simulated cluster and print the path of its kubeconfig
    Sim(Sim),
}

/// The flags of `podgate serve`.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Address to listen on
    #[arg(long, env = "PODGATE_LISTEN", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// Directory of the database and the key file [default: $XDG_DATA_HOME/podgate or
    /// ~/.local/share/podgate]
    #[arg(long, env = "PODGATE_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Database: sqlite://… or postgres://… [default: SQLite in the data directory]
    #[arg(long, env = "PODGATE_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) database_url: Option<String>,
    /// Kubeconfig file; each of its contexts becomes a cluster (repeatable)
    #[arg(long, env = "PODGATE_KUBECONFIG", value_name = "FILE", value_delimiter = ':', value_parser = file)]
    pub(crate) kubeconfig: Vec<PathBuf>,
    /// Watch only these namespaces of a context, for example because its credential may list no
    /// others (repeatable)
    #[arg(long, env = "PODGATE_NAMESPACES", value_name = "CONTEXT=a,b", value_delimiter = ';', value_parser = namespaces)]
    pub(crate) namespaces: Vec<Namespaces>,
    /// Serve the cluster that Podgate runs in, with its pod's service account
    #[arg(long, env = "PODGATE_IN_CLUSTER", value_enum, default_value = "auto")]
    pub(crate) in_cluster: InCluster,
    /// Add two simulated clusters
    #[arg(long, env = "PODGATE_DEMO", value_parser = clap::builder::FalseyValueParser::new())]
    pub(crate) demo: bool,
    /// URL path under which everything is served, such as /podgate
    #[arg(long, env = "PODGATE_BASE_PATH", default_value = "", value_parser = base_path)]
    pub(crate) base_path: String,
    /// URL under which browsers reach Podgate
    #[arg(long, env = "PODGATE_PUBLIC_URL", value_name = "URL", value_parser = http_url)]
    pub(crate) public_url: Option<Url>,
    /// Further origin whose pages may call the API (repeatable)
    #[arg(long, env = "PODGATE_ALLOWED_ORIGIN", value_name = "ORIGIN", value_delimiter = ',', value_parser = origin)]
    pub(crate) allowed_origin: Vec<String>,
    /// Further name that a request may have in Host, besides those of --public-url and
    /// --allowed-origin (repeatable)
    #[arg(long, env = "PODGATE_ALLOWED_HOST", value_name = "NAME", value_delimiter = ',', value_parser = host_name)]
    pub(crate) allowed_host: Vec<String>,
    /// Address or network of a proxy whose X-Forwarded-* headers are believed (repeatable)
    #[arg(long, env = "PODGATE_TRUSTED_PROXY", value_name = "CIDR", value_delimiter = ',', value_parser = network)]
    pub(crate) trusted_proxy: Vec<IpNet>,
    /// Loopback or link-local network that clusters added through the API may be in (repeatable)
    #[arg(long, env = "PODGATE_ALLOWED_NETWORK", value_name = "CIDR", value_delimiter = ',', value_parser = network)]
    pub(crate) allowed_network: Vec<IpNet>,
    /// Maximum number of pods of one cluster; they may take 4 KiB of memory each on average
    #[arg(long, env = "PODGATE_MAX_PODS_PER_CLUSTER", value_name = "PODS", default_value_t = 1_000_000, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    pub(crate) max_pods_per_cluster: usize,
    /// Memory for responses from clusters, such as 128Mi; a call that gets none within 5 s fails
    /// with 429001
    #[arg(long, env = "PODGATE_BODY_MEMORY", value_name = "SIZE", value_parser = body_memory, default_value = "128Mi")]
    pub(crate) body_memory: usize,
    /// Network that may read /metrics without a token, except through a proxy (repeatable)
    /// [default: loopback, unless --public-url, --trusted-proxy or --base-path is set]
    #[arg(long, env = "PODGATE_METRICS_NETWORK", value_name = "CIDR", value_delimiter = ',', value_parser = network)]
    pub(crate) metrics_network: Vec<IpNet>,
    /// File with a token that may read /metrics from anywhere
    #[arg(long, env = "PODGATE_METRICS_TOKEN_FILE", value_name = "FILE")]
    pub(crate) metrics_token_file: Option<PathBuf>,
    /// File with the first administrator's password (or set PODGATE_ADMIN_PASSWORD)
    #[arg(long, env = "PODGATE_ADMIN_PASSWORD_FILE", value_name = "FILE")]
    pub(crate) admin_password_file: Option<PathBuf>,
    /// PEM file with the certificate chain; turns on https
    #[arg(long, env = "PODGATE_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// PEM file with the private key of --tls-cert
    #[arg(long, env = "PODGATE_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Memory for all log streams, log downloads, terminals and large frames of live queries
    /// together: bytes, or a number with Ki, Mi or Gi
    #[arg(long, env = "PODGATE_STREAM_MEMORY", value_name = "SIZE", value_parser = stream_memory, default_value = "512Mi")]
    pub(crate) stream_memory: usize,
    /// Maximum number of connections [default: half the limit on open files, at most 16384]
    #[arg(long, env = "PODGATE_MAX_CONNECTIONS", value_name = "N", value_parser = count)]
    pub(crate) max_connections: Option<usize>,
    /// Maximum number of connections from one IPv4 address or IPv6 /64, except from a
    /// --trusted-proxy [default: a quarter of --max-connections]
    #[arg(long, env = "PODGATE_MAX_CONNECTIONS_PER_ADDRESS", value_name = "N", value_parser = count)]
    pub(crate) max_connections_per_address: Option<usize>,
    /// How long to keep serving after SIGTERM while /readyz already responds 503, so that load
    /// balancers notice, such as 10s
    #[arg(long, env = "PODGATE_SHUTDOWN_DELAY", value_name = "SECONDS", default_value = "0s", value_parser = seconds)]
    pub(crate) shutdown_delay: Duration,
    /// Format of the log on standard error
    #[arg(long, env = "PODGATE_LOG_FORMAT", value_enum, default_value = "text")]
    pub(crate) log_format: LogFormat,
}

/// The namespaces of a context that are watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Namespaces {
    /// The context's name as in its file, or its cluster's name.
    pub(crate) context: String,
    /// At least one.
    pub(crate) names: Vec<String>,
}

/// The use of the service account of the pod that Podgate runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum InCluster {
    /// Use it if there is one and neither --kubeconfig nor --demo is set.
    Auto,
    /// Use it, and fail to start without one.
    Always,
    /// Do not use it.
    Never,
}

/// The format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// The flags of `podgate demo`.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Address to listen on
    #[arg(long, env = "PODGATE_LISTEN", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
}

/// The flags of `podgate sim`.
#[derive(Debug, Args)]
pub(crate) struct Sim {
    /// Objects that the cluster starts with
    #[arg(long, value_enum, default_value = "synthetic")]
    pub(crate) content: Content,
    /// Name of the cluster and of its context; `staging` has a shop of its own
    #[arg(long, default_value = "sim", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) name: String,
    /// Number of pods of synthetic content
    #[arg(long, default_value_t = 1000)]
    pub(crate) pods: usize,
    /// Number of nodes
    #[arg(long, default_value_t = 20)]
    pub(crate) nodes: usize,
    /// Number of namespaces
    #[arg(long, default_value_t = 20)]
    pub(crate) namespaces: usize,
    /// Pod changes per second
    #[arg(long, default_value_t = 0.0, value_name = "EVENTS_PER_SECOND", value_parser = rate)]
    pub(crate) churn: f64,
    /// Loopback address to listen on; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:0", value_parser = loopback)]
    pub(crate) listen: SocketAddr,
    /// Loopback address that takes operations on the cluster as JSON, for tests of the web page
    #[arg(long, hide = true, value_parser = loopback)]
    pub(crate) control: Option<SocketAddr>,
}

/// The objects that a simulated cluster starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Content {
    /// Many ordinary pods.
    Synthetic,
    /// The demo's small shop.
    Shop,
    /// One node, no pods.
    Empty,
}

impl Serve {
    /// Returns the flags with which `podgate demo` serves.
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

    /// Returns the namespaces given for a context, by its own name or its cluster's. Empty means
    /// all.
    pub(crate) fn namespaces_of(&self, context: &str, cluster: &str) -> Vec<String> {
        let named = self
            .namespaces
            .iter()
            .filter(|named| named.context == context || named.context == cluster);
        named.flat_map(|named| named.names.clone()).collect()
    }

    /// Returns the files of the certificate chain and the key, or `None` without https.
    pub(crate) fn tls(&self) -> Option<(&Path, &Path)> {
        self.tls_cert.as_deref().zip(self.tls_key.as_deref())
    }

    /// Logs each `--namespaces` that names an unknown context.
    pub(crate) fn warn_of_unknown_contexts<'a>(&self, contexts: impl Iterator<Item = &'a Context>) {
        let known: HashSet<_> = contexts
            .flat_map(|context| [&*context.original, &*context.name])
            .collect();
        let unknown = |named: &&Namespaces| named.context != "in-cluster" && !known.contains(&*named.context);
        for Namespaces { context, .. } in self.namespaces.iter().filter(unknown) {
            tracing::warn!(context, "no kubeconfig has the context that --namespaces names");
        }
    }

    /// Returns the data directory: that of the flag, else the one of the XDG base directory
    /// specification.
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
            .ok_or_else(|| "there is no home directory for the database: set --data-dir".to_owned())
    }
}

#[cfg(test)]
mod tests;
