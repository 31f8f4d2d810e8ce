//! The web page's files, the start page, and the version.

use bytes::Bytes;
use podgate_api::{Options, Page};
use serde_json::json;

use crate::support::{Answer, Server, Setup, described::BASE_PATH, send};

const HTML: &str = "<!doctype html><html><head><meta name=\"base\" content=\"\">\
    <script type=\"module\" crossorigin src=\"./assets/index-1.js\"></script></head></html>";

/// The paths of the page that a user may open or reload.
const PATHS: &[&str] = &[
    "/",
    "/login",
    "/pods",
    "/pods?namespace=shop",
    "/c/sim/namespaces/default/pods/web",
    "/logs",
    "/terminals",
    "/terminals/1",
    "/clusters",
    "/clusters/new",
    "/access/users",
    "/audit",
    "/recordings",
    "/recordings/1",
    "/me",
    "/keys",
];

fn files() -> Vec<(String, Bytes)> {
    [
        ("index.html", HTML),
        ("assets/index-1.js", "identity"),
        ("assets/index-1.js.br", "brotli"),
        ("assets/index-1.js.gz", "gzip"),
        ("assets/inter-2.woff2", "font"),
        ("robots.txt", "not served"),
    ]
    .map(|(name, text)| (name.to_owned(), Bytes::from(text)))
    .into()
}

async fn server(base_path: &str) -> Server {
    Server::with(Setup {
        api: Options {
            base_path: base_path.to_owned(),
            page: Page::new(files(), base_path),
            features: vec!["demo"],
            ..Options::default()
        },
        ..Setup::default()
    })
    .await
}

async fn get(server: &Server, path: &str) -> Answer {
    server.request("GET", path, None, None).await
}

#[tokio::test]
async fn every_path_of_the_page_answers_the_page_under_its_policy() {
    let server = server("").await;
    for path in PATHS {
        let answer = get(&server, path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{path}");
        assert!(answer.text().contains(" src=\"/assets/index-1.js\""), "{path}");
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"),
            "{policy}"
        );
        assert!(
            !policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{path}");
        assert_eq!(answer.header("cache-control"), "no-cache", "{path}");
        assert_eq!(
            answer.header("link"),
            "</assets/index-1.js>; rel=modulepreload",
            "{path}"
        );
    }
    for path in [
        "/c",
        "/c/",
        "/podss",
        "/login/x",
        "/assets",
        "/index.html",
        "/robots.txt",
    ] {
        get(&server, path).await.fails(404_004);
    }
    server.stop().await;
}

#[tokio::test]
async fn the_page_is_revalidated_by_a_strong_tag() {
    let server = server("").await;
    let answer = get(&server, "/pods").await;
    let tag = answer.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.len() == 34, "{tag}");
    let again = send(server.build("GET", "/login").header("if-none-match", &tag)).await;
    assert_eq!((again.status, again.bytes.len()), (304, 0));
    assert_eq!(again.header("etag"), tag);
    let other = send(server.build("GET", "/login").header("if-none-match", "\"x\"")).await;
    assert_eq!(other.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn an_asset_is_answered_in_the_best_form_that_the_caller_takes() {
    let server = server("").await;
    for (accept, coding, body) in [
        ("gzip, deflate, br, zstd", "br", "brotli"),
        ("gzip", "gzip", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip", "gzip"),
        ("identity", "", "identity"),
    ] {
        let answer = send(
            server
                .build("GET", "/assets/index-1.js")
                .header("accept-encoding", accept),
        )
        .await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-encoding"), coding, "{accept}");
        assert_eq!(answer.text(), body, "{accept}");
        assert_eq!(answer.header("vary"), "accept-encoding");
        assert_eq!(answer.header("content-type"), "text/javascript; charset=utf-8");
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
        // A worker may connect only as far as the policy of its own script lets it.
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("connect-src 'self'; worker-src 'self'"), "{policy}");
    }
    let font = send(
        server
            .build("GET", "/assets/inter-2.woff2")
            .header("accept-encoding", "br"),
    )
    .await;
    assert_eq!(font.text(), "font");
    assert_eq!((font.header("content-encoding"), font.header("vary")), ("", ""));
    assert_eq!(font.header("content-type"), "font/woff2");
    server.stop().await;
}

#[tokio::test]
async fn no_path_leads_out_of_the_table_of_assets() {
    let server = server("").await;
    for path in [
        "/assets/nothing.js",
        "/assets/",
        "/assets/..%2Findex.html",
        "/assets/%2e%2e%2frobots.txt",
        "/assets/..",
        "/assets/%2Fetc%2Fpasswd",
        "/assets/index-1.js%00",
        "/assets/index-1.js.br",
        "/assets/index-1.js/",
    ] {
        let answer = get(&server, path).await;
        if path.ends_with("..") {
            // The client resolves this to the root.
            assert_eq!(answer.status, 200);
            continue;
        }
        answer.fails(404_004);
    }
    get(&server, "/assets/%ff").await.fails(404_004);
    server.stop().await;
}

#[tokio::test]
async fn a_base_path_is_put_into_the_page() {
    let server = server(BASE_PATH).await;
    let answer = get(&server, &format!("{BASE_PATH}/pods")).await;
    let text = answer.text();
    assert!(text.contains("<meta name=\"base\" content=\"/podgate\">"), "{text}");
    assert!(text.contains(" src=\"/podgate/assets/index-1.js\""), "{text}");
    assert_eq!(answer.header("link"), "</podgate/assets/index-1.js>; rel=modulepreload");
    let asset = get(&server, &format!("{BASE_PATH}/assets/index-1.js")).await;
    assert_eq!(asset.text(), "identity");
    server.stop().await;
}

#[tokio::test]
async fn without_a_page_the_root_is_the_start_page_and_says_how_to_build_it() {
    let server = Server::start().await;
    for path in ["/", "/api"] {
        let answer = get(&server, path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.text().contains("make ui"), "{path}");
    }
    for path in PATHS.iter().filter(|path| **path != "/") {
        assert!(get(&server, path).await.fails(404_004).contains("make ui"), "{path}");
    }
    get(&server, "/assets/index-1.js").await.fails(404_004);
    let version = get(&server, "/api/version").await.json();
    assert_eq!(
        version,
        json!({"version": env!("CARGO_PKG_VERSION"), "ui": "", "features": []})
    );
    server.stop().await;
}

#[tokio::test]
async fn the_version_names_the_page_and_the_features() {
    let server = server("").await;
    let version = get(&server, "/api/version").await.json();
    assert_eq!(version["features"], json!(["demo"]));
    assert_eq!(version["ui"].as_str().unwrap().len(), 32);
    let start = get(&server, "/api").await;
    assert!(start.text().contains("<a href=\"/\">The web page</a>"));
    server.stop().await;
}
