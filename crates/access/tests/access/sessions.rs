//! Log-in, refresh, log-out, expiry, limits.

use podgate_access::{
    Denied, Sessions,
    sessions::{Options, RefreshedBy},
};
use podgate_store::Priority;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{Fixture, HOUR, PASSWORD, SECOND, Time, open, peer};

#[tokio::test]
async fn a_log_in_gives_tokens_of_the_user() {
    let fixture = Fixture::new().await;
    let login = fixture
        .sessions
        .login("ADMIN", PASSWORD, peer("10.0.0.1"))
        .await
        .unwrap();
    assert!(login.token.starts_with("pgs_") && login.refresh_token.starts_with("pgr_"));
    assert_eq!((login.expires_at, login.user.role.as_str()), (HOUR, "admin"));
    let caller = fixture.sessions.authenticate(&login.token).await.unwrap();
    assert_eq!(*caller.user, login.user);
    assert!(!caller.revoked.is_cancelled());
    assert!(!format!("{login:?}").contains("pg"), "{login:?}");
}

#[tokio::test]
async fn a_session_is_good_in_another_process_and_after_a_restart() {
    let fixture = Fixture::new().await;
    let login = fixture.login().await;
    let caller = fixture.replica().authenticate(&login.token).await.unwrap();
    assert_eq!(caller.user.username, "admin");
}

#[tokio::test]
async fn a_foreign_token_is_not_a_credential() {
    let fixture = Fixture::new().await;
    let login = fixture.login().await;
    let unknown = format!("pgs_{}", "A".repeat(43));
    for token in ["", "x", "pgs_", &unknown, &login.refresh_token, &login.token[1..]] {
        let denied = fixture.sessions.authenticate(token).await.unwrap_err();
        assert!(matches!(denied, Denied::NoCredential(_)), "{token}: {denied}");
        let denied = fixture
            .sessions
            .refresh(token, RefreshedBy::Body)
            .await
            .err()
            .filter(|_| token != login.refresh_token);
        assert!(
            token == login.refresh_token || matches!(denied, Some(Denied::NoCredential(_))),
            "{token}"
        );
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_get_the_same_error() {
    let fixture = Fixture::new().await;
    let long = "x".repeat(100_000);
    for (username, password) in [
        ("admin", "wrong"),
        ("admin", ""),
        ("admin", long.as_str()),
        ("nobody", PASSWORD),
        ("", PASSWORD),
        ("a\0b", PASSWORD),
        (long.as_str(), PASSWORD),
    ] {
        // Each from elsewhere, so that no limit is met; `admin` fails three times.
        let denied = fixture
            .sessions
            .login(username, password, peer("10.0.0.1"))
            .await
            .unwrap_err();
        assert!(matches!(denied, Denied::WrongPassword), "{denied}");
    }
}

#[tokio::test]
async fn failures_of_a_network_are_limited_across_user_names() {
    let fixture = Fixture::new().await;
    let sessions = fixture.sessions_with(Options {
        network_failures: 5,
        ..Options::default()
    });
    let from = peer("10.0.0.1");
    for n in 0..5 {
        let denied = sessions.login(&format!("user-{n}"), "wrong", from).await.unwrap_err();
        assert!(matches!(denied, Denied::WrongPassword), "{n}: {denied}");
        fixture.time.pass(SECOND);
    }
    let denied = sessions.login("admin", PASSWORD, from).await.unwrap_err();
    assert!(matches!(denied, Denied::TooMany { retry_after: 295 }), "{denied}");
    sessions.login("admin", PASSWORD, peer("10.0.0.2")).await.unwrap();
    fixture.time.pass(295 * SECOND);
    sessions.login("admin", PASSWORD, from).await.unwrap();
}

#[tokio::test]
async fn failures_of_an_account_are_limited_from_their_network_whether_there_is_one_or_not() {
    let fixture = Fixture::new().await;
    for username in ["admin", "nobody"] {
        for _ in 0..10 {
            let from = peer("2001:db8:0:1::1");
            fixture.sessions.login(username, "wrong", from).await.unwrap_err();
        }
        let from = peer("2001:db8:0:1::2");
        let denied = fixture.sessions.login(username, PASSWORD, from).await.unwrap_err();
        assert!(
            matches!(denied, Denied::TooMany { retry_after: 300 }),
            "{username}: {denied}"
        );
    }
}

#[tokio::test]
async fn guesses_from_many_networks_do_not_bar_an_account_where_it_has_logged_in() {
    let fixture = Fixture::new().await;
    fixture.login().await;
    // Also after a restart.
    let sessions = fixture.replica();
    for n in 0..10 {
        let from = peer(&format!("2001:db8:{n}::1"));
        sessions.login("admin", "wrong", from).await.unwrap_err();
    }
    sessions.login("admin", PASSWORD, peer("10.0.0.1")).await.unwrap();
    fixture.time.pass(30 * 24 * HOUR - SECOND);
    sessions.sweep_once().await.unwrap();
    let known = async || {
        fixture
            .store
            .knows_network("admin", peer("10.0.0.1"), -1)
            .await
            .unwrap()
    };
    assert!(known().await);
    fixture.time.pass(SECOND);
    sessions.sweep_once().await.unwrap();
    assert!(!known().await);
}

#[tokio::test]
async fn successes_do_not_count() {
    let fixture = Fixture::new().await;
    for _ in 0..12 {
        fixture.login().await;
    }
}

#[tokio::test]
async fn tries_in_parallel_do_not_slip_through_the_limit() {
    let fixture = Fixture::new().await;
    let tries = (0..30).map(|_| {
        let sessions = fixture.sessions.clone();
        tokio::spawn(async move { sessions.login("admin", "wrong", peer("10.0.0.1")).await.unwrap_err() })
    });
    let mut wrong = 0;
    for denied in tries.collect::<Vec<_>>() {
        match denied.await.unwrap() {
            Denied::WrongPassword => wrong += 1,
            Denied::TooMany { .. } => {}
            other => panic!("{other}"),
        }
    }
    assert_eq!(wrong, 10);
}

#[tokio::test]
async fn a_refresh_replaces_both_tokens_and_keeps_the_session() {
    let fixture = Fixture::new().await;
    let login = fixture.login().await;
    let before = fixture.sessions.authenticate(&login.token).await.unwrap();
    fixture.time.pass(HOUR);
    let denied = fixture.sessions.authenticate(&login.token).await.unwrap_err();
    assert!(matches!(denied, Denied::SessionExpired), "{denied}");
    let fresh = fixture
        .sessions
        .refresh(&login.refresh_token, RefreshedBy::Body)
        .await
        .unwrap();
    assert_eq!(fresh.expires_at, 2 * HOUR);
    assert!(fresh.token != login.token && fresh.refresh_token != login.refresh_token);
    let after = fixture.sessions.authenticate(&fresh.token).await.unwrap();
    assert_eq!(after.session, before.session);
    assert!(!before.revoked.is_cancelled(), "open streams go on");
    let denied = fixture.sessions.authenticate(&login.token).await.unwrap_err();
    assert!(matches!(denied, Denied::NoCredential(_)), "{denied}");
}

#[tokio::test]
async fn a_refresh_token_used_twice_ends_the_session() {
    let fixture = Fixture::new().await;
    let login = fixture.login().await;
    let fresh = fixture
        .sessions
        .refresh(&login.refresh_token, RefreshedBy::Body)
        .await
        .unwrap();
    let caller = fixture.sessions.authenticate(&fresh.token).await.unwrap();
    let denied = fixture
        .sessions
        .refresh(&login.refresh_token, RefreshedBy::Body)
        .await
        .err()
        .unwrap();
    assert!(matches!(denied, Denied::SessionExpired), "{denied}");
    assert!(caller.revoked.is_cancelled());
    fixture.sessions.authenticate(&fresh.token).await.unwrap_err();
    fixture
        .sessions
        .refresh(&fresh.refresh_token, RefreshedBy::Body)
        .await
        .unwrap_err();
}

#[tokio::test]
async fn a_refresh_token_used_up_long_ago_ends_the_session_too() {
    let fixture = Fixture::new().await;
    let stolen = fixture.login().await;
    // The thief refreshes again and again before the owner comes.
    let mut thief = fixture
        .sessions
        .refresh(&stolen.refresh_token, RefreshedBy::Body)
        .await
        .unwrap();
    for _ in 0..3 {
        thief = fixture
            .sessions
            .refresh(&thief.refresh_token, RefreshedBy::Body)
            .await
            .unwrap();
    }
    let caller = fixture.sessions.authenticate(&thief.token).await.unwrap();
    let other = fixture.login().await;
    let denied = fixture
        .sessions
        .refresh(&stolen.refresh_token, RefreshedBy::Body)
        .await
        .err()
        .unwrap();
    assert!(matches!(denied, Denied::SessionExpired), "{denied}");
    assert!(caller.revoked.is_cancelled());
    fixture
        .sessions
        .refresh(&thief.refresh_token, RefreshedBy::Body)
        .await
        .unwrap_err();
    fixture
        .sessions
        .refresh(&other.refresh_token, RefreshedBy::Body)
        .await
        .unwrap();
}

#[tokio::test]
async fn of_two_refreshes_at_once_the_tokens_of_one_are_good() {
    let fixture = Fixture::new().await;
    let login = fixture.login().await;
    let refresh = || fixture.sessions.refresh(&login.refresh_token, RefreshedBy::Body);
    let (one, two) = tokio::join!(refresh(), refresh());
    let one = fixture.sessions.authenticate(&one.unwrap().token).await;
    let two = fixture.sessions.authenticate(&two.unwrap().token).await;
    assert!(one.is_ok() != two.is_ok());
}

#[tokio::test]
async fn a_client_whose_answer_was_lost_gets_other_tokens() {
    let fixture = Fixture::new().await;
    let login = fixture.login().await;
    for by in [RefreshedBy::Body, RefreshedBy::Cookie] {
        let lost = fixture.sessions.refresh(&login.refresh_token, by).await.unwrap();
        fixture.time.pass(11 * SECOND);
        let fresh = fixture.sessions.refresh(&login.refresh_token, by).await.unwrap();
        assert!(!fresh.token.is_empty() && fresh.token != lost.token);
        let denied = fixture.sessions.authenticate(&lost.token).await.unwrap_err();
        assert!(matches!(denied, Denied::NoCredential(_)), "{denied}");
        fixture.time.pass(11 * SECOND);
    }
    let fresh = fixture
        .sessions
        .refresh(&login.refresh_token, RefreshedBy::Body)
        .await
        .unwrap();
    let caller = fixture.sessions.authenticate(&fresh.token).await.unwrap();
    let denied = fixture
        .sessions
        .refresh(&login.refresh_token, RefreshedBy::Body)
        .await
        .unwrap_err();
    assert!(matches!(denied, Denied::SessionExpired), "{denied}");
    assert!(caller.revoked.is_cancelled());
}

#[tokio::test]
async fn a_lost_refresh_token_that_is_found_again_ends_the_session() {
    let fixture = Fixture::new().await;
    let login = fixture.login().await;
    let lost = fixture
        .sessions
        .refresh(&login.refresh_token, RefreshedBy::Body)
        .await
        .unwrap();
    let fresh = fixture
        .sessions
        .refresh(&login.refresh_token, RefreshedBy::Body)
        .await
        .unwrap();
    let denied = fixture
        .sessions
        .refresh(&lost.refresh_token, RefreshedBy::Body)
        .await
        .unwrap_err();
    assert!(matches!(denied, Denied::SessionExpired), "{denied}");
    fixture.sessions.authenticate(&fresh.token).await.unwrap_err();
}

#[tokio::test]
async fn of_twenty_tabs_that_refresh_at_once_one_gets_tokens_and_none_ends_the_session() {
    let fixture = Fixture::new().await;
    let login = fixture.login().await;
    let refresh = || {
        let (sessions, token) = (fixture.sessions.clone(), login.refresh_token.clone());
        async move { sessions.refresh(&token, RefreshedBy::Cookie).await }
    };
    let tabs: JoinSet<_> = (0..20).map(|_| refresh()).collect();
    let answers = tabs.join_all().await;
    let tokens: Vec<String> = answers.into_iter().map(|answer| answer.unwrap().token).collect();
    let mut given = tokens.iter().filter(|token| !token.is_empty());
    let caller = fixture.sessions.authenticate(given.next().unwrap()).await.unwrap();
    assert_eq!(given.next(), None);
    // A tab that was asleep comes later, after the new token was used.
    fixture.time.pass(9 * SECOND);
    assert_eq!(refresh().await.unwrap().token, "");
    fixture.time.pass(SECOND);
    assert!(matches!(refresh().await, Err(Denied::SessionExpired)));
    assert!(caller.revoked.is_cancelled());
}

#[tokio::test]
async fn a_use_in_one_process_ends_the_mercy_in_another() {
    let fixture = Fixture::new().await;
    let login = fixture.login().await;
    let fresh = fixture
        .sessions
        .refresh(&login.refresh_token, RefreshedBy::Body)
        .await
        .unwrap();
    let other = fixture.replica();
    fixture.sessions.authenticate(&fresh.token).await.unwrap();
    fixture.sessions.sweep_once().await.unwrap();
    let denied = other
        .refresh(&login.refresh_token, RefreshedBy::Body)
        .await
        .unwrap_err();
    assert!(matches!(denied, Denied::SessionExpired), "{denied}");
}

#[tokio::test]
async fn a_log_out_works_at_once() {
    let fixture = Fixture::new().await;
    let (login, other) = (fixture.login().await, fixture.login().await);
    let caller = fixture.sessions.authenticate(&login.token).await.unwrap();
    fixture.sessions.logout(&caller).await.unwrap();
    assert!(caller.revoked.is_cancelled());
    let denied = fixture.sessions.authenticate(&login.token).await.unwrap_err();
    assert!(matches!(denied, Denied::NoCredential(_)), "{denied}");
    fixture
        .sessions
        .refresh(&login.refresh_token, RefreshedBy::Body)
        .await
        .unwrap_err();
    fixture.sessions.authenticate(&other.token).await.unwrap();
}

#[tokio::test]
async fn a_log_out_goes_through_though_the_request_is_gone() {
    let fixture = Fixture::new().await;
    let login = fixture.login().await;
    let caller = fixture.sessions.authenticate(&login.token).await.unwrap();
    let sessions = fixture.sessions.clone();
    let leaving = caller.clone();
    let request = tokio::spawn(async move { sessions.logout(&leaving).await });
    tokio::task::yield_now().await;
    request.abort();
    let _ = request.await;
    caller.revoked.cancelled().await;
    fixture.sessions.authenticate(&login.token).await.unwrap_err();
}

#[tokio::test]
async fn a_session_unused_for_long_ends_and_so_do_its_streams() {
    let fixture = Fixture::new().await;
    let login = fixture.login().await;
    let caller = fixture.sessions.authenticate(&login.token).await.unwrap();
    fixture.time.pass(12 * HOUR - 1);
    fixture.sessions.sweep_once().await.unwrap();
    assert!(!caller.revoked.is_cancelled());
    fixture.time.pass(1);
    fixture.sessions.sweep_once().await.unwrap();
    assert!(caller.revoked.is_cancelled());
    for denied in [
        fixture.sessions.authenticate(&login.token).await.err().unwrap(),
        fixture
            .sessions
            .refresh(&login.refresh_token, RefreshedBy::Body)
            .await
            .err()
            .unwrap(),
    ] {
        assert!(matches!(denied, Denied::SessionExpired), "{denied}");
    }
}

#[tokio::test]
async fn a_session_in_use_ends_after_a_week_in_any_case() {
    let fixture = Fixture::new().await;
    let mut login = fixture.login().await;
    let caller = fixture.sessions.authenticate(&login.token).await.unwrap();
    for _ in 0..7 * 24 - 1 {
        fixture.time.pass(HOUR);
        login = fixture
            .sessions
            .refresh(&login.refresh_token, RefreshedBy::Body)
            .await
            .unwrap();
    }
    assert_eq!(login.expires_at, 7 * 24 * HOUR);
    fixture.sessions.authenticate(&login.token).await.unwrap();
    fixture.time.pass(HOUR);
    fixture.sessions.sweep_once().await.unwrap();
    assert!(caller.revoked.is_cancelled());
    let denied = fixture
        .sessions
        .refresh(&login.refresh_token, RefreshedBy::Body)
        .await
        .err()
        .unwrap();
    assert!(matches!(denied, Denied::SessionExpired), "{denied}");
}

#[tokio::test]
async fn use_keeps_a_session_alive_also_over_a_restart() {
    let fixture = Fixture::new().await;
    let options = Options {
        token: 7 * 24 * 3600,
        ..Options::default()
    };
    let start = || Sessions::with_clock(fixture.store.clone(), options.clone(), fixture.time.clock());
    let sessions = start();
    let login = sessions.login("admin", PASSWORD, peer("10.0.0.1")).await.unwrap();
    for _ in 0..3 {
        fixture.time.pass(11 * HOUR);
        sessions.authenticate(&login.token).await.unwrap();
        sessions.sweep_once().await.unwrap();
    }
    fixture.time.pass(11 * HOUR);
    start().authenticate(&login.token).await.unwrap();
}

#[tokio::test]
async fn an_expired_session_is_forgotten_a_day_later() {
    let fixture = Fixture::new().await;
    let login = fixture.login().await;
    fixture.time.pass(36 * HOUR);
    fixture.sessions.sweep_once().await.unwrap();
    let denied = fixture.sessions.authenticate(&login.token).await.unwrap_err();
    assert!(matches!(denied, Denied::NoCredential(_)), "{denied}");
}

#[tokio::test]
async fn a_session_ended_or_disabled_by_another_process_ends_here() {
    let fixture = Fixture::new().await;
    let replica = fixture.replica();
    let (one, two) = (fixture.login().await, fixture.login().await);
    let ended = fixture.sessions.authenticate(&one.token).await.unwrap();
    let barred = fixture.sessions.authenticate(&two.token).await.unwrap();
    replica
        .logout(&replica.authenticate(&one.token).await.unwrap())
        .await
        .unwrap();
    fixture.sessions.sweep_once().await.unwrap();
    assert!(ended.revoked.is_cancelled() && !barred.revoked.is_cancelled());
    fixture.sessions.authenticate(&one.token).await.unwrap_err();
    fixture.store.set_disabled(barred.user.id, true, 0).await.unwrap();
    fixture.sessions.sweep_once().await.unwrap();
    assert!(barred.revoked.is_cancelled());
    let denied = fixture.sessions.authenticate(&two.token).await.unwrap_err();
    assert!(matches!(denied, Denied::AccountLocked(_)), "{denied}");
}

#[tokio::test]
async fn tokens_refreshed_by_another_process_are_known_here() {
    let fixture = Fixture::new().await;
    let login = fixture.login().await;
    let caller = fixture.sessions.authenticate(&login.token).await.unwrap();
    let fresh = fixture
        .replica()
        .refresh(&login.refresh_token, RefreshedBy::Body)
        .await
        .unwrap();
    fixture.sessions.sweep_once().await.unwrap();
    fixture.sessions.authenticate(&login.token).await.unwrap_err();
    fixture.sessions.authenticate(&fresh.token).await.unwrap();
    assert!(!caller.revoked.is_cancelled());
}

#[tokio::test]
async fn only_who_knows_the_password_learns_that_an_account_is_barred() {
    let fixture = Fixture::new().await;
    let login = fixture.login().await;
    fixture
        .store
        .set_locked_until(login.user.id, Some(HOUR), 0)
        .await
        .unwrap();
    let from = peer("10.0.0.1");
    let denied = fixture.sessions.login("admin", PASSWORD, from).await.unwrap_err();
    assert!(
        matches!(&denied, Denied::AccountLocked(text) if text.contains("1970-01-01T01:00:00Z")),
        "{denied}"
    );
    let denied = fixture.sessions.login("admin", "wrong", from).await.unwrap_err();
    assert!(matches!(denied, Denied::WrongPassword), "{denied}");
    let denied = fixture
        .sessions
        .refresh(&login.refresh_token, RefreshedBy::Body)
        .await
        .err()
        .unwrap();
    assert!(matches!(denied, Denied::AccountLocked(_)), "{denied}");
    fixture.time.pass(HOUR);
    fixture.sessions.login("admin", PASSWORD, from).await.unwrap();
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions() {
    let fixture = Fixture::new().await;
    let (own, other) = (fixture.login().await, fixture.login().await);
    let caller = fixture.sessions.authenticate(&own.token).await.unwrap();
    let ended = fixture.sessions.authenticate(&other.token).await.unwrap();
    let from = peer("10.0.0.1");
    fixture
        .sessions
        .change_password(&caller, PASSWORD, "another password")
        .await
        .unwrap();
    assert!(ended.revoked.is_cancelled() && !caller.revoked.is_cancelled());
    fixture.sessions.authenticate(&own.token).await.unwrap();
    fixture.sessions.authenticate(&other.token).await.unwrap_err();
    fixture.sessions.login("admin", PASSWORD, from).await.unwrap_err();
    fixture.sessions.login("admin", "another password", from).await.unwrap();
}

#[tokio::test]
async fn a_password_is_not_changed_without_the_old_one_or_to_a_weak_one() {
    let fixture = Fixture::new().await;
    let (login, other) = (fixture.login().await, fixture.login().await);
    let caller = fixture.sessions.authenticate(&login.token).await.unwrap();
    let change = async |old: &str, new: &str| fixture.sessions.change_password(&caller, old, new).await;
    for weak in ["", "1234567", "password123", "admin and the others", &"x".repeat(1025)] {
        let denied = change(PASSWORD, weak).await.unwrap_err();
        assert!(matches!(denied, Denied::Invalid(_)), "{denied}");
    }
    // A weak one counts as a wrong one: it is hashed for as well.
    for _ in 0..5 {
        let denied = change("wrong", "another long password").await;
        assert!(matches!(denied, Err(Denied::WrongPassword)), "{denied:?}");
    }
    let denied = change(PASSWORD, "another long password").await;
    assert!(matches!(denied, Err(Denied::TooMany { .. })), "{denied:?}");
    // It counts against this session alone: neither against log-ins nor against another session.
    fixture.login().await;
    let other = fixture.sessions.authenticate(&other.token).await.unwrap();
    fixture
        .sessions
        .change_password(&other, PASSWORD, "another long password")
        .await
        .unwrap();
}

#[tokio::test]
async fn the_first_password_is_given_or_made_up_and_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = Sessions::with_clock(open(&folder).await, Options::default(), Time::default().clock());
    for weak in ["short", "password123", "podgate-admin"] {
        let denied = sessions.ensure_admin(Some(weak)).await.unwrap_err();
        assert!(matches!(denied, Denied::Invalid(_)), "{denied}");
    }
    let made_up = sessions.ensure_admin(None).await.unwrap().unwrap();
    assert_eq!(made_up.len(), 24);
    sessions.login("admin", &made_up, peer("10.0.0.1")).await.unwrap();
    assert_eq!(sessions.ensure_admin(Some(PASSWORD)).await.unwrap(), None);
    assert_eq!(sessions.ensure_admin(None).await.unwrap(), None);
    sessions.login("admin", PASSWORD, peer("10.0.0.1")).await.unwrap_err();
}

#[tokio::test]
async fn no_token_or_password_is_in_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let sessions = Sessions::new(store.clone(), Options::default());
    sessions.ensure_admin(Some(PASSWORD)).await.unwrap();
    let login = sessions.login("admin", PASSWORD, peer("10.0.0.1")).await.unwrap();
    store.close().await.unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for secret in [&login.token[4..], &login.refresh_token[4..], PASSWORD] {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()));
        }
    }
}

#[tokio::test]
async fn a_known_session_needs_no_database() {
    let fixture = Fixture::new().await;
    let login = fixture.login().await;
    fixture.sessions.authenticate(&login.token).await.unwrap();
    fixture.store.close().await.unwrap();
    fixture.sessions.authenticate(&login.token).await.unwrap();
    fixture.time.pass(60 * SECOND);
    fixture.sessions.authenticate(&login.token).await.unwrap();
}

#[tokio::test]
async fn without_the_database_known_sessions_last_an_hour_and_all_else_says_why() {
    let fixture = Fixture::new().await;
    let (login, other) = (fixture.login().await, fixture.login().await);
    let caller = fixture.sessions.authenticate(&login.token).await.unwrap();
    assert!(fixture.sessions.database_answers());
    fixture.store.close().await.unwrap();
    let sessions = &fixture.sessions;
    for denied in [
        sessions.login("admin", PASSWORD, peer("10.0.0.1")).await.err(),
        sessions.authenticate(&other.token).await.err(),
        sessions.refresh(&login.refresh_token, RefreshedBy::Body).await.err(),
        sessions.logout_by_refresh(&login.refresh_token).await.err(),
        sessions
            .change_password(&caller, PASSWORD, "another password")
            .await
            .err(),
        sessions.sweep_once().await.err(),
    ] {
        assert!(matches!(denied, Some(Denied::Unavailable)), "{denied:?}");
    }
    assert!(!sessions.database_answers());
    fixture.time.pass(HOUR - 1);
    sessions.sweep_once().await.unwrap_err();
    sessions.authenticate(&login.token).await.unwrap();
    fixture.time.pass(1);
    sessions.sweep_once().await.unwrap_err();
    assert!(caller.revoked.is_cancelled());
    assert!(matches!(caller.end(), Denied::Unavailable));
}

#[tokio::test]
async fn nobody_who_waits_for_the_database_keeps_others_from_hashing() {
    let fixture = Fixture::new().await;
    let login = fixture.login().await;
    let caller = fixture.sessions.authenticate(&login.token).await.unwrap();
    let _turn = fixture.store.passwords().turn(Priority::High).await.unwrap();
    fixture.store.close().await.unwrap();
    let change = fixture.sessions.change_password(&caller, PASSWORD, "another password");
    // It asks the database first, so it does not wait for the turn.
    let denied = change.await.unwrap_err();
    assert!(matches!(denied, Denied::Unavailable), "{denied}");
}

#[tokio::test]
async fn a_password_that_is_changed_meanwhile_is_not_changed_back() {
    let fixture = Fixture::new().await;
    let (one, two) = (fixture.login().await, fixture.login().await);
    let one = fixture.sessions.authenticate(&one.token).await.unwrap();
    let two = fixture.sessions.authenticate(&two.token).await.unwrap();
    let turn = fixture.store.passwords().turn(Priority::High).await.unwrap();
    let changes = [(one, "a first other password"), (two, "a second other password")].map(|(caller, new)| {
        let sessions = fixture.sessions.clone();
        tokio::spawn(async move { sessions.change_password(&caller, PASSWORD, new).await })
    });
    // Both ask for the password before we do, on the one connection that there is.
    tokio::task::yield_now().await;
    fixture.store.user_by_name("admin").await.unwrap();
    drop(turn);
    let mut changed = 0;
    for change in changes {
        match change.await.unwrap() {
            Ok(()) => changed += 1,
            Err(denied) => assert!(matches!(denied, Denied::WrongPassword), "{denied}"),
        }
    }
    assert_eq!(changed, 1);
}

#[tokio::test]
async fn a_log_out_without_the_database_works_here_and_says_that_it_is_not_all() {
    let fixture = Fixture::new().await;
    let login = fixture.login().await;
    let caller = fixture.sessions.authenticate(&login.token).await.unwrap();
    fixture.store.close().await.unwrap();
    let denied = fixture.sessions.logout(&caller).await.unwrap_err();
    assert!(matches!(denied, Denied::Unavailable), "{denied}");
    assert!(caller.revoked.is_cancelled());
    assert!(matches!(caller.end(), Denied::SessionExpired));
}

#[tokio::test]
async fn a_refresh_token_ends_its_session_when_the_access_token_is_over() {
    let fixture = Fixture::new().await;
    let (login, other) = (fixture.login().await, fixture.login().await);
    let caller = fixture.sessions.authenticate(&login.token).await.unwrap();
    let fresh = fixture
        .sessions
        .refresh(&login.refresh_token, RefreshedBy::Body)
        .await
        .unwrap();
    fixture.time.pass(HOUR);
    for token in ["", "x", &fresh.token] {
        assert!(!fixture.sessions.logout_by_refresh(token).await.unwrap(), "{token}");
    }
    assert!(!caller.revoked.is_cancelled());
    // Also one that is used up: its owner wants the session to end, or its thief can do no more
    // than that.
    assert!(fixture.sessions.logout_by_refresh(&login.refresh_token).await.unwrap());
    assert!(caller.revoked.is_cancelled());
    assert!(!fixture.sessions.logout_by_refresh(&fresh.refresh_token).await.unwrap());
    assert!(fixture.sessions.logout_by_refresh(&other.refresh_token).await.unwrap());
}

#[tokio::test]
async fn a_session_ended_elsewhere_ends_here_while_its_tokens_rotate() {
    let fixture = Fixture::new().await;
    let (ended, rotated) = (fixture.login().await, fixture.login().await);
    let caller = fixture.sessions.authenticate(&ended.token).await.unwrap();
    fixture.store.delete_session(caller.session).await.unwrap();
    let rotation = tokio::spawn({
        let sessions = fixture.sessions.clone();
        async move {
            let mut token = rotated.refresh_token;
            loop {
                token = sessions.refresh(&token, RefreshedBy::Body).await.unwrap().refresh_token;
                tokio::task::yield_now().await;
            }
        }
    });
    let start = fixture.login().await;
    fixture.sessions.authenticate(&start.token).await.unwrap();
    fixture.sessions.sweep_once().await.unwrap();
    assert!(caller.revoked.is_cancelled());
    rotation.abort();
}

#[tokio::test]
async fn the_sweep_ends_when_it_is_cancelled() {
    let fixture = Fixture::new().await;
    let login = fixture.login().await;
    let caller = fixture.sessions.authenticate(&login.token).await.unwrap();
    fixture.time.pass(12 * HOUR);
    let stop = CancellationToken::new();
    let sweep = tokio::spawn({
        let (sessions, stop) = (fixture.sessions.clone(), stop.clone());
        async move { sessions.sweep(stop).await }
    });
    caller.revoked.cancelled().await;
    stop.cancel();
    sweep.await.unwrap();
}
