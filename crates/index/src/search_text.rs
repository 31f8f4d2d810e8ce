//! The text that searches scan and that does not repeat: names and pod IPs.

use hashbrown::HashMap;
use memchr::memmem::Finder;

use crate::{bits::Bits, column};

/// Ends every text. UTF-8 never contains it, so no search text can match it or reach across it.
const END: u8 = 0xff;

/// No row, or no record.
const NONE: u32 = u32::MAX;

/// Separates the further IPs of a row.
const BETWEEN: char = '\0';

/// A buffer of fewer bytes is not worth compacting.
const SMALL: usize = 4096;

/// The names and IPs of all rows.
#[derive(Debug, Default)]
pub(crate) struct SearchText {
    pub(crate) names: TextColumn,
    pub(crate) ips: TextColumn,
    /// The further IPs of the rows that have more than one, separated by [`BETWEEN`].
    more_ips: TextColumn,
    /// The number of rows with an IP that has a character which no valid IP has.
    unusual_ips: usize,
}

impl SearchText {
    /// Sets a row's name and IPs.
    pub(crate) fn set(&mut self, row: u32, name: &str, ip: &str, more_ips: &[String]) {
        self.names.set(row, name);
        self.unusual_ips -= usize::from(self.has_unusual_ip(row));
        self.ips.set(row, ip);
        match more_ips {
            [] => self.more_ips.remove(row),
            [one] => self.more_ips.set(row, one),
            several => self.more_ips.set(row, &several.join(&BETWEEN.to_string())),
        }
        self.unusual_ips += usize::from(self.has_unusual_ip(row));
    }

    /// Removes a row's name and IPs.
    pub(crate) fn remove(&mut self, row: u32) {
        self.unusual_ips -= usize::from(self.has_unusual_ip(row));
        self.names.remove(row);
        self.ips.remove(row);
        self.more_ips.remove(row);
    }

    /// Returns the IPs of a row except the first.
    pub(crate) fn more_ips(&self, row: u32) -> impl Iterator<Item = &str> {
        self.more_ips.get(row).split(BETWEEN).filter(|ip| !ip.is_empty())
    }

    /// Returns the bytes of each of these IPs in lower case.
    fn more_lower(&self, row: u32) -> impl Iterator<Item = &[u8]> {
        self.more_ips.lower(row).split(|byte| char::from(*byte) == BETWEEN)
    }

    fn has_unusual_ip(&self, row: u32) -> bool {
        !is_address(self.ips.lower(row)) || !self.more_lower(row).all(is_address)
    }

    /// Frees the space of removed texts if that is worth it.
    pub(crate) fn tidy(&mut self) {
        for texts in [&mut self.names, &mut self.ips, &mut self.more_ips] {
            if texts.unused * 16 > texts.text.len() {
                texts.compact();
            }
        }
    }

    /// Frees the space of the rows from `len` on, which have no name.
    pub(crate) fn shorten(&mut self, len: usize) {
        column::shorten(&mut self.names.record_of, len);
        column::shorten(&mut self.ips.record_of, len);
        column::shorten(&mut self.more_ips.record_of, len);
    }

    /// Returns the rows whose name or one of whose IPs contains the finder's text, which is in
    /// lower case and not empty.
    ///
    /// Scans the names once, and the IPs if the text may be part of one.
    pub(crate) fn search(&self, finder: &Finder<'_>) -> Bits {
        let mut rows = Bits::default();
        self.names.search(finder, &mut rows);
        if self.unusual_ips > 0 || is_address(finder.needle()) {
            self.ips.search(finder, &mut rows);
            if !finder.needle().contains(&(BETWEEN as u8)) {
                self.more_ips.search(finder, &mut rows);
            }
        }
        rows
    }

    /// Returns whether a row's name or one of its IPs contains the finder's text.
    pub(crate) fn contains(&self, row: u32, finder: &Finder<'_>) -> bool {
        finder.find(self.names.lower(row)).is_some()
            || finder.find(self.ips.lower(row)).is_some()
            || self.more_lower(row).any(|ip| finder.find(ip).is_some())
    }
}

/// Returns whether a text in lower case has only characters of an IP.
fn is_address(text: &[u8]) -> bool {
    text.iter()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'.' | b':'))
}

/// One text per row. All are in one buffer in lower case, so that a search scans it once. It holds
/// at most 4 GiB.
#[derive(Debug, Default)]
pub(crate) struct TextColumn {
    text: Vec<u8>,
    /// In the order of the buffer, without gaps.
    records: Vec<Record>,
    /// The record of each row.
    record_of: Vec<u32>,
    /// The texts that lower case changes. Kubernetes allows none, but the buffer would lose them.
    mixed: HashMap<u32, Box<str>>,
    /// The number of bytes of the buffer that no row uses.
    unused: usize,
}

/// The start of a row's text. The text ends, with [`END`], where the next one starts.
#[derive(Clone, Copy, Debug)]
struct Record {
    start: u32,
    row: u32,
}

impl TextColumn {
    fn set(&mut self, row: u32, text: &str) {
        if self.get(row) == text {
            return;
        }
        self.remove(row);
        if text.is_empty() {
            return;
        }
        let lower = text.to_lowercase();
        if lower != text {
            self.mixed.insert(row, text.into());
        }
        self.push(row, lower.as_bytes());
    }

    fn push(&mut self, row: u32, text: &[u8]) {
        column::grow(&mut self.record_of, row as usize + 1, NONE);
        self.record_of[row as usize] = self.records.len() as u32;
        column::reserve(&mut self.records, 1);
        self.records.push(Record {
            start: self.text.len() as u32,
            row,
        });
        column::reserve(&mut self.text, text.len() + 1);
        self.text.extend_from_slice(text);
        self.text.push(END);
    }

    /// Removes a row's text. Compacts the buffer once a quarter of it is unused.
    fn remove(&mut self, row: u32) {
        let Some(record) = self.record(row) else { return };
        self.mixed.remove(&row);
        let (start, end) = self.range(record);
        // Overwritten with `END`, the removed text is never found.
        self.text[start..end].fill(END);
        self.unused += end - start;
        self.records[record].row = NONE;
        self.record_of[row as usize] = NONE;
        if self.text.len() > SMALL && self.unused * 4 > self.text.len() {
            self.compact();
        }
    }

    fn compact(&mut self) {
        let live = self.text.len() - self.unused;
        let old = std::mem::take(self);
        self.record_of = old.record_of;
        self.mixed = old.mixed;
        self.text.reserve_exact(live + live / 8);
        let ends = old.records.iter().skip(1).map(|next| next.start as usize);
        let ends = ends.chain([old.text.len()]);
        for (record, end) in old.records.iter().zip(ends) {
            if record.row != NONE {
                self.push(record.row, &old.text[record.start as usize..end - 1]);
            }
        }
    }

    fn record(&self, row: u32) -> Option<usize> {
        let record = *self.record_of.get(row as usize)?;
        (record != NONE).then_some(record as usize)
    }

    /// Returns the start and end of a record's text, including its [`END`].
    fn range(&self, record: usize) -> (usize, usize) {
        let next = self.records.get(record + 1);
        let end = next.map_or(self.text.len(), |next| next.start as usize);
        (self.records[record].start as usize, end)
    }

    /// Returns the bytes of a row's text in lower case.
    pub(crate) fn lower(&self, row: u32) -> &[u8] {
        self.record(row).map_or(&[], |record| {
            let (start, end) = self.range(record);
            &self.text[start..end - 1]
        })
    }

    /// Returns the bytes of a row's text. They sort as the text does; comparing is their main use.
    pub(crate) fn bytes(&self, row: u32) -> &[u8] {
        if !self.mixed.is_empty()
            && let Some(text) = self.mixed.get(&row)
        {
            return text.as_bytes();
        }
        self.lower(row)
    }

    /// Returns a row's text.
    pub(crate) fn get(&self, row: u32) -> &str {
        std::str::from_utf8(self.bytes(row)).unwrap_or_default()
    }

    /// Adds the rows whose text contains the finder's text.
    fn search(&self, finder: &Finder<'_>, rows: &mut Bits) {
        let (mut from, mut at) = (0, 0);
        while let Some(found) = finder.find(&self.text[from..]) {
            let hit = from + found;
            // Hits are near each other or far apart: walk a few records, then fall back to a binary
            // search.
            let near = self.records[at..]
                .iter()
                .take(8)
                .take_while(|r| r.start as usize <= hit);
            at += match near.count() {
                8 => self.records[at..].partition_point(|r| r.start as usize <= hit) - 1,
                count => count - 1,
            };
            rows.insert(self.records[at].row);
            from = self.range(at).1;
        }
    }

    /// Returns the length of the buffer in bytes, used and unused.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(names: &SearchText, text: &str) -> Vec<u32> {
        let finder = Finder::new(text);
        let rows: Vec<u32> = names.search(&finder).iter().collect();
        assert!(
            (0..1_000)
                .filter(|&row| names.contains(row, &finder))
                .eq(rows.iter().copied())
        );
        rows
    }

    #[test]
    fn finds_names_and_ips_and_nothing_across_them() {
        let mut names = SearchText::default();
        names.set(0, "web-1", "10.0.0.1", &[]);
        names.set(1, "web-2", "", &[]);
        names.set(7, "db", "fe80::1", &[]);
        assert_eq!(found(&names, "web"), [0, 1]);
        assert_eq!(found(&names, "0.0"), [0]);
        assert_eq!(found(&names, "80::"), [7]);
        assert_eq!(found(&names, "b"), [0, 1, 7]);
        assert!(found(&names, "1w").is_empty(), "two names are two texts");
        names.set(0, "web-1", "10.9.9.9", &[]);
        assert!(found(&names, "0.0").is_empty(), "the old IP is gone");
        assert_eq!(found(&names, "9.9"), [0]);
        names.remove(1);
        assert_eq!(found(&names, "web"), [0]);
        assert_eq!((names.names.get(0), names.ips.get(0)), ("web-1", "10.9.9.9"));
    }

    #[test]
    fn every_ip_of_a_row_is_found_and_goes_with_it() {
        let mut names = SearchText::default();
        let more = |ips: &[&str]| ips.iter().map(|&ip| ip.to_owned()).collect::<Vec<_>>();
        names.set(0, "single", "10.0.0.1", &[]);
        names.set(1, "dual", "10.0.0.2", &more(&["fd00::2"]));
        names.set(2, "triple", "10.0.0.3", &more(&["FD00::3", "10.9.0.3"]));
        assert_eq!(found(&names, "fd00"), [1, 2]);
        assert_eq!(found(&names, "9.0.3"), [2]);
        assert_eq!(found(&names, "0.0."), [0, 1, 2]);
        assert_eq!(names.more_ips(2).collect::<Vec<_>>(), ["FD00::3", "10.9.0.3"]);
        assert_eq!(names.more_ips(0).count(), 0);
        assert!(found(&names, "3\u{0}1").is_empty(), "two IPs are two texts");
        names.set(2, "triple", "10.0.0.3", &more(&["fd00::4"]));
        assert_eq!(found(&names, "fd00::3"), [] as [u32; 0], "the old IP is gone");
        names.set(1, "dual", "10.0.0.2", &[]);
        assert_eq!(found(&names, "fd00"), [2]);
        names.set(1, "dual", "10.0.0.2", &more(&["no ip"]));
        assert_eq!(found(&names, "no i"), [1], "an invalid IP is found too");
        names.remove(1);
        names.remove(2);
        assert!(found(&names, "fd00").is_empty() && names.unusual_ips == 0);
    }

    #[test]
    fn finds_hits_that_are_near_and_far() {
        let mut names = SearchText::default();
        for row in 0..100 {
            let name = if [3, 4, 50, 99].contains(&row) { "hit" } else { "miss" };
            names.set(row, &format!("{name}-{row}"), "", &[]);
        }
        assert_eq!(found(&names, "hit"), [3, 4, 50, 99]);
        assert_eq!(found(&names, "-").len(), 100);
    }

    #[test]
    fn keeps_texts_that_lower_case_changes() {
        let mut names = SearchText::default();
        names.set(0, "Wéb-İ", "FE80::1", &[]);
        assert_eq!((names.names.get(0), names.ips.get(0)), ("Wéb-İ", "FE80::1"));
        assert_eq!(found(&names, "wé"), [0]);
        assert_eq!(found(&names, "fe8"), [0]);
        names.set(1, "x", "no ip", &[]);
        assert_eq!(found(&names, "no i"), [1], "an invalid IP is found too");
        names.remove(0);
        names.remove(1);
        assert!(names.names.mixed.is_empty() && names.ips.mixed.is_empty() && names.unusual_ips == 0);
    }

    #[test]
    fn compacts_what_is_unused() {
        let mut names = SearchText::default();
        for row in 0..1_000 {
            names.set(row, &format!("pod-{row}"), "10.0.0.1", &[]);
        }
        let fresh = names.ips.len();
        for round in 0..100 {
            for row in 0..1_000 {
                names.set(row, &format!("pod-{row}"), &format!("10.0.{round}.1"), &[]);
            }
        }
        assert!(names.ips.len() < fresh * 3 / 2, "{} bytes of {fresh}", names.ips.len());
        assert!(
            (0..1_000).all(|row| names.names.get(row) == format!("pod-{row}") && names.ips.get(row) == "10.0.99.1")
        );
        assert_eq!(found(&names, "pod-99").len(), 11);
    }
}
