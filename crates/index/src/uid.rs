//! UIDs, stored as numbers where they are UUIDs.

use std::{fmt, ops::Deref};

use serde::{Serialize, Serializer};

/// The length of a UUID's text in bytes.
const UUID: usize = 36;

/// An object's UID. A real API server always makes a UUID.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Uid {
    Uuid([u8; 16]),
    Text(Box<str>),
}

/// The text of a UID, built without an allocation.
#[derive(Clone, Copy, Debug)]
pub struct UidText<'a>(Inner<'a>);

#[derive(Clone, Copy, Debug)]
enum Inner<'a> {
    Uuid([u8; UUID]),
    Text(&'a str),
}

/// The positions of hyphens in a UUID's text.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// The positions of the bytes' digits.
const DIGITS: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
/// The two digits of each byte.
const HEX: [[u8; 2]; 256] = hex();

const fn hex() -> [[u8; 2]; 256] {
    let digits = b"0123456789abcdef";
    let mut hex = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        hex[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    hex
}

impl Uid {
    pub(crate) fn new(text: &str) -> Self {
        uuid(text.as_bytes()).map_or_else(|| Self::Text(text.into()), Self::Uuid)
    }

    /// Returns whether this is the UID with that text.
    pub(crate) fn equals(&self, text: &str) -> bool {
        match self {
            Self::Uuid(bytes) => uuid(text.as_bytes()).as_ref() == Some(bytes),
            Self::Text(own) => **own == *text,
        }
    }

    pub(crate) fn text(&self) -> UidText<'_> {
        let bytes = match self {
            Self::Uuid(bytes) => bytes,
            Self::Text(text) => return UidText(Inner::Text(text)),
        };
        let mut text = [b'-'; UUID];
        for (byte, at) in bytes.iter().zip(DIGITS) {
            text[at..at + 2].copy_from_slice(&HEX[usize::from(*byte)]);
        }
        UidText(Inner::Uuid(text))
    }
}

impl UidText<'_> {
    /// Returns the text's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Inner::Uuid(bytes) => bytes,
            Inner::Text(text) => text.as_bytes(),
        }
    }
}

impl Deref for UidText<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        // A UUID has only hexadecimal digits and hyphens, which are UTF-8.
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

impl fmt::Display for UidText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl Serialize for UidText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

/// Parses a UUID in its usual form: 36 characters, in lower case.
fn uuid(text: &[u8]) -> Option<[u8; 16]> {
    if text.len() != UUID || HYPHENS.iter().any(|&at| text[at] != b'-') {
        return None;
    }
    let mut digits = text
        .iter()
        .enumerate()
        .filter(|(at, _)| !HYPHENS.contains(at))
        .map(|(_, byte)| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        });
    let mut bytes = [0; 16];
    for byte in &mut bytes {
        *byte = (digits.next()?? << 4) | digits.next()??;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_come_back_as_they_were() {
        let uuid = "0c8dd1b6-3a34-4b21-9d3f-00ffeeddccbb";
        assert!(matches!(Uid::new(uuid), Uid::Uuid(_)));
        for text in [
            uuid,
            &uuid.to_uppercase(),
            "",
            "x",
            &uuid.replace('-', "0"),
            &uuid.replace('0', "-"),
            &uuid.replace("0c8d", "é8d"),
        ] {
            assert_eq!(&*Uid::new(text).text(), text);
            assert!(Uid::new(text).equals(text) && !Uid::new(text).equals("other"));
        }
    }
}
