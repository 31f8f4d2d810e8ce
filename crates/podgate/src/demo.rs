//! Simulated clusters: one alone (`podgate sim`), or two behind the server (`podgate demo`,
//! `--demo`).

use std::{io::Write, os::unix::fs::OpenOptionsExt, path::Path, time::Duration};

use podgate_cluster::Source;
use podgate_sim::{Content, Control, Options, Sim};

use crate::{config, signal};

/// The names of the demo's clusters.
const SHOPS: [&str; 2] = ["production", "staging"];

/// How long a real API server keeps watch events (`eventFreshDuration` of its watch cache).
const EVENT_FRESH: Duration = Duration::from_secs(75);

/// Runs `podgate sim` until SIGTERM or SIGINT. Prints the path of the kubeconfig and, on a second
/// line, the address of the control port if there is one.
pub(crate) async fn sim(flags: config::Sim) -> Result<(), String> {
    let stop = signal::stop()?;
    let content = match flags.content {
        config::Content::Synthetic => Content::Synthetic {
            pods: flags.pods,
            nodes: flags.nodes,
            namespaces: flags.namespaces,
            churn: flags.churn,
        },
        config::Content::Shop => Content::Shop {
            cluster: flags.name.clone(),
        },
        config::Content::Empty => Content::Empty,
    };
    let options = Options {
        listen: flags.listen,
        content,
        name: flags.name,
        fresh: EVENT_FRESH,
        ..Options::default()
    };
    let sim = Sim::start(options)
        .await
        .map_err(|error| format!("the simulated cluster cannot listen on {}: {error}", flags.listen))?;
    let dir = tempfile::tempdir().map_err(|error| format!("cannot create a directory for the kubeconfig: {error}"))?;
    let path = dir.path().join("kubeconfig");
    write_private(&path, &sim.kubeconfig())?;
    let control = match flags.control {
        Some(address) => Some(
            Control::bind(address)
                .await
                .map_err(|error| format!("the control port cannot listen on {address}: {error}"))?,
        ),
        None => None,
    };
    let mut lines = format!("{}\n", path.display());
    if let Some(control) = &control {
        lines += &format!("http://{}/\n", control.address());
    }
    let mut stdout = std::io::stdout();
    stdout
        .write_all(lines.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|error| format!("cannot print the kubeconfig's path: {error}"))?;
    match control {
        Some(control) => control
            .serve(sim.clone(), stop)
            .await
            .map_err(|error| format!("the control port failed: {error}"))?,
        None => stop.cancelled().await,
    }
    sim.stop().await;
    Ok(())
}

/// Creates the demo's data directory, which is deleted when the value is dropped.
pub(crate) fn data_dir() -> Result<tempfile::TempDir, String> {
    tempfile::tempdir().map_err(|error| format!("cannot create a data directory: {error}"))
}

/// Starts the demo's clusters. Returns the handle, name, description and source of each; a cluster
/// runs as long as its handle lives.
pub(crate) async fn start_shops(data_dir: &Path) -> Result<Vec<(Sim, String, String, Source)>, String> {
    let mut shops = Vec::with_capacity(SHOPS.len());
    for cluster in SHOPS {
        let options = Options {
            name: cluster.to_owned(),
            content: Content::Shop {
                cluster: cluster.to_owned(),
            },
            ..Options::default()
        };
        let sim = Sim::start(options)
            .await
            .map_err(|error| format!("the simulated cluster cannot start: {error}"))?;
        let path = data_dir.join(format!("demo-{cluster}.kubeconfig"));
        write_private(&path, &sim.kubeconfig())?;
        let contexts = Source::from_kubeconfig_file(&path).map_err(|error| error.to_string())?;
        let context = contexts
            .into_iter()
            .next()
            .ok_or("the simulated cluster's kubeconfig is empty")?;
        shops.push((
            sim,
            format!("demo-{cluster}"),
            format!("Simulated: the {cluster} cluster of a small shop"),
            context.source,
        ));
    }
    Ok(shops)
}

/// Writes a file with mode 0600, because a kubeconfig is a credential.
fn write_private(path: &Path, text: &str) -> Result<(), String> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}
