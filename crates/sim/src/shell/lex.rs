//! Characters to tokens: words with their quotes and expansions, operators, redirections.

/// A word as written; `expand` makes strings of it.
pub(super) type Word = Vec<Part>;

/// A piece of a word. `quoted` pieces are not split into fields.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    Text {
        text: String,
        quoted: bool,
    },
    Parameter {
        name: String,
        default: Option<String>,
        quoted: bool,
    },
    Command {
        source: String,
        quoted: bool,
    },
    Arithmetic {
        source: String,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Word(Word),
    Operator(Operator),
    Redirect { fd: u8, kind: RedirectKind },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Operator {
    And,
    Or,
    Pipe,
    Semicolon,
    Newline,
    Open,
    Close,
}

impl Operator {
    pub(super) fn text(self) -> &'static str {
        match self {
            Operator::And => "&&",
            Operator::Or => "||",
            Operator::Pipe => "|",
            Operator::Semicolon => ";",
            Operator::Newline => "newline",
            Operator::Open => "(",
            Operator::Close => ")",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum RedirectKind {
    Read,
    Write,
    Append,
    Duplicate,
}

/// Why a script can't be run.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Error {
    /// A quote or a compound command is still open.
    Incomplete,
    /// The thing that the grammar has no place for.
    Unexpected(String),
}

/// The text of a word that is one unquoted piece.
pub(super) fn plain(word: &Word) -> Option<&str> {
    match word.as_slice() {
        [Part::Text { text, quoted: false }] => Some(text),
        _ => None,
    }
}

pub(super) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// `NAME=value`, if the word is one.
pub(super) fn assignment(word: &Word) -> Option<(String, Word)> {
    let Some((Part::Text { text, quoted: false }, rest)) = word.split_first() else {
        return None;
    };
    let (name, value) = text.split_once('=')?;
    is_name(name).then(|| {
        let mut parts = vec![Part::Text {
            text: value.to_owned(),
            quoted: true,
        }];
        parts.extend_from_slice(rest);
        (name.to_owned(), parts)
    })
}

/// Splits a script into tokens.
pub(super) fn tokens(source: &str) -> Result<Vec<Token>, Error> {
    let mut lexer = Lexer {
        chars: source.chars().collect(),
        at: 0,
    };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.token()? {
        tokens.push(token);
    }
    Ok(tokens)
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
}

impl Lexer {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn ahead(&self, by: usize) -> Option<char> {
        self.chars.get(self.at + by).copied()
    }

    fn take(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        self.at += usize::from(found);
        found
    }

    fn token(&mut self) -> Result<Option<Token>, Error> {
        self.blanks();
        let Some(c) = self.peek() else { return Ok(None) };
        if c.is_ascii_digit() && matches!(self.ahead(1), Some('<' | '>')) {
            self.at += 1;
            return self.redirect(c.to_digit(10).map(|fd| fd as u8)).map(Some);
        }
        let operator = match c {
            '\n' => Operator::Newline,
            ';' => Operator::Semicolon,
            '(' => Operator::Open,
            ')' => Operator::Close,
            '|' if self.ahead(1) == Some('|') => Operator::Or,
            '|' => Operator::Pipe,
            '&' if self.ahead(1) == Some('&') => Operator::And,
            '&' => return Err(Error::Unexpected("& (background jobs are not simulated)".to_owned())),
            '<' | '>' => return self.redirect(None).map(Some),
            _ => return self.word().map(|word| Some(Token::Word(word))),
        };
        self.at += match operator {
            Operator::And | Operator::Or => 2,
            _ => 1,
        };
        Ok(Some(Token::Operator(operator)))
    }

    fn blanks(&mut self) {
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\r' => self.at += 1,
                '\\' if self.ahead(1) == Some('\n') => self.at += 2,
                '#' => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    fn redirect(&mut self, fd: Option<u8>) -> Result<Token, Error> {
        let read = self.take('<');
        if !read {
            self.at += 1;
        }
        let kind = match (read, self.peek()) {
            (true, Some('<')) => return Err(Error::Unexpected("<< (here-documents are not simulated)".to_owned())),
            (true, _) => RedirectKind::Read,
            (false, Some('>')) => RedirectKind::Append,
            (false, Some('&')) => RedirectKind::Duplicate,
            (false, _) => RedirectKind::Write,
        };
        self.at += usize::from(matches!(kind, RedirectKind::Append | RedirectKind::Duplicate));
        Ok(Token::Redirect {
            fd: fd.unwrap_or(u8::from(!read)),
            kind,
        })
    }

    fn word(&mut self) -> Result<Word, Error> {
        let mut word = Word::new();
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '(' | ')' | '<' | '>' => break,
                '\'' => {
                    self.at += 1;
                    let text = self.until('\'')?;
                    word.push(Part::Text { text, quoted: true });
                }
                '"' => {
                    self.at += 1;
                    self.double_quoted(&mut word)?;
                }
                '$' | '`' => word.push(self.expansion(false)?),
                '\\' => {
                    self.at += 1;
                    let text = self.peek().ok_or(Error::Incomplete)?.to_string();
                    self.at += 1;
                    if text != "\n" {
                        word.push(Part::Text { text, quoted: true });
                    }
                }
                c => {
                    self.at += 1;
                    text(&mut word, c, false);
                }
            }
        }
        Ok(word)
    }

    fn double_quoted(&mut self, word: &mut Word) -> Result<(), Error> {
        word.push(Part::Text {
            text: String::new(),
            quoted: true,
        });
        loop {
            match self.peek().ok_or(Error::Incomplete)? {
                '"' => {
                    self.at += 1;
                    return Ok(());
                }
                '$' | '`' => word.push(self.expansion(true)?),
                '\\' if matches!(self.ahead(1), Some('"' | '\\' | '$' | '`')) => {
                    text(word, self.ahead(1).unwrap_or_default(), true);
                    self.at += 2;
                }
                '\\' if self.ahead(1) == Some('\n') => self.at += 2,
                c => {
                    self.at += 1;
                    text(word, c, true);
                }
            }
        }
    }

    /// What follows a `$` or a backquote.
    fn expansion(&mut self, quoted: bool) -> Result<Part, Error> {
        if self.take('`') {
            return Ok(Part::Command {
                source: self.until('`')?,
                quoted,
            });
        }
        self.at += 1;
        match (self.peek(), self.ahead(1)) {
            (Some('('), Some('(')) => {
                self.at += 2;
                let source = self.parenthesised()?;
                if !self.take(')') {
                    return Err(self
                        .peek()
                        .map_or(Error::Incomplete, |c| Error::Unexpected(c.to_string())));
                }
                Ok(Part::Arithmetic { source })
            }
            (Some('('), _) => {
                self.at += 1;
                Ok(Part::Command {
                    source: self.parenthesised()?,
                    quoted,
                })
            }
            (Some('{'), _) => {
                self.at += 1;
                let inner = self.until('}')?;
                let (name, default) = match inner.split_once(":-") {
                    Some((name, default)) => (name.to_owned(), Some(default.to_owned())),
                    None => (inner, None),
                };
                Ok(Part::Parameter { name, default, quoted })
            }
            (Some(c), _) if c.is_ascii_alphabetic() || c == '_' => {
                let start = self.at;
                while self.peek().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
                    self.at += 1;
                }
                let name = self.chars.get(start..self.at).unwrap_or_default().iter().collect();
                Ok(Part::Parameter {
                    name,
                    default: None,
                    quoted,
                })
            }
            (Some(c), _) if c.is_ascii_digit() || "?#$@*!".contains(c) => {
                self.at += 1;
                Ok(Part::Parameter {
                    name: c.to_string(),
                    default: None,
                    quoted,
                })
            }
            _ => Ok(Part::Text {
                text: "$".to_owned(),
                quoted: true,
            }),
        }
    }

    /// Everything up to the parenthesis that closes the one before; quotes inside hide theirs.
    fn parenthesised(&mut self) -> Result<String, Error> {
        let (start, mut depth, mut quote) = (self.at, 1_usize, None);
        while let Some(c) = self.peek() {
            self.at += 1;
            match (quote, c) {
                (None, '\'' | '"') => quote = Some(c),
                (Some(open), _) if c == open => quote = None,
                (None, '(') => depth += 1,
                (None, ')') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok(self.chars.get(start..self.at - 1).unwrap_or_default().iter().collect());
            }
        }
        Err(Error::Incomplete)
    }

    fn until(&mut self, end: char) -> Result<String, Error> {
        let start = self.at;
        while let Some(c) = self.peek() {
            self.at += 1;
            if c == end {
                return Ok(self.chars.get(start..self.at - 1).unwrap_or_default().iter().collect());
            }
        }
        Err(Error::Incomplete)
    }
}

fn text(word: &mut Word, c: char, quoted: bool) {
    match word.last_mut() {
        Some(Part::Text { text, quoted: last }) if *last == quoted => text.push(c),
        _ => word.push(Part::Text {
            text: c.to_string(),
            quoted,
        }),
    }
}
