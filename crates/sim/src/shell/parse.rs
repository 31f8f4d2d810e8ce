//! The grammar: tokens to the commands that `eval` runs.

use super::lex::{self, Error, Operator, RedirectKind, Token, Word};

/// What may be nested in what, at most: deeper input is refused, so that it can't exhaust the stack.
const MAX_DEPTH: usize = 16;

/// Commands one after the other.
pub(super) type List = Vec<AndOr>;

/// Pipelines joined by `&&` and `||`.
#[derive(Clone, Debug)]
pub(super) struct AndOr {
    pub(super) first: Pipeline,
    pub(super) rest: Vec<(Join, Pipeline)>,
}

/// When the next pipeline of an [`AndOr`] runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Join {
    And,
    Or,
}

/// Commands that run at the same time, each reading what the one before it writes.
#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    pub(super) negate: bool,
    pub(super) stages: Vec<Stage>,
}

/// One command with its redirections.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    pub(super) command: Command,
    pub(super) redirects: Vec<Redirect>,
}

/// `2>&1`, `> file` and their like.
#[derive(Clone, Debug)]
pub(super) struct Redirect {
    pub(super) fd: u8,
    pub(super) kind: RedirectKind,
    pub(super) target: Word,
}

#[derive(Clone, Debug)]
pub(super) enum Command {
    Simple {
        assignments: Vec<(String, Word)>,
        words: Vec<Word>,
    },
    Subshell(List),
    Group(List),
    If {
        branches: Vec<(List, List)>,
        otherwise: Option<List>,
    },
    While {
        until: bool,
        condition: List,
        body: List,
    },
    For {
        variable: String,
        words: Vec<Word>,
        body: List,
    },
}

/// Parses a whole script, or says that more lines are needed ([`Error::Incomplete`]).
pub(super) fn parse(source: &str) -> Result<List, Error> {
    let mut parser = Parser {
        tokens: lex::tokens(source)?,
        at: 0,
        depth: 0,
    };
    let list = parser.list(&[])?;
    match parser.peek() {
        None => Ok(list),
        Some(token) => Err(unexpected(token)),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn take(&mut self, operator: Operator) -> bool {
        let found = matches!(self.peek(), Some(Token::Operator(it)) if *it == operator);
        self.at += usize::from(found);
        found
    }

    fn newlines(&mut self) {
        while self.take(Operator::Newline) {}
    }

    /// The word ahead, if it is not quoted: only then it can be a keyword.
    fn keyword(&self) -> Option<&str> {
        match self.peek() {
            Some(Token::Word(word)) => lex::plain(word),
            _ => None,
        }
    }

    fn expect_keyword(&mut self, keyword: &str) -> Result<(), Error> {
        match (self.keyword() == Some(keyword), self.peek()) {
            (true, _) => {
                self.at += 1;
                Ok(())
            }
            (false, None) => Err(Error::Incomplete),
            (false, Some(token)) => Err(unexpected(token)),
        }
    }

    /// Commands up to one of the keywords, a `)` or the end.
    fn list(&mut self, ends: &[&str]) -> Result<List, Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::Unexpected("nesting".to_owned()));
        }
        let mut list = List::new();
        loop {
            self.newlines();
            let ended = match self.peek() {
                None | Some(Token::Operator(Operator::Close)) => true,
                Some(_) => self.keyword().is_some_and(|word| ends.contains(&word)),
            };
            if ended {
                self.depth -= 1;
                return Ok(list);
            }
            list.push(self.and_or()?);
            let separated = self.take(Operator::Semicolon);
            if let (false, Some(token)) = (separated, self.peek())
                && !matches!(token, Token::Operator(Operator::Newline | Operator::Close))
            {
                return Err(unexpected(token));
            }
        }
    }

    /// A list that must not be empty, and the keyword that ends it.
    fn body(&mut self, ends: &[&str]) -> Result<List, Error> {
        let list = self.list(ends)?;
        match (list.is_empty(), self.peek()) {
            (_, None) => Err(Error::Incomplete),
            (true, Some(token)) => Err(unexpected(token)),
            (false, Some(_)) => Ok(list),
        }
    }

    fn and_or(&mut self) -> Result<AndOr, Error> {
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            let join = if self.take(Operator::And) {
                Join::And
            } else if self.take(Operator::Or) {
                Join::Or
            } else {
                return Ok(AndOr { first, rest });
            };
            self.newlines();
            rest.push((join, self.pipeline()?));
        }
    }

    fn pipeline(&mut self) -> Result<Pipeline, Error> {
        let negate = self.keyword() == Some("!");
        self.at += usize::from(negate);
        let mut stages = vec![self.stage()?];
        while self.take(Operator::Pipe) {
            self.newlines();
            stages.push(self.stage()?);
        }
        Ok(Pipeline { negate, stages })
    }

    fn stage(&mut self) -> Result<Stage, Error> {
        let mut redirects = Vec::new();
        let keyword = self.keyword().map(str::to_owned);
        let command = match keyword.as_deref() {
            Some("if") => self.branches()?,
            Some(word @ ("while" | "until")) => {
                let until = word == "until";
                self.at += 1;
                let condition = self.body(&["do"])?;
                Command::While {
                    until,
                    condition,
                    body: self.do_done()?,
                }
            }
            Some("for") => self.for_loop()?,
            Some("{") => {
                self.at += 1;
                let list = self.body(&["}"])?;
                self.expect_keyword("}")?;
                Command::Group(list)
            }
            _ if self.take(Operator::Open) => {
                let list = self.body(&[])?;
                if !self.take(Operator::Close) {
                    return Err(self.peek().map_or(Error::Incomplete, unexpected));
                }
                Command::Subshell(list)
            }
            _ => self.simple(&mut redirects)?,
        };
        while let Some(redirect) = self.redirect()? {
            redirects.push(redirect);
        }
        Ok(Stage { command, redirects })
    }

    fn simple(&mut self, redirects: &mut Vec<Redirect>) -> Result<Command, Error> {
        let (mut assignments, mut words) = (Vec::new(), Vec::new());
        loop {
            if let Some(redirect) = self.redirect()? {
                redirects.push(redirect);
                continue;
            }
            let Some(Token::Word(word)) = self.peek().cloned() else {
                break;
            };
            self.at += 1;
            match lex::assignment(&word) {
                Some(assignment) if words.is_empty() => assignments.push(assignment),
                _ => words.push(word),
            }
        }
        if assignments.is_empty() && words.is_empty() && redirects.is_empty() {
            return Err(self.peek().map_or(Error::Incomplete, unexpected));
        }
        Ok(Command::Simple { assignments, words })
    }

    fn redirect(&mut self) -> Result<Option<Redirect>, Error> {
        let Some(&Token::Redirect { fd, kind }) = self.peek() else {
            return Ok(None);
        };
        self.at += 1;
        match self.next() {
            Some(Token::Word(target)) => Ok(Some(Redirect { fd, kind, target })),
            Some(token) => Err(unexpected(&token)),
            None => Err(Error::Incomplete),
        }
    }

    fn branches(&mut self) -> Result<Command, Error> {
        let mut branches = Vec::new();
        while matches!(self.keyword(), Some("if" | "elif")) {
            self.at += 1;
            let condition = self.body(&["then"])?;
            self.expect_keyword("then")?;
            branches.push((condition, self.body(&["elif", "else", "fi"])?));
        }
        let otherwise = if self.keyword() == Some("else") {
            self.at += 1;
            Some(self.body(&["fi"])?)
        } else {
            None
        };
        self.expect_keyword("fi")?;
        Ok(Command::If { branches, otherwise })
    }

    fn for_loop(&mut self) -> Result<Command, Error> {
        self.at += 1;
        let variable = match self.next() {
            Some(Token::Word(word)) => match lex::plain(&word) {
                Some(name) if lex::is_name(name) => name.to_owned(),
                _ => return Err(unexpected(&Token::Word(word))),
            },
            Some(token) => return Err(unexpected(&token)),
            None => return Err(Error::Incomplete),
        };
        self.newlines();
        let mut words = Vec::new();
        if self.keyword() == Some("in") {
            self.at += 1;
            while let Some(Token::Word(word)) = self.peek().cloned() {
                self.at += 1;
                words.push(word);
            }
        }
        self.take(Operator::Semicolon);
        self.newlines();
        Ok(Command::For {
            variable,
            words,
            body: self.do_done()?,
        })
    }

    fn do_done(&mut self) -> Result<List, Error> {
        self.expect_keyword("do")?;
        let body = self.body(&["done"])?;
        self.expect_keyword("done")?;
        Ok(body)
    }
}

fn unexpected(token: &Token) -> Error {
    Error::Unexpected(match token {
        Token::Word(word) => lex::plain(word).unwrap_or("word").to_owned(),
        Token::Operator(operator) => operator.text().to_owned(),
        Token::Redirect { .. } => "redirection".to_owned(),
    })
}
