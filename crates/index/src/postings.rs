//! A column of texts that repeat, with the rows of each.

use hashbrown::HashMap;
use memchr::memmem::Finder;
use roaring::RoaringBitmap;

use crate::{
    column::{grow, shorten},
    dictionary::{Dictionary, Sym},
};

/// One text a row number, and the rows of each text.
#[derive(Debug, Default)]
pub(crate) struct Postings {
    values: Dictionary<str>,
    /// By row number; that of a row that is not there means nothing.
    by_row: Vec<Sym>,
    /// By value.
    by_value: Vec<RoaringBitmap>,
}

impl Postings {
    /// Sets the text of a row that had none.
    pub(crate) fn insert(&mut self, row: u32, text: &str) {
        let sym = self.values.intern(text);
        grow(&mut self.by_row, row as usize + 1, Sym::default());
        grow(&mut self.by_value, sym.0 as usize + 1, RoaringBitmap::new());
        self.by_row[row as usize] = sym;
        self.by_value[sym.0 as usize].insert(row);
    }

    /// Takes a row's text away.
    pub(crate) fn remove(&mut self, row: u32) {
        let sym = self.sym(row);
        self.by_value[sym.0 as usize].remove(row);
        if self.values.release(sym).is_some() {
            self.by_value[sym.0 as usize] = RoaringBitmap::new();
        }
    }

    /// Sets the text of a row that had another or the same.
    pub(crate) fn update(&mut self, row: u32, text: &str) {
        if self.get(row) != text {
            self.remove(row);
            self.insert(row, text);
        }
    }

    /// Gives up the room of texts that are gone.
    pub(crate) fn tidy(&mut self) {
        self.values.tidy();
    }

    /// Gives up the room of rows without a text, from one on.
    pub(crate) fn shorten(&mut self, len: usize) {
        shorten(&mut self.by_row, len);
    }

    pub(crate) fn sym(&self, row: u32) -> Sym {
        self.by_row[row as usize]
    }

    pub(crate) fn get(&self, row: u32) -> &str {
        self.values.get(self.sym(row))
    }

    /// The rows of a text; none: there are none.
    pub(crate) fn rows_of(&self, text: &str) -> Option<&RoaringBitmap> {
        self.values.find(text).map(|sym| &self.by_value[sym.0 as usize])
    }

    /// The texts in use with their rows, in no particular order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &RoaringBitmap)> {
        self.values
            .iter()
            .map(|(sym, text)| (text, &self.by_value[sym.0 as usize]))
    }

    /// The rows of texts that equal one of some others but for case.
    pub(crate) fn equal_ignoring_case(&self, texts: &[String]) -> Vec<&RoaringBitmap> {
        let texts: Vec<_> = texts.iter().map(|text| text.to_lowercase()).collect();
        let equal_ignoring_case = self.iter().filter(|(value, _)| texts.contains(&value.to_lowercase()));
        equal_ignoring_case.map(|(_, rows)| rows).collect()
    }

    /// The rows of texts that contain what the finder looks for (in lower case) but for case.
    pub(crate) fn containing(&self, finder: &Finder<'_>) -> Vec<&RoaringBitmap> {
        let containing = self.iter().filter(|(value, _)| contains(value, finder));
        containing.map(|(_, rows)| rows).collect()
    }

    /// How often each text occurs among rows.
    pub(crate) fn count(&self, rows: impl Iterator<Item = u32>) -> Vec<(&str, usize)> {
        let mut counts = HashMap::<Sym, usize>::new();
        for row in rows {
            *counts.entry(self.sym(row)).or_default() += 1;
        }
        let counts = counts.into_iter();
        counts.map(|(sym, count)| (self.values.get(sym), count)).collect()
    }

    /// How many distinct texts are in use, and how many there is room for.
    #[cfg(test)]
    pub(crate) fn sizes(&self) -> [usize; 2] {
        [self.values.len(), self.values.slots().max(self.by_value.len())]
    }
}

/// Whether a text contains what the finder looks for (in lower case) but for case.
pub(crate) fn contains(text: &str, finder: &Finder<'_>) -> bool {
    if text.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
        finder.find(text.to_lowercase().as_bytes()).is_some()
    } else {
        finder.find(text.as_bytes()).is_some()
    }
}
