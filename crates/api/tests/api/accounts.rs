//! What limits, expiry and a barred account look like from outside.

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

/// A log-in that says it was forwarded for an address.
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
async fn an_account_is_limited_from_everywhere() {
    let server = server(three_failures(), &["127.0.0.0/8"]).await;
    for n in 0..3 {
        let answer = login_for(&server, &format!("203.0.113.{n}"), "Admin", "wrong").await;
        answer.fails(401_001);
    }
    login_for(&server, "203.0.113.9", "admin", PASSWORD)
        .await
        .fails(429_001);
    server.stop().await;
}

#[tokio::test]
async fn an_expired_token_is_told_so_and_refreshed_cookie_and_all() {
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
async fn a_session_that_is_over_can_not_be_refreshed() {
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
async fn a_disabled_account_is_told_so_to_who_knows_its_password() {
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
async fn what_is_no_refresh_token_is_no_credential() {
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
