//! The JSON of stored objects, in pieces. Equal pieces are kept only once.
//!
//! The pods of a Deployment, for example, have their containers, volumes and managed fields in
//! common.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use serde_json::Value;

/// The size in bytes from which on a value's JSON is shared.
const WORTH_SHARING: usize = 256;

/// An object to store, with the parts that are already serialised.
pub(crate) struct Draft {
    pub(crate) value: Value,
    pub(crate) shared: Vec<SharedField>,
}

/// The field `section.key` as JSON, and for a pod also as protobuf. It replaces the field in the
/// value.
#[derive(Clone)]
pub(crate) struct SharedField {
    pub(crate) section: &'static str,
    pub(crate) key: &'static str,
    pub(crate) text: Arc<[u8]>,
    pub(crate) protobuf: Arc<[u8]>,
}

impl From<Value> for Draft {
    fn from(value: Value) -> Draft {
        Draft {
            value,
            shared: Vec::new(),
        }
    }
}

/// A JSON text in pieces.
#[derive(Debug)]
pub(crate) struct SharedJson(Box<[Arc<[u8]>]>);

impl SharedJson {
    /// Serialises an object. Nothing of the status is shared, because it changes often.
    pub(crate) fn new(draft: &Draft) -> SharedJson {
        let mut pieces = Writer::default();
        let known = |section: &str, key: &str| draft.shared.iter().find(|it| it.section == section && it.key == key);
        match draft.value.as_object() {
            None => pieces.add(&draft.value),
            Some(sections) => pieces.object(sections, |pieces, name, section| match section.as_object() {
                Some(entries) if name != "status" => {
                    pieces.object(entries, |pieces, key, entry| match known(name, key) {
                        Some(shared) => pieces.push(shared.text.clone()),
                        None => pieces.share(entry),
                    });
                }
                _ => pieces.add(section),
            }),
        }
        pieces.flush();
        SharedJson(pieces.done.into())
    }

    /// Appends the whole text.
    pub(crate) fn append_to(&self, text: &mut Vec<u8>) {
        text.reserve(self.len());
        for piece in &self.0 {
            text.extend_from_slice(piece);
        }
    }

    /// Returns the number of bytes of the whole text.
    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(|piece| piece.len()).sum()
    }
}

#[derive(Default)]
struct Writer {
    done: Vec<Arc<[u8]>>,
    open: Vec<u8>,
}

impl Writer {
    fn add(&mut self, value: &Value) {
        self.open.extend_from_slice(value.to_string().as_bytes());
    }

    fn object(&mut self, entries: &serde_json::Map<String, Value>, each: impl Fn(&mut Writer, &str, &Value)) {
        let mut before = b'{';
        for (name, value) in entries {
            self.open.push(before);
            self.open
                .extend_from_slice(Value::from(name.as_str()).to_string().as_bytes());
            self.open.push(b':');
            each(self, name, value);
            before = b',';
        }
        if entries.is_empty() {
            self.open.push(before);
        }
        self.open.push(b'}');
    }

    fn share(&mut self, value: &Value) {
        let text = value.to_string();
        if text.len() < WORTH_SHARING {
            self.open.extend_from_slice(text.as_bytes());
        } else {
            self.push(intern(text.as_bytes()));
        }
    }

    fn push(&mut self, text: Arc<[u8]>) {
        self.flush();
        self.done.push(text);
    }

    /// Ends the current piece.
    fn flush(&mut self) {
        if !self.open.is_empty() {
            self.done.push(self.open.as_slice().into());
            self.open.clear();
        }
    }
}

/// Weak references to the shared texts, by hash.
#[derive(Default)]
struct Known {
    texts: HashMap<u64, Vec<Weak<[u8]>>>,
    /// The number of hashes at which unused texts are removed next.
    sweep_at: usize,
}

/// Returns the copy of these bytes that all clusters of this process share.
pub(crate) fn intern(text: &[u8]) -> Arc<[u8]> {
    static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let same = known.texts.entry(hasher.finish()).or_default();
    if let Some(found) = same.iter().filter_map(Weak::upgrade).find(|found| **found == *text) {
        return found;
    }
    let new: Arc<[u8]> = text.into();
    same.push(Arc::downgrade(&new));
    if known.texts.len() > known.sweep_at {
        known.texts.retain(|_, same| {
            same.retain(|text| text.strong_count() > 0);
            !same.is_empty()
        });
        known.sweep_at = 1024.max(known.texts.len() * 2);
    }
    new
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use serde_json::json;

    #[test]
    fn the_text_is_the_same_as_in_one_piece() {
        let long = "é".repeat(1000);
        for value in [
            json!({}),
            json!({"metadata": {}, "spec": {"a": 1}, "status": {"long": long}}),
            json!({"metadata": {"name": "x", "annotations": {"long\"key": long}}, "spec": {"containers": [{"image": long}], "x": null}}),
            json!({"data": [1, 2], "type": "Normal"}),
            json!("no object"),
        ] {
            let (pieces, mut text) = (SharedJson::new(&value.clone().into()), Vec::new());
            pieces.append_to(&mut text);
            assert_eq!(String::from_utf8(text).unwrap(), value.to_string());
        }
    }

    #[test]
    fn a_serialised_field_replaces_the_value() {
        let text: Arc<[u8]> = Arc::from(&b"[\"given\"]"[..]);
        let draft = Draft {
            value: json!({"metadata": {"name": "x"}, "spec": {"a": 1, "containers": null, "z": 2}}),
            shared: vec![SharedField {
                section: "spec",
                key: "containers",
                text,
                protobuf: Arc::default(),
            }],
        };
        let mut whole = Vec::new();
        SharedJson::new(&draft).append_to(&mut whole);
        assert_eq!(
            String::from_utf8(whole).unwrap(),
            r#"{"metadata":{"name":"x"},"spec":{"a":1,"containers":["given"],"z":2}}"#
        );
    }

    #[test]
    fn equal_large_parts_are_kept_once() {
        let long = "container ".repeat(100);
        let pod = |name: &str| {
            SharedJson::new(&json!({"metadata": {"name": name}, "spec": {"containers": [{"args": long}]}}).into())
        };
        let (one, two) = (pod("one"), pod("two"));
        let common = one
            .0
            .iter()
            .filter(|piece| two.0.iter().any(|other| Arc::ptr_eq(piece, other)));
        assert!(common.map(|piece| piece.len()).sum::<usize>() > 1000);
    }
}
