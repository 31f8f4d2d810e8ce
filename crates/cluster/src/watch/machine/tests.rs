use super::*;

fn feed(machine: &mut Machine, inputs: &[Input<'_>]) -> Step {
    let steps = inputs.iter().map(|input| machine.step(*input));
    steps.last().unwrap_or_else(|| step(Health::Unchanged, Next::Read))
}

fn change(version: &str) -> Input<'_> {
    Input::Changed { version }
}

fn end(version: &str) -> Input<'_> {
    Input::Bookmark { version, end: true }
}

fn bookmark(version: &str) -> Input<'_> {
    Input::Bookmark { version, end: false }
}

fn page<'a>(version: &'a str, token: &'a str) -> Input<'a> {
    let pods = 1;
    Input::Page { version, token, pods }
}

fn watch(version: &str) -> Call {
    Call::Watch {
        version: version.to_owned(),
    }
}

fn at_page(token: &str) -> Call {
    Call::Page {
        token: token.to_owned(),
    }
}

/// Returns a machine whose watch is settled at a version.
fn watching(version: &str) -> Machine {
    let mut machine = Machine::new();
    feed(&mut machine, &[Input::Opened, end(version), bookmark(version)]);
    assert_eq!(machine.wait(), Wait::Silence);
    machine
}

fn is_stale(step: Step) -> bool {
    matches!(step.health, Health::Stale(_)) && !step.finish
}

#[test]
fn a_streaming_list_becomes_a_watch_of_the_same_connection() {
    let mut machine = Machine::new();
    assert_eq!((machine.call(), machine.wait()), (Call::Stream, Wait::Progress));
    assert!(machine.call().begins_list());
    // Initial events come in any order of versions.
    let before = feed(&mut machine, &[Input::Opened, change("9"), change("3"), change("")]);
    assert_eq!(before, step(Health::Unchanged, Next::Read));
    let done = machine.step(end("20"));
    assert_eq!(
        (done.finish, done.health, done.next),
        (true, Health::Confirmed, Next::Read)
    );
    assert_eq!(machine.call(), watch("20"));
    assert_eq!(machine.step(change("21")), step(Health::Confirmed, Next::Read));
    assert_eq!(machine.call(), watch("21"));
}

#[test]
fn a_server_that_refuses_streaming_lists_is_paged_then_and_later() {
    for status in [400, 404, 405, 406, 415, 422] {
        let mut machine = Machine::new();
        assert_eq!(
            machine.step(Input::Refused { status }),
            step(Health::Unchanged, Next::Call)
        );
        assert_eq!(machine.call(), at_page(""), "{status}");
        feed(
            &mut machine,
            &[Input::Opened, page("5", ""), Input::Opened, bookmark("5"), Input::Gone],
        );
        assert_eq!(machine.call(), at_page(""), "{status}");
    }
}

#[test]
fn a_server_that_ignores_them_is_paged_then_and_later() {
    for sign in [Input::Silent, bookmark("7"), Input::Bookmark { version: "", end: true }] {
        let mut machine = Machine::new();
        let found = feed(&mut machine, &[Input::Opened, change("3"), sign]);
        assert_eq!(
            (found, machine.call()),
            (step(Health::Unchanged, Next::Call), at_page(""))
        );
        feed(&mut machine, &[page("9", ""), bookmark("9"), Input::Silent]);
        assert_eq!(machine.call(), at_page(""));
    }
}

#[test]
fn a_refusal_that_is_not_about_streaming_is_retried_as_it_is() {
    for status in [401, 403, 408, 429, 500, 503, 504] {
        let mut machine = Machine::new();
        let refused = machine.step(Input::Refused { status });
        assert_eq!((refused.next, is_stale(refused)), (Next::Retry { failures: 1 }, true));
        assert_eq!(machine.call(), Call::Stream, "{status}");
    }
}

#[test]
fn a_streaming_list_that_breaks_twice_is_paged_once() {
    let mut machine = Machine::new();
    assert_eq!(
        feed(&mut machine, &[Input::Opened, change("1"), Input::Broken]).next,
        Next::Retry { failures: 1 }
    );
    assert_eq!(machine.call(), Call::Stream);
    assert_eq!(
        feed(&mut machine, &[Input::Opened, Input::Ended]).next,
        Next::Retry { failures: 2 }
    );
    assert_eq!(machine.call(), at_page(""));
    feed(&mut machine, &[page("5", ""), bookmark("6"), Input::Gone]);
    assert_eq!(machine.call(), Call::Stream);
}

#[test]
fn pages_show_the_state_of_the_first() {
    let mut machine = Machine::new();
    machine.step(Input::Refused { status: 422 });
    assert_eq!(
        feed(&mut machine, &[Input::Opened, page("5", "t1")]),
        step(Health::Unchanged, Next::Call)
    );
    assert_eq!(machine.call(), at_page("t1"));
    assert!(!machine.call().begins_list());
    let done = feed(&mut machine, &[Input::Opened, page("6", "")]);
    assert_eq!(
        (done.finish, done.health, done.next),
        (true, Health::Confirmed, Next::Call)
    );
    assert_eq!(machine.call(), watch("5"));
}

#[test]
fn a_page_that_fails_is_asked_for_again_and_at_last_all_of_them() {
    let mut machine = Machine::new();
    feed(&mut machine, &[Input::Refused { status: 422 }, page("5", "t1")]);
    for failures in 1..=4 {
        assert_eq!(machine.step(Input::Broken).next, Next::Retry { failures });
        assert_eq!(machine.call(), at_page("t1"));
    }
    machine.step(Input::Silent);
    assert_eq!(machine.call(), at_page(""));
    // The version of the abandoned list is forgotten.
    feed(&mut machine, &[page("8", "")]);
    assert_eq!(machine.call(), watch("8"));
}

#[test]
fn a_page_that_comes_makes_good_for_the_failures_before_it() {
    let mut machine = Machine::new();
    feed(&mut machine, &[Input::Refused { status: 422 }, page("5", "t0")]);
    for round in 0..20 {
        for failures in 1..=3 {
            assert_eq!(machine.step(Input::Broken).next, Next::Retry { failures });
            assert_eq!(machine.call(), at_page(&format!("t{round}")));
        }
        machine.step(page("5", &format!("t{}", round + 1)));
    }
    machine.step(page("5", ""));
    assert_eq!(machine.call(), watch("5"));
}

#[test]
fn a_list_that_cannot_be_watched_is_repeated_ever_less_often() {
    let mut machine = Machine::new();
    machine.step(Input::Refused { status: 422 });
    for failures in 1..=6 {
        feed(&mut machine, &[page("5", "t1"), page("5", "")]);
        assert_eq!(machine.step(Input::Gone).next, Next::Retry { failures });
        assert_eq!(machine.call(), at_page(""));
    }
}

#[test]
fn a_list_that_always_expires_is_asked_for_in_one_piece() {
    let mut machine = Machine::new();
    machine.step(Input::Refused { status: 422 });
    for _ in 0..3 {
        assert_eq!(machine.call(), at_page(""));
        assert_eq!(
            feed(&mut machine, &[page("5", "t1"), Input::Gone]),
            step(Health::Unchanged, Next::Call)
        );
    }
    assert_eq!(machine.call(), Call::Whole);
    assert!(machine.call().begins_list());
    assert!(machine.step(page("9", "")).finish);
    assert_eq!(machine.call(), watch("9"));
}

#[test]
fn a_first_page_that_is_gone_is_not_asked_for_in_a_loop() {
    let mut machine = Machine::new();
    machine.step(Input::Refused { status: 422 });
    assert_eq!(machine.step(Input::Gone).next, Next::Retry { failures: 1 });
}

#[test]
fn a_lost_connection_resumes_from_the_last_version() {
    let mut machine = watching("20");
    machine.step(change("25"));
    let lost = machine.step(Input::Broken);
    assert!(is_stale(lost));
    assert_eq!((lost.next, machine.call()), (Next::Retry { failures: 1 }, watch("25")));
    let refused = machine.step(Input::Refused { status: 503 });
    assert_eq!(
        (refused.next, machine.call()),
        (Next::Retry { failures: 2 }, watch("25"))
    );
    // It is open again, but nothing has shown yet that it lasts.
    assert_eq!(machine.step(Input::Opened), step(Health::Unchanged, Next::Read));
    assert_eq!(machine.wait(), Wait::Settle);
    assert_eq!(machine.settle(), step(Health::Recovered, Next::Read));
    assert_eq!(machine.wait(), Wait::Silence);
    assert_eq!(machine.step(Input::Broken).next, Next::Retry { failures: 1 });
}

#[test]
fn the_ordinary_end_of_a_watch_is_not_a_failure() {
    let mut machine = watching("20");
    assert_eq!(machine.step(Input::Ended), step(Health::Unchanged, Next::Call));
    assert_eq!(machine.call(), watch("20"));
    // It ended again before anything arrived: a server that closes at once is not asked in a loop.
    let again = feed(&mut machine, &[Input::Opened, Input::Ended]);
    assert_eq!((again.next, is_stale(again)), (Next::Retry { failures: 1 }, true));
}

#[test]
fn gone_backwards_and_silence_list_again() {
    for sign in [Input::Gone, change("19"), bookmark("19"), Input::Silent] {
        let mut machine = watching("20");
        let found = machine.step(sign);
        assert_eq!(
            (is_stale(found), found.next, machine.call()),
            (true, Next::Call, Call::Stream)
        );
    }
}

#[test]
fn the_same_version_and_one_that_is_not_a_number_are_not_backwards() {
    for version in ["20", "abc", ""] {
        let mut machine = watching("20");
        assert_eq!(machine.step(change(version)).health, Health::Confirmed, "{version}");
    }
    let mut machine = watching("abc");
    assert_eq!(machine.step(change("1")).health, Health::Confirmed);
}

#[test]
fn a_server_whose_lists_cannot_be_watched_is_asked_ever_less_often() {
    let mut machine = Machine::new();
    for failures in 1..5 {
        let step = feed(&mut machine, &[Input::Opened, end("20"), Input::Gone]);
        assert_eq!(step.next, Next::Retry { failures });
    }
}

#[test]
fn a_version_that_is_refused_is_given_up() {
    let mut machine = watching("20");
    assert_eq!(
        machine.step(Input::Refused { status: 400 }).next,
        Next::Retry { failures: 1 }
    );
    assert_eq!(machine.call(), Call::Stream);
}

#[test]
fn each_list_knows_why_it_begins() {
    let refused = |status| Input::Refused { status };
    let after = |machine: &mut Machine, input| {
        machine.step(input);
        assert!(machine.call().begins_list());
        machine.cause()
    };
    let mut machine = Machine::new();
    assert_eq!(machine.cause(), ListCause::Start);
    assert_eq!(after(&mut machine, refused(403)), ListCause::Failure);
    assert_eq!(after(&mut machine, Input::Broken), ListCause::Failure);
    assert_eq!(after(&mut machine, refused(422)), ListCause::Unsupported);
    assert_eq!(after(&mut machine, Input::Silent), ListCause::Failure);
    machine.step(page("5", "t1"));
    assert_eq!(after(&mut machine, Input::Gone), ListCause::Expired);
    let table = [
        (Input::Gone, ListCause::Expired),
        (Input::Silent, ListCause::Silence),
        (refused(400), ListCause::Refused),
        (change("19"), ListCause::Backwards),
        (bookmark("19"), ListCause::Backwards),
    ];
    for (input, cause) in table {
        assert_eq!(after(&mut watching("20"), input), cause, "{input:?}");
    }
}

/// Returns a machine that lists by pages.
fn paging() -> Machine {
    let mut machine = Machine::new();
    machine.step(Input::Refused { status: 422 });
    assert_eq!(machine.call(), at_page(""));
    machine
}

fn empty<'a>(token: &'a str) -> Input<'a> {
    Input::Page {
        version: "5",
        token,
        pods: 0,
    }
}

#[test]
fn pages_without_pods_are_no_progress() {
    let mut machine = paging();
    for failures in 1..=5 {
        let tokens: Vec<String> = (0..4).map(|at| format!("t{at}")).collect();
        for token in &tokens {
            assert_eq!(machine.step(empty(token)), step(Health::Unchanged, Next::Call));
        }
        let given_up = machine.step(empty("t4"));
        assert!(is_stale(given_up));
        assert_eq!((given_up.next, machine.call()), (Next::Retry { failures }, at_page("")));
    }
    // A few of them do no harm, and neither does an empty list.
    for token in ["t0", "t1", "t2", "t3"] {
        machine.step(empty(token));
    }
    assert_eq!(machine.step(page("5", "t4")), step(Health::Unchanged, Next::Call));
    assert_eq!(machine.step(empty("t5")), step(Health::Unchanged, Next::Call));
    assert!(machine.step(empty("")).finish);
}

#[test]
fn a_repeated_continue_token_is_not_progress() {
    let mut machine = paging();
    for failures in 1..=3 {
        machine.step(page("5", "t"));
        let given_up = machine.step(page("5", "t"));
        assert!(is_stale(given_up));
        assert_eq!((given_up.next, machine.call()), (Next::Retry { failures }, at_page("")));
    }
}

#[test]
fn too_many_pods_are_listed_less_and_less_often() {
    let mut machine = paging();
    for failures in 1..=6 {
        feed(&mut machine, &[page("5", "t1"), page("5", "t2")]);
        let given_up = machine.step(Input::Excess);
        assert!(is_stale(given_up));
        assert_eq!((given_up.next, machine.call()), (Next::Retry { failures }, at_page("")));
        assert_eq!(machine.cause(), ListCause::Excess);
    }
    let mut machine = Machine::new();
    for failures in 1..=6 {
        feed(&mut machine, &[Input::Opened, change("5")]);
        assert_eq!(machine.step(Input::Excess).next, Next::Retry { failures });
        assert_eq!(machine.call(), Call::Stream);
    }
    let mut machine = watching("20");
    let given_up = machine.step(Input::Excess);
    assert!(is_stale(given_up));
    assert_eq!(
        (given_up.next, machine.call()),
        (Next::Retry { failures: 1 }, Call::Stream)
    );
}
