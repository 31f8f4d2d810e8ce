//! The web page: its one HTML file under all its paths, and its assets.
//!
//! The UI's build makes every file; the server compresses nothing and joins no path to a folder.
//! Names are looked up in a table that is built once.

use std::{collections::HashMap, sync::Arc};

use axum::{
    body::Body,
    extract::{Path, State as Extract, rejection::PathRejection},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use sha2::{Digest, Sha256};

use crate::{
    ApiError, Operation, State, Success,
    extract::{auth::without_base, parameters::shown},
    http::{content_coding::ContentCoding, etag::IfNoneMatch},
    start_page,
};

/// The content security policy of the page. Everything comes from this server, and nothing is
/// inline.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; \
     worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// An asset's name contains a hash of its content, so a browser may keep it for a year.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// The place in `index.html` that takes the base path.
const BASE_TAG: &str = "<meta name=\"base\" content=\"\"";

/// The beginning of a link in `index.html` to an asset, as Vite writes it with `base: './'`.
const LINK: &str = "=\"./assets/";

/// The page's operation. The OpenAPI document leaves it out, because it is not for programs.
pub(crate) const PAGE: Operation = Operation::new("process.page", "Returns the web page.", Success::Text("text/html"));

/// The operation of the page's assets, which the OpenAPI document leaves out, too.
pub(crate) const ASSET: Operation = Operation::new(
    "process.asset",
    "Returns a file of the web page.",
    Success::Text("application/octet-stream"),
);

/// The files of the web page. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Page {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    version: String,
    index: Index,
    assets: HashMap<String, Asset>,
}

/// `index.html`, made for one base path.
#[derive(Debug)]
struct Index {
    html: Bytes,
    tag: HeaderValue,
    /// `Link`: what a browser can fetch before it has parsed the HTML.
    preload: Option<HeaderValue>,
}

/// A file in the forms that the build made of it.
#[derive(Debug, Default)]
struct Asset {
    identity: Bytes,
    brotli: Option<Bytes>,
    gzip: Option<Bytes>,
}

impl Page {
    /// Builds the page from its files, whose names are `index.html`, `assets/NAME`, and
    /// `assets/NAME.br` and `assets/NAME.gz` for the compressed forms of an asset.
    ///
    /// `base_path` is [`crate::Options::base_path`]. Returns `None` without an `index.html`: then
    /// the UI was not built.
    pub fn new(files: impl IntoIterator<Item = (String, Bytes)>, base_path: &str) -> Option<Self> {
        let mut index = None;
        let mut assets: HashMap<String, Asset> = HashMap::new();
        for (name, bytes) in files {
            if name == "index.html" {
                index = Some(bytes);
            } else if let Some(name) = name.strip_prefix("assets/") {
                if let Some(name) = name.strip_suffix(".br") {
                    assets.entry(name.to_owned()).or_default().brotli = Some(bytes);
                } else if let Some(name) = name.strip_suffix(".gz") {
                    assets.entry(name.to_owned()).or_default().gzip = Some(bytes);
                } else {
                    assets.entry(name.to_owned()).or_default().identity = bytes;
                }
            }
        }
        let index = index?;
        Some(Self {
            inner: Arc::new(Inner {
                version: digest(&index),
                index: Index::new(&String::from_utf8_lossy(&index), base_path),
                assets,
            }),
        })
    }

    /// Returns a hash of `index.html`, which changes with every build because the file names all
    /// assets.
    pub(crate) fn version(&self) -> &str {
        &self.inner.version
    }
}

impl Index {
    fn new(html: &str, base_path: &str) -> Self {
        let base = escape(base_path);
        let html = html
            .replacen(BASE_TAG, &format!("<meta name=\"base\" content=\"{base}\""), 1)
            .replace(LINK, &format!("=\"{base}/assets/"));
        let preload = preload(&html);
        let tag = format!("\"{}\"", digest(html.as_bytes()));
        Self {
            preload: HeaderValue::from_str(&preload).ok().filter(|_| !preload.is_empty()),
            tag: HeaderValue::from_maybe_shared(tag).unwrap_or(HeaderValue::from_static("\"\"")),
            html: html.into(),
        }
    }
}

/// Escapes a text for a quoted attribute of HTML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

/// Returns 32 hexadecimal digits of a file's SHA-256.
fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the value of `Link` for the module scripts and the fonts that the HTML names.
fn preload(html: &str) -> String {
    let links = html.split('<').skip(1).filter_map(|tag| {
        let tag = tag.split('>').next()?;
        let attribute = |name: &str| tag.split_once(&format!(" {name}=\""))?.1.split('"').next();
        if tag.starts_with("script ") && attribute("type") == Some("module") {
            return Some(format!("<{}>; rel=modulepreload", attribute("src")?));
        }
        (tag.starts_with("link ") && attribute("rel") == Some("preload") && attribute("as") == Some("font"))
            .then_some(attribute("href"))
            .flatten()
            .map(|href| format!("<{href}>; rel=preload; as=font; type=\"font/woff2\"; crossorigin"))
    });
    links.collect::<Vec<_>>().join(", ")
}

/// Returns the media type of an asset by the end of its name.
fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "woff2" => "font/woff2",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "json" => "application/json",
        _ => "application/octet-stream",
    }
}

/// Answers every path of the page with `index.html`, whose router reads the path.
pub(crate) async fn html(Extract(state): Extract<State>, uri: Uri, known: IfNoneMatch) -> Response {
    let Some(page) = state.page() else {
        return without_page(state, uri.path()).await;
    };
    let index = &page.inner.index;
    let mut response = if known.has_opaque(index.tag.as_bytes()) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = HeaderValue::from_static("text/html; charset=utf-8");
        ([(header::CONTENT_TYPE, kind)], Body::from(index.html.clone())).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, index.tag.clone());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    );
    if let Some(preload) = &index.preload {
        headers.insert(header::LINK, preload.clone());
    }
    response
}

/// Answers a path of the page if the UI was not built: the root with the start page, every other
/// with 404004.
async fn without_page(state: State, path: &str) -> Response {
    if without_base(path, &state.options().base_path) == "/" {
        return start_page::start(Extract(state)).await;
    }
    ApiError::NotFound(format!(
        "there is no page `{}`: this build of Podgate has no web page. `make ui` builds it",
        shown(path)
    ))
    .into_response()
}

/// `GET /assets/{file}`: a file in the smallest form that the caller takes.
pub(crate) async fn asset(
    Extract(state): Extract<State>,
    name: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Path(name) = name.map_err(|_| ApiError::NotFound("the path contains bytes that are not UTF-8".into()))?;
    let unknown = || {
        ApiError::NotFound(format!(
            "there is no file `{}`: reload the page, which may be of another release",
            shown(&name)
        ))
    };
    let page = state.page().ok_or_else(unknown)?;
    let asset = page.inner.assets.get(&name).ok_or_else(unknown)?;
    let forms = [
        asset.brotli.as_ref().map(|bytes| (ContentCoding::Brotli, bytes)),
        asset.gzip.as_ref().map(|bytes| (ContentCoding::Gzip, bytes)),
    ];
    let available: Vec<_> = forms.iter().flatten().map(|(coding, _)| *coding).collect();
    let coding = ContentCoding::choose(&headers, &available);
    let form = forms.into_iter().flatten().find(|(form, _)| Some(*form) == coding);
    let body = form.map_or(&asset.identity, |(_, bytes)| bytes);
    let mut response = Body::from(body.clone()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(&name)));
    headers.insert(header::CACHE_CONTROL, IMMUTABLE);
    if let Some(coding) = coding {
        headers.insert(header::CONTENT_ENCODING, coding.header());
    }
    if !available.is_empty() {
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    const HTML: &str = "<!doctype html><html><head><meta name=\"base\" content=\"\">\
        <link rel=\"preload\" as=\"font\" type=\"font/woff2\" crossorigin href=\"./assets/inter-1.woff2\">\
        <script src=\"./assets/boot-2.js\"></script>\
        <script type=\"module\" crossorigin src=\"./assets/index-3.js\"></script>\
        <link rel=\"stylesheet\" crossorigin href=\"./assets/index-4.css\"></head></html>";

    #[test]
    fn links_and_base_take_the_base_path() {
        let html = |base| String::from_utf8(Index::new(HTML, base).html.to_vec()).unwrap();
        assert!(html("").contains("<meta name=\"base\" content=\"\">"));
        assert!(html("").contains(" src=\"/assets/index-3.js\""));
        let deep = html("/tools/pod&gate");
        assert!(
            deep.contains("<meta name=\"base\" content=\"/tools/pod&amp;gate\">"),
            "{deep}"
        );
        assert!(
            deep.contains(" href=\"/tools/pod&amp;gate/assets/index-4.css\""),
            "{deep}"
        );
        assert!(!deep.contains("\"./"), "{deep}");
    }

    #[test]
    fn the_main_script_and_the_font_are_preloaded() {
        let index = Index::new(HTML, "/x");
        assert_eq!(
            index.preload.unwrap(),
            "</x/assets/inter-1.woff2>; rel=preload; as=font; type=\"font/woff2\"; crossorigin, \
             </x/assets/index-3.js>; rel=modulepreload"
        );
        assert!(Index::new("<html></html>", "").preload.is_none());
    }

    #[test]
    fn the_version_does_not_depend_on_the_base_path_but_the_tag_does() {
        let page = |base| Page::new([("index.html".to_owned(), Bytes::from(HTML))], base).unwrap();
        assert_eq!(page("").version(), page("/x").version());
        assert_ne!(page("").inner.index.tag, page("/x").inner.index.tag);
        assert_eq!(page("").version().len(), 32);
        assert!(Page::new([("assets/index-3.js".to_owned(), Bytes::new())], "").is_none());
    }
}
