//! Foreign text, from a cluster, a proxy or a request, for messages and the log.
//!
//! Such text is truncated, kept on one line, and stripped of characters that change how the rest of
//! the line looks.

use std::{borrow::Cow, fmt, ops::Deref};

/// The most bytes of a request or an object that the log quotes.
pub const MAX_QUOTE: usize = 256;
/// The most bytes of a [`Message`].
pub const MAX_MESSAGE: usize = 2 << 10;
/// The most bytes of a text in a row: the length of the longest name in Kubernetes, a DNS-1123
/// subdomain.
pub(crate) const MAX_TEXT: usize = 253;
/// The most bytes of a peer's explanation within a message, so that the sentence around it is not
/// cut.
const MAX_EXCERPT: usize = 1 << 10;

/// A sentence for a caller or the log: one line of at most [`MAX_MESSAGE`] bytes.
///
/// It can be made only by sanitising a text. An error that holds a message therefore never repeats
/// a peer's text of any length, or any control or bidirectional character in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message(String);

impl From<String> for Message {
    fn from(text: String) -> Self {
        if text.len() <= MAX_MESSAGE && is_clean(&text) {
            return Self(text);
        }
        Self(sanitize(&text, MAX_MESSAGE))
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self(sanitize(text, MAX_MESSAGE))
    }
}

impl From<Message> for String {
    fn from(message: Message) -> Self {
        message.0
    }
}

impl Deref for Message {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns a text for the log: at most [`MAX_QUOTE`] bytes, sanitised as by [`sanitize`].
pub fn quote(text: &str) -> String {
    sanitize(text, MAX_QUOTE)
}

fn is_clean(text: &str) -> bool {
    text.chars().all(|c| visible(c) == Some(c))
}

/// Returns a peer's explanation for a message: at most 1 KiB, sanitised as by [`sanitize`].
pub(crate) fn excerpt(text: &str) -> String {
    sanitize(text, MAX_EXCERPT)
}

/// Truncates a text to `max` bytes at a character and marks the cut with `…`.
///
/// Control characters and line separators become spaces, because a line feed or an escape sequence
/// could forge another log entry. Characters that set the writing direction are dropped.
pub fn sanitize(text: &str, max: usize) -> String {
    let whole = text.len() <= max;
    let end = if whole {
        text.len()
    } else {
        max.saturating_sub('…'.len_utf8())
    };
    let kept = &text[..text.floor_char_boundary(end)];
    kept.chars()
        .filter_map(visible)
        .chain((!whole).then_some('…'))
        .collect()
}

/// Truncates a text to `max` bytes at a character and marks the cut with `…`.
///
/// Unlike [`sanitize`], it keeps every character, because rows show texts as the cluster has them.
pub(crate) fn truncate<'a>(text: impl Into<Cow<'a, str>>, max: usize) -> String {
    let text = text.into();
    if text.len() <= max {
        return text.into_owned();
    }
    let end = text.floor_char_boundary(max.saturating_sub('…'.len_utf8()));
    format!("{}…", text.split_at(end).0)
}

/// Returns the character to show in place of a character, if any. The bidirectional characters are
/// those with the Unicode property `Bidi_Control` (UAX #9).
fn visible(c: char) -> Option<char> {
    match c {
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
        '\u{2028}' | '\u{2029}' => Some(' '),
        c if c.is_control() => Some(' '),
        c => Some(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_a_character_within_the_bound() {
        for max in 0..40 {
            let text = sanitize(&"é🦀".repeat(10), max);
            assert!(
                text.len() <= max.max('…'.len_utf8()) && text.ends_with('…'),
                "{max}: {text}"
            );
        }
        assert_eq!(sanitize("é🦀", 6), "é🦀");
        assert_eq!(quote(&"x".repeat(256)).len(), 256);
        assert_eq!(quote(&"x".repeat(257)).len(), 256);
    }

    #[test]
    fn a_bounded_text_keeps_its_characters() {
        for (text, max, expected) in [
            ("", 0, ""),
            ("a\n\u{202e}b", 6, "a\n\u{202e}b"),
            ("abcdefg", 6, "abc…"),
            ("äöü", 6, "äöü"),
            ("äöüx", 6, "ä…"),
            ("🦀🦀", 7, "🦀…"),
            ("🦀🦀", 6, "…"),
            ("abcd", 3, "…"),
        ] {
            assert_eq!(truncate(text, max), expected);
        }
    }

    #[test]
    fn a_text_stays_on_its_line_and_keeps_its_direction() {
        let bad =
            "a\nb\r\t\u{1b}[2J\u{85}\u{2028}c\u{2029}d\u{202e}e\u{2066}f\u{2069}g\u{200e}\u{200f}\u{61c}h\u{202a}";
        let clean = "a b   [2J  c defgh";
        assert_eq!(sanitize(bad, 1000), clean);
        assert_eq!(&*Message::from(bad), clean);
        assert_eq!(&*Message::from(bad.to_owned()), clean);
    }

    #[test]
    fn no_message_is_longer_than_its_bound() {
        for text in ["x".repeat(1 << 20), "\u{202e}x".repeat(1 << 20)] {
            assert!(Message::from(text.clone()).len() <= MAX_MESSAGE);
            assert!(Message::from(text.as_str()).len() <= MAX_MESSAGE);
        }
        assert_eq!(&*Message::from("x".repeat(MAX_MESSAGE)), "x".repeat(MAX_MESSAGE));
    }
}
