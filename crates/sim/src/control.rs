//! The control port of a simulated cluster: lets another process change it and make it fail.

use std::{io, net::SocketAddr, time::Duration};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State as Extract},
    routing::post,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{Sim, server};

/// The most bytes of an operation: enough for a log line longer than any real one.
const MAX_BODY: usize = 64 << 20;

/// A control port that listens but does not answer yet.
///
/// `POST /` takes an [`Operation`] as JSON and answers `{"result":…}`. Its caller needs no
/// credential, so it listens on loopback only. A web page can't use it: a browser asks before it
/// sends JSON to another origin, and the port does not answer that question.
#[derive(Debug)]
pub struct Control {
    listener: TcpListener,
    address: SocketAddr,
}

/// A call of a method of [`Sim`] or [`crate::Faults`], named by `op`.
#[derive(Debug, Deserialize)]
#[serde(
    tag = "op",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
enum Operation {
    Put {
        object: Value,
    },
    Remove {
        kind: String,
        namespace: String,
        name: String,
    },
    RunPod {
        namespace: String,
        name: String,
        containers: Vec<String>,
    },
    WriteLog {
        namespace: String,
        pod: String,
        container: String,
        text: String,
    },
    RotateLog {
        namespace: String,
        pod: String,
        container: String,
    },
    RestartContainer {
        namespace: String,
        pod: String,
        container: String,
        exit_code: i32,
    },
    EndContainer {
        namespace: String,
        pod: String,
        container: String,
        exit_code: i32,
    },
    DropWatches,
    StallWatches {
        on: bool,
    },
    FailRequests {
        path_contains: String,
        status: u16,
        times: usize,
    },
    DelayRequests {
        path_contains: String,
        millis: u64,
    },
    RevokeToken {
        user: String,
    },
    RestoreToken {
        user: String,
    },
    CutLogs,
    EndFollows,
    CutExecs,
    Pause,
    Resume,
}

impl Control {
    /// Listens on a loopback address; port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// When the address can't be bound or is not a loopback address.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        if !address.ip().is_loopback() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a loopback address"));
        }
        let listener = server::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Returns the address, with the port that was chosen if it was 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Carries out operations on a cluster until `stop` is cancelled.
    ///
    /// # Errors
    ///
    /// When the listener fails.
    pub async fn serve(self, sim: Sim, stop: CancellationToken) -> io::Result<()> {
        let router = Router::new()
            .route("/", post(operate))
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .with_state(sim);
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            result = axum::serve(self.listener, router) => result,
        }
    }
}

async fn operate(Extract(sim): Extract<Sim>, Json(operation): Json<Operation>) -> Json<Value> {
    Json(json!({ "result": run(&sim, operation).await }))
}

/// Carries out an operation. Returns what its method returns, null for nothing.
async fn run(sim: &Sim, operation: Operation) -> Value {
    let faults = sim.faults();
    match operation {
        Operation::Put { object } => return sim.put(object),
        Operation::Remove { kind, namespace, name } => return sim.remove(&kind, &namespace, &name).into(),
        Operation::RunPod {
            namespace,
            name,
            containers,
        } => {
            let containers: Vec<&str> = containers.iter().map(String::as_str).collect();
            sim.run_pod(&namespace, &name, &containers);
        }
        Operation::WriteLog {
            namespace,
            pod,
            container,
            text,
        } => {
            return sim.write_log(&namespace, &pod, &container, text.as_bytes()).into();
        }
        Operation::RotateLog {
            namespace,
            pod,
            container,
        } => sim.rotate_log(&namespace, &pod, &container),
        Operation::RestartContainer {
            namespace,
            pod,
            container,
            exit_code,
        } => {
            sim.restart_container(&namespace, &pod, &container, exit_code);
        }
        Operation::EndContainer {
            namespace,
            pod,
            container,
            exit_code,
        } => {
            sim.end_container(&namespace, &pod, &container, exit_code);
        }
        Operation::DropWatches => faults.drop_watches(),
        Operation::StallWatches { on } => faults.stall_watches(on),
        Operation::FailRequests {
            path_contains,
            status,
            times,
        } => {
            faults.fail_requests(&path_contains, status, times);
        }
        Operation::DelayRequests { path_contains, millis } => {
            faults.delay_requests(&path_contains, Duration::from_millis(millis));
        }
        Operation::RevokeToken { user } => faults.revoke_token(&user),
        Operation::RestoreToken { user } => faults.restore_token(&user),
        Operation::CutLogs => faults.cut_logs(),
        Operation::EndFollows => faults.end_follows(),
        Operation::CutExecs => faults.cut_execs(),
        Operation::Pause => sim.pause().await,
        Operation::Resume => sim.resume().await,
    }
    Value::Null
}
