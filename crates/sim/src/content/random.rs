//! A small deterministic source of random numbers (SplitMix64): the same seed gives the same cluster.

/// The letters of generated names, as Kubernetes' `rand.SafeEncodeString` has them: no vowels, so that no words come out.
const NAME_LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to below `end`; 0 when `end` is 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or(0)
    }

    /// A number of a range, both ends included.
    pub(crate) fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to.saturating_sub(from) + 1)
    }

    /// True once in `of` times.
    pub(crate) fn once_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }

    /// One of these; the default of an empty slice.
    pub(crate) fn pick<T: Copy + Default>(&mut self, of: &[T]) -> T {
        let index = self.below(of.len() as u64);
        of.get(usize::try_from(index).unwrap_or(0)).copied().unwrap_or_default()
    }

    /// The random end of a generated name.
    pub(crate) fn suffix(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(self.pick(NAME_LETTERS))).collect()
    }

    /// An identifier in the form of a version 4 UUID.
    pub(crate) fn uid(&mut self) -> String {
        let (high, low) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            0x8000 | (low >> 48) & 0x3fff,
            low & 0xffff_ffff_ffff
        )
    }
}
