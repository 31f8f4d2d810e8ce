//! Connections that break, and logs that are rotated meanwhile.

use super::*;

#[tokio::test]
async fn broken_connections_lose_and_double_nothing() {
    let lab = Lab::new().await;
    let mut stream = lab.follow().await;
    let sim = lab.sim.clone();
    let writer = tokio::spawn(async move {
        for n in 0..400 {
            // Many lines are alike, in bytes and in time.
            sim.write_log_at(
                "shop",
                "web",
                "main",
                at(n / 90, 0),
                format!("line {}\n", n / 3).as_bytes(),
            );
            match n % 50 {
                20 => sim.faults().cut_logs(),
                40 => sim.faults().end_follows(),
                _ => {}
            }
            if n % 10 == 0 {
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
        }
    });
    for n in 0..400 {
        assert_eq!(stream.text().await, format!("line {}", n / 3), "line number {n}");
    }
    writer.await.unwrap();
    drop(stream);
    lab.end().await;
}

#[tokio::test]
async fn lines_that_rotations_took_from_a_stalled_reader_are_a_gap() {
    let lab = Lab::new().await;
    let mut stream = lab.follow().await;
    let sim = lab.sim.clone();
    // More than the queue and the buffers of the connection take.
    let line = |n: usize| format!("{n:0>9} {}\n", "x".repeat(10_000));
    let first: String = (0..3_000).map(line).collect();
    sim.write_log_at("shop", "web", "main", at(0, 0), first.as_bytes());
    until("the stalled response is closed", || {
        sim.open_logs() == 0 && sim.log_bytes_sent() > 0
    })
    .await;
    assert!(sim.log_bytes_sent() < 30_000_000, "it stalled within the file");
    sim.rotate_log("shop", "web", "main");
    sim.write_log_at("shop", "web", "main", at(10, 0), b"between\n");
    sim.rotate_log("shop", "web", "main");
    sim.write_log_at("shop", "web", "main", at(20, 0), b"newest\n");
    let (mut count, mut gap) = (0, None::<(String, Timestamp)>);
    loop {
        match stream.frame().await {
            Frame::Lines { lines, .. } => {
                for line in lines {
                    if line.text == "newest" {
                        let (reason, before) = gap.expect("a gap before the newest lines");
                        assert!(count > 0 && count < 3_000, "{count} lines");
                        assert_eq!((before, lab.sim.open_logs()), (at(0, 0), 1), "{reason}");
                        assert!(reason.contains("client"), "{reason}");
                        drop(stream);
                        return lab.end().await;
                    }
                    assert!(gap.is_none() && line.text.starts_with(format!("{count:0>9} ").as_bytes()));
                    count += 1;
                }
            }
            Frame::Gap { reason, before, .. } => gap = Some((reason, before.parse::<Timestamp>().unwrap())),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_long_line_that_is_cut_off_resumes_at_its_place() {
    let lab = Lab::new().await;
    let mut stream = lab.follow().await;
    let long: String = (0..80_000).map(|n| format!("{n:>9}")).collect();
    lab.sim.write_log_at("shop", "web", "main", at(0, 0), b"before\n");
    lab.sim
        .write_log_at("shop", "web", "main", at(0, 100), format!("{long}\nafter\n").as_bytes());
    assert_eq!(stream.whole_line().await, "before");
    let mut text = Vec::new();
    for cuts in 0.. {
        let (_, line) = stream.line().await;
        text.extend_from_slice(&line.text);
        if !line.partial {
            break;
        }
        if cuts < 2 {
            lab.sim.faults().cut_logs();
        }
    }
    assert!(text == long.as_bytes(), "{} of {} bytes", text.len(), long.len());
    assert_eq!(stream.whole_line().await, "after");
    drop(stream);
    lab.end().await;
}

#[tokio::test]
async fn a_log_that_is_not_followed_is_not_gone_on_with_from_another_pod() {
    let lab = Lab::new().await;
    for _ in 0..64 {
        lab.write(&"0123456789abcdef0123456789abcdef\n".repeat(16 << 10));
    }
    let mut stream = lab.open(Options::default()).await;
    stream.line().await;
    // The rest waits upstream, since nobody reads it here.
    assert!(lab.sim.remove("Pod", "shop", "web"));
    lab.sim.run_pod("shop", "web", &["main"]);
    lab.write("of another pod\n");
    lab.sim.faults().cut_logs();
    let items = stream.rest().await;
    assert!(
        !items
            .iter()
            .any(|item| matches!(item, Item::Line(text) if text.contains("another")))
    );
    match items.last() {
        Some(Item::End(reason)) => assert!(reason.contains("another one of the same name"), "{reason}"),
        other => panic!("{other:?}"),
    }
    lab.end().await;
}

#[tokio::test]
async fn a_lost_api_server_is_waited_for() {
    let lab = Lab::new().await;
    let mut stream = lab.follow().await;
    lab.write("one\ntwo\n");
    assert_eq!(stream.texts(2).await, ["one", "two"]);
    lab.sim.pause().await;
    lab.write("three\n");
    tokio::time::sleep(Duration::from_millis(800)).await;
    lab.write("four\n");
    lab.sim.resume().await;
    assert_eq!(stream.texts(2).await, ["three", "four"]);
    drop(stream);
    lab.end().await;
}

#[tokio::test]
async fn a_rotation_while_the_connection_is_lost_is_a_gap() {
    let lab = Lab::new().await;
    let mut stream = lab.follow().await;
    lab.sim.write_log_at("shop", "web", "main", at(0, 0), b"one\n");
    assert_eq!(stream.text().await, "one");
    lab.sim.pause().await;
    lab.sim.write_log_at("shop", "web", "main", at(1, 0), b"lost\n");
    lab.sim.rotate_log("shop", "web", "main");
    lab.sim.write_log_at("shop", "web", "main", at(2, 0), b"two\n");
    lab.sim.resume().await;
    match stream.frame().await {
        Frame::Gap {
            container,
            reason,
            before,
            after,
        } => {
            assert_eq!(container, "main");
            assert!(reason.contains("rotated"), "{reason}");
            assert_eq!(before, "2026-01-07T10:00:00.000000000Z");
            assert_eq!(after, "2026-01-07T10:00:02.000000000Z");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(stream.text().await, "two");
    lab.sim.rotate_log("shop", "web", "main");
    lab.write("three\n");
    assert_eq!(stream.text().await, "three");
    drop(stream);
    lab.end().await;
}

#[tokio::test]
async fn a_rotation_while_the_connection_is_lost_is_a_gap_without_follow_too() {
    let lab = Lab::new().await;
    for _ in 0..64 {
        lab.write(&"0123456789abcdef0123456789abcdef\n".repeat(16 << 10));
    }
    let mut stream = lab.open(Options::default()).await;
    stream.line().await;
    // The rest waits upstream, since nobody reads it here.
    lab.sim.rotate_log("shop", "web", "main");
    lab.sim.faults().cut_logs();
    let items = stream.rest().await;
    let gaps = items.iter().filter(|item| matches!(item, Item::Gap { .. })).count();
    assert_eq!(gaps, 1);
    assert!(matches!(items.as_slice(), [.., Item::Gap { after, .. }, Item::End(_)] if after.is_empty()));
    lab.end().await;
}

#[tokio::test]
async fn a_followed_piece_that_is_cut_resumes_at_its_place() {
    let lab = Lab::new().await;
    for n in 0..10 {
        lab.sim
            .write_log_at("shop", "web", "main", at(0, n), format!("{n}\n").as_bytes());
    }
    let mut stream = lab
        .open(Options {
            tail_lines: Some(2),
            ..follow()
        })
        .await;
    assert_eq!(stream.texts(2).await, ["8", "9"]);
    lab.sim.pause().await;
    lab.sim.write_log_at("shop", "web", "main", at(0, 10), b"10\n");
    lab.sim.resume().await;
    assert_eq!(stream.text().await, "10");
    drop(stream);
    lab.end().await;
}

#[tokio::test]
async fn a_log_that_continues_in_another_file_is_read_again() {
    let sim = Sim::start(world::options()).await.unwrap();
    let proxy = Proxy::start(&sim).await;
    let kubeconfig = proxy.kubeconfig(&sim);
    let policy = Policy {
        request_timeout: Duration::from_secs(2),
        stream_silence: Duration::from_millis(300),
        ..policy()
    };
    let lab = Lab::with(sim, &kubeconfig, policy);
    let mut stream = lab.follow().await;
    lab.write("one\n");
    assert_eq!(stream.text().await, "one");
    proxy.stall();
    lab.write("two\n");
    assert_eq!(stream.text().await, "two");
    // A log that is merely quiet stays as it is.
    let quiet = lab.sim.requests().len();
    until("it was looked at", || {
        lab.sim.requests()[quiet..]
            .iter()
            .filter(|request| request.query.contains("tailLines=1"))
            .count()
            >= 3
    })
    .await;
    assert!(
        !lab.sim.requests()[quiet..]
            .iter()
            .any(|request| request.query.contains("follow=true"))
    );
    drop((stream, proxy));
    lab.end().await;
}
