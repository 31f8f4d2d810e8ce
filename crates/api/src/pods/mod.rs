//! The pod routes: a module for each resource and action.

pub(crate) mod list;
