//! Lines and parts of a log, and who reads them.

use super::*;

#[tokio::test]
async fn lines_come_as_they_were_written() {
    let lab = Lab::new().await;
    let mut stream = lab.follow().await;
    let long = "x".repeat(5 << 20);
    lab.write("plain\r\n\n\x1b[1mbold\x1b[0m\n");
    lab.sim.write_log("shop", "web", "main", b"\xff\xfe\n");
    lab.write(&long);
    lab.write("\nlast");
    assert_eq!(stream.texts(3).await, ["plain\r", "", "\x1b[1mbold\x1b[0m"]);
    assert_eq!(stream.line().await.1.text.as_ref(), b"\xff\xfe");
    assert!(stream.whole_line().await == long);
    lab.sim.end_container("shop", "web", "main", 2);
    assert_items(stream.rest().await, &["last"], "`main`");
    lab.end().await;
}

#[tokio::test]
async fn a_line_has_its_time() {
    let lab = Lab::new().await;
    let mut stream = lab.follow().await;
    lab.sim.write_log_at("shop", "web", "main", at(0, 500), b"x\n");
    assert_eq!(stream.line().await.1.time, "2026-01-07T10:00:00.500000000Z");
    drop(stream);
    lab.end().await;
}

#[tokio::test]
async fn a_part_is_read_as_kubernetes_reads_it() {
    let lab = Lab::new().await;
    for second in 0..10 {
        lab.sim
            .write_log_at("shop", "web", "main", at(second, 0), format!("{second}\n").as_bytes());
    }
    let read = async |options: Options| {
        let items = lab.open(options).await.rest().await;
        let texts = items.iter().filter_map(|item| match item {
            Item::Line(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect::<String>()
    };
    let tail = |lines| Options {
        tail_lines: Some(lines),
        ..Options::default()
    };
    assert_eq!(read(Options::default()).await, "0123456789");
    assert_eq!(read(tail(3)).await, "789");
    assert_eq!(read(tail(0)).await, "");
    let since = Options {
        since_time: Some("2026-01-07T11:00:07.9+01:00".parse().unwrap()),
        ..Options::default()
    };
    assert_eq!(read(since).await, "789");
    let lately = Options {
        since_seconds: Some(5),
        ..Options::default()
    };
    assert_eq!(read(lately).await, "");
    lab.sim.restart_container("shop", "web", "main", 1);
    lab.write("now\n");
    let previous = Options {
        previous: true,
        ..tail(2)
    };
    assert_eq!(read(previous).await, "89");
    assert_eq!(read(Options::default()).await, "now");
    lab.end().await;
}

#[tokio::test]
async fn unreadable_input_has_errors_of_its_own() {
    let lab = Lab::new().await;
    let previous = Options {
        previous: true,
        ..Options::default()
    };
    let error = lab.refused("web", previous.clone()).await;
    assert!(
        matches!(&error, Error::Conflict(text) if text.contains("no previous run")),
        "{error:?}"
    );
    let error = lab
        .refused(
            "web",
            Options {
                follow: true,
                ..previous
            },
        )
        .await;
    assert!(
        matches!(&error, Error::Invalid(text) if text.contains("`previous`")),
        "{error:?}"
    );
    let error = lab.refused("gone", follow()).await;
    assert!(
        matches!(&error, Error::PodNotFound(text) if text.contains("gone")),
        "{error:?}"
    );
    let both = Options {
        since_seconds: Some(1),
        since_time: Some("2026-01-01T00:00:00Z".parse().unwrap()),
        ..Options::default()
    };
    assert!(matches!(lab.refused("web", both).await, Error::Invalid(_)));
    lab.end().await;
}

#[tokio::test]
async fn a_refusal_of_the_cluster_is_final() {
    let lab = Lab::of("editor").await;
    lab.sim.run_pod("staging", "web", &["main"]);
    let error = lab
        .cluster
        .follow("staging", "web", follow())
        .await
        .expect_err("it is refused");
    assert!(matches!(error, Error::Forbidden(_)), "{error:?}");
    let mut stream = lab.follow().await;
    lab.sim.faults().fail_requests("/log", 403, 1);
    lab.sim.faults().cut_logs();
    match stream.frame().await {
        Frame::Failed(Error::Forbidden(_)) => {}
        other => panic!("{other:?}"),
    }
    drop(stream);
    lab.end().await;
}

#[tokio::test]
async fn a_receiver_that_does_not_read_stops_the_reading_upstream() {
    let lab = Lab::new().await;
    let line = format!("{}\n", "x".repeat(999));
    let block = line.repeat(1000);
    for _ in 0..40 {
        lab.write(&block);
    }
    let mut stream = lab.follow().await;
    // It stops when what is on the way is full.
    let sent = steady(&lab).await;
    assert!(sent < 20 << 20, "{sent} bytes were read for a receiver that reads none");
    for _ in 0..40_000 {
        assert_eq!(stream.line().await.1.text.len(), 999);
    }
    drop(stream);
    until("the upstream is closed", || lab.sim.open_logs() == 0).await;
    lab.end().await;
}

/// Waits until nothing more leaves the cluster.
async fn steady(lab: &Lab) -> u64 {
    let mut sent = u64::MAX;
    until("the reading stops", || {
        std::thread::sleep(Duration::from_millis(300));
        std::mem::replace(&mut sent, lab.sim.log_bytes_sent()) == sent && sent > 0
    })
    .await;
    sent
}

#[tokio::test]
async fn a_wildcard_means_as_many_containers_as_may_be_named() {
    let lab = Lab::new().await;
    let names: Vec<String> = (0..70).map(|n| format!("c{n:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    lab.sim.run_pod("shop", "many", &names);
    let mut frames = lab.cluster.follow("shop", "many", of(&["*"], true)).await.unwrap();
    match frames.recv().await {
        Some(Frame::Subscribed { containers, left_out }) => {
            assert_eq!(containers, names[..MAX_CONTAINERS]);
            assert_eq!((left_out, frames.readers()), (6, MAX_CONTAINERS));
        }
        other => panic!("{other:?}"),
    }
    let refused = lab.cluster.follow("shop", "many", of(&names, true)).await;
    assert!(
        matches!(&refused, Err(Error::Invalid(text)) if text.contains("64")),
        "{refused:?}"
    );
    drop(frames);
    lab.end().await;
}

#[tokio::test]
async fn all_readers_of_a_stream_share_one_look_at_the_pod() {
    let lab = Lab::new().await;
    let names: Vec<String> = (0..MAX_CONTAINERS).map(|n| format!("c{n:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    lab.sim.run_pod("shop", "many", &names);
    let looks = || {
        let requests = lab.sim.requests().into_iter();
        requests.filter(|request| request.path.ends_with("/pods/many")).count()
    };
    let mut frames = lab.cluster.follow("shop", "many", of(&["*"], true)).await.unwrap();
    until("all are read", || lab.sim.open_logs() == MAX_CONTAINERS).await;
    assert_eq!(looks(), 1);
    lab.sim.faults().cut_logs();
    until("none is read", || lab.sim.open_logs() == 0).await;
    until("all are read again", || lab.sim.open_logs() == MAX_CONTAINERS).await;
    assert!(looks() < MAX_CONTAINERS / 2, "{} looks", looks());
    assert!(matches!(frames.recv().await, Some(Frame::Subscribed { .. })));
    drop(frames);
    lab.end().await;
}

#[tokio::test]
async fn endless_lines_of_many_containers_hold_neither_each_other_nor_much_memory() {
    let lab = Lab::new().await;
    let names: Vec<String> = (0..MAX_CONTAINERS).map(|n| format!("c{n:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    lab.sim.run_pod("shop", "many", &names);
    for name in &names {
        lab.sim.write_log("shop", "many", name, &vec![b'x'; 1 << 20]);
    }
    let mut frames = lab.cluster.follow("shop", "many", of(&["*"], false)).await.unwrap();
    let mut lengths = std::collections::HashMap::new();
    loop {
        match timeout(PATIENCE, frames.recv()).await.unwrap().unwrap() {
            Frame::Subscribed { .. } => {}
            Frame::Lines { container, lines } => {
                for line in lines {
                    assert!(line.text.len() <= MAX_PIECE);
                    *lengths.entry(container.clone()).or_insert(0) += line.text.len();
                }
            }
            Frame::Ended { error: None, .. } => {}
            Frame::End { .. } => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(lengths.len(), MAX_CONTAINERS);
    assert!(lengths.values().all(|length| *length == 1 << 20), "{lengths:?}");
    lab.end().await;
}

#[tokio::test]
async fn a_pod_with_too_many_parts_is_refused() {
    let lab = Lab::new().await;
    let containers: Vec<_> = (0..2001)
        .map(|n| json!({"name": format!("c{n}"), "image": "x"}))
        .collect();
    lab.sim
        .put(json!({"kind": "Pod", "metadata": {"namespace": "shop", "name": "huge"},
        "spec": {"nodeName": "node-1", "containers": containers}, "status": {"phase": "Running"}}));
    for options in [of(&["*"], true), of(&["c1"], false)] {
        let error = lab.refused("huge", options).await;
        assert!(
            matches!(&error, Error::Upstream { what, failure: Failure::TooManyParts { most: 2000 } } if what.contains("shop/huge")),
            "{error:?}"
        );
    }
    lab.end().await;
}

#[tokio::test]
async fn a_receiver_that_goes_and_a_cluster_that_is_removed_end_everything() {
    let lab = Lab::new().await;
    lab.sim.run_pod("shop", "two", &["a", "b", "c"]);
    let frames = lab.cluster.follow("shop", "two", of(&["*"], true)).await.unwrap();
    until("three are read", || lab.sim.open_logs() == 3).await;
    drop(frames);
    until("none is read", || lab.sim.open_logs() == 0).await;
    let mut stream = lab.follow().await;
    until("one is read", || lab.sim.open_logs() == 1).await;
    lab.registry.remove(ID).await;
    let removed = Failure::Removed(RemovalReason::Removed);
    assert!(matches!(stream.frame().await, Frame::Failed(error) if is_failure(&error, &removed)));
    until("none is read", || lab.sim.open_logs() == 0).await;
    lab.end().await;
}
