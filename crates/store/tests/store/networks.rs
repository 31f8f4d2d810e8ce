//! The networks that accounts have logged in from.

use std::net::{IpAddr, Ipv4Addr};

use sea_orm::{ConnectionTrait, Database, Statement};

use crate::{Fixture, user};

const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

#[tokio::test]
async fn a_network_is_known_to_the_account_that_logged_in_from_it_for_a_while() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let (admin, other) = (user(store, "admin").await, user(store, "other").await);
    let elsewhere: IpAddr = "2001:db8::".parse().unwrap();
    assert!(!store.knows_network("admin", HOME, 0).await.unwrap());
    store.record_network(&admin, HOME, 500).await.unwrap();
    store.record_network(&other, elsewhere, 500).await.unwrap();
    assert!(store.knows_network("Admin", HOME, 499).await.unwrap(), "in any case");
    for (name, network, after) in [
        ("admin", HOME, 500),
        ("admin", elsewhere, 0),
        ("other", HOME, 0),
        ("nobody", HOME, 0),
    ] {
        assert!(
            !store.knows_network(name, network, after).await.unwrap(),
            "{name} {network} {after}"
        );
    }
    // After another use it is known for longer, even after a restart.
    store.record_network(&admin, HOME, 900).await.unwrap();
    let store = fixture.reopen().await;
    assert!(store.knows_network("admin", HOME, 899).await.unwrap());
    assert_eq!(store.forget_networks(500).await.unwrap(), 1);
    assert!(store.knows_network("admin", HOME, 0).await.unwrap());
    assert!(!store.knows_network("other", elsewhere, 0).await.unwrap());
}

#[tokio::test]
async fn an_account_keeps_the_20_networks_that_it_used_last() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let (admin, other) = (user(store, "admin").await, user(store, "other").await);
    let network = |n: u8| IpAddr::from([192, 0, 2, n]);
    store.record_network(&other, HOME, 1).await.unwrap();
    for n in 1..=21 {
        store.record_network(&admin, network(n), i64::from(n)).await.unwrap();
    }
    assert!(!store.knows_network("admin", network(1), 0).await.unwrap());
    for n in 2..=21 {
        assert!(store.knows_network("admin", network(n), 0).await.unwrap(), "{n}");
    }
    assert!(store.knows_network("other", HOME, 0).await.unwrap());
}

#[tokio::test]
async fn the_database_does_not_hold_a_network_in_clear() {
    let fixture = Fixture::new().await;
    let admin = user(&fixture.store, "admin").await;
    fixture.store.record_network(&admin, HOME, 1).await.unwrap();
    let raw = Database::connect(&fixture.url).await.unwrap();
    let all = Statement::from_string(raw.get_database_backend(), "SELECT hash FROM known_networks");
    let row = raw.query_one_raw(all).await.unwrap().unwrap();
    let hash: Vec<u8> = row.try_get("", "hash").unwrap();
    assert_eq!(hash.len(), 32);
    assert!(!hash.windows(4).any(|part| part == [192, 0, 2, 1]));
}
