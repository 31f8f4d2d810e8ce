//! The table of routes: what the server knows of itself. The OpenAPI document, the start page, the
//! middleware and tests read it.

use std::collections::HashSet;

use http::Method;

use crate::{
    extract::parameters::Parameter,
    openapi::operation::{Operation, RequestBody},
};

/// The routes whose callers know addresses rather than our name, probes and Prometheus, so that any
/// `Host` will do.
pub(crate) const ASKED_BY_ADDRESS: &[&str] = &["/healthz", "/readyz", "/metrics"];

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
    /// The JSON body that it takes, if any.
    pub(crate) body: Option<RequestBody>,
    /// The media types it answers, the default first; empty: not negotiated.
    pub types: &'static [&'static str],
    /// The rest of its description, from its handler.
    pub(crate) operation: Operation,
}

impl Route {
    /// Returns whether a request must have a JSON body.
    pub fn wants_body(&self) -> bool {
        self.body.is_some_and(|body| body.required)
    }

    /// Returns the codes of the failures that the route may answer, in ascending order: those that
    /// follow from its row of the table, and those of its operation. On a WebSocket they include
    /// those that an `error` frame may have.
    pub fn codes(&self) -> Vec<u32> {
        let mut codes = vec![500_001];
        let is_socket = self.shape == Shape::WebSocket;
        // At least the name in `Host` may not be ours.
        if !ASKED_BY_ADDRESS.contains(&self.path) {
            codes.push(400_001);
        }
        if !self.types.is_empty() {
            codes.push(406_001);
        }
        if self.body.is_some() {
            codes.extend([400_002, 413_001, 415_001]);
        }
        if self.action.is_some() {
            codes.extend([401_002, 401_003, 401_004, 403_001, 503_002]);
        }
        if is_socket {
            codes.extend([403_002, 413_001, 429_001]);
        }
        if self.method != Method::GET {
            codes.push(403_002);
        }
        if self.path.contains("{clusterId}") {
            // A part of the path may not be UTF-8.
            codes.extend([404_002, 404_004]);
        }
        if self.path.contains("{name}") {
            codes.extend([404_001, 429_001, 502_001, 504_001]);
        }
        codes.extend(self.operation.codes);
        codes.sort_unstable();
        codes.dedup();
        codes
    }
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
