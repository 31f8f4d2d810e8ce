//! How columns grow.

/// Lengthens a column, if it is shorter. Its room grows by an eighth, not twofold: at a hundred thousand rows the unused half of
/// each column would be most of what a row may cost.
pub(crate) fn grow<T: Clone>(column: &mut Vec<T>, len: usize, value: T) {
    if len > column.len() {
        reserve(column, len - column.len());
        column.resize(len, value);
    }
}

/// Makes room for more entries, by at least an eighth.
pub(crate) fn reserve<T>(column: &mut Vec<T>, more: usize) {
    if column.capacity() - column.len() < more {
        column.reserve_exact(more.max(column.len() / 8).max(16));
    }
}

/// Shortens a column, if it is longer, and gives up its room.
pub(crate) fn shorten<T>(column: &mut Vec<T>, len: usize) {
    column.truncate(len);
    column.shrink_to_fit();
}
