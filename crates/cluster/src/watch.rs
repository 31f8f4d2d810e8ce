//! The list/watch machine: what keeps the index equal to a cluster.
//!
//! [`machine`] decides and does nothing; [`codec`] turns bytes into pods; [`driver`] talks to the API server, feeds the machine and does what
//! it decides; [`board`] tells how current the whole is.

pub(crate) mod board;
pub(crate) mod codec;
pub(crate) mod driver;
pub(crate) mod machine;
