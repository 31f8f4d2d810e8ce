//! The crate against simulated clusters.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod endless;
mod exec;
mod follow;
mod guard;
mod kubeconfig;
mod log;
mod namespaces;
mod proxies;
mod proxy;
mod reason;
mod source;
mod tls;
mod watch;
mod world;
