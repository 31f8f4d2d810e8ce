//! Stores sessions and their tokens.

use podgate_store::{NewSession, Rotation, Session, Store, Used};

use crate::{Fixture, user};

async fn session(store: &Store, user: i64, n: u8, now: i64) -> Session {
    let new = NewSession {
        user_id: user,
        token_hash: [n; 32],
        refresh_hash: [n + 100; 32],
        refresh_family: [n + 200; 32],
        token_expires_at: now + 60,
        expires_at: now + 1000,
    };
    store.insert_session(new, now).await.unwrap()
}

fn rotation(used: u8, n: u8) -> Rotation {
    Rotation {
        used: Used::Present,
        used_refresh_hash: [used; 32],
        token_hash: [n; 32],
        refresh_hash: [n + 100; 32],
        refresh_family: [201; 32],
        token_expires_at: 900,
    }
}

#[tokio::test]
async fn a_session_is_found_by_either_token_with_its_user() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let admin = user(store, "admin").await;
    let made = session(store, admin.id, 1, 500).await;
    assert_eq!((made.created_at, made.last_used_at), (500, 500));
    assert_eq!((made.token_expires_at, made.expires_at), (560, 1500));
    let expected = Some((made, admin));
    assert_eq!(store.session_by_token(&[1; 32]).await.unwrap(), expected);
    assert_eq!(store.session_by_refresh(&[101; 32]).await.unwrap(), expected);
    assert_eq!(store.session_by_token(&[101; 32]).await.unwrap(), None);
    assert_eq!(store.session_by_refresh(&[1; 32]).await.unwrap(), None);
    assert_eq!(store.session_by_refresh_family(&[201; 32]).await.unwrap(), expected);
    assert_eq!(store.session_by_refresh_family(&[101; 32]).await.unwrap(), None);
}

#[tokio::test]
async fn a_rotation_uses_the_refresh_token_up() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let admin = user(store, "admin").await;
    let id = session(store, admin.id, 1, 500).await.id;
    assert!(store.rotate_session(id, &rotation(101, 2), 600).await.unwrap());
    let (rotated, _) = store.session_by_token(&[2; 32]).await.unwrap().unwrap();
    assert_eq!(
        (rotated.id, rotated.last_used_at, rotated.token_expires_at),
        (id, 600, 900)
    );
    assert_eq!(store.session_by_token(&[1; 32]).await.unwrap(), None);
    assert_eq!(store.session_by_refresh(&[101; 32]).await.unwrap(), None);
    let (used, _) = store.session_by_refresh_family(&[201; 32]).await.unwrap().unwrap();
    assert_eq!(used.id, id);
    // Once a present token was used, the one before is used up.
    store.touch_session(id, &[2; 32], 600).await.unwrap();
    assert!(!store.rotate_session(id, &rotation(101, 3), 601).await.unwrap());
    assert!(store.rotate_session(id, &rotation(102, 4), 602).await.unwrap());
}

#[tokio::test]
async fn the_token_before_rotates_again_until_a_present_one_is_used() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let admin = user(store, "admin").await;
    let id = session(store, admin.id, 1, 500).await.id;
    assert!(store.rotate_session(id, &rotation(101, 2), 600).await.unwrap());
    let before = store.session_by_refresh_before(&[101; 32]).await.unwrap().unwrap().0;
    assert_eq!((before.id, before.rotated_at, before.confirmed), (id, 600, false));
    // The answer was lost, and so is the next one.
    let again = |n| Rotation {
        used: Used::Before,
        ..rotation(101, n)
    };
    for (n, now) in [(3, 601), (4, 602)] {
        assert!(!store.rotate_session(id, &rotation(101, n), now).await.unwrap());
        assert!(store.rotate_session(id, &again(n), now).await.unwrap());
    }
    // A use of a token that was replaced confirms nothing.
    store.touch_session(id, &[3; 32], 603).await.unwrap();
    assert!(!store.session_by_token(&[4; 32]).await.unwrap().unwrap().0.confirmed);
    store.touch_session(id, &[4; 32], 604).await.unwrap();
    assert!(store.session_by_token(&[4; 32]).await.unwrap().unwrap().0.confirmed);
    assert!(!store.rotate_session(id, &again(5), 605).await.unwrap());
    assert!(store.rotate_session(id, &rotation(104, 6), 606).await.unwrap());
    assert!(store.session_by_refresh_before(&[101; 32]).await.unwrap().is_none());
}

#[tokio::test]
async fn a_touch_moves_forward_only() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let admin = user(store, "admin").await;
    let id = session(store, admin.id, 1, 500).await.id;
    for (at, recorded) in [(700, 700), (600, 700), (701, 701)] {
        store.touch_session(id, &[1; 32], at).await.unwrap();
        let (read, _) = store.session_by_token(&[1; 32]).await.unwrap().unwrap();
        assert_eq!(read.last_used_at, recorded);
    }
}

#[tokio::test]
async fn sessions_are_removed_one_by_one_or_by_a_new_password() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let (admin, other) = (user(store, "admin").await.id, user(store, "other").await.id);
    let mut ids = Vec::new();
    for n in 1..=4 {
        ids.push(session(store, admin, n, 500).await.id);
    }
    let foreign = session(store, other, 5, 500).await.id;
    assert!(store.delete_session(ids[0]).await.unwrap());
    assert!(!store.delete_session(ids[0]).await.unwrap());
    let password = store.user_by_id(admin).await.unwrap().unwrap().password;
    assert!(store.set_password(admin, password, ids[1], 600).await.unwrap());
    ids.push(foreign);
    let mut left: Vec<i64> = store
        .sessions_by_ids(&ids)
        .await
        .unwrap()
        .iter()
        .map(|(s, _)| s.id)
        .collect();
    left.sort_unstable();
    assert_eq!(left, [ids[1], foreign]);
}

#[tokio::test]
async fn a_user_keeps_its_most_recently_used_sessions() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let admin = user(store, "admin").await.id;
    let mut ids = Vec::new();
    for n in 1..=4 {
        ids.push(session(store, admin, n, 500 + i64::from(n)).await.id);
    }
    store.touch_session(ids[0], &[1; 32], 900).await.unwrap();
    assert!(store.trim_sessions(admin, 4).await.unwrap().is_empty());
    assert_eq!(store.trim_sessions(admin, 2).await.unwrap(), [ids[2], ids[1]]);
    assert_eq!(store.sessions_by_ids(&ids).await.unwrap().len(), 2);
}

#[tokio::test]
async fn expired_and_unused_sessions_are_removed() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let admin = user(store, "admin").await.id;
    for (n, at) in [(1, 0), (2, 500), (3, 1000)] {
        session(store, admin, n, at).await;
    }
    // The first ended at 1000; the second was last used at 500.
    assert_eq!(store.delete_expired_sessions(999, -1).await.unwrap(), 0);
    assert_eq!(store.delete_expired_sessions(1000, -1).await.unwrap(), 1);
    assert_eq!(store.delete_expired_sessions(1000, 500).await.unwrap(), 1);
    assert!(store.session_by_token(&[3; 32]).await.unwrap().is_some());
}

#[tokio::test]
async fn a_session_without_a_user_is_refused_by_the_database() {
    let fixture = Fixture::new().await;
    let new = NewSession {
        user_id: 1,
        token_hash: [1; 32],
        refresh_hash: [2; 32],
        refresh_family: [3; 32],
        token_expires_at: 1,
        expires_at: 1,
    };
    fixture.store.insert_session(new, 0).await.unwrap_err();
}
