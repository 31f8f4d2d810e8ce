//! The objects of the store at one version.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::{Change, Store, Table, TooOld};
use crate::object::{Kind, Object};

/// Objects in key order, with the version at which they were read.
pub(crate) struct Snapshot {
    pub(crate) version: u64,
    /// The place in the kind's history from which a watch can continue.
    pub(crate) seq: u64,
    pub(crate) objects: Vec<Arc<Object>>,
    /// How many objects there are beyond the limit.
    pub(crate) more: usize,
}

/// The key of an object: its namespace and name.
pub(crate) type Key = (String, String);

/// The selection of a snapshot's objects, in key order.
#[derive(Clone, Copy, Default)]
pub(crate) struct Range<'a> {
    /// The namespace of the objects; `None` for all.
    pub(crate) namespace: Option<&'a str>,
    /// The key after which the objects begin.
    pub(crate) after: Option<&'a Key>,
    /// The most objects.
    pub(crate) limit: Option<usize>,
}

impl<'a> Range<'a> {
    fn select<'t>(self, table: &'t Table) -> impl Iterator<Item = (&'t Key, &'t Arc<Object>)> + use<'a, 't> {
        let first = self.namespace.map(|namespace| (namespace.to_owned(), String::new()));
        let from = match (self.after, &first) {
            (Some(after), first) if first.as_ref().is_none_or(|first| after > first) => Bound::Excluded(after),
            (_, Some(first)) => Bound::Included(first),
            (_, None) => Bound::Unbounded,
        };
        let range = table.objects.range((from, Bound::Unbounded));
        range.take_while(move |(key, _)| self.namespace.is_none_or(|namespace| key.0 == namespace))
    }

    /// Returns the objects up to the limit, and the number of further ones, which are counted
    /// without being read.
    fn split_at_limit<'t>(self, mut objects: impl Iterator<Item = &'t Arc<Object>>) -> (Vec<Arc<Object>>, usize) {
        let first = objects
            .by_ref()
            .take(self.limit.unwrap_or(usize::MAX))
            .cloned()
            .collect();
        (first, objects.count())
    }
}

impl Store {
    /// Returns all objects of a kind, or those of a namespace, by namespace and name.
    pub(crate) fn snapshot(&self, kind: Kind, namespace: Option<&str>) -> Snapshot {
        let all = Range {
            namespace,
            ..Range::default()
        };
        self.page(kind, all)
    }

    /// Returns a range of the objects of a kind, by namespace and name.
    pub(crate) fn page(&self, kind: Kind, range: Range<'_>) -> Snapshot {
        let inner = self.lock();
        let table = &inner.tables[kind as usize];
        let (objects, more) = range.split_at_limit(range.select(table).map(|(_, object)| object));
        Snapshot {
            version: inner.version,
            seq: table.next,
            objects,
            more,
        }
    }

    /// Returns a range of the objects of a kind, as they were at a version.
    ///
    /// # Errors
    ///
    /// [`TooOld`] when the history no longer reaches back that far.
    pub(crate) fn at(&self, kind: Kind, range: Range<'_>, version: u64) -> Result<Snapshot, TooOld> {
        let inner = self.lock();
        let table = &inner.tables[kind as usize];
        if version < table.lost {
            return Err(TooOld {
                asked: version,
                oldest: table.lost,
                forgotten: version < table.forgotten,
            });
        }
        let mut undone = BTreeMap::new();
        let later = |change: &&Arc<Change>| change.seq >= table.barrier && change.version > version;
        for change in table.history.iter().filter(later) {
            let key = (change.after.namespace.clone(), change.after.name.clone());
            undone.entry(key).or_insert_with(|| change.before.clone());
        }
        let kept = range.select(table).filter(|(key, _)| !undone.contains_key(*key));
        let (objects, more) = if undone.is_empty() {
            range.split_at_limit(kept.map(|(_, object)| object))
        } else {
            let inside = |key: &Key| {
                range.namespace.is_none_or(|namespace| namespace == key.0)
                    && range.after.is_none_or(|after| key > after)
            };
            let before = undone.iter().filter(|(key, _)| inside(key));
            let mut all: Vec<_> = kept.collect();
            all.extend(before.filter_map(|(key, before)| Some((key, before.as_ref()?))));
            all.sort_by_key(|(key, _)| *key);
            range.split_at_limit(all.into_iter().map(|(_, object)| object))
        };
        Ok(Snapshot {
            version,
            seq: table.next,
            objects,
            more,
        })
    }
}
