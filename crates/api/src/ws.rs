//! WebSockets: how they open and how they end.
//!
//! A missing credential or a foreign origin is refused by HTTP before the upgrade. For every later
//! error the socket opens, sends an `error` frame and closes with 4000 + HTTP status, because a
//! browser can't read the status of a failed handshake.

mod limits;
mod socket;
mod upgrade;

pub use limits::Limits;
pub(crate) use limits::{SocketLimiter, StreamLimiter};
pub(crate) use socket::{Closed, Incoming, Receiver, Sender, Socket, SocketFrame};
pub(crate) use upgrade::Upgrade;
