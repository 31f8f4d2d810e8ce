//! The keys and values that labels may have: `IsLabelKey` and `IsLabelValue` of
//! `k8s.io/apimachinery/pkg/api/validate/content`.

use super::SelectorError;

/// The most bytes of a value, and of a key's name.
const LABEL: usize = 63;
/// The most bytes of a key's prefix.
const PREFIX: usize = 253;

/// Checks a key: a name of up to 63 bytes, after an optional DNS subdomain and `/`.
///
/// # Errors
/// [`SelectorError`], which says what is wrong with which part.
pub(super) fn key(key: &str) -> Result<(), SelectorError> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let wrong = |what: &str| Err(SelectorError(format!("`{key}` is not a label key: {what}")));
    if let Some(prefix) = prefix
        && (prefix.len() > PREFIX || !is_subdomain(prefix))
    {
        return wrong(
            "the part before its `/` must be a DNS subdomain of at most 253 characters, such as `example.com`",
        );
    }
    if name.is_empty() {
        return wrong("its name is empty");
    }
    if name.len() > LABEL {
        return wrong("its name is longer than 63 characters");
    }
    if !is_name(name) {
        return wrong(
            "its name must consist of letters, digits, `-`, `_` and `.`, and start and end with a letter or digit",
        );
    }
    Ok(())
}

/// Checks a value: empty, or up to 63 bytes.
///
/// # Errors
/// [`SelectorError`], which says what is wrong with it.
pub(super) fn value(value: &str) -> Result<(), SelectorError> {
    let wrong = |what: &str| Err(SelectorError(format!("`{value}` is not a label value: {what}")));
    if value.len() > LABEL {
        return wrong("it is longer than 63 characters");
    }
    if !value.is_empty() && !is_name(value) {
        return wrong("it must consist of letters, digits, `-`, `_` and `.`, and start and end with a letter or digit");
    }
    Ok(())
}

fn is_name(text: &str) -> bool {
    enclosed(text, |b| b.is_ascii_alphanumeric(), b"-_.")
}

fn is_subdomain(text: &str) -> bool {
    text.split('.')
        .all(|label| enclosed(label, |b| b.is_ascii_lowercase() || b.is_ascii_digit(), b"-"))
}

/// Returns whether a text starts and ends with a `plain` byte and has only `plain` and `inner`
/// bytes between.
fn enclosed(text: &str, plain: impl Fn(u8) -> bool, inner: &[u8]) -> bool {
    let bytes = text.as_bytes();
    let ends = bytes.first().zip(bytes.last());
    ends.is_some_and(|(first, last)| plain(*first) && plain(*last))
        && bytes.iter().all(|byte| plain(*byte) || inner.contains(byte))
}
