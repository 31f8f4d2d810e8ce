//! The load bench: runs the server as its users do, measures it from outside, and writes a report.
//!
//! Each part compares with a limit of the same machine in the same run. On simulated clusters, it
//! measures lists, their cost over the number of pods, and live queries. With the kubeconfig of a
//! real cluster, it measures a large log, the key strokes of a terminal, and a first sync, against
//! direct reads from the API server.

mod attack;
mod baseline_server;
mod cluster;
mod compare;
mod http1;
mod list;
mod live;
mod load;
mod log;
mod null_client;
mod plot;
mod report;
mod scale;
mod server;
mod summary;
mod sync;
mod terminal;

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// A failure, as a text for the person at the terminal.
type Failure = Box<dyn std::error::Error + Send + Sync>;
type Result<T> = std::result::Result<T, Failure>;

/// The command line.
#[derive(Debug, Parser)]
#[command(about = "Measures a podgate binary", version)]
struct Args {
    /// The binary to measure.
    #[arg(long, env = "PODGATE_BIN", default_value = "target/release/podgate")]
    podgate: PathBuf,
    /// The Markdown file whose marked sections are replaced; without it, the report goes to
    /// standard output only.
    #[arg(long)]
    report: Option<PathBuf>,
    /// The SVG file for the plot of cost over the number of pods; without it, none is written.
    #[arg(long)]
    plot: Option<PathBuf>,
    /// An administrator's kubeconfig of a real cluster; without it, only simulated clusters are
    /// measured.
    #[arg(long, env = "KUBECONFIG")]
    kubeconfig: Option<PathBuf>,
    /// An image with sh, awk, cat and sleep that the real cluster's nodes have or may pull.
    #[arg(long, env = "PODGATE_BENCH_IMAGE", default_value = "busybox:1")]
    image: String,
    /// The parts to measure [default: all that are possible].
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// Pods of the simulated cluster of the part `list`.
    #[arg(long, default_value_t = 20_000)]
    pods: usize,
    /// Pods of the simulated clusters of the part `scale`.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 20_000, 100_000, 500_000])]
    sizes: Vec<usize>,
    /// Number of first syncs from the real cluster, each way.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    sync_runs: u32,
    /// Number of requests of each list query.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..))]
    requests: u32,
    /// How often the log is read each way.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    log_runs: u32,
    /// An older binary to compare with, in rounds of both; alone with `--only compare`.
    #[arg(long)]
    against: Option<PathBuf>,
    /// Number of rounds of the comparison.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    pairs: u32,
    /// Number of key strokes each way; they share one line of the terminal, which holds about
    /// 4,000.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=3_000))]
    keys: u32,
}

/// A part of the bench; also the name of its section in the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Lists on a simulated cluster.
    List,
    /// The cost of lists over the number of pods.
    Scale,
    /// Live queries of many viewers.
    Live,
    /// A large log of a real cluster.
    Log,
    /// Key strokes in a terminal of a real cluster.
    Terminal,
    /// The first sync of a real cluster.
    Sync,
    /// This binary compared with the older one of `--against`.
    Compare,
    /// Attacks from outside, only if named. The binary of `--against` is attacked too.
    Attack,
}

impl Args {
    fn wants(&self, part: Part) -> bool {
        (self.only.is_empty() && part != Part::Attack) || self.only.contains(&part)
    }
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let ended = if std::env::args().nth(1).as_deref() == Some(baseline_server::FLAG) {
        baseline_server::serve().await
    } else {
        run(&Args::parse()).await
    };
    match ended {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("podgate-bench: {e}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> Result<()> {
    // This fails only if a provider is installed already, which is fine.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    if args.wants(Part::List) {
        eprintln!("lists: {} pods", args.pods);
        report::write(args, "list", &list::measure(args).await?)?;
    }
    if args.wants(Part::Scale) {
        let (section, plot) = scale::measure(args).await?;
        report::write(args, "scale", &section)?;
        if let Some(path) = &args.plot {
            std::fs::write(path, plot)?;
        }
    }
    if args.wants(Part::Live) {
        report::write(args, "live", &live::measure(args).await?)?;
    }
    if let Some(old) = args.against.as_ref().filter(|_| args.wants(Part::Compare)) {
        report::write(args, "compare", &compare::measure(args, old).await?)?;
    }
    if args.wants(Part::Attack) {
        report::write(args, "attack", &attack::measure(args).await?)?;
    }
    let real = [Part::Log, Part::Terminal, Part::Sync]
        .iter()
        .any(|part| args.wants(*part));
    match &args.kubeconfig {
        Some(kubeconfig) if real => on_real_cluster(args, kubeconfig).await,
        None if real => {
            eprintln!("log, terminal and sync: left out, KUBECONFIG names no cluster");
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Measures in a namespace that is deleted afterwards, whatever happens.
async fn on_real_cluster(args: &Args, kubeconfig: &std::path::Path) -> Result<()> {
    let lab = cluster::RealCluster::open(kubeconfig, &args.image).await?;
    let measured = measure_on(args, &lab).await;
    let closed = lab.close().await;
    measured.and(closed)
}

async fn measure_on(args: &Args, lab: &cluster::RealCluster) -> Result<()> {
    if args.wants(Part::Sync) {
        eprintln!("sync: {} first syncs each way", args.sync_runs);
        report::write(args, "sync", &sync::measure(args, lab.kubeconfig()).await?)?;
    }
    if !args.wants(Part::Log) && !args.wants(Part::Terminal) {
        return Ok(());
    }
    let server = server::Server::start(&args.podgate, lab.kubeconfig()).await?;
    if args.wants(Part::Log) {
        eprintln!("log: {} runs each way", args.log_runs);
        report::write(args, "log", &log::measure(args, lab, &server).await?)?;
    }
    if args.wants(Part::Terminal) {
        eprintln!("terminal: {} key strokes each way", args.keys);
        report::write(args, "terminal", &terminal::measure(args, lab, &server).await?)?;
    }
    server.stop().await
}
