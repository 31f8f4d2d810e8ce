//! The first sync from a real cluster, compared with a client that reads the same bytes and
//! discards them.

use std::{path::Path, time::Duration};

use crate::{
    Args, Result,
    cluster::CLUSTER,
    null_client::{self, Drained},
    scale,
    server::{Memory, Server},
    summary::{Met, Times, mb},
};

/// The number of pods below which the figure means nothing.
const LEAST: usize = 1_000;

/// One first sync.
struct Synced {
    taken: Duration,
    memory: Memory,
}

/// Measures a kubeconfig's cluster as it is.
pub(crate) async fn measure(args: &Args, kubeconfig: &Path) -> Result<String> {
    let path = format!("/api/clusters/{CLUSTER}/pods");
    let pods = count(kubeconfig).await?;
    let (mut drained, mut synced) = (Vec::new(), Vec::new());
    for round in 0..args.sync_runs {
        // The second reader finds the API server warm, so the two take turns.
        for first in [round % 2 == 0, round % 2 != 0] {
            if first {
                drained.push(null_client::drain(kubeconfig).await?);
            } else {
                let server = Server::start(&args.podgate, kubeconfig).await?;
                let taken = scale::synced(&server, &path, pods).await?;
                let memory = server.memory()?;
                synced.push(Synced { taken, memory });
                server.stop().await?;
            }
        }
    }
    Ok(written(pods, &drained, &synced))
}

/// Returns the number of pods.
async fn count(kubeconfig: &Path) -> Result<usize> {
    let config = kube::config::Kubeconfig::read_from(kubeconfig)?;
    let config = kube::Config::from_custom_kubeconfig(config, &Default::default()).await?;
    let client = kube::Client::try_from(config)?;
    let pods: kube::Api<k8s_openapi::api::core::v1::Pod> = kube::Api::all(client);
    let page = pods.list_metadata(&kube::api::ListParams::default().limit(1)).await?;
    let rest = page.metadata.remaining_item_count.unwrap_or_default();
    Ok(page.items.len() + usize::try_from(rest)?)
}

fn written(pods: usize, drained: &[Drained], synced: &[Synced]) -> String {
    let fast = Times::new(drained.iter().map(|drained| drained.taken).collect());
    let slow = Times::new(synced.iter().map(|synced| synced.taken).collect());
    let ratio = slow.median().as_secs_f64() / fast.median().as_secs_f64();
    let spread = |times: &Times| {
        let seconds = |time: Duration| time.as_secs_f64();
        let (median, least, most) = (seconds(times.median()), seconds(times.least()), seconds(times.most()));
        format!("{median:.2} s ({least:.2} s to {most:.2} s)")
    };
    let bytes = drained.first().map_or(0, |drained| drained.bytes as u64);
    let peak = synced.iter().map(|synced| synced.memory.peak).max().unwrap_or_default();
    let resident = synced
        .iter()
        .map(|synced| synced.memory.resident)
        .max()
        .unwrap_or_default();
    let verdict = if pods < LEAST {
        format!("too few pods: the target is for 20,000, and here are {pods}")
    } else {
        Met(ratio <= 1.15).to_string()
    };
    format!(
        "{pods} pods, {} as protobuf, {} times each way in turn; median (least to most):\n\n\
         | figure | measured | target | |\n| --- | --- | --- | --- |\n\
         | read and discarded | {} | | |\n\
         | from the start of `podgate serve` to the whole list | {} | | |\n\
         | ratio of the medians | {ratio:.3} | ≤ 1.15 | {verdict} |\n\
         | peak memory of the server until then | {} | | |\n\
         | resident then | {} | | |\n",
        mb(bytes),
        drained.len(),
        spread(&fast),
        spread(&slow),
        mb(peak),
        mb(resident),
    )
}
