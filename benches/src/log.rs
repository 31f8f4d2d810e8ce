//! A large log of an ended container: as plain text through Podgate, and directly from the API
//! server.

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use http::{Request, header};
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};

use crate::{
    Args, Result,
    cluster::{CLUSTER, RealCluster},
    server::Server,
    summary::{Met, Times, mb, ms},
};

/// The least bytes that the log must have.
const LEAST: usize = 20_000_000;
/// How many pods to try: a node that rotates the log while it is written keeps less of it.
const TRIES: u32 = 3;
/// Writes about 24 MB in 240,000 lines.
const SCRIPT: &str = "awk 'BEGIN { s = \"the quick brown fox jumps over the lazy dog, and then it does so once more\"; \
                      for (i = 0; i < 240000; i++) printf \"%08d %s %06d\\n\", i, s, i % 999983 }'";

/// The times of one way of reading.
struct Way {
    times: Vec<Duration>,
    hash: String,
}

/// Measures, and returns the section for the report.
pub(crate) async fn measure(args: &Args, lab: &RealCluster, server: &Server) -> Result<String> {
    let (name, size) = ended_pod(lab).await?;
    let mut direct = Way::new();
    let mut through = Way::new();
    // The first log has costs of its own (code, pools) that don't count.
    read_through(server, lab, &name, "?tailLines=100").await?;
    let before = server.memory()?.resident;
    server.reset_peak()?;
    for round in 0..args.log_runs {
        // The second reader finds the node's page cache warm, so the two take turns.
        for first in [round % 2 == 0, round % 2 != 0] {
            if first {
                direct.add(read_directly(lab, &name).await?)?;
            } else {
                through.add(read_through(server, lab, &name, "").await?)?;
            }
        }
    }
    let peak = server.memory()?.peak;
    Ok(written(size, &direct, &through, before, peak))
}

/// Returns a pod that has written its log and ended, and the log's size in bytes.
async fn ended_pod(lab: &RealCluster) -> Result<(String, usize)> {
    for attempt in 1..=TRIES {
        let name = format!("log-{attempt}");
        lab.run(&name, SCRIPT, "Succeeded").await?;
        let size = read_directly(lab, &name).await?.1.len();
        if size >= LEAST {
            return Ok((name, size));
        }
        eprintln!("log: only {size} bytes, trying again");
    }
    Err(format!("no log of {LEAST} bytes in {TRIES} tries: does the node rotate logs at a smaller size?").into())
}

/// Reads the log from the API server. The time ends with the last byte.
async fn read_directly(lab: &RealCluster, name: &str) -> Result<(Duration, Vec<u8>)> {
    let path = format!("/api/v1/namespaces/{}/pods/{name}/log", lab.namespace);
    let request = Request::get(path).body(kube::client::Body::empty())?;
    let start = Instant::now();
    let answer = lab.client.send(request).await?;
    let status = answer.status();
    let bytes = read_all(answer.into_body()).await?;
    let taken = start.elapsed();
    if !status.is_success() {
        return Err(format!("the API server answered {status}: {}", String::from_utf8_lossy(&bytes)).into());
    }
    Ok((taken, bytes))
}

/// Reads the log through Podgate, over a new connection: the server closes one that idles while the
/// other way is read.
async fn read_through(server: &Server, lab: &RealCluster, name: &str, query: &str) -> Result<(Duration, Vec<u8>)> {
    let mut connection = server.connect().await?;
    let namespace = &lab.namespace;
    let path = format!("/api/clusters/{CLUSTER}/namespaces/{namespace}/pods/{name}/logs{query}");
    let request = Request::get(path)
        .header(header::ACCEPT, "text/plain")
        .body(Default::default())?;
    let start = Instant::now();
    let answer = connection.send(request).await?;
    let status = answer.status();
    let bytes = read_all(answer.into_body()).await?;
    let taken = start.elapsed();
    if !status.is_success() {
        return Err(format!("Podgate answered {status}: {}", String::from_utf8_lossy(&bytes)).into());
    }
    Ok((taken, bytes))
}

async fn read_all<B>(mut body: B) -> Result<Vec<u8>>
where
    B: http_body::Body<Data = bytes::Bytes> + Unpin,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    let mut bytes = Vec::with_capacity(LEAST * 3 / 2);
    while let Some(frame) = body.frame().await {
        if let Some(data) = frame?.data_ref() {
            bytes.extend_from_slice(data);
        }
    }
    Ok(bytes)
}

impl Way {
    fn new() -> Self {
        Self {
            times: Vec::new(),
            hash: String::new(),
        }
    }

    /// Adds a run. Each must have read the same bytes.
    fn add(&mut self, (taken, bytes): (Duration, Vec<u8>)) -> Result<()> {
        let mut hash = String::new();
        for byte in Sha256::digest(&bytes) {
            let _ = write!(hash, "{byte:02x}");
        }
        if !self.hash.is_empty() && self.hash != hash {
            return Err("two reads of one ended log differ".into());
        }
        self.times.push(taken);
        self.hash = hash;
        Ok(())
    }
}

fn written(size: usize, direct: &Way, through: &Way, before: u64, peak: u64) -> String {
    let (slow, fast) = (Times::new(through.times.clone()), Times::new(direct.times.clone()));
    let ratio = slow.median().as_secs_f64() / fast.median().as_secs_f64();
    let growth = peak.saturating_sub(before);
    let same = direct.hash == through.hash;
    let spread = |times: &Times| format!("{} ({} to {})", ms(times.median()), ms(times.least()), ms(times.most()));
    format!(
        "A log of {} of an ended container, read {} times each way in turn; the time until the last byte, median (least to most):\n\n\
         | figure | measured | target | |\n| --- | --- | --- | --- |\n\
         | from the API server directly | {} | | |\n\
         | through Podgate, `Accept: text/plain` | {} | | |\n\
         | ratio of the medians | {ratio:.3} | ≤ 1.1 | {} |\n\
         | most that resident memory grew | {} | < 16 MB | {} |\n\
         | SHA-256 | `{}`, {} | the same | {} |\n",
        mb(size as u64),
        direct.times.len(),
        spread(&fast),
        spread(&slow),
        Met(ratio <= 1.1),
        mb(growth),
        Met(growth < 16_000_000),
        through.hash.get(..16).unwrap_or_default(),
        if same { "the same" } else { "another than directly" },
        Met(same),
    )
}
