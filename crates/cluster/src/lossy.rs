//! Text from bytes that arrive in pieces and may not be UTF-8, and its length as JSON.

/// The text of a run of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run<'a> {
    /// Whole characters.
    Text(&'a str),
    /// This number of bytes that are not UTF-8, shown as one U+FFFD.
    Replaced(usize),
}

impl Run<'_> {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Replaced(_) => "\u{fffd}",
        }
    }

    /// Returns the number of bytes that the run was decoded from.
    pub fn raw_len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Replaced(bytes) => *bytes,
        }
    }
}

/// A decoder of bytes that arrive cut at any place. The result is that of
/// [`String::from_utf8_lossy`] for all of them. It holds at most three bytes.
#[derive(Debug, Default)]
pub struct Lossy {
    /// The beginning of an incomplete character.
    begun: Vec<u8>,
}

impl Lossy {
    /// Decodes a piece and hands over its runs, up to its last whole character.
    pub fn push<F: FnMut(Run<'_>)>(&mut self, mut bytes: &[u8], mut take: F) {
        while !self.begun.is_empty() {
            let Some((next, rest)) = bytes.split_first() else {
                return;
            };
            self.begun.push(*next);
            match std::str::from_utf8(&self.begun) {
                Ok(text) => take(Run::Text(text)),
                Err(error) if error.error_len().is_none() => {
                    bytes = rest;
                    continue;
                }
                Err(_) => {
                    // The last byte does not belong to this character, but begins another one.
                    take(Run::Replaced(self.begun.len() - 1));
                    self.begun.clear();
                    break;
                }
            }
            self.begun.clear();
            bytes = rest;
        }
        for chunk in bytes.utf8_chunks() {
            if !chunk.valid().is_empty() {
                take(Run::Text(chunk.valid()));
            }
            let invalid = chunk.invalid();
            let is_last = bytes.as_ptr_range().end == invalid.as_ptr_range().end;
            if is_last && is_begun(invalid) {
                self.begun.extend_from_slice(invalid);
            } else if !invalid.is_empty() {
                take(Run::Replaced(invalid.len()));
            }
        }
    }

    /// Hands over what is left at the end of the bytes.
    pub fn finish<F: FnMut(Run<'_>)>(&mut self, mut take: F) {
        if !self.begun.is_empty() {
            take(Run::Replaced(self.begun.len()));
            self.begun.clear();
        }
    }
}

/// Returns whether bytes may be the beginning of an incomplete character.
pub fn is_begun(bytes: &[u8]) -> bool {
    match std::str::from_utf8(bytes) {
        Ok(_) => false,
        Err(error) => error.valid_up_to() == 0 && error.error_len().is_none(),
    }
}

/// Returns the number of bytes that a text takes in a JSON string, where a NUL takes six and a
/// quotation mark two.
pub fn json_len(text: &str) -> usize {
    text.bytes().map(escaped_len).sum()
}

/// Returns how many bytes of a text, in whole characters, fit into `most` bytes of a JSON string.
pub fn json_fit(text: &str, most: usize) -> usize {
    let mut taken = 0;
    for (at, byte) in text.bytes().enumerate() {
        taken += escaped_len(byte);
        if taken > most {
            return text.floor_char_boundary(at);
        }
    }
    text.len()
}

/// Appends a text to the content of a JSON string, escaped as `serde_json` does.
///
/// `serde_json` itself writes whole strings only, and a long log line is written in pieces.
pub fn write_json(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut plain = 0;
    let bytes = text.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        let short = match byte {
            b'"' | b'\\' => byte,
            0x08 => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            0x0c => b'f',
            b'\r' => b'r',
            0..0x20 => 0,
            _ => continue,
        };
        out.extend_from_slice(bytes.get(plain..at).unwrap_or_default());
        plain = at + 1;
        if short == 0 {
            let digit = |value: u8| HEX.get(usize::from(value)).copied().unwrap_or(b'0');
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
        } else {
            out.extend_from_slice(&[b'\\', short]);
        }
    }
    out.extend_from_slice(bytes.get(plain..).unwrap_or_default());
}

fn escaped_len(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | 0x08 | b'\t' | b'\n' | 0x0c | b'\r' => 2,
        0..0x20 => 6,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use proptest::{collection::vec, prelude::*};

    use super::*;

    /// Returns the text and the number of bytes that it was decoded from.
    fn decode(pieces: &[&[u8]]) -> (String, usize) {
        let (mut text, mut raw) = (String::new(), 0);
        let mut lossy = Lossy::default();
        let mut take = |run: Run<'_>| {
            text.push_str(run.as_str());
            raw += run.raw_len();
        };
        for piece in pieces {
            lossy.push(piece, &mut take);
            assert!(lossy.begun.len() <= 3);
        }
        lossy.finish(&mut take);
        (text, raw)
    }

    proptest! {
        #[test]
        fn bytes_are_decoded_as_a_whole_however_they_are_cut(
            bytes in vec(prop_oneof![any::<u8>(), Just(0xe2), Just(0x82), Just(0xac), Just(0xf0), Just(0x9f), Just(0x98), Just(0x80)], 0..24),
            cut in 0_usize..24,
            again in 0_usize..24,
        ) {
            let (first, second) = (cut.min(again).min(bytes.len()), cut.max(again).min(bytes.len()));
            let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
            let want = String::from_utf8_lossy(&bytes).into_owned();
            prop_assert_eq!(decode(&pieces), (want, bytes.len()));
        }

        #[test]
        fn json_is_that_of_serde(text in "\\PC*|[\\x00-\\x7f]{0,40}", most in 0_usize..60) {
            let want = serde_json::to_string(&text).unwrap();
            let mut out = Vec::new();
            write_json(&text, &mut out);
            prop_assert_eq!(&want[1..want.len() - 1], std::str::from_utf8(&out).unwrap());
            prop_assert_eq!(json_len(&text), out.len());
            let fit = json_fit(&text, most);
            prop_assert!(json_len(&text[..fit]) <= most);
            if let Some(next) = text[fit..].chars().next() {
                prop_assert!(json_len(&text[..fit + next.len_utf8()]) > most);
            }
        }
    }
}
