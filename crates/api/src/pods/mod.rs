//! The pod routes: a module for each resource and action.

pub(crate) mod answers;
mod client_frames;
pub(crate) mod delete;
pub(crate) mod detail;
pub(crate) mod events;
pub(crate) mod exec;
mod facets;
pub(crate) mod list;
pub(crate) mod live;
pub(crate) mod log_stream;
pub(crate) mod logs;
pub(crate) mod memory;
mod query;
mod reason_codes;
mod row_cache;
mod rows;
mod schemas;
pub(crate) mod shares;
pub(crate) mod tail;
mod tail_json;
mod utf8_decoder;
mod words;
