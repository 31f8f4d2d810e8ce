//! The protobuf wire format, and the wrapping that Kubernetes adds to it.
//!
//! An object is the magic `k8s\0` followed by a message `Unknown`
//! (`k8s.io/apimachinery/pkg/runtime/generated.proto`), which names the object's kind and contains
//! it as bytes.
//!
//! `prost` decodes the messages in [`crate::wire`]. This module is for messages that must be read
//! before they are complete, or without a copy. `prost` can't do that: it decodes complete messages
//! only, and its primitives (`prost::encoding`) are not meant for other crates.

/// The magic bytes before every object.
pub(crate) const MAGIC: [u8; 4] = *b"k8s\0";

/// The error for bytes that are not a protobuf message, or that end within a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken;

/// The content of a field. Numbers of fixed width are skipped, because no message that is read here
/// has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Field<'a> {
    /// Returns the bytes of a text or a message; empty for a number.
    pub(crate) fn bytes(self) -> &'a [u8] {
        match self {
            Self::Number(_) => &[],
            Self::Bytes(bytes) => bytes,
        }
    }

    /// Returns the text, with U+FFFD for bytes that are not UTF-8.
    pub(crate) fn text(self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }
}

/// An iterator over the fields of a message, borrowed and in order. It ends after the first error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Self(message)
    }

    fn field(&mut self) -> Result<(u64, Option<Field<'a>>), Broken> {
        let key = varint(&mut self.0)?;
        let field = match key & 7 {
            0 => Some(Field::Number(varint(&mut self.0)?)),
            1 => take(&mut self.0, 8).map(|_| None)?,
            2 => {
                let length = usize::try_from(varint(&mut self.0)?).map_err(|_| Broken)?;
                Some(Field::Bytes(take(&mut self.0, length)?))
            }
            5 => take(&mut self.0, 4).map(|_| None)?,
            _ => return Err(Broken),
        };
        Ok((key >> 3, field))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Field<'a>), Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.0.is_empty() {
            match self.field() {
                Ok((number, Some(field))) => return Some(Ok((number, field))),
                Ok((_, None)) => {}
                Err(broken) => {
                    self.0 = &[];
                    return Some(Err(broken));
                }
            }
        }
        None
    }
}

/// An unwrapped object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Object<'a> {
    /// The kind, such as `Pod`.
    pub(crate) kind: &'a [u8],
    /// The object's message.
    pub(crate) message: &'a [u8],
}

impl<'a> Object<'a> {
    /// Unwraps an object; `None` if the magic is missing or the wrapping is broken.
    pub(crate) fn unwrap(bytes: &'a [u8]) -> Option<Self> {
        let mut object = Object {
            kind: &[],
            message: &[],
        };
        for field in Fields::new(bytes.strip_prefix(&MAGIC)?) {
            match field.ok()? {
                (1, types) => object.kind = kind(types.bytes()).ok()?,
                (2, raw) => object.message = raw.bytes(),
                _ => {}
            }
        }
        Some(object)
    }
}

/// Returns the kind in a `TypeMeta`.
pub(crate) fn kind(types: &[u8]) -> Result<&[u8], Broken> {
    let mut kind: &[u8] = &[];
    for field in Fields::new(types) {
        if let (2, named) = field? {
            kind = named.bytes();
        }
    }
    Ok(kind)
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8], Broken> {
    let (taken, rest) = bytes.split_at_checked(length).ok_or(Broken)?;
    *bytes = rest;
    Ok(taken)
}

fn varint(bytes: &mut &[u8]) -> Result<u64, Broken> {
    let mut varint = Varint::default();
    varint.push(bytes)?.ok_or(Broken)
}

/// A decoder of a number of variable length whose bytes may arrive in several pieces.
#[derive(Debug, Default)]
pub(crate) struct Varint {
    value: u64,
    shift: u32,
}

impl Varint {
    /// Takes bytes up to the end of the number and returns it; `None` if its end has not arrived.
    pub(crate) fn push(&mut self, bytes: &mut &[u8]) -> Result<Option<u64>, Broken> {
        while let Some((&byte, rest)) = bytes.split_first() {
            *bytes = rest;
            // Ten bytes hold 64 bits.
            if self.shift >= 70 {
                return Err(Broken);
            }
            self.value |= u64::from(byte & 0x7f) << self.shift;
            self.shift += 7;
            if byte < 0x80 {
                return Ok(Some(std::mem::take(self).value));
            }
        }
        Ok(None)
    }

    /// Returns whether the decoder is between two numbers.
    pub(crate) fn is_whole(&self) -> bool {
        self.shift == 0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn fields(message: &[u8]) -> Result<Vec<(u64, Field<'_>)>, Broken> {
        Fields::new(message).collect()
    }

    #[test]
    fn fields_come_in_order_and_borrowed() {
        let message =
            b"\x08\x96\x01\x12\x02hi\x19aaaaaaaa\x25bbbb\x12\x00\x98\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
        assert_eq!(
            fields(message).unwrap(),
            [
                (1, Field::Number(150)),
                (2, Field::Bytes(b"hi")),
                (2, Field::Bytes(b"")),
                (19, Field::Number(u64::MAX))
            ]
        );
    }

    #[test]
    fn truncated_messages_and_groups_are_invalid() {
        for message in [
            &b"\x08"[..],
            b"\x08\x80",
            b"\x12\x05abcd",
            b"\x19aaaaaaa",
            b"\x25bbb",
            b"\x0b\x0c",
            b"\x0c",
            b"\x0e",
            b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01a",
        ] {
            assert_eq!(fields(message), Err(Broken), "{message:x?}");
        }
        assert!(Fields::new(b"\x08").count() == 1, "an error ends it");
    }
}
