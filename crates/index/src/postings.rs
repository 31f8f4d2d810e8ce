//! A column of texts that repeat, with the rows that have each text.

use hashbrown::HashMap;
use memchr::memmem::Finder;
use roaring::RoaringBitmap;

use crate::{
    column::{grow, shorten},
    dictionary::{Dictionary, Sym},
};

/// The text of each row, and the rows of each text.
#[derive(Debug, Default)]
pub(crate) struct Postings {
    values: Dictionary<str>,
    /// By row number. The entry of a free number has no meaning.
    by_row: Vec<Sym>,
    /// By symbol.
    by_value: Vec<RoaringBitmap>,
}

impl Postings {
    /// Sets the text of a row that has none.
    pub(crate) fn insert(&mut self, row: u32, text: &str) {
        let sym = self.values.intern(text);
        grow(&mut self.by_row, row as usize + 1, Sym::default());
        grow(&mut self.by_value, sym.0 as usize + 1, RoaringBitmap::new());
        self.by_row[row as usize] = sym;
        self.by_value[sym.0 as usize].insert(row);
    }

    /// Removes a row's text.
    pub(crate) fn remove(&mut self, row: u32) {
        let sym = self.sym(row);
        self.by_value[sym.0 as usize].remove(row);
        if self.values.release(sym).is_some() {
            self.by_value[sym.0 as usize] = RoaringBitmap::new();
        }
    }

    /// Replaces the text of a row.
    pub(crate) fn update(&mut self, row: u32, text: &str) {
        if self.get(row) != text {
            self.remove(row);
            self.insert(row, text);
        }
    }

    /// Frees the space of texts that no row has.
    pub(crate) fn tidy(&mut self) {
        self.values.tidy();
    }

    /// Frees the space of the rows from `len` on, which have no text.
    pub(crate) fn shorten(&mut self, len: usize) {
        shorten(&mut self.by_row, len);
    }

    pub(crate) fn sym(&self, row: u32) -> Sym {
        self.by_row[row as usize]
    }

    pub(crate) fn get(&self, row: u32) -> &str {
        self.values.get(self.sym(row))
    }

    /// Returns the rows with a text; `None` if there are none.
    pub(crate) fn rows_of(&self, text: &str) -> Option<&RoaringBitmap> {
        self.values.find(text).map(|sym| &self.by_value[sym.0 as usize])
    }

    /// Returns the texts in use with their rows, in no particular order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &RoaringBitmap)> {
        self.values
            .iter()
            .map(|(sym, text)| (text, &self.by_value[sym.0 as usize]))
    }

    /// Returns the rows of every text that equals one of `texts`, compared without case.
    pub(crate) fn equal_ignoring_case(&self, texts: &[String]) -> Vec<&RoaringBitmap> {
        let texts: Vec<_> = texts.iter().map(|text| text.to_lowercase()).collect();
        let equal_ignoring_case = self.iter().filter(|(value, _)| texts.contains(&value.to_lowercase()));
        equal_ignoring_case.map(|(_, rows)| rows).collect()
    }

    /// Returns the rows of every text that contains the finder's text, compared without case. The
    /// finder's text is in lower case.
    pub(crate) fn containing(&self, finder: &Finder<'_>) -> Vec<&RoaringBitmap> {
        let containing = self.iter().filter(|(value, _)| contains(value, finder));
        containing.map(|(_, rows)| rows).collect()
    }

    /// Counts each text that occurs among some rows.
    pub(crate) fn count(&self, rows: impl Iterator<Item = u32>) -> Vec<(&str, usize)> {
        let mut counts = HashMap::<Sym, usize>::new();
        for row in rows {
            *counts.entry(self.sym(row)).or_default() += 1;
        }
        let counts = counts.into_iter();
        counts.map(|(sym, count)| (self.values.get(sym), count)).collect()
    }

    /// Returns the number of distinct texts in use, and of entries for them.
    #[cfg(test)]
    pub(crate) fn sizes(&self) -> [usize; 2] {
        [self.values.len(), self.values.slots().max(self.by_value.len())]
    }
}

/// Returns whether a text contains the finder's text, compared without case. The finder's text is
/// in lower case.
pub(crate) fn contains(text: &str, finder: &Finder<'_>) -> bool {
    if text.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
        finder.find(text.to_lowercase().as_bytes()).is_some()
    } else {
        finder.find(text.as_bytes()).is_some()
    }
}
