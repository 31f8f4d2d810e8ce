//! What the process counts.

use std::{fmt, time::Duration};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

/// The counts of one process.
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    durations: Family<RouteOnly, Histogram>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Request {
    route: String,
    method: String,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RouteOnly {
    route: String,
    method: String,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let requests = Family::default();
        // From 0.1 ms to about 26 s.
        let durations = Family::new_with_constructor(
            (|| Histogram::new(exponential_buckets(0.0001, 4.0, 10))) as fn() -> Histogram,
        );
        let mut registry = Registry::with_prefix("podgate");
        registry.register(
            "http_requests",
            "Requests answered, by route, method and status",
            requests.clone(),
        );
        registry.register_with_unit(
            "http_request_duration",
            "Time from a request's head to its answer's head, by route",
            Unit::Seconds,
            durations.clone(),
        );
        Self {
            registry,
            requests,
            durations,
        }
    }

    /// Counts an answered request. A path without a route has none, lest callers make up labels.
    pub(crate) fn request(&self, route: Option<&str>, method: &str, status: u16, taken: Duration) {
        let route = route.unwrap_or("none").to_owned();
        let known = matches!(method, "GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "PATCH" | "OPTIONS");
        let method = if known { method } else { "other" }.to_owned();
        let labels = RouteOnly {
            route: route.clone(),
            method: method.clone(),
        };
        self.durations.get_or_create(&labels).observe(taken.as_secs_f64());
        self.requests.get_or_create(&Request { route, method, status }).inc();
    }
}
