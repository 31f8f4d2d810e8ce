//! Answers to requests that no route takes.

use axum::{
    extract::{Request, State as Extract},
    response::{IntoResponse, Redirect, Response},
};
use http::Method;

use crate::{ApiError, State};

/// What a path without a route answers. The base path itself leads to the page under it.
pub(crate) async fn no_route(Extract(state): Extract<State>, request: Request) -> Response {
    let path = request.uri().path();
    let base = &state.options().base_path;
    if !base.is_empty() && path == base {
        return Redirect::permanent(&format!("{base}/")).into_response();
    }
    let path = crate::extract::parameters::shown(path);
    ApiError::NotFound(format!(
        "there is nothing at `{path}`: {base}/api/openapi.json lists all routes"
    ))
    .into_response()
}

/// What a method that a path does not take answers; axum adds the `Allow` header.
pub(crate) async fn no_method(method: Method) -> Response {
    ApiError::Method(format!(
        "this path does not take {method}: the `Allow` header lists what it takes"
    ))
    .into_response()
}
