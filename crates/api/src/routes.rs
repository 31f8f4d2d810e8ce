//! Every route, on one page: method, path, handler, and the action for which its handler opens the Gate.

use axum::{Router, middleware::from_fn_with_state};
use http::Method;
use podgate_access::action::{ListPods, OwnAccount};
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    State, health, middleware, origin, pods,
    routing::{Route, Routes, Shape},
    session,
};

fn routes(base: &str) -> Routes {
    Routes::new(base)
        // For anyone.
        .add_public(Method::GET, "/healthz", health::live)
        // One's own account.
        .add::<OwnAccount, _, _>(Method::GET, "/api/auth/me", session::me)
        // Pods: each under its handler's module.
        .add::<ListPods, _, _>(Method::GET, "/api/clusters/{clusterId}/pods", pods::list::list)
}

/// The whole API. Serve it with [`axum::extract::ConnectInfo`] of [`std::net::SocketAddr`], from which it knows its callers' addresses.
pub fn router(state: State) -> Router {
    let (router, _) = routes(&state.options().base_path).finish();
    router
        .layer(from_fn_with_state(state.clone(), origin::check))
        .layer(CatchPanicLayer::custom(middleware::panicked))
        .layer(from_fn_with_state(state.clone(), middleware::around))
        .with_state(state)
}

/// The table of all routes, in the order of this page.
pub fn table() -> Vec<Route> {
    routes("").finish().1
}

/// The table as `docs/routes.txt` has it: a line a route.
pub fn text() -> String {
    let mut text =
        String::from("# method path action permission, as crates/api/src/routes.rs has them; a test compares\n");
    for route in table() {
        let method = if route.shape == Shape::WebSocket {
            "WS"
        } else {
            route.method.as_str()
        };
        let (action, permission, _) = route.action.unwrap_or(("-", "public", false));
        text.push_str(&format!("{method:<6} {:<70} {action:<16} {permission}\n", route.path));
    }
    text
}
