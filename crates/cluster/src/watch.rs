//! The list and watch that keep the index equal to a cluster.
//!
//! [`machine`] decides what to do and does no I/O; [`codec`] decodes pods; [`driver`] makes the
//! calls; [`reader`] passes the contents of the responses to the machine; [`writer`] carries out
//! its decisions; [`metrics`] counts.

mod batch;
pub(crate) mod codec;
pub(crate) mod driver;
mod log_limiter;
pub(crate) mod machine;
pub(crate) mod metrics;
mod reader;
mod writer;
