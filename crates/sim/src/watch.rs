//! Watches: the changes after a version, with the faults of watches.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use crate::call::{Call, Query};
use crate::list;
use crate::negotiate::Form;
use crate::object::{Kind, Object};
use crate::protobuf;
use crate::selectors::Selectors;
use crate::state::{OpenGuard, State};
use crate::status::{Answer, Failure, bytes_response};
use crate::store::{Change, Signal, TooOld};
use crate::table::{self, Include};

/// How many changes are read from the history at once.
const BATCH: usize = 64;

/// How many bytes of initial events are serialised at once.
const CHUNK: usize = 64 << 10;

/// How long in seconds a watch without `timeoutSeconds` lasts. On a real server it is 30 to 60
/// minutes.
const DEFAULT_TIMEOUT: u64 = 1800;

/// The time between two bytes of an event that never ends.
const TRICKLE: Duration = Duration::from_millis(20);
/// The beginning of an event that never ends. In protobuf it is a length of 1 MiB, in JSON it is
/// garbage.
const ENDLESS: &[u8] = &[0, 0x10, 0, 0];

/// Answers a watch.
///
/// # Errors
///
/// 400 and 422 for invalid or contradictory parameters, 410 after a requested expiry, 504 for a
/// streaming list of a version that has not been reached.
pub(crate) fn answer(call: &Call, kind: Kind) -> Answer {
    let state = call.state.clone();
    let form = call.form(kind)?;
    if form == Form::Yaml {
        let message = "only the following media types are accepted: application/json;stream=watch";
        return Err(Failure::new(406, message));
    }
    let include = list::include(&call.query)?;
    let selectors = Selectors::from_query(&call.query, kind)?;
    let seconds = call
        .query
        .number("timeoutSeconds")?
        .and_then(|seconds| u64::try_from(seconds).ok());
    let signal = state.store.signal().subscribe();
    let seen = signal.borrow().clone();
    let start = start(call, kind)?;
    let mut watch = Watch {
        kind,
        namespace: call.target.namespace.clone(),
        selectors,
        writer: Writer {
            form,
            include,
            columns: true,
        },
        cursor: start.cursor,
        floor: start.floor,
        initial: start.initial.into(),
        final_error: start.final_error,
        ended: false,
        trickled: false,
        bookmarks: call.query.flag("allowWatchBookmarks"),
        initial_end: start.initial_end,
        next_bookmark: Instant::now() + state.bookmark_every(),
        deadline: Instant::now() + Duration::from_secs(seconds.filter(|s| *s > 0).unwrap_or(DEFAULT_TIMEOUT)),
        opened: seen.clone(),
        signal,
        seen,
        _open: state.watches.open(),
        state,
    };
    watch.initial.retain(|object| watch.selectors.matches(object));
    let stream = futures_util::stream::unfold(watch, |mut watch| async move {
        let frame = watch.next().await?;
        Some((frame, watch))
    });
    let media_type = match form {
        Form::Protobuf => "application/vnd.kubernetes.protobuf;stream=watch",
        _ => "application/json",
    };
    Ok(bytes_response(media_type, Body::from_stream(stream)))
}

/// The start of a watch.
#[derive(Default)]
struct Start {
    cursor: u64,
    /// The version up to which changes are not sent. A client may ask for changes after a future
    /// version.
    floor: u64,
    initial: Vec<Arc<Object>>,
    /// The version of the bookmark that ends the initial events.
    initial_end: Option<u64>,
    /// The failure that ends the watch at once.
    final_error: Option<Failure>,
}

fn start(call: &Call, kind: Kind) -> Result<Start, Failure> {
    let (store, faults, query) = (&call.state.store, &call.state.faults, &call.query);
    let version = list::version(query)?.filter(|version| *version > 0);
    let streaming = query
        .get("sendInitialEvents")
        .filter(|_| !faults.initial_events_ignored());
    check(
        query,
        streaming.is_some(),
        faults.streaming_list_refused(),
        faults.initial_events_ignored(),
    )?;
    let wanted = streaming.map(|_| query.flag("sendInitialEvents"));
    match (wanted, version) {
        (Some(true), _) | (None, None) => {
            let snapshot = store.snapshot(kind, call.target.namespace.as_deref());
            if let Some(asked) = version.filter(|asked| *asked > snapshot.version) {
                return Err(list::too_large(asked, snapshot.version));
            }
            let end = wanted.is_some() && query.flag("allowWatchBookmarks") && !faults.initial_events_end_off();
            Ok(Start {
                cursor: snapshot.seq,
                initial: snapshot.objects,
                initial_end: end.then_some(snapshot.version),
                ..Start::default()
            })
        }
        (Some(false), None) => Ok(Start {
            cursor: store.snapshot(kind, None).seq,
            ..Start::default()
        }),
        (_, Some(version)) => match store.since(kind, version) {
            Ok(cursor) => Ok(Start {
                cursor,
                floor: version,
                ..Start::default()
            }),
            Err(old) if old.forgotten => Err(too_old(&old)),
            Err(old) => Ok(Start {
                final_error: Some(too_old(&old)),
                ..Start::default()
            }),
        },
    }
}

/// Checks the options of a watch, as Kubernetes' `ValidateListOptions` does.
fn check(query: &Query, streaming: bool, refused: bool, ignored: bool) -> Result<(), Failure> {
    let rule = query.get("resourceVersionMatch");
    if streaming && rule != Some("NotOlderThan") {
        let why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
        return Err(list::invalid_option("resourceVersionMatch", why));
    }
    if streaming && refused {
        let why = "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled";
        return Err(list::invalid_option("sendInitialEvents", why));
    }
    if rule.is_some() && !streaming && !ignored {
        let why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
        return Err(list::invalid_option("resourceVersionMatch", why));
    }
    Ok(())
}

fn too_old(old: &TooOld) -> Failure {
    Failure::expired(format!("too old resource version: {} ({})", old.asked, old.oldest))
}

struct Watch {
    state: Arc<State>,
    kind: Kind,
    namespace: Option<String>,
    selectors: Selectors,
    writer: Writer,
    cursor: u64,
    floor: u64,
    initial: VecDeque<Arc<Object>>,
    initial_end: Option<u64>,
    /// The failure that ends the watch; `None` once it was sent.
    final_error: Option<Failure>,
    ended: bool,
    /// Whether an event that never ends has started.
    trickled: bool,
    signal: tokio::sync::watch::Receiver<Signal>,
    seen: Signal,
    /// The signal at the time when the watch was opened. A stall affects only watches that were
    /// open when it began.
    opened: Signal,
    bookmarks: bool,
    next_bookmark: Instant,
    deadline: Instant,
    _open: OpenGuard,
}

/// The next action of a watch.
enum Step {
    Frames(Vec<u8>),
    /// Breaks the connection in the middle of a frame.
    Break,
    Wait,
}

impl Watch {
    /// Returns the next bytes; `None` at the end.
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        while !self.ended {
            let signal = self.signal.borrow_and_update().clone();
            let stalled = signal.stalled && signal.stalls > self.opened.stalls;
            match self.step(&signal, stalled) {
                Step::Frames(frames) => return Some(Ok(frames.into())),
                Step::Break => return Some(Err(io::ErrorKind::ConnectionReset.into())),
                Step::Wait => {}
            }
            if let Some(failure) = self.final_error.take_if(|_| !stalled) {
                self.ended = true;
                return Some(Ok(self.writer.failure(&failure).into()));
            }
            tokio::select! {
                changed = self.signal.changed() => changed.ok()?,
                () = self.state.stop.cancelled() => return None,
                () = tokio::time::sleep_until(self.deadline) => return None,
                () = tokio::time::sleep(TRICKLE), if stalled && signal.trickles => {
                    let begun = std::mem::replace(&mut self.trickled, true);
                    return Some(Ok(Bytes::from_static(if begun { b"\0" } else { ENDLESS })));
                }
                () = tokio::time::sleep_until(self.next_bookmark), if self.bookmarks && !stalled => {
                    // Send earlier changes first, because no event may follow a bookmark of a later
                    // version.
                    let Some(version) = self.caught_up() else { continue };
                    self.next_bookmark = Instant::now() + self.state.bookmark_every();
                    if !self.state.faults.bookmarks_off() {
                        return Some(Ok(self.writer.bookmark(self.kind, version, false).into()));
                    }
                }
            }
        }
        None
    }

    fn step(&mut self, signal: &Signal, stalled: bool) -> Step {
        let before = std::mem::replace(&mut self.seen, signal.clone());
        if signal.drops > before.drops {
            return Step::Break;
        }
        if signal.resets > before.resets {
            self.floor = 0;
        }
        if signal.expiries > before.expiries {
            let oldest = self.state.store.version();
            self.final_error = Some(too_old(&TooOld {
                asked: self.floor,
                oldest,
                forgotten: true,
            }));
        }
        if signal.garbage > before.garbage {
            return Step::Frames(b"}garbage, not JSON{\n".to_vec());
        }
        if stalled || self.final_error.is_some() {
            return Step::Wait;
        }
        match self.ready_frames() {
            Ok(frames) if frames.is_empty() => Step::Wait,
            Ok(frames) => Step::Frames(frames),
            Err(old) => {
                self.final_error = Some(too_old(&old));
                Step::Wait
            }
        }
    }

    /// Returns the frames that can be sent now.
    fn ready_frames(&mut self) -> Result<Vec<u8>, TooOld> {
        let mut frames = Vec::new();
        while frames.len() < CHUNK {
            let Some(object) = self.initial.pop_front() else { break };
            self.writer.frame("ADDED", &object, &mut frames);
        }
        if let Some(version) = self.initial_end.take_if(|_| self.initial.is_empty()) {
            frames.extend(self.writer.bookmark(self.kind, version, true));
        }
        while frames.is_empty() {
            let changes = self.state.store.changes(self.kind, self.cursor, BATCH)?;
            let Some(last) = changes.last() else { break };
            self.cursor = last.seq + 1;
            for change in &changes {
                if let Some((event, object)) = self.event(change) {
                    self.writer.frame(event, &object, &mut frames);
                }
            }
        }
        Ok(frames)
    }

    /// Returns the version up to which everything was sent, or `None` if there is more to send.
    fn caught_up(&self) -> Option<u64> {
        // Read the version before the changes, so that a change in between has a later version.
        let version = self.state.store.version();
        match self.state.store.changes(self.kind, self.cursor, 1) {
            Ok(changes) if changes.is_empty() => Some(version),
            Ok(_) | Err(_) => None,
        }
    }

    /// Returns the event for a change, in which an object may enter or leave the watch's selection.
    fn event(&self, change: &Change) -> Option<(&'static str, Arc<Object>)> {
        let elsewhere = self
            .namespace
            .as_ref()
            .is_some_and(|namespace| *namespace != change.after.namespace);
        if elsewhere || change.version <= self.floor {
            return None;
        }
        let before = change.before.as_ref().filter(|before| self.selectors.matches(before));
        let after = !change.deleted && self.selectors.matches(&change.after);
        match (before, after) {
            (None, false) => None,
            (None, true) => Some(("ADDED", change.after.clone())),
            (Some(_), true) => Some(("MODIFIED", change.after.clone())),
            (Some(_), false) if change.deleted => Some(("DELETED", change.after.clone())),
            // Send its last state in the selection, with the version at which it left.
            (Some(before), false) => Some((
                "DELETED",
                Arc::new(Object::new(self.kind, before.value(), change.version)),
            )),
        }
    }
}

/// A writer of frames in the form that the client asked for.
struct Writer {
    form: Form,
    include: Include,
    /// Whether the next Table still has to name its columns.
    columns: bool,
}

impl Writer {
    fn frame(&mut self, event: &str, object: &Object, frames: &mut Vec<u8>) {
        let object = match self.form {
            Form::Protobuf => {
                if let Some(pod) = object.protobuf() {
                    protobuf::event(event, pod, frames);
                }
                return;
            }
            Form::Json | Form::Yaml => object.json(),
            Form::Table => {
                let row = table::row(object, self.include, Timestamp::now());
                let metadata = json!({"resourceVersion": object.version.to_string()});
                table::document(metadata, self.columns(object.kind), vec![row])
                    .to_string()
                    .into_bytes()
            }
        };
        frames.extend_from_slice(format!(r#"{{"type":"{event}","object":"#).as_bytes());
        frames.extend_from_slice(&object);
        frames.extend_from_slice(b"}\n");
    }

    fn failure(&self, failure: &Failure) -> Vec<u8> {
        let status = failure.status();
        if self.form != Form::Protobuf {
            return line(&json!({"type": "ERROR", "object": status}));
        }
        let mut frame = Vec::new();
        protobuf::failure_event(&status, &mut frame);
        frame
    }

    fn bookmark(&mut self, kind: Kind, version: u64, initial_end: bool) -> Vec<u8> {
        let mut metadata = json!({"resourceVersion": version.to_string()});
        if initial_end {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let object = match self.form {
            Form::Protobuf => {
                let mut frame = Vec::new();
                protobuf::bookmark(&json!({"metadata": metadata, "spec": {}, "status": {}}), &mut frame);
                return frame;
            }
            Form::Json | Form::Yaml => {
                let spec = if kind == Kind::Pod {
                    json!({"containers": null})
                } else {
                    json!({})
                };
                json!({"kind": kind.name(), "apiVersion": "v1", "metadata": metadata, "spec": spec, "status": {}})
            }
            Form::Table => {
                let row = Object::new(kind, json!({ "metadata": metadata }), version);
                let row = table::row(&row, Include::Metadata, Timestamp::now());
                table::document(
                    json!({"resourceVersion": version.to_string()}),
                    self.columns(kind),
                    vec![row],
                )
            }
        };
        line(&json!({"type": "BOOKMARK", "object": object}))
    }

    fn columns(&mut self, kind: Kind) -> Value {
        if std::mem::take(&mut self.columns) {
            table::columns(kind)
        } else {
            Value::Null
        }
    }
}

fn line(value: &Value) -> Vec<u8> {
    (value.to_string() + "\n").into_bytes()
}
