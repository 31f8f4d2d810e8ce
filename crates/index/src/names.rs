//! What the rows' search looks through that does not repeat: names and pod IPs.

use hashbrown::HashMap;
use memchr::memmem::Finder;

use crate::bits::Bits;

/// Ends every name and every IP. Occurs in no UTF-8, so no search text can match it or reach across it.
const END: u8 = 0xff;

/// No row.
const NONE: u32 = u32::MAX;

/// Below this many bytes a text is not worth compacting.
const SMALL: usize = 4096;

/// The names and IPs of all rows in one buffer, in lower case, so that a search is one pass over it.
#[derive(Debug, Default)]
pub(crate) struct Names {
    text: Vec<u8>,
    /// In the order of the text.
    records: Vec<Record>,
    /// Each row's record.
    of: Vec<u32>,
    /// Names and IPs that lower case does not keep. Kubernetes allows none, but the buffer would lose them.
    mixed: HashMap<u32, (Box<str>, Box<str>)>,
    /// Bytes of the text that no row uses.
    dead: usize,
}

/// Where a row's name and IP are.
#[derive(Clone, Copy, Debug)]
struct Record {
    start: usize,
    name: u32,
    ip: u32,
    row: u32,
}

impl Record {
    fn ip_start(&self) -> usize {
        self.start + self.name as usize + 1
    }

    fn end(&self) -> usize {
        self.ip_start() + self.ip as usize + 1
    }
}

impl Names {
    /// Sets a row's name and IP.
    pub(crate) fn set(&mut self, row: u32, name: &str, ip: &str) {
        if self.record(row).is_some() {
            if self.name(row) == name.as_bytes() && self.ip(row) == ip {
                return;
            }
            self.remove(row);
        }
        let (lower_name, lower_ip) = (name.to_lowercase(), ip.to_lowercase());
        if lower_name != name || lower_ip != ip {
            self.mixed.insert(row, (name.into(), ip.into()));
        }
        self.push(row, lower_name.as_bytes(), lower_ip.as_bytes());
    }

    fn push(&mut self, row: u32, name: &[u8], ip: &[u8]) {
        let slot = row as usize;
        if slot >= self.of.len() {
            self.of.resize(slot + 1, NONE);
        }
        self.of[slot] = self.records.len() as u32;
        self.records.push(Record {
            start: self.text.len(),
            name: name.len() as u32,
            ip: ip.len() as u32,
            row,
        });
        self.text.extend_from_slice(name);
        self.text.push(END);
        self.text.extend_from_slice(ip);
        self.text.push(END);
    }

    /// Forgets a row. Compacts the buffer once a quarter of it is dead.
    pub(crate) fn remove(&mut self, row: u32) {
        let Some(record) = self.record(row).copied() else {
            return;
        };
        self.mixed.remove(&row);
        // Blanked, dead text is never found.
        self.text[record.start..record.end()].fill(END);
        self.dead += record.end() - record.start;
        self.records[self.of[row as usize] as usize].row = NONE;
        self.of[row as usize] = NONE;
        if self.text.len() > SMALL && self.dead * 4 > self.text.len() {
            self.compact();
        }
    }

    fn compact(&mut self) {
        let live = self.text.len() - self.dead;
        let text = std::mem::replace(&mut self.text, Vec::with_capacity(live + live / 4));
        let records = std::mem::take(&mut self.records);
        self.dead = 0;
        for record in records.iter().filter(|record| record.row != NONE) {
            let name = &text[record.start..record.ip_start() - 1];
            let ip = &text[record.ip_start()..record.end() - 1];
            self.push(record.row, name, ip);
        }
    }

    fn record(&self, row: u32) -> Option<&Record> {
        self.records.get(*self.of.get(row as usize)? as usize)
    }

    /// A row's name, as bytes: their order is the text's order, and comparing is what this is asked for most.
    pub(crate) fn name(&self, row: u32) -> &[u8] {
        if let Some((name, _)) = self.mixed(row) {
            return name.as_bytes();
        }
        self.record(row)
            .map_or(&[], |record| &self.text[record.start..record.ip_start() - 1])
    }

    /// A row's IP.
    pub(crate) fn ip(&self, row: u32) -> &str {
        if let Some((_, ip)) = self.mixed(row) {
            return ip;
        }
        let bytes = self
            .record(row)
            .map_or(&[][..], |record| &self.text[record.ip_start()..record.end() - 1]);
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    fn mixed(&self, row: u32) -> Option<&(Box<str>, Box<str>)> {
        if self.mixed.is_empty() {
            return None;
        }
        self.mixed.get(&row)
    }

    /// The rows whose name or IP contains what the finder looks for: a text in lower case that is not empty. One pass over the
    /// buffer, however many rows match.
    pub(crate) fn search(&self, finder: &Finder<'_>) -> Bits {
        let mut rows = Bits::default();
        let (mut from, mut at) = (0, 0);
        while let Some(found) = finder.find(&self.text[from..]) {
            let hit = from + found;
            while self.records.get(at + 1).is_some_and(|next| next.start <= hit) {
                at += 1;
            }
            rows.insert(self.records[at].row);
            from = self.records[at].end();
        }
        rows
    }

    /// Bytes of the buffer, used and dead.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(names: &Names, text: &str) -> Vec<u32> {
        names.search(&Finder::new(text)).iter().collect()
    }

    #[test]
    fn finds_names_and_ips_and_nothing_across_them() {
        let mut names = Names::default();
        names.set(0, "web-1", "10.0.0.1");
        names.set(1, "web-2", "");
        names.set(7, "db", "fe80::1");
        assert_eq!(found(&names, "web"), [0, 1]);
        assert_eq!(found(&names, "0.0"), [0]);
        assert_eq!(found(&names, "80::"), [7]);
        assert_eq!(found(&names, "b"), [0, 1, 7]);
        assert!(found(&names, "110").is_empty(), "a name and its IP are two texts");
        names.set(0, "web-1", "10.9.9.9");
        assert!(found(&names, "0.0").is_empty(), "the old IP is gone");
        assert_eq!(found(&names, "9.9"), [0]);
        names.remove(1);
        assert_eq!(found(&names, "web"), [0]);
        assert_eq!((names.name(0), names.ip(0)), (&b"web-1"[..], "10.9.9.9"));
    }

    #[test]
    fn keeps_names_that_lower_case_changes() {
        let mut names = Names::default();
        names.set(0, "Wéb-İ", "FE80::1");
        assert_eq!((names.name(0), names.ip(0)), ("Wéb-İ".as_bytes(), "FE80::1"));
        assert_eq!(found(&names, "wé"), [0]);
        assert_eq!(found(&names, "fe8"), [0]);
        names.remove(0);
        assert!(names.mixed.is_empty());
    }

    #[test]
    fn compacts_what_is_dead() {
        let mut names = Names::default();
        for row in 0..1_000 {
            names.set(row, &format!("pod-{row}"), "10.0.0.1");
        }
        let fresh = names.len();
        for round in 0..100 {
            for row in 0..1_000 {
                names.set(row, &format!("pod-{row}"), &format!("10.0.{round}.1"));
            }
        }
        assert!(names.len() < fresh * 3 / 2, "{} bytes of {fresh}", names.len());
        assert!(
            (0..1_000).all(|row| names.name(row) == format!("pod-{row}").as_bytes() && names.ip(row) == "10.0.99.1")
        );
        assert_eq!(found(&names, "pod-999"), [999]);
    }
}
