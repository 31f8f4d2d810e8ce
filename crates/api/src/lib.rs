//! The REST and WebSocket API. [`routes`] has every route on one page.
//!
//! A handler's first argument is [`Opened`] (or [`ws::Upgrade`]) for its action: it authenticates the caller and opens the Gate on what the path names. The
//! others are [`Params`], [`Body`] and [`accept::Accepted`]. It answers [`Data`] or [`Message`], and fails with [`ApiError`]:
//!
//! ```text
//! pub(crate) async fn get(Opened(scoped): Opened<GetPod>, Params(query): Params<Query>) -> Result<Data<View>, ApiError>
//! pub(crate) async fn exec(upgrade: ws::Upgrade<Exec, Query>) -> Response {
//!     upgrade.open(|socket, scoped, query| Box::pin(run(socket, scoped, query)))
//! }
//! ```

pub mod accept;
pub mod answer;
pub mod body;
mod clusters;
mod cors;
pub mod credential;
pub mod error;
mod etag;
mod health;
mod host;
mod json;
pub mod metrics;
pub mod middleware;
pub mod openapi;
pub mod opened;
mod origin;
pub mod parameters;
mod pods;
pub mod routes;
pub mod routing;
pub mod serve;
mod session;
pub mod state;
mod stream;
pub mod sync;
pub mod time;
mod ui;
pub mod ws;

pub use answer::{Data, Message};
pub use body::Body;
pub use error::ApiError;
pub use opened::Opened;
pub use parameters::{FromParameters, Kind, Parameter, Parameters, Params};
pub use routes::router;
pub use state::{Options, State};
