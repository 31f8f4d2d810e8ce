//! Tests of the product against a real Kubernetes. Every test is ignored by `cargo test` and run by
//! `make e2e`, one after the other, because some stop parts of the cluster.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

mod clusters;
mod delete;
mod detail;
mod events;
mod exec;
mod follow;
mod list;
mod logs;
mod outage;
mod reason;
mod status;
