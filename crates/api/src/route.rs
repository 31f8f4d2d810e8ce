//! The table of routes. The OpenAPI document, the start page, the middleware and tests read it.

use std::collections::HashSet;

use http::Method;

use crate::{
    extract::parameters::Parameter,
    openapi::operation::{Operation, RequestBody},
};

/// The routes that accept any `Host`, because their callers (probes and Prometheus) know addresses
/// rather than names.
pub(crate) const ASKED_BY_ADDRESS: &[&str] = &["/healthz", "/readyz", "/metrics"];

/// The form of a route's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// An answer that is complete after a moment.
    Unary,
    /// An answer that may be long or without an end.
    Stream,
    /// A WebSocket.
    WebSocket,
    /// A path of the web page or one of its files. The OpenAPI document leaves these out.
    Page,
}

/// One route of the table.
#[derive(Clone, Debug)]
pub struct Route {
    /// The HTTP method.
    pub method: Method,
    /// The path, with `{name}` for the parts that vary.
    pub path: &'static str,
    /// The action's name, its permission, and whether it changes anything; `None` for a public
    /// route.
    pub action: Option<(&'static str, &'static str, bool)>,
    /// The form of the answer.
    pub shape: Shape,
    /// The query parameters.
    pub parameters: &'static [Parameter],
    /// The JSON body, if the route takes one.
    pub(crate) body: Option<RequestBody>,
    /// The media types of the answer, the default first. The list is empty if `Accept` is ignored.
    pub types: &'static [&'static str],
    /// The rest of the description, which is defined at the handler.
    pub(crate) operation: Operation,
}

impl Route {
    /// Returns whether a request must have a JSON body.
    pub fn wants_body(&self) -> bool {
        self.body.is_some_and(|body| body.required)
    }

    /// Returns the codes of the route's failures in ascending order.
    ///
    /// They are those that follow from its row of the table and those of its operation. On a
    /// WebSocket they include the codes of `error` frames.
    pub fn codes(&self) -> Vec<u32> {
        let mut codes = vec![500_001];
        let is_socket = self.shape == Shape::WebSocket;
        // The name in `Host` may not be Podgate's.
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
            // A part of the path may be other than UTF-8.
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

    /// Returns the table's own copy of a path, or `None` if no route has this path.
    pub(crate) fn path(&self, path: &str) -> Option<&'static str> {
        self.paths.get(path).copied()
    }
}
