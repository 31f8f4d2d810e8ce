//! The list/watch machine: what keeps the index equal to a cluster.
//!
//! [`machine`] decides and does nothing; [`codec`] turns bytes into pods; [`driver`] makes the calls and does what is decided; [`reader`] feeds
//! the machine what comes; [`board`] tells how current the whole is; [`counts`] counts.

mod batch;
pub(crate) mod board;
pub(crate) mod codec;
pub(crate) mod counts;
pub(crate) mod driver;
pub(crate) mod machine;
mod odd;
mod reader;
