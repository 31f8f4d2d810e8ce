//! Log-in, refresh, log-out, the own account and WebSocket tickets.

use serde_json::json;

use crate::support::{PASSWORD, Server};

#[tokio::test]
async fn a_log_in_answers_the_specified_fields_and_sets_the_cookie() {
    let server = Server::start().await;
    let body = json!({"username": "admin", "password": PASSWORD});
    let answer = server.request("POST", "/api/auth/login", None, Some(&body)).await;
    let data = answer.data();
    assert!(data["token"].as_str().unwrap().len() >= 32);
    assert!(data["refreshToken"].as_str().unwrap().len() >= 32);
    assert!(data["expire"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap() > jiff::Timestamp::now());
    assert_eq!(data["user"]["username"], "admin");
    assert_eq!(data["user"]["role"], "admin");
    assert_eq!(data["user"]["email"], "");
    assert!(data["user"]["id"].is_i64());
    let cookie = answer.header("set-cookie");
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && cookie.contains("Path=/"),
        "{cookie}"
    );
    assert!(!cookie.contains("Secure"), "{cookie}");
    server.stop().await;
}
