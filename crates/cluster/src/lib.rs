//! Kubernetes I/O: the registry of clusters, the watches that fill the index, and the live
//! operations on one pod.

mod budget;
mod client;
mod cluster;
pub mod delete;
mod detail;
mod error;
pub mod events;
pub mod exec;
pub mod follow;
mod info;
mod list;
mod live_pod;
pub mod log;
pub mod lossy;
mod print_pod;
mod protobuf;
mod queue;
mod reason;
mod registry;
mod removal;
mod row;
mod source;
mod sync;
pub mod text;
mod warnings;
mod watch;
mod websocket;
mod wire;

/// TLS with the certificates and keys that kubectl accepts, and with explanations of failed
/// handshakes.
pub mod tls {
    pub use crate::client::tls::{CertificateRole, Names, Refusal, Settings, TlsFailure, config, pair};
}

pub use budget::{MemoryBudget, Reservation};
pub use client::{Policy, ProxyFailure, WatchTimeouts};
pub use cluster::{Cluster, Info, Spec};
pub use detail::{PodJson, VIEW_OVERHEAD};
pub use error::{Error, Failure, StaleReason};
pub use print_pod::Summary;
pub use registry::Registry;
pub use removal::RemovalReason;
pub use source::{Context, FileContext, InvalidSource, Source};
pub use sync::{Sync, SyncState};
pub use watch::metrics::Counts;
pub use websocket::{BoundedWebSocket, Sizes};
