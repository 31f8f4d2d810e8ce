//! Events of one pod.

use jiff::Timestamp;

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
    // The scheduler and the kubelet report events independently, so any of them may come late.
    let events = until("its own events are listed, and no others", || async {
        let real = lab.events().await;
        let own = real
            .iter()
            .filter(|event| event.involved_object.name.as_deref() == Some("one"))
            .count();
        let events = server.get(&path).await;
        let listed = events.as_array().unwrap();
        let started = listed.iter().any(|event| event["reason"] == "Started");
        (started && own < real.len() && listed.len() == own).then_some(events)
    })
    .await;
    let events = events.as_array().unwrap();
    // Times, not texts: a scheduler's have fractions, a kubelet's have none.
    let seen: Vec<Timestamp> = events
        .iter()
        .map(|event| event["lastSeen"].as_str().unwrap().parse().unwrap())
        .collect();
    assert!(seen.is_sorted_by(|a, b| a >= b), "{seen:?}");
    let started = events.iter().find(|event| event["reason"] == "Started").unwrap();
    assert_eq!(
        (&started["type"], &started["container"], &started["count"]),
        (&"Normal".into(), &"main".into(), &1.into())
    );
    assert!(started["firstSeen"].as_str().unwrap().ends_with('Z'));
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
    until("the first one's start is listed", || async {
        (started().await == 1).then_some(())
    })
    .await;
    lab.delete_now("heir").await;
    lab.wait_gone("heir").await;
    lab.run(shell_pod("heir")).await;
    until("the second one's start is listed", || async {
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
