//! The web page's files, embedded at build time.

use std::borrow::Cow;

use bytes::Bytes;
use podgate_api::Page;
use rust_embed::RustEmbed;

/// The files that the UI's build wrote. There are none if it was not built.
#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
#[allow_missing = true]
struct Files;

/// Returns the web page, or `None` if this binary was built without it.
pub(crate) fn page(base_path: &str) -> Option<Page> {
    let files = Files::iter().filter_map(|name| {
        let bytes = match Files::get(&name)?.data {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => bytes.into(),
        };
        Some((name.into_owned(), bytes))
    });
    Page::new(files, base_path)
}
