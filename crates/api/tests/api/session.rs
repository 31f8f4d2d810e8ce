//! Log-in, refresh, log-out and the own account.

use podgate_access::sessions;
use podgate_api::Options;
use serde_json::json;

use crate::support::{Answer, PASSWORD, Server, Setup, described::BASE_PATH, send};

async fn login(server: &Server, username: &str, password: &str) -> Answer {
    let body = json!({"username": username, "password": password});
    server.request("POST", "/api/auth/login", None, Some(&body)).await
}

#[tokio::test]
async fn unused_tickets_of_a_session_are_capped() {
    let server = Server::start().await;
    let ticket = json!({"path": "/ws/pods"});
    for _ in 0..32 {
        server.post("/api/ws-tickets", ticket.clone()).await.data();
    }
    let refused = server.post("/api/ws-tickets", ticket).await;
    refused.fails(429_001);
    assert_eq!(refused.header("retry-after"), "30");
    server.stop().await;
}

#[tokio::test]
async fn a_log_in_answers_the_specified_fields_and_sets_the_cookie() {
    let server = Server::start().await;
    let answer = login(&server, "admin", PASSWORD).await;
    let data = answer.data();
    assert!(data["token"].as_str().unwrap().len() >= 32);
    assert!(data["refreshToken"].as_str().unwrap().len() >= 32);
    assert!(data["expire"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap() > jiff::Timestamp::now());
    let user = &data["user"];
    assert_eq!(
        (&user["username"], &user["role"], &user["email"]),
        (&json!("admin"), &json!("admin"), &json!(""))
    );
    assert!(user["id"].is_i64());
    let cookie = answer.header("set-cookie");
    assert!(
        cookie.contains("HttpOnly; SameSite=Strict") && cookie.contains("Path=/;"),
        "{cookie}"
    );
    assert!(!cookie.contains("Secure"), "{cookie}");

    let by_cookie = server
        .client
        .get(server.url("/api/auth/me"))
        .header("cookie", cookie.split(';').next().unwrap());
    assert_eq!(send(by_cookie).await.data()["username"], "admin");
    server.stop().await;
}

#[tokio::test]
async fn the_cookie_is_bound_to_https_where_the_browser_speaks_it() {
    let server = Server::with(Setup {
        api: Options {
            trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
            ..Options::default()
        },
        ..Setup::default()
    })
    .await;
    let body = json!({"username": "admin", "password": PASSWORD});
    let names = [("https", "__Host-podgate_session"), ("http", "podgate_session")];
    for (scheme, name) in names {
        let request = server
            .client
            .post(server.url("/api/auth/login"))
            .header("x-forwarded-proto", scheme)
            .json(&body);
        let answer = send(request).await;
        let token = answer.data()["token"].as_str().unwrap().to_owned();
        let secure = if scheme == "https" { "; Secure" } else { "" };
        let expected = format!("{name}={token}; Path=/; HttpOnly; SameSite=Strict{secure}");
        assert_eq!(answer.header("set-cookie"), expected);
        // A page of a sibling domain can set a cookie of the other name.
        for (_, other) in names {
            let request = server
                .client
                .get(server.url("/api/auth/me"))
                .header("x-forwarded-proto", scheme)
                .header("cookie", format!("{other}={token}"));
            let status = send(request).await.status;
            assert_eq!(status, if other == name { 200 } else { 401 }, "{scheme} {other}");
        }
        let request = server
            .client
            .post(server.url("/api/auth/logout"))
            .header("x-forwarded-proto", scheme)
            .header("cookie", format!("{name}={token}"));
        let answer = send(request).await;
        let back = format!("{name}=; Path=/; HttpOnly; SameSite=Strict{secure}; Max-Age=0");
        assert_eq!(answer.header("set-cookie"), back);
    }
    server.stop().await;
}

#[tokio::test]
async fn under_a_base_path_the_secure_cookie_keeps_its_path() {
    let server = Server::with(Setup {
        api: Options {
            base_path: BASE_PATH.into(),
            trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
            ..Options::default()
        },
        ..Setup::default()
    })
    .await;
    let body = json!({"username": "admin", "password": PASSWORD});
    let request = server
        .client
        .post(server.url("/podgate/api/auth/login"))
        .header("x-forwarded-proto", "https")
        .json(&body);
    let answer = send(request).await;
    let cookie = answer.header("set-cookie");
    assert!(
        cookie.starts_with("__Secure-podgate_session=") && cookie.contains("; Path=/podgate; "),
        "{cookie}"
    );
    let request = server
        .client
        .get(server.url("/podgate/api/auth/me"))
        .header("x-forwarded-proto", "https")
        .header("cookie", cookie.split(';').next().unwrap());
    assert_eq!(send(request).await.data()["username"], "admin");
    server.stop().await;
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_get_the_same_answer() {
    let server = Server::start().await;
    let wrong = login(&server, "admin", "wrong").await.fails(401_001);
    let unknown = login(&server, "no-such-user", "wrong").await.fails(401_001);
    assert_eq!(wrong, unknown);
    server.stop().await;
}

#[tokio::test]
async fn too_many_failures_close_the_door_for_a_while() {
    let server = Server::with(Setup {
        sessions: sessions::Options {
            failures: 3,
            ..sessions::Options::default()
        },
        ..Setup::default()
    })
    .await;
    for _ in 0..3 {
        login(&server, "admin", "wrong").await.fails(401_001);
    }
    let answer = login(&server, "admin", PASSWORD).await;
    answer.fails(429_001);
    assert!(answer.header("retry-after").parse::<u64>().unwrap() > 0);
    server.stop().await;
}

#[tokio::test]
async fn a_refresh_gives_new_tokens_and_works_once() {
    let server = Server::start().await;
    let first = login(&server, "admin", PASSWORD).await.data();
    let refresh = json!({"refreshToken": first["refreshToken"]});
    let second = server
        .request("POST", "/api/auth/refresh", None, Some(&refresh))
        .await
        .data();
    assert_ne!(first["token"], second["token"]);
    assert_ne!(first["refreshToken"], second["refreshToken"]);
    let token = second["token"].as_str().unwrap();
    assert_eq!(
        server.request("GET", "/api/auth/me", Some(token), None).await.status,
        200
    );
    // Used again, it was stolen: the session ends.
    let again = server.request("POST", "/api/auth/refresh", None, Some(&refresh)).await;
    again.fails(401_002);
    assert_eq!(
        server.request("GET", "/api/auth/me", Some(token), None).await.status,
        401
    );
    server.stop().await;
}

/// Returns each cookie that an answer sets, with its attributes.
fn cookies(answer: &Answer) -> Vec<(String, String)> {
    let lines = answer.headers.get_all("set-cookie").iter();
    let pairs = lines.map(|line| line.to_str().unwrap().split_once("; ").unwrap());
    pairs
        .map(|(pair, attributes)| (pair.to_owned(), attributes.to_owned()))
        .collect()
}

#[tokio::test]
async fn a_browser_refreshes_by_cookie_and_no_script_sees_a_token() {
    for base in ["", BASE_PATH] {
        let server = Server::with(Setup {
            api: Options {
                base_path: base.into(),
                ..Options::default()
            },
            ..Setup::default()
        })
        .await;
        let path = format!("{base}/api/auth/refresh");
        let origin = format!("http://{}", server.address);
        let post = |path: &str, cookie: &str| {
            let request = server.client.post(server.url(path)).header("origin", &origin);
            request.header("cookie", cookie)
        };
        let body = json!({"username": "admin", "password": PASSWORD});
        let answer = send(post(&format!("{base}/api/auth/login"), "").json(&body)).await;
        let [_, (first, attributes)] = &cookies(&answer)[..] else {
            panic!("{:?}", answer.headers)
        };
        assert!(first.starts_with("podgate_refresh="), "{first}");
        let expected = format!("Path={path}; HttpOnly; SameSite=Strict; Max-Age=");
        let age: i64 = attributes.strip_prefix(&expected).unwrap().parse().unwrap();
        assert!((604_000..=604_800).contains(&age), "{age}");

        let answer = send(post(&path, first).json(&json!({}))).await;
        assert_eq!(answer.data()["refreshToken"], "");
        let [(session, _), (second, _)] = &cookies(&answer)[..] else {
            panic!("{:?}", answer.headers)
        };
        assert_ne!(first, second);
        // Another tab comes with the cookie before: the jar has the new ones already.
        let other = send(post(&path, first).json(&json!({}))).await;
        assert_eq!(
            (&other.data()["token"], &other.data()["refreshToken"]),
            (&json!(""), &json!(""))
        );
        assert!(cookies(&other).is_empty());

        let me = server
            .client
            .get(server.url(&format!("{base}/api/auth/me")))
            .header("cookie", session);
        let me = send(me).await.data();
        let time = |field: &str| me[field].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        assert!(time("expire") > jiff::Timestamp::now() && time("sessionExpire") > time("expire"));

        let answer = send(post(&format!("{base}/api/auth/logout"), session).json(&json!({}))).await;
        let gone: Vec<_> = cookies(&answer);
        assert!(
            gone.len() == 2 && gone.iter().all(|(pair, _)| pair.ends_with('=')),
            "{gone:?}"
        );
        assert!(
            gone.iter().all(|(_, attributes)| attributes.ends_with("Max-Age=0")),
            "{gone:?}"
        );
        send(post(&path, second).json(&json!({}))).await.fails(401_003);
        send(post(&path, "").json(&json!({}))).await.fails(401_003);
        server.stop().await;
    }
}

#[tokio::test]
async fn a_foreign_page_cannot_refresh_by_cookie() {
    let server = Server::start().await;
    let request = server.client.post(server.url("/api/auth/refresh"));
    let request = request
        .header("origin", "https://evil.example")
        .header("cookie", "podgate_refresh=x");
    send(request.json(&json!({}))).await.fails(403_002);
    server.stop().await;
}

#[tokio::test]
async fn a_log_out_works_at_once_and_takes_the_cookie_back() {
    let server = Server::start().await;
    assert_eq!(server.get("/api/auth/me").await.data()["username"], "admin");
    let answer = server.post("/api/auth/logout", json!({})).await;
    assert_eq!(
        answer.json(),
        json!({"code": 200, "message": "Logged out", "data": null})
    );
    assert!(
        answer.header("set-cookie").contains("Max-Age=0"),
        "{:?}",
        answer.headers
    );
    assert_eq!(server.get("/api/auth/me").await.status, 401);
    server.stop().await;
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions_and_keeps_this_one() {
    let server = Server::start().await;
    let other = server.login("admin", PASSWORD).await;
    let new = "another long passphrase";
    let change = |old: &str, new: &str| json!({"oldPassword": old, "newPassword": new});
    server
        .post("/api/auth/change-password", change("wrong", new))
        .await
        .fails(401_001);
    server
        .post("/api/auth/change-password", change(PASSWORD, "x"))
        .await
        .fails(400_002);
    assert_eq!(
        server
            .post("/api/auth/change-password", change(PASSWORD, new))
            .await
            .status,
        200
    );
    assert_eq!(server.get("/api/auth/me").await.status, 200);
    assert_eq!(
        server.request("GET", "/api/auth/me", Some(&other), None).await.status,
        401
    );
    login(&server, "admin", PASSWORD).await.fails(401_001);
    login(&server, "admin", new).await.data();
    server.stop().await;
}

#[tokio::test]
async fn a_ticket_is_for_a_websocket_of_podgate_only() {
    let server = Server::start().await;
    for path in [
        "",
        "/api/clusters",
        "https://evil.example/ws/x",
        "ws/clusters",
        "/ws/../api/clusters",
    ] {
        server
            .post("/api/ws-tickets", json!({"path": path}))
            .await
            .fails(400_002);
    }
    server.stop().await;
}
