//! The table of routes: what the server knows of itself. The OpenAPI document, the start page, the middleware and tests read it.

use std::collections::HashSet;

use http::Method;

use crate::extract::parameters::Parameter;

/// What a route's answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// An answer with an end.
    Unary,
    /// An answer that may be long, or go on.
    Stream,
    /// A WebSocket.
    WebSocket,
}

/// One route, as the table shows it.
#[derive(Clone, Debug)]
pub struct Route {
    /// `GET`, …
    pub method: Method,
    /// Its path, with `{name}` for what varies.
    pub path: &'static str,
    /// Its action's name, permission and whether it changes anything; `None` for a public route.
    pub action: Option<(&'static str, &'static str, bool)>,
    /// What its answer is.
    pub shape: Shape,
    /// Its query parameters.
    pub parameters: &'static [Parameter],
    /// Whether it wants a JSON body.
    pub body: bool,
    /// The media types it answers, the default first; empty: not negotiated.
    pub types: &'static [&'static str],
}

/// Every route, in the order in which they were added.
#[derive(Debug, Default)]
pub(crate) struct RouteTable {
    routes: Vec<Route>,
    paths: HashSet<&'static str>,
}

impl RouteTable {
    pub(crate) fn new(routes: Vec<Route>) -> Self {
        let paths = routes.iter().map(|route| route.path).collect();
        Self { routes, paths }
    }

    pub(crate) fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// Returns a route's path as the table has it, or `None` if no route has this path.
    pub(crate) fn path(&self, path: &str) -> Option<&'static str> {
        self.paths.get(path).copied()
    }
}
