//! The cost of lists over the number of pods.

use std::{fmt::Write, path::Path, time::Duration};

use serde::Deserialize;
use tokio::time::sleep;

use crate::{
    Args, Result,
    baseline_server::Fixed,
    http1::Connection,
    load::{self, Load},
    null_client::{self, Drained},
    plot::{self, Line},
    server::{Memory, Server, Simulated},
    summary::{Met, Times, mb, ms},
};

const PATH: &str = "/api/clusters/sim/pods";
/// The longest that a first sync may take.
const PATIENCE: Duration = Duration::from_secs(900);
/// How long a process may settle before its memory is read.
const SETTLE: Duration = Duration::from_secs(3);
/// How long each query is repeated over several connections.
const LOAD: Duration = Duration::from_secs(3);
/// How often the page and the static handlers are loaded in turn, and for how long each. Short
/// turns spread the load of other processes over all of them.
const ROUNDS: usize = 15;
const TURN: Duration = Duration::from_secs(1);

/// The part of a list that the bench looks at.
#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    total: usize,
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    name: String,
    namespace: String,
}

/// The results at one number of pods.
struct Size {
    pods: usize,
    drained: Drained,
    synced: Duration,
    after_sync: Memory,
    queries: Vec<Query>,
    /// Requests per second of page 1, of the server's static page, and of axum alone, measured in
    /// turn.
    rounds: Vec<Round>,
}

/// Requests per second, measured one after another.
#[derive(Clone, Copy, Debug)]
struct Round {
    page: f64,
    /// The start page, about 8 kB that never change. It passes everything that a request passes,
    /// except the log-in and the list.
    fixed: f64,
    /// axum alone, in a process of its own.
    bare: f64,
}

/// One query at one size.
struct Query {
    name: &'static str,
    matches: usize,
    /// The server's own time, for requests one after another.
    server: Times,
    /// Over several connections at once.
    load: Load,
}

/// Measures every number of pods. Returns the section for the report, and the plot.
pub(crate) async fn measure(args: &Args) -> Result<(String, String)> {
    let fixed = Fixed::start().await?;
    let mut sizes = Vec::new();
    for &pods in &args.sizes {
        eprintln!("scale: {pods} pods");
        sizes.push(size(args, &fixed, pods).await?);
    }
    Ok((written(args, &sizes), plotted(&sizes)))
}

async fn size(args: &Args, fixed: &Fixed, pods: usize) -> Result<Size> {
    let simulated = Simulated::start(&args.podgate, pods, 0.0).await?;
    let drained = drained(&simulated.kubeconfig).await?;
    let server = Server::start(&args.podgate, &simulated.kubeconfig).await?;
    let synced = synced(&server, PATH, pods).await.map_err(|e| server.explained(&*e))?;
    sleep(SETTLE).await;
    let after_sync = server.memory()?;
    let mut queries = Vec::new();
    let mut connection = server.connect().await?;
    for (name, path) in paths(&mut connection, pods).await? {
        queries.push(query(&server, &mut connection, name, &path, args.requests).await?);
    }
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(Round {
            page: load::run(server.address, &server.token, PATH, TURN).await?.rate,
            fixed: load::run(server.address, "", "/api", TURN).await?.rate,
            bare: load::run(fixed.address, "", "/", TURN).await?.rate,
        });
    }
    server.stop().await?;
    simulated.stop().await?;
    Ok(Size {
        pods,
        drained,
        synced,
        after_sync,
        queries,
        rounds,
    })
}

/// Returns the better of two: the first finds the simulated cluster's code cold.
async fn drained(kubeconfig: &Path) -> Result<Drained> {
    let first = null_client::drain(kubeconfig).await?;
    let second = null_client::drain(kubeconfig).await?;
    Ok(if first.taken < second.taken { first } else { second })
}

/// Waits until a list has a number of pods. Returns the time since the server's start.
pub(crate) async fn synced(server: &Server, path: &str, pods: usize) -> Result<Duration> {
    let mut connection = server.connect().await?;
    let path = format!("{path}?pageSize=1");
    loop {
        let request = http::Request::get(&path).body(Default::default())?;
        let answer = connection.call(request).await?;
        let taken = server.started.elapsed();
        if answer.status == http::StatusCode::OK && serde_json::from_slice::<Answer>(&answer.body)?.data.total >= pods {
            return Ok(taken);
        }
        if taken > PATIENCE {
            let text = String::from_utf8_lossy(&answer.body);
            return Err(format!("no list of {pods} pods within {} s: {text}", PATIENCE.as_secs()).into());
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// Returns the queries. Their values come from the list itself.
async fn paths(connection: &mut Connection, pods: usize) -> Result<Vec<(&'static str, String)>> {
    let answer = connection.get(PATH).await?;
    let list: Answer = serde_json::from_slice(&answer.body)?;
    let pod = list.data.items.first().ok_or("the list is empty")?;
    let part: String = pod.name.chars().take(pod.name.len() * 2 / 3).collect();
    let deep = pods.div_ceil(20) / 2 + 1;
    Ok(vec![
        ("page 1", PATH.to_owned()),
        ("a page in the middle", format!("{PATH}?page={deep}")),
        ("one namespace", format!("{PATH}?namespace={}", pod.namespace)),
        ("search with hits", format!("{PATH}?search={part}")),
        ("search without a hit", format!("{PATH}?search=no-pod-is-named-so")),
        (
            "search and selector",
            format!("{PATH}?search={part}&labelSelector=team,environment%20in%20(production)"),
        ),
        ("by name", format!("{PATH}?sort=name")),
        ("by restarts", format!("{PATH}?sort=restarts&order=desc")),
        ("problems", format!("{PATH}?problem=true")),
        ("three facets", format!("{PATH}?facets=status,namespace,nodeName")),
    ])
}

async fn query(
    server: &Server,
    connection: &mut Connection,
    name: &'static str,
    path: &str,
    requests: u32,
) -> Result<Query> {
    let (mut times, mut matches) = (Vec::new(), 0);
    let warm_up = requests / 10;
    for at in 0..warm_up + requests {
        let answer = connection.get(path).await?;
        if at >= warm_up {
            times.push(server_time(&answer.headers)?);
        }
        if at == 0 {
            matches = serde_json::from_slice::<Answer>(&answer.body)?.data.total;
        }
    }
    Ok(Query {
        name,
        matches,
        server: Times::new(times),
        load: load::run(server.address, &server.token, path, LOAD).await?,
    })
}

/// Returns the server's own time, from `Server-Timing: app;dur=MILLISECONDS`.
pub(crate) fn server_time(headers: &http::HeaderMap) -> Result<Duration> {
    let timing = headers.get("server-timing").ok_or("the answer has no Server-Timing")?;
    let ms: f64 = timing
        .to_str()?
        .split("dur=")
        .nth(1)
        .ok_or("Server-Timing has no dur")?
        .parse()?;
    Ok(Duration::try_from_secs_f64(ms / 1000.0)?)
}

impl Size {
    fn rate(&self, of: impl Fn(&Round) -> f64) -> f64 {
        median(self.rounds.iter().map(of))
    }

    /// Returns the ratio within each round, so that the load of other processes falls on both.
    fn ratio(&self) -> f64 {
        self.rate(|round| round.page / round.fixed)
    }

    fn query(&self, name: &str) -> Option<&Query> {
        self.queries.iter().find(|query| query.name == name)
    }
}

/// Returns the middle value (the upper one of two), or zero without values.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn written(args: &Args, sizes: &[Size]) -> String {
    let mut text = String::new();
    targets(&mut text, sizes);
    let _ = write!(
        text,
        "\n| pods | read and discarded | first sync | peak memory until then | resident after it | page 1 | static page | ratio | axum alone |\n\
         | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
    );
    for size in sizes {
        let _ = writeln!(
            text,
            "| {} | {:.2} s, {} | {:.2} s | {} | {} | {:.0}/s | {:.0}/s | {:.2} | {:.0}/s |",
            size.pods,
            size.drained.taken.as_secs_f64(),
            mb(size.drained.bytes as u64),
            size.synced.as_secs_f64(),
            mb(size.after_sync.peak),
            mb(size.after_sync.resident),
            size.rate(|round| round.page),
            size.rate(|round| round.fixed),
            size.ratio(),
            size.rate(|round| round.bare),
        );
    }
    let _ = write!(
        text,
        "\nEach query: the server's time, {} requests one after another; then requests a second over {} connections for {} s, and their \
         time at the client.\n\n\
         | pods | query | matches | server p50 | server p99 | requests/s | client p50 | client p99 | bytes |\n\
         | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
        args.requests,
        load::CONNECTIONS,
        LOAD.as_secs(),
    );
    for size in sizes {
        for Query {
            name,
            matches,
            server,
            load,
        } in &size.queries
        {
            let _ = writeln!(
                text,
                "| {} | {name} | {matches} | {} | {} | {:.0} | {} | {} | {} |",
                size.pods,
                ms(server.median()),
                ms(server.percentile(99)),
                load.rate,
                ms(load.times.median()),
                ms(load.times.percentile(99)),
                load.size,
            );
        }
    }
    text
}

/// Appends the figures that have a target.
fn targets(text: &mut String, sizes: &[Size]) {
    text.push_str("| figure | measured | target | |\n| --- | --- | --- | --- |\n");
    let of = |pods: usize| sizes.iter().find(|size| size.pods == pods);
    let mut row = |figure: &str, measured: String, target: &str, met: bool| {
        let _ = writeln!(text, "| {figure} | {measured} | {target} | {} |", Met(met));
    };
    if let Some(size) = of(100_000) {
        let ratio = size.ratio();
        row(
            "page 1 of 100,000 pods, requests/s against the static page of the same server",
            format!("{ratio:.2}"),
            "≥ 0.6",
            ratio >= 0.6,
        );
        let resident = size.after_sync.resident;
        row(
            "the whole process at 100,000 pods",
            mb(resident),
            "< 120 MB",
            resident < 120_000_000,
        );
        if let Some(query) = size.query("search without a hit") {
            let p50 = query.server.median();
            row(
                "search without a hit in 100,000 pods, server p50",
                ms(p50),
                "< 1 ms",
                p50 < Duration::from_millis(1),
            );
        }
    }
    if let (Some(small), Some(large)) = (of(1_000), of(500_000)) {
        // Compared with the static page of the same rounds: the machine may be slower by then.
        let change = large.ratio() / small.ratio() - 1.0;
        row(
            "page 1 at 500,000 pods against 1,000",
            format!("{:+.1} %", change * 100.0),
            "within 15 %",
            change.abs() <= 0.15,
        );
        let bytes = large.after_sync.resident.saturating_sub(small.after_sync.resident) as f64 / 499_000.0;
        row(
            "resident memory a pod, from 1,000 to 500,000 pods",
            format!("{bytes:.0} bytes"),
            "< 600 bytes",
            bytes < 600.0,
        );
    }
}

fn plotted(sizes: &[Size]) -> String {
    let names = sizes.first().map_or(&[][..], |size| size.queries.as_slice());
    let lines: Vec<Line> = names
        .iter()
        .map(|Query { name, .. }| Line {
            name: (*name).to_owned(),
            points: sizes
                .iter()
                .filter_map(|size| {
                    let query = size.query(name)?;
                    Some((size.pods as f64, query.server.median().as_secs_f64() * 1000.0))
                })
                .collect(),
        })
        .collect();
    plot::svg("Server time of a page of 20, p50, over the number of pods", &lines)
}
