//! The task of one cluster, which runs its watches and refreshes its version and nodes until the
//! cluster is removed.

use std::{collections::HashMap, sync::Arc};

use tokio::{
    task::{Id, JoinHandle, JoinSet},
    time::sleep,
};

use super::MAX_NAMESPACES;
use crate::{Error, cluster::Inner, error::Failure, info, watch::driver::Driver};

/// Runs a cluster's tasks, after those of the cluster that it replaces have ended.
pub(super) async fn run(cluster: Arc<Inner>, before: Option<JoinHandle<()>>) {
    if let Some(before) = before {
        // Only the end of the previous task matters, not its result.
        let _ = before.await;
    }
    cluster.index.remove_cluster(cluster.spec.id);
    cluster.rows_changed();
    let removed = cluster.removed.clone();
    let mut tasks = JoinSet::new();
    removed.run_until_cancelled(watch(cluster, &mut tasks)).await;
    // Wait for the tasks to end, because none of them may write a row after this cluster's rows
    // have been removed.
    tasks.shutdown().await;
}

async fn watch(cluster: Arc<Inner>, tasks: &mut JoinSet<()>) {
    if cluster.spec.namespaces.len() > MAX_NAMESPACES {
        let too_many = Failure::TooManyNamespaces { most: MAX_NAMESPACES };
        let error = Error::upstream(format!("cluster `{}`", cluster.spec.name), too_many);
        cluster.sync_tracker.stale(0, error);
        return std::future::pending().await;
    }
    let mut parts = HashMap::new();
    let start = |tasks: &mut JoinSet<()>, part: usize| -> Id {
        let driver = Driver::new(cluster.clone(), part);
        tasks.spawn(driver.run()).id()
    };
    for part in 0..cluster.spec.namespaces.len().max(1) {
        parts.insert(start(tasks, part), part);
    }
    tasks.spawn(info::refresh(cluster.clone()));
    while let Some(ended) = tasks.join_next_with_id().await {
        // A task ends only because of a bug in Podgate. Start it again, so that the cluster keeps
        // its watch.
        let Err(error) = ended else { continue };
        tracing::error!(cluster = cluster.spec.name, %error, "a task of the cluster failed and is started again");
        let part = parts.remove(&error.id());
        if let Some(part) = part {
            let what = format!("the watch of cluster `{}`", cluster.spec.name);
            cluster.sync_tracker.stale(part, Error::upstream(what, Failure::Fault));
        }
        sleep(cluster.policy.watch.retry_max).await;
        match part {
            Some(part) => {
                parts.insert(start(tasks, part), part);
            }
            None => {
                tasks.spawn(info::refresh(cluster.clone()));
            }
        }
    }
}
