//! The cluster, the server under test, and clients that know only the contract.

mod lab;
mod server;
mod socket;

pub(crate) use lab::{Lab, pod, shell_pod};
pub(crate) use server::Server;
pub(crate) use socket::{Got, Socket};

use std::{future::Future, time::Duration};

/// How long anything may take before a test gives up: a bound, never a measurement.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// Waits until `probe` returns a value.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut probe: impl FnMut() -> F) -> T {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "gave up waiting until {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
