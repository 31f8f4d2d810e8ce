//! Random names and identifiers.
//!
//! The content takes them from generators with fixed seeds, so that the same options always make
//! the same cluster.

use fastrand::Rng;

/// The letters of generated names, from Kubernetes' `rand.SafeEncodeString`. There are no vowels,
/// so that the letters don't form words.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// Returns a random suffix for a generated name, such as a pod's.
pub(crate) fn suffix(rng: &mut Rng, length: usize) -> String {
    (0..length).map(|_| char::from(pick(rng, LETTERS))).collect()
}

/// Returns an identifier in the form of a version 4 UUID.
pub(crate) fn uid(rng: &mut Rng) -> String {
    let (high, low) = (rng.u64(..), rng.u64(..));
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | (low >> 48) & 0x3fff,
        low & 0xffff_ffff_ffff
    )
}

/// Returns the ID of a new container: 64 hexadecimal digits.
pub(crate) fn container_id() -> String {
    let mut rng = Rng::new();
    format!("{:032x}{:032x}", rng.u128(..), rng.u128(..))
}

/// Returns one of the items, or the default if there are none.
pub(crate) fn pick<T: Copy + Default>(rng: &mut Rng, items: &[T]) -> T {
    rng.choice(items).copied().unwrap_or_default()
}
