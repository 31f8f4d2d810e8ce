//! `pods/log`.

use axum::response::{IntoResponse, Response};

use crate::call::Call;
use crate::status::Failure;

/// Answers a log request.
pub(crate) async fn route(call: Call) -> Response {
    let _ = call;
    Failure::no_route().into_response()
}
