//! Kubernetes I/O: which clusters there are, the watch that fills the index, and the live operations on one pod.

pub mod budget;
pub mod client;
mod cluster;
pub mod delete;
pub mod detail;
pub mod error;
pub mod events;
pub mod exec;
pub mod follow;
mod info;
mod list;
mod live_pod;
pub mod log;
pub mod lossy;
pub mod print_pod;
mod protobuf;
mod queue;
pub mod reason;
pub mod registry;
mod removal;
mod row;
pub mod source;
mod sync;
pub mod text;
mod warnings;
mod watch;
pub mod websocket;
pub mod wire;

pub use budget::MemoryBudget;
pub use client::{
    proxy::ProxyFailure,
    tls::{CertificateRole, Refusal, TlsFailure},
};
pub use cluster::{Cluster, Info, Spec};
pub use error::{Error, Failure, StaleReason};
pub use registry::Registry;
pub use removal::RemovalReason;
pub use source::Source;
pub use sync::{Sync, SyncState};
pub use watch::metrics::Counts;
