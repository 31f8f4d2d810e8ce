//! Stored Kubernetes objects, in serialised form, with the fields that selectors use.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::protobuf::Encoded;
use crate::shared_json::{Draft, SharedJson};

/// The kinds of objects that the cluster stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Pod,
    Namespace,
    Node,
    Event,
}

impl Kind {
    /// Every kind, in the order of `Kind as usize`.
    pub(crate) const ALL: [Kind; 4] = [Kind::Pod, Kind::Namespace, Kind::Node, Kind::Event];

    /// Returns the kind of this name, such as `Pod`.
    pub(crate) fn from_name(name: &str) -> Option<Kind> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Returns the kind of this plural, such as `pods`.
    pub(crate) fn from_plural(plural: &str) -> Option<Kind> {
        Self::ALL.into_iter().find(|kind| kind.plural() == plural)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Pod => "Pod",
            Kind::Namespace => "Namespace",
            Kind::Node => "Node",
            Kind::Event => "Event",
        }
    }

    pub(crate) fn plural(self) -> &'static str {
        match self {
            Kind::Pod => "pods",
            Kind::Namespace => "namespaces",
            Kind::Node => "nodes",
            Kind::Event => "events",
        }
    }

    /// Returns whether objects of this kind live in a namespace.
    pub(crate) fn namespaced(self) -> bool {
        matches!(self, Kind::Pod | Kind::Event)
    }
}

/// A stored object. It is never changed, only replaced.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) kind: Kind,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) version: u64,
    pub(crate) labels: BTreeMap<String, String>,
    /// The values of the fields that a field selector may name.
    pub(crate) fields: Vec<(&'static str, String)>,
    /// The JSON without `apiVersion` and `kind`, as in the items of a list.
    body: SharedJson,
    /// The protobuf message; only for pods.
    protobuf: Option<Encoded>,
}

impl Object {
    /// Serialises an object and sets its version. Its `metadata` must have a name and a UID.
    pub(crate) fn new(kind: Kind, draft: impl Into<Draft>, version: u64) -> Object {
        let mut draft = draft.into();
        let value = &mut draft.value;
        if let Some(object) = value.as_object_mut() {
            object.remove("apiVersion");
            object.remove("kind");
            metadata_mut(object).insert("resourceVersion".to_owned(), Value::String(version.to_string()));
        }
        let text = |pointer: &str| {
            value
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let labels = value
            .pointer("/metadata/labels")
            .and_then(Value::as_object)
            .map(|labels| {
                labels
                    .iter()
                    .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
                    .collect()
            });
        Object {
            kind,
            namespace: text("/metadata/namespace"),
            name: text("/metadata/name"),
            uid: text("/metadata/uid"),
            version,
            labels: labels.unwrap_or_default(),
            fields: fields(kind, value),
            body: SharedJson::new(&draft),
            protobuf: (kind == Kind::Pod).then(|| Encoded::new(&draft)),
        }
    }

    /// Appends the JSON as an item of a list, that is, without `apiVersion` and `kind`.
    pub(crate) fn append_item(&self, list: &mut Vec<u8>) {
        self.body.append_to(list);
    }

    /// Returns the protobuf message; only for pods.
    pub(crate) fn protobuf(&self) -> Option<&Encoded> {
        self.protobuf.as_ref()
    }

    /// Returns the JSON with `apiVersion` and `kind`.
    pub(crate) fn json(&self) -> Vec<u8> {
        let kind = format!(r#"{{"kind":"{}","apiVersion":"v1","#, self.kind.name());
        // `kind`, which ends with a comma, replaces the body's opening brace.
        let mut json = Vec::with_capacity(kind.len() + self.body.len());
        self.body.append_to(&mut json);
        json.splice(0..1, kind.into_bytes());
        json
    }

    /// Returns the object as a value, with `apiVersion` and `kind`.
    pub(crate) fn value(&self) -> Value {
        serde_json::from_slice(&self.json()).unwrap_or_default()
    }
}

/// Returns the metadata of an object. Adds it if it is missing, and replaces it if it is not an
/// object.
pub(crate) fn metadata_mut(object: &mut Map<String, Value>) -> &mut Map<String, Value> {
    let metadata = object.entry("metadata").or_insert(Value::Null);
    if !metadata.is_object() {
        *metadata = Value::Object(Map::new());
    }
    match metadata {
        Value::Object(map) => map,
        _ => unreachable!("it was just made an object"),
    }
}

/// Returns the fields that field selectors may name, as each kind's strategy in Kubernetes lists
/// them.
fn fields(kind: Kind, value: &Value) -> Vec<(&'static str, String)> {
    let named: &[(&'static str, &str)] = match kind {
        Kind::Pod => &[
            ("spec.nodeName", "/spec/nodeName"),
            ("spec.restartPolicy", "/spec/restartPolicy"),
            ("spec.schedulerName", "/spec/schedulerName"),
            ("spec.serviceAccountName", "/spec/serviceAccountName"),
            ("spec.hostNetwork", "/spec/hostNetwork"),
            ("status.phase", "/status/phase"),
            ("status.podIP", "/status/podIP"),
            ("status.nominatedNodeName", "/status/nominatedNodeName"),
        ],
        Kind::Namespace => &[("status.phase", "/status/phase")],
        Kind::Node => &[("spec.unschedulable", "/spec/unschedulable")],
        Kind::Event => &[
            ("involvedObject.kind", "/involvedObject/kind"),
            ("involvedObject.namespace", "/involvedObject/namespace"),
            ("involvedObject.name", "/involvedObject/name"),
            ("involvedObject.uid", "/involvedObject/uid"),
            ("involvedObject.apiVersion", "/involvedObject/apiVersion"),
            ("involvedObject.resourceVersion", "/involvedObject/resourceVersion"),
            ("involvedObject.fieldPath", "/involvedObject/fieldPath"),
            ("reason", "/reason"),
            ("reportingComponent", "/reportingComponent"),
            ("source", "/source/component"),
            ("type", "/type"),
        ],
    };
    let own = [
        ("metadata.name", "/metadata/name"),
        ("metadata.namespace", "/metadata/namespace"),
    ];
    let own = own
        .into_iter()
        .filter(|(field, _)| kind.namespaced() || *field == "metadata.name");
    own.chain(named.iter().copied())
        .map(|(field, pointer)| {
            let text = match value.pointer(pointer) {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Bool(on)) => on.to_string(),
                _ if matches!(field, "spec.hostNetwork" | "spec.unschedulable") => "false".to_owned(),
                _ => String::new(),
            };
            (field, text)
        })
        .collect()
}
