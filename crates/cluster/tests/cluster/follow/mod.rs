//! The log stream.

mod lines;
mod lost;
mod runs;

use std::{collections::VecDeque, time::Duration};

use jiff::Timestamp;
use podgate_cluster::{
    Cluster, Error, Failure, Policy, Registry, RemovalReason, Spec,
    follow::{Frame, Frames, Line, MAX_CONTAINERS, MAX_PIECE, Options},
};
use podgate_index::Index;
use podgate_sim::Sim;
use serde_json::json;
use tokio::time::timeout;

use crate::{
    proxy::Proxy,
    world::{self, ID, is_failure, policy, until, untrusted},
};

const PATIENCE: Duration = Duration::from_secs(60);

struct Lab {
    sim: Sim,
    registry: Registry,
    cluster: Cluster,
}

impl Lab {
    /// Returns a cluster with pod `shop/web` and its container `main`.
    async fn new() -> Self {
        Self::of("admin").await
    }

    async fn of(user: &str) -> Self {
        let sim = Sim::start(world::options()).await.unwrap();
        let kubeconfig = sim.kubeconfig_for(user);
        Self::with(sim, &kubeconfig, policy())
    }

    fn with(sim: Sim, kubeconfig: &str, policy: Policy) -> Self {
        sim.run_pod("shop", "web", &["main"]);
        let registry = Registry::new(Index::new(), policy);
        let cluster = registry.add(Spec {
            id: ID,
            name: "prod".to_owned(),
            source: untrusted(kubeconfig),
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

/// The items of a stream, with each line as one item.
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

    /// Returns the next line, its pieces put together.
    async fn whole_line(&mut self) -> String {
        let mut text = Vec::new();
        loop {
            let (_, line) = self.line().await;
            assert!(line.text.len() <= MAX_PIECE, "{} bytes", line.text.len());
            text.extend_from_slice(&line.text);
            if !line.partial {
                return String::from_utf8_lossy(&text).into_owned();
            }
        }
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

    /// Returns all items up to the end.
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
                Frame::Ended { error: None, .. } => {}
                Frame::Restarted { restart_count, .. } => items.push(Item::Restarted(restart_count)),
                Frame::Gap { before, after, .. } => items.push(Item::Gap { before, after }),
                Frame::End { reason, .. } => {
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
