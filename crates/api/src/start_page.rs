//! `GET /api`: the start page, which lists the routes. It also stands at `/` in a build without the
//! web page.

use axum::{
    extract::State as Extract,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderValue, header};

use crate::{
    Operation, State, Success,
    route::{Route, Shape},
};

/// The content security policy: no scripts, no frames and no foreign addresses. The one style sheet
/// is in the page.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The style sheet, for light and dark.
const STYLE: &str = "body{font-family:system-ui,sans-serif;max-width:72rem;margin:3rem auto;padding:0 1rem;line-height:1.5;color-scheme:light dark}\
    table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0;border-bottom:1px solid #8884}\
    code{font-family:ui-monospace,monospace;overflow-wrap:anywhere}";

pub(crate) const START: Operation = Operation::new(
    "process.start",
    "Returns the start page, which lists the routes.",
    Success::Text("text/html"),
);

/// `GET /api`: the list of all routes. The page is built once.
pub(crate) async fn start(Extract(state): Extract<State>) -> Response {
    let page = state.start_page(|| {
        let has_page = state.page().is_some();
        Bytes::from(page(&state.options().base_path, state.routes().routes(), has_page))
    });
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    let policy = HeaderValue::from_static(POLICY);
    (
        [(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, policy)],
        page,
    )
        .into_response()
}

fn page(base: &str, routes: &[Route], has_page: bool) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let web_page = if has_page {
        format!("<a href=\"{base}/\">The web page</a> shows them in a browser.")
    } else {
        "This build has no web page: <code>make ui</code> builds it (Node 20.19 or newer), then build Podgate again."
            .to_owned()
    };
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>Podgate</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>Podgate {version}</h1>\n\
         <p>The pods of all your Kubernetes clusters, over REST and WebSocket. {web_page}</p>\n\
         <p>Send <code>{{\"username\":…,\"password\":…}}</code> to <code>POST {base}/api/auth/login</code>, then the <code>token</code> of its answer with each \
         request: <code>Authorization: Bearer TOKEN</code>. <a href=\"{base}/api/openapi.json\">{base}/api/openapi.json</a> has every parameter, answer and \
         frame.</p>\n<table>\n<tr><th>Method</th><th>Path</th><th>What it does</th></tr>\n"
    );
    for route in routes.iter().filter(|route| route.shape != Shape::Page) {
        let method = if route.shape == Shape::WebSocket {
            "WS"
        } else {
            route.method.as_str()
        };
        let summary = route.operation.summary;
        page.push_str(&format!(
            "<tr><td>{method}</td><td><code>{base}{}</code></td><td>{summary}</td></tr>\n",
            route.path
        ));
    }
    page.push_str("</table>\n</body>\n</html>\n");
    page
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn every_route_is_on_the_start_page_under_the_base_path_and_says_what_it_does() {
        let page = page("/tools/podgate", &crate::routes::table(), false);
        let routes = crate::routes::table().into_iter();
        for route in routes.filter(|route| route.shape != Shape::Page) {
            let row = format!("<code>/tools/podgate{}</code></td><td>", route.path);
            let (_, rest) = page.split_once(&row).unwrap_or_else(|| panic!("{row} is not there"));
            assert!(rest.len() > 10 && !rest.starts_with("</td>"), "{row}");
        }
    }
}
