//! Every route on one page: method, path, handler, and the action for which it opens the Gate.

use axum::{Router, middleware::from_fn_with_state};
use http::Method;
use podgate_access::action::{
    CreateCluster, DeleteCluster, DeletePod, Exec, GetCluster, GetPod, ListClusters, ListPods, OwnAccount, ReadEvents,
    ReadLogs, TestCluster, UpdateCluster,
};

use crate::{
    State, clusters, health,
    http::middleware,
    metrics, openapi,
    page::{self, ASSET, PAGE},
    pods, preferences,
    route::{Route, RouteTable, Shape},
    routing::Routes,
    session, start_page, version,
};

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const PUT: Method = Method::PUT;
const DELETE: Method = Method::DELETE;

fn routes(base: &str) -> Routes {
    let routes = Routes::new(base);
    let routes = public(routes);
    let routes = account(routes);
    let routes = clusters(routes);
    let routes = pods(routes);
    pages(routes)
}

fn public(routes: Routes) -> Routes {
    routes
        .add_public(GET, "/api", start_page::START, start_page::start)
        .add_public(GET, "/api/version", version::GET, version::get)
        .add_public(GET, "/api/openapi.json", openapi::GET, openapi::get)
        .add_public(GET, "/healthz", health::LIVE, health::live)
        .add_public(GET, "/readyz", health::READY, health::ready)
        .add_public(GET, "/metrics", metrics::endpoint::GET, metrics::endpoint::get)
        .add_public(POST, "/api/auth/login", session::LOGIN, session::login)
        .add_public(POST, "/api/auth/refresh", session::REFRESH, session::refresh)
        .add_public(POST, "/api/auth/logout", session::LOGOUT, session::logout)
}

fn account(routes: Routes) -> Routes {
    routes
        .add::<OwnAccount, _, _>(GET, "/api/auth/me", session::ME, session::me)
        .add::<OwnAccount, _, _>(GET, "/api/auth/me/preferences", preferences::GET, preferences::get)
        .add::<OwnAccount, _, _>(PUT, "/api/auth/me/preferences", preferences::SET, preferences::set)
        .add::<OwnAccount, _, _>(
            POST,
            "/api/auth/change-password",
            session::CHANGE_PASSWORD,
            session::change_password,
        )
        .add::<OwnAccount, _, _>(POST, "/api/ws-tickets", session::TICKET, session::ticket)
}

fn clusters(routes: Routes) -> Routes {
    routes
        .add::<ListClusters, _, _>(GET, "/api/clusters", clusters::LIST, clusters::list)
        .add::<CreateCluster, _, _>(POST, "/api/clusters", clusters::CREATE, clusters::create)
        .add::<GetCluster, _, _>(GET, "/api/clusters/{clusterId}", clusters::GET, clusters::get)
        .add::<UpdateCluster, _, _>(PUT, "/api/clusters/{clusterId}", clusters::UPDATE, clusters::update)
        .add::<DeleteCluster, _, _>(DELETE, "/api/clusters/{clusterId}", clusters::DELETE, clusters::delete)
        .add::<TestCluster, _, _>(POST, "/api/clusters/{clusterId}/test", clusters::TEST, clusters::test)
        .add::<GetCluster, _, _>(GET, "/api/clusters/{clusterId}/stats", clusters::STATS, clusters::stats)
        .add::<GetCluster, _, _>(
            GET,
            "/api/clusters/{clusterId}/namespaces",
            clusters::NAMESPACES,
            clusters::namespaces,
        )
}

fn pods(routes: Routes) -> Routes {
    routes
        .add::<ListPods, _, _>(GET, "/api/pods", pods::list::OF_ALL, pods::list::of_all)
        .add::<ListPods, _, _>(
            GET,
            "/api/clusters/{clusterId}/pods",
            pods::list::OF_CLUSTER,
            pods::list::of_cluster,
        )
        .add::<ListPods, _, _>(GET, "/ws/pods", pods::live::OF_ALL, pods::live::of_all)
        .add::<ListPods, _, _>(
            GET,
            "/ws/clusters/{clusterId}/pods",
            pods::live::OF_CLUSTER,
            pods::live::of_cluster,
        )
        .add::<GetPod, _, _>(
            GET,
            "/api/clusters/{clusterId}/namespaces/{namespace}/pods/{name}",
            pods::detail::GET,
            pods::detail::get,
        )
        .add::<DeletePod, _, _>(
            DELETE,
            "/api/clusters/{clusterId}/namespaces/{namespace}/pods/{name}",
            pods::delete::DELETE,
            pods::delete::delete,
        )
        .add_stream::<ReadLogs, _, _>(
            GET,
            "/api/clusters/{clusterId}/namespaces/{namespace}/pods/{name}/logs",
            pods::logs::READ,
            pods::logs::read,
        )
        .add::<ReadEvents, _, _>(
            GET,
            "/api/clusters/{clusterId}/namespaces/{namespace}/pods/{name}/events",
            pods::events::LIST,
            pods::events::list,
        )
        .add::<ReadLogs, _, _>(
            GET,
            "/ws/clusters/{clusterId}/namespaces/{namespace}/pods/{name}/logs",
            pods::log_stream::OPEN,
            pods::log_stream::open,
        )
        .add::<Exec, _, _>(
            GET,
            "/ws/clusters/{clusterId}/namespaces/{namespace}/pods/{name}/exec",
            pods::exec::OPEN,
            pods::exec::open,
        )
}

/// Adds the paths of the web page, whose router tells them apart, and its files.
fn pages(mut routes: Routes) -> Routes {
    for path in [
        "/",
        "/login",
        "/pods",
        "/c/{*rest}",
        "/logs",
        "/terminals",
        "/terminals/{*rest}",
        "/clusters",
        "/clusters/{*rest}",
        "/access/{*rest}",
        "/audit",
        "/recordings",
        "/recordings/{*rest}",
        "/me",
        "/keys",
    ] {
        routes = routes.add_page(path, PAGE, page::html);
    }
    routes.add_page("/assets/{file}", ASSET, page::asset)
}

/// Builds the router of the whole API.
///
/// Serve it with [`axum::extract::ConnectInfo`] of [`std::net::SocketAddr`], from which it takes
/// its callers' addresses.
pub fn router(state: State) -> Router {
    let (router, table) = routes(&state.options().base_path).finish();
    state.set_routes(|| RouteTable::new(table));
    router
        .layer(from_fn_with_state(state.clone(), middleware::handle))
        .with_state(state)
}

/// Returns the table of all routes, in the order of this page.
pub fn table() -> Vec<Route> {
    routes("").finish().1
}

/// Formats the table as `docs/routes.txt` has it: one line per route.
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
