//! The documents that are made from the table of routes: all routes are in them, and the checked-in copies are current.

use std::path::PathBuf;

use podgate_api::{openapi, routes, routing::Shape};
use serde_json::Value;

/// Set this to write the files anew.
const UPDATE: &str = "PODGATE_UPDATE_DOCS";

/// Compares a checked-in file with what it should be.
fn current(name: &str, wanted: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&path, wanted).unwrap();
        return;
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/{name} is not current: run `{UPDATE}=1 cargo test --workspace --test api documents` and look at the difference"
    );
}

#[test]
fn the_list_of_routes_is_current() {
    current("routes.txt", &routes::text());
}

#[test]
fn the_openapi_document_is_current() {
    let mut text = serde_json::to_string_pretty(&openapi::document("")).unwrap();
    text.push('\n');
    current("openapi.json", &text);
}

#[test]
fn every_route_is_in_the_openapi_document_with_its_parameters_and_errors() {
    let document = openapi::document("");
    for route in routes::table() {
        let method = route.method.as_str().to_ascii_lowercase();
        let operation = &document["paths"][route.path][&method];
        assert!(
            operation["summary"].is_string(),
            "{method} {} is not described",
            route.path
        );
        for parameter in route.parameters {
            let described = operation["parameters"].as_array().unwrap();
            let found = described
                .iter()
                .any(|other| other["name"] == parameter.name && other["in"] == "query");
            assert!(found, "{method} {}: {}", route.path, parameter.name);
        }
        assert_eq!(
            operation["requestBody"].is_object(),
            route.body,
            "{method} {}",
            route.path
        );
        assert_eq!(
            operation["x-websocket"].is_object(),
            route.shape == Shape::WebSocket,
            "{method} {}",
            route.path
        );
        assert_eq!(
            operation["responses"]["401"].is_object() || route.action.is_none(),
            true,
            "{method} {}",
            route.path
        );
    }
}

#[test]
fn operation_ids_are_unique_and_references_lead_somewhere() {
    let document = openapi::document("/podgate");
    assert_eq!(document["servers"][0]["url"], "/podgate");
    let mut ids: Vec<&str> = Vec::new();
    for item in document["paths"].as_object().unwrap().values() {
        ids.extend(
            item.as_object()
                .unwrap()
                .values()
                .map(|operation| operation["operationId"].as_str().unwrap()),
        );
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
    resolve(&document, &document);
}

fn resolve(document: &Value, value: &Value) {
    match value {
        Value::Object(object) => {
            if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
                let pointer = reference.trim_start_matches('#');
                assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
            }
            object.values().for_each(|inner| resolve(document, inner));
        }
        Value::Array(items) => items.iter().for_each(|inner| resolve(document, inner)),
        _ => {}
    }
}
