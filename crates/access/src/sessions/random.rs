//! Generated passwords.

use crate::{error::Result, token};

/// Generates a password of 24 unambiguous characters (120 bits) that does not contain the user
/// name.
pub(super) fn password(username: &str) -> Result<String> {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    loop {
        let mut bytes = [0; 24];
        token::fill(&mut bytes)?;
        let password: String = bytes
            .iter()
            .filter_map(|byte| ALPHABET.get(usize::from(byte % 32)))
            .map(|byte| char::from(*byte))
            .collect();
        // One in a million contains it, and would be refused.
        if !password.contains(username) {
            return Ok(password);
        }
    }
}
