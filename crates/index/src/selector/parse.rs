//! The grammar of selectors.

use super::{Requirement, SelectorError, Test, valid};

/// A token: a symbol or a word. `in` and `notin` are words that mean operators only where an
/// operator is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Symbol(&'a str),
    End,
}

impl std::fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Word(text) | Self::Symbol(text) => write!(f, "`{text}`"),
            Self::End => f.write_str("the end"),
        }
    }
}

/// The symbols. Of two with the same beginning, the longer comes first.
const SYMBOLS: [&str; 9] = ["==", "!=", "=", "!", "(", ")", ",", ">", "<"];

/// Reads tokens from the front of a text.
struct Parser<'a> {
    rest: &'a str,
}

/// Parses all requirements of a text.
///
/// # Errors
/// [`SelectorError`], which says what is wrong with the text.
pub(super) fn requirements(text: &str) -> Result<Vec<Requirement>, SelectorError> {
    if text.contains('\0') {
        return Err(SelectorError("the selector contains a NUL".to_owned()));
    }
    let mut parser = Parser { rest: text };
    let mut requirements = Vec::new();
    if parser.peek() == Token::End {
        return Ok(requirements);
    }
    loop {
        requirements.push(parser.requirement()?);
        match parser.next() {
            Token::End => return Ok(requirements),
            Token::Symbol(",") => {}
            found => return expected("`,` or the end", found),
        }
    }
}

impl<'a> Parser<'a> {
    /// Returns the next token without taking it.
    fn peek(&self) -> Token<'a> {
        let rest = self.trimmed();
        if rest.is_empty() {
            return Token::End;
        }
        if let Some(symbol) = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol)) {
            return Token::Symbol(symbol);
        }
        let end = rest.find(|c| is_space(c) || is_special(c)).unwrap_or(rest.len());
        Token::Word(&rest[..end])
    }

    /// Takes the next token.
    fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        if let Token::Word(text) | Token::Symbol(text) = token {
            self.rest = &self.trimmed()[text.len()..];
        }
        token
    }

    fn trimmed(&self) -> &'a str {
        self.rest.trim_start_matches(is_space)
    }

    /// Parses `!KEY`, `KEY`, or `KEY OPERATOR …`.
    fn requirement(&mut self) -> Result<Requirement, SelectorError> {
        let absent = self.peek() == Token::Symbol("!");
        if absent {
            self.next();
        }
        let key = match self.next() {
            Token::Word(key) => key,
            found => return expected("a label key", found),
        };
        valid::key(key)?;
        let test = if absent {
            Test::Absent
        } else if matches!(self.peek(), Token::End | Token::Symbol(",")) {
            Test::Exists
        } else {
            self.test()?
        };
        Ok(Requirement {
            key: key.to_owned(),
            test,
        })
    }

    /// Parses an operator and its operand.
    fn test(&mut self) -> Result<Test, SelectorError> {
        Ok(match self.next() {
            Token::Word("in") => Test::In(self.values()?),
            Token::Word("notin") => Test::NotIn(self.values()?),
            Token::Symbol("=" | "==") => Test::In(vec![self.value()?]),
            Token::Symbol("!=") => Test::NotIn(vec![self.value()?]),
            Token::Symbol(">") => Test::Above(self.integer()?),
            Token::Symbol("<") => Test::Below(self.integer()?),
            found => return expected("one of in, notin, =, ==, !=, > and <", found),
        })
    }

    /// Parses one value. Nothing before a comma or the end is the empty value.
    fn value(&mut self) -> Result<String, SelectorError> {
        let value = match self.peek() {
            Token::End | Token::Symbol(",") => "",
            Token::Word(value) => {
                self.next();
                value
            }
            found => return expected("a value", found),
        };
        valid::value(value)?;
        Ok(value.to_owned())
    }

    fn integer(&mut self) -> Result<i64, SelectorError> {
        let value = self.value()?;
        value
            .parse()
            .map_err(|_| SelectorError(format!("`{value}` after > or < is not a 64-bit integer")))
    }

    /// Parses `(a,b)`. Nothing between two separators is the empty value, so `()` holds the empty
    /// value.
    fn values(&mut self) -> Result<Vec<String>, SelectorError> {
        match self.next() {
            Token::Symbol("(") => {}
            found => return expected("`(`", found),
        }
        let mut values = Vec::new();
        loop {
            let value = match self.peek() {
                Token::Word(value) => {
                    self.next();
                    value
                }
                Token::Symbol("," | ")") => "",
                found => return expected("a value, `,` or `)`", found),
            };
            valid::value(value)?;
            values.push(value.to_owned());
            match self.next() {
                Token::Symbol(",") => {}
                Token::Symbol(")") => break,
                found => return expected("`,` or `)`", found),
            }
        }
        values.sort();
        values.dedup();
        Ok(values)
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_special(c: char) -> bool {
    matches!(c, '=' | '!' | '(' | ')' | ',' | '>' | '<')
}

fn expected<T>(what: &str, found: Token<'_>) -> Result<T, SelectorError> {
    Err(SelectorError(format!("expected {what}, found {found}")))
}
