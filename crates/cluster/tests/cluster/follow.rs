//! The log stream.

use std::{collections::VecDeque, time::Duration};

use jiff::Timestamp;
use podgate_cluster::{
    Cluster, Error, Registry, Spec,
    follow::{Frame, Frames, Line, Options},
};
use podgate_index::Index;
use podgate_sim::Sim;
use serde_json::json;
use tokio::time::timeout;

use crate::world::{self, ID, policy, until, untrusted};

const PATIENCE: Duration = Duration::from_secs(60);

struct Lab {
    sim: Sim,
    registry: Registry,
    cluster: Cluster,
}

impl Lab {
    /// A cluster with pod `shop/web` and its container `main`.
    async fn new() -> Self {
        Self::of("admin").await
    }

    async fn of(user: &str) -> Self {
        let sim = Sim::start(world::options()).await.unwrap();
        sim.run_pod("shop", "web", &["main"]);
        let registry = Registry::new(Index::new(), policy());
        let cluster = registry.add(Spec {
            id: ID,
            name: "prod".to_owned(),
            source: untrusted(&sim.kubeconfig_for(user)),
            namespaces: vec!["shop".to_owned()],
        });
        Self { sim, registry, cluster }
    }

    async fn open(&self, options: Options) -> Stream {
        let mut stream = Stream {
            frames: self.cluster.follow("shop", "web", options).await.unwrap(),
            lines: VecDeque::new(),
        };
        assert!(matches!(stream.frame().await, Frame::Subscribed { .. }));
        stream
    }

    async fn follow(&self) -> Stream {
        self.open(follow()).await
    }

    fn write(&self, text: &str) {
        self.sim.write_log("shop", "web", "main", text.as_bytes());
    }

    async fn refused(&self, pod: &str, options: Options) -> Error {
        self.cluster
            .follow("shop", pod, options)
            .await
            .expect_err("it is refused")
    }

    async fn end(self) {
        self.registry.shutdown().await;
        let sim = self.sim.clone();
        until("no stream is open", || sim.open_streams() == 0).await;
        self.sim.stop().await;
    }
}

fn follow() -> Options {
    Options {
        follow: true,
        ..Options::default()
    }
}

fn of(containers: &[&str], follow: bool) -> Options {
    Options {
        containers: containers.iter().map(|name| (*name).to_owned()).collect(),
        follow,
        ..Options::default()
    }
}

/// What comes of a stream, lines one by one.
struct Stream {
    frames: Frames,
    lines: VecDeque<(String, Line)>,
}

#[derive(Debug, PartialEq)]
enum Item {
    Line(String),
    Restarted(u32),
    Gap { before: String, after: String },
    End(String),
}

impl Stream {
    async fn frame(&mut self) -> Frame {
        timeout(PATIENCE, self.frames.recv())
            .await
            .expect("a frame in time")
            .expect("a frame")
    }

    async fn line(&mut self) -> (String, Line) {
        while self.lines.is_empty() {
            match self.frame().await {
                Frame::Lines { container, lines } => {
                    assert!(!lines.is_empty());
                    self.lines
                        .extend(lines.into_iter().map(|line| (container.clone(), line)));
                }
                other => panic!("a line was expected, not {other:?}"),
            }
        }
        self.lines.pop_front().unwrap()
    }

    async fn text(&mut self) -> String {
        String::from_utf8_lossy(&self.line().await.1.text).into_owned()
    }

    async fn texts(&mut self, count: usize) -> Vec<String> {
        let mut texts = Vec::new();
        for _ in 0..count {
            texts.push(self.text().await);
        }
        texts
    }

    /// Everything up to the end.
    async fn rest(mut self) -> Vec<Item> {
        let mut items = Vec::new();
        loop {
            match self.frame().await {
                Frame::Lines { lines, .. } => {
                    let texts = lines
                        .iter()
                        .map(|line| Item::Line(String::from_utf8_lossy(&line.text).into_owned()));
                    items.extend(texts);
                }
                Frame::Restarted { restart_count, .. } => items.push(Item::Restarted(restart_count)),
                Frame::Gap { before, after, .. } => items.push(Item::Gap { before, after }),
                Frame::End { reason } => {
                    items.push(Item::End(reason));
                    assert!(
                        timeout(PATIENCE, self.frames.recv()).await.unwrap().is_none(),
                        "the end is last"
                    );
                    return items;
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

/// Asserts what comes up to the end, whose reason holds a text.
#[track_caller]
fn assert_items(mut items: Vec<Item>, wanted: &[&str], reason: &str) {
    match items.pop() {
        Some(Item::End(text)) => assert!(text.contains(reason), "{text}"),
        other => panic!("{other:?}"),
    }
    let shown: Vec<String> = items
        .into_iter()
        .map(|item| match item {
            Item::Line(text) => text,
            Item::Restarted(count) => format!("<restarted {count}>"),
            Item::Gap { .. } => "<gap>".to_owned(),
            Item::End(_) => "<end>".to_owned(),
        })
        .collect();
    assert_eq!(shown, wanted);
}

fn at(second: i64, millis: i64) -> Timestamp {
    Timestamp::from_millisecond((1_767_780_000 + second) * 1000 + millis).unwrap()
}

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
async fn a_restart_is_told_between_the_runs() {
    let lab = Lab::new().await;
    let mut stream = lab.follow().await;
    lab.write("old\n");
    assert_eq!(stream.text().await, "old");
    lab.write("rest");
    lab.sim.restart_container("shop", "web", "main", 1);
    assert_eq!(stream.text().await, "rest");
    assert!(matches!(stream.frame().await, Frame::Restarted { restart_count: 1, container } if container == "main"));
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
    assert!(matches!(stream.frame().await, Frame::Restarted { restart_count: 1, container } if container == "main"));
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
    assert!(matches!(stream.frame().await, Frame::Subscribed { containers } if containers == ["main"]));
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
    assert!(matches!(stream.frame().await, Frame::Subscribed { containers } if containers == ["a", "b"]));
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
async fn a_followed_part_that_is_cut_goes_on_where_it_was() {
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
