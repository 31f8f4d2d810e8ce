//! Checks of a cluster's fields.

use crate::error::{Denied, Result};

/// The most characters of a DNS-1123 label.
const LABEL: usize = 63;
/// The most namespaces to watch: each costs a connection.
const NAMESPACES: usize = 100;
/// The most bytes of a description.
const DESCRIPTION: usize = 4096;

/// Checks that a name is a DNS-1123 label and not all digits, so that it can't be mistaken for a
/// number.
pub(super) fn name(name: &str) -> Result<()> {
    if !is_label(name) {
        return Err(Denied::Invalid(format!(
            "`name` must be 1 to {LABEL} lower-case letters, digits and `-`, and begin and end with a letter or digit"
        )));
    }
    if name.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Denied::Invalid(
            "`name` must not be all digits: it could be mistaken for a cluster's number".to_owned(),
        ));
    }
    Ok(())
}

pub(super) fn description(description: &str) -> Result<()> {
    if description.len() > DESCRIPTION || description.contains('\0') {
        return Err(Denied::Invalid(format!(
            "`description` must be at most {DESCRIPTION} bytes of text"
        )));
    }
    Ok(())
}

/// Checks that namespaces are labels. Returns each once, sorted.
pub(super) fn namespaces(mut namespaces: Vec<String>) -> Result<Vec<String>> {
    namespaces.sort_unstable();
    namespaces.dedup();
    if namespaces.len() > NAMESPACES {
        return Err(Denied::Invalid(format!(
            "`namespaces` may name at most {NAMESPACES}: leave it out to watch all with one connection"
        )));
    }
    match namespaces.iter().find(|namespace| !is_label(namespace)) {
        Some(wrong) => Err(Denied::Invalid(format!(
            "`namespaces` has `{}`, which can't be the name of a namespace",
            wrong.chars().take(LABEL).collect::<String>().escape_debug()
        ))),
        None => Ok(namespaces),
    }
}

fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.len() <= LABEL && text.bytes().all(inner) && !text.is_empty() && !text.starts_with('-') && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn names() {
        let long = "a".repeat(64);
        for good in ["a", "1a", "a-1", "x--y", &long[1..]] {
            name(good).unwrap();
        }
        for bad in ["", "-a", "a-", "A", "a.b", "a_b", "é", "a b", "12", "a/b", &long] {
            name(bad).unwrap_err();
        }
    }

    #[test]
    fn namespaces_are_labels_each_once() {
        let list = |names: &[&str]| namespaces(names.iter().map(|&name| name.to_owned()).collect());
        assert_eq!(list(&["b", "a", "b"]).unwrap(), ["a", "b"]);
        assert_eq!(list(&["123"]).unwrap(), ["123"]);
        assert!(list(&[]).unwrap().is_empty());
        for bad in ["", "A", "a/b", "a.b", "-"] {
            list(&[bad]).unwrap_err();
        }
        let many: Vec<String> = (0..101).map(|n| n.to_string()).collect();
        namespaces(many[..100].to_vec()).unwrap();
        namespaces(many).unwrap_err();
    }

    #[test]
    fn descriptions_are_bounded() {
        description("Production, Frankfurt — Ω").unwrap();
        description(&"a".repeat(4097)).unwrap_err();
        description("a\0b").unwrap_err();
    }
}
