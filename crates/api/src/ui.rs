//! `GET /`: the start page, until there is a web page.

use axum::{
    extract::State as Extract,
    response::{Html, IntoResponse, Response},
};
use http::header;

use crate::State;

/// No script, no frame, no address of others; the one style is in the page.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `GET /` (and the base path with a slash).
pub(crate) async fn start(Extract(state): Extract<State>) -> Response {
    let base = &state.options().base_path;
    let version = env!("CARGO_PKG_VERSION");
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Podgate</title>\n\
         <style>body{{font-family:system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem;line-height:1.5}}</style>\n</head>\n<body>\n\
         <h1>Podgate {version}</h1>\n\
         <p>The pods of all your Kubernetes clusters, over REST and WebSocket.</p>\n\
         <p>This release has no web page yet; it comes in a later one. The API is here:</p>\n<ul>\n\
         <li><a href=\"{base}/api/openapi.json\">api/openapi.json</a>: every route, parameter, answer and frame</li>\n\
         <li><code>POST {base}/api/auth/login</code> with <code>{{\"username\", \"password\"}}</code>: a token</li>\n\
         <li><code>GET {base}/api/clusters</code> and <code>GET {base}/api/clusters/1/pods</code> with <code>Authorization: Bearer TOKEN</code></li>\n\
         </ul>\n</body>\n</html>\n"
    );
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(page)).into_response()
}
