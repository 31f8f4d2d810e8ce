//! A buffer that reassembles elements which chunk boundaries cut apart.

use std::{borrow::Cow, mem};

/// The most bytes of memory that are reserved for a claimed length before the bytes arrive.
const TRUSTED: usize = 64 << 10;

/// A buffer that takes elements of known length out of chunks. An element within one chunk is not
/// copied; any other is copied once.
#[derive(Debug, Default)]
pub(super) struct ChunkBuffer {
    held: Vec<u8>,
}

impl ChunkBuffer {
    /// Returns the next `length` bytes. If they have not all arrived, it takes all of `bytes` and
    /// returns `None`.
    pub(super) fn take<'a>(&mut self, length: usize, bytes: &mut &'a [u8]) -> Option<Cow<'a, [u8]>> {
        let missing = length.saturating_sub(self.held.len());
        let (now, rest) = bytes.split_at(missing.min(bytes.len()));
        *bytes = rest;
        if now.len() == missing && self.held.is_empty() {
            return Some(Cow::Borrowed(now));
        }
        if now.is_empty() {
            return None;
        }
        if self.held.is_empty() {
            self.held.reserve(length.min(TRUSTED));
        }
        self.held.extend_from_slice(now);
        // `clear` would keep the memory of the largest object for as long as the connection lives.
        (now.len() == missing).then(|| Cow::Owned(mem::take(&mut self.held)))
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.held.capacity()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn elements_come_whole_whatever_the_chunks() {
        let text = b"one three  twenty";
        for size in 1..=text.len() {
            let (mut chunks, mut whole) = (ChunkBuffer::default(), Vec::new());
            let mut lengths = [4, 6, 0, 1, 6].into_iter().peekable();
            for mut chunk in text.chunks(size) {
                while let Some(length) = lengths.peek() {
                    let Some(element) = chunks.take(*length, &mut chunk) else {
                        break;
                    };
                    whole.push(String::from_utf8(element.into_owned()).unwrap());
                    lengths.next();
                }
                assert!(chunk.is_empty() || lengths.peek().is_none());
            }
            assert_eq!(whole, ["one ", "three ", "", " ", "twenty"], "{size}");
        }
    }

    #[test]
    fn data_within_a_chunk_is_not_copied() {
        let mut chunks = ChunkBuffer::default();
        let mut chunk = &b"abcdef"[..];
        assert!(matches!(chunks.take(3, &mut chunk), Some(Cow::Borrowed(b"abc"))));
        assert!(matches!(chunks.take(3, &mut chunk), Some(Cow::Borrowed(b"def"))));
        assert_eq!(chunks.held(), 0);
    }

    #[test]
    fn a_length_alone_reserves_little() {
        let mut chunks = ChunkBuffer::default();
        assert!(chunks.take(usize::MAX, &mut &b"x"[..]).is_none());
        assert!(chunks.held() <= TRUSTED);
    }
}
