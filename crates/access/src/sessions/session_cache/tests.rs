//! Which sessions the cache accepts, ends and reports as used.

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
        rotated_at: 0,
        confirmed: false,
    }
}

#[test]
fn a_session_read_before_its_end_is_not_cached() {
    let mut cache = SessionCache::new(i64::MAX, i64::MAX);
    let before = cache.generation();
    // Another request reads the session, and then it ends.
    cache.remove(7);
    assert!(cache.insert(&session(7), user(), before, 0).is_none());
    assert!(matches!(cache.find(&session(7).token_hash, 0), Lookup::Unknown));
    assert!(cache.insert(&session(7), user(), cache.generation(), 0).is_some());
}

#[test]
fn the_changes_of_other_sessions_turn_no_reader_away() {
    let mut cache = SessionCache::new(i64::MAX, i64::MAX);
    let before = cache.generation();
    for other in 1..100 {
        cache.rotate(other, [9; 32], i64::MAX, 0);
    }
    assert!(cache.insert(&session(0), user(), before, 0).is_some());
}

#[test]
fn a_session_read_before_a_change_of_password_is_not_cached() {
    let mut cache = SessionCache::new(i64::MAX, i64::MAX);
    let before = cache.generation();
    cache.remove_of_user_except(1, 8);
    assert!(cache.insert(&session(7), user(), before, 0).is_none());
    assert!(cache.insert(&session(7), user(), cache.generation(), 0).is_some());
}

#[test]
fn a_session_ended_by_another_process_ends_while_its_tokens_rotate() {
    let mut cache = SessionCache::new(i64::MAX, i64::MAX);
    let ended = cache.insert(&session(7), user(), 0, 0).unwrap();
    cache.insert(&session(8), user(), 0, 0).unwrap();
    let (asked, before) = (cache.ids(), cache.generation());
    cache.rotate(8, [9; 32], i64::MAX, 0);
    // The database was read before the rotation was written.
    cache.reconcile(&asked, vec![(session(8), user())], before, 0);
    assert!(ended.revoked.is_cancelled());
    assert!(matches!(cache.find(&session(7).token_hash, 0), Lookup::Unknown));
    assert!(
        matches!(cache.find(&[9; 32], 0), Lookup::Caller(_)),
        "the token of the rotation is the one that counts"
    );
}

#[test]
fn two_readers_of_one_session_share_its_end() {
    let mut cache = SessionCache::new(i64::MAX, i64::MAX);
    let [one, two] = [(); 2].map(|()| cache.insert(&session(7), user(), cache.generation(), 0).unwrap());
    cache.remove(7);
    assert!(one.revoked.is_cancelled() && two.revoked.is_cancelled());
}

#[test]
fn a_session_that_the_database_cannot_confirm_is_unknown_after_a_while_and_ends_here() {
    let mut cache = SessionCache::new(i64::MAX, 1000);
    let mut other = session(8);
    other.last_used_at = 0;
    let [caller, kept] = [session(7), other.clone()].map(|session| cache.insert(&session, user(), 0, 0).unwrap());
    cache.reconcile(&[8], vec![(other, user())], cache.generation(), 500);
    cache.remove_unconfirmed(999);
    assert!(matches!(cache.find(&session(7).token_hash, 999), Lookup::Caller(_)));
    assert!(matches!(cache.find(&session(7).token_hash, 1000), Lookup::Unknown));
    // The database answers again before its streams are ended: they continue.
    let again = cache.insert(&session(7), user(), cache.generation(), 1000).unwrap();
    cache.remove_unconfirmed(1000);
    assert!(!caller.revoked.is_cancelled() && !again.revoked.is_cancelled());
    cache.remove_unconfirmed(1500);
    assert!(matches!(kept.end(), Denied::Unavailable) && kept.revoked.is_cancelled());
    assert!(!caller.revoked.is_cancelled());
    cache.remove(7);
    assert!(matches!(caller.end(), Denied::SessionExpired));
}

#[test]
fn beyond_the_bound_the_longest_unused_goes_and_is_ended() {
    let mut cache = SessionCache::new(i64::MAX, i64::MAX);
    let kept = i64::try_from(KEPT).unwrap();
    let oldest = cache.insert(&session(1), user(), 0, 0).unwrap();
    for id in 2..=kept + 1 {
        cache.insert(&session(id), user(), cache.generation(), 0).unwrap();
    }
    assert!(oldest.revoked.is_cancelled());
    assert_eq!((cache.sessions.len(), cache.by_token.len()), (KEPT, KEPT));
}

#[test]
fn a_use_is_noted_once_a_minute() {
    let mut cache = SessionCache::new(i64::MAX, i64::MAX);
    let known = Session {
        confirmed: true,
        ..session(0)
    };
    cache.insert(&known, user(), 0, 0).unwrap();
    let token = known.token_hash;
    for (now, noted) in [
        (0, false),
        (59_999, false),
        (60_000, true),
        (60_001, false),
        (120_000, true),
    ] {
        assert!(matches!(cache.find(&token, now), Lookup::Caller(_)));
        let expected = if noted { vec![(0, token, now)] } else { Vec::new() };
        assert_eq!(cache.touches(), expected, "{now}");
        // The database may be away: what it has not got is there the next time.
        assert_eq!(cache.touches(), expected, "{now}");
        for (id, token, at) in expected {
            cache.touched(id, &token, at);
        }
    }
    assert!(cache.touches().is_empty(), "unused since");
}

#[test]
fn the_first_use_of_new_tokens_is_noted_at_once() {
    let mut cache = SessionCache::new(i64::MAX, i64::MAX);
    let fresh = session(0);
    cache.insert(&fresh, user(), 0, 5).unwrap();
    assert!(cache.is_in_use(0));
    assert_eq!(cache.touches(), [(0, fresh.token_hash, 5)]);
    cache.rotate(0, [9; 32], i64::MAX, 6);
    assert!(!cache.is_in_use(0) && cache.touches().is_empty());
    assert!(matches!(cache.find(&[9; 32], 6), Lookup::Caller(_)));
    assert!(cache.is_in_use(0));
    // What the database got before the rotation was about the token before.
    cache.touched(0, &fresh.token_hash, 5);
    assert_eq!(cache.touches(), [(0, [9; 32], 6)]);
    cache.touched(0, &[9; 32], 6);
    assert!(cache.touches().is_empty());
}
