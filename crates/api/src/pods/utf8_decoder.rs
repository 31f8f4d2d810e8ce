//! Decodes UTF-8 that comes in pieces.

use podgate_cluster::lossy::Lossy;

/// Decodes bytes that may be cut anywhere. It never splits a character, and replaces bytes that are
/// not UTF-8 by U+FFFD.
#[derive(Debug, Default)]
pub(super) struct Utf8Decoder(Lossy);

impl Utf8Decoder {
    /// Returns the text up to the last whole character.
    pub(super) fn push(&mut self, bytes: &[u8]) -> String {
        let mut text = String::with_capacity(bytes.len());
        self.0.push(bytes, |run| text.push_str(run.as_str()));
        text
    }

    /// Returns the rest of the text after the last piece.
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
                let mut decoder = Utf8Decoder::default();
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
    fn invalid_utf8_is_replaced_as_std_does() {
        let bytes = b"a\xff\xe2\x82b\xf0\x9f\x98";
        let want = String::from_utf8_lossy(bytes);
        for cut in 0..=bytes.len() {
            let mut decoder = Utf8Decoder::default();
            let text = decoder.push(&bytes[..cut]) + &decoder.push(&bytes[cut..]) + &decoder.finish();
            assert_eq!(text, want, "cut at {cut}");
        }
    }

    #[test]
    fn at_most_one_character_is_held_back() {
        let mut decoder = Utf8Decoder::default();
        assert_eq!(decoder.push(b"abc"), "abc");
        assert_eq!(decoder.push(b"\xf0\x9f\x98"), "");
        assert_eq!(decoder.push(b"x"), "\u{fffd}x");
    }
}
