//! The endpoints of the web page: its one HTML file under all its paths, and its assets.

use axum::{
    body::Body,
    extract::{Path, State as Extract, rejection::PathRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};

use crate::{
    ApiError, Operation, State, Success,
    extract::{auth::without_base, parameters::shown},
    http::{content_coding::ContentCoding, etag::IfNoneMatch},
    start_page,
};

/// The content security policy of the page and its workers. Everything comes from this server, and
/// nothing is inline.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; \
     worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// An asset's name contains a hash of its content, so a browser may keep it for a year.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// The page's operation. The OpenAPI document leaves it out, because it is not for programs.
pub(crate) const PAGE: Operation = Operation::new("process.page", "Returns the web page.", Success::Text("text/html"));

/// The operation of the page's assets, which the OpenAPI document leaves out, too.
pub(crate) const ASSET: Operation = Operation::new(
    "process.asset",
    "Returns a file of the web page.",
    Success::Text("application/octet-stream"),
);

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
    let index = page.index();
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
    let asset = page.asset(&name).ok_or_else(unknown)?;
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
    // A worker is bound by the policy of its own script, not by that of its page (CSP Level 3).
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    if let Some(coding) = coding {
        headers.insert(header::CONTENT_ENCODING, coding.header());
    }
    if !available.is_empty() {
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    Ok(response)
}
