//! The metrics of the process, for Prometheus.

pub(crate) mod endpoint;

use std::{fmt, time::Duration};

use podgate_access::Health;
use prometheus_client::{
    encoding::{
        EncodeLabelSet,
        text::{encode_eof, encode_registry},
    },
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};

use crate::sync;

/// The format that [`encode_registry`] writes.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The metrics of one process.
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    durations: Family<Method, Histogram>,
    streamed: Family<Route, Counter>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Request {
    route: &'static str,
    method: &'static str,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Method {
    route: &'static str,
    method: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct InCluster {
    cluster: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfType {
    cluster: String,
    r#type: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ForReason {
    cluster: String,
    reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct InState {
    cluster: String,
    state: &'static str,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let requests = Family::default();
        // From 0.1 ms to about 26 s.
        let histogram: fn() -> Histogram = || Histogram::new(exponential_buckets(0.0001, 4.0, 10));
        let durations = Family::new_with_constructor(histogram);
        let streamed = Family::default();
        let mut registry = Registry::default();
        registry.register("podgate_http_requests", "Requests answered", requests.clone());
        registry.register(
            "podgate_http_request_duration_seconds",
            "Time from a request's head to its answer's head",
            durations.clone(),
        );
        registry.register(
            "podgate_streamed_bytes",
            "Bytes sent to clients in long answers (logs) and WebSocket frames",
            streamed.clone(),
        );
        Self {
            registry,
            requests,
            durations,
            streamed,
        }
    }

    /// Counts an answered request. `route` is `None` for a path without a route, so that callers
    /// can't invent labels.
    pub(crate) fn request(&self, route: Option<&'static str>, method: &str, status: u16, taken: Duration) {
        const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];
        let route = route.unwrap_or("none");
        let method = METHODS
            .iter()
            .find(|known| **known == method)
            .copied()
            .unwrap_or("other");
        let labels = Method { route, method };
        self.durations.get_or_create(&labels).observe(taken.as_secs_f64());
        self.requests.get_or_create(&Request { route, method, status }).inc();
    }

    /// Returns the counter of the bytes that a streaming route or a WebSocket sends.
    pub(crate) fn streamed(&self, route: &str) -> Counter {
        self.streamed.get_or_create_owned(&Route {
            route: route.to_owned(),
        })
    }

    fn text(&self, clusters: &[Health], open: Open) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)?;
        encode_registry(&mut text, &snapshot(clusters, open))?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}

/// The numbers of streams that are open now.
#[derive(Clone, Copy, Debug)]
struct Open {
    connections: usize,
    sockets: usize,
    viewers: usize,
}

/// Builds the metrics that are read at the time of the scrape rather than counted.
fn snapshot(clusters: &[Health], open: Open) -> Registry {
    let mut registry = Registry::default();
    for (name, help, count) in [
        ("podgate_connections", "Open connections", open.connections),
        ("podgate_websockets", "Open WebSockets", open.sockets),
        ("podgate_live_viewers", "Open WebSockets of live queries", open.viewers),
    ] {
        let gauge: Gauge = Gauge::default();
        gauge.set(number(count));
        registry.register(name, help, gauge);
    }

    let states = Family::<InState, Gauge>::default();
    let pods = Family::<InCluster, Gauge>::default();
    let skips = Family::<InCluster, Counter>::default();
    let labels_left_out = Family::<InCluster, Counter>::default();
    let events = Family::<OfType, Counter>::default();
    let lists = Family::<ForReason, Counter>::default();
    for Health {
        name,
        sync,
        pods: count,
        skipped,
        labels_left_out: left_out,
        counts,
    } in clusters
    {
        let cluster = name.clone();
        for state in ["syncing", "synced", "stale", "failed"] {
            let labels = InState {
                cluster: cluster.clone(),
                state,
            };
            states
                .get_or_create(&labels)
                .set(i64::from(sync::state(sync.state) == state));
        }
        for &(r#type, number) in &counts.events {
            let cluster = cluster.clone();
            events.get_or_create(&OfType { cluster, r#type }).inc_by(number);
        }
        for &(reason, number) in &counts.lists {
            let cluster = cluster.clone();
            lists.get_or_create(&ForReason { cluster, reason }).inc_by(number);
        }
        let labels = InCluster { cluster };
        pods.get_or_create(&labels).set(number(*count));
        skips.get_or_create(&labels).inc_by(*skipped);
        labels_left_out.get_or_create(&labels).inc_by(*left_out);
    }
    registry.register(
        "podgate_cluster_state",
        "1 for the state that a cluster's sync is in",
        states,
    );
    registry.register("podgate_cluster_pods", "Pods of a cluster", pods);
    registry.register(
        "podgate_cluster_skipped_pods",
        "Objects of a cluster that could not be parsed as pods, counted each time",
        skips,
    );
    registry.register(
        "podgate_cluster_left_out_labels",
        "Labels of a cluster's pods that were left out because a pod had too many or too long ones, counted each time",
        labels_left_out,
    );
    registry.register(
        "podgate_cluster_watch_events",
        "Watch events of a cluster, by type",
        events,
    );
    registry.register(
        "podgate_cluster_lists",
        "Lists of a cluster's pods that were started, by cause",
        lists,
    );

    if let Some(bytes) = resident_memory() {
        let memory: Gauge = Gauge::default();
        memory.set(number(bytes));
        registry.register("process_resident_memory_bytes", "Resident memory size in bytes", memory);
    }
    registry
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Returns the resident memory of this process in bytes (`VmRSS` of proc(5)); `None` on systems
/// other than Linux.
fn resident_memory() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use podgate_cluster::{Sync, SyncState};

    use super::*;

    #[test]
    fn the_text_is_open_metrics() {
        let metrics = Metrics::new();
        metrics.request(Some("/api/clusters"), "GET", 200, Duration::from_millis(3));
        metrics.request(None, "BREW", 404, Duration::from_millis(3));
        metrics.streamed("/ws/x").inc_by(7);
        let cluster = Health {
            name: "production".into(),
            sync: Sync {
                state: SyncState::Stale,
                synced_at: None,
                error: None,
            },
            pods: 12,
            skipped: 2,
            labels_left_out: 44,
            counts: podgate_cluster::Counts {
                events: vec![("applied", 5), ("bookmark", 0)],
                lists: vec![("expired", 3)],
            },
        };
        let text = metrics
            .text(
                &[cluster],
                Open {
                    connections: 4,
                    sockets: 3,
                    viewers: 2,
                },
            )
            .unwrap();
        for line in [
            r#"podgate_http_requests_total{route="/api/clusters",method="GET",status="200"} 1"#,
            r#"podgate_http_requests_total{route="none",method="other",status="404"} 1"#,
            r#"podgate_http_request_duration_seconds_count{route="/api/clusters",method="GET"} 1"#,
            r#"podgate_streamed_bytes_total{route="/ws/x"} 7"#,
            r#"podgate_cluster_state{cluster="production",state="stale"} 1"#,
            r#"podgate_cluster_state{cluster="production",state="synced"} 0"#,
            r#"podgate_cluster_pods{cluster="production"} 12"#,
            r#"podgate_cluster_skipped_pods_total{cluster="production"} 2"#,
            r#"podgate_cluster_left_out_labels_total{cluster="production"} 44"#,
            r#"podgate_cluster_watch_events_total{cluster="production",type="applied"} 5"#,
            r#"podgate_cluster_watch_events_total{cluster="production",type="bookmark"} 0"#,
            r#"podgate_cluster_lists_total{cluster="production",reason="expired"} 3"#,
            "podgate_connections 4",
            "podgate_websockets 3",
            "podgate_live_viewers 2",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        assert_eq!(text.matches("# EOF").count(), 1);
    }
}
