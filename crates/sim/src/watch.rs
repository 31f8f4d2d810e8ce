//! Watches: the changes from a version on, with everything that can go wrong with them.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use serde_json::json;
use tokio::time::{Duration, Instant};

use crate::call::Call;
use crate::object::{Kind, Object};
use crate::state::{Open, State};
use crate::status::{Answer, Failure, bytes_response};
use crate::store::{Change, Signal};

/// How many changes are taken out of the history at once.
const BATCH: usize = 64;

/// How long a watch lasts when its client says nothing; a real server takes 30 to 60 minutes.
const DEFAULT_TIMEOUT: u64 = 1800;

/// Answers a watch.
///
/// # Errors
///
/// 410 when its version is no longer in the history.
pub(crate) fn answer(call: &Call, kind: Kind) -> Answer {
    let state = call.state.clone();
    let signal = state.store.signal().subscribe();
    let seen = signal.borrow().clone();
    let version = call
        .query
        .get("resourceVersion")
        .unwrap_or("0")
        .parse::<u64>()
        .unwrap_or(0);
    let namespace = call.target.namespace.clone();
    let (cursor, initial) = if version == 0 {
        let snapshot = state.store.snapshot(kind, namespace.as_deref());
        (snapshot.seq, snapshot.objects)
    } else {
        let cursor = state.store.since(kind, version);
        let cursor = cursor
            .map_err(|old| Failure::expired(format!("too old resource version: {} ({})", old.asked, old.oldest)))?;
        (cursor, Vec::new())
    };
    let seconds = call
        .query
        .number("timeoutSeconds")?
        .and_then(|seconds| u64::try_from(seconds).ok());
    let watch = Watch {
        kind,
        namespace,
        cursor,
        initial: initial.into(),
        seen,
        signal,
        bookmarks: call.query.flag("allowWatchBookmarks"),
        next_bookmark: Instant::now() + state.bookmark_every(),
        deadline: Instant::now() + Duration::from_secs(seconds.filter(|s| *s > 0).unwrap_or(DEFAULT_TIMEOUT)),
        ending: false,
        _open: state.watches.enter(),
        state,
    };
    let stream = futures_util::stream::unfold(watch, |mut watch| async move {
        let frame = watch.next().await?;
        Some((frame, watch))
    });
    Ok(bytes_response("application/json", Body::from_stream(stream)))
}

struct Watch {
    state: Arc<State>,
    kind: Kind,
    namespace: Option<String>,
    cursor: u64,
    initial: VecDeque<Arc<Object>>,
    signal: tokio::sync::watch::Receiver<Signal>,
    seen: Signal,
    bookmarks: bool,
    next_bookmark: Instant,
    deadline: Instant,
    ending: bool,
    _open: Open,
}

impl Watch {
    /// The next bytes; nothing at the end.
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        loop {
            if self.ending {
                return None;
            }
            let signal = self.signal.borrow_and_update().clone();
            if let Some(frame) = self.fault(&signal) {
                return Some(frame);
            }
            if !signal.stalled {
                if let Some(frame) = self.ready() {
                    return Some(Ok(frame));
                }
            }
            tokio::select! {
                changed = self.signal.changed() => changed.ok()?,
                () = self.state.stop.cancelled() => return None,
                () = tokio::time::sleep_until(self.deadline) => return None,
                () = tokio::time::sleep_until(self.next_bookmark), if self.bookmarks && !signal.stalled => {
                    self.next_bookmark = Instant::now() + self.state.bookmark_every();
                    if !self.state.faults.bookmarks_off() {
                        return Some(Ok(self.bookmark(self.state.store.version())));
                    }
                }
            }
        }
    }

    /// What a fault makes of the stream.
    fn fault(&mut self, signal: &Signal) -> Option<io::Result<Bytes>> {
        let before = std::mem::replace(&mut self.seen, signal.clone());
        if signal.drops > before.drops {
            return Some(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if signal.expiries > before.expiries {
            return Some(Ok(self.expired(self.state.store.version())));
        }
        (signal.garbage > before.garbage).then(|| Ok(Bytes::from_static(b"}garbage, not JSON{\n")))
    }

    /// The frames that can be sent now.
    fn ready(&mut self) -> Option<Bytes> {
        if let Some(object) = self.initial.pop_front() {
            return Some(frame("ADDED", &object));
        }
        loop {
            let (changes, _) = match self.state.store.changes(self.kind, self.cursor, BATCH) {
                Ok(changes) => changes,
                Err(old) => return Some(self.expired(old.oldest)),
            };
            let last = changes.last()?;
            self.cursor = last.seq + 1;
            let frames: Vec<u8> = changes
                .iter()
                .filter_map(|change| self.event(change))
                .flatten()
                .collect();
            if !frames.is_empty() {
                return Some(frames.into());
            }
        }
    }

    fn event(&self, change: &Change) -> Option<Bytes> {
        let object = &change.after;
        if self
            .namespace
            .as_ref()
            .is_some_and(|namespace| *namespace != object.namespace)
        {
            return None;
        }
        let kind = match (change.deleted, &change.before) {
            (true, _) => "DELETED",
            (false, None) => "ADDED",
            (false, Some(_)) => "MODIFIED",
        };
        Some(frame(kind, object))
    }

    fn bookmark(&self, version: u64) -> Bytes {
        let object = json!({"kind": self.kind.name(), "apiVersion": "v1",
            "metadata": {"resourceVersion": version.to_string(), "creationTimestamp": null}});
        line(&json!({"type": "BOOKMARK", "object": object}))
    }

    /// The ERROR event of a history that is gone; it ends the watch.
    fn expired(&mut self, oldest: u64) -> Bytes {
        self.ending = true;
        let failure = Failure::expired(format!("too old resource version: {} ({oldest})", self.cursor));
        line(&json!({"type": "ERROR", "object": failure.status()}))
    }
}

fn frame(kind: &str, object: &Object) -> Bytes {
    let mut line = format!(r#"{{"type":"{kind}","object":"#).into_bytes();
    line.extend_from_slice(&object.json());
    line.extend_from_slice(b"}\n");
    line.into()
}

fn line(value: &serde_json::Value) -> Bytes {
    (value.to_string() + "\n").into()
}
