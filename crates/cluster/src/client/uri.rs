//! Paths of the Kubernetes API, built from parts that a caller may have chosen.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{Error, error::Result};

const KEEP: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Returns a percent-encoded path with its query.
///
/// No segment may be empty, `.` or `..`, or contain `/` or `%` (`IsValidPathSegmentName` of
/// apimachinery), because an API server decodes the path before it splits it.
///
/// # Errors
/// [`Error::Invalid`] for such a segment.
pub(crate) fn uri(segments: &[&str], query: &[(&str, &str)]) -> Result<String> {
    let mut uri = String::new();
    for segment in segments {
        if segment.is_empty() || *segment == "." || *segment == ".." || segment.contains(['/', '%', '\0']) {
            return Err(Error::invalid(format!(
                "`{segment}` is not a name that Kubernetes allows"
            )));
        }
        uri.push('/');
        uri.extend(utf8_percent_encode(segment, KEEP));
    }
    for (index, (key, value)) in query.iter().enumerate() {
        uri.push(if index == 0 { '?' } else { '&' });
        uri.extend(utf8_percent_encode(key, KEEP));
        uri.push('=');
        uri.extend(utf8_percent_encode(value, KEEP));
    }
    Ok(uri)
}

/// Returns the path of the pods of a namespace, or of all pods.
pub(crate) fn pods_uri(namespace: Option<&str>, query: &[(&str, &str)]) -> Result<String> {
    match namespace {
        Some(namespace) => uri(&["api", "v1", "namespaces", namespace, "pods"], query),
        None => uri(&["api", "v1", "pods"], query),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn parts_are_encoded() {
        let uri = uri(&["api", "v1", "pods", "ä b"], &[("container", "a&b=c"), ("x", "")]).unwrap();
        assert_eq!(uri, "/api/v1/pods/%C3%A4%20b?container=a%26b%3Dc&x=");
    }

    #[test]
    fn a_segment_cannot_leave_its_place_in_the_path() {
        for segment in ["", ".", "..", "a/b", "a%2fb", "a\0b"] {
            assert!(uri(&["api", segment], &[]).is_err(), "{segment:?}");
        }
    }
}
