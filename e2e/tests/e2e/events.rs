//! Events of one pod.

use crate::support::{Lab, Server, pod, shell_pod, until};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn a_pod_shows_its_own_events_newest_first() {
    let lab = Lab::new("events").await;
    let server = Server::start().await;
    lab.run(shell_pod("one")).await;
    lab.create(pod("two", &[("main", "exit 0")])).await;
    lab.wait_ended("two").await;

    let path = format!("{}/events", server.pod(&lab.namespace, "one"));
    let events = until("its start is told", || async {
        let events = server.get(&path).await;
        events
            .as_array()
            .unwrap()
            .iter()
            .any(|event| event["reason"] == "Started")
            .then_some(events)
    })
    .await;
    let events = events.as_array().unwrap();
    let seen: Vec<&str> = events.iter().map(|event| event["lastSeen"].as_str().unwrap()).collect();
    assert!(seen.is_sorted_by(|a, b| a >= b), "{seen:?}");
    let started = events.iter().find(|event| event["reason"] == "Started").unwrap();
    assert_eq!(
        (&started["type"], &started["container"], &started["count"]),
        (&"Normal".into(), &"main".into(), &1.into())
    );
    assert!(started["firstSeen"].as_str().unwrap().ends_with('Z'));

    let real = lab.events().await;
    let own = real
        .iter()
        .filter(|event| event.involved_object.name.as_deref() == Some("one"))
        .count();
    assert!(own < real.len(), "the other pod has events, too");
    assert_eq!(server.get(&path).await.as_array().unwrap().len(), own);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn a_successor_does_not_inherit_events() {
    let lab = Lab::new("heirs").await;
    let server = Server::start().await;
    lab.run(shell_pod("heir")).await;
    let path = format!("{}/events", server.pod(&lab.namespace, "heir"));
    let started = || async {
        let events = server.get(&path).await;
        events
            .as_array()
            .unwrap()
            .iter()
            .filter(|event| event["reason"] == "Started")
            .count()
    };
    until("the first one's start is told", || async {
        (started().await == 1).then_some(())
    })
    .await;
    lab.delete_now("heir").await;
    lab.wait_gone("heir").await;
    lab.run(shell_pod("heir")).await;
    until("the second one's start is told", || async {
        (started().await == 1).then_some(())
    })
    .await;
    let real = lab.events().await;
    assert!(
        real.iter()
            .filter(|event| event.reason.as_deref() == Some("Started"))
            .count()
            >= 2,
        "both starts are still there"
    );
    assert_eq!(started().await, 1);
}
