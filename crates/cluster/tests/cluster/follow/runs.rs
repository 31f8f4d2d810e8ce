//! Containers that begin, restart and end.

use super::*;

#[tokio::test]
async fn a_restart_is_reported_between_the_runs() {
    let lab = Lab::new().await;
    let mut stream = lab.follow().await;
    lab.write("old\n");
    assert_eq!(stream.text().await, "old");
    lab.write("rest");
    lab.sim.restart_container("shop", "web", "main", 1);
    assert_eq!(stream.text().await, "rest");
    assert!(
        matches!(stream.frame().await, Frame::Restarted { restart_count: 1, container, .. } if container == "main")
    );
    lab.write("new\n");
    assert_eq!(stream.text().await, "new");
    lab.sim.restart_container("shop", "web", "main", 1);
    lab.write("newer\n");
    lab.sim.end_container("shop", "web", "main", 0);
    assert_items(stream.rest().await, &["<restarted 2>", "newer"], "code 0");
    lab.end().await;
}

#[tokio::test]
async fn a_restart_while_the_connection_is_lost_loses_nothing() {
    let lab = Lab::new().await;
    let mut stream = lab.follow().await;
    lab.write("one\n");
    assert_eq!(stream.text().await, "one");
    lab.sim.pause().await;
    lab.write("two\n");
    lab.sim.restart_container("shop", "web", "main", 1);
    lab.write("three\n");
    lab.sim.resume().await;
    assert_eq!(stream.text().await, "two");
    assert!(
        matches!(stream.frame().await, Frame::Restarted { restart_count: 1, container, .. } if container == "main")
    );
    assert_eq!(stream.text().await, "three");
    drop(stream);
    lab.end().await;
}

#[tokio::test]
async fn two_restarts_while_the_connection_is_lost_are_a_gap() {
    let lab = Lab::new().await;
    let mut stream = lab.follow().await;
    lab.write("one\n");
    let time = stream.line().await.1.time;
    lab.sim.pause().await;
    lab.sim.restart_container("shop", "web", "main", 1);
    lab.sim.restart_container("shop", "web", "main", 1);
    lab.write("three\n");
    lab.sim.resume().await;
    assert!(matches!(stream.frame().await, Frame::Gap { before, .. } if before == time));
    assert!(matches!(
        stream.frame().await,
        Frame::Restarted { restart_count: 2, .. }
    ));
    assert_eq!(stream.text().await, "three");
    drop(stream);
    lab.end().await;
}

#[tokio::test]
async fn the_rest_of_a_run_that_the_node_refuses_is_a_gap() {
    let lab = Lab::new().await;
    let mut stream = lab.follow().await;
    lab.write("one\n");
    let time = stream.line().await.1.time;
    lab.sim.faults().fail_requests("/web/log", 400, 3);
    lab.sim.restart_container("shop", "web", "main", 1);
    match stream.frame().await {
        Frame::Gap { reason, before, .. } => {
            assert_eq!(before, time);
            assert!(reason.contains("can't be read"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        stream.frame().await,
        Frame::Restarted { restart_count: 1, .. }
    ));
    lab.write("two\n");
    assert_eq!(stream.text().await, "two");
    drop(stream);
    lab.end().await;
}

/// A crash loop: the container waits, and shows its last run's log meanwhile.
#[tokio::test]
async fn a_crash_loop_is_waited_out() {
    let lab = Lab::new().await;
    let mut stream = lab.follow().await;
    lab.write("one\n");
    assert_eq!(stream.text().await, "one");
    lab.write("bye\n");
    let mut pod = lab.sim.get("Pod", "shop", "web").unwrap();
    let status = &mut pod["status"]["containerStatuses"][0];
    status["lastState"] = json!({"terminated": {"exitCode": 1, "containerID": status["containerID"]}});
    status["state"] = json!({"waiting": {"reason": "CrashLoopBackOff"}});
    lab.sim.put(pod.clone());
    assert_eq!(stream.text().await, "bye");
    let status = &mut pod["status"]["containerStatuses"][0];
    status["state"] = json!({"running": {}});
    status["restartCount"] = json!(1);
    status["containerID"] = json!("");
    lab.sim.put(pod);
    assert!(matches!(
        stream.frame().await,
        Frame::Restarted { restart_count: 1, .. }
    ));
    lab.write("again\n");
    assert_eq!(stream.text().await, "again");
    drop(stream);
    lab.end().await;
}

#[tokio::test]
async fn a_deleted_pod_and_its_successor_end_it() {
    let lab = Lab::new().await;
    let mut stream = lab.follow().await;
    lab.write("one\n");
    assert_eq!(stream.text().await, "one");
    lab.sim.remove("Pod", "shop", "web");
    assert_items(stream.rest().await, &[], "was deleted");
    lab.sim.run_pod("shop", "web", &["main"]);
    let mut stream = lab.follow().await;
    lab.write("two\n");
    assert_eq!(stream.text().await, "two");
    lab.sim.pause().await;
    lab.sim.remove("Pod", "shop", "web");
    lab.sim.run_pod("shop", "web", &["main"]);
    lab.write("not ours\n");
    lab.sim.resume().await;
    assert_items(stream.rest().await, &["<gap>"], "took its place");
    lab.end().await;
}

fn pending(name: &str) -> serde_json::Value {
    json!({"kind": "Pod", "metadata": {"namespace": "shop", "name": name},
        "spec": {"nodeName": "node-1", "restartPolicy": "Always", "containers": [{"name": "main"}]},
        "status": {"phase": "Pending", "containerStatuses": [
            {"name": "main", "restartCount": 0, "state": {"waiting": {"reason": "ContainerCreating"}}}]}})
}

#[tokio::test]
async fn a_container_that_has_not_started_is_waited_for_when_it_is_followed() {
    let lab = Lab::new().await;
    let mut pod = lab.sim.put(pending("new"));
    let error = lab.refused("new", Options::default()).await;
    assert!(
        matches!(&error, Error::Conflict(text) if text.contains("has not started")),
        "{error:?}"
    );
    let frames = lab.cluster.follow("shop", "new", follow()).await.unwrap();
    let mut stream = Stream {
        frames,
        lines: VecDeque::new(),
    };
    assert!(matches!(stream.frame().await, Frame::Subscribed { containers, left_out: 0 } if containers == ["main"]));
    pod["status"]["phase"] = json!("Running");
    pod["status"]["containerStatuses"][0]["state"] = json!({"running": {}});
    lab.sim.put(pod);
    lab.sim.write_log("shop", "new", "main", b"hello\n");
    assert_eq!(stream.text().await, "hello");
    drop(stream);
    lab.end().await;
}

#[tokio::test]
async fn several_containers_are_merged_and_end_together() {
    let lab = Lab::new().await;
    lab.sim.run_pod("shop", "two", &["a", "b"]);
    let error = lab.refused("two", follow()).await;
    assert!(
        matches!(&error, Error::Invalid(text) if text.contains("`a`, `b`")),
        "{error:?}"
    );
    let error = lab.refused("two", of(&["a", "c"], true)).await;
    assert!(
        matches!(&error, Error::ContainerNotFound(text) if text.contains("`c`")),
        "{error:?}"
    );
    let frames = lab.cluster.follow("shop", "two", of(&["*"], true)).await.unwrap();
    let mut stream = Stream {
        frames,
        lines: VecDeque::new(),
    };
    assert!(matches!(stream.frame().await, Frame::Subscribed { containers, left_out: 0 } if containers == ["a", "b"]));
    for container in ["b", "a", "b"] {
        lab.sim.write_log("shop", "two", container, b"x\n");
        assert_eq!(stream.line().await.0, container);
    }
    lab.sim.end_container("shop", "two", "a", 0);
    lab.sim.write_log("shop", "two", "b", b"y\n");
    assert_eq!(stream.line().await.0, "b");
    lab.sim.end_container("shop", "two", "b", 3);
    let items = stream.rest().await;
    assert!(
        matches!(items.as_slice(), [Item::End(reason)] if reason.contains("`b`") && reason.contains("code 3")),
        "{items:?}"
    );
    lab.end().await;
}
