//! JSON values as YAML.

use serde_json::Value;

/// Writes a value as a YAML document in block style, ended by a line feed.
pub(crate) fn write(value: &Value) -> String {
    let mut text = String::new();
    block(&mut text, value, 0);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// Writes a value at the current place; its further lines are indented by `indent`.
fn block(text: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (index, (key, value)) in map.iter().enumerate() {
                if index > 0 {
                    new_line(text, indent);
                }
                text.push_str(&scalar(key));
                text.push(':');
                // A list stands as far left as its key, as Kubernetes writes it.
                match value {
                    Value::Object(map) if !map.is_empty() => {
                        new_line(text, indent + 2);
                        block(text, value, indent + 2);
                    }
                    Value::Array(items) if !items.is_empty() => {
                        new_line(text, indent);
                        block(text, value, indent);
                    }
                    _ => {
                        text.push(' ');
                        block(text, value, indent);
                    }
                }
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    new_line(text, indent);
                }
                text.push_str("- ");
                block(text, item, indent + 2);
            }
        }
        Value::String(string) => text.push_str(&scalar(string)),
        other => text.push_str(&other.to_string()),
    }
}

fn new_line(text: &mut String, indent: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n(' ', indent));
}

/// A string as it is where no reader of YAML 1.1 or 1.2 can take it for something else, otherwise double-quoted.
fn scalar(string: &str) -> String {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
    let reserved = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    let plain = string.bytes().all(word)
        && string.starts_with(|first: char| first.is_ascii_alphabetic())
        && !reserved.contains(&string.to_ascii_lowercase().as_str());
    if plain {
        return string.to_owned();
    }
    let mut quoted = String::new();
    for character in Value::from(string).to_string().chars() {
        match character {
            // YAML allows no other control characters than these, not even in quotes.
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            other => quoted.push(other),
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_written_in_block_style_and_doubtful_strings_quoted() {
        let value = json!({"a": [{"b": 1, "c": ["x", "no", ""]}, [], [1, [2]]], "d": {}, "e": "1.5", "f": null,
            "g": {"h": "two\nlines: \"q\" \u{85}", "0x1": true}});
        let expected = r#"a:
- b: 1
  c:
  - x
  - "no"
  - ""
- []
- - 1
  - - 2
d: {}
e: "1.5"
f: null
g:
  "0x1": true
  h: "two\nlines: \"q\" \u0085"
"#;
        assert_eq!(write(&value), expected);
        assert_eq!(write(&json!("x")), "x\n");
    }
}
