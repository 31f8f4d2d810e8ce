//! The Podgate binary.
fn main() {}
