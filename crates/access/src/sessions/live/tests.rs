//! What is taken in, what ends, and what is noted.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::Denied;

fn user() -> User {
    User {
        id: 1,
        username: "admin".to_owned(),
        email: String::new(),
        role: "admin".to_owned(),
    }
}

fn session(id: i64) -> Session {
    let mut token_hash = [0; 32];
    token_hash[..8].copy_from_slice(&id.to_be_bytes());
    Session {
        id,
        user_id: 1,
        token_hash,
        created_at: 0,
        last_used_at: id,
        token_expires_at: i64::MAX,
        expires_at: i64::MAX,
    }
}

#[test]
fn what_was_read_before_a_session_ended_is_not_taken_in() {
    let mut live = Live::new(i64::MAX, i64::MAX);
    let before = live.generation();
    // Another request reads the session, and then it ends.
    live.remove(7);
    assert!(live.insert(&session(7), user(), before, 0).is_none());
    assert!(matches!(live.find(&session(7).token_hash, 0), Found::Unknown));
    assert!(live.insert(&session(7), user(), live.generation(), 0).is_some());
}

#[test]
fn the_changes_of_other_sessions_turn_no_reader_away() {
    let mut live = Live::new(i64::MAX, i64::MAX);
    let before = live.generation();
    for other in 1..100 {
        live.rotate(other, [9; 32], i64::MAX, 0);
    }
    assert!(live.insert(&session(0), user(), before, 0).is_some());
}

#[test]
fn what_was_read_before_a_password_was_changed_is_not_taken_in() {
    let mut live = Live::new(i64::MAX, i64::MAX);
    let before = live.generation();
    live.remove_of_user_except(1, 8);
    assert!(live.insert(&session(7), user(), before, 0).is_none());
    assert!(live.insert(&session(7), user(), live.generation(), 0).is_some());
}

#[test]
fn what_another_process_ended_ends_though_tokens_rotate_meanwhile() {
    let mut live = Live::new(i64::MAX, i64::MAX);
    let ended = live.insert(&session(7), user(), 0, 0).unwrap();
    live.insert(&session(8), user(), 0, 0).unwrap();
    let (asked, before) = (live.ids(), live.generation());
    live.rotate(8, [9; 32], i64::MAX, 0);
    // The database was read before the rotation was written.
    live.reconcile(&asked, vec![(session(8), user())], before, 0);
    assert!(ended.revoked.is_cancelled());
    assert!(matches!(live.find(&session(7).token_hash, 0), Found::Unknown));
    assert!(
        matches!(live.find(&[9; 32], 0), Found::Caller(_)),
        "the token of the rotation is the one that counts"
    );
}

#[test]
fn two_readers_of_one_session_share_its_end() {
    let mut live = Live::new(i64::MAX, i64::MAX);
    let [one, two] = [(); 2].map(|()| live.insert(&session(7), user(), live.generation(), 0).unwrap());
    live.remove(7);
    assert!(one.revoked.is_cancelled() && two.revoked.is_cancelled());
}

#[test]
fn a_session_that_the_database_can_not_confirm_is_unknown_after_a_while_and_ends_here() {
    let mut live = Live::new(i64::MAX, 1000);
    let mut other = session(8);
    other.last_used_at = 0;
    let [caller, kept] = [session(7), other.clone()].map(|session| live.insert(&session, user(), 0, 0).unwrap());
    live.reconcile(&[8], vec![(other, user())], live.generation(), 500);
    live.remove_unconfirmed(999);
    assert!(matches!(live.find(&session(7).token_hash, 999), Found::Caller(_)));
    assert!(matches!(live.find(&session(7).token_hash, 1000), Found::Unknown));
    // The database answers again before its streams are ended: they go on.
    let again = live.insert(&session(7), user(), live.generation(), 1000).unwrap();
    live.remove_unconfirmed(1000);
    assert!(!caller.revoked.is_cancelled() && !again.revoked.is_cancelled());
    live.remove_unconfirmed(1500);
    assert!(matches!(kept.end(), Denied::Unavailable) && kept.revoked.is_cancelled());
    assert!(!caller.revoked.is_cancelled());
    live.remove(7);
    assert!(matches!(caller.end(), Denied::SessionExpired));
}

#[test]
fn beyond_the_bound_the_longest_unused_goes_and_is_ended() {
    let mut live = Live::new(i64::MAX, i64::MAX);
    let kept = i64::try_from(KEPT).unwrap();
    let oldest = live.insert(&session(1), user(), 0, 0).unwrap();
    for id in 2..=kept + 1 {
        live.insert(&session(id), user(), live.generation(), 0).unwrap();
    }
    assert!(oldest.revoked.is_cancelled());
    assert_eq!((live.sessions.len(), live.by_token.len()), (KEPT, KEPT));
}

#[test]
fn a_use_is_noted_once_a_minute() {
    let mut live = Live::new(i64::MAX, i64::MAX);
    live.insert(&session(0), user(), 0, 0).unwrap();
    let token = session(0).token_hash;
    for (now, noted) in [
        (0, false),
        (59_999, false),
        (60_000, true),
        (60_001, false),
        (120_000, true),
    ] {
        assert!(matches!(live.find(&token, now), Found::Caller(_)));
        let expected = if noted { vec![(0, now)] } else { Vec::new() };
        assert_eq!(live.touches(), expected, "{now}");
        // The database may be away: what it has not got is there the next time.
        assert_eq!(live.touches(), expected, "{now}");
        for (id, at) in expected {
            live.touched(id, at);
        }
    }
    assert!(live.touches().is_empty(), "unused since");
}
