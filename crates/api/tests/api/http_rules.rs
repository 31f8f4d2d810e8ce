//! Rules that hold for every answer: ids, headers, methods, media types and origins.

use podgate_api::Options;
use serde_json::json;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{PASSWORD, Server, Setup, described::BASE_PATH, send, within};

#[tokio::test]
async fn every_answer_has_its_id_and_its_guards() {
    let server = Server::start().await;
    for path in [
        "/",
        "/healthz",
        "/api/clusters",
        "/api/nothing",
        "/api/clusters/sim/pods?page=x",
    ] {
        let answer = send(server.build("GET", path).header("x-request-id", "my-id.1")).await;
        assert_eq!(answer.header("x-request-id"), "my-id.1", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert!(
            answer
                .header("content-security-policy")
                .starts_with("default-src 'none'"),
            "{path}"
        );
        assert!(answer.header("server-timing").starts_with("app;dur="), "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
    let handshake = server
        .build("GET", "/ws/clusters/sim/namespaces/default/pods/web/logs")
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("x-request-id", "my-id.2");
    let answer = handshake.send().await.unwrap();
    assert_eq!(answer.status(), 101);
    assert_eq!(answer.headers()["x-request-id"], "my-id.2");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    drop(answer);
    let answer = send(server.build("GET", "/healthz").header("x-request-id", "not sane!")).await;
    assert_eq!(answer.header("x-request-id").len(), 16);
    server.stop().await;
}

#[tokio::test]
async fn an_unknown_route_is_404004_and_an_unknown_method_405001() {
    let server = Server::start().await;
    for path in [
        "/nothing",
        "/api/",
        "/api/clusters/",
        "/api//clusters",
        "/API/clusters",
        "/ws",
        "/healthz/",
    ] {
        server.get(path).await.fails(404_004);
        server.request("GET", path, None, None).await.fails(404_004);
        server.post(path, json!({})).await.fails(404_004);
    }
    for (method, path, allow) in [
        ("PATCH", "/api/clusters", "GET,HEAD,POST"),
        ("DELETE", "/api/clusters", "GET,HEAD,POST"),
        ("POST", "/api/clusters/sim", "GET,HEAD,PUT,DELETE"),
        ("GET", "/api/auth/login", "POST"),
        ("OPTIONS", "/api/auth/me", "GET,HEAD"),
        ("BREW", "/healthz", "GET,HEAD"),
    ] {
        let answer = server.request(method, path, Some(&server.token), None).await;
        answer.fails(405_001);
        assert_eq!(answer.header("allow"), allow, "{method} {path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn head_answers_as_get_without_a_body() {
    let server = Server::start().await;
    for path in [
        "/healthz",
        "/api/clusters",
        "/api/clusters/sim/pods",
        "/api/openapi.json",
    ] {
        let get = server.get(path).await;
        let head = server.request("HEAD", path, Some(&server.token), None).await;
        assert_eq!((head.status, head.bytes.len()), (get.status, 0), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
    }
    assert_eq!(server.request("HEAD", "/api/clusters", None, None).await.status, 401);
    server.stop().await;
}

#[tokio::test]
async fn an_accept_header_that_admits_no_json_is_refused() {
    let server = Server::start().await;
    for (accept, code) in [
        ("text/html", 406_001),
        ("image/*", 406_001),
        ("application/json;q=0", 406_001),
        ("application/json", 200),
        ("*/*", 200),
        ("text/html, */*;q=0.1", 200),
        ("", 200),
    ] {
        let answer = send(server.build("GET", "/api/clusters").header("accept", accept)).await;
        assert_eq!(answer.code(), code, "{accept}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_foreign_page_cannot_change_anything() {
    let server = Server::with(Setup {
        api: Options {
            allowed_origins: vec!["https://portal.example".into()],
            ..Options::default()
        },
        ..Setup::default()
    })
    .await;
    let own = server.url("");
    let cookie = format!("podgate_session={}", server.token);
    let login = json!({"username": "admin", "password": PASSWORD});
    let foreign = [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "http://127.0.0.1:1"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ];
    for (name, value) in foreign {
        let answer = send(
            server
                .client
                .post(server.url("/api/auth/login"))
                .header(name, value)
                .json(&login),
        )
        .await;
        answer.fails(403_002);
        let answer = send(
            server
                .client
                .post(server.url("/api/auth/logout"))
                .header(name, value)
                .header("cookie", &cookie),
        )
        .await;
        answer.fails(403_002);
        let answer = send(server.build("POST", "/api/auth/logout").header(name, value)).await;
        answer.fails(403_002);
        let answer = send(
            server
                .client
                .get(server.url("/api/auth/me"))
                .header(name, value)
                .header("cookie", &cookie),
        )
        .await;
        assert_eq!(answer.data()["username"], "admin");
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
    for origin in [own.as_str(), "https://portal.example"] {
        let answer = send(
            server
                .client
                .post(server.url("/api/auth/login"))
                .header("origin", origin)
                .json(&login),
        )
        .await;
        answer.data();
    }
    let answer = send(
        server
            .client
            .post(server.url("/api/auth/logout"))
            .header("origin", &own)
            .header("cookie", &cookie),
    )
    .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    server.stop().await;
}

#[tokio::test]
async fn only_a_listed_origins_page_may_read_answers() {
    let server = Server::with(Setup {
        api: Options {
            allowed_origins: vec!["https://portal.example".into()],
            ..Options::default()
        },
        ..Setup::default()
    })
    .await;
    let preflight = |origin: &'static str| {
        let request = server
            .client
            .request("OPTIONS".parse().unwrap(), server.url("/api/clusters"));
        send(
            request
                .header("origin", origin)
                .header("access-control-request-method", "POST"),
        )
    };
    let leave = preflight("https://portal.example").await;
    assert_eq!(leave.status, 204);
    assert_eq!(leave.header("access-control-allow-origin"), "https://portal.example");
    assert!(leave.header("access-control-allow-headers").contains("authorization"));
    let refused = preflight("https://evil.example").await;
    assert_eq!(
        (refused.status, refused.header("access-control-allow-origin")),
        (405, "")
    );

    let listed = send(
        server
            .build("GET", "/api/clusters")
            .header("origin", "https://portal.example"),
    )
    .await;
    assert_eq!(
        (listed.status, listed.header("access-control-allow-origin")),
        (200, "https://portal.example")
    );
    assert_eq!(listed.header("vary"), "origin");
    let own = send(server.build("GET", "/api/clusters").header("origin", server.url(""))).await;
    assert_eq!(own.header("access-control-allow-origin"), "");
    server.stop().await;
}

#[tokio::test]
async fn everything_lives_under_the_base_path() {
    let server = Server::with(Setup {
        api: Options {
            base_path: BASE_PATH.into(),
            ..Options::default()
        },
        ..Setup::default()
    })
    .await;
    server.get("/healthz").await.fails(404_004);
    server.get("/api/clusters").await.fails(404_004);
    assert_eq!(server.get("/podgate/healthz").await.text(), "ok\n");
    let answer = server.get("/podgate").await;
    assert_eq!((answer.status, answer.header("location")), (308, "/podgate/"));
    assert!(
        server
            .get("/podgate/")
            .await
            .text()
            .contains("/podgate/api/openapi.json")
    );
    let document = server.get("/podgate/api/openapi.json").await.json();
    assert_eq!(document["servers"][0]["url"], "/podgate");
    let login = json!({"username": "admin", "password": PASSWORD});
    let answer = server
        .request("POST", "/podgate/api/auth/login", None, Some(&login))
        .await;
    assert!(
        answer.header("set-cookie").contains("Path=/podgate;"),
        "{:?}",
        answer.headers
    );
    server.stop().await;
}

#[tokio::test]
async fn health_and_readiness_tell_without_a_credential_and_without_names() {
    let server = Server::start().await;
    assert_eq!(server.request("GET", "/healthz", None, None).await.text(), "ok\n");
    let ready = server.request("GET", "/readyz", None, None).await;
    assert_eq!(ready.status, 200);
    let json = ready.json();
    assert_eq!(
        json,
        json!({"ready": true, "database": true, "clusters": {"syncing": 0, "synced": 1, "stale": 0, "failed": 0}})
    );
    server.stop().await;
}

#[tokio::test]
async fn metrics_are_for_listed_addresses_or_a_token() {
    let server = Server::start().await;
    server.get("/api/clusters").await.data();
    let answer = server.request("GET", "/metrics", None, None).await;
    assert_eq!(answer.status, 200);
    let text = answer.text();
    for line in [
        r#"podgate_http_requests_total{route="/api/clusters",method="GET",status="200"} 1"#,
        r#"podgate_cluster_state{cluster="sim",state="synced"} 1"#,
        "process_resident_memory_bytes",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    // A proxy on this machine that the operator did not name, and a page whose name resolves
    // to this server.
    for (name, value) in [
        ("x-forwarded-for", "127.0.0.1"),
        ("forwarded", "for=127.0.0.1"),
        ("x-real-ip", "127.0.0.1"),
        ("via", "1.1 proxy"),
        ("host", "evil.example"),
    ] {
        let through = server.client.get(server.url("/metrics")).header(name, value);
        let message = send(through).await.fails(403_001);
        assert!(message.contains("--metrics-"), "{name}: {message}");
    }
    let local = server.client.get(server.url("/metrics")).header("host", "localhost:1");
    assert_eq!(send(local).await.status, 200);
    server.get("/metrics").await.fails(401_003);
    server.stop().await;

    let server = Server::with(Setup {
        api: Options {
            metrics_networks: Some(Vec::new()),
            metrics_token: Some("s3cret".into()),
            ..Options::default()
        },
        ..Setup::default()
    })
    .await;
    server.request("GET", "/metrics", None, None).await.fails(403_001);
    server
        .request("GET", "/metrics", Some("wrong!"), None)
        .await
        .fails(401_003);
    assert_eq!(
        server.request("GET", "/metrics", Some("s3cret"), None).await.status,
        200
    );
    server.stop().await;
}

#[tokio::test]
async fn behind_a_proxy_metrics_need_the_token() {
    let loopback = || vec!["127.0.0.0/8".parse().unwrap()];
    let public = || Some("https://pods.example".parse().unwrap());
    // The options, whether loopback is admitted without the token, and whether under any name.
    for (api, admitted) in [
        (
            Options {
                public_url: public(),
                ..Options::default()
            },
            false,
        ),
        (
            Options {
                base_path: BASE_PATH.into(),
                ..Options::default()
            },
            false,
        ),
        (
            Options {
                trusted_proxies: vec!["192.0.2.1/32".parse().unwrap()],
                ..Options::default()
            },
            false,
        ),
        (
            Options {
                public_url: public(),
                metrics_networks: Some(loopback()),
                ..Options::default()
            },
            true,
        ),
        (
            Options {
                metrics_networks: Some(vec!["192.0.2.0/24".parse().unwrap()]),
                ..Options::default()
            },
            false,
        ),
        (
            Options {
                trusted_proxies: loopback(),
                metrics_networks: Some(loopback()),
                ..Options::default()
            },
            false,
        ),
    ] {
        let path = format!("{}/metrics", api.base_path);
        let what = format!("{api:?}");
        let server = Server::with(Setup {
            api: Options {
                metrics_token: Some("s3cret".into()),
                ..api
            },
            ..Setup::default()
        })
        .await;
        for headers in [&[][..], &[("host", "any.example")]] {
            let mut request = server.client.get(server.url(&path));
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let status = send(request).await.status;
            assert_eq!(status, if admitted { 200 } else { 403 }, "{headers:?} {what}");
        }
        // An address that a proxy reports does not count.
        let told = server
            .client
            .get(server.url(&path))
            .header("x-forwarded-for", "192.0.2.7");
        send(told).await.fails(403_001);
        let with_token = server
            .client
            .get(server.url(&path))
            .header("x-forwarded-for", "203.0.113.9")
            .bearer_auth("s3cret");
        assert_eq!(send(with_token).await.status, 200, "{what}");
        server.stop().await;
    }
}

#[tokio::test]
async fn a_name_that_is_not_ours_is_refused() {
    let server = Server::with(Setup {
        api: Options {
            public_url: Some("https://pods.example".parse().unwrap()),
            allowed_hosts: vec!["inner.example".into()],
            ..Options::default()
        },
        ..Setup::default()
    })
    .await;
    let socket = "/ws/clusters/sim/pods";
    for (host, ours) in [
        ("evil.example", false),
        ("evil.example:8080", false),
        ("pods.example", true),
        ("inner.example:8080", true),
        ("localhost", true),
        ("127.0.0.1:8080", true),
    ] {
        let answer = send(server.build("GET", "/api/clusters").header("host", host)).await;
        let opened = server
            .ws_with(
                socket,
                &[("host", host), ("authorization", &format!("Bearer {}", server.token))],
            )
            .await;
        if ours {
            assert_eq!(answer.status, 200, "{host}");
            opened.unwrap().close().await;
        } else {
            for answer in [answer, opened.err().unwrap()] {
                let message = answer.fails(400_001);
                assert!(
                    message.contains("--allowed-host") && message.contains("evil.example"),
                    "{message}"
                );
            }
        }
        for path in ["/healthz", "/readyz"] {
            assert_eq!(
                send(server.build("GET", path).header("host", host)).await.status,
                200,
                "{host}"
            );
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn two_hosts_and_foreign_targets_are_refused() {
    let server = Server::with(Setup {
        api: Options {
            public_url: Some("https://pods.example".parse().unwrap()),
            ..Options::default()
        },
        ..Setup::default()
    })
    .await;
    for (head, status) in [
        (
            "GET /healthz HTTP/1.1\r\nHost: pods.example\r\nHost: pods.example\r\n",
            "400",
        ),
        (
            "GET http://evil.example/api/openapi.json HTTP/1.1\r\nHost: pods.example\r\n",
            "400",
        ),
        (
            "GET http://pods.example/api/openapi.json HTTP/1.1\r\nHost: pods.example\r\n",
            "200",
        ),
        ("GET /api/openapi.json HTTP/1.0\r\n", "200"),
        ("GET /api/openapi.json HTTP/1.1\r\nHost:\r\n", "200"),
    ] {
        let mut connection = tokio::net::TcpStream::connect(server.address).await.unwrap();
        let request = format!("{head}Connection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        within(connection.read_to_string(&mut answer)).await.unwrap();
        assert_eq!(answer.split(' ').nth(1), Some(status), "{head}{answer}");
    }
    server.stop().await;
}

#[tokio::test]
async fn https_is_to_stay_where_it_was_spoken() {
    let server = Server::with(Setup {
        api: Options {
            trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
            ..Options::default()
        },
        ..Setup::default()
    })
    .await;
    for (scheme, host, expected) in [
        ("https", "pods.example", "max-age=15552000"),
        ("http", "pods.example", ""),
        ("https", "localhost", ""),
        ("https", "192.0.2.1", ""),
    ] {
        for path in ["/healthz", "/api/nothing", "/"] {
            let request = server.build("GET", path).header("x-forwarded-proto", scheme);
            let answer = send(request.header("host", host)).await;
            let strict = answer.header("strict-transport-security");
            assert_eq!(strict, expected, "{scheme} {host} {path}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn the_start_page_runs_nothing() {
    let server = Server::start().await;
    let answer = server.request("GET", "/api", None, None).await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").starts_with("text/html"));
    assert!(answer.text().contains("/api/openapi.json"));
    assert!(!answer.text().contains("<script"));
    let policy = answer.header("content-security-policy");
    assert!(
        policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    server.stop().await;
}
