//! `GET` and `PUT /api/auth/me/preferences`.

use serde_json::json;

use crate::support::{Answer, Server, send};

const PATH: &str = "/api/auth/me/preferences";

impl Server {
    /// Sets the admin's preferences to a text if they are as one of the tags of `known` says.
    async fn set_if(&self, known: &str, text: &str) -> Answer {
        let request = self.build("PUT", PATH).header("if-match", known);
        send(request.header("content-type", "application/json").body(text.to_owned())).await
    }
}

#[tokio::test]
async fn preferences_are_kept_as_they_were_sent_for_their_owner_alone() {
    let server = Server::start().await;
    assert_eq!(server.get(PATH).await.data(), json!({}));
    let first = json!({"theme": "dark", "views": [{"name": "\u{6545}\u{969c}", "query": "problem=true"}]});
    assert_eq!(server.put(PATH, first.clone()).await.data(), first);
    assert_eq!(server.get(PATH).await.data(), first);
    let text = "{\"b\":1.50, \"a\":123456789012345678901234567890}";
    assert_eq!(server.set_if("*", text).await.status, 200);
    let read = server.get(PATH).await;
    assert!(read.text().contains(text), "{}", read.text());
    let second = server.user("second", "admin").await;
    let answer = server.request("GET", PATH, Some(&second), None).await;
    assert_eq!(answer.data(), json!({}));
    server.stop().await;
}

#[tokio::test]
async fn preferences_that_were_changed_elsewhere_are_not_overwritten() {
    let server = Server::start().await;
    let tag = server.get(PATH).await.header("etag").to_owned();
    assert!(tag.starts_with('"'), "If-Match takes strong tags: {tag}");
    let first = server.set_if(&tag, "{\"a\":1}").await;
    assert_eq!(first.status, 200, "{}", first.text());
    server.set_if(&tag, "{\"a\":2}").await.fails(409_001);
    server.set_if("nonsense", "{\"a\":2}").await.fails(409_001);
    assert_eq!(server.get(PATH).await.data(), json!({"a": 1}));

    let tag = first.header("etag");
    assert_eq!(server.get(PATH).await.header("etag"), tag);
    let known = server.build("GET", PATH).header("if-none-match", tag);
    assert_eq!(send(known).await.status, 304);
    let by_proxy = format!("\"other\", W/{tag}");
    assert_eq!(server.set_if(&by_proxy, "{\"a\":3}").await.status, 200);
    let (one, other) = (server.get(PATH).await, json!({"a": 4}));
    let tag = one.header("etag");
    let (left, right) = tokio::join!(server.set_if(tag, "{\"a\":5}"), server.set_if(tag, "{\"a\":6}"));
    let mut statuses = [left.status, right.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    assert_eq!(server.put(PATH, other.clone()).await.data(), other, "without If-Match");
    server.stop().await;
}

#[tokio::test]
async fn preferences_are_a_small_and_shallow_object() {
    let server = Server::start().await;
    let full = format!("{{\"a\":\"{}\"}}", "x".repeat(16 * 1024 - 8));
    assert_eq!((full.len(), server.set_if("*", &full).await.status), (16 * 1024, 200));
    let over = format!("{{\"a\":\"{}\"}}", "x".repeat(16 * 1024 - 7));
    server.set_if("*", &over).await.fails(413_001);
    let message = server
        .put(PATH, json!({"a": [[[[[[[["deep"]]]]]]]]}))
        .await
        .fails(400_002);
    assert!(message.contains("8 levels"), "{message}");
    for text in ["[]", "null", "\"a\"", "{\"a\":\"\\ud800\"}", "{} {}"] {
        server.set_if("*", text).await.fails(400_002);
    }
    assert_eq!(
        server.get(PATH).await.data()["a"].as_str().unwrap().len(),
        16 * 1024 - 8
    );
    server.stop().await;
}
