//! Live queries: the time from an event to the frames that report it, while many viewers watch a
//! busy cluster.
//!
//! An event is a pod that the bench creates through the API server. Its time begins when the
//! request is sent, and so includes the API server's own work. A watch directly on the API server,
//! which reads the same events, shows how much that is.

mod viewers;

use std::{
    fmt::Write,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client, config::Kubeconfig};
use serde_json::json;
use tokio::{
    sync::mpsc,
    time::{interval, sleep, timeout},
};

use self::viewers::{Crowd, Kind, Seen};
use crate::{
    Args, Result, scale,
    server::{Server, Simulated},
    summary::{Met, Times, mb, ms},
};

/// The pods of the simulated cluster, and its changes per second besides the bench's.
const PODS: usize = 100_000;
const CHURN: f64 = 1_000.0;
/// The number of events, and the time between two.
const PROBES: usize = 300;
const PERIOD: Duration = Duration::from_millis(67);
/// The number of groups into which events and the viewers who search for them are divided.
pub(crate) const SLOTS: usize = 50;
/// Viewers that never read, in the second run.
const STUCK: usize = 20;
/// How long a frame may take after the last event.
const GRACE: Duration = Duration::from_secs(10);

/// The result of a run.
struct Run {
    /// The times from event to frame, by kind of viewer.
    times: Vec<(Kind, Times)>,
    all: Times,
    /// The frames that came, and those that were due.
    sure: usize,
    /// The times from event to a watch directly on the API server.
    direct: Times,
    /// Processor time of the server over time.
    cpu: f64,
    /// Bytes and frames per second, over all viewers.
    bytes: f64,
    frames: f64,
    resident: u64,
}

/// Measures a crowd of viewers, and then the same crowd together with viewers that never read.
pub(crate) async fn measure(args: &Args) -> Result<String> {
    let simulated = Simulated::start(&args.podgate, PODS, CHURN).await?;
    let server = Server::start(&args.podgate, &simulated.kubeconfig).await?;
    // Pods are deleted and replaced all the time: the whole number may never exist at once.
    scale::synced(&server, "/api/clusters/sim/pods", PODS * 99 / 100).await?;
    sleep(Duration::from_secs(3)).await;
    let idle = server.memory()?.resident;
    eprintln!("live: the crowd by itself");
    let alone = run(&server, &simulated.kubeconfig, 0).await?;
    eprintln!("live: with {STUCK} viewers that never read");
    let crowded = run(&server, &simulated.kubeconfig, STUCK).await?;
    server.stop().await?;
    simulated.stop().await?;
    Ok(written(idle, &alone, &crowded))
}

async fn run(server: &Server, kubeconfig: &Path, stuck: usize) -> Result<Run> {
    let client = client(kubeconfig).await?;
    let mark = format!("probe-{}-", crate::server::random()?);
    let (seen, mut seeing) = mpsc::unbounded_channel();
    let crowd = Crowd::open(server, &mark, stuck, &seen).await?;
    let watch = tokio::spawn(viewers::watch(client.clone(), mark.clone(), seen));
    sleep(Duration::from_secs(2)).await;
    let (cpu, traffic, start) = (server.cpu()?, crowd.traffic(), Instant::now());
    let sent = send_all(&client, &mark).await?;
    let wall = start.elapsed().as_secs_f64();
    let (cpu, traffic) = (server.cpu()? - cpu, crowd.traffic() - traffic);
    let mut all: Vec<Seen> = Vec::new();
    let wanted = PROBES * viewers::SURE;
    while all.iter().filter(|one| one.kind.is_sure()).count() < wanted {
        match timeout(GRACE, seeing.recv()).await {
            Ok(Some(one)) => all.push(one),
            Ok(None) | Err(_) => break,
        }
    }
    let resident = server.memory()?.resident;
    watch.abort();
    drop(crowd);
    let times = |kind: Option<Kind>| {
        let of_kind = all.iter().filter(|one| match kind {
            Some(kind) => one.kind == kind,
            None => one.kind != Kind::Direct,
        });
        Times::new(of_kind.filter_map(|one| one.since(&sent)).collect())
    };
    let kinds = [Kind::Unfiltered, Kind::Namespace, Kind::Search, Kind::Selector];
    Ok(Run {
        times: kinds.into_iter().map(|kind| (kind, times(Some(kind)))).collect(),
        all: times(None),
        sure: all.iter().filter(|one| one.kind.is_sure()).count(),
        direct: times(Some(Kind::Direct)),
        cpu: cpu.as_secs_f64() / wall,
        bytes: traffic.bytes as f64 / wall,
        frames: traffic.frames as f64 / wall,
        resident,
    })
}

async fn client(kubeconfig: &Path) -> Result<Client> {
    let kubeconfig = Kubeconfig::read_from(kubeconfig)?;
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await?;
    Ok(Client::try_from(config)?)
}

/// When each event was sent, by the number of its pod.
pub(crate) type Sent = Vec<Instant>;

/// Creates the pods at their times. A slow one does not delay the next.
async fn send_all(client: &Client, mark: &str) -> Result<Arc<Sent>> {
    let mut sent = Vec::new();
    let mut tasks = Vec::new();
    let mut tick = interval(PERIOD);
    for number in 0..PROBES {
        tick.tick().await;
        let pod: Pod = serde_json::from_value(probe(mark, number))?;
        let pods: Api<Pod> = Api::namespaced(client.clone(), &viewers::namespace(number % SLOTS));
        sent.push(Instant::now());
        tasks.push(tokio::spawn(async move {
            pods.create(&Default::default(), &pod).await.map(|_| ())
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(Arc::new(sent))
}

/// Builds a pod whose name holds its number and its slot.
fn probe(mark: &str, number: usize) -> serde_json::Value {
    let slot = number % SLOTS;
    json!({
        "metadata": {
            "name": format!("{mark}{number:05}-slot{slot:02}"),
            "labels": {"probe": format!("slot{slot:02}")},
        },
        "spec": {"containers": [{"name": "main", "image": "probe:1"}]},
    })
}

fn written(idle: u64, alone: &Run, crowded: &Run) -> String {
    let p99 = alone.all.percentile(99).max(crowded.all.percentile(99));
    let viewers = viewers::COUNT;
    let wanted = PROBES * viewers::SURE;
    let mut text = format!(
        "`podgate sim` with {PODS} pods and {CHURN} changes a second; {viewers} viewers: {} of the newest pods of all, {} of one of \
         {SLOTS} namespaces, {} with searches and {} with selectors of their own, each of 50 rows. {PROBES} pods are created, one every \
         {} ms; the second run has {STUCK} more viewers that never read.\n\n\
         | figure | measured | target | |\n| --- | --- | --- | --- |\n\
         | event to frame, p99, the worse of both runs | {} | < 150 ms | {} |\n\
         | frames due and received | {}, {} of {wanted} | all | {} |\n\n\
         | | alone | with viewers that never read |\n| --- | ---: | ---: |\n",
        viewers::UNFILTERED,
        viewers::OF_NAMESPACES,
        SLOTS,
        SLOTS,
        PERIOD.as_millis(),
        ms(p99),
        Met(p99 < Duration::from_millis(150)),
        alone.sure,
        crowded.sure,
        Met(alone.sure == wanted && crowded.sure == wanted),
    );
    let mut row = |name: &str, of: &dyn Fn(&Run) -> String| {
        let _ = writeln!(text, "| {name} | {} | {} |", of(alone), of(crowded));
    };
    let both = |times: &Times| format!("{} / {}", ms(times.median()), ms(times.percentile(99)));
    for (at, (kind, _)) in alone.times.iter().enumerate() {
        row(&format!("{}: p50 / p99", kind.name()), &|run| {
            run.times.get(at).map(|(_, times)| both(times)).unwrap_or_default()
        });
    }
    row("all viewers: p50 / p99", &|run| both(&run.all));
    row("a watch directly on the API server: p50 / p99", &|run| {
        both(&run.direct)
    });
    row("processor time of the server", &|run| format!("{:.2} cores", run.cpu));
    row("sent", &|run| {
        format!("{}/s in {:.0} frames/s", mb(run.bytes as u64), run.frames)
    });
    row("resident", &|run| mb(run.resident));
    let _ = writeln!(text, "\nBefore the first viewer {} were resident.", mb(idle));
    text
}
