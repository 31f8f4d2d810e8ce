//! Schemas: of our own types through utoipa, of others by hand.

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// The named schemas of a document.
#[derive(Debug, Default)]
pub(super) struct Schemas(Map<String, Value>);

impl Schemas {
    /// A reference to a type's schema, which is added with all that it names.
    pub(super) fn of<T: ToSchema>(&mut self) -> Value {
        let mut found = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut found);
        for (name, schema) in found {
            if let Ok(schema) = serde_json::to_value(schema) {
                self.add(&name, schema);
            }
        }
        reference(&T::name())
    }

    /// A reference to a schema that is added under a name.
    pub(super) fn add(&mut self, name: &str, schema: Value) -> Value {
        self.0.insert(name.to_owned(), schema);
        reference(name)
    }

    pub(super) fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// An object with these properties, all of them required.
pub(super) fn object<const N: usize>(description: &str, properties: [(&str, Value); N]) -> Value {
    let required: Vec<&str> = properties.iter().map(|(name, _)| *name).collect();
    let mut schema = open_object(description, properties);
    schema["required"] = json!(required);
    if let Some(object) = schema.as_object_mut() {
        object.remove("additionalProperties");
    }
    schema
}

/// An object with these properties, none of them required, and others.
pub(super) fn open_object<const N: usize>(description: &str, properties: [(&str, Value); N]) -> Value {
    let properties: Map<String, Value> = properties
        .into_iter()
        .map(|(name, schema)| (name.to_owned(), schema))
        .collect();
    json!({"type": "object", "description": description, "properties": properties, "additionalProperties": true})
}

/// A text.
pub(super) fn text(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

/// A time, or an empty text.
pub(super) fn time(description: &str) -> Value {
    json!({"type": "string", "description": format!("{description} RFC 3339 in UTC.")})
}

/// A whole number from 0.
pub(super) fn count(description: &str) -> Value {
    json!({"type": "integer", "minimum": 0, "description": description})
}

/// Yes or no.
pub(super) fn flag(description: &str) -> Value {
    json!({"type": "boolean", "description": description})
}

/// A list.
pub(super) fn list(items: Value, description: &str) -> Value {
    json!({"type": "array", "items": items, "description": description})
}
