//! The cluster's objects with their versions, and the history of changes for watches.

mod snapshot;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::watch;

use crate::object::{Kind, Object, metadata_mut};
use crate::shared_json::Draft;
use crate::{names, time};

use snapshot::Key;
pub(crate) use snapshot::{Range, Snapshot};

/// How many changes an open watch may lag behind, even if [`crate::Options::history`] is less.
const MAX_LAG: usize = 4096;

/// The most changes that [`crate::Options::fresh`] keeps (`defaultUpperBoundCapacity` of
/// kube-apiserver's watch cache).
const MAX_FRESH: usize = 100 * 1024;

/// A change of an object.
#[derive(Debug)]
pub(crate) struct Change {
    /// The change's number in the kind's history. Unlike `version`, it never goes backwards.
    pub(crate) seq: u64,
    /// The cluster's version after the change.
    pub(crate) version: u64,
    at: Instant,
    pub(crate) before: Option<Arc<Object>>,
    /// The object after the change. After a deletion, it is the last state, with the version of the
    /// deletion.
    pub(crate) after: Arc<Object>,
    pub(crate) deleted: bool,
}

/// The state that open watches react to in addition to changes. Its counters only grow.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signal {
    pub(crate) changes: u64,
    pub(crate) drops: u64,
    pub(crate) expiries: u64,
    pub(crate) garbage: u64,
    pub(crate) resets: u64,
    pub(crate) stalls: u64,
    pub(crate) stalled: bool,
    pub(crate) trickles: bool,
}

/// The reason why a watch can't continue from its version.
#[derive(Debug, PartialEq)]
pub(crate) struct TooOld {
    pub(crate) asked: u64,
    pub(crate) oldest: u64,
    /// Whether the reason is a requested expiry, rather than the number of later changes.
    pub(crate) forgotten: bool,
}

#[derive(Default)]
struct Table {
    objects: BTreeMap<Key, Arc<Object>>,
    history: VecDeque<Arc<Change>>,
    /// The sequence number of the next change.
    next: u64,
    /// The lowest version that a watch can start from.
    oldest: u64,
    /// The lowest version at which a list can be read.
    lost: u64,
    /// The lowest version that a watch can start from after the last requested expiry.
    forgotten: u64,
    /// The place in the history where new watches may start: after the last expiry or reset.
    barrier: u64,
}

struct Inner {
    version: u64,
    keep: usize,
    fresh: Duration,
    tables: [Table; Kind::ALL.len()],
}

/// The objects of a cluster.
///
/// Its lock is never held for a whole list, only while one object is serialised.
pub(crate) struct Store {
    inner: Mutex<Inner>,
    signal: watch::Sender<Signal>,
}

impl Store {
    /// Makes an empty store. New watches may start up to `keep` changes ago, or up to `fresh` ago
    /// if that is more.
    pub(crate) fn new(keep: usize, fresh: Duration) -> Store {
        let inner = Inner {
            version: 1000,
            keep,
            fresh,
            tables: Default::default(),
        };
        Store {
            inner: Mutex::new(inner),
            signal: watch::Sender::new(Signal::default()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the current version.
    pub(crate) fn version(&self) -> u64 {
        self.lock().version
    }

    /// Returns the signal that open watches react to. Its receivers are also notified of changes.
    pub(crate) fn signal(&self) -> &watch::Sender<Signal> {
        &self.signal
    }

    /// Creates or replaces an object and completes its metadata.
    ///
    /// A missing UID or creation time is taken from the replaced object, or created.
    pub(crate) fn put(&self, kind: Kind, draft: impl Into<Draft>) -> Arc<Object> {
        let draft = draft.into();
        let mut inner = self.lock();
        let object = inner.put(kind, draft);
        drop(inner);
        self.announce();
        object
    }

    /// Replaces an object by the result of `change`, if it exists and `change` returns `true`.
    pub(crate) fn update(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut Value) -> bool,
    ) -> Option<Arc<Object>> {
        let mut inner = self.lock();
        let mut value = inner.find(kind, namespace, name)?.value();
        if !change(&mut value) {
            return None;
        }
        let object = inner.put(kind, value.into());
        drop(inner);
        self.announce();
        Some(object)
    }

    pub(crate) fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<Arc<Object>> {
        self.lock().find(kind, namespace, name)
    }

    /// Removes an object at once, if it exists and has this `uid` (any UID for `None`).
    pub(crate) fn remove(&self, kind: Kind, namespace: &str, name: &str, uid: Option<&str>) -> Option<Arc<Object>> {
        let mut inner = self.lock();
        let found = inner.find(kind, namespace, name)?;
        if uid.is_some_and(|uid| uid != found.uid) {
            return None;
        }
        inner.version += 1;
        let version = inner.version;
        let last = Arc::new(Object::new(kind, found.value(), version));
        inner.tables[kind as usize]
            .objects
            .remove(&(namespace.to_owned(), name.to_owned()));
        inner.record(kind, Some(found), last.clone(), true);
        drop(inner);
        self.announce();
        Some(last)
    }

    /// Returns the place in the history where a watch from `version` starts.
    ///
    /// # Errors
    ///
    /// [`TooOld`] when the history no longer reaches back that far.
    pub(crate) fn since(&self, kind: Kind, version: u64) -> Result<u64, TooOld> {
        let inner = self.lock();
        let table = &inner.tables[kind as usize];
        if version < table.oldest {
            let forgotten = version < table.forgotten;
            return Err(TooOld {
                asked: version,
                oldest: table.oldest,
                forgotten,
            });
        }
        let from = table.history.iter().filter(|change| change.seq >= table.barrier);
        Ok(from
            .filter(|change| change.version > version)
            .map(|change| change.seq)
            .next()
            .unwrap_or(table.next))
    }

    /// Returns up to `most` changes from a place in the history on.
    ///
    /// # Errors
    ///
    /// [`TooOld`] when the reader lags too far behind.
    pub(crate) fn changes(&self, kind: Kind, from: u64, most: usize) -> Result<Vec<Arc<Change>>, TooOld> {
        let inner = self.lock();
        let table = &inner.tables[kind as usize];
        let first = table.history.front().map_or(table.next, |change| change.seq);
        if from < first {
            return Err(TooOld {
                asked: inner.version,
                oldest: table.oldest,
                forgotten: false,
            });
        }
        let skip = usize::try_from(from - first).unwrap_or(usize::MAX);
        Ok(table.history.iter().skip(skip).take(most).cloned().collect())
    }

    /// Drops the history, so that watches can start only from the current version on.
    pub(crate) fn expire(&self) {
        let mut inner = self.lock();
        inner.version += 1;
        let version = inner.version;
        for table in &mut inner.tables {
            (table.oldest, table.lost, table.forgotten) = (version, version, version);
            table.barrier = table.next;
        }
    }

    /// Makes versions continue from `to`, as after a restore of etcd. Objects with later versions
    /// get the version `to`.
    pub(crate) fn reset_version(&self, to: u64) {
        let mut inner = self.lock();
        inner.version = to;
        for (kind, table) in Kind::ALL.into_iter().zip(&mut inner.tables) {
            (table.oldest, table.lost, table.forgotten) = (table.oldest.min(to), to, table.forgotten.min(to));
            table.barrier = table.next;
            for object in table.objects.values_mut().filter(|object| object.version > to) {
                *object = Arc::new(Object::new(kind, object.value(), to));
            }
        }
        drop(inner);
        self.announce();
    }

    fn announce(&self) {
        self.signal.send_modify(|signal| signal.changes += 1);
    }
}

impl Inner {
    fn find(&self, kind: Kind, namespace: &str, name: &str) -> Option<Arc<Object>> {
        self.tables[kind as usize]
            .objects
            .get(&(namespace.to_owned(), name.to_owned()))
            .cloned()
    }

    fn put(&mut self, kind: Kind, mut draft: Draft) -> Arc<Object> {
        self.version += 1;
        let before = complete(&mut draft.value, kind, |namespace, name| {
            self.find(kind, namespace, name)
        });
        let object = Arc::new(Object::new(kind, draft, self.version));
        let key = (object.namespace.clone(), object.name.clone());
        self.tables[kind as usize].objects.insert(key, object.clone());
        self.record(kind, before, object.clone(), false);
        object
    }

    fn record(&mut self, kind: Kind, before: Option<Arc<Object>>, after: Arc<Object>, deleted: bool) {
        let (version, keep, fresh) = (self.version, self.keep, self.fresh);
        let at = Instant::now();
        let table = &mut self.tables[kind as usize];
        table.history.push_back(Arc::new(Change {
            seq: table.next,
            version,
            at,
            before,
            after,
            deleted,
        }));
        table.next += 1;
        let is_fresh = |change: &Change, length: usize| length <= MAX_FRESH && at - change.at < fresh;
        let length = table.history.len();
        let last = length
            .checked_sub(keep + 1)
            .and_then(|index| table.history.get(index))
            // After a reset, the version may be lower than an earlier one.
            .filter(|last| last.seq >= table.barrier && !is_fresh(last, length));
        if let Some(last) = last {
            table.oldest = table.oldest.max(last.version);
        }
        let too_long = |history: &VecDeque<Arc<Change>>| {
            let first = history.front().filter(|_| history.len() > keep.max(MAX_LAG));
            first.is_some_and(|first| !is_fresh(first, history.len()))
        };
        while too_long(&table.history) {
            if let Some(change) = table.history.pop_front().filter(|change| change.seq >= table.barrier) {
                table.lost = change.version;
                table.oldest = table.oldest.max(change.version);
            }
        }
    }
}

/// Adds missing metadata to an object, and returns the object that it replaces.
fn complete(
    value: &mut Value,
    kind: Kind,
    find: impl FnOnce(&str, &str) -> Option<Arc<Object>>,
) -> Option<Arc<Object>> {
    if !value.is_object() {
        *value = Value::Object(serde_json::Map::new());
    }
    let object = value.as_object_mut()?;
    let metadata = metadata_mut(object);
    if kind.namespaced() {
        metadata.entry("namespace").or_insert_with(|| "default".into());
    } else {
        metadata.remove("namespace");
    }
    let text = |key: &str| metadata.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let before = find(&text("namespace"), &text("name"));
    if text("uid").is_empty() {
        let known = before.as_ref().map(|before| before.uid.clone());
        metadata.insert(
            "uid".to_owned(),
            known.unwrap_or_else(|| names::uid(&mut fastrand::Rng::new())).into(),
        );
    }
    if !metadata.get("creationTimestamp").is_some_and(Value::is_string) {
        let known = before
            .as_ref()
            .and_then(|before| before.value().pointer("/metadata/creationTimestamp").cloned());
        let now = || time::seconds(jiff::Timestamp::now()).into();
        metadata.insert("creationTimestamp".to_owned(), known.unwrap_or_else(now));
    }
    before
}
