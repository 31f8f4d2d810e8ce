//! Content codings: which compressed form of an answer the caller takes (RFC 9110, section 12.5.3).

use std::{io::Write, ops::RangeInclusive};

use axum::extract::FromRequestParts;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderValue, header, request::Parts};

use crate::ApiError;

/// The bytes of an answer that is worth compressing. Below, a packet or so is saved; above, its
/// compression would keep a worker from other requests for longer than about 5 ms.
const WORTH: RangeInclusive<usize> = 16 << 10..=1 << 20;

/// A content coding that Podgate can send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContentCoding {
    /// Brotli (RFC 7932).
    Brotli,
    /// Gzip (RFC 1952).
    Gzip,
}

impl ContentCoding {
    /// Returns the value of `Content-Encoding`.
    pub(crate) fn header(self) -> HeaderValue {
        HeaderValue::from_static(self.name())
    }

    fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// Returns the coding of highest quality among those that `Accept-Encoding` allows and that
    /// are available, the earlier of `available` among equals.
    ///
    /// `None` means the identity: it is also the answer to a caller that names no coding, or that
    /// forbids the identity, because an answer that can't be decoded is worth more than none.
    pub(crate) fn choose(headers: &HeaderMap, available: &[Self]) -> Option<Self> {
        let quality = |coding: &Self| quality(headers, coding.name());
        let best = available.iter().map(quality).max()?;
        let coding = available.iter().find(|coding| quality(coding) == best).copied();
        coding.filter(|_| best > 0)
    }
}

/// Extractor: whether the caller takes gzip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TakesGzip(bool);

impl<S: Send + Sync> FromRequestParts<S> for TakesGzip {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let coding = ContentCoding::choose(&parts.headers, &[ContentCoding::Gzip]);
        Ok(Self(coding.is_some()))
    }
}

impl TakesGzip {
    /// Returns an answer compressed at the fastest level, or `None` if the caller does not take
    /// that or it is not worth it. For 64 kB of a list it takes about 0.3 ms.
    pub(crate) fn compress(self, answer: &[u8]) -> Option<Vec<u8>> {
        if !self.0 || !WORTH.contains(&answer.len()) {
            return None;
        }
        let mut encoder = GzEncoder::new(Vec::with_capacity(answer.len() / 4), Compression::fast());
        encoder.write_all(answer).ok()?;
        encoder.finish().ok()
    }
}

/// Returns the quality of a coding in thousandths; 0 if it is not acceptable. A coding's own entry
/// decides over `*`, and the first of several over the others.
fn quality(headers: &HeaderMap, name: &str) -> u16 {
    let lines = || headers.get_all(header::ACCEPT_ENCODING).iter();
    let entries = || {
        lines()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
    };
    let of = |name: &str| {
        entries().find_map(|entry| {
            let mut parts = entry.split(';').map(str::trim);
            parts.next()?.eq_ignore_ascii_case(name).then(|| weight(parts.next()))
        })
    };
    of(name).or_else(|| of("*")).unwrap_or(0)
}

/// Reads `q=0.8`. A weight that can't be read counts as 0.
fn weight(parameter: Option<&str>) -> u16 {
    let Some(parameter) = parameter else { return 1000 };
    let value = parameter
        .split_once('=')
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    let value = value.and_then(|(_, value)| value.trim().parse::<f32>().ok());
    // The clamp keeps this at 1000 or below; NaN becomes 0.
    value.map_or(0, |value| (value.clamp(0.0, 1.0) * 1000.0) as u16)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::{
        ContentCoding::{Brotli, Gzip},
        *,
    };

    fn chosen(accept: &[&'static str], available: &[ContentCoding]) -> Option<ContentCoding> {
        let mut headers = HeaderMap::new();
        for line in accept {
            headers.append(header::ACCEPT_ENCODING, HeaderValue::from_static(line));
        }
        ContentCoding::choose(&headers, available)
    }

    #[test]
    fn the_best_available_coding_is_chosen() {
        for (accept, coding) in [
            (&[][..], None),
            (&[""], None),
            (&["identity"], None),
            (&["gzip"], Some(Gzip)),
            (&["gzip, deflate, br"], Some(Brotli)),
            (&["GZIP"], Some(Gzip)),
            (&["gzip;q=0.9, br;q=0.1"], Some(Gzip)),
            (&["gzip ; q=0.9", "br;Q=0.95"], Some(Brotli)),
            (&["br;q=0, gzip"], Some(Gzip)),
            (&["br;q=0, gzip;q=0"], None),
            (&["*"], Some(Brotli)),
            (&["*;q=0.5, br;q=0"], Some(Gzip)),
            (&["*;q=0"], None),
            (&["br;q=high"], None),
            (&["br;q=NaN"], None),
            (&["br;q=7"], Some(Brotli)),
            (&["brotli"], None),
            (&["x-gzip"], None),
        ] {
            assert_eq!(chosen(accept, &[Brotli, Gzip]), coding, "{accept:?}");
        }
        assert_eq!(chosen(&["br, gzip"], &[Gzip]), Some(Gzip));
        assert_eq!(chosen(&["br, gzip"], &[]), None);
        assert_eq!(chosen(&["br"], &[Gzip]), None);
    }
}
