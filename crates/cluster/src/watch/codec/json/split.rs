//! Cuts the JSON of a list into its `metadata` and the elements of its `items`, and holds at most
//! one of these parts at a time.

use super::{DecodeError, MAX_OBJECT};

/// The kind of a part that was cut out of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Item,
    /// An item that is too long. Its bytes are not handed over.
    Oversized,
    Metadata,
}

/// A splitter, and its position in the text. `depth` counts open brackets: it is 1 within the
/// list's object and 2 within its `items`.
#[derive(Debug)]
pub(crate) struct Splitter {
    /// The most bytes of one part.
    max: usize,
    /// Whether an item of more than `max` bytes is skipped. Otherwise it is an error.
    skips: bool,
    /// Whether the current item has more than `max` bytes.
    oversized: bool,
    depth: u32,
    in_string: bool,
    /// Whether the previous byte was a backslash within a string.
    escaped: bool,
    /// At depth 1: whether the current or last string is a key.
    in_key: bool,
    /// At depth 1: whether a value follows, not a key.
    after_colon: bool,
    key: Vec<u8>,
    in_items: bool,
    /// The kind of the current part. Its bytes from earlier chunks are in `held`.
    cut: Option<Part>,
    held: Vec<u8>,
    complete: bool,
}

type Sink<'a> = dyn FnMut(Part, &[u8]) -> Result<(), DecodeError> + 'a;

impl Default for Splitter {
    fn default() -> Self {
        Self::new(MAX_OBJECT, false)
    }
}

impl Splitter {
    /// Makes a splitter that skips items of more than `max` bytes and reports each as
    /// [`Part::Oversized`].
    pub(crate) fn skipping(max: usize) -> Self {
        Self::new(max, true)
    }

    fn new(max: usize, skips: bool) -> Self {
        Self {
            max,
            skips,
            oversized: false,
            depth: 0,
            in_string: false,
            escaped: false,
            in_key: false,
            after_colon: false,
            key: Vec::new(),
            in_items: false,
            cut: None,
            held: Vec::new(),
            complete: false,
        }
    }

    /// Returns whether the list's closing bracket has arrived.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Returns the bytes that are held for an incomplete item.
    pub(crate) fn held(&self) -> usize {
        self.held.capacity()
    }

    /// Takes the next bytes and hands the parts that they complete to `sink`.
    pub(crate) fn push(&mut self, bytes: &[u8], sink: &mut Sink<'_>) -> Result<(), DecodeError> {
        let mut start = 0;
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if self.in_string && !self.escaped && self.depth > 1 {
                // Most of a pod is strings, so skip to the next byte that may end one.
                let rest = bytes.get(at..).unwrap_or_default();
                match memchr::memchr2(b'"', b'\\', rest) {
                    Some(skip) if skip > 0 => {
                        at += skip;
                        continue;
                    }
                    None => break,
                    Some(_) => {}
                }
            }
            let before = self.cut;
            self.step(byte)?;
            match (before, self.cut) {
                (None, Some(_)) => start = at,
                (Some(part), None) => {
                    self.emit(part, bytes.get(start..=at).unwrap_or_default(), sink)?;
                    start = at + 1;
                }
                _ => {}
            }
            at += 1;
        }
        if let Some(part) = self.cut {
            let rest = bytes.get(start..).unwrap_or_default();
            if self.fits(part, rest)? {
                self.held.extend_from_slice(rest);
            }
        }
        Ok(())
    }

    /// Returns whether the current part may grow by these bytes. If it may not, drops the bytes
    /// that are held.
    fn fits(&mut self, part: Part, more: &[u8]) -> Result<bool, DecodeError> {
        if self.held.len() + more.len() > self.max {
            if !self.skips || part == Part::Metadata {
                return Err(DecodeError::too_long("an item of the list", self.max));
            }
            self.oversized = true;
            self.held = Vec::new();
        }
        Ok(!self.oversized)
    }

    fn emit(&mut self, part: Part, bytes: &[u8], sink: &mut Sink<'_>) -> Result<(), DecodeError> {
        if !self.fits(part, bytes)? {
            self.oversized = false;
            return sink(Part::Oversized, &[]);
        }
        if self.held.is_empty() {
            return sink(part, bytes);
        }
        self.held.extend_from_slice(bytes);
        let held = std::mem::take(&mut self.held);
        sink(part, &held)
    }

    fn step(&mut self, byte: u8) -> Result<(), DecodeError> {
        if self.in_string {
            self.step_in_string(byte);
            return Ok(());
        }
        match byte {
            b'"' => {
                self.in_string = true;
                if self.depth == 1 && !self.after_colon {
                    self.in_key = true;
                    self.key.clear();
                }
                self.expect(self.depth > 0 && !self.between_items())
            }
            b'{' | b'[' => self.open(byte),
            b'}' | b']' => self.close(),
            b':' if self.depth == 1 => {
                self.after_colon = true;
                Ok(())
            }
            b',' if self.depth == 1 => {
                self.after_colon = false;
                Ok(())
            }
            b',' | b' ' | b'\n' | b'\r' | b'\t' => Ok(()),
            _ => self.expect(self.depth > 0 && !self.between_items()),
        }
    }

    fn step_in_string(&mut self, byte: u8) {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = true,
            b'"' => {
                self.in_string = false;
                self.in_key = false;
            }
            // Longer keys are not needed here.
            _ if self.in_key && self.key.len() < 16 => self.key.push(byte),
            _ => {}
        }
    }

    fn open(&mut self, byte: u8) -> Result<(), DecodeError> {
        self.expect(!self.complete && (self.depth > 0 || byte == b'{'))?;
        if self.depth == 1 && self.after_colon && self.cut.is_none() {
            match (self.key.as_slice(), byte) {
                (b"items", b'[') => self.in_items = true,
                (b"metadata", b'{') => self.cut = Some(Part::Metadata),
                _ => {}
            }
        } else if self.between_items() {
            self.expect(byte == b'{')?;
            self.cut = Some(Part::Item);
        }
        self.depth += 1;
        Ok(())
    }

    fn close(&mut self) -> Result<(), DecodeError> {
        self.expect(self.depth > 0)?;
        self.depth -= 1;
        match self.depth {
            2 if self.cut == Some(Part::Item) => self.cut = None,
            1 if self.cut == Some(Part::Metadata) => self.cut = None,
            1 => self.in_items = false,
            0 => self.complete = true,
            _ => {}
        }
        Ok(())
    }

    fn between_items(&self) -> bool {
        self.in_items && self.depth == 2 && self.cut.is_none()
    }

    fn expect(&self, condition: bool) -> Result<(), DecodeError> {
        if condition {
            return Ok(());
        }
        Err(DecodeError(
            "the response is not a list of Kubernetes objects in JSON".to_owned(),
        ))
    }
}
