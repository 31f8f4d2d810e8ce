//! The tables as the ORM sees them.
//!
//! They are private to this crate. Its public types are plain structs whose `Debug` output shows no
//! hashes.

pub(crate) mod cluster;
pub(crate) mod known_network;
pub(crate) mod preferences;
pub(crate) mod session;
pub(crate) mod user;
