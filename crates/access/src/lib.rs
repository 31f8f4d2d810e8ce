//! Authentication and authorisation. Every access to a cluster, the index or an account goes
//! through this crate: [`Sessions`] finds out who calls, and the [`Gate`] returns what the caller
//! may do.

pub mod action;
mod caller;
mod clock;
pub mod clusters;
mod error;
mod gate;
mod pod_query;
mod scoped;
pub mod sessions;
mod subscription;
pub mod tickets;
mod token;

pub use self::{
    action::Action,
    caller::{Caller, User},
    clock::Clock,
    error::{Denied, Result},
    gate::{Gate, Health, Scoped, Target},
    pod_query::{ListedCluster, PodQuery, PodReader},
    sessions::Sessions,
    subscription::{LiveQuery, LiveQueryKey},
};
