//! The REST and WebSocket API. [`routes`] has every route on one page.
//!
//! A handler's first argument is [`Authorized`] (or `ws::Upgrade`) for its action: it authenticates
//! the caller and opens the Gate on the target that the path names. The others are [`Params`],
//! [`Body`] and `Negotiated`. A handler returns [`Data`] or [`Message`], or fails with
//! [`ApiError`]:
//!
//! ```text
//! pub(crate) async fn get(
//!     Authorized(scoped): Authorized<GetPod>,
//!     Params(query): Params<Query>,
//! ) -> Result<Data<View>, ApiError>
//! pub(crate) async fn exec(upgrade: ws::Upgrade<Exec, Query>) -> Response {
//!     upgrade.open(|socket, scoped, query| Box::pin(run(socket, scoped, query)))
//! }
//! ```

mod clusters;
mod error;
mod extract;
mod health;
mod http;
mod json;
mod metrics;
mod openapi;
mod options;
mod page;
mod page_files;
mod pods;
mod preferences;
mod route;
pub mod routes;
mod routing;
pub mod serve;
mod session;
mod start_page;
mod state;
mod sync;
mod time;
mod version;
mod ws;

use self::openapi::{
    operation::{Operation, Success},
    schema::Schemas,
};
pub use self::{
    error::ApiError,
    extract::{
        authorized::Authorized,
        body::Body,
        parameters::{FromParameters, Kind, Parameter, Parameters, Params},
    },
    http::envelope::{Data, Message},
    openapi::document,
    options::Options,
    page_files::Page,
    route::{Route, Shape},
    routes::router,
    state::State,
    ws::Limits as WebSocketLimits,
};
