//! The documents that are made from the table of routes: all routes are in them, and the checked-in
//! copies are current.

use std::{collections::HashSet, path::PathBuf};

use podgate_api::{Kind, Shape, document, routes};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    schema::check,
    support::{
        PASSWORD, Server,
        described::{SEEN, line},
        send, within,
    },
};

/// Set this variable to write the files again.
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
    let mut text = serde_json::to_string_pretty(&document("", &routes::table())).unwrap();
    text.push('\n');
    current("openapi.json", &text);
}

#[test]
fn the_guide_has_every_parameter_and_field_of_a_list() {
    let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api.md")).unwrap();
    let route = routes::table().into_iter();
    let list = route.filter(|route| route.path == "/api/clusters/{clusterId}/pods");
    for parameter in list.flat_map(|route| route.parameters) {
        let name = format!("`{}`", parameter.name);
        let row = guide.lines().find(|line| {
            let cells: Vec<_> = line.split('|').collect();
            cells.get(1).is_some_and(|first| first.contains(&name))
        });
        let row = row.unwrap_or_else(|| panic!("docs/api.md has no row for {name}"));
        if let Kind::OneOf(words) | Kind::Words(words) | Kind::WordsAndLabels(words) = parameter.kind {
            for word in words {
                assert!(row.contains(&format!("`{word}`")), "docs/api.md, {name}: no `{word}`");
            }
        }
    }
    let document = document("", &routes::table());
    for field in document["components"]["schemas"]["PodItem"]["properties"]
        .as_object()
        .unwrap()
        .keys()
    {
        let is_named = guide.contains(&format!("`{field}`")) || guide.contains(&format!("\"{field}\":"));
        assert!(is_named, "docs/api.md does not name the field `{field}` of a pod");
    }
}

#[test]
fn frames_that_always_name_their_container_say_so() {
    let document = document("", &routes::table());
    for kind in ["logs", "restarted", "gap"] {
        let reference = &document["components"]["schemas"]["LogServerFrame"]["discriminator"]["mapping"][kind];
        let reference = reference.as_str().unwrap_or_else(|| panic!("{kind} is not described"));
        let frame = document.pointer(reference.trim_start_matches('#')).unwrap();
        assert!(
            frame["required"].as_array().unwrap().contains(&json!("container")),
            "{kind}: {frame}"
        );
    }
}

#[test]
fn every_route_is_in_the_openapi_document_with_its_parameters_and_errors() {
    let document = document("", &routes::table());
    for route in routes::table() {
        if route.shape == Shape::Page {
            assert!(document["paths"].get(route.path).is_none(), "{}", route.path);
            continue;
        }
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
            operation["requestBody"]["required"] == true,
            route.wants_body(),
            "{method} {}",
            route.path
        );
        assert_eq!(
            operation["x-websocket"].is_object(),
            route.shape == Shape::WebSocket,
            "{method} {}",
            route.path
        );
        assert!(
            operation["responses"]["401"].is_object() || route.action.is_none(),
            "{method} {}",
            route.path
        );
    }
}

#[test]
fn names_passwords_and_tickets_are_described_as_they_are_checked() {
    let document = document("", &routes::table());
    let pod = &document["paths"]["/api/clusters/{clusterId}/namespaces/{namespace}/pods/{name}"]["get"]["parameters"];
    let schema = |name: &str| {
        let parameters = pod.as_array().unwrap();
        &parameters.iter().find(|parameter| parameter["name"] == name).unwrap()["schema"]
    };
    assert_eq!(schema("name")["maxLength"], 253);
    assert_eq!(
        schema("name")["pattern"],
        r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
    );
    assert_eq!(schema("namespace")["maxLength"], 63);
    let schemas = &document["components"]["schemas"];
    assert_eq!(schemas["PasswordChange"]["properties"]["newPassword"]["minLength"], 8);
    assert_eq!(
        schemas["TicketRequest"]["properties"]["path"]["pattern"],
        r#"^/ws/[!"$-~]*$"#
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_too_long_and_a_head_that_is_too_large_are_refused_as_described() {
    let server = Server::start().await;
    let document = document("", &routes::table());
    let responses = &document["paths"]["/api/pods"]["get"]["responses"];
    // By hand: a client's library refuses such a target itself.
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "GET /api/pods?search={} HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "x".repeat(70_000)
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    within(stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 414");
    let mut many = server.client.get(server.url("/api/pods"));
    for _ in 0..101 {
        many = many.header("X-Filler", "1");
    }
    assert_eq!(send(many).await.status, 431);
    for status in ["414", "431"] {
        let name = responses[status]["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
        assert!(
            document["components"]["responses"][name]["description"].is_string(),
            "{status}"
        );
    }
}

#[test]
fn every_frame_that_a_client_may_send_is_described() {
    let document = document("", &routes::table());
    let pod = "/ws/clusters/{clusterId}/namespaces/{namespace}/pods/{name}";
    for (path, wanted) in [
        (format!("{pod}/logs"), vec!["ping", "subscribe", "unsubscribe"]),
        (format!("{pod}/exec"), vec!["eof", "input", "ping", "resize"]),
        (
            "/ws/pods".to_owned(),
            vec!["ping", "subscribe", "unsubscribe", "window"],
        ),
    ] {
        let frames = &document["paths"][&path]["get"]["x-websocket"]["client"]["$ref"];
        let frames = document
            .pointer(frames.as_str().unwrap().trim_start_matches('#'))
            .unwrap();
        let types: Vec<_> = frames["discriminator"]["mapping"].as_object().unwrap().keys().collect();
        assert_eq!(types, wanted, "{path}");
    }
}

#[test]
fn a_live_query_takes_the_parameters_of_a_list_but_for_its_pages_and_labels() {
    let document = document("", &routes::table());
    let frame = &document["components"]["schemas"]["LiveClientFrameSubscribe"];
    let mut query = frame["properties"]["query"]["properties"].as_object().unwrap().clone();
    for parameter in document["paths"]["/api/pods"]["get"]["parameters"].as_array().unwrap() {
        let name = parameter["name"].as_str().unwrap();
        let Some(mut described) = query.remove(name) else {
            assert!(["page", "pageSize", "fields", "facetSearch"].contains(&name), "{name}");
            continue;
        };
        // A live query counts by no label.
        if name == "facets" {
            continue;
        }
        let description = described.as_object_mut().unwrap().remove("description");
        assert_eq!(
            (description.as_ref(), &described),
            (parameter.get("description"), &parameter["schema"])
        );
    }
    assert!(query.is_empty(), "{query:?}");
    let query = json!({"namespace": ["shop", "staging"], "problem": true, "sort": "name"});
    check(
        &document,
        frame,
        &json!({"type": "subscribe", "query": query, "facets": ["status"]}),
        "subscribe",
    );
}

/// Failures that no test provokes, with a part of the route's path (empty: of any) and the reason.
const NOT_SEEN: &[(u32, &str, &str)] = &[(500_001, "", "a fault of Podgate, of which none is known")];

#[test]
#[ignore = "the last step of `make test`, after all tests of this target"]
fn every_listed_code_was_seen() {
    let path = std::env::var_os(SEEN).expect("run `make test`, which sets it");
    let seen = std::fs::read_to_string(path).unwrap();
    let seen: HashSet<&str> = seen.lines().collect();
    let mut missing = Vec::new();
    // The document leaves out the web page's paths, so nothing lists their codes.
    let described = routes::table().into_iter().filter(|route| route.shape != Shape::Page);
    for route in described {
        for code in route.codes() {
            let line = line(&route, code.into());
            let mut exceptions = NOT_SEEN.iter();
            let is_exception = exceptions.any(|(other, part, _)| *other == code && route.path.contains(part));
            if is_exception == seen.contains(line.trim_end()) {
                missing.push(line);
            }
        }
    }
    assert!(
        missing.is_empty(),
        "listed and never seen, or seen and a reasoned exception: test these, or list them no more\n{}",
        missing.concat()
    );
}

/// Sends a request that succeeds, and compares its body and the answer with the document.
async fn conforms(server: &Server, document: &Value, (method, route): (&str, &str), path: &str, body: Option<&Value>) {
    let operation = &document["paths"][route][method];
    let at = format!("{method} {route}");
    if let Some(body) = body {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{at}");
        check(document, schema, body, &at);
    }
    let answer = server
        .request(&method.to_uppercase(), path, Some(&server.token), body)
        .await;
    assert_eq!(answer.status, 200, "{at}: {}", answer.text());
    let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
    assert!(schema.is_object(), "{at}");
    check(document, schema, &answer.json(), &at);
}

#[tokio::test]
async fn changes_and_their_answers_are_as_the_openapi_document_says() {
    let server = Server::start().await;
    let document = document("", &routes::table());
    let login = json!({"username": "admin", "password": PASSWORD});
    let session = server
        .request("POST", "/api/auth/login", None, Some(&login))
        .await
        .data();
    let refresh = json!({"refreshToken": session["refreshToken"]});
    let change = json!({"oldPassword": PASSWORD, "newPassword": "another long passphrase"});
    let new = json!({"name": "second", "description": "Again", "kubeConfig": server.sim.kubeconfig(), "namespaces": ["shop"]});
    let edit = json!({"name": "other", "description": "", "namespaces": []});
    for (method, route, path, body) in [
        ("post", "/api/auth/refresh", "/api/auth/refresh", Some(&refresh)),
        (
            "post",
            "/api/auth/change-password",
            "/api/auth/change-password",
            Some(&change),
        ),
        ("post", "/api/clusters", "/api/clusters", Some(&new)),
        ("put", "/api/clusters/{clusterId}", "/api/clusters/second", Some(&edit)),
        ("delete", "/api/clusters/{clusterId}", "/api/clusters/other", None),
    ] {
        conforms(&server, &document, (method, route), path, body).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn answers_are_as_the_openapi_document_says() {
    let server = Server::start().await;
    server.run_pod("default", "web", &["main", "side"]).await;
    server.sim.write_log("default", "web", "main", b"hello\n");
    let document = document("", &routes::table());
    let login = json!({"username": "admin", "password": PASSWORD});
    let ticket = json!({"path": "/ws/clusters/sim/namespaces/default/pods/web/logs"});
    let pod = "/api/clusters/{clusterId}/namespaces/{namespace}/pods/{name}";
    for (method, route, query, body) in [
        ("post", "/api/auth/login", "", Some(&login)),
        ("get", "/api/auth/me", "", None),
        ("post", "/api/ws-tickets", "", Some(&ticket)),
        ("get", "/api/clusters", "", None),
        ("get", "/api/clusters/{clusterId}", "", None),
        ("get", "/api/clusters/{clusterId}/stats", "", None),
        ("get", "/api/clusters/{clusterId}/namespaces", "", None),
        ("post", "/api/clusters/{clusterId}/test", "", None),
        ("get", "/api/clusters/{clusterId}/pods", "?facets=status,nodeName", None),
        ("get", "/api/pods", "?facets=cluster,problem", None),
        ("get", pod, "", None),
        ("get", &format!("{pod}/logs"), "?container=main", None),
        ("get", &format!("{pod}/events"), "", None),
        ("get", "/readyz", "", None),
        ("delete", pod, "?dryRun=true", None),
        ("post", "/api/auth/logout", "", None),
    ] {
        let path = route
            .replace("{clusterId}", "sim")
            .replace("{namespace}", "default")
            .replace("{name}", "web");
        conforms(&server, &document, (method, route), &format!("{path}{query}"), body).await;
    }
    let failure = server.get("/api/nothing").await.json();
    check(
        &document,
        &document["components"]["schemas"]["Error"],
        &failure,
        "a failure",
    );
    server.stop().await;
}

#[test]
fn operation_ids_are_unique_and_references_lead_somewhere() {
    let document = document("/podgate", &routes::table());
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
