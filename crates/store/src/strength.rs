//! The rules for new passwords.

use zxcvbn::{Score, zxcvbn};

/// The shortest password in characters (NIST SP 800-63B).
const SHORTEST: usize = 8;
/// The longest password in bytes.
pub(crate) const LONGEST: usize = 1024;

/// How many characters are scored at either end.
///
/// zxcvbn tries every meaning of letters like `@` and `4`: a text of 100 such characters takes
/// seconds, one of 32 a tenth of a second.
const SCORED: usize = 32;

/// The shortest user name, in characters, that a password must not contain. Shorter names occur in
/// most texts.
const SHORTEST_NAME: usize = 4;

/// Returns why an account can't have a password, as a sentence for the person who chose it; `None`
/// if it can.
pub(crate) fn refusal(password: &str, username: &str) -> Option<String> {
    let length = password.chars().count();
    if length < SHORTEST {
        return Some(format!("the password must have at least {SHORTEST} characters"));
    }
    if password.len() > LONGEST {
        return Some(format!("the password must have at most {LONGEST} bytes"));
    }
    let (lower, name) = (password.to_lowercase(), username.to_lowercase());
    if lower == name || (name.chars().count() >= SHORTEST_NAME && lower.contains(&name)) {
        return Some("the password must not contain the user name".to_owned());
    }
    let first: String = password.chars().take(SCORED).collect();
    let last: String = password.chars().skip(length.saturating_sub(SCORED)).collect();
    let guessed = |part: &str| zxcvbn(part, &[&name]).score() <= Score::One;
    if guessed(&first) && (length <= SCORED || guessed(&last)) {
        return Some(
            "the password is among the first that are guessed: choose a longer one, such as four or more random words"
                .to_owned(),
        );
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_short_long_and_own_passwords_are_refused() {
        let long = "x".repeat(1025);
        for (password, username, part) in [
            ("", "admin", Some("at least 8")),
            ("h7$kQz!", "admin", Some("at least 8")),
            (&long, "admin", Some("at most 1024 bytes")),
            ("password", "admin", Some("first that are guessed")),
            ("Passw0rd!", "admin", Some("first that are guessed")),
            ("12345678", "admin", Some("first that are guessed")),
            ("qwertyuiop", "admin", Some("first that are guessed")),
            ("aaaaaaaaaaaaaaaa", "admin", Some("first that are guessed")),
            ("jonathan1", "bob", Some("first that are guessed")),
            ("administrator", "administrator", Some("user name")),
            ("xK7-ADMIN-93-quartz-lamp", "admin", Some("user name")),
            ("xqvxqvxqv", "xqv", Some("first that are guessed")),
            ("bobsleigh in the moonlight", "bob", None),
            ("correct horse battery staple", "admin", None),
            ("h7$kQz!2wL", "admin", None),
        ] {
            let refused = refusal(password, username);
            let expected = refused
                .as_deref()
                .is_some_and(|text| part.is_some_and(|part| text.contains(part)));
            assert!(
                expected || (refused.is_none() && part.is_none()),
                "{password}: {refused:?}"
            );
        }
    }

    #[test]
    fn a_long_password_is_scored_at_both_ends() {
        let (weak, strong) = ("password".repeat(8), "h7$kQz!2wL");
        assert!(refusal(&weak, "admin").is_some());
        for password in [format!("{weak}{strong}"), format!("{strong}{weak}"), strong.repeat(102)] {
            assert_eq!(refusal(&password, "admin"), None, "{password}");
        }
    }
}
