//! A YAML reader that behaves as kubectl's: `YAMLToJSON` of sigs.k8s.io/yaml, which is go-yaml v2
//! in its lenient mode.
//!
//! It differs from YAML 1.2 in ways that matter for a kubeconfig: `yes`, `on` and `y` are booleans,
//! the last of repeated keys counts, `<<` merges at its place among the keys, `!!binary` is
//! decoded, and only the first document counts.

use std::{borrow::Cow, collections::HashMap};

use base64::Engine;
use granit_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};
use serde_json::{Map, Number, Value};

use super::base64::GO;

/// The prefix of the tags that YAML itself defines.
const CORE: &str = "tag:yaml.org,2002:";
/// The cost of a node in addition to the bytes of its text: about its size in memory.
const NODE: usize = 32;
/// The fixed part of a text's budget, to which [`NODE`] is added for each of its bytes. Any text
/// without aliases fits; aliases that expand to far more than the text do not.
const BUDGET: usize = 1 << 16;

/// A YAML document, converted to JSON as kubectl does.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) value: Value,
    /// Whether another non-empty document follows. kubectl never looks at it.
    pub(crate) more: bool,
}

/// An error with its place in the text. It quotes nothing of the text, which may contain a
/// credential.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    line: usize,
    column: usize,
    why: Cow<'static, str>,
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.why)
    }
}

/// Reads the first document of a text. A text without a document is `null`.
///
/// # Errors
/// [`Malformed`] for a text that is not YAML, for an anchor whose value contains itself, and for
/// aliases that expand to far more than the text.
pub(crate) fn read(text: &str) -> Result<Document, Malformed> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader {
        parser: Parser::new_from_str_with_options(
            text,
            granit_parser::options! { block_scalar_eof_without_line_feed: true, emit_comments: false },
        ),
        anchors: HashMap::new(),
        left: BUDGET + NODE * text.len(),
    };
    while let Some((event, span)) = reader.next()? {
        if !matches!(event, Event::StreamStart | Event::StreamEnd | Event::DocumentStart(..)) {
            let value = reader.node(event, span)?;
            return Ok(Document {
                value,
                more: reader.has_more(),
            });
        }
    }
    Ok(Document {
        value: Value::Null,
        more: false,
    })
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    /// The nodes that aliases refer to, each with its cost.
    anchors: HashMap<usize, (Value, usize)>,
    /// The part of the budget that is left.
    left: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, Malformed> {
        self.parser.next().transpose().map_err(|error| {
            let at = error.marker();
            Malformed {
                line: at.line(),
                column: at.col() + 1,
                why: "this is not YAML".into(),
            }
        })
    }

    /// Returns whether a non-empty document follows, even one that does not parse.
    fn has_more(&mut self) -> bool {
        loop {
            match self.next() {
                Ok(None) => return false,
                Ok(Some((Event::DocumentStart(..) | Event::DocumentEnd | Event::StreamEnd, _))) => {}
                Ok(Some((Event::Scalar(text, ScalarStyle::Plain, ..), _))) if plain(&text) == Some(Value::Null) => {}
                Ok(Some(_)) | Err(_) => return true,
            }
        }
    }

    fn pay(&mut self, cost: usize, span: Span) -> Result<(), Malformed> {
        match self.left.checked_sub(cost) {
            Some(left) => self.left = left,
            None => {
                return Err(at(span, "aliases expand to far more than the text"));
            }
        }
        Ok(())
    }

    /// Reads the node that begins with an event.
    fn node(&mut self, event: Event<'a>, span: Span) -> Result<Value, Malformed> {
        let before = self.left;
        let (value, anchor) = match event {
            Event::Alias(anchor) => {
                let Some((value, cost)) = self.anchors.get(&anchor) else {
                    return Err(at(span, "an anchor's value contains itself"));
                };
                let (value, cost) = (value.clone(), *cost);
                self.pay(cost, span)?;
                return Ok(value);
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.pay(NODE + text.len(), span)?;
                (scalar(text, style, tag.as_deref(), span)?, anchor)
            }
            Event::SequenceStart(_, anchor, _) => (self.sequence(span)?, anchor),
            Event::MappingStart(_, anchor, _) => (self.mapping(span)?, anchor),
            _ => return Err(at(span, "a value is missing")),
        };
        if anchor != 0 {
            let cost = before - self.left;
            self.pay(cost, span)?;
            self.anchors.insert(anchor, (value.clone(), cost));
        }
        Ok(value)
    }

    fn sequence(&mut self, begin: Span) -> Result<Value, Malformed> {
        self.pay(NODE, begin)?;
        let mut items = Vec::new();
        while let Some((event, span)) = self.next()? {
            if matches!(event, Event::SequenceEnd) {
                break;
            }
            items.push(self.node(event, span)?);
        }
        Ok(Value::Array(items))
    }

    fn mapping(&mut self, begin: Span) -> Result<Value, Malformed> {
        self.pay(NODE, begin)?;
        let mut fields = Map::new();
        while let Some((event, span)) = self.next()? {
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let merges = is_merge(&event);
            let key = self.node(event, span)?;
            let Some((event, of)) = self.next()? else { break };
            let value = self.node(event, of)?;
            if merges {
                merge(&mut fields, value, of)?;
                continue;
            }
            let key = match key {
                Value::String(text) => text,
                Value::Number(_) | Value::Bool(_) => key.to_string(),
                _ => return Err(at(span, "a key is neither a string, a number nor a boolean")),
            };
            fields.insert(key, value);
        }
        Ok(Value::Object(fields))
    }
}

fn at(span: Span, why: &'static str) -> Malformed {
    let begin = span.start;
    Malformed {
        line: begin.line(),
        column: begin.col() + 1,
        why: why.into(),
    }
}

fn is_merge(event: &Event<'_>) -> bool {
    matches!(event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<")
        || matches!(event, Event::Scalar(text, _, _, Some(tag)) if text == "<<" && core(tag).as_deref() == Some("merge"))
}

/// Adds the fields of `<<` to the mapping that it stands in. They replace the fields before it, as
/// in go-yaml v2. If it lists several mappings, the first takes precedence.
fn merge(fields: &mut Map<String, Value>, value: Value, span: Span) -> Result<(), Malformed> {
    let several = match value {
        Value::Array(several) => several,
        one => vec![one],
    };
    for value in several.into_iter().rev() {
        match value {
            Value::Object(merged) => fields.extend(merged),
            _ => return Err(at(span, "`<<` takes a mapping or a list of mappings")),
        }
    }
    Ok(())
}

/// Returns the short name of a tag that YAML defines, such as `binary` for `!!binary`.
fn core(tag: &Tag) -> Option<Cow<'_, str>> {
    tag.suffix_in_namespace(CORE)
}

/// Returns the value of a scalar, as `resolve` and `decoder.scalar` of go-yaml v2 do.
fn scalar(text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Result<Value, Malformed> {
    let wrong = || at(span, "a value does not fit its tag");
    let Some(tag) = tag else {
        return Ok(match style {
            ScalarStyle::Plain => plain(&text).ok_or_else(|| at(span, "JSON can't express this number"))?,
            _ => Value::String(text.into_owned()),
        });
    };
    match core(tag).as_deref() {
        Some("binary") => {
            let bytes = GO
                .decode(super::base64::without_line_ends(&text))
                .map_err(|_| at(span, "`!!binary` is not base64"))?;
            Ok(String::from_utf8_lossy(&bytes).into_owned().into())
        }
        Some(name @ ("bool" | "int" | "float" | "null")) => {
            let value = plain(&text).ok_or_else(wrong)?;
            let fits = match name {
                "bool" => value.is_boolean(),
                "null" => value.is_null(),
                "int" => value.is_i64() || value.is_u64(),
                _ => value.is_number(),
            };
            fits.then_some(value).ok_or_else(wrong)
        }
        _ => Ok(Value::String(text.into_owned())),
    }
}

/// Returns the value of an unquoted scalar in go-yaml v2; `None` for a number that JSON can't
/// express.
fn plain(text: &str) -> Option<Value> {
    Some(match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Value::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Value::Bool(false),
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf"
        | "-.INF" => return None,
        _ => number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
    })
}

/// Reads an integer as `strconv.ParseInt` with base 0 does, or else a decimal fraction.
fn number(text: &str) -> Option<Number> {
    if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.')) {
        return None;
    }
    let digits = text.replace('_', "");
    integer(&digits).or_else(|| fraction(if text.starts_with('.') { text } else { &digits }))
}

fn integer(text: &str) -> Option<Number> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (digits, radix) = match lower.as_bytes() {
        [b'0', b'x', ..] => (&lower[2..], 16),
        [b'0', b'o', ..] => (&lower[2..], 8),
        [b'0', b'b', ..] => (&lower[2..], 2),
        [b'0', _, ..] => (&lower[1..], 8),
        _ => (lower.as_str(), 10),
    };
    let magnitude = digits
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric())
        .then(|| u64::from_str_radix(digits, radix).ok())??;
    if negative {
        i64::try_from(-i128::from(magnitude)).ok().map(Number::from)
    } else {
        Some(Number::from(magnitude))
    }
}

fn fraction(text: &str) -> Option<Number> {
    let decimal = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'));
    let value = decimal.then(|| text.parse::<f64>().ok())??;
    Number::from_f64(value)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn value(text: &str) -> Value {
        read(text).unwrap().value
    }

    fn why(text: &str) -> String {
        read(text).unwrap_err().to_string()
    }

    #[test]
    fn scalars_are_what_go_yaml_makes_of_them() {
        for (text, expected) in [
            ("yes", json!(true)),
            ("on", json!(true)),
            ("N", json!(false)),
            ("'yes'", json!("yes")),
            ("|\n  yes", json!("yes")),
            ("!!str yes", json!("yes")),
            ("~", json!(null)),
            ("", json!(null)),
            ("0x1F", json!(31)),
            ("010", json!(8)),
            ("08", json!(8.0)),
            ("0b11", json!(3)),
            ("1_000", json!(1000)),
            ("-7", json!(-7)),
            ("1e3", json!(1000.0)),
            (".5", json!(0.5)),
            ("1.2.3", json!("1.2.3")),
            ("2026-01-01", json!("2026-01-01")),
            ("-", json!([null])),
            ("+x", json!("+x")),
            ("1e999", json!("1e999")),
            ("127.0.0.1:8001", json!("127.0.0.1:8001")),
            ("!!binary aGVsbG8=", json!("hello")),
            ("!own text", json!("text")),
            ("!!int '7'", json!(7)),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn a_key_given_twice_counts_the_last_time() {
        assert_eq!(value("a: 1\nb: 2\na: 3"), json!({"a": 3, "b": 2}));
        assert_eq!(value("1: a\nyes: b"), json!({"1": "a", "true": "b"}));
    }

    #[test]
    fn merges_count_where_they_stand() {
        let base = "base: &b {x: 1, y: 2}\n";
        assert_eq!(
            value(&format!("{base}a:\n  <<: *b\n  x: 3"))["a"],
            json!({"x": 3, "true": 2})
        );
        assert_eq!(
            value(&format!("{base}a:\n  x: 3\n  <<: *b"))["a"],
            json!({"x": 1, "true": 2})
        );
        assert_eq!(value("a:\n  <<: [{x: 1}, {x: 2, z: 3}]")["a"], json!({"x": 1, "z": 3}));
        assert!(why("a:\n  <<: 1").contains("takes a mapping"));
    }

    #[test]
    fn the_first_document_counts() {
        for (text, more) in [
            ("a: 1\n---\n", false),
            ("a: 1\n...\n", false),
            ("---\na: 1\n---\n---\n", false),
            ("a: 1\n---\nb: 2", true),
            ("a: 1\n---\n}", true),
        ] {
            let document = read(text).unwrap();
            assert_eq!((document.value, document.more), (json!({"a": 1}), more), "{text}");
        }
    }

    #[test]
    fn aliases_stand_for_no_more_than_is_written_out() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let before = format!("*a{}, ", level - 1).repeat(10);
            bomb += &format!("a{level}: &a{level} [{before}]\n");
        }
        assert!(why(&bomb).contains("aliases"));
        assert!(why("a: &a [*a]").contains("contains itself"));
        assert!(why(&"[".repeat(100_000)).contains("not YAML"));
    }

    #[test]
    fn an_error_gives_the_place_and_quotes_nothing() {
        let said = why("a: 1\nb: [secret");
        assert!(
            said.starts_with("line ") && said.ends_with(": this is not YAML"),
            "{said}"
        );
        assert!(!why("? [secret]\n: 1").contains("secret"));
        assert!(why("!!int secret").contains("its tag"));
    }
}
