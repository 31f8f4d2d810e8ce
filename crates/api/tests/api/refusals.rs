//! The refusals that follow from a route's row of the table, on each route that they follow for.

use std::time::Duration;

use podgate_access::sessions;
use podgate_api::{Options, Route, Shape, routes};
use podgate_cluster::{MemoryBudget, Policy};
use serde_json::{Value, json};

use crate::support::{PASSWORD, Server, Setup, path_of, send};

/// Returns the routes that want a credential.
fn secured() -> impl Iterator<Item = Route> {
    routes::table().into_iter().filter(|route| route.action.is_some())
}

async fn with_sessions(sessions: sessions::Options) -> Server {
    Server::with(Setup {
        sessions,
        ..Setup::default()
    })
    .await
}

#[tokio::test]
async fn an_expired_session_is_401002() {
    let server = with_sessions(sessions::Options {
        token: 0,
        ..sessions::Options::default()
    })
    .await;
    let authorization = format!("Bearer {}", server.token);
    for route in secured() {
        let headers = [("authorization", authorization.as_str())];
        assert_eq!(server.refusal(&route, &headers).await, 401_002, "{route:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_disabled_account_is_401004() {
    let server = Server::start().await;
    let login = json!({"username": "admin", "password": PASSWORD});
    let session = server
        .request("POST", "/api/auth/login", None, Some(&login))
        .await
        .data();
    let authorization = format!("Bearer {}", session["token"].as_str().unwrap());
    let admin = server.store.user_by_name("admin").await.unwrap().unwrap();
    server.store.set_disabled(admin.id, true, 0).await.unwrap();
    server.sessions.sweep_once().await.unwrap();
    let headers = [("authorization", authorization.as_str())];
    for route in secured() {
        assert_eq!(server.refusal(&route, &headers).await, 401_004, "{route:?}");
    }
    let refresh = json!({"refreshToken": session["refreshToken"]});
    for (path, body) in [("/api/auth/refresh", &refresh), ("/api/auth/login", &login)] {
        server.request("POST", path, None, Some(body)).await.fails(401_004);
    }
    server.post("/api/auth/logout", json!({})).await.fails(401_004);
    server.stop().await;
}

#[tokio::test]
async fn a_foreign_origin_is_403002() {
    let server = Server::start().await;
    for route in routes::table() {
        if route.method == "GET" && route.shape != Shape::WebSocket {
            continue;
        }
        let headers = [("origin", "https://evil.example")];
        assert_eq!(server.refusal(&route, &headers).await, 403_002, "{route:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_media_type_that_no_route_answers_is_406001() {
    let server = Server::start().await;
    for route in routes::table().iter().filter(|route| !route.types.is_empty()) {
        let headers = [("accept", "image/png")];
        assert_eq!(server.refusal(route, &headers).await, 406_001, "{route:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_request_for_another_server_is_400001() {
    let api = Options {
        public_url: Some("https://pods.example".parse().unwrap()),
        ..Options::default()
    };
    let server = Server::with(Setup {
        api,
        ..Setup::default()
    })
    .await;
    for route in routes::table().iter().filter(|route| route.codes().contains(&400_001)) {
        let headers = [("host", "evil.example")];
        assert_eq!(server.refusal(route, &headers).await, 400_001, "{route:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_413001() {
    let server = Server::start().await;
    for route in routes::table().iter().filter(|route| route.codes().contains(&415_001)) {
        let request = server
            .build(route.method.as_str(), &path_of(route))
            .header("content-type", "application/json")
            .body(vec![b' '; 4 << 20]);
        send(request).await.fails(413_001);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_cluster_that_is_not_there_is_404002() {
    let server = Server::start().await;
    for route in routes::table()
        .iter()
        .filter(|route| route.path.contains("{clusterId}"))
    {
        let (code, message) = outcome(&server, route, "nowhere").await;
        assert_eq!(code, 404_002, "{route:?}: {message}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_credential_that_cannot_be_looked_up_is_503002() {
    let server = Server::start().await;
    let unknown = format!("Bearer pgs_{}", "A".repeat(43));
    server.store.close().await.unwrap();
    for route in secured() {
        let headers = [("authorization", unknown.as_str())];
        assert_eq!(server.refusal(&route, &headers).await, 503_002, "{route:?}");
    }
    server.stop().await;
}

/// Returns what a route answers for a cluster from memory: such a route fails only before the first
/// sync.
fn is_from_memory(route: &Route) -> bool {
    !route.path.contains("{name}") && (route.path.ends_with("/pods") || route.path.ends_with("/stats"))
}

/// Returns the routes that call a cluster.
fn calling() -> impl Iterator<Item = Route> {
    routes::table()
        .into_iter()
        .filter(|route| route.codes().contains(&502_001) && !is_from_memory(route))
}

/// Returns a body that makes a route call the cluster.
fn body(route: &Route, kubeconfig: &str) -> Option<Value> {
    match (route.method.as_str(), route.path) {
        ("POST", "/api/clusters") => Some(json!({"name": "another", "kubeConfig": kubeconfig})),
        ("PUT", _) => Some(json!({"kubeConfig": kubeconfig})),
        _ => None,
    }
}

/// Calls a route as the admin for pod `web` of a cluster; the code and the message of its failure,
/// or 200.
async fn outcome(server: &Server, route: &Route, cluster: &str) -> (u64, String) {
    let path = path_of(route).replace("/sim", &format!("/{cluster}"));
    if route.shape != Shape::WebSocket {
        let body = body(route, &server.sim.kubeconfig());
        let answer = server
            .request(route.method.as_str(), &path, Some(&server.token), body.as_ref())
            .await;
        return match answer.status {
            200 => (200, String::new()),
            _ => (answer.code(), answer.fails(answer.code())),
        };
    }
    let mut socket = server.ws(&path).await;
    if !path.ends_with("/exec") {
        socket.send(json!({"type": "subscribe"})).await;
    }
    socket.fails().await
}

#[tokio::test]
async fn a_cluster_that_fails_is_502001_and_one_that_is_silent_504001() {
    let server = Server::with(Setup {
        policy: Policy {
            request_timeout: Duration::from_millis(200),
            ..Policy::default()
        },
        ..Setup::default()
    })
    .await;
    server.run_pod("default", "web", &["main"]).await;
    let other = json!({"name": "other", "kubeConfig": server.sim.kubeconfig()});
    server.post("/api/clusters", other).await.data();
    let path = "/api/clusters/other/pods?search=web";
    server
        .until(path, |answer| answer.status == 200 && answer.data()["total"] == 1)
        .await;
    let faults = server.sim.faults();
    for route in calling() {
        faults.fail_requests("", 500, 1_000);
        let (code, message) = outcome(&server, &route, "other").await;
        assert_eq!(code, 502_001, "{route:?}: {message}");
        faults.fail_requests("", 500, 0);
        faults.delay_requests("", Duration::from_secs(600));
        let (code, message) = outcome(&server, &route, "other").await;
        assert_eq!(code, 504_001, "{route:?}: {message}");
        faults.delay_requests("", Duration::ZERO);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_call_without_memory_is_429001() {
    let setup = Setup {
        policy: Policy {
            bodies: MemoryBudget::new(64 << 20),
            body_wait: Duration::from_millis(10),
            ..Policy::default()
        },
        ..Setup::default()
    };
    let bodies = setup.policy.bodies.clone();
    let server = Server::with(setup).await;
    server.run_pod("default", "web", &["main"]).await;
    let other = json!({"name": "other", "kubeConfig": server.sim.kubeconfig()});
    server.post("/api/clusters", other).await.data();
    let _all = bodies.reserve(bodies.total()).await;
    for route in calling().filter(|route| route.codes().contains(&429_001)) {
        let (code, message) = outcome(&server, &route, "other").await;
        assert_eq!(code, 429_001, "{route:?}: {message}");
    }
    server.stop().await;
}
