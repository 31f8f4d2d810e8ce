//! The list/watch machine: what keeps the index equal to a cluster.
//!
//! [`machine`] decides and does nothing; [`codec`] turns bytes into pods; [`driver`] makes the calls and does what is decided; [`reader`] feeds
//! the machine what comes; [`sync_tracker`] tells how current the whole is; [`metrics`] counts.

mod batch;
pub(crate) mod codec;
pub(crate) mod driver;
mod log_limiter;
pub(crate) mod machine;
pub(crate) mod metrics;
mod reader;
pub(crate) mod sync_tracker;
