//! The pod routes: a module for each resource and action.

pub(crate) mod delete;
pub(crate) mod detail;
pub(crate) mod events;
pub(crate) mod list;
pub(crate) mod logs;
mod tail;
