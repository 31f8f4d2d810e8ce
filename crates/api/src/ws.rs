//! WebSockets: the upgrade, and how one ends.
//!
//! A missing credential or a foreign origin is refused by HTTP before the upgrade. Everything later
//! upgrades, sends an `error` frame and closes with 4000 + HTTP status: a browser can't read the
//! status of a failed handshake.

mod limits;
mod socket;
mod upgrade;

pub use limits::Limits;
pub(crate) use limits::{SocketLimiter, StreamLimiter};
pub(crate) use socket::{Closed, Incoming, Receiver, Sender, Socket, SocketFrame};
pub(crate) use upgrade::Upgrade;
