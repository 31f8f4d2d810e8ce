//! Entity tags and conditional requests (RFC 9110, sections 8.8.3 and 13.1.2).

use std::hash::{BuildHasher, Hash, RandomState};

use axum::{
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use sha2::{Digest, Sha256};

use crate::ApiError;

/// Only the caller's own cache may store an answer, and it must revalidate it before each use.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("no-cache, private");
/// The request headers that an answer depends on.
const VARY: HeaderValue = HeaderValue::from_static("authorization, cookie, accept, accept-encoding");

/// The maker of entity tags.
///
/// It is keyed by random numbers of this process, because the counters of changes start again with
/// each process, and because a tag must not reveal them.
#[derive(Debug, Default)]
pub(crate) struct Tags {
    keys: RandomState,
}

impl Tags {
    /// Makes the tag of an answer that depends on `all` and on nothing else.
    ///
    /// The tag is weak: equal tags promise the same meaning, not the same bytes.
    pub(crate) fn of(&self, all: &impl Hash) -> Tag {
        Tag::new(self.keys.hash_one(all).to_be_bytes(), false)
    }
}

/// An entity tag: the opaque part in quotes, and before it `W/` if it is weak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    text: [u8; 20],
    is_strong: bool,
}

impl Tag {
    fn new(hash: [u8; 8], is_strong: bool) -> Self {
        let mut text = *b"W/\"0000000000000000\"";
        let digits = hash.into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
        for (at, digit) in text[3..].iter_mut().zip(digits) {
            *at = b"0123456789abcdef"[usize::from(digit)];
        }
        Self { text, is_strong }
    }

    /// Makes the strong tag of a text. It is the same in every process, so that `If-Match` holds
    /// over a restart and on every replica.
    pub(crate) fn of_text(text: &str) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(Sha256::digest(text));
        Self::new([a, b, c, d, e, f, g, h], true)
    }

    /// Returns the tag without its `W/`.
    fn opaque(&self) -> &[u8] {
        self.text.strip_prefix(b"W/").unwrap_or(&self.text)
    }

    /// Builds the answer 304 for a caller that already has the current answer.
    pub(crate) fn unchanged(&self) -> Response {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        self.put(response.headers_mut());
        response
    }

    /// Sets `ETag`, `Cache-Control` and `Vary`.
    pub(crate) fn put(&self, headers: &mut HeaderMap) {
        let text = if self.is_strong { self.opaque() } else { &self.text };
        if let Ok(tag) = HeaderValue::from_bytes(text) {
            headers.insert(header::ETAG, tag);
        }
        headers.insert(header::CACHE_CONTROL, CACHE_CONTROL);
        headers.append(header::VARY, VARY);
    }
}

/// Extractor: the tags of the answers that the caller already has (`If-None-Match`).
#[derive(Debug)]
pub(crate) struct IfNoneMatch(Vec<HeaderValue>);

impl<S: Send + Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(Self::of(&parts.headers))
    }
}

impl IfNoneMatch {
    fn of(headers: &HeaderMap) -> Self {
        Self(headers.get_all(header::IF_NONE_MATCH).iter().cloned().collect())
    }

    /// Returns whether a tag is among them, by the weak comparison.
    pub(crate) fn has(&self, tag: &Tag) -> bool {
        self.has_opaque(tag.opaque())
    }

    /// Returns whether a tag's opaque part, with its quotes, is among them.
    pub(crate) fn has_opaque(&self, opaque: &[u8]) -> bool {
        has(&self.0, opaque)
    }
}

/// Extractor: the tags of the states that the caller would change (`If-Match`).
#[derive(Debug)]
pub(crate) struct IfMatch(Vec<HeaderValue>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(Self(parts.headers.get_all(header::IF_MATCH).iter().cloned().collect()))
    }
}

impl IfMatch {
    /// Returns whether the caller named any.
    pub(crate) fn is_given(&self) -> bool {
        !self.0.is_empty()
    }

    /// Returns whether a tag is among them.
    ///
    /// This is the weak comparison, although RFC 9110 (section 13.1.1) asks for the strong one:
    /// a proxy that compresses answers makes their tags weak.
    pub(crate) fn has(&self, tag: &Tag) -> bool {
        has(&self.0, tag.opaque())
    }
}

/// Returns whether the lines of a header list a tag.
fn has(lines: &[HeaderValue], opaque: &[u8]) -> bool {
    lines.iter().any(|line| lists(line.as_bytes(), opaque).unwrap_or(false))
}

/// Returns whether a list of entity tags contains a tag or is `*`; `None` if it can't be parsed.
///
/// This is not `IfNoneMatch` of the `headers` crate (0.4.2), because that finds nothing in a header
/// with a byte beyond ASCII, and panics in a debug build on a tag with a space.
fn lists(mut line: &[u8], tag: &[u8]) -> Option<bool> {
    if line.trim_ascii() == b"*" {
        return Some(true);
    }
    loop {
        line = line.trim_ascii_start();
        if let Some(rest) = line.strip_prefix(b",") {
            line = rest;
            continue;
        }
        if line.is_empty() {
            return Some(false);
        }
        let opaque = line.strip_prefix(b"W/").unwrap_or(line);
        // A tag may contain commas.
        let end = opaque.strip_prefix(b"\"")?.iter().position(|byte| *byte == b'"')? + 2;
        let (found, rest) = opaque.split_at_checked(end)?;
        if found == tag {
            return Some(true);
        }
        line = rest;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn known(lines: &[&'static str]) -> IfNoneMatch {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::IF_NONE_MATCH, HeaderValue::from_static(line));
        }
        IfNoneMatch::of(&headers)
    }

    #[test]
    fn a_tag_is_found_in_lists_and_compared_weakly() {
        let tag = Tag::new([0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef], false);
        for (lines, has) in [
            (&["W/\"0123456789abcdef\""][..], true),
            (&["\"0123456789abcdef\""], true),
            (&["*"], true),
            (&[" * "], true),
            (&["\"x\", W/\"0123456789abcdef\""], true),
            (&["\"x,y\",\"0123456789abcdef\""], true),
            (&["\"x\",,\"0123456789abcdef\" , \"z\""], true),
            (&["\"x\"", "W/\"0123456789abcdef\""], true),
            (&["\"a b\", \"0123456789abcdef\""], true),
            (&["nonsense", "W/\"0123456789abcdef\""], true),
            (&[], false),
            (&[""], false),
            (&["0123456789abcdef"], false),
            (&["\"0123456789abcdefc\""], false),
            (&["\"a\""], false),
            (&["\"0123456789abcdef"], false),
            (&["\"x,\"0123456789abcdef\""], false),
            (&["w/\"0123456789abcdef\""], false),
            (&["\"x\", *"], false),
        ] {
            assert_eq!(known(lines).has(&tag), has, "{lines:?}");
        }
    }

    #[test]
    fn tags_differ_by_what_they_are_of_and_by_process() {
        let (tags, others) = (Tags::default(), Tags::default());
        assert_eq!(tags.of(&(1, "a")), tags.of(&(1, "a")));
        assert_ne!(tags.of(&(1, "a")), tags.of(&(2, "a")));
        assert_ne!(tags.of(&(1, "a")), others.of(&(1, "a")));
    }

    #[test]
    fn the_tag_of_a_text_is_strong_and_always_the_same() {
        let mut headers = HeaderMap::new();
        Tag::of_text("{}").put(&mut headers);
        assert_eq!(headers[header::ETAG], "\"44136fa355b3678a\"");
        assert_ne!(Tag::of_text("{}"), Tag::of_text("{ }"));
    }

    #[test]
    fn an_answer_that_has_not_changed_says_so_and_who_may_keep_it() {
        let response = Tag::new([0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef], false).unchanged();
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
        let header = |name| response.headers().get(name).unwrap().to_str().unwrap();
        assert_eq!(header("etag"), "W/\"0123456789abcdef\"");
        assert_eq!(header("cache-control"), "no-cache, private");
        assert_eq!(header("vary"), "authorization, cookie, accept, accept-encoding");
    }
}
