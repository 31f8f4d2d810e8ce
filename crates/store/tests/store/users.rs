//! Stores users and their passwords.

use podgate_store::{Error, NewUser, Priority};

use crate::{Fixture, user};

#[tokio::test]
async fn a_user_is_found_by_its_name_in_any_case_and_by_its_number() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    assert_eq!(store.count_users().await.unwrap(), 0);
    let made = user(store, "Admin").await;
    assert_eq!(made.username, "admin");
    assert_eq!(store.count_users().await.unwrap(), 1);
    assert_eq!(store.user_by_name("ADMIN").await.unwrap().as_ref(), Some(&made));
    assert_eq!(store.user_by_id(made.id).await.unwrap().as_ref(), Some(&made));
    assert_eq!(store.user_by_name("nobody").await.unwrap(), None);
    assert_eq!(fixture.reopen().await.user_by_name("admin").await.unwrap(), Some(made));
}

#[tokio::test]
async fn a_name_is_taken_in_any_case() {
    let fixture = Fixture::new().await;
    let first = user(&fixture.store, "admin").await;
    let again = NewUser {
        username: "ADMIN".to_owned(),
        email: String::new(),
        role: "admin".to_owned(),
        password: first.password,
    };
    let error = fixture.store.create_user(again, 1).await.unwrap_err();
    assert!(matches!(&error, Error::Taken(name) if name == "admin"), "{error}");
}

#[tokio::test]
async fn a_password_is_replaced() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let made = user(store, "admin").await;
    let turn = store.passwords().turn(Priority::High).await.unwrap();
    let new = turn.hash("battery staple", "admin").await.unwrap();
    assert!(store.set_password(made.id, new.clone(), 0, 2000).await.unwrap());
    let read = store.user_by_id(made.id).await.unwrap().unwrap();
    assert_eq!((&read.password, read.updated_at), (&new, 2000));
    assert!(turn.verify("battery staple", Some(&read.password)).await.unwrap());
    assert!(!turn.verify("correct horse", Some(&read.password)).await.unwrap());
    assert!(!store.set_password(made.id + 1, new, 0, 2000).await.unwrap());
}

#[tokio::test]
async fn a_user_is_barred_while_disabled_or_locked() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let id = user(store, "admin").await.id;
    let barred = async |now| store.user_by_id(id).await.unwrap().unwrap().is_barred(now);
    assert!(!barred(0).await);
    store.set_disabled(id, true, 1).await.unwrap();
    assert!(barred(0).await);
    store.set_disabled(id, false, 1).await.unwrap();
    store.set_locked_until(id, Some(500), 1).await.unwrap();
    assert!(barred(499).await && !barred(500).await);
    store.set_locked_until(id, None, 1).await.unwrap();
    assert!(!barred(499).await);
}
