//! The list/watch machine: what keeps the index equal to a cluster.
//!
//! [`machine`] decides and does nothing; [`codec`] turns bytes into pods; [`driver`] makes the calls; [`reader`] feeds the machine what comes;
//! [`writer`] does what is decided; [`metrics`] counts.

mod batch;
pub(crate) mod codec;
pub(crate) mod driver;
mod log_limiter;
pub(crate) mod machine;
pub(crate) mod metrics;
mod reader;
mod writer;
