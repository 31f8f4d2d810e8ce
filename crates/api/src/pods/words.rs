//! Tables of the words that a parameter takes, and of the meaning of each.

/// Returns the words of a table of words and their meanings.
pub(super) const fn words<T, const N: usize>(table: &[(&'static str, T)]) -> [&'static str; N] {
    let mut words = [""; N];
    let mut at = 0;
    while at < N {
        words[at] = table[at].0;
        at += 1;
    }
    words
}

/// Returns the meaning of a word.
pub(super) fn meaning<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    let entry = table.iter().find(|(known, _)| *known == word);
    entry.map(|(_, meaning)| *meaning)
}
