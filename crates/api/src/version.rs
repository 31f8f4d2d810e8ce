//! `GET /api/version`: the release, the web page's version, and what this server offers.

use axum::{Json, extract::State as Extract};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Operation, Schemas, State, Success};

/// The version of a server. It has no envelope, so that a script needs no JSON path.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Version {
    /// The release.
    version: &'static str,
    /// A hash of the web page, which changes with every build of it; empty if the server has none.
    ui: String,
    /// Words for what only some servers offer: `demo` on a demo.
    features: Vec<&'static str>,
}

pub(crate) const GET: Operation = Operation::new(
    "process.version",
    "Returns the release, the web page's version and what the server offers.",
    Success::Bare(Schemas::of::<Version>),
);

/// `GET /api/version`. A page that is open compares `ui` with its own to learn of a new release.
pub(crate) async fn get(Extract(state): Extract<State>) -> Json<Version> {
    Json(Version {
        version: env!("CARGO_PKG_VERSION"),
        ui: state.page().map_or_else(String::new, |page| page.version().to_owned()),
        features: state.options().features.clone(),
    })
}
