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
    assert!(stream.text().await == long);
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
        since_time: Some("2026-01-07T11:00:07.9+01:00".to_owned()),
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
async fn what_can_not_be_read_is_told_apart() {
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
        since_time: Some("2026-01-01T00:00:00Z".to_owned()),
        ..Options::default()
    };
    assert!(matches!(lab.refused("web", both).await, Error::Invalid(_)));
    lab.end().await;
}

#[tokio::test]
async fn what_the_cluster_forbids_fails_for_good() {
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
    let mut sent = u64::MAX;
    until("the reading stops", || {
        std::thread::sleep(Duration::from_millis(300));
        std::mem::replace(&mut sent, lab.sim.log_bytes_sent()) == sent && sent > 0
    })
    .await;
    assert!(sent < 20 << 20, "{sent} bytes were read for a receiver that reads none");
    for _ in 0..40_000 {
        assert_eq!(stream.line().await.1.text.len(), 999);
    }
    drop(stream);
    until("the upstream is closed", || lab.sim.open_logs() == 0).await;
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
    assert!(matches!(stream.frame().await, Frame::Failed(Error::Upstream(text)) if text.contains("removed")));
    until("none is read", || lab.sim.open_logs() == 0).await;
    lab.end().await;
}
