//! Answers to requests that match no route.

use axum::{
    extract::{Request, State as Extract},
    response::{IntoResponse, Redirect, Response},
};
use http::Method;

use crate::{ApiError, State};

/// Answers a request whose path has no route. The base path without its slash redirects to the
/// start page.
pub(crate) async fn no_route(Extract(state): Extract<State>, request: Request) -> Response {
    let path = request.uri().path();
    let base = &state.options().base_path;
    if !base.is_empty() && path == base {
        return Redirect::permanent(&format!("{base}/")).into_response();
    }
    let path = crate::extract::parameters::shown(path);
    ApiError::NotFound(format!(
        "there is no route `{path}`: {base}/api/openapi.json lists all routes"
    ))
    .into_response()
}

/// Answers a request whose path does not take its method. axum adds the `Allow` header.
pub(crate) async fn no_method(method: Method) -> Response {
    ApiError::Method(format!(
        "this path does not take {method}: the `Allow` header lists what it takes"
    ))
    .into_response()
}
