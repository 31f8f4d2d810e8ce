//! What a password may be, and one made up.

use podgate_store::{Turn, User};

use crate::error::{Denied, Result};

/// Shortest (NIST SP 800-63B) and longest password, in characters and in bytes.
const SHORTEST: usize = 8;
const LONGEST: usize = 1024;

/// Whether a password is a user's. One that is too long to be anyone's costs no more to check than another.
pub(super) async fn verify(turn: &Turn, password: &str, user: Option<&User>) -> Result<bool> {
    let possible = password.len() <= LONGEST;
    let password = if possible { password } else { "" };
    let right = turn.verify(password, user.map(|user| &user.password)).await?;
    Ok(right && possible)
}

pub(super) fn check_strength(password: &str, username: &str) -> Result<()> {
    let reason = if password.chars().count() < SHORTEST {
        format!("the password must have at least {SHORTEST} characters")
    } else if password.len() > LONGEST {
        format!("the password must have at most {LONGEST} bytes")
    } else if password.eq_ignore_ascii_case(username) {
        "the password must not be the user name".to_owned()
    } else {
        return Ok(());
    };
    Err(Denied::Invalid(reason))
}

/// 24 characters of which none is mistaken for another: 120 bits.
pub(super) fn random() -> Result<String> {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes)
        .map_err(|error| Denied::Internal(format!("the operating system gave no random bytes: {error}")))?;
    Ok(bytes
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(byte % 32)))
        .map(|byte| char::from(*byte))
        .collect())
}
