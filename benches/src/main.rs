//! The load bench: runs the server as its users do, measures it from outside, and writes what it found into a report.
//!
//! Three parts, each beside a limit of the same machine in the same run: lists on a simulated cluster of many pods; and, with the
//! kubeconfig of a real cluster, a large log and the key strokes of a terminal, against the API server read directly.

mod http1;
mod lab;
mod list;
mod log;
mod report;
mod server;
mod summary;
mod terminal;

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// What failed, for the person at the terminal.
type Failure = Box<dyn std::error::Error + Send + Sync>;
type Result<T> = std::result::Result<T, Failure>;

/// What to measure, and with what.
#[derive(Debug, Parser)]
#[command(about = "Measures a podgate binary", version)]
struct Args {
    /// The binary to measure.
    #[arg(long, env = "PODGATE_BIN", default_value = "target/release/podgate")]
    podgate: PathBuf,
    /// The Markdown file whose marked sections are replaced; without it the report goes to standard output alone.
    #[arg(long)]
    report: Option<PathBuf>,
    /// An administrator's kubeconfig of a real cluster; without it only lists are measured.
    #[arg(long, env = "KUBECONFIG")]
    kubeconfig: Option<PathBuf>,
    /// An image with sh, awk, cat and sleep that the real cluster's nodes have or may pull.
    #[arg(long, env = "PODGATE_BENCH_IMAGE", default_value = "busybox:1")]
    image: String,
    /// Parts to measure; all that can be, unless named.
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// Pods of the simulated cluster.
    #[arg(long, default_value_t = 20_000)]
    pods: usize,
    /// Requests of each list query.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..))]
    requests: u32,
    /// Times that the log is read each way.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    log_runs: u32,
    /// Key strokes each way; they share one line of the terminal, which holds about 4,000.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=3_000))]
    keys: u32,
}

/// A part of the bench; also the name of its section in the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Lists on a simulated cluster.
    List,
    /// A large log of a real cluster.
    Log,
    /// Key strokes in a terminal of a real cluster.
    Terminal,
}

impl Args {
    fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    match run(&Args::parse()).await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("podgate-bench: {e}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> Result<()> {
    // Fails only when a provider is installed already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    if args.wants(Part::List) {
        eprintln!("lists: {} pods", args.pods);
        report::write(args, "list", &list::measure(args).await?)?;
    }
    let real = args.wants(Part::Log) || args.wants(Part::Terminal);
    match &args.kubeconfig {
        Some(kubeconfig) if real => on_real_cluster(args, kubeconfig).await,
        None if real => {
            eprintln!("log and terminal: left out, KUBECONFIG names no cluster");
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Measures in a namespace of our own, which goes again whatever happens.
async fn on_real_cluster(args: &Args, kubeconfig: &std::path::Path) -> Result<()> {
    let lab = lab::Lab::open(kubeconfig, &args.image).await?;
    let measured = measure_on(args, &lab).await;
    let closed = lab.close().await;
    measured.and(closed)
}

async fn measure_on(args: &Args, lab: &lab::Lab) -> Result<()> {
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
