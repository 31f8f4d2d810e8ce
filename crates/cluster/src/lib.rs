//! Kubernetes I/O: which clusters there are, the watch that fills the index, and the live operations on one pod.

pub mod budget;
pub mod client;
pub mod delete;
pub mod detail;
pub mod error;
pub mod events;
pub mod exec;
pub mod follow;
mod list;
mod live_pod;
pub mod log;
pub mod lossy;
pub mod print_pod;
mod protobuf;
mod queue;
pub mod reason;
pub mod registry;
mod row;
pub mod source;
pub mod text;
mod warnings;
mod watch;
pub mod websocket;
pub mod wire;

pub use budget::MemoryBudget;
pub use error::Error;
pub use registry::{Cluster, Registry, Spec, Sync, SyncState};
pub use source::Source;
