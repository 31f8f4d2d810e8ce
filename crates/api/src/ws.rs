//! WebSockets: the upgrade, and how one ends.
//!
//! A missing credential or a foreign origin is refused by HTTP before the upgrade. Everything later upgrades, sends an `error` frame and closes with 4000 +
//! HTTP status: a browser can't read the status of a failed handshake.

mod socket;
mod sockets;
mod upgrade;

pub use socket::{End, Incoming, Receiver, Sender, Socket};
pub use sockets::Limits;
pub(crate) use sockets::{Places, Sockets};
pub use upgrade::Upgrade;
