//! Cleans foreign texts for the reasons in rows.
//!
//! A cleaned text is one bounded line without the parts that differ between the pods of a workload,
//! because the index stores a text once for all rows that share it.

use crate::wire::Pod;

/// The most characters of a reason.
pub(super) const MAX_CHARS: usize = 200;
/// The most IPs of a pod that are searched for in a text.
const MAX_IPS: usize = 16;
/// The most characters of a text that are read. Later ones would be cut off anyway.
const MAX_READ: usize = 8 * MAX_CHARS;
/// Stands for the parts that were left out.
const LEFT_OUT: &str = "…";
/// A word of at least this many hexadecimal digits is an identifier or a digest.
const ID_DIGITS: usize = 32;

/// The phrases that runtimes put before the cause of a failure, outermost first. In a message, `: `
/// follows each.
const WRAPPERS: [&str; 15] = [
    "Error response from daemon",
    "Failed to create pod sandbox",
    "failed to create containerd container",
    "failed to generate container",
    "failed to generate spec",
    "failed to create containerd task",
    "failed to start containerd task",
    "failed to create shim",
    "OCI runtime create failed",
    "OCI runtime start failed",
    "runc create failed",
    "container_linux.go",
    "starting container process caused",
    "unable to start container process",
    "error during container init",
];

/// Makes a reason from a text: applies [`impersonal`], and cuts it between words after at most
/// [`MAX_CHARS`] characters.
pub(super) fn scrub(text: &str, pod: &Pod) -> String {
    shorten(&impersonal(text, pod), MAX_CHARS)
}

/// Returns a text on one line, without the pod's own name, UID and IP, and without identifiers,
/// digests and times.
pub(super) fn impersonal(text: &str, pod: &Pod) -> String {
    let line = one_line(text);
    let own = Own::from_pod(pod);
    let line = own.without_uids(line);
    let mut out = String::with_capacity(line.len());
    let mut rest = line.as_str();
    while let Some(first) = rest.chars().next() {
        if !is_word(first) {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        } else if let Some(after) = own.skip(rest) {
            out.push_str(LEFT_OUT);
            rest = after;
        } else {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            rest = if is_hour(word) && after.starts_with(':') {
                out.push_str(LEFT_OUT);
                after.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, ':' | '.' | '+' | 'Z'))
            } else {
                match own.before(word) {
                    Some(before) => out.extend([before, LEFT_OUT]),
                    None => push_word(&mut out, word),
                }
                after
            };
        }
    }
    let digests = ["@sha256:…", "@sha512:…"];
    digests.iter().fold(out, |out, digest| out.replace(digest, ""))
}

/// The texts that identify one pod.
struct Own<'a> {
    uid: &'a str,
    /// The UID as cgroups write it.
    uid_low: String,
    namespace: &'a str,
    /// The pod's name and IPs. The name is left out if the word may well mean something else: if a
    /// container has the same name, or if it consists of letters only, which the name of a
    /// controller's pod never does.
    names: Vec<&'a str>,
}

impl<'a> Own<'a> {
    fn from_pod(pod: &'a Pod) -> Self {
        let name = pod.metadata.name.as_str();
        let containers = pod.spec.containers.iter().chain(&pod.spec.init_containers);
        let shared = containers.into_iter().any(|container| container.name == name);
        let plain = name.bytes().all(|byte| byte.is_ascii_alphabetic());
        Self {
            uid: &pod.metadata.uid,
            uid_low: pod.metadata.uid.replace('-', "_"),
            namespace: &pod.metadata.namespace,
            names: std::iter::once(if shared || plain { "" } else { name })
                .chain([pod.status.pod_ip.as_str()])
                .chain(pod.status.pod_ips.iter().take(MAX_IPS).map(|of_pod| of_pod.ip.as_str()))
                .collect(),
        }
    }

    fn without_uids(&self, mut text: String) -> String {
        for uid in [self.uid, &self.uid_low] {
            if !uid.is_empty() && text.contains(uid) {
                text = text.replace(uid, LEFT_OUT);
            }
        }
        text
    }

    /// Returns the rest of a text that begins with the pod's name or IP; `None` for any other text.
    /// `NAME_NAMESPACE(UID)` counts as a name too.
    fn skip<'t>(&self, text: &'t str) -> Option<&'t str> {
        let after = self
            .names
            .iter()
            .filter(|name| !name.is_empty())
            .find_map(|name| text.strip_prefix(name).filter(|after| !after.starts_with(is_word)))?;
        let with_uid = after
            .strip_prefix('_')
            .and_then(|rest| rest.strip_prefix(self.namespace))
            .and_then(|rest| rest.strip_prefix('('))
            .and_then(|rest| rest.split_once(')'));
        Some(with_uid.map_or(after, |(_, after)| after))
    }

    /// Returns the part before the pod's name in a word that ends with it, such as `data-web-0`, a
    /// claim of a `StatefulSet`.
    fn before<'t>(&self, word: &'t str) -> Option<&'t str> {
        let name = self.names.first().filter(|name| !name.is_empty())?;
        word.strip_suffix(name).filter(|before| before.ends_with('-'))
    }
}

/// Appends a word without the identifiers in it: a UUID at its end, and long runs of hexadecimal
/// digits.
fn push_word(out: &mut String, word: &str) {
    let (word, uuid) = match word.len().checked_sub(36).map(|start| word.split_at(start)) {
        Some((before, last)) if is_uuid(last) => (before, true),
        _ => (word, false),
    };
    let mut first = true;
    for part in word.split('-') {
        if !std::mem::take(&mut first) {
            out.push('-');
        }
        let is_id = part.len() >= ID_DIGITS && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        out.push_str(if is_id { LEFT_OUT } else { part });
    }
    if uuid {
        out.push_str(LEFT_OUT);
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-'
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Returns whether a word is the beginning of an RFC 3339 time, up to its hour.
fn is_hour(word: &str) -> bool {
    word.len() == 13
        && word.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            10 => byte == b'T',
            _ => byte.is_ascii_digit(),
        })
}

/// Returns a text on one line. Runs of white space, control characters and invisible characters
/// become one space.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::new();
    let shown = |c: &char| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    for c in text.chars().take(MAX_READ).filter(shown) {
        if !c.is_whitespace() && !c.is_control() {
            line.push(c);
        } else if !line.ends_with(' ') && !line.is_empty() {
            line.push(' ');
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// Shortens a text to `most` characters, between words if possible.
pub(super) fn shorten(text: &str, most: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(most) else {
        return text.to_owned();
    };
    let kept = text[..end]
        .char_indices()
        .next_back()
        .map_or("", |(last, _)| &text[..last]);
    let words = kept.rfind(' ').filter(|space| *space > kept.len() / 2);
    let kept = words.map_or(kept, |space| &kept[..space]);
    format!("{}{LEFT_OUT}", kept.trim_end_matches([' ', ',', ';', ':', '.', '…']))
}

/// Returns the cause in a message of a kubelet or a runtime, without the phrases before it and
/// without its full stop.
pub(super) fn cause(message: &str) -> String {
    let line = without_rpc(&one_line(message));
    let mut text = line.as_str();
    while let Some((layer, inner)) = text.split_once(": ")
        && WRAPPERS.iter().any(|wrapper| layer.starts_with(wrapper))
    {
        text = inner;
    }
    let text = text.strip_suffix(": unknown").unwrap_or(text);
    text.trim_end_matches(['.', ' ']).to_owned()
}

/// Returns a text without the prefix of a gRPC error, `rpc error: code = CODE desc = `.
fn without_rpc(text: &str) -> String {
    let mut pieces = text.split("rpc error: code = ");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        out.push_str(piece.split_once(" desc = ").map_or(piece, |(_, error)| error));
    }
    out
}

/// Returns the first sentence of a message, without its full stop.
pub(super) fn first_sentence(message: &str) -> String {
    let line = one_line(message);
    let sentence = line.split_once(". ").map_or(line.as_str(), |(sentence, _)| sentence);
    sentence.trim_end_matches(['.', ' ']).to_owned()
}
