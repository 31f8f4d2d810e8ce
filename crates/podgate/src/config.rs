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

/// A path, which may be empty: an entry of `PODGATE_KUBECONFIG` that is left out.
fn file(text: &str) -> Result<PathBuf, std::convert::Infallible> {
    Ok(PathBuf::from(text))
}

/// `CONTEXT=a,b`, of which the context's name may hold `=`.
fn namespaces(text: &str) -> Result<Namespaces, String> {
    let usage = || "takes a context and its namespaces, such as prod=shop,staging".to_owned();
    let (context, names) = text.rsplit_once('=').ok_or_else(usage)?;
    let names: Vec<String> = names
        .split(',')
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    let label = |name: &String| {
        let inner = name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        inner && name.len() <= 63 && !name.starts_with('-') && !name.ends_with('-')
    };
    if context.is_empty() || names.is_empty() || !names.iter().all(label) {
        return Err(usage());
    }
    Ok(Namespaces {
        context: context.to_owned(),
        names,
    })
}

/// `""`, or a path with a slash at its front and none at its end.
fn base_path(text: &str) -> Result<String, String> {
    let path = text.trim_end_matches('/');
    let segments_are_plain = path.split('/').skip(1).all(|segment| {
        !segment.is_empty()
            && segment
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
            && !matches!(segment, "." | "..")
    });
    if path.is_empty() || (path.starts_with('/') && segments_are_plain) {
        Ok(path.to_owned())
    } else {
        Err("a base path looks like /podgate: slashes between letters, digits and -._~".to_owned())
    }
}

fn http_url(text: &str) -> Result<Url, String> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => Ok(url),
        _ => Err("takes an http:// or https:// address".to_owned()),
    }
}

/// An origin as a browser sends it: scheme, host, port, no path (RFC 6454, section 6.1).
fn origin(text: &str) -> Result<String, String> {
    let url = http_url(text)?;
    match url.path() {
        "" | "/" => Ok(url.origin().ascii_serialization()),
        _ => Err("an origin is scheme, host and port only, such as https://portal.example.com".to_owned()),
    }
}

/// The name of a host, without scheme, port or path.
fn host_name(text: &str) -> Result<String, String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if !text.is_empty() && text.bytes().all(is_plain) {
        return Ok(text.to_owned());
    }
    Err("takes the name of a host such as podgate.internal, without scheme and port".to_owned())
}

/// A network, or a single address.
fn network(text: &str) -> Result<IpNet, String> {
    text.parse()
        .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
        .map_err(|_| "takes a network such as 10.0.0.0/8 or an address".to_owned())
}

/// A number of bytes, written as Kubernetes writes memory.
fn size(text: &str) -> Result<usize, String> {
    let (number, shift) = match text.split_at_checked(text.len().saturating_sub(2)) {
        Some((number, "Ki")) => (number, 10),
        Some((number, "Mi")) => (number, 20),
        Some((number, "Gi")) => (number, 30),
        _ => (text, 0),
    };
    let bytes = number
        .parse::<usize>()
        .ok()
        .and_then(|number| number.checked_mul(1 << shift));
    bytes.ok_or_else(|| "takes a number of bytes, or one with Ki, Mi or Gi, such as 512Mi".to_owned())
}

/// As [`size`], and enough for one terminal.
fn stream_memory(text: &str) -> Result<usize, String> {
    let bytes = size(text)?;
    if bytes < 2 << 20 {
        return Err("takes at least 2Mi, which one terminal may need".to_owned());
    }
    Ok(bytes)
}

fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 1..=1_000_000) => Ok(count),
        _ => Err("takes a number from 1 to 1000000".to_owned()),
    }
}

/// Whole seconds up to an hour, with or without their unit.
fn seconds(text: &str) -> Result<Duration, String> {
    match text.strip_suffix('s').unwrap_or(text).parse() {
        Ok(seconds @ 0..=3600) => Ok(Duration::from_secs(seconds)),
        _ => Err("takes seconds from 0 to 3600, such as 10s".to_owned()),
    }
}

/// As [`size`], and enough for the largest answer, with what is made of it.
fn body_memory(text: &str) -> Result<usize, String> {
    let bytes = size(text)?;
    if bytes < 64 << 20 {
        return Err("takes at least 64Mi, which one large answer may need".to_owned());
    }
    Ok(bytes)
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && (0.0..=100_000.0).contains(&rate) => Ok(rate),
        _ => Err("takes a number of events a second from 0 to 100000".to_owned()),
    }
}

fn loopback(text: &str) -> Result<SocketAddr, String> {
    match text.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Ok(address),
        _ => Err("takes a loopback address such as 127.0.0.1:0: its credentials are public".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use clap::CommandFactory;

    use super::*;

    fn serve(args: &[&str]) -> Result<Serve, clap::Error> {
        Cli::try_parse_from(["podgate", "serve"].iter().chain(args)).map(|cli| match cli.command {
            Command::Serve(serve) => *serve,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_of_serve_has_its_variable() {
        let command = Cli::command();
        let serve = command.find_subcommand("serve").unwrap();
        for arg in serve
            .get_arguments()
            .filter(|arg| arg.get_id() != "help" && arg.get_id() != "version")
        {
            let variable = format!("PODGATE_{}", arg.get_id().as_str().to_uppercase());
            assert_eq!(arg.get_env().and_then(|name| name.to_str()), Some(variable.as_str()));
        }
    }

    #[test]
    fn base_paths_are_normalised_or_refused() {
        assert_eq!(serve(&["--base-path", "/a/b/"]).unwrap().base_path, "/a/b");
        assert_eq!(serve(&["--base-path", "/"]).unwrap().base_path, "");
        for wrong in ["a", "/a//b", "/../b", "/a b", "/a?b", "/{a}"] {
            assert!(serve(&["--base-path", wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn origins_have_no_path() {
        assert_eq!(
            serve(&["--allowed-origin", "https://A.example:443/"])
                .unwrap()
                .allowed_origin,
            ["https://a.example"]
        );
        for wrong in ["https://a.example/x", "a.example", "ftp://a.example", "null", "*"] {
            assert!(serve(&["--allowed-origin", wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn hosts_are_names_alone() {
        let hosts = serve(&["--allowed-host", "a.example,b", "--allowed-host", "c_d.example."]);
        assert_eq!(hosts.unwrap().allowed_host, ["a.example", "b", "c_d.example."]);
        for wrong in ["", "a.example:80", "https://a.example", "a/b", "*", "[::1]"] {
            assert!(serve(&["--allowed-host", wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_metrics_network_that_is_named_is_told_from_the_default() {
        assert!(serve(&[]).unwrap().metrics_network.is_empty());
        let named = serve(&["--metrics-network", "127.0.0.1"]).unwrap().metrics_network;
        assert_eq!(named, ["127.0.0.1/32".parse().unwrap()]);
    }

    #[test]
    fn a_network_may_be_one_address() {
        let networks = serve(&["--trusted-proxy", "10.0.0.0/8", "--trusted-proxy", "192.0.2.1"])
            .unwrap()
            .trusted_proxy;
        assert_eq!(
            networks,
            ["10.0.0.0/8".parse().unwrap(), "192.0.2.1/32".parse().unwrap()]
        );
    }

    #[test]
    fn an_entry_of_the_kubeconfig_files_may_be_empty() {
        let files = serve(&["--kubeconfig", "a::b:"]).unwrap().kubeconfig;
        assert_eq!(files, ["a", "", "b", ""].map(PathBuf::from));
    }

    #[test]
    fn namespaces_are_named_for_a_context() {
        let flags = serve(&["--namespaces", "a=b=shop, staging,;Prod=x", "--namespaces", "prod=y"]).unwrap();
        assert_eq!(flags.namespaces_of("a=b", "a-b"), ["shop", "staging"]);
        assert_eq!(flags.namespaces_of("Prod", "prod"), ["x", "y"]);
        assert!(flags.namespaces_of("b", "b").is_empty());
        for wrong in ["prod", "=shop", "prod=", "prod=Shop", "prod=a/b"] {
            assert!(serve(&["--namespaces", wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn memory_is_written_as_in_kubernetes() {
        for (text, bytes) in [
            ("2097152", 2 << 20),
            ("2048Ki", 2 << 20),
            ("64Mi", 64 << 20),
            ("2Gi", 2 << 30),
        ] {
            assert_eq!(serve(&["--stream-memory", text]).unwrap().stream_memory, bytes);
        }
        for wrong in ["", "Mi", "1M", "-1", "1.5Gi", "1Mi", "99999999999Gi", "é"] {
            assert!(serve(&["--stream-memory", wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_memory_of_answers_is_enough_for_one() {
        for (text, bytes) in [
            ("128Mi", 128 << 20),
            ("1Gi", 1 << 30),
            ("67108864", 64 << 20),
            ("65536Ki", 64 << 20),
        ] {
            assert_eq!(serve(&["--body-memory", text]).unwrap().body_memory, bytes);
        }
        for wrong in ["63Mi", "128MB", "-1", "Mi", "99999999999999999999Gi", ""] {
            assert!(serve(&["--body-memory", wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_certificate_needs_its_key() {
        assert!(serve(&["--tls-cert", "a.pem"]).is_err());
        assert!(serve(&["--tls-cert", "a.pem", "--tls-key", "b.pem"]).is_ok());
    }

    #[test]
    fn numbers_of_connections_and_seconds_are_bounded() {
        let flags = serve(&["--max-connections", "64", "--shutdown-delay", "10s"]).unwrap();
        assert_eq!(
            (flags.max_connections, flags.max_connections_per_address),
            (Some(64), None)
        );
        assert_eq!(flags.shutdown_delay, Duration::from_secs(10));
        assert_eq!(
            serve(&["--shutdown-delay", "7"]).unwrap().shutdown_delay,
            Duration::from_secs(7)
        );
        assert!(serve(&[]).unwrap().shutdown_delay.is_zero());
        for wrong in ["-1", "1m", "s", "", "3601", "1.5"] {
            assert!(serve(&["--shutdown-delay", wrong]).is_err(), "{wrong}");
        }
        for wrong in ["0", "-1", "1000001", "many"] {
            assert!(serve(&["--max-connections", wrong]).is_err(), "{wrong}");
            assert!(serve(&["--max-connections-per-address", wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_simulated_cluster_stays_on_loopback() {
        assert!(Cli::try_parse_from(["podgate", "sim", "--pods", "1", "--listen", "0.0.0.0:0"]).is_err());
        assert!(Cli::try_parse_from(["podgate", "sim", "--pods", "1", "--churn", "-1"]).is_err());
        assert!(Cli::try_parse_from(["podgate", "sim", "--pods", "1", "--churn", "NaN"]).is_err());
    }
}
