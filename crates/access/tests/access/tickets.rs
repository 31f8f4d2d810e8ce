//! WebSocket tickets.

use std::sync::Arc;

use podgate_access::{Caller, Denied, User, tickets::Tickets};
use tokio_util::sync::CancellationToken;

use crate::{SECOND, Time};

const TARGET: &str = "/ws/clusters/1/namespaces/shop/pods/web/exec?container=web&command=%2Fbin%2Fsh";

fn caller(session: i64) -> Caller {
    Caller {
        user: Arc::new(User {
            id: 1,
            username: "admin".to_owned(),
            email: String::new(),
            role: "admin".to_owned(),
        }),
        session,
        token_expires_at: i64::MAX,
        expires_at: i64::MAX,
        revoked: CancellationToken::new(),
        unconfirmed: CancellationToken::new(),
    }
}

fn tickets() -> (Time, Tickets) {
    let time = Time::default();
    let tickets = Tickets::with_clock(time.clock());
    (time, tickets)
}

#[test]
fn a_ticket_opens_its_target_once() {
    let (_, tickets) = tickets();
    let ticket = tickets.issue(&caller(7), TARGET).unwrap();
    assert!(ticket.starts_with("pgt_"));
    assert_eq!(tickets.redeem(&ticket, TARGET).unwrap().session, 7);
    let denied = tickets.redeem(&ticket, TARGET).unwrap_err();
    assert!(matches!(denied, Denied::NoCredential(_)), "{denied}");
}

#[test]
fn a_ticket_opens_nothing_else_and_is_used_up_by_the_try() {
    let (_, tickets) = tickets();
    for other in [
        "/ws/clusters/1/namespaces/shop/pods/web/exec",
        "",
        "/ws/clusters/2",
        &format!("{TARGET}&tty=false"),
    ] {
        let ticket = tickets.issue(&caller(7), TARGET).unwrap();
        tickets.redeem(&ticket, other).unwrap_err();
        tickets.redeem(&ticket, TARGET).unwrap_err();
    }
}

#[test]
fn a_ticket_lives_thirty_seconds() {
    let (time, tickets) = tickets();
    let [early, late] = [(); 2].map(|()| tickets.issue(&caller(7), TARGET).unwrap());
    time.pass(30 * SECOND - 1);
    tickets.redeem(&early, TARGET).unwrap();
    time.pass(1);
    tickets.redeem(&late, TARGET).unwrap_err();
}

#[test]
fn a_ticket_dies_with_its_session() {
    let (_, tickets) = tickets();
    let caller = caller(7);
    let ticket = tickets.issue(&caller, TARGET).unwrap();
    caller.revoked.cancel();
    tickets.redeem(&ticket, TARGET).unwrap_err();
    let denied = tickets.issue(&caller, TARGET).unwrap_err();
    assert!(matches!(denied, Denied::SessionExpired), "{denied}");
}

#[test]
fn unused_tickets_of_a_session_are_bounded() {
    let (time, tickets) = tickets();
    let caller = caller(7);
    for _ in 0..32 {
        tickets.issue(&caller, TARGET).unwrap();
    }
    let denied = tickets.issue(&caller, TARGET).unwrap_err();
    assert!(matches!(denied, Denied::TooMany { retry_after: 30 }), "{denied}");
    tickets.issue(&self::caller(8), TARGET).unwrap();
    time.pass(30 * SECOND);
    tickets.issue(&caller, TARGET).unwrap();
}

#[test]
fn only_the_path_of_a_websocket_gets_a_ticket() {
    let (_, tickets) = tickets();
    let long = format!("/ws/{}", "x".repeat(8192));
    for target in [
        "",
        "/",
        "/api/clusters",
        "ws/pods",
        "https://x/ws/pods",
        "/ws/a b",
        "/ws/a#b",
        "/ws/é",
        "/ws/../api",
        "/ws/a/%2E%2e/b",
        "/ws/./a",
        &long,
    ] {
        let denied = tickets.issue(&caller(7), target).unwrap_err();
        assert!(matches!(denied, Denied::Invalid(_)), "{target}: {denied}");
    }
}

#[test]
fn a_text_that_is_not_a_ticket_is_refused() {
    let (_, tickets) = tickets();
    for ticket in ["", "pgt_", "pgs_AAAA", &format!("pgt_{}", "A".repeat(43))] {
        tickets.redeem(ticket, TARGET).unwrap_err();
    }
}
