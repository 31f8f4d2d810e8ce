//! The simulated cluster over its wire protocol, with an ordinary HTTP client.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access;
mod client;
mod control;
mod delete;
mod exec;
mod faults;
mod kubectl;
mod lists;
mod log;
mod objects;
mod protobuf;
mod shop;
mod synthetic;

mod watches;
