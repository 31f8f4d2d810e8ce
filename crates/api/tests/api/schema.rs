//! The part of JSON Schema that the OpenAPI document uses, to compare real answers with what it
//! says of them.

use serde_json::{Value, json};

/// Panics where a value is not what a schema says; a property that the schema does not name is
/// wrong too, unless it admits others.
pub(crate) fn check(document: &Value, schema: &Value, value: &Value, at: &str) {
    if let Err(problem) = matches(document, schema, value, at) {
        panic!("{problem}");
    }
}

fn matches(document: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let named = document
            .pointer(reference.trim_start_matches('#'))
            .ok_or(format!("{reference} leads nowhere"))?;
        return matches(document, named, value, at);
    }
    if schema.get("allOf").is_some() {
        return matches(document, &joined(document, schema)?, value, at);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let tried: Vec<_> = choices
            .iter()
            .map(|choice| matches(document, choice, value, at))
            .collect();
        return if tried.iter().any(Result::is_ok) {
            Ok(())
        } else {
            Err(format!("{at}: none of {tried:?}"))
        };
    }
    if let Some(constant) = schema.get("const")
        && constant != value
    {
        return Err(format!("{at}: {value} is not {constant}"));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        return Err(format!("{at}: {value} is none of {words:?}"));
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind.as_str()],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => return Ok(()),
    };
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if !kinds.contains(&found) {
        return Err(format!("{at}: {value} is not {kinds:?}"));
    }
    match value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| matches(document, &schema["items"], item, &format!("{at}[{index}]"))),
        Value::Object(_) => object(document, schema, value, at),
        _ => Ok(()),
    }
}

/// Returns the object that has the properties of all parts of an `allOf`.
fn joined(document: &Value, schema: &Value) -> Result<Value, String> {
    let mut whole = json!({"type": "object", "properties": {}, "required": []});
    for part in schema["allOf"].as_array().into_iter().flatten() {
        let part = match part["$ref"].as_str() {
            Some(reference) => document.pointer(reference.trim_start_matches('#')),
            None => Some(part),
        };
        let part = part.ok_or(format!("a part of {schema} leads nowhere"))?;
        let properties = whole["properties"].as_object_mut().unwrap();
        properties.extend(part["properties"].as_object().cloned().unwrap_or_default());
        let required = whole["required"].as_array_mut().unwrap();
        required.extend(part["required"].as_array().cloned().unwrap_or_default());
    }
    Ok(whole)
}

fn object(document: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    for name in schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        if value.get(name).is_none() {
            return Err(format!("{at}.{name} is missing"));
        }
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        let at = format!("{at}.{name}");
        match (schema["properties"].get(name), schema.get("additionalProperties")) {
            (Some(property), _) => matches(document, property, inner, &at)?,
            (None, Some(Value::Bool(true))) => {}
            (None, Some(others)) if others.is_object() => matches(document, others, inner, &at)?,
            (None, _) if schema.get("properties").is_none() => {}
            (None, _) => return Err(format!("{at} is not in the document")),
        }
    }
    Ok(())
}
