//! How columns grow and shrink.

/// Lengthens a column to `len` entries if it is shorter.
///
/// Its capacity grows by an eighth. If it doubled, up to half of each column would be unused, which
/// at a hundred thousand rows would be most of the memory that a row may take.
pub(crate) fn grow<T: Clone>(column: &mut Vec<T>, len: usize, value: T) {
    if len > column.len() {
        reserve(column, len - column.len());
        column.resize(len, value);
    }
}

/// Reserves capacity for more entries: an eighth of the column at least.
pub(crate) fn reserve<T>(column: &mut Vec<T>, more: usize) {
    if column.capacity() - column.len() < more {
        column.reserve_exact(more.max(column.len() / 8).max(16));
    }
}

/// Shortens a column to `len` entries if it is longer, and frees its unused capacity.
pub(crate) fn shorten<T>(column: &mut Vec<T>, len: usize) {
    column.truncate(len);
    column.shrink_to_fit();
}
