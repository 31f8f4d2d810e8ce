//! Large responses that are kept whole, and the memory that they take while they are sent.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::shares::{Refused, Share, Shares};
use crate::{
    ApiError,
    http::etag::{IfNoneMatch, Tags},
};

/// The most bytes of one response: a list or a manifest of 16 MiB, or a detail, whose absent fields
/// are filled in.
pub(crate) const MOST: usize = 17 << 20;
/// Responses up to this size take no share: a connection may buffer as much.
const SMALL: usize = 64 << 10;

/// Builds a response from a text. One over 64 KiB holds a share of the session's memory until it is
/// sent or its connection has ended.
///
/// # Errors
/// 429001 if there is no share for it.
pub(crate) fn whole(
    shares: &Shares,
    session: i64,
    media: &'static str,
    mut text: Vec<u8>,
) -> Result<Response, ApiError> {
    if text.len() <= SMALL {
        return Ok(([(CONTENT_TYPE, media)], text).into_response());
    }
    if text.capacity() - text.len() > SMALL {
        text.shrink_to_fit();
    }
    let mut share = shares.of(session);
    share.resize(text.capacity()).map_err(full)?;
    let held = Bytes::from_owner(Held { text, _share: share });
    Ok(([(CONTENT_TYPE, media)], Body::new(Pieces(held))).into_response())
}

/// Builds a response like [`whole`], with an entity tag made of the text; or 304 if the caller has
/// this text already.
///
/// # Errors
/// 429001 if there is no share for it.
pub(crate) fn tagged(
    shares: &Shares,
    tags: &Tags,
    session: i64,
    media: &'static str,
    text: Vec<u8>,
    known: &IfNoneMatch,
) -> Result<Response, ApiError> {
    let tag = tags.of(&text);
    if known.has(&tag) {
        return Ok(tag.unchanged());
    }
    let mut response = whole(shares, session, media, text)?;
    tag.put(response.headers_mut());
    Ok(response)
}

fn full(refused: Refused) -> ApiError {
    let whose = match refused {
        Refused::Session => "this session is still being sent too many large responses",
        Refused::All => "too many large responses are being sent",
    };
    ApiError::TooMany {
        message: format!(
            "{whose}: read the open ones to their end, ask for less at once (`pageSize`), or try again in a moment"
        ),
        retry_after: 2,
    }
}

/// A text, with its share of the memory.
struct Held {
    text: Vec<u8>,
    _share: Share,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

/// A response in pieces that all hold its text. As one piece, a connection without vectored writes
/// would copy it, and return the share before the copy is sent.
struct Pieces(Bytes);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let length = self.0.len().min(SMALL);
        let piece = (length > 0).then(|| Ok(Frame::data(self.0.split_to(length))));
        Poll::Ready(piece)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use http_body::Body as _;
    use http_body_util::BodyExt;

    use super::*;

    fn text(length: usize) -> Vec<u8> {
        let mut text = Vec::with_capacity(2 * length);
        text.extend((0..length).map(|at| (at % 251) as u8));
        text
    }

    #[tokio::test]
    async fn large_answers_hold_a_share_until_they_are_sent() {
        let shares = Shares::new(2 * MOST, MOST);
        let answer = |session, length| whole(&shares, session, "text/plain", text(length));
        let first = answer(1, MOST).unwrap();
        assert_eq!(first.body().size_hint().exact(), Some(MOST as u64));
        assert_eq!(shares.free(), MOST, "what a text has too much is given back");
        let error = answer(1, SMALL + 1).unwrap_err();
        assert!(
            error.code() == 429_001 && error.to_string().contains("this session"),
            "{error}"
        );
        answer(1, SMALL).unwrap();
        let second = answer(2, MOST).unwrap();
        assert_eq!(answer(3, SMALL + 1).unwrap_err().code(), 429_001);
        answer(3, SMALL).unwrap();
        drop(second);
        assert_eq!(shares.free(), MOST);
        let sent = first.into_body().collect().await.unwrap().to_bytes();
        assert!(sent == text(MOST));
        assert_eq!(shares.free(), 2 * MOST);
    }

    #[tokio::test]
    async fn the_last_piece_on_its_way_holds_the_share() {
        let shares = Shares::new(MOST, MOST);
        let mut body = whole(&shares, 1, "text/plain", text(SMALL + 1)).unwrap().into_body();
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        let last = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert!(body.frame().await.is_none() && (first.len(), last.len()) == (SMALL, 1));
        drop((body, first));
        assert!(shares.free() < MOST);
        drop(last);
        assert_eq!(shares.free(), MOST);
    }
}
