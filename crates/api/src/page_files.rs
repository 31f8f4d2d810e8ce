//! The files of the web page, in a table that is built once.
//!
//! The UI's build makes every file; the server compresses nothing and joins no path to a folder.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use http::HeaderValue;
use sha2::{Digest, Sha256};

/// The place in `index.html` that takes the base path.
const BASE_TAG: &str = "<meta name=\"base\" content=\"\"";

/// The beginning of a link in `index.html` to an asset, as Vite writes it with `base: './'`.
const LINK: &str = "=\"./assets/";

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
pub(crate) struct Index {
    pub(crate) html: Bytes,
    /// The strong entity tag.
    pub(crate) tag: HeaderValue,
    /// `Link`: what a browser can fetch before it has parsed the HTML.
    pub(crate) preload: Option<HeaderValue>,
}

/// A file in the forms that the build made of it.
#[derive(Debug, Default)]
pub(crate) struct Asset {
    pub(crate) identity: Bytes,
    pub(crate) brotli: Option<Bytes>,
    pub(crate) gzip: Option<Bytes>,
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

    /// Returns `index.html`.
    pub(crate) fn index(&self) -> &Index {
        &self.inner.index
    }

    /// Returns the asset of this name.
    pub(crate) fn asset(&self, name: &str) -> Option<&Asset> {
        self.inner.assets.get(name)
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
