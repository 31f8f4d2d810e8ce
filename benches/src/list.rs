//! Lists on a simulated cluster of many pods: memory, server time, requests per second.

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use serde::Deserialize;
use tokio::time::sleep;

use crate::{
    Args, Result,
    http1::Connection,
    server::{Memory, Server, Simulated},
    summary::{Met, Times, mb, ms},
};

/// A list's response, by the contract of `GET /api/clusters/:clusterId/pods`.
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
#[serde(rename_all = "camelCase")]
struct Item {
    name: String,
    namespace: String,
    node_name: String,
}

const PATH: &str = "/api/clusters/sim/pods";
/// The longest that the first sync may take.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long the process may settle before its memory is read.
const SETTLE: Duration = Duration::from_secs(3);
/// The connections and the duration for measuring requests per second.
const CONNECTIONS: usize = 8;
const LOAD: Duration = Duration::from_secs(4);
const ROUNDS: u32 = 3;

/// Times of one query.
struct Timed {
    name: &'static str,
    total: usize,
    server: Times,
    client: Times,
}

/// Measures, and returns the section for the report.
pub(crate) async fn measure(args: &Args) -> Result<String> {
    let simulated = Simulated::start(&args.podgate, args.pods, 0.0).await?;
    let size = pod_size(&simulated).await?;
    let server = Server::start(&args.podgate, &simulated.kubeconfig).await?;
    let synced = wait_for_sync(&server, args.pods)
        .await
        .map_err(|e| server.explained(&*e))?;
    sleep(SETTLE).await;
    let memory = server.memory()?;
    let mut timed = Vec::new();
    let mut connection = server.connect().await?;
    for (name, path) in queries(&mut connection, args.pods).await? {
        timed.push(time(&mut connection, name, &path, args.requests).await?);
    }
    let load = load(&server).await?;
    let after = server.memory()?;
    server.stop().await?;
    simulated.stop().await?;
    Ok(written(args, size, synced, (memory, after), &timed, load))
}

/// Returns the mean size of a pod as JSON on the wire, in bytes.
async fn pod_size(simulated: &Simulated) -> Result<usize> {
    const PODS: usize = 500;
    let kubeconfig = kube::config::Kubeconfig::read_from(&simulated.kubeconfig)?;
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await?;
    let request = http::Request::get(format!("/api/v1/pods?limit={PODS}")).body(Vec::new())?;
    let text = kube::Client::try_from(config)?.request_text(request).await?;
    let pods = serde_json::from_str::<serde_json::Value>(&text)?["items"]
        .as_array()
        .map_or(0, Vec::len);
    Ok(text.len() / pods.max(1))
}

/// Waits until the list has every pod. Returns the time since the server's start.
async fn wait_for_sync(server: &Server, pods: usize) -> Result<Duration> {
    let mut connection = server.connect().await?;
    let path = format!("{PATH}?pageSize=1");
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

/// Returns the queries to time. Their values come from the list itself.
async fn queries(connection: &mut Connection, pods: usize) -> Result<Vec<(&'static str, String)>> {
    let answer = connection.get(PATH).await?;
    let list: Answer = serde_json::from_slice(&answer.body)?;
    let pod = list.data.items.first().ok_or("the list is empty")?;
    let deep = pods.div_ceil(20);
    let part: String = pod.name.chars().take(pod.name.len() * 2 / 3).collect();
    let mut queries = vec![
        ("no filter, page 1", PATH.to_owned()),
        ("no filter, last page", format!("{PATH}?page={deep}")),
        ("one namespace", format!("{PATH}?namespace={}", pod.namespace)),
        ("one node", format!("{PATH}?nodeName={}", pod.node_name)),
        ("search with hits", format!("{PATH}?search={part}")),
        ("search that all match", format!("{PATH}?search=-")),
        ("search without a hit", format!("{PATH}?search=no-pod-is-named-so")),
        ("selector", format!("{PATH}?labelSelector=app%20notin%20(none)")),
    ];
    for (name, sort) in [
        ("by name", "name"),
        ("by namespace", "namespace"),
        ("by status", "status&order=desc"),
        ("by restarts", "restarts&order=desc"),
        ("by node", "nodeName"),
        ("oldest first", "createdAt&order=asc"),
    ] {
        queries.push((name, format!("{PATH}?sort={sort}")));
    }
    let sorted = format!("{PATH}?namespace={}&search=-&sort=name&page=2", pod.namespace);
    queries.push(("namespace, search, by name, page 2", sorted));
    Ok(queries)
}

/// Repeats a query over one connection.
async fn time(connection: &mut Connection, name: &'static str, path: &str, requests: u32) -> Result<Timed> {
    let (mut servers, mut clients, mut total) = (Vec::new(), Vec::new(), 0);
    let warm_up = requests / 10;
    for at in 0..warm_up + requests {
        let start = Instant::now();
        let answer = connection.get(path).await?;
        let taken = start.elapsed();
        if at < warm_up {
            continue;
        }
        total = total.max(serde_json::from_slice::<Answer>(&answer.body)?.data.total);
        clients.push(taken);
        servers.push(server_time(&answer.headers)?);
    }
    Ok(Timed {
        name,
        total,
        server: Times::new(servers),
        client: Times::new(clients),
    })
}

/// Returns the server's own time, from `Server-Timing: app;dur=MILLISECONDS`.
fn server_time(headers: &http::HeaderMap) -> Result<Duration> {
    let timing = headers.get("server-timing").ok_or("the answer has no Server-Timing")?;
    let ms: f64 = timing
        .to_str()?
        .split("dur=")
        .nth(1)
        .ok_or("Server-Timing has no dur")?
        .parse()?;
    Ok(Duration::try_from_secs_f64(ms / 1000.0)?)
}

/// Requests per second of the page of 20, and of the static handler.
struct Load {
    page: f64,
    fixed: f64,
}

/// Loads the list and the static handler in turn.
async fn load(server: &Server) -> Result<Load> {
    let (mut page, mut fixed) = (0.0, 0.0);
    for _ in 0..ROUNDS {
        page += rate(server, PATH).await? / f64::from(ROUNDS);
        fixed += rate(server, "/healthz").await? / f64::from(ROUNDS);
    }
    Ok(Load { page, fixed })
}

async fn rate(server: &Server, path: &'static str) -> Result<f64> {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(server.connect().await?);
    }
    let start = Instant::now();
    let tasks: Vec<_> = connections
        .into_iter()
        .map(|mut connection| {
            tokio::spawn(async move {
                let mut count = 0_u32;
                while start.elapsed() < LOAD {
                    connection.get(path).await?;
                    count += 1;
                }
                Result::Ok(count)
            })
        })
        .collect();
    let mut count = 0;
    for task in tasks {
        count += task.await??;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}

fn written(
    args: &Args,
    size: usize,
    synced: Duration,
    (memory, after): (Memory, Memory),
    timed: &[Timed],
    load: Load,
) -> String {
    let page = timed
        .first()
        .map(|timed| timed.server.percentile(99))
        .unwrap_or_default();
    let mut text = format!(
        "`podgate sim` with {} pods of {:.1} kB as JSON; `podgate serve` was synced {:.1} s after its start.\n\n\
         | figure | measured | target | |\n| --- | --- | --- | --- |\n",
        args.pods,
        size as f64 / 1000.0,
        synced.as_secs_f64()
    );
    let mut row = |figure: &str, measured: String, target: &str, met: bool| {
        let _ = writeln!(text, "| {figure} | {measured} | {target} | {} |", Met(met));
    };
    let (resident, peak) = (memory.resident, memory.peak);
    row(
        "resident memory after the sync",
        mb(resident),
        "< 60 MB",
        resident < 60_000_000,
    );
    row("its peak until then", mb(peak), "< 120 MB", peak < 120_000_000);
    row(
        "server time of a page of 20, p99",
        ms(page),
        "< 2 ms",
        page < Duration::from_millis(2),
    );
    let _ = write!(
        text,
        "\nAfter all requests below: {} resident, peak {}.\n\n\
         Requests a second over {CONNECTIONS} connections, in turn: {:.0} pages of 20, {:.0} of `/healthz` (ratio {:.2}).\n\n\
         Pages of 20 one after another over one connection, {} requests each; server time is the `Server-Timing` of the answer, \
         authentication included:\n\n\
         | query | matches | server p50 | server p99 | client p50 | client p99 |\n| --- | --- | --- | --- | --- | --- |\n",
        mb(after.resident),
        mb(after.peak),
        load.page,
        load.fixed,
        load.page / load.fixed,
        args.requests,
    );
    for Timed {
        name,
        total,
        server,
        client,
    } in timed
    {
        let _ = writeln!(
            text,
            "| {name} | {total} | {} | {} | {} | {} |",
            ms(server.median()),
            ms(server.percentile(99)),
            ms(client.median()),
            ms(client.percentile(99)),
        );
    }
    text
}
