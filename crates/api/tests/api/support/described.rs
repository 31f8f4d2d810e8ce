//! The OpenAPI document, held against each answer and frame that a test receives.
//!
//! A code that a route's operation does not list fails the test that sees it. The codes that were
//! seen are also appended to the file that [`SEEN`] names, in which the last step of `make test`
//! looks for the codes that are listed.

use std::{
    collections::HashSet,
    io::Write,
    sync::{LazyLock, Mutex},
};

use podgate_api::{Route, Shape, document, routes};
use serde_json::Value;

use crate::schema::check;

/// The environment variable that names the file of the codes that were seen.
pub(crate) const SEEN: &str = "PODGATE_SEEN_CODES";

/// The routes of the document, which leaves out the web page's.
static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
    let routes = routes::table().into_iter();
    routes.filter(|route| route.shape != Shape::Page).collect()
});
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| document("", &ROUTES));

/// The base path of tests that set one.
pub(crate) const BASE_PATH: &str = "/podgate";

/// Returns the route of a method and a path, with or without [`BASE_PATH`] and a query.
pub(super) fn route(method: &str, path: &str) -> Option<&'static Route> {
    let path = path.strip_prefix(BASE_PATH).unwrap_or(path);
    let path: Vec<&str> = path.split('?').next().unwrap_or_default().split('/').collect();
    ROUTES.iter().find(|route| {
        let template: Vec<&str> = route.path.split('/').collect();
        let fits = |(wanted, found): (&&str, &&str)| wanted == found || wanted.starts_with('{') && !found.is_empty();
        route.method == method && template.len() == path.len() && template.iter().zip(&path).all(fits)
    })
}

/// Checks an answer over HTTP to a request for a route.
pub(super) fn answered(route: &Route, status: u16, body: &[u8]) {
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return;
    };
    let at = format!("{} {}", route.method, route.path);
    let operation = &DOCUMENT["paths"][route.path][route.method.as_str().to_ascii_lowercase()];
    if status == 200 {
        let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        if schema.is_object() {
            check(&DOCUMENT, schema, &body, &at);
        }
    } else if let Some(code) = body["code"].as_u64() {
        // On a server with a base path, a path without it has no route, and vice versa.
        if body["message"]
            .as_str()
            .is_some_and(|text| text.starts_with("there is no route"))
        {
            return;
        }
        let responses = &operation["responses"][status.to_string()]["description"];
        let is_listed = responses
            .as_str()
            .is_some_and(|text| text.contains(&format!("`{code}`")));
        assert!(
            is_listed,
            "{at} answered {body}, a code that its operation does not list"
        );
        seen(route, code);
    }
}

/// Checks a frame that the server sent on a route's WebSocket.
pub(crate) fn received(route: &Route, frame: &Value) {
    let at = format!("a frame of {}", route.path);
    let socket = &DOCUMENT["paths"][route.path]["get"]["x-websocket"];
    check(&DOCUMENT, &socket["server"], frame, &at);
    if frame["type"] == "error" {
        let mut errors = socket["errors"].as_array().unwrap().iter();
        let is_listed = errors.any(|error| error["code"] == frame["code"]);
        assert!(is_listed, "{at} is {frame}, whose code its operation does not list");
        seen(route, frame["code"].as_u64().unwrap());
    }
}

fn seen(route: &Route, code: u64) {
    static LINES: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);
    let line = line(route, code);
    let Some(path) = std::env::var_os(SEEN).filter(|_| LINES.lock().unwrap().insert(line.clone())) else {
        return;
    };
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    file.unwrap().write_all(line.as_bytes()).unwrap();
}

/// Returns the line of the file for a code of a route.
pub(crate) fn line(route: &Route, code: u64) -> String {
    format!("{} {} {code}\n", route.method, route.path)
}
