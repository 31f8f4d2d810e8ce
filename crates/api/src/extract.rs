//! The extractors that handlers take as arguments.

pub(crate) mod auth;
pub(crate) mod authorized;
pub(crate) mod body;
pub(crate) mod content_negotiation;
pub(crate) mod parameters;
