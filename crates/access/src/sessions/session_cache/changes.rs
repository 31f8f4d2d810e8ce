//! A record of when sessions and users last changed.

/// The number of slots that the numbers share.
const PLACES: usize = 1024;

/// The generation in which each session (or user) last changed, by its number, in constant memory.
/// If two share a slot, a change to one makes readers of the other read once more.
#[derive(Debug)]
pub(super) struct Changes(Box<[u64]>);

impl Changes {
    /// Creates a record without changes.
    pub(super) fn new() -> Self {
        Self(vec![0; PLACES].into())
    }

    fn place(number: i64) -> usize {
        usize::try_from(number.unsigned_abs() % PLACES as u64).unwrap_or(0)
    }

    /// Records that the session or user with this number changed in this generation.
    pub(super) fn record(&mut self, number: i64, generation: u64) {
        if let Some(last) = self.0.get_mut(Self::place(number)) {
            *last = generation;
        }
    }

    /// Returns whether the session or user with this number may have changed after a generation.
    pub(super) fn since(&self, number: i64, generation: u64) -> bool {
        self.0.get(Self::place(number)).is_some_and(|last| *last > generation)
    }
}
