//! What changed since it was read.

/// Among how many places the numbers are spread.
const PLACES: usize = 1024;

/// The generations in which sessions, or users, last changed, by their number, in constant memory.
/// Two that share a place only make one another's readers read once more.
#[derive(Debug)]
pub(super) struct Changes(Box<[u64]>);

impl Changes {
    /// No change yet.
    pub(super) fn new() -> Self {
        Self(vec![0; PLACES].into())
    }

    fn place(number: i64) -> usize {
        usize::try_from(number.unsigned_abs() % PLACES as u64).unwrap_or(0)
    }

    /// Notes that the one of this number changes with this generation.
    pub(super) fn note(&mut self, number: i64, generation: u64) {
        if let Some(last) = self.0.get_mut(Self::place(number)) {
            *last = generation;
        }
    }

    /// Returns whether the one of this number may have changed after a generation.
    pub(super) fn since(&self, number: i64, generation: u64) -> bool {
        self.0.get(Self::place(number)).is_some_and(|last| *last > generation)
    }
}
