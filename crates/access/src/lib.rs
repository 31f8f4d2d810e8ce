//! Who may do what. Everything that touches a cluster, the index or an account goes through here: [`Sessions`] tells who calls, and the
//! [`Gate`] hands out what the caller may touch.

pub mod action;
pub mod caller;
pub mod clock;
pub mod clusters;
pub mod error;
pub mod gate;
pub mod live;
pub mod pods;
pub mod scoped;
pub mod sessions;
pub mod tickets;
mod token;

pub use action::Action;
pub use caller::{Caller, User};
pub use clock::Clock;
pub use error::Denied;
pub use gate::{Gate, Scoped, Target};
pub use sessions::Sessions;
