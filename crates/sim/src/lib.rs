//! A simulated Kubernetes cluster for tests, the demo and the bench.
//!
//! It speaks the wire protocol on loopback over TLS.

mod auth;
mod body;
mod call;
mod containers;
mod content;
mod control;
mod delete;
mod discovery;
mod exec;
mod faults;
mod kubeconfig;
mod list;
mod log;
mod manifest;
mod names;
mod negotiate;
mod object;
mod options;
mod protobuf;
mod rbac;
mod reviews;
mod runtime;
mod selectors;
mod server;
mod shared_json;
mod shell;
mod sim;
mod state;
mod status;
mod store;
mod table;
mod time;
mod tls;
mod watch;

pub use control::Control;
pub use faults::Faults;
pub use options::{Content, Options};
pub use sim::Sim;
pub use state::Request;
