#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use futures_util::FutureExt;

use super::*;

fn connections(total: usize, per_address: usize) -> Connections {
    Connections::new(&Limits {
        total,
        per_address,
        exempt: vec!["10.0.0.0/8".parse().unwrap()],
        ..Limits::default()
    })
}

fn at(ip: &str) -> SocketAddr {
    SocketAddr::new(ip.parse().unwrap(), 1234)
}

/// Enters a connection, for which there is room.
#[track_caller]
fn enter(connections: &Connections, ip: &str) -> Place {
    connections
        .enter(at(ip))
        .now_or_never()
        .expect("there is no room")
        .expect("it is refused")
}

/// Takes a request through a connection, which is idle afterwards.
fn request(place: &Place) {
    place.connection.begin(false);
    place.connection.answered();
    place.connection.settle();
}

#[tokio::test]
async fn at_the_cap_a_new_connection_takes_the_place_of_the_one_that_waits_longest() {
    let connections = connections(3, 100);
    let idle = enter(&connections, "192.0.2.1");
    request(&idle);
    let silent = enter(&connections, "192.0.2.2");
    let busy = enter(&connections, "192.0.2.3");
    busy.connection.begin(false);
    let mut next = Box::pin(connections.enter(at("192.0.2.4")));
    assert!(
        next.as_mut().now_or_never().is_none(),
        "the one that is ended is still open"
    );
    assert!(silent.connection.ended() && !idle.connection.ended());
    assert!(next.as_mut().now_or_never().is_none());
    assert!(!idle.connection.ended(), "one is ended for one");
    drop(silent);
    let next = next.now_or_never().unwrap().unwrap();
    next.connection.begin(false);
    let mut last = Box::pin(connections.enter(at("192.0.2.5")));
    assert!(last.as_mut().now_or_never().is_none());
    assert!(idle.connection.ended() && !busy.connection.ended());
    drop(idle);
    assert!(last.now_or_never().unwrap().is_some());
    assert_eq!(connections.count(), 2);
}

#[tokio::test]
async fn where_all_are_busy_accepting_waits_for_one_that_ends_or_becomes_idle() {
    let connections = connections(2, 100);
    let first = enter(&connections, "192.0.2.1");
    let second = enter(&connections, "192.0.2.1");
    first.connection.begin(false);
    second.connection.begin(false);
    second.connection.upgraded();
    let mut next = Box::pin(connections.enter(at("192.0.2.2")));
    assert!(next.as_mut().now_or_never().is_none());
    assert!(!first.connection.ended() && !second.connection.ended());
    first.connection.answered();
    first.connection.settle();
    assert!(next.as_mut().now_or_never().is_none());
    assert!(first.connection.ended());
    drop(first);
    let third = next.now_or_never().unwrap().unwrap();
    third.connection.begin(false);
    let mut next = Box::pin(connections.enter(at("192.0.2.2")));
    assert!(next.as_mut().now_or_never().is_none());
    drop(second);
    assert!(next.now_or_never().unwrap().is_some());
}

#[tokio::test]
async fn an_address_replaces_its_own_connections_or_is_refused() {
    let connections = connections(100, 2);
    let other = enter(&connections, "192.0.2.9");
    for own in ["192.0.2.1", "::ffff:192.0.2.1"] {
        let silent = enter(&connections, "192.0.2.1");
        let busy = enter(&connections, own);
        busy.connection.begin(false);
        let mut next = Box::pin(connections.enter(at(own)));
        assert!(next.as_mut().now_or_never().is_none());
        assert!(silent.connection.ended() && !other.connection.ended());
        drop(silent);
        let next = next.now_or_never().unwrap().unwrap();
        next.connection.begin(false);
        assert!(connections.enter(at(own)).now_or_never().unwrap().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn busy_connections_of_an_address_are_looked_at_again_after_a_moment_or_when_one_leaves() {
    let connections = connections(100, 2);
    let [first, second] = [(); 2].map(|()| enter(&connections, "192.0.2.1"));
    first.connection.begin(false);
    second.connection.begin(false);
    let refused = || {
        let entered = connections.enter(at("192.0.2.1")).now_or_never();
        entered.is_some_and(|place| place.is_none())
    };
    assert!(refused());
    request(&first);
    assert!(refused() && !first.connection.ended(), "nobody has looked again");
    tokio::time::advance(Duration::from_micros(BUSY)).await;
    assert!(!refused() && first.connection.ended());
    drop(first);
    let third = enter(&connections, "192.0.2.1");
    third.connection.begin(false);
    assert!(refused());
    drop(second);
    enter(&connections, "192.0.2.1");
}

#[tokio::test]
async fn an_ipv6_address_counts_as_its_64_and_a_proxy_has_no_cap() {
    let connections = connections(5, 1);
    let first = enter(&connections, "2001:db8:0:1::1");
    first.connection.begin(false);
    assert!(
        connections
            .enter(at("2001:db8:0:1::2"))
            .now_or_never()
            .unwrap()
            .is_none()
    );
    let _other = enter(&connections, "2001:db8:0:2::1");
    let _proxied = [(); 3].map(|()| enter(&connections, "10.1.2.3"));
    assert!(
        connections.enter(at("10.1.2.3")).now_or_never().is_none(),
        "the cap in total holds"
    );
}

#[tokio::test(start_paused = true)]
async fn without_files_the_one_that_waits_longest_is_ended_and_accepting_never_spins() {
    let connections = connections(10, 10);
    let first = enter(&connections, "192.0.2.1");
    let second = enter(&connections, "192.0.2.1");
    let error = std::io::Error::from_raw_os_error(24);
    let mut waits = Box::pin(connections.make_room(&error));
    assert!(waits.as_mut().now_or_never().is_none());
    assert!(first.connection.ended() && !second.connection.ended());
    drop(first);
    assert!(waits.now_or_never().is_some());
    second.connection.begin(false);
    let before = Instant::now();
    connections.make_room(&error).await;
    assert_eq!(before.elapsed(), RETRY);
    assert!(!second.connection.ended());
}
