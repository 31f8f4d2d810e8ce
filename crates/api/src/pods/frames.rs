//! What the log stream and the terminal have in common: frames of the client, and text from bytes that come in pieces.

use podgate_cluster::lossy::Lossy;
use serde::de::DeserializeOwned;

use crate::{ApiError, parameters::shown, ws::Incoming};

/// Reads a client's text frame.
///
/// # Errors
/// [`ApiError::Body`] for what is not JSON or not one of the frames there are: a malformed frame leaves the connection open.
pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ApiError> {
    serde_json::from_str(text)
        .map_err(|error| ApiError::Body(format!("the frame `{}` is not understood: {error}", shown(text))))
}

/// Reads a client's frame where only text belongs.
///
/// # Errors
/// As [`parse`]; also for a binary frame.
pub(super) fn parse_text<T: DeserializeOwned>(frame: &Incoming) -> Result<T, ApiError> {
    match frame {
        Incoming::Text(text) => parse(text),
        Incoming::Binary(_) => Err(ApiError::Body(
            "a binary frame is not understood here: send JSON as a text frame".into(),
        )),
    }
}

/// Text from bytes that may be cut anywhere: a character is never split, and what is not UTF-8 becomes U+FFFD.
#[derive(Debug, Default)]
pub(super) struct Decoder(Lossy);

impl Decoder {
    /// The text up to the last whole character.
    pub(super) fn push(&mut self, bytes: &[u8]) -> String {
        let mut text = String::with_capacity(bytes.len());
        self.0.push(bytes, |run| text.push_str(run.as_str()));
        text
    }

    /// What is left when nothing more comes.
    pub(super) fn finish(&mut self) -> String {
        let mut text = String::new();
        self.0.finish(|run| text.push_str(run.as_str()));
        text
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn text_is_the_same_however_its_bytes_are_cut() {
        let bytes = "a\u{e9}\u{20ac}\u{1f600}z\r\n".as_bytes();
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let mut decoder = Decoder::default();
                let mut text = String::new();
                for part in [&bytes[..first], &bytes[first..second], &bytes[second..]] {
                    text.push_str(&decoder.push(part));
                }
                text.push_str(&decoder.finish());
                assert_eq!(text.as_bytes(), bytes, "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn what_is_not_utf8_is_replaced_as_std_does() {
        let bytes = b"a\xff\xe2\x82b\xf0\x9f\x98";
        let want = String::from_utf8_lossy(bytes);
        for cut in 0..=bytes.len() {
            let mut decoder = Decoder::default();
            let text = decoder.push(&bytes[..cut]) + &decoder.push(&bytes[cut..]) + &decoder.finish();
            assert_eq!(text, want, "cut at {cut}");
        }
    }

    #[test]
    fn at_most_one_character_is_held_back() {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.push(b"abc"), "abc");
        assert_eq!(decoder.push(b"\xf0\x9f\x98"), "");
        assert_eq!(decoder.push(b"x"), "\u{fffd}x");
    }
}
