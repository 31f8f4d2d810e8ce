//! The grammar: simple commands with quotes, variables and redirections, joined by `|`, `&&`, `||`
//! and `;`.
//!
//! Compound commands, substitutions and background jobs are refused with an error that names them,
//! so that a user of the demo's terminal learns why they don't work.

/// Keywords of the shell that are not simulated.
const KEYWORDS: &[&str] = &["!", "case", "for", "function", "if", "until", "while", "{"];

/// A script: pipelines, one after the other.
pub(super) type Script = Vec<Step>;

/// A pipeline, and when it runs.
#[derive(Debug, PartialEq)]
pub(super) struct Step {
    pub(super) condition: Condition,
    pub(super) pipeline: Vec<Command>,
}

/// The exit status of the previous pipeline with which a pipeline runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Condition {
    Any,
    /// After `&&`.
    Success,
    /// After `||`.
    Failure,
}

/// One command with its redirections.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Command {
    pub(super) words: Vec<Word>,
    pub(super) redirects: Vec<Redirect>,
}

/// `2>&1`, `> file` and the like.
#[derive(Debug, PartialEq)]
pub(super) struct Redirect {
    pub(super) fd: u8,
    pub(super) kind: RedirectKind,
    pub(super) target: Word,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum RedirectKind {
    Read,
    Write,
    Append,
    Duplicate,
}

/// A word as written, in pieces.
pub(super) type Word = Vec<Piece>;

#[derive(Debug, PartialEq)]
pub(super) enum Piece {
    Text(String),
    /// A variable; without quotes its value is split at white space.
    Variable {
        name: String,
        quoted: bool,
    },
}

/// Why a script can't be run.
#[derive(Debug, PartialEq)]
pub(super) enum Error {
    /// A quote is not closed, or a command is missing at the end.
    Incomplete,
    /// The grammar has no place for this.
    Unexpected(String),
    /// A real shell would run this, but it is not simulated.
    NotSimulated(String),
}

impl Error {
    /// Returns what the shell prints about the script.
    pub(super) fn message(&self) -> String {
        match self {
            Error::Incomplete => "sh: syntax error: unexpected end of file\n".to_owned(),
            Error::Unexpected(text) => format!("sh: syntax error: unexpected {text}\n"),
            Error::NotSimulated(text) => format!("sh: {text}: not simulated\n"),
        }
    }
}

/// Parses a whole script.
///
/// # Errors
///
/// [`Error::Incomplete`] when more lines are needed, and another [`Error`] when no further line
/// could complete the script.
pub(super) fn parse(source: &str) -> Result<Script, Error> {
    let mut parser = Parser {
        chars: source.chars().collect(),
        at: 0,
    };
    parser.script()
}

struct Parser {
    chars: Vec<char>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.ahead(0)
    }

    fn ahead(&self, by: usize) -> Option<char> {
        self.chars.get(self.at + by).copied()
    }

    fn take(&mut self, text: &str) -> bool {
        let found = text.chars().enumerate().all(|(by, c)| self.ahead(by) == Some(c));
        if found {
            self.at += text.chars().count();
        }
        found
    }

    fn script(&mut self) -> Result<Script, Error> {
        let (mut script, mut condition) = (Script::new(), Condition::Any);
        loop {
            self.blank_lines();
            if self.peek().is_none() {
                return match condition {
                    Condition::Any => Ok(script),
                    Condition::Success | Condition::Failure => Err(Error::Incomplete),
                };
            }
            let pipeline = self.pipeline()?;
            script.push(Step { condition, pipeline });
            condition = if self.take("&&") {
                Condition::Success
            } else if self.take("||") {
                Condition::Failure
            } else if self.take("&") {
                return Err(Error::NotSimulated("&".to_owned()));
            } else {
                self.take(";");
                Condition::Any
            };
        }
    }

    fn pipeline(&mut self) -> Result<Vec<Command>, Error> {
        let mut commands = vec![self.command()?];
        while self.peek() == Some('|') && self.ahead(1) != Some('|') {
            self.at += 1;
            self.blank_lines();
            commands.push(self.command()?);
        }
        Ok(commands)
    }

    fn command(&mut self) -> Result<Command, Error> {
        let mut command = Command::default();
        loop {
            self.blanks();
            match self.peek() {
                None | Some('\n' | ';' | '|' | '&') => break,
                Some('(' | ')') => return Err(self.unexpected()),
                Some('<' | '>') => command.redirects.push(self.redirect(None)?),
                Some(c) if c.is_ascii_digit() && matches!(self.ahead(1), Some('<' | '>')) => {
                    self.at += 1;
                    command.redirects.push(self.redirect(c.to_digit(10))?);
                }
                Some(_) => command.words.push(self.word()?),
            }
        }
        if command == Command::default() {
            return Err(self.unexpected());
        }
        match command.words.first().map(Vec::as_slice) {
            Some([Piece::Text(text)]) if KEYWORDS.contains(&text.as_str()) => Err(Error::NotSimulated(text.clone())),
            _ => Ok(command),
        }
    }

    fn unexpected(&self) -> Error {
        self.peek()
            .map_or(Error::Incomplete, |c| Error::Unexpected(c.to_string()))
    }

    fn redirect(&mut self, fd: Option<u32>) -> Result<Redirect, Error> {
        if self.take("<<") {
            return Err(Error::NotSimulated("<<".to_owned()));
        }
        let kind = if self.take("<") {
            RedirectKind::Read
        } else if self.take(">>") {
            RedirectKind::Append
        } else if self.take(">&") {
            RedirectKind::Duplicate
        } else {
            self.take(">");
            RedirectKind::Write
        };
        self.blanks();
        let target = self.word()?;
        if target.is_empty() {
            return Err(self.unexpected());
        }
        let usual = u32::from(kind != RedirectKind::Read);
        let fd = u8::try_from(fd.unwrap_or(usual)).unwrap_or(u8::MAX);
        Ok(Redirect { fd, kind, target })
    }

    /// Skips white space within a line, escaped line ends and comments.
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

    fn blank_lines(&mut self) {
        self.blanks();
        while self.take("\n") {
            self.blanks();
        }
    }

    fn word(&mut self) -> Result<Word, Error> {
        let (mut word, mut quoted) = (Word::new(), false);
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '(' | ')' | '<' | '>' if !quoted => break,
                '$' | '`' => {
                    self.variable(&mut word, quoted)?;
                    continue;
                }
                '\'' if !quoted => {
                    self.at += 1;
                    push_text(&mut word, &self.until('\'')?);
                    continue;
                }
                '"' => {
                    quoted = !quoted;
                    push_text(&mut word, "");
                }
                '\\' => {
                    self.at += 1;
                    let next = self.peek().ok_or(Error::Incomplete)?;
                    if quoted && !matches!(next, '"' | '\\' | '$' | '`' | '\n') {
                        push_text(&mut word, "\\");
                    }
                    if next != '\n' {
                        push_text(&mut word, next.encode_utf8(&mut [0; 4]));
                    }
                }
                c => push_text(&mut word, c.encode_utf8(&mut [0; 4])),
            }
            self.at += 1;
        }
        if quoted { Err(Error::Incomplete) } else { Ok(word) }
    }

    /// Reads a variable. A `$` without a name stands for itself.
    fn variable(&mut self, word: &mut Word, quoted: bool) -> Result<(), Error> {
        if self.peek() == Some('`') || self.ahead(1) == Some('(') {
            return Err(Error::NotSimulated("command substitution".to_owned()));
        }
        self.at += 1;
        let name = if self.take("{") {
            self.until('}')?
        } else if self.take("?") {
            "?".to_owned()
        } else {
            let start = self.at;
            while self.peek().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
                self.at += 1;
            }
            self.chars.get(start..self.at).unwrap_or_default().iter().collect()
        };
        if name.is_empty() {
            push_text(word, "$");
        } else {
            word.push(Piece::Variable { name, quoted });
        }
        Ok(())
    }

    fn until(&mut self, end: char) -> Result<String, Error> {
        let rest = self.chars.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|c| *c == end).ok_or(Error::Incomplete)?;
        self.at += length + 1;
        Ok(rest.iter().take(length).collect())
    }
}

fn push_text(word: &mut Word, text: &str) {
    match word.last_mut() {
        Some(Piece::Text(last)) => last.push_str(text),
        _ => word.push(Piece::Text(text.to_owned())),
    }
}
