//! Dictionaries: values that repeat, each kept once.

use std::hash::{BuildHasher, Hash};

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::column::reserve;

/// A value's number in its [`Dictionary`]. It is reused once nothing refers to the value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Sym(pub(crate) u32);

/// Distinct values with reference counts. Releasing the last reference removes a value and frees
/// its number.
#[derive(Debug)]
pub(crate) struct Dictionary<T: ?Sized> {
    entries: Vec<Entry<T>>,
    table: HashTable<u32>,
    free: Vec<u32>,
    hasher: DefaultHashBuilder,
}

/// A value and its count. A free entry has no references and an empty value, which takes no memory.
#[derive(Debug)]
struct Entry<T: ?Sized> {
    value: Box<T>,
    refs: u32,
}

impl<T: ?Sized> Default for Dictionary<T> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            table: HashTable::new(),
            free: Vec::new(),
            hasher: DefaultHashBuilder::default(),
        }
    }
}

impl<T> Dictionary<T>
where
    T: ?Sized + Hash + Eq,
    Box<T>: Default + for<'a> From<&'a T>,
{
    /// Adds a reference to a value and returns its number.
    pub(crate) fn intern(&mut self, value: &T) -> Sym {
        if let Some(sym) = self.find(value) {
            self.entries[sym.0 as usize].refs += 1;
            return sym;
        }
        let entry = Entry {
            value: value.into(),
            refs: 1,
        };
        let id = match self.free.pop() {
            Some(id) => {
                self.entries[id as usize] = entry;
                id
            }
            None => {
                reserve(&mut self.entries, 1);
                self.entries.push(entry);
                self.entries.len() as u32 - 1
            }
        };
        let (entries, hasher) = (&self.entries, &self.hasher);
        self.table.insert_unique(hasher.hash_one(value), id, |&id| {
            hasher.hash_one(&*entries[id as usize].value)
        });
        Sym(id)
    }

    /// Returns the value's number, if anything refers to the value.
    pub(crate) fn find(&self, value: &T) -> Option<Sym> {
        self.table
            .find(self.hasher.hash_one(value), |&id| {
                &*self.entries[id as usize].value == value
            })
            .map(|&id| Sym(id))
    }

    /// Returns the value of a number that is in use.
    pub(crate) fn get(&self, sym: Sym) -> &T {
        &self.entries[sym.0 as usize].value
    }

    /// Releases one reference. Returns the value if that was the last one.
    pub(crate) fn release(&mut self, sym: Sym) -> Option<Box<T>> {
        let entry = &mut self.entries[sym.0 as usize];
        entry.refs -= 1;
        if entry.refs > 0 {
            return None;
        }
        let value = std::mem::take(&mut entry.value);
        if let Ok(found) = self.table.find_entry(self.hasher.hash_one(&*value), |&id| id == sym.0) {
            found.remove();
        }
        self.free.push(sym.0);
        Some(value)
    }

    /// Frees the space of values that are gone, as far as the numbers of the others allow.
    pub(crate) fn tidy(&mut self) {
        while self.entries.pop_if(|entry| entry.refs == 0).is_some() {}
        let len = self.entries.len();
        self.entries.shrink_to(len + len / 8);
        self.free.retain(|&id| (id as usize) < len);
        self.free.shrink_to_fit();
        let (entries, hasher) = (&self.entries, &self.hasher);
        self.table
            .shrink_to(0, |&id| hasher.hash_one(&*entries[id as usize].value));
    }

    /// Returns the values in use, in no particular order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Sym, &T)> {
        self.entries
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.refs > 0)
            .map(|(id, entry)| (Sym(id as u32), &*entry.value))
    }

    /// Returns the number of distinct values in use.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// Returns the number of entries, used or free.
    #[cfg(test)]
    pub(crate) fn slots(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_a_value_once_and_until_its_last_release() {
        let mut words = Dictionary::<str>::default();
        let a = words.intern("a");
        let b = words.intern("b");
        assert_eq!(words.intern("a"), a);
        assert_ne!(a, b);
        assert_eq!(words.release(a), None);
        assert_eq!(words.find("a"), Some(a));
        assert_eq!(words.release(a).as_deref(), Some("a"));
        assert_eq!(words.find("a"), None);
        assert_eq!((words.get(b), words.len()), ("b", 1));
        assert_eq!(words.iter().collect::<Vec<_>>(), [(b, "b")]);
    }

    #[test]
    fn reuses_numbers() {
        let mut words = Dictionary::<str>::default();
        for n in 0..10_000 {
            let sym = words.intern(&format!("value-{n}"));
            words.release(sym);
        }
        assert_eq!((words.len(), words.slots()), (0, 1));
    }
}
