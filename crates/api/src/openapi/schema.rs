//! The named schemas of the OpenAPI document, made from types that derive [`ToSchema`].

use serde_json::{Map, Value, json};
use utoipa::{
    ToSchema,
    openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type},
};

use crate::extract::parameters::{Kind, MAX_VALUE, Parameter};

/// The named schemas of a document.
#[derive(Debug, Default)]
pub(crate) struct Schemas(Map<String, Value>);

impl Schemas {
    /// Adds a type's schema and those that it refers to, and returns a reference to it.
    pub(crate) fn of<T: ToSchema>(&mut self) -> Value {
        self.add_referenced::<T>(&[]);
        self.add(&T::name(), json_of::<T>())
    }

    /// Adds the schemas that a type refers to, and returns the schema of a list of that type.
    pub(crate) fn list_of<T: ToSchema>(&mut self, description: &str) -> Value {
        let items = self.of::<T>();
        json!({"type": "array", "items": items, "description": description})
    }

    /// Adds a schema under a name, and returns a reference to it.
    pub(crate) fn add(&mut self, name: &str, schema: Value) -> Value {
        self.0.insert(name.to_owned(), schema);
        reference(name)
    }

    /// Adds the frames that a WebSocket's client or server may send, and returns a reference to
    /// their union.
    ///
    /// `T` is an enum that serde tags by `type`. Each variant becomes a schema of its own, because
    /// a discriminator (OpenAPI 3.1, "Discriminator Object") takes references only.
    pub(crate) fn frames<T: ToSchema>(&mut self) -> Value {
        let frames = self.variants::<T>();
        self.union(&T::name(), &frames)
    }

    /// Does the same as [`Schemas::frames`] for a socket that also sends frames of `U`. The schemas
    /// of those are shared by all sockets.
    pub(crate) fn frames_and<T: ToSchema, U: ToSchema>(&mut self) -> Value {
        let mut frames = self.variants::<T>();
        frames.extend(self.variants::<U>());
        self.union(&T::name(), &frames)
    }

    /// Adds each variant of an enum, and returns their tags and references.
    fn variants<T: ToSchema>(&mut self) -> Vec<(String, Value)> {
        let mut schema = json_of::<T>();
        let variants = match schema["oneOf"].take() {
            Value::Array(variants) => variants,
            _ => Vec::new(),
        };
        let referenced = referenced::<T>();
        let (mut frames, mut merged) = (Vec::new(), Vec::new());
        for variant in variants {
            let variant = merge(variant, &referenced, &mut merged);
            let tag = variant["properties"]["type"]["enum"][0].as_str().unwrap_or_default();
            let tag = tag.to_owned();
            let reference = self.add(&format!("{}{}", T::name(), capitalised(&tag)), variant);
            frames.push((tag, reference));
        }
        self.add_referenced::<T>(&merged);
        frames
    }

    fn union(&mut self, name: &str, frames: &[(String, Value)]) -> Value {
        let references: Vec<&Value> = frames.iter().map(|(_, reference)| reference).collect();
        let mapping: Map<String, Value> = frames
            .iter()
            .map(|(tag, reference)| (tag.clone(), reference["$ref"].clone()))
            .collect();
        let discriminator = json!({"propertyName": "type", "mapping": mapping});
        self.add(name, json!({"oneOf": references, "discriminator": discriminator}))
    }

    fn add_referenced<T: ToSchema>(&mut self, but: &[String]) {
        for (name, schema) in referenced::<T>() {
            if !but.contains(&name) {
                self.add(&name, schema);
            }
        }
    }

    pub(super) fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

/// Returns the schema of a parameter's value, or of the list of its values if it may be repeated.
pub(crate) fn of_parameter(parameter: &Parameter, description: Option<&str>) -> Schema {
    let value = match parameter.kind {
        Kind::Text => ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(MAX_VALUE - 1)),
        Kind::Time => ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))),
        Kind::Int { min, max } => ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(min))
            .maximum(Some(max)),
        Kind::Bool => ObjectBuilder::new().schema_type(Type::Boolean),
        Kind::OneOf(words) | Kind::Words(words) => ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(words.iter().copied())),
        Kind::WordsAndLabels(words) => ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(format!("^({}|label:[^,]+)$", words.join("|")))),
    };
    if parameter.repeatable {
        let list = ArrayBuilder::new().items(value).description(description);
        return list.max_items(parameter.most).into();
    }
    value.description(description).into()
}

/// Merges the schema of a variant that holds a struct into one object. utoipa describes it as
/// `allOf` a reference to the struct and an object with the tag.
fn merge(mut variant: Value, referenced: &[(String, Value)], merged: &mut Vec<String>) -> Value {
    let Value::Array(parts) = variant["allOf"].take() else {
        if let Some(object) = variant.as_object_mut() {
            object.remove("allOf");
        }
        return variant;
    };
    let mut whole = json!({"type": "object", "properties": {}, "required": []});
    for part in parts {
        let name = part["$ref"].as_str().and_then(|path| path.rsplit('/').next());
        let part = match referenced.iter().find(|(other, _)| Some(other.as_str()) == name) {
            Some((name, schema)) => {
                merged.push(name.clone());
                schema.clone()
            }
            None => part,
        };
        for (key, value) in part.as_object().into_iter().flatten() {
            match (&mut whole[key.as_str()], value) {
                (Value::Object(all), Value::Object(more)) => all.extend(more.clone()),
                (Value::Array(all), Value::Array(more)) => all.extend(more.iter().cloned()),
                (slot, _) => *slot = value.clone(),
            }
        }
    }
    if let Some(description) = variant.get("description") {
        whole["description"] = description.clone();
    }
    whole
}

fn json_of<T: ToSchema>() -> Value {
    serde_json::to_value(T::schema()).unwrap_or_default()
}

/// Returns the schemas that a type refers to, with their names.
fn referenced<T: ToSchema>() -> Vec<(String, Value)> {
    let mut found = Vec::new();
    T::schemas(&mut found);
    found
        .into_iter()
        .map(|(name, schema)| (name, serde_json::to_value(schema).unwrap_or_default()))
        .collect()
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
