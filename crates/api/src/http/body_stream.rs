//! Long HTTP answers. Their bytes are counted, and they end with the session of their caller.

use axum::{
    body::{Body, Bytes},
    response::Response,
};
use futures_util::{StreamExt, stream};
use prometheus_client::metrics::counter::Counter;
use tokio_util::sync::CancellationToken;

/// The mark of an answer that comes from a streaming route, with the route's path.
#[derive(Clone, Copy)]
pub(crate) struct StreamingRoute(pub(crate) &'static str);

/// Marks the answer of a streaming route, so that [`crate::http::middleware::handle`] treats it
/// with [`metered`].
pub(crate) async fn mark(path: &'static str, answer: impl Future<Output = Response>) -> Response {
    let mut response = answer.await;
    if response.status().is_success() {
        response.extensions_mut().insert(StreamingRoute(path));
    }
    response
}

/// Counts a body's bytes, and breaks it off once the session has ended. A clean end would look like
/// the end of the answer.
pub(crate) fn metered(body: Body, sent: Counter, revoked: Option<CancellationToken>) -> Body {
    let revoked = revoked.unwrap_or_default();
    let chunks = stream::unfold(
        (body.into_data_stream(), sent, revoked),
        |(mut chunks, sent, revoked)| async {
            let chunk: Result<Bytes, axum::Error> = tokio::select! {
                biased;
                () = revoked.cancelled() => Err(axum::Error::new(std::io::Error::other("the session has ended"))),
                chunk = chunks.next() => chunk?,
            };
            if let Ok(bytes) = &chunk {
                sent.inc_by(bytes.len() as u64);
            }
            Some((chunk, (chunks, sent, revoked)))
        },
    );
    Body::from_stream(chunks)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn body() -> Body {
        let chunks = ["one", "two"].map(|text| Ok::<_, std::io::Error>(Bytes::from_static(text.as_bytes())));
        Body::from_stream(stream::iter(chunks))
    }

    #[tokio::test]
    async fn the_bytes_pass_and_are_counted() {
        let sent = Counter::default();
        let body = metered(body(), sent.clone(), Some(CancellationToken::new()));
        assert_eq!(axum::body::to_bytes(body, 100).await.unwrap(), "onetwo");
        assert_eq!(sent.get(), 6);
    }

    #[tokio::test]
    async fn a_session_that_ends_breaks_the_answer_off() {
        let revoked = CancellationToken::new();
        let mut chunks = metered(body(), Counter::default(), Some(revoked.clone())).into_data_stream();
        assert_eq!(chunks.next().await.unwrap().unwrap(), "one");
        revoked.cancel();
        assert!(chunks.next().await.unwrap().is_err());
    }
}
