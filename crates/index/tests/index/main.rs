//! The index through its public face.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod generation;
mod model;
mod naive;
mod query;
mod relist;
mod selector;
