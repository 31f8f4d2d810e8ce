//! Lists whose items are read one by one: events, namespaces and nodes.
//!
//! A list is cut into items while it arrives, so at most one item is held in addition to those that
//! the caller keeps.

use http::Request;
use http_body_util::BodyExt;
use serde::Deserialize;

use crate::{
    Error,
    client::{BodyReservation, Client},
    error::{Failure, Result},
    watch::codec::{DecodeError, Part, Splitter},
    wire::nullable,
};

/// The most bytes of a list's metadata, most of which is the token for the next page.
const MAX_TOKEN: usize = 16 << 10;

/// The most items on later pages for which a server's count is believed.
const MAX_REMAINING: usize = 1_000_000;

/// The metadata of a list.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Meta {
    /// The token that asks for the next page; empty on the last. At most 16 KiB.
    #[serde(rename = "continue", deserialize_with = "nullable")]
    pub(crate) token: String,
    /// The server's number of items on later pages. It is not checked; use [`Meta::remaining`].
    remaining_item_count: Option<i64>,
}

impl Meta {
    /// Returns the number of items on later pages; `None` if the server does not count them, or the
    /// number is implausible.
    pub(crate) fn remaining(&self) -> Option<usize> {
        let count = usize::try_from(self.remaining_item_count?).ok()?;
        (count <= MAX_REMAINING).then_some(count)
    }
}

/// The bounds for all pages of a list together.
pub(crate) struct Bounds {
    /// The most bytes of one item. A longer one is skipped.
    pub(crate) item: usize,
    /// The bytes that may still arrive.
    pub(crate) left: usize,
}

/// A receiver of items as they arrive.
pub(crate) trait Sink: Send {
    /// Takes one item, which may be invalid JSON, or `None` for an item that is too long.
    fn item(&mut self, json: Option<&[u8]>);
    /// Returns the number of bytes that the receiver keeps in memory.
    fn kept(&self) -> usize;
}

/// Reads one page. The caller must limit the time.
///
/// # Errors
/// [`Error::Upstream`] for a response that is not a list or is longer than the bounds, and those of
/// every call.
pub(crate) async fn page(
    client: &Client,
    request: Request<Vec<u8>>,
    bounds: &mut Bounds,
    reservation: &mut BodyReservation,
    sink: &mut dyn Sink,
) -> Result<Meta> {
    let what = client.what(&request);
    let not_a_list = |decode_error: &DecodeError| {
        let why = decode_error.to_string().into();
        Error::upstream(what.as_str(), Failure::NotKubernetes { why })
    };
    let mut body = client.request(request).await?.into_body();
    let mut splitter = Splitter::skipping(bounds.item);
    let mut meta = None;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| client.broken(&error, &what))?;
        let Ok(data) = frame.into_data() else { continue };
        bounds.left = bounds.left.checked_sub(data.len()).ok_or_else(|| {
            Error::upstream(
                what.as_str(),
                Failure::TooLong {
                    most: "Podgate allows for a list".into(),
                },
            )
        })?;
        let taken = splitter.push(&data, &mut |part, json| {
            match part {
                Part::Item => sink.item(Some(json)),
                Part::Oversized => sink.item(None),
                Part::Metadata => meta = Some(metadata(json)?),
            }
            Ok(())
        });
        taken.map_err(|decode_error| not_a_list(&decode_error))?;
        reservation.reserve(sink.kept() + splitter.held(), &what).await?;
    }
    match meta {
        Some(meta) if splitter.is_complete() => Ok(meta),
        _ => Err(not_a_list(&DecodeError(
            "the response is cut off, or is not a list".to_owned(),
        ))),
    }
}

fn metadata(json: &[u8]) -> std::result::Result<Meta, DecodeError> {
    let meta: Meta =
        serde_json::from_slice(json).map_err(|_| DecodeError("its metadata is not a list's".to_owned()))?;
    if meta.token.len() > MAX_TOKEN {
        return Err(DecodeError(format!(
            "its continue token is longer than {MAX_TOKEN} bytes"
        )));
    }
    Ok(meta)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_impossible_number_of_items_is_unknown() {
        for (count, remaining) in [
            ("0", Some(0)),
            ("1000000", Some(1_000_000)),
            ("1000001", None),
            ("-1", None),
            ("9223372036854775807", None),
            ("null", None),
        ] {
            let meta = metadata(format!(r#"{{"remainingItemCount":{count}}}"#).as_bytes()).unwrap();
            assert_eq!(meta.remaining(), remaining, "{count}");
        }
    }
}
