//! Sets of small numbers.

/// A set of `u32`, one bit each. Grows with what is inserted.
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

    pub(crate) fn remove(&mut self, id: u32) {
        let (word, bit) = place(id);
        if let Some(word) = self.words.get_mut(word) {
            *word &= !bit;
        }
    }

    pub(crate) fn contains(&self, id: u32) -> bool {
        let (word, bit) = place(id);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    /// How many numbers are in the set. Costs a pass over the words.
    pub(crate) fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The numbers, ascending.
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

    /// Keeps the numbers for which `keep` holds. Asks for each number in the set once, ascending.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(u32) -> bool) {
        for (at, word) in self.words.iter_mut().enumerate() {
            let mut rest = *word;
            while rest != 0 {
                let bit = rest.trailing_zeros();
                rest &= rest - 1;
                if !keep(at as u32 * 64 + bit) {
                    *word &= !(1 << bit);
                }
            }
        }
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
        let mut bits: Bits = [0, 63, 64, 1000].into_iter().collect();
        bits.remove(64);
        bits.remove(5000);
        assert_eq!(bits.iter().collect::<Vec<_>>(), [0, 63, 1000]);
        assert_eq!(bits.count(), 3);
        assert!(bits.contains(63) && !bits.contains(64) && !bits.contains(u32::MAX));
    }

    #[test]
    fn retains_what_is_kept() {
        let mut bits: Bits = (0..200).collect();
        bits.retain(|id| id % 3 == 0);
        assert!(bits.iter().eq((0..200).filter(|id| id % 3 == 0)));
    }
}
