//! The causes for which an image is not available, in a few words.
//!
//! Messages of registries and runtimes repeat the image's name and wrap the cause in layers, but
//! there are only a few causes.

use super::text;

/// The causes, each with the phrases, in lower case, by which registries and runtimes report it.
/// The first match wins.
const CAUSES: [(&str, &[&str]); 12] = [
    (
        "the registry's rate limit is reached",
        &["toomanyrequests", "too many requests"],
    ),
    (
        "it does not exist, or needs other credentials",
        &["pull access denied", "may require authorization", "insufficient_scope"],
    ),
    (
        "the registry refuses the credentials",
        &[
            "unauthorized",
            "authentication required",
            "authorization failed",
            "forbidden",
            "denied",
        ],
    ),
    (
        "it has no variant for the node's platform",
        &["no match for platform", "no matching manifest"],
    ),
    ("its signature is not valid", &["signature"]),
    (
        "the registry speaks plain HTTP",
        &["server gave http response to https client"],
    ),
    ("the registry's certificate is not trusted", &["x509", "certificate"]),
    (
        "the registry's name does not resolve",
        &["no such host", "server misbehaving"],
    ),
    ("the registry refuses connections", &["connection refused"]),
    (
        "the registry does not answer",
        &[
            "io timeout",
            "deadline exceeded",
            "timed out",
            "handshake timeout",
            "no route to host",
            "network is unreachable",
        ],
    ),
    ("the node's disk is full", &["no space left"]),
    (
        "not found",
        &[
            "not found",
            "manifest unknown",
            "name unknown",
            "name_unknown",
            "manifest_unknown",
        ],
    ),
];

/// Returns the cause in a message about an image; empty if it has none.
pub(super) fn cause(message: &str, image: &str) -> String {
    let line = text::one_line(message);
    let line = line.as_str();
    // The back-off itself explains nothing. Since Kubernetes 1.31, the error follows it.
    let line = match line.strip_prefix("Back-off pulling image ") {
        Some(rest) => rest.split_once(": ").map_or("", |(_, error)| error),
        None => line,
    };
    let words = own_words(line, image);
    let known = CAUSES
        .iter()
        .find(|(_, signs)| signs.iter().any(|sign| words.contains(sign)));
    match known {
        Some((cause, _)) => (*cause).to_owned(),
        None => {
            let inner = text::cause(line);
            inner
                .rsplit_once(": ")
                .map_or(inner.as_str(), |(_, last)| last)
                .to_owned()
        }
    }
}

/// Returns a message in lower case without quoted texts and addresses, which may contain any word.
fn own_words(message: &str, image: &str) -> String {
    let message = message.to_lowercase().replace("i/o ", "io ");
    let unquoted: String = message.split('"').step_by(2).collect();
    let image = image.to_lowercase();
    let words = unquoted
        .split(' ')
        .filter(|word| !word.contains('/') && word.trim_end_matches([':', ',']) != image);
    words.collect::<Vec<_>>().join(" ")
}

/// Returns an image's name for a sentence, without its digest. Of a very long name, it is only the
/// end.
pub(super) fn short(image: &str) -> String {
    let name = image.split_once('@').map_or(image, |(name, _)| name);
    let skipped = name.chars().count().saturating_sub(text::MAX_CHARS / 2);
    match name.char_indices().nth(skipped) {
        Some((start, _)) if skipped > 0 => format!("…{}", &name[start..]),
        _ => name.to_owned(),
    }
}
