//! The tables as SeaORM sees them. Private to this crate: what leaves it are plain structs without hashes in their `Debug`.

pub(crate) mod cluster;
pub(crate) mod known_network;
pub(crate) mod session;
pub(crate) mod user;
