//! The entries of a kubeconfig. Each is checked separately, so an unusable entry affects only the
//! contexts that name it.
//!
//! client-go (`clientcmd/api/v1`) refuses the whole file for one invalid entry. Here the contexts
//! of a file are independent clusters.

use serde_json::{Map, Value};

use super::quote;
use super::{InvalidSource, base64, yaml};

/// The lists of named entries in a kubeconfig.
#[derive(Clone, Debug, Default)]
pub(super) struct Kubeconfig {
    clusters: Vec<Entry>,
    users: Vec<Entry>,
    contexts: Vec<Entry>,
    /// `current-context`, or empty.
    pub(super) current: String,
    /// The number of contexts without a name, which are skipped.
    pub(super) nameless: usize,
    /// Whether another YAML document follows.
    pub(super) more: bool,
}

/// An entry of one of the lists.
#[derive(Clone, Debug)]
struct Entry {
    name: String,
    /// Its fields, or why they can't be used.
    fields: Result<Map<String, Value>, String>,
}

/// The fields of one entry or of a mapping in it, with its name for messages, such as "user
/// `admin`".
#[derive(Clone, Debug)]
pub(super) struct Fields<'a> {
    of: &'a Map<String, Value>,
    pub(super) what: String,
}

impl Kubeconfig {
    /// Reads YAML or JSON as kubectl does. Only the first document counts.
    ///
    /// # Errors
    /// [`InvalidSource`] for a text that is not a kubeconfig. The error quotes none of its values.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidSource> {
        let document = yaml::read(text).map_err(|malformed| InvalidSource(malformed.to_string()))?;
        Ok(Self {
            more: document.more,
            ..Self::from_value(document.value)?
        })
    }

    /// Reads a kubeconfig from parsed YAML or JSON.
    ///
    /// # Errors
    /// As [`Kubeconfig::parse`].
    pub(super) fn from_value(value: Value) -> Result<Self, InvalidSource> {
        let root = match value {
            Value::Null => Map::new(),
            Value::Object(root) => root,
            other => return Err(InvalidSource(format!("it is {}, not a mapping", kind(&other)))),
        };
        for (field, expected) in [("kind", "Config"), ("apiVersion", "v1")] {
            if let Some(value) = root
                .get(field)
                .filter(|value| !value.is_null() && *value != "" && *value != expected)
            {
                let given = value
                    .as_str()
                    .map_or_else(|| kind(value).to_owned(), |text| format!("`{}`", quote(text)));
                return Err(InvalidSource(format!("its `{field}` is {given}, not `{expected}`")));
            }
        }
        let current = match root.get("current-context") {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(name)) => name.clone(),
            Some(other) => {
                return Err(InvalidSource(format!(
                    "its `current-context` is {}, not a text",
                    kind(other)
                )));
            }
        };
        let contexts = entries(&root, "contexts", "context")?;
        let named = |entry: &Entry| !entry.name.is_empty();
        Ok(Self {
            clusters: entries(&root, "clusters", "cluster")?,
            users: entries(&root, "users", "user")?,
            nameless: contexts.iter().filter(|entry| !named(entry)).count(),
            contexts: contexts.into_iter().filter(named).collect(),
            current,
            more: false,
        })
    }

    /// Returns the distinct names of the contexts, in the file's order.
    pub(super) fn contexts(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::with_capacity(self.contexts.len());
        let mut seen = std::collections::HashSet::new();
        for entry in &self.contexts {
            if seen.insert(entry.name.as_str()) {
                names.push(&entry.name);
            }
        }
        names
    }

    /// Returns the context with a name.
    pub(super) fn context(&self, name: &str) -> Result<Option<Fields<'_>>, InvalidSource> {
        find(&self.contexts, "context", name)
    }

    /// Returns the cluster with a name.
    pub(super) fn cluster(&self, name: &str) -> Result<Option<Fields<'_>>, InvalidSource> {
        find(&self.clusters, "cluster", name)
    }

    /// Returns the user with a name.
    pub(super) fn user(&self, name: &str) -> Result<Option<Fields<'_>>, InvalidSource> {
        find(&self.users, "user", name)
    }
}

fn find<'a>(entries: &'a [Entry], kind: &str, name: &str) -> Result<Option<Fields<'a>>, InvalidSource> {
    let what = format!("{kind} `{}`", quote(name));
    let mut found = entries.iter().filter(|entry| entry.name == name);
    let Some(entry) = found.next() else { return Ok(None) };
    if found.next().is_some() {
        return Err(InvalidSource(format!(
            "the file has two {kind}s named `{}`: rename or remove one",
            quote(name)
        )));
    }
    match &entry.fields {
        Ok(of) => Ok(Some(Fields { of, what })),
        Err(why) => Err(InvalidSource(format!("{what} {why}"))),
    }
}

/// Reads the entries of a list. An entry that is not a mapping gets an empty name, so nothing can
/// refer to it.
fn entries(root: &Map<String, Value>, list: &str, field: &str) -> Result<Vec<Entry>, InvalidSource> {
    let items = match root.get(list) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(other) => return Err(InvalidSource(format!("its `{list}` is {}, not a list", kind(other)))),
    };
    let entry = |item: &Value| {
        let fields = match item.get(field) {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(fields)) => Ok(fields.clone()),
            Some(other) => Err(format!("is {}, not a mapping", kind(other))),
        };
        match item.get("name") {
            None | Some(Value::Null) => Entry {
                name: String::new(),
                fields,
            },
            Some(Value::String(name)) => Entry {
                name: name.clone(),
                fields,
            },
            Some(other) => Entry {
                name: other.to_string(),
                fields: Err(format!("has {} for its `name`: put it in quotes", kind(other))),
            },
        }
    };
    Ok(items.iter().map(entry).collect())
}

impl<'a> Fields<'a> {
    /// Returns a field that must be a text; `None` if it is absent, null or empty.
    pub(super) fn text(&self, field: &str) -> Result<Option<&'a str>, InvalidSource> {
        match self.of.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(other) => Err(self.wrong(field, other, "a text")),
        }
    }

    /// Returns the bytes of a field that must be base64; `None` if it is absent, null or empty.
    pub(super) fn data(&self, field: &str) -> Result<Option<Vec<u8>>, InvalidSource> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        let bytes = base64::decode(text).ok_or_else(|| {
            InvalidSource(format!(
                "`{field}` of {} is not base64: check that it is whole",
                self.what
            ))
        })?;
        Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }

    /// Returns a field that must be a boolean; false if it is absent or null.
    pub(super) fn flag(&self, field: &str) -> Result<bool, InvalidSource> {
        match self.of.get(field) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(self.wrong(field, other, "true or false without quotes")),
        }
    }

    /// Returns the items of a field that must be a list; empty if it is absent or null.
    pub(super) fn list(&self, field: &str) -> Result<&'a [Value], InvalidSource> {
        match self.of.get(field) {
            None | Some(Value::Null) => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            Some(other) => Err(self.wrong(field, other, "a list")),
        }
    }

    /// Returns a field that must be a list of texts; empty if it is absent or null.
    pub(super) fn texts(&self, field: &str) -> Result<Vec<String>, InvalidSource> {
        let text = |item: &Value| match item {
            Value::String(text) => Ok(text.clone()),
            Value::Null => Ok(String::new()),
            other => Err(self.wrong(field, other, "a list of texts")),
        };
        self.list(field)?.iter().map(text).collect()
    }

    /// Returns a field that must be a mapping; `None` if it is absent or null.
    pub(super) fn mapping(&self, field: &str) -> Result<Option<Fields<'a>>, InvalidSource> {
        match self.of.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(of)) => Ok(Some(Fields {
                of,
                what: format!("`{field}` of {}", self.what),
            })),
            Some(other) => Err(self.wrong(field, other, "a mapping")),
        }
    }

    /// Returns an item of the list `field`, which must be a mapping.
    pub(super) fn item(&self, field: &str, item: &'a Value) -> Result<Fields<'a>, InvalidSource> {
        match item {
            Value::Object(of) => Ok(Fields {
                of,
                what: format!("`{field}` of {}", self.what),
            }),
            other => Err(self.wrong(field, other, "a list of mappings")),
        }
    }

    /// Returns the names of the fields.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a String> + use<'a> {
        self.of.keys()
    }

    /// Returns a field as it is; `None` if it is absent or null.
    pub(super) fn raw(&self, field: &str) -> Option<&'a Value> {
        self.of.get(field).filter(|value| !value.is_null())
    }

    fn wrong(&self, field: &str, value: &Value, expected: &str) -> InvalidSource {
        let quotes = match (expected, value) {
            ("a text", Value::Number(_) | Value::Bool(_)) => ": put it in quotes",
            _ => "",
        };
        InvalidSource(format!(
            "`{field}` of {} is {}, not {expected}{quotes}",
            self.what,
            kind(value)
        ))
    }
}

/// Returns the kind of a value, for messages, which must not quote the value: it may be a
/// credential.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}
