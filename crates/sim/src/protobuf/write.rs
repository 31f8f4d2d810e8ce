//! The encoding of messages and their fields.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Message, Shape};

pub(super) fn message(message: Message, value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    if let Some(object) = value.as_object() {
        for field in message {
            write_field(field, object, &mut out);
        }
    }
    out
}

pub(super) fn write_field(
    (number, name, shape): &(u64, &'static str, Shape),
    object: &Map<String, Value>,
    out: &mut Vec<u8>,
) {
    if let Shape::Inline(message) = shape {
        let begin = out.len();
        nested(*number, out, |out| {
            for field in *message {
                write_field(field, object, out);
            }
        });
        // Write nothing, because an empty field would mean that the message is present.
        if out.len() == begin + 2 {
            out.truncate(begin);
        }
    } else if let Some(value) = object.get(*name) {
        write(*number, *shape, value, out);
    }
}

/// Appends a field. Appends nothing for `null`.
///
/// A value of a wrong type is written with the wire type of the value, so that a decoder refuses
/// it.
pub(super) fn write(number: u64, shape: Shape, value: &Value, out: &mut Vec<u8>) {
    match (shape, value) {
        (_, Value::Null) => {}
        (Shape::Text, Value::String(value)) => text(number, value, out),
        (Shape::Number, Value::Number(value)) => integer(number, value.as_i64().unwrap_or_default(), out),
        (Shape::Bool, Value::Bool(value)) => integer(number, i64::from(*value), out),
        (Shape::Texts, Value::Array(items)) => items.iter().for_each(|item| write(number, Shape::Text, item, out)),
        (Shape::Numbers, Value::Array(items)) => items.iter().for_each(|item| write(number, Shape::Number, item, out)),
        (Shape::One(message), Value::Object(object)) => nested(number, out, |out| {
            for field in message {
                write_field(field, object, out);
            }
        }),
        (Shape::Many(message), Value::Array(items)) => {
            items
                .iter()
                .for_each(|item| write(number, Shape::One(message), item, out));
        }
        (Shape::TextMap, Value::Object(entries)) => map(number, Shape::Text, entries, out),
        (Shape::QuantityMap, Value::Object(entries)) => map(number, Shape::Quantity, entries, out),
        (Shape::Quantity, Value::String(value)) => nested(number, out, |out| text(1, value, out)),
        (Shape::IntOrString, Value::String(value)) => nested(number, out, |out| {
            integer(1, 1, out);
            text(3, value, out);
        }),
        (Shape::IntOrString, Value::Number(value)) => nested(number, out, |out| {
            integer(1, 0, out);
            integer(2, value.as_i64().unwrap_or_default(), out);
        }),
        (Shape::Time, Value::String(value)) => match value.parse::<Timestamp>() {
            Ok(time) => nested(number, out, |out| {
                integer(1, time.as_second(), out);
                integer(2, 0, out);
            }),
            Err(_) => text(number, value, out),
        },
        (Shape::RawJson, value) => nested(number, out, |out| text(1, &value.to_string(), out)),
        (_, value) => mistyped(number, value, out),
    }
}

fn map(number: u64, shape: Shape, entries: &Map<String, Value>, out: &mut Vec<u8>) {
    for (key, value) in entries {
        nested(number, out, |out| {
            text(1, key, out);
            write(2, shape, value, out);
        });
    }
}

pub(super) fn mistyped(number: u64, value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Number(value) => integer(number, value.as_i64().unwrap_or_default(), out),
        Value::Bool(value) => integer(number, i64::from(*value), out),
        Value::String(value) => text(number, value, out),
        other => text(number, &other.to_string(), out),
    }
}

/// Appends a message whose length is known only afterwards.
fn nested(number: u64, out: &mut Vec<u8>, content: impl FnOnce(&mut Vec<u8>)) {
    varint(number << 3 | 2, out);
    let at = out.len();
    out.push(0);
    content(out);
    let len = out.len() - at - 1;
    match u8::try_from(len) {
        Ok(len) if len < 0x80 => {
            if let Some(place) = out.get_mut(at) {
                *place = len;
            }
        }
        _ => {
            let mut long = Vec::with_capacity(5);
            varint(len as u64, &mut long);
            out.splice(at..=at, long);
        }
    }
}

pub(super) fn text(number: u64, text: &str, out: &mut Vec<u8>) {
    head(number, text.len(), out);
    out.extend_from_slice(text.as_bytes());
}

fn integer(number: u64, value: i64, out: &mut Vec<u8>) {
    varint(number << 3, out);
    varint(value.cast_unsigned(), out);
}

/// Appends the key and the length of a field of text or of a message.
pub(super) fn head(number: u64, len: usize, out: &mut Vec<u8>) {
    varint(number << 3 | 2, out);
    varint(len as u64, out);
}

/// Returns the number of bytes of a field that holds a text or a message of `len` bytes.
pub(super) fn field_len(number: u64, len: usize) -> usize {
    varint_len(number << 3) + varint_len(len as u64) + len
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn varint_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use serde_json::json;

    use super::*;

    #[test]
    fn each_shape_is_written_as_kubernetes_does() {
        let written = |shape: Shape, value: Value| {
            let mut out = Vec::new();
            write(1, shape, &value, &mut out);
            out
        };
        assert_eq!(written(Shape::Text, json!("ab")), b"\x0a\x02ab");
        assert_eq!(written(Shape::Texts, json!(["a", "b"])), b"\x0a\x01a\x0a\x01b");
        assert_eq!(written(Shape::Number, json!(300)), b"\x08\xac\x02");
        assert_eq!(
            written(Shape::Number, json!(-1)),
            b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
        );
        assert_eq!(written(Shape::Numbers, json!([1, 2])), b"\x08\x01\x08\x02");
        assert_eq!(written(Shape::Bool, json!(true)), b"\x08\x01");
        assert_eq!(
            written(Shape::TextMap, json!({"a": "b"})),
            b"\x0a\x06\x0a\x01a\x12\x01b"
        );
        assert_eq!(
            written(Shape::QuantityMap, json!({"cpu": "1"})),
            b"\x0a\x0a\x0a\x03cpu\x12\x03\x0a\x011"
        );
        assert_eq!(written(Shape::IntOrString, json!(80)), b"\x0a\x04\x08\x00\x10\x50");
        assert_eq!(
            written(Shape::IntOrString, json!("http")),
            b"\x0a\x08\x08\x01\x1a\x04http"
        );
        assert_eq!(
            written(Shape::Time, json!("1970-01-01T00:00:05Z")),
            b"\x0a\x04\x08\x05\x10\x00"
        );
        assert_eq!(written(Shape::RawJson, json!({})), b"\x0a\x04\x0a\x02{}");
        assert_eq!(written(Shape::Text, json!(null)), b"");
        assert_eq!(written(Shape::Text, json!(5)), b"\x08\x05", "what is mistyped stays so");
        assert_eq!(written(Shape::Number, json!("five")), b"\x0a\x04five");
        let long = "x".repeat(200);
        let nested = written(Shape::One(&[(2, "a", Shape::Text)]), json!({"a": long, "unknown": 1}));
        assert_eq!(nested, [b"\x0a\xcb\x01\x12\xc8\x01", long.as_bytes()].concat());
    }
}
