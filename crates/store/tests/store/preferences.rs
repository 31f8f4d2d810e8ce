//! Stores users' preferences.

use crate::{Fixture, user};

#[tokio::test]
async fn preferences_are_each_users_own_and_are_replaced_as_a_whole() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let (first, second) = (user(store, "first").await, user(store, "second").await);
    assert_eq!(store.preferences(first.id).await.unwrap().as_deref(), Some(""));
    let text = "{\"theme\":\"dark\",\"name\":\"\\u0000 \u{6df1}\u{8272} '\"}";
    assert!(store.set_preferences(first.id, text, None).await.unwrap());
    assert!(store.set_preferences(first.id, "{}", None).await.unwrap());
    assert!(store.set_preferences(first.id, text, None).await.unwrap());
    assert_eq!(store.preferences(second.id).await.unwrap().as_deref(), Some(""));
    let read = fixture.reopen().await.preferences(first.id).await.unwrap();
    assert_eq!(read.as_deref(), Some(text));
    assert_eq!(store.user_by_id(first.id).await.unwrap(), Some(first));
}

#[tokio::test]
async fn preferences_that_have_changed_are_not_replaced() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let id = user(store, "admin").await.id;
    assert!(store.set_preferences(id, "{\"a\":1}", Some("")).await.unwrap());
    assert!(!store.set_preferences(id, "{\"a\":2}", Some("")).await.unwrap());
    assert_eq!(store.preferences(id).await.unwrap().as_deref(), Some("{\"a\":1}"));
    assert!(store.set_preferences(id, "{\"a\":2}", Some("{\"a\":1}")).await.unwrap());
}

#[tokio::test]
async fn of_two_who_replace_the_same_preferences_one_succeeds() {
    let fixture = Fixture::new().await;
    let id = user(&fixture.store, "admin").await.id;
    let other = fixture.reopen().await;
    let (first, second) = tokio::join!(
        fixture.store.set_preferences(id, "{\"a\":1}", Some("")),
        other.set_preferences(id, "{\"a\":2}", Some("")),
    );
    assert!(first.unwrap() != second.unwrap());
}

#[tokio::test]
async fn an_unknown_user_has_no_preferences() {
    let fixture = Fixture::new().await;
    assert_eq!(fixture.store.preferences(7).await.unwrap(), None);
    assert!(!fixture.store.set_preferences(7, "{}", None).await.unwrap());
}
