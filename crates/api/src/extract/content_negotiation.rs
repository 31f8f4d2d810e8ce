//! Content negotiation: picks the media type of an answer by `Accept` (RFC 9110, section 12.5.1).

use std::marker::PhantomData;

use axum::extract::{FromRequestParts, Request};
use http::{HeaderMap, header, request::Parts};

use crate::ApiError;

/// The media type of most answers.
pub(crate) const JSON: &str = "application/json";

/// The media types that a route can answer with.
pub(crate) trait MediaTypes: Send + Sync + 'static {
    /// The media types, such as `text/plain`, the default first.
    const TYPES: &'static [&'static str];
}

/// Extractor: the media type to answer with, one of `T`'s.
#[derive(Debug)]
pub(crate) struct Negotiated<T> {
    /// One of [`MediaTypes::TYPES`].
    pub media: &'static str,
    types: PhantomData<T>,
}

/// The media type that [`negotiate`] chose.
#[derive(Clone, Copy)]
struct Chosen(&'static str);

impl<S: Send + Sync, T: MediaTypes> FromRequestParts<S> for Negotiated<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let media = parts.extensions.get::<Chosen>().map(|chosen| chosen.0);
        let media = media.or(T::TYPES.first().copied()).unwrap_or(JSON);
        Ok(Self {
            media,
            types: PhantomData,
        })
    }
}

/// Chooses one of the `types` that a route can answer with, for its [`Negotiated`].
///
/// # Errors
/// [`ApiError::Accept`] if `Accept` allows none of them.
pub(crate) fn negotiate(types: &'static [&'static str], request: &mut Request) -> Result<(), ApiError> {
    let media = choose(request.headers(), types).ok_or_else(|| {
        ApiError::Accept(format!(
            "this route answers {}, and `Accept` allows none of these: change it",
            types.join(" or ")
        ))
    })?;
    // A route with one type does not extract `Negotiated`.
    if types.len() > 1 {
        request.extensions_mut().insert(Chosen(media));
    }
    Ok(())
}

/// Returns the type with the highest quality. Among equals, the one that is named more exactly
/// wins, then the earlier one.
fn choose(headers: &HeaderMap, types: &[&'static str]) -> Option<&'static str> {
    let lines = headers
        .get_all(header::ACCEPT)
        .iter()
        .map(|value| value.to_str().unwrap_or("?"));
    let ranges: Vec<Range<'_>> = lines
        .flat_map(|line| line.split(','))
        .filter_map(Range::parse)
        .collect();
    if ranges.is_empty() {
        return types.first().copied();
    }
    let mut best: Option<((u16, u8), &'static str)> = None;
    for media in types {
        // The most specific range that matches decides.
        let matching = ranges
            .iter()
            .filter_map(|range| Some((range.specificity(media)?, range.quality)));
        let Some((specificity, quality)) = matching.max_by_key(|(specificity, _)| *specificity) else {
            continue;
        };
        let rank = (quality, specificity);
        if quality > 0 && best.is_none_or(|(other, _)| rank > other) {
            best = Some((rank, media));
        }
    }
    best.map(|(_, media)| media)
}

/// One entry of an Accept header.
struct Range<'a> {
    media: &'a str,
    /// The quality in thousandths.
    quality: u16,
}

impl<'a> Range<'a> {
    /// Parses an entry. Returns `None` for an empty one; an entry that can't be read matches no
    /// type.
    fn parse(entry: &'a str) -> Option<Self> {
        let mut parts = entry.split(';').map(str::trim);
        let media = parts.next().filter(|media| !media.is_empty())?;
        let quality = parts
            .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
            .map_or(1.0, |quality| quality.parse::<f32>().unwrap_or(0.0));
        // The clamp keeps this at 1000 or below.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let quality = (quality.clamp(0.0, 1.0) * 1000.0) as u16;
        Some(Self { media, quality })
    }

    /// Returns how exactly the range names a type, or `None` if it does not match.
    fn specificity(&self, media: &str) -> Option<u8> {
        if self.media == "*/*" {
            return Some(0);
        }
        if self.media.eq_ignore_ascii_case(media) {
            return Some(2);
        }
        let (class, rest) = self.media.split_once('/')?;
        let (wanted, _) = media.split_once('/')?;
        (rest == "*" && class.eq_ignore_ascii_case(wanted)).then_some(1)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_best_type_wins() {
        const BOTH: &[&str] = &[JSON, "text/plain"];
        for (accept, types, chosen) in [
            ("", BOTH, Some(JSON)),
            ("*/*", BOTH, Some(JSON)),
            ("text/plain", BOTH, Some("text/plain")),
            ("TEXT/Plain;charset=utf-8", BOTH, Some("text/plain")),
            ("text/plain, */*", BOTH, Some("text/plain")),
            ("application/json, text/plain, */*", BOTH, Some(JSON)),
            ("application/json;q=0.1, text/*;q=0.5", BOTH, Some("text/plain")),
            ("application/json;q=0, */*", BOTH, Some("text/plain")),
            ("text/html,application/xhtml+xml,*/*;q=0.8", BOTH, Some(JSON)),
            ("text/html", BOTH, None),
            ("rubbish", BOTH, None),
            ("application/json;q=nonsense", BOTH, None),
            ("application/*", &[JSON], Some(JSON)),
            ("text/*", &[JSON], None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(choose(&headers, types), chosen, "{accept}");
        }
        assert_eq!(choose(&HeaderMap::new(), BOTH), Some(JSON));
    }
}
