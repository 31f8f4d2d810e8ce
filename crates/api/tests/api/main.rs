//! The whole API over real HTTP, on a simulated cluster: a module for each resource and action.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod documents;
mod pods_list;
mod session;
mod support;
