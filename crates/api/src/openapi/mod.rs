//! `GET /api/openapi.json`: the description of the API in OpenAPI 3.1.
//!
//! It is made from the table of routes, whose rows come from the handlers' arguments and from the
//! [`operation::Operation`] at each handler.

pub(crate) mod operation;
pub(crate) mod schema;

use axum::{
    extract::State as Extract,
    response::{IntoResponse, Response},
};
use http::header;
use serde_json::{Map, Value, json};

use self::{
    operation::{Operation, Success},
    schema::{Schemas, of_parameter},
};
use crate::{
    State,
    error::CODES,
    extract::parameters::{Kind, Parameter},
    route::{Route, Shape},
};

const DESCRIPTION: &str = "Fast, safe access to pods on many Kubernetes clusters.\n\n\
    A JSON answer is an envelope `{code, message, data}`. On failure `code` is the HTTP status × 1000 + n, `data` is null, and `message` is a sentence that \
    names the offending thing and, where there is one, the remedy. An empty optional parameter is an absent one; an unknown one is refused. Times are RFC 3339 in \
    UTC. Every answer carries `X-Request-Id`.\n\n\
    WebSockets are described as GET routes that answer 101, with their frames under `x-websocket`. A missing credential or a foreign origin is refused by HTTP before \
    the upgrade; everything later upgrades, sends an `error` frame and closes with 4000 + HTTP status. Revoked: 4401. Server shutting down: 1001. Normal end: 1000.";

pub(crate) const GET: Operation = Operation::new(
    "process.openapi",
    "This document.",
    Success::Bare(|_| json!({"type": "object"})),
);

/// `GET /api/openapi.json`. The document is built once, because that takes milliseconds and anyone
/// may ask for it.
pub(crate) async fn get(Extract(state): Extract<State>) -> Response {
    let document = state.openapi(|| {
        document(&state.options().base_path, state.routes().routes())
            .to_string()
            .into()
    });
    ([(header::CONTENT_TYPE, "application/json")], document).into_response()
}

/// Builds the document for a server under a base path, which is empty for the root.
pub fn document(base: &str, routes: &[Route]) -> Value {
    let mut schemas = Schemas::default();
    let mut paths = Map::new();
    for route in routes.iter().filter(|route| route.shape != Shape::Page) {
        let item = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(item) = item.as_object_mut() {
            item.insert(
                route.method.as_str().to_ascii_lowercase(),
                describe(route, &mut schemas),
            );
        }
    }
    schemas.add("Error", error_schema());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Podgate",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": if base.is_empty() { "/" } else { base }}],
        "security": [{"bearer": []}, {"cookie": []}],
        "paths": paths,
        "components": {
            "responses": WITHOUT_BODY
                .iter()
                .map(|(_, name, meaning)| ((*name).to_owned(), json!({"description": meaning})))
                .collect::<Map<_, _>>(),
            "schemas": schemas.into_value(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "The `token` that a log-in returns."},
                "cookie": {"type": "apiKey", "in": "cookie", "name": crate::extract::auth::COOKIE, "description": "Set for browsers by a log-in. Over https its name is `__Host-podgate_session`, or `__Secure-podgate_session` under a base path."},
                "ticket": {
                    "type": "apiKey",
                    "in": "query",
                    "name": "ticket",
                    "description": "On WebSockets only: a single-use ticket of POST /api/ws-tickets, bound to session, path and query."
                },
            },
        },
    })
}

fn error_schema() -> Value {
    let codes: Vec<u32> = CODES.iter().map(|(code, _)| *code).collect();
    json!({
        "type": "object",
        "description": "A failure.",
        "required": ["code", "message", "data"],
        "properties": {
            "code": {"type": "integer", "description": "The HTTP status × 1000, plus a number.", "enum": codes},
            "message": {"type": "string", "description": "A sentence for the reader who must act."},
            "data": {"type": "null"},
        },
    })
}

fn describe(route: &Route, schemas: &mut Schemas) -> Value {
    let operation = &route.operation;
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [operation.tag()],
        "parameters": parameters(route),
        "responses": responses(route, schemas),
    });
    let security = match (route.action, route.shape) {
        (None, _) => Some(json!([])),
        (_, Shape::WebSocket) => Some(json!([{"bearer": []}, {"cookie": []}, {"ticket": []}])),
        _ => None,
    };
    if let Some(object) = described.as_object_mut() {
        object.extend(security.map(|security| ("security".to_owned(), security)));
        if let Some((action, permission, _)) = route.action {
            object.insert("x-action".into(), json!({"name": action, "permission": permission}));
        }
        if let Some(body) = route.body {
            let content = json!({"application/json": {"schema": (body.schema)(schemas)}});
            object.insert(
                "requestBody".into(),
                json!({"required": body.required, "content": content}),
            );
        }
        if let Success::Socket { client, server } = operation.success {
            let errors = listed(&route.codes());
            object.insert(
                "x-websocket".into(),
                json!({"client": client(schemas), "server": server(schemas), "errors": errors}),
            );
        }
    }
    described
}

/// The pattern of a DNS-1123 label (RFC 1123; `IsDNS1123Label` of Kubernetes).
const LABEL: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
/// The pattern of a DNS-1123 subdomain (`IsDNS1123Subdomain` of Kubernetes): labels joined by dots.
const SUBDOMAIN: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

/// Describes a route's path and query parameters.
fn parameters(route: &Route) -> Vec<Value> {
    let segments = route
        .path
        .split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    let in_path = segments.map(|name| {
        let (meaning, pattern, max) = match name {
            "clusterId" => ("The cluster's number or its unique name.", LABEL, 63),
            "namespace" => ("The pod's namespace.", LABEL, 63),
            _ => ("The pod's name.", SUBDOMAIN, 253),
        };
        json!({
            "name": name,
            "in": "path",
            "required": true,
            "description": meaning,
            "schema": {"type": "string", "pattern": pattern, "minLength": 1, "maxLength": max},
        })
    });
    in_path.chain(route.parameters.iter().map(in_query)).collect()
}

fn in_query(parameter: &Parameter) -> Value {
    let schema = of_parameter(parameter, None);
    let mut described = json!({"name": parameter.name, "in": "query", "description": parameter.doc, "schema": schema});
    if let Kind::Words(_) | Kind::WordsAndLabels(_) = parameter.kind {
        // One value holds the whole list, separated by commas.
        described["explode"] = json!(false);
    }
    described
}

/// The refusals of a request whose head can't be read. They come before any route and have no body.
const WITHOUT_BODY: [(&str, &str, &str); 2] = [
    (
        "414",
        "TargetTooLong",
        "The request's target (path and query) is over 64 kB. No body.",
    ),
    (
        "431",
        "HeadTooLarge",
        "The request has more than 100 header fields, or they are too large. No body.",
    ),
];

fn responses(route: &Route, schemas: &mut Schemas) -> Value {
    let mut responses = Map::new();
    let (status, success) = match route.operation.success {
        Success::Data(data) => ("200", with_json(&envelope(data(schemas)), "Success.")),
        Success::Message(text) => ("200", with_json(&message(text), "Success.")),
        Success::Bare(schema) => ("200", with_json(&schema(schemas), "Success.")),
        Success::Text(media) => (
            "200",
            json!({"description": "Success.", "content": {media: {"schema": {"type": "string"}}}}),
        ),
        Success::Socket { .. } => ("101", json!({"description": "The WebSocket is open."})),
    };
    responses.insert(status.into(), success);
    for (status, name, _) in WITHOUT_BODY {
        responses.insert(status.into(), json!({"$ref": format!("#/components/responses/{name}")}));
    }
    if let Some(success) = responses
        .get_mut("200")
        .and_then(|success| success.get_mut("content")?.as_object_mut())
    {
        for media in route
            .types
            .iter()
            .filter(|media| **media != crate::extract::content_negotiation::JSON)
        {
            success.insert((*media).into(), json!({"schema": {"type": "string"}}));
        }
    }
    let codes = route.codes();
    // A WebSocket's route answers by HTTP only if it refuses the upgrade.
    let by_http = codes.iter().filter(|code| {
        route.shape != Shape::WebSocket || matches!(code, 400_001 | 401_002..=401_004 | 403_002 | 500_001 | 503_002)
    });
    for code in by_http {
        let meaning = CODES
            .iter()
            .find(|(other, _)| other == code)
            .map_or("", |(_, meaning)| meaning);
        let line = format!("`{code}`: {meaning}");
        let response = responses.entry((code / 1000).to_string()).or_insert_with(|| {
            json!({"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}})
        });
        if let Some(Value::String(description)) = response.get_mut("description") {
            if !description.is_empty() {
                description.push_str("\n\n");
            }
            description.push_str(&line);
        }
    }
    Value::Object(responses)
}

fn with_json(schema: &Value, description: &str) -> Value {
    json!({"description": description, "content": {"application/json": {"schema": schema}}})
}

fn envelope(data: Value) -> Value {
    json!({
        "type": "object",
        "required": ["code", "data"],
        "properties": {"code": {"const": 200}, "message": {"type": "string"}, "data": data},
    })
}

fn message(text: &str) -> Value {
    json!({
        "type": "object",
        "required": ["code", "message", "data"],
        "properties": {"code": {"const": 200}, "message": {"type": "string", "examples": [text]}, "data": {"type": "null"}},
    })
}

fn listed(codes: &[u32]) -> Vec<Value> {
    let known = CODES.iter().filter(|(code, _)| codes.contains(code));
    known
        .map(|(code, meaning)| json!({"code": code, "close": 4000 + code / 1000, "description": meaning}))
        .collect()
}
