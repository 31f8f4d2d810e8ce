//! What the table of routes can't know of each: its name, a sentence, what it takes and answers.

use http::Method;
use serde_json::Value;

use super::{
    frames, pods as pod_schemas,
    schema::{Schemas, object},
};
use crate::{
    clusters::{ClusterEdit, ClusterView, NamespacesView, NewCluster, StatsView, TestView},
    health::Readiness,
    pods::logs::LogView,
    route::Route,
    session::{Credentials, LoginView, Logout, PasswordChange, Refresh, TicketRequest, TicketView, UserView},
};

/// Makes a schema, adding those that it names.
type Schema = fn(&mut Schemas) -> Value;

/// What a success looks like.
#[derive(Clone, Copy)]
pub(super) enum Answer {
    /// An envelope with this under `data`.
    Data(Schema),
    /// An envelope with this message and null under `data`.
    Message(&'static str),
    /// JSON without an envelope.
    Bare(Schema),
    /// Text of this media type.
    Text(&'static str),
    /// A WebSocket with these frames.
    Socket {
        /// The client's frames.
        client: fn() -> Value,
        /// The server's frames.
        server: fn() -> Value,
    },
}

/// What is known of an operation beside its route.
pub(super) struct Operation {
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) body: Option<Schema>,
    /// Whether the body may be left out.
    pub(super) optional: bool,
    pub(super) answer: Answer,
    /// Failures that do not follow from the route's shape.
    pub(super) codes: &'static [u32],
}

impl Operation {
    /// The first part of the id: `pods.list` is of `pods`.
    pub(super) fn tag(&self) -> &'static str {
        self.id.split('.').next().unwrap_or(self.id)
    }

    const fn new(id: &'static str, summary: &'static str, answer: Answer) -> Self {
        Self {
            id,
            summary,
            body: None,
            optional: false,
            answer,
            codes: &[],
        }
    }

    const fn takes(mut self, body: Schema) -> Self {
        self.body = Some(body);
        self
    }

    const fn may_take(mut self, body: Schema) -> Self {
        self.optional = true;
        self.takes(body)
    }

    const fn fails(mut self, codes: &'static [u32]) -> Self {
        self.codes = codes;
        self
    }
}

/// What is known of a route.
pub(super) fn operation(route: &Route) -> Option<Operation> {
    let pod = "/api/clusters/{clusterId}/namespaces/{namespace}/pods/{name}";
    let socket = "/ws/clusters/{clusterId}/namespaces/{namespace}/pods/{name}";
    if let Some(rest) = route.path.strip_prefix(pod) {
        return of_pod(&route.method, rest);
    }
    if let Some(rest) = route.path.strip_prefix(socket) {
        return of_socket(rest);
    }
    if let Some(rest) = route.path.strip_prefix("/api/clusters") {
        return of_cluster(&route.method, rest);
    }
    if route.path.starts_with("/ws/") {
        let live = Answer::Socket {
            client: frames::live_client,
            server: frames::live_server,
        };
        let (id, of) = match route.path {
            "/ws/pods" => ("pods.liveAll", "The pods of all clusters, kept current."),
            _ => ("pods.live", "A cluster's pods, kept current."),
        };
        return Some(Operation::new(id, of, live).fails(&[400_002, 403_001, 404_002, 429_001]));
    }
    if route.path == "/api/pods" {
        let list = Answer::Data(pod_schemas::list_of_all);
        let operation = Operation::new("pods.listAll", "A page of the pods of all clusters.", list);
        return Some(operation.fails(&[404_002, 429_001]));
    }
    of_account(route.path).or_else(|| of_process(route.path))
}

fn of_pod(method: &Method, rest: &str) -> Option<Operation> {
    Some(match (method.as_str(), rest) {
        ("GET", "") => Operation::new("pods.get", "One pod, live.", Answer::Data(pod_schemas::detail)),
        ("DELETE", "") => Operation::new(
            "pods.delete",
            "Deletes a pod.",
            Answer::Message("Pod deleted successfully"),
        )
        .fails(&[409_001]),
        ("GET", "/logs") => Operation::new("pods.logs", "A container's log.", Answer::Data(Schemas::of::<LogView>))
            .fails(&[404_003, 409_001, 429_001]),
        ("GET", "/events") => Operation::new("pods.events", "A pod's events.", Answer::Data(pod_schemas::events)),
        _ => return None,
    })
}

fn of_socket(rest: &str) -> Option<Operation> {
    let logs = Answer::Socket {
        client: frames::log_client,
        server: frames::log_server,
    };
    let exec = Answer::Socket {
        client: frames::exec_client,
        server: frames::exec_server,
    };
    Some(match rest {
        "/logs" => {
            Operation::new("pods.followLogs", "A stream of log lines.", logs).fails(&[400_002, 404_003, 409_001])
        }
        "/exec" => {
            Operation::new("pods.exec", "A command in a container.", exec).fails(&[400_002, 404_003, 409_001, 409_002])
        }
        _ => return None,
    })
}

fn of_cluster(method: &Method, rest: &str) -> Option<Operation> {
    const UPSTREAM: &[u32] = &[403_001, 429_001, 502_001, 504_001];
    Some(match (method.as_str(), rest) {
        ("GET", "/{clusterId}/pods") => Operation::new(
            "pods.list",
            "A page of a cluster's pods.",
            Answer::Data(pod_schemas::list_of_cluster),
        )
        .fails(&[429_001, 502_001, 503_001, 504_001]),
        ("GET", "") => Operation::new("clusters.list", "The clusters.", Answer::Data(cluster_page)),
        ("POST", "") => Operation::new(
            "clusters.create",
            "Tries a cluster, then adds it.",
            Answer::Data(Schemas::of::<ClusterView>),
        )
        .takes(Schemas::of::<NewCluster>)
        .fails(&[409_001, 429_001, 502_001, 504_001]),
        ("GET", "/{clusterId}") => {
            Operation::new("clusters.get", "One cluster.", Answer::Data(Schemas::of::<ClusterView>))
        }
        ("PUT", "/{clusterId}") => Operation::new(
            "clusters.update",
            "Changes a cluster.",
            Answer::Data(Schemas::of::<ClusterView>),
        )
        .takes(Schemas::of::<ClusterEdit>)
        .fails(&[409_001, 429_001, 502_001, 504_001]),
        ("DELETE", "/{clusterId}") => Operation::new(
            "clusters.delete",
            "Removes a cluster.",
            Answer::Message("Cluster removed"),
        )
        .fails(&[409_001]),
        ("POST", "/{clusterId}/test") => Operation::new(
            "clusters.test",
            "Tries a cluster's connection.",
            Answer::Data(Schemas::of::<TestView>),
        )
        .fails(UPSTREAM),
        ("GET", "/{clusterId}/stats") => Operation::new(
            "clusters.stats",
            "Counts of a cluster's pods.",
            Answer::Data(Schemas::of::<StatsView>),
        )
        .fails(&[502_001, 503_001, 504_001]),
        ("GET", "/{clusterId}/namespaces") => Operation::new(
            "clusters.namespaces",
            "A cluster's namespaces.",
            Answer::Data(Schemas::of::<NamespacesView>),
        )
        .fails(UPSTREAM),
        _ => return None,
    })
}

fn cluster_page(schemas: &mut Schemas) -> Value {
    use super::schema::{count, list};
    let cluster = schemas.of::<ClusterView>();
    let page = object(
        "A page of clusters.",
        [
            ("items", list(cluster, "The clusters of this page, by number.")),
            ("total", count("Clusters in all.")),
            ("page", count("This page, from 1.")),
            ("pageSize", count("Clusters a page.")),
        ],
    );
    schemas.add("ClusterPage", page)
}

fn of_account(path: &str) -> Option<Operation> {
    let login = Answer::Data(Schemas::of::<LoginView>);
    Some(match path {
        "/api/auth/login" => Operation::new("session.login", "Opens a session.", login)
            .takes(Schemas::of::<Credentials>)
            .fails(&[401_001, 401_004, 429_001, 503_002]),
        "/api/auth/refresh" => Operation::new("session.refresh", "Trades a refresh token for new tokens.", login)
            .takes(Schemas::of::<Refresh>)
            .fails(&[401_002, 401_003, 401_004, 503_002]),
        "/api/auth/logout" => Operation::new(
            "session.logout",
            "Ends the session of the access token or of the refresh token, at once.",
            Answer::Message("Logged out"),
        )
        .may_take(Schemas::of::<Logout>)
        .fails(&[400_002, 401_002, 401_003, 401_004, 413_001, 415_001, 503_002]),
        "/api/auth/me" => Operation::new(
            "session.me",
            "The caller's account.",
            Answer::Data(Schemas::of::<UserView>),
        ),
        "/api/auth/change-password" => Operation::new(
            "session.changePassword",
            "Changes the caller's password and ends the account's other sessions.",
            Answer::Message("Password changed; all other sessions have ended"),
        )
        .takes(Schemas::of::<PasswordChange>)
        .fails(&[401_001, 429_001]),
        "/api/ws-tickets" => Operation::new(
            "session.ticket",
            "A ticket that opens one WebSocket.",
            Answer::Data(Schemas::of::<TicketView>),
        )
        .takes(Schemas::of::<TicketRequest>)
        .fails(&[429_001]),
        _ => return None,
    })
}

fn of_process(path: &str) -> Option<Operation> {
    Some(match path {
        "/" => Operation::new("process.page", "The start page.", Answer::Text("text/html")),
        "/healthz" => Operation::new("process.live", "Whether the process lives.", Answer::Text("text/plain")),
        "/readyz" => Operation::new(
            "process.ready",
            "Whether it can serve: 200, else 503 with the same fields.",
            Answer::Bare(Schemas::of::<Readiness>),
        ),
        "/metrics" => Operation::new(
            "process.metrics",
            "Counts, for Prometheus.",
            Answer::Text("application/openmetrics-text"),
        )
        .fails(&[401_003, 403_001]),
        "/api/openapi.json" => Operation::new(
            "process.openapi",
            "This document.",
            Answer::Bare(|_| serde_json::json!({"type": "object"})),
        ),
        _ => return None,
    })
}
