//! The index through its public API.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod compare_and_set;
mod fields;
mod generation;
mod live;
mod model;
mod naive;
mod query;
mod random;
mod relist;
mod selector;
