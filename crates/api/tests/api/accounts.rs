//! Log-in limits, expired tokens and disabled accounts, as a client sees them.

use podgate_access::sessions;
use podgate_api::Options;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::support::{Answer, PASSWORD, Server, Setup, send};

async fn server(sessions: sessions::Options, proxies: &[&str]) -> Server {
    let trusted_proxies = proxies.iter().map(|network| network.parse().unwrap()).collect();
    Server::with(Setup {
        sessions,
        api: Options {
            trusted_proxies,
            ..Options::default()
        },
        ..Setup::default()
    })
    .await
}

/// Logs in with a header that names an address as the client's.
async fn login_for(server: &Server, address: &str, username: &str, password: &str) -> Answer {
    let request = server
        .client
        .post(server.url("/api/auth/login"))
        .header("x-forwarded-for", address)
        .json(&json!({"username": username, "password": password}));
    send(request).await
}

fn three_failures() -> sessions::Options {
    sessions::Options {
        failures: 3,
        network_failures: 3,
        ..sessions::Options::default()
    }
}

fn cookie(headers: &HeaderMap) -> String {
    let cookie = headers.get("set-cookie").unwrap().to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

async fn me(server: &Server, token: &Value) -> Answer {
    server.request("GET", "/api/auth/me", token.as_str(), None).await
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_caller_has_a_limit_of_its_own() {
    let server = server(three_failures(), &["127.0.0.0/8"]).await;
    for n in 0..3 {
        let answer = login_for(&server, "203.0.113.1", &format!("user-{n}"), "wrong").await;
        answer.fails(401_001);
    }
    let refused = login_for(&server, "203.0.113.1", "admin", PASSWORD).await;
    refused.fails(429_001);
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=300).contains(&wait), "{wait}");
    login_for(&server, "203.0.113.2", "admin", PASSWORD).await.data();
    server.stop().await;
}

#[tokio::test]
async fn a_forged_forwarded_address_does_not_evade_the_limit() {
    let server = server(three_failures(), &[]).await;
    for n in 0..3 {
        let answer = login_for(&server, &format!("203.0.113.{n}"), &format!("user-{n}"), "wrong").await;
        answer.fails(401_001);
    }
    login_for(&server, "203.0.113.9", "admin", PASSWORD)
        .await
        .fails(429_001);
    server.stop().await;
}

#[tokio::test]
async fn guesses_from_everywhere_do_not_keep_the_administrator_out() {
    let server = server(three_failures(), &["127.0.0.0/8"]).await;
    login_for(&server, "203.0.113.9", "admin", PASSWORD).await.data();
    for n in 0..3 {
        let answer = login_for(&server, &format!("203.0.113.{n}"), "Admin", "wrong").await;
        answer.fails(401_001);
    }
    login_for(&server, "203.0.113.9", "admin", PASSWORD).await.data();
    server.stop().await;
}

#[tokio::test]
async fn one_account_behind_a_nat_does_not_keep_the_others_out() {
    let few = sessions::Options {
        failures: 3,
        ..sessions::Options::default()
    };
    let server = server(few, &["127.0.0.0/8"]).await;
    server.nobody().await;
    for code in [401_001, 401_001, 401_001, 429_001, 429_001] {
        login_for(&server, "203.0.113.1", "nobody", "wrong").await.fails(code);
    }
    login_for(&server, "203.0.113.1", "admin", PASSWORD).await.data();
    server.stop().await;
}

#[tokio::test]
async fn a_session_that_guesses_its_password_is_stopped_by_itself() {
    let server = server(three_failures(), &[]).await;
    let change = |old: &str| json!({"oldPassword": old, "newPassword": "another long passphrase"});
    for code in [401_001, 401_001, 401_001, 429_001] {
        let answer = server.post("/api/auth/change-password", change("wrong")).await;
        answer.fails(code);
    }
    let token = server.login("admin", PASSWORD).await;
    let changed = change(PASSWORD);
    let answer = server
        .request("POST", "/api/auth/change-password", Some(&token), Some(&changed))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    server.stop().await;
}

#[tokio::test]
async fn a_refresh_token_ends_a_session_whose_access_token_is_over() {
    let expired = sessions::Options {
        token: 0,
        ..sessions::Options::default()
    };
    let server = server(expired, &[]).await;
    let body = json!({"username": "admin", "password": PASSWORD});
    let login = server.request("POST", "/api/auth/login", None, Some(&body)).await;
    let data = login.data();
    let token = data["token"].as_str();
    server
        .request("POST", "/api/auth/logout", token, None)
        .await
        .fails(401_002);
    let logout = json!({"refreshToken": data["refreshToken"]});
    let answer = server.request("POST", "/api/auth/logout", token, Some(&logout)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    let refresh = server.request("POST", "/api/auth/refresh", None, Some(&logout)).await;
    refresh.fails(401_003);
    let again = server.request("POST", "/api/auth/logout", None, Some(&logout)).await;
    let message = again.fails(401_003);
    assert!(message.contains("refresh token"), "{message}");
    server.stop().await;
}

#[tokio::test]
async fn a_log_out_with_both_tokens_ends_the_sessions_of_both() {
    let server = Server::start().await;
    let body = json!({"username": "admin", "password": PASSWORD});
    let login = server.request("POST", "/api/auth/login", None, Some(&body)).await;
    let data = login.data();
    let logout = json!({"refreshToken": data["refreshToken"]});
    let answer = server.post("/api/auth/logout", logout).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    me(&server, &data["token"]).await.fails(401_003);
    server.get("/api/auth/me").await.fails(401_003);
    server.stop().await;
}

#[tokio::test]
async fn a_log_out_takes_no_body_but_a_good_one() {
    let server = Server::start().await;
    for (media, body, code) in [
        ("application/json", r#"{"refreshToken":1}"#, 400_002),
        ("application/json", r#"{"token":"x"}"#, 400_002),
        ("application/json", "{", 400_002),
        ("text/plain", "{}", 415_001),
    ] {
        let request = server
            .build("POST", "/api/auth/logout")
            .header("content-type", media)
            .body(body);
        send(request).await.fails(code);
    }
    assert_eq!(server.get("/api/auth/me").await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn without_the_database_lists_and_streams_work_and_all_else_is_503002() {
    let server = Server::start().await;
    server.run_pod("default", "web", &["main"]).await;
    let path = "/ws/clusters/sim/namespaces/default/pods/web/logs";
    let mut stream = server.ws(path).await;
    let unknown = format!("pgs_{}", "A".repeat(43));
    server.store.close().await.unwrap();
    let list = server.get("/api/clusters/sim/pods").await.data();
    assert_eq!(list["total"], 1);
    stream.send(json!({"type": "subscribe", "follow": true})).await;
    stream.next_of("subscribed").await;
    let login = json!({"username": "admin", "password": PASSWORD});
    let refresh = json!({"refreshToken": format!("pgr_{}", "A".repeat(43))});
    for answer in [
        server.request("POST", "/api/auth/login", None, Some(&login)).await,
        server.request("POST", "/api/auth/refresh", None, Some(&refresh)).await,
        server.request("GET", "/api/pods", Some(&unknown), None).await,
        server.get("/api/clusters").await,
        server
            .ws_with(path, &[("authorization", &format!("Bearer {unknown}"))])
            .await
            .unwrap_err(),
        server.post("/api/auth/logout", json!({})).await,
    ] {
        let message = answer.fails(503_002);
        assert!(message.contains("database"), "{message}");
        assert!(answer.header("retry-after").parse::<u64>().unwrap() > 0);
    }
    // The log-out did what it could.
    assert_eq!(stream.rest().await.1, 4401);
    let ready = server.request("GET", "/readyz", None, None).await;
    assert_eq!((ready.status, &ready.json()["database"]), (200, &json!(false)));
    server.stop().await;
}

#[tokio::test]
async fn a_stream_whose_session_cannot_be_confirmed_closes_with_4503() {
    let brief = sessions::Options {
        unconfirmed: 0,
        ..sessions::Options::default()
    };
    let server = server(brief, &[]).await;
    server.run_pod("default", "web", &["main"]).await;
    let mut stream = server.ws("/ws/clusters/sim/namespaces/default/pods/web/logs").await;
    server.store.close().await.unwrap();
    server.sessions.sweep_once().await.unwrap_err();
    let (frames, close) = stream.rest().await;
    assert_eq!((close, frames.last().unwrap()["code"].as_u64()), (4503, Some(503_002)));
    server.get("/api/clusters/sim/pods").await.fails(503_002);
    server.stop().await;
}

#[tokio::test]
async fn an_expired_token_is_401002_and_a_refresh_renews_it_with_the_cookie() {
    let expired = sessions::Options {
        token: 0,
        ..sessions::Options::default()
    };
    let server = server(expired, &[]).await;
    let body = json!({"username": "admin", "password": PASSWORD});
    let login = server.request("POST", "/api/auth/login", None, Some(&body)).await;
    let data = login.data();
    me(&server, &data["token"]).await.fails(401_002);
    let by_cookie = server
        .client
        .get(server.url("/api/auth/me"))
        .header("cookie", cookie(&login.headers));
    send(by_cookie).await.fails(401_002);
    let refresh = json!({"refreshToken": data["refreshToken"]});
    let refreshed = server.request("POST", "/api/auth/refresh", None, Some(&refresh)).await;
    let token = refreshed.data()["token"].as_str().unwrap().to_owned();
    assert_eq!(cookie(&refreshed.headers), format!("podgate_session={token}"));
    server.stop().await;
}

#[tokio::test]
async fn an_ended_session_cannot_be_refreshed() {
    let over = sessions::Options {
        absolute: 0,
        ..sessions::Options::default()
    };
    let server = server(over, &[]).await;
    let body = json!({"username": "admin", "password": PASSWORD});
    let data = server
        .request("POST", "/api/auth/login", None, Some(&body))
        .await
        .data();
    me(&server, &data["token"]).await.fails(401_002);
    let refresh = json!({"refreshToken": data["refreshToken"]});
    let refused = server.request("POST", "/api/auth/refresh", None, Some(&refresh)).await;
    refused.fails(401_002);
    server.stop().await;
}

#[tokio::test]
async fn a_disabled_account_is_reported_only_after_its_right_password() {
    let server = Server::start().await;
    let admin = server.store.user_by_name("admin").await.unwrap().unwrap();
    server.store.set_disabled(admin.id, true, 0).await.unwrap();
    let login = async |password: &str| {
        let body = json!({"username": "admin", "password": password});
        server.request("POST", "/api/auth/login", None, Some(&body)).await
    };
    let message = login(PASSWORD).await.fails(401_004);
    assert!(message.contains("`admin`") && message.contains("disabled"), "{message}");
    login("wrong").await.fails(401_001);
    server.stop().await;
}

#[tokio::test]
async fn a_text_that_is_not_a_refresh_token_is_not_a_credential() {
    let server = Server::start().await;
    for token in [
        "",
        "x",
        &server.token,
        &format!("pgr_{}", "A".repeat(43)),
        &"x".repeat(5000),
    ] {
        let body = json!({"refreshToken": token});
        let refused = server.request("POST", "/api/auth/refresh", None, Some(&body)).await;
        refused.fails(401_003);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_changed_password_closes_the_other_sessions_sockets() {
    let server = Server::start().await;
    server.run_pod("default", "web", &["main"]).await;
    let path = "/ws/clusters/sim/namespaces/default/pods/web/logs";
    let other = server.login("admin", PASSWORD).await;
    let authorization = format!("Bearer {other}");
    let mut theirs = server
        .ws_with(path, &[("authorization", &authorization)])
        .await
        .unwrap();
    let mut mine = server.ws(path).await;
    let change = json!({"oldPassword": PASSWORD, "newPassword": "another long passphrase"});
    assert_eq!(server.post("/api/auth/change-password", change).await.status, 200);
    let (frames, close) = theirs.rest().await;
    assert_eq!((close, frames.last().unwrap()["code"].as_u64()), (4401, Some(401_002)));
    mine.send(json!({"type": "subscribe", "follow": true})).await;
    mine.next_of("subscribed").await;
    server.stop().await;
}
