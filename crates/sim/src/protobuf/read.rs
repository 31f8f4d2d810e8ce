//! Reads the few request bodies that kubectl sends as protobuf and nothing else.

use serde_json::{Map, Value};

use super::{MAGIC, Message, Shape};

const RESOURCE: Shape = Shape::One(&[
    (1, "namespace", Shape::Text),
    (2, "verb", Shape::Text),
    (3, "group", Shape::Text),
    (4, "version", Shape::Text),
    (5, "resource", Shape::Text),
    (6, "subresource", Shape::Text),
    (7, "name", Shape::Text),
]);
const PATH: Shape = Shape::One(&[(1, "path", Shape::Text), (2, "verb", Shape::Text)]);
const SELF_ACCESS: Message = &[(
    2,
    "spec",
    Shape::One(&[(1, "resourceAttributes", RESOURCE), (2, "nonResourceAttributes", PATH)]),
)];
const ACCESS: Message = &[(
    2,
    "spec",
    Shape::One(&[
        (1, "resourceAttributes", RESOURCE),
        (2, "nonResourceAttributes", PATH),
        (3, "user", Shape::Text),
        (4, "groups", Shape::Texts),
    ]),
)];
const RULES: Message = &[(2, "spec", Shape::One(&[(1, "namespace", Shape::Text)]))];
const DELETE: Message = &[
    (1, "gracePeriodSeconds", Shape::Number),
    (
        2,
        "preconditions",
        Shape::One(&[(1, "uid", Shape::Text), (2, "resourceVersion", Shape::Text)]),
    ),
    (4, "propagationPolicy", Shape::Text),
    (5, "dryRun", Shape::Texts),
];
const NAMESPACE: Message = &[(1, "metadata", Shape::One(&[(1, "name", Shape::Text)]))];
const UNKNOWN: Message = &[
    (
        1,
        "type",
        Shape::One(&[(1, "apiVersion", Shape::Text), (2, "kind", Shape::Text)]),
    ),
    (2, "raw", Shape::Text),
];

/// Reads an object of this kind; nothing when the bytes are none, or of another kind.
pub(crate) fn decode(kind: &str, bytes: &[u8]) -> Option<Value> {
    let message = match kind {
        "SelfSubjectAccessReview" => SELF_ACCESS,
        "SubjectAccessReview" | "LocalSubjectAccessReview" => ACCESS,
        "SelfSubjectRulesReview" => RULES,
        "SelfSubjectReview" => &[],
        "DeleteOptions" => DELETE,
        "Namespace" => NAMESPACE,
        _ => return None,
    };
    let unknown = bytes.strip_prefix(MAGIC)?;
    let envelope = read(UNKNOWN, unknown)?;
    let given = envelope.pointer("/type/kind").and_then(Value::as_str)?;
    if given != kind {
        return None;
    }
    let raw = fields(unknown)?.into_iter().find_map(|(number, field)| match field {
        Field::Bytes(raw) if number == 2 => Some(raw),
        _ => None,
    });
    let mut object = read(message, raw.unwrap_or_default())?;
    object.as_object_mut()?.insert("kind".to_owned(), kind.into());
    Some(object)
}

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message in order; nothing when it is cut off or uses groups.
fn fields(mut bytes: &[u8]) -> Option<Vec<(u64, Field<'_>)>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let field = match tag & 7 {
            0 => Field::Number(varint(&mut bytes)?),
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                Field::Bytes(take(&mut bytes, length)?)
            }
            1 => Field::Bytes(take(&mut bytes, 8)?),
            5 => Field::Bytes(take(&mut bytes, 4)?),
            _ => return None,
        };
        fields.push((tag >> 3, field));
    }
    Some(fields)
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = *take(bytes, 1)?.first()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

fn read(message: Message, bytes: &[u8]) -> Option<Value> {
    let mut object = Map::new();
    for (number, field) in fields(bytes)? {
        let Some((_, name, shape)) = message.iter().find(|(known, ..)| *known == number) else {
            continue;
        };
        let text = |bytes: &[u8]| Value::from(String::from_utf8_lossy(bytes).into_owned());
        let value = match (shape, field) {
            (Shape::Text, Field::Bytes(bytes)) => text(bytes),
            (Shape::Texts, Field::Bytes(bytes)) => {
                let mut texts = object
                    .remove(*name)
                    .and_then(|texts| texts.as_array().cloned())
                    .unwrap_or_default();
                texts.push(text(bytes));
                texts.into()
            }
            // An int64 is written as its two's complement.
            (Shape::Number, Field::Number(number)) => i64::from_le_bytes(number.to_le_bytes()).into(),
            (Shape::One(message), Field::Bytes(bytes)) => read(message, bytes)?,
            // The bodies above have no others.
            _ => return None,
        };
        object.insert((*name).to_owned(), value);
    }
    Some(object.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use serde_json::json;

    use super::*;

    /// A field of text or of a message.
    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat()
    }

    fn object(kind: &str, raw: &[u8]) -> Vec<u8> {
        let meta = [field(1, b"v1"), field(2, kind.as_bytes())].concat();
        [MAGIC, &field(1, &meta), &field(2, raw)].concat()
    }

    #[test]
    fn reviews_and_delete_options_are_read() {
        let attributes = [
            field(1, b"shop"),
            field(2, b"list"),
            field(5, b"pods"),
            field(9, b"unknown"),
        ]
        .concat();
        let spec = [
            field(1, &attributes),
            field(3, b"alice"),
            field(4, b"a"),
            field(4, b"b"),
        ]
        .concat();
        let review = object("SubjectAccessReview", &field(2, &spec));
        assert_eq!(
            decode("SubjectAccessReview", &review),
            Some(json!({"kind": "SubjectAccessReview", "spec": {"user": "alice",
            "groups": ["a", "b"], "resourceAttributes": {"namespace": "shop", "verb": "list", "resource": "pods"}}}))
        );
        let options = object("DeleteOptions", &[&[8, 0xac, 2], field(5, b"All").as_slice()].concat());
        assert_eq!(
            decode("DeleteOptions", &options),
            Some(json!({"kind": "DeleteOptions", "gracePeriodSeconds": 300, "dryRun": ["All"]}))
        );
    }

    #[test]
    fn what_is_no_such_object_is_nothing() {
        let review = object("SelfSubjectReview", &[]);
        assert!(decode("SelfSubjectReview", &review).is_some());
        assert!(decode("DeleteOptions", &review).is_none());
        for end in 0..review.len() - 3 {
            assert!(decode("SelfSubjectReview", &review[..end]).is_none(), "{end}");
        }
        assert!(decode("DeleteOptions", &object("DeleteOptions", &[8, 0xff])).is_none());
    }
}
