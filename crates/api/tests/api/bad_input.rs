//! Bad input to every parameter, path, body and WebSocket of the table of routes. Each gets the
//! contract's error, and the server stays as it was.

use http::Method;
use podgate_api::{Kind, Parameter, Route, Shape, document, routes};
use serde_json::json;

use crate::support::{Answer, Server, path_of, send};

/// Checks that the server still answers, and that nothing reached the cluster that does not belong
/// there.
async fn unharmed(server: &Server) {
    assert_eq!(server.get("/healthz").await.text(), "ok\n");
    let list = server.get("/api/clusters/sim/pods?search=web").await.data();
    assert_eq!(list["total"], 1, "{list}");
    assert_eq!(
        server.get("/api/clusters/sim/namespaces/default/pods/web").await.data()["name"],
        "web"
    );
    for request in server.sim.requests() {
        let path = request.path.to_ascii_lowercase();
        assert!(
            !path.contains("..") && !path.contains("%2") && !path.contains("//") && !path.contains("%00"),
            "{request:?}"
        );
    }
}

async fn start() -> Server {
    let server = Server::start().await;
    server.run_pod("default", "web", &["main"]).await;
    server
}

/// Sends a path of a route; the code and the message of the failure, or 200.
async fn outcome(server: &Server, route: &Route, path: &str) -> (u64, String) {
    if route.shape == Shape::WebSocket {
        let authorization = format!("Bearer {}", server.token);
        return match server.ws_with(path, &[("authorization", &authorization)]).await {
            Ok(mut socket) => socket.fails().await,
            Err(answer) => failure(&answer),
        };
    }
    let mut request = server.build(route.method.as_str(), path);
    if route.wants_body() {
        request = request.json(&json!({}));
    }
    failure(&send(request).await)
}

fn failure(answer: &Answer) -> (u64, String) {
    if answer.status < 400 {
        return (200, String::new());
    }
    let code = answer.code();
    (code, answer.fails(code))
}

/// Values that a parameter does not take, as they stand in a URL.
fn bad_values(parameter: &Parameter) -> Vec<String> {
    let mut values: Vec<String> = vec![
        "%00".into(),
        "a%00b".into(),
        "%ff%fe".into(),
        "%C3%28".into(),
        "a".repeat(4096),
    ];
    let of_kind: &[&str] = match parameter.kind {
        Kind::Text => &[],
        Kind::Time => &["yesterday", "-1", "2026-13-45T99:99:99Z", "1767225600", "%2e%2e%2f"],
        Kind::Int { .. } => &[
            "-1",
            "99999999999999999999999999",
            "18446744073709551616",
            "abc",
            "1.5",
            "1e3",
            "0x10",
            "%2B1",
            "1%20",
            "%D9%A1",
            "..%2F..",
        ],
        Kind::Bool => &["True", "TRUE", "1", "0", "yes", "nonsense", "-1"],
        Kind::OneOf(_) | Kind::Words(_) | Kind::WordsAndLabels(_) => {
            &["nonsense", "-1", "..%2f..", "99999999999999999999"]
        }
    };
    values.extend(of_kind.iter().map(|value| (*value).to_owned()));
    match parameter.kind {
        Kind::Int { min, max } => {
            values.extend(min.checked_sub(1).map(|below| below.to_string()));
            values.extend(max.checked_add(1).map(|above| above.to_string()));
        }
        Kind::OneOf(words) => values.extend(words.iter().map(|word| word.to_uppercase())),
        Kind::Words(words) | Kind::WordsAndLabels(words) => values.extend([
            words[0].to_uppercase(),
            format!("{},", words[0]),
            format!("{},nonsense", words[0]),
        ]),
        _ => {}
    }
    values
}

/// Returns a value that a parameter takes.
fn good_value(parameter: &Parameter) -> String {
    match parameter.kind {
        Kind::Text => "main".into(),
        Kind::Time => "2026-01-01T00:00:00Z".into(),
        Kind::Int { min, .. } => min.to_string(),
        Kind::Bool => "true".into(),
        Kind::OneOf(words) | Kind::Words(words) | Kind::WordsAndLabels(words) => words[0].into(),
    }
}

#[tokio::test]
async fn every_parameter_of_every_route_refuses_what_it_does_not_take() {
    let server = start().await;
    for route in routes::table() {
        let path = path_of(&route);
        for parameter in route.parameters {
            let name = parameter.name;
            for value in bad_values(parameter) {
                let (code, message) = outcome(&server, &route, &format!("{path}?{name}={value}")).await;
                assert_eq!(code, 400_001, "{} {path}?{name}={value}: {message}", route.method);
                assert!(message.contains(name), "{path}?{name}={value}: {message}");
            }
            let good = good_value(parameter);
            if !parameter.repeatable {
                let (code, _) = outcome(&server, &route, &format!("{path}?{name}={good}&{name}={good}")).await;
                assert_eq!(code, 400_001, "{path}?{name} twice");
            }
            let (code, message) = outcome(&server, &route, &format!("{path}?{}={good}", name.to_uppercase())).await;
            assert_eq!(code, 400_001, "{path}?{}", name.to_uppercase());
            assert!(message.contains(name), "it lists what there is: {message}");
        }
    }
    assert!(
        server.sim.get("Pod", "default", "web").is_some(),
        "a bad delete deletes nothing"
    );
    unharmed(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn a_parameter_that_a_route_does_not_know_is_refused() {
    let server = start().await;
    for route in routes::table()
        .iter()
        .filter(|route| route.path.starts_with("/api/") || route.shape == Shape::WebSocket)
    {
        for query in ["nonsense=1", "nonsense", "%6eonsense=", "=1", "a%5B%5D=1", "%ff=1"] {
            let (code, message) = outcome(&server, route, &format!("{}?{query}", path_of(route))).await;
            assert_eq!(code, 400_001, "{} {}?{query}: {message}", route.method, route.path);
        }
    }
    assert!(server.sim.get("Pod", "default", "web").is_some());
    unharmed(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn text_that_looks_like_a_path_or_a_query_stays_text() {
    let server = start().await;
    let texts = [
        "..%2F..%2Fsecrets",
        "%2e%2e%2f",
        "a%26watch%3Dtrue",
        "%3Fwatch%3D1",
        "%23",
        "%0d%0aX-Evil:1",
        "%F0%9F%A6%80",
        "a%2Fb",
    ];
    for route in routes::table()
        .iter()
        .filter(|route| route.method == Method::GET && route.shape != Shape::WebSocket)
    {
        for parameter in route.parameters.iter().filter(|parameter| parameter.kind == Kind::Text) {
            for text in texts {
                let path = format!("{}?{}={text}", path_of(route), parameter.name);
                let (code, message) = outcome(&server, route, &path).await;
                assert!(
                    matches!(code / 1000, 200 | 400 | 404 | 0) || code == 200,
                    "{path}: {code} {message}"
                );
            }
        }
    }
    for request in server.sim.requests() {
        let of_pod = request.path.contains("/pods/web");
        assert!(
            !of_pod || !request.query.contains("watch=") || request.query.contains("watch%3D"),
            "{request:?}"
        );
    }
    unharmed(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn a_path_that_names_nothing_proper_is_not_found() {
    let server = start().await;
    let long = "a".repeat(4096);
    let names = [
        "..%2F..",
        "%2e%2e",
        "%2E%2E%2F%2E%2E",
        "%2F",
        "a%2Fb",
        "a%00b",
        "%00",
        "%ff",
        "%C3%28",
        "UPPER",
        "-1",
        "a%20b",
        "%252e%252e",
        "a%3Fb",
        "a%23b",
        "%0d%0a",
        "99999999999999999999999",
        "%F0%9F%A6%80",
        "a..b",
        ".",
        &long,
    ];
    for route in routes::table() {
        for segment in ["{clusterId}", "{namespace}", "{name}"]
            .iter()
            .filter(|segment| route.path.contains(**segment))
        {
            for name in names {
                let path = route.path.replacen(*segment, name, 1);
                let path = path
                    .replace("{clusterId}", "sim")
                    .replace("{namespace}", "default")
                    .replace("{name}", "web");
                // An HTTP client resolves a plain dot itself, and two encoded ones.
                if matches!(name, "." | "%2e%2e") && route.shape != Shape::WebSocket {
                    continue;
                }
                // All digits may be a pod, which a log stream looks for once it is asked to.
                if route.path.ends_with("}/logs")
                    && route.shape == Shape::WebSocket
                    && name.starts_with("999")
                    && *segment != "{clusterId}"
                {
                    continue;
                }
                let (code, message) = outcome(&server, &route, &path).await;
                assert!(
                    (404_001..=404_004).contains(&code),
                    "{} {path}: {code} {message}",
                    route.method
                );
            }
        }
    }
    assert!(server.sim.get("Pod", "default", "web").is_some());
    unharmed(&server).await;
    server.stop().await;
}

/// Returns whether a route takes any object that is neither large nor deep.
fn takes_any_object(route: &Route) -> bool {
    route.path == "/api/auth/me/preferences"
}

/// Returns the routes that take a body, with the properties that they know.
fn with_body() -> Vec<(Route, Vec<String>)> {
    let document = document("", &routes::table());
    let properties = |route: &Route| {
        let method = route.method.as_str().to_ascii_lowercase();
        let schema = &document["paths"][route.path][&method]["requestBody"]["content"]["application/json"]["schema"];
        let name = schema["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
        let properties = &document["components"]["schemas"][name]["properties"];
        assert!(properties.is_object() || takes_any_object(route), "{}", route.path);
        let known = properties.as_object().into_iter().flatten();
        known.map(|(property, _)| property.clone()).collect()
    };
    let routes: Vec<Route> = routes::table().into_iter().filter(|route| route.wants_body()).collect();
    routes
        .into_iter()
        .map(|route| (route.clone(), properties(&route)))
        .collect()
}

#[tokio::test]
async fn every_body_that_is_not_what_a_route_takes_is_refused() {
    let server = start().await;
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let deep_object = format!("{}1{}", r#"{"username":"#.repeat(1_000), "}".repeat(1_000));
    for (route, properties) in with_body() {
        let mut bodies: Vec<Vec<u8>> = [
            "",
            " ",
            "{",
            "nonsense",
            "null",
            "[]",
            "\"text\"",
            "1",
            "{}x",
            "{\"nonsense\":1}",
            "{\"a\":1,\"a\":1}",
            "{'a':1}",
            "\u{feff}{}",
            &deep,
            &deep_object,
        ]
        .iter()
        .map(|body| body.as_bytes().to_vec())
        .collect();
        bodies.push(b"{\"username\":\"\xff\xfe\"}".to_vec());
        bodies.push(vec![0; 100]);
        for property in &properties {
            for value in [json!({"x": 1}), json!(1), json!(true), json!([[1]])] {
                bodies.push(json!({property: value}).to_string().into_bytes());
            }
            bodies.push(format!("{{\"{property}\":{deep}}}").into_bytes());
            bodies.push(format!("{{\"{property}\":\"a\",\"{property}\":\"b\"}}").into_bytes());
        }
        if takes_any_object(&route) {
            bodies.retain(|body| !matches!(&**body, br#"{"nonsense":1}"# | br#"{"a":1,"a":1}"#));
        }
        for body in bodies {
            let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
            let request = server
                .build(route.method.as_str(), &path_of(&route))
                .header("content-type", "application/json")
                .body(body);
            let (code, message) = failure(&send(request).await);
            assert_eq!(code, 400_002, "{} {}: {shown}: {message}", route.method, route.path);
        }
        for media in [
            "",
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "application/jsonx",
            "\u{e9}",
        ] {
            let request = server
                .build(route.method.as_str(), &path_of(&route))
                .header("content-type", media)
                .body("{}");
            let (code, message) = failure(&send(request).await);
            assert_eq!(code, 415_001, "{} {media}: {message}", route.path);
        }
        let (code, _) = failure(&send(server.build(route.method.as_str(), &path_of(&route)).body("{}")).await);
        assert_eq!(code, 415_001, "{}", route.path);
        for coding in ["gzip", "br", "identity, gzip", "\u{e9}"] {
            let request = server
                .build(route.method.as_str(), &path_of(&route))
                .header("content-encoding", coding)
                .json(&json!({}));
            let (code, message) = failure(&send(request).await);
            assert_eq!(code, 415_001, "{} {coding}: {message}", route.path);
            assert!(message.contains("Content-Encoding"), "{message}");
        }
    }
    unharmed(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn an_error_in_a_large_body_is_one_sentence() {
    let server = start().await;
    for (route, properties) in with_body() {
        if takes_any_object(&route) {
            continue;
        }
        let small = matches!(route.path, "/api/auth/login" | "/api/auth/refresh");
        let long = "a".repeat(if small { 16_000 } else { 500_000 });
        if small {
            let request = server.build(route.method.as_str(), &path_of(&route));
            let answer = send(request.json(&json!({"x": "a".repeat(16_384)}))).await;
            assert_eq!(failure(&answer).0, 413_001, "{}", route.path);
        }
        let mut bodies = vec![json!({&long: 1})];
        bodies.extend(properties.iter().map(|property| json!({property: {"x": &long}})));
        bodies.extend(
            properties
                .iter()
                .filter(|property| *property == "namespaces")
                .map(|property| json!({property: &long})),
        );
        for body in bodies {
            let request = server.build(route.method.as_str(), &path_of(&route)).json(&body);
            let (code, message) = failure(&send(request).await);
            assert_eq!(code, 400_002, "{} {}", route.method, route.path);
            assert!(message.len() < 500, "{}: {} bytes", route.path, message.len());
        }
    }
    unharmed(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn a_huge_body_is_refused_before_it_is_read() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let server = start().await;
    for (route, _) in with_body() {
        for length in ["content-length: 104857600", "transfer-encoding: chunked"] {
            let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
            let (mut reader, mut writer) = stream.into_split();
            let head = format!(
                "{} {} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n{length}\r\n\r\n",
                route.method,
                path_of(&route),
                server.address,
                server.token
            );
            writer.write_all(head.as_bytes()).await.unwrap();
            let chunked = length.starts_with("transfer");
            let sending = tokio::spawn(async move {
                let data = vec![b'['; 65536];
                let mut sent = 0;
                while sent < 100 * 1024 * 1024 {
                    if chunked && writer.write_all(b"10000\r\n").await.is_err() {
                        break;
                    }
                    if writer.write_all(&data).await.is_err() || (chunked && writer.write_all(b"\r\n").await.is_err()) {
                        break;
                    }
                    sent += data.len();
                }
                sent
            });
            let mut answer = Vec::new();
            let mut chunk = [0; 4096];
            // The connection may be reset after the answer, because the rest of the body is not
            // read.
            while let Ok(count @ 1..) = crate::support::within(reader.read(&mut chunk)).await {
                answer.extend_from_slice(&chunk[..count]);
            }
            let text = String::from_utf8_lossy(&answer);
            assert!(
                text.starts_with("HTTP/1.1 413 ") && text.contains("413001"),
                "{} {length}: {text}",
                route.path
            );
            drop(reader);
            let sent = crate::support::within(sending).await.unwrap();
            assert!(
                sent < 50 * 1024 * 1024,
                "{} {length}: {sent} bytes were taken",
                route.path
            );
        }
    }
    unharmed(&server).await;
    server.stop().await;
}
