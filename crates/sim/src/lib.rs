//! A simulated Kubernetes cluster that speaks the wire protocol on loopback TLS: for tests, for the demo and for the bench.

mod auth;
mod body;
mod call;
mod containers;
mod content;
mod delete;
mod discovery;
mod exec;
mod faults;
mod kubeconfig;
mod list;
mod log;
mod negotiate;
mod object;
mod options;
mod protobuf;
mod rbac;
mod reviews;
mod runtime;
mod selectors;
mod server;
mod shell;
mod sim;
mod state;
mod status;
mod store;
mod table;
mod time;
mod tls;
mod watch;
mod write;
mod yaml;

pub use faults::Faults;
pub use options::{Content, Options};
pub use sim::Sim;
pub use state::Request;
