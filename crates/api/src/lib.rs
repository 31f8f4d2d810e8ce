//! The REST and WebSocket API. `routes.rs` has every route on one page.

pub mod accept;
pub mod answer;
pub mod body;
pub mod credential;
pub mod error;
mod health;
pub mod metrics;
pub mod middleware;
pub mod opened;
mod origin;
pub mod parameters;
mod pods;
pub mod routes;
pub mod routing;
mod session;
pub mod state;
pub mod ws;

pub use answer::{Data, Message};
pub use body::Body;
pub use error::ApiError;
pub use opened::Opened;
pub use parameters::{FromParameters, Kind, Parameter, Parameters, Params};
pub use routes::router;
pub use state::{Options, State};
