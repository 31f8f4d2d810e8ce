//! Words to strings: parameters, command substitution, arithmetic, field splitting.

use super::eval::{Io, Shell, Stop};
use super::io::{self, Input};
use super::lex::{Part, Word};
use bytes::BytesMut;

/// The most that `$(…)` keeps of its command's output, as bytes.
const MAX_SUBSTITUTION: usize = 1 << 20;

/// A word's fields: unquoted expansions are split at white space.
pub(super) async fn fields(shell: &mut Shell, word: &Word, io: &Io<'_>) -> Result<Vec<String>, Stop> {
    let mut fields = Vec::new();
    let mut open: Option<String> = None;
    for part in word {
        let (text, whole) = match part {
            Part::Text { text, .. } => (text.clone(), true),
            Part::Parameter { name, quoted: true, .. } if name == "@" => {
                let mut arguments = shell.arguments.iter().skip(1);
                if let Some(first) = arguments.next() {
                    open.get_or_insert_default().push_str(first);
                }
                for argument in arguments {
                    fields.extend(open.replace(argument.clone()));
                }
                continue;
            }
            Part::Parameter { quoted, .. } | Part::Command { quoted, .. } => (value(shell, part, io).await?, *quoted),
            Part::Arithmetic { .. } => (value(shell, part, io).await?, true),
        };
        if whole {
            open.get_or_insert_default().push_str(&text);
            continue;
        }
        for (at, piece) in text.split(|c: char| c.is_ascii_whitespace()).enumerate() {
            if at > 0 {
                fields.extend(open.take());
            }
            if !piece.is_empty() {
                open.get_or_insert_default().push_str(piece);
            }
        }
    }
    fields.extend(open);
    Ok(fields)
}

/// A word as one string, as in an assignment.
pub(super) async fn joined(shell: &mut Shell, word: &Word, io: &Io<'_>) -> Result<String, Stop> {
    let mut text = String::new();
    for part in word {
        text.push_str(&value(shell, part, io).await?);
    }
    Ok(text)
}

async fn value(shell: &mut Shell, part: &Part, io: &Io<'_>) -> Result<String, Stop> {
    match part {
        Part::Text { text, .. } => Ok(text.clone()),
        Part::Parameter { name, default, .. } => {
            let value = shell.parameter(name);
            Ok(match default {
                Some(default) if value.is_empty() => default.clone(),
                _ => value,
            })
        }
        Part::Command { source, .. } => substitute(shell, source, io).await,
        Part::Arithmetic { source } => match arithmetic(shell, source) {
            Some(number) => Ok(number.to_string()),
            None => {
                io.err.write(b"sh: arithmetic syntax error\n").await?;
                Err(Stop::Exit(2))
            }
        },
    }
}

async fn substitute(shell: &mut Shell, source: &str, io: &Io<'_>) -> Result<String, Stop> {
    let (out, mut captured) = io::pipe();
    let mut inner = shell.clone();
    let err = io.err.clone();
    let run = async move {
        let mut input = Input::Empty;
        inner
            .subshell(
                source,
                Io {
                    input: &mut input,
                    out,
                    err,
                },
            )
            .await
    };
    let collect = async {
        let mut bytes = BytesMut::new();
        loop {
            let chunk = captured.read().await;
            if chunk.is_empty() {
                return bytes;
            }
            let room = MAX_SUBSTITUTION.saturating_sub(bytes.len()).min(chunk.len());
            bytes.extend_from_slice(&chunk.slice(..room));
        }
    };
    let (status, bytes) = futures_util::future::join(run, collect).await;
    shell.status = status;
    Ok(String::from_utf8_lossy(&bytes).trim_end_matches('\n').to_owned())
}

/// `$((…))`: integers, variables, `+ - * / %`, comparisons, parentheses. None: not understood, or a division by zero.
fn arithmetic(shell: &Shell, source: &str) -> Option<i64> {
    let mut sum = Sum {
        shell,
        rest: source.trim(),
        depth: 0,
    };
    let number = sum.comparison()?;
    sum.rest.trim().is_empty().then_some(number)
}

struct Sum<'a> {
    shell: &'a Shell,
    rest: &'a str,
    depth: usize,
}

impl Sum<'_> {
    fn take(&mut self, operators: &[&'static str]) -> Option<&'static str> {
        self.rest = self.rest.trim_start();
        let found = operators.iter().find(|operator| self.rest.starts_with(**operator))?;
        self.rest = self.rest.get(found.len()..).unwrap_or_default();
        Some(found)
    }

    fn comparison(&mut self) -> Option<i64> {
        let left = self.terms()?;
        let Some(operator) = self.take(&["<=", ">=", "==", "!=", "<", ">"]) else {
            return Some(left);
        };
        let right = self.terms()?;
        Some(i64::from(match operator {
            "<=" => left <= right,
            ">=" => left >= right,
            "==" => left == right,
            "!=" => left != right,
            "<" => left < right,
            _ => left > right,
        }))
    }

    fn terms(&mut self) -> Option<i64> {
        let mut left = self.factors()?;
        while let Some(operator) = self.take(&["+", "-"]) {
            let right = self.factors()?;
            left = if operator == "+" {
                left.wrapping_add(right)
            } else {
                left.wrapping_sub(right)
            };
        }
        Some(left)
    }

    fn factors(&mut self) -> Option<i64> {
        let mut left = self.number()?;
        while let Some(operator) = self.take(&["*", "/", "%"]) {
            let right = self.number()?;
            left = match operator {
                "*" => left.wrapping_mul(right),
                "/" => left.checked_div(right)?,
                _ => left.checked_rem(right)?,
            };
        }
        Some(left)
    }

    fn number(&mut self) -> Option<i64> {
        self.depth += 1;
        if self.depth > 1000 {
            return None;
        }
        if self.take(&["-"]).is_some() {
            return self.number().map(i64::wrapping_neg);
        }
        if self.take(&["("]).is_some() {
            let inner = self.comparison()?;
            return self.take(&[")"]).map(|_| inner);
        }
        self.take(&["$"]);
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        match word.parse() {
            Ok(number) => Some(number),
            Err(_) if super::lex::is_name(word) => {
                let value = self.shell.parameter(word);
                if value.is_empty() {
                    Some(0)
                } else {
                    value.trim().parse().ok()
                }
            }
            Err(_) => None,
        }
    }
}
