//! Tests of the whole API over real HTTP on a simulated cluster, with a module for each resource
//! and action.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access_matrix;
mod accounts;
mod bad_frames;
mod bad_input;
mod clusters;
mod connections;
mod credentials;
mod documents;
mod etags;
mod exec;
mod http_rules;
mod log_stream;
mod page;
mod pods_all;
mod pods_delete;
mod pods_detail;
mod pods_events;
mod pods_list;
mod pods_live;
mod pods_logs;
mod preferences;
mod refusals;
mod schema;
mod session;
mod sockets;
mod support;
