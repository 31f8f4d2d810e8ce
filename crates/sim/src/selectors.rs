//! Label and field selectors of a list or watch.
//!
//! The parser shares nothing with that of the `index` crate, because shared mistakes would not show
//! in tests.

use std::collections::{BTreeMap, BTreeSet};

use crate::call::Query;
use crate::object::{Kind, Object};
use crate::status::Failure;

/// The selectors of a list or watch.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Selectors {
    labels: Vec<Requirement>,
    fields: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq)]
struct Field {
    name: String,
    value: String,
    equal: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Exists,
    Missing,
    In(BTreeSet<String>),
    NotIn(BTreeSet<String>),
    Above(i64),
    Below(i64),
}

impl Selectors {
    /// Parses `labelSelector` and `fieldSelector`.
    ///
    /// # Errors
    ///
    /// 400 for an invalid selector, and for a field that the kind does not support in selectors.
    pub(crate) fn from_query(query: &Query, kind: Kind) -> Result<Selectors, Failure> {
        Ok(Selectors {
            labels: labels(query.get("labelSelector").unwrap_or_default())?,
            fields: fields(query.get("fieldSelector").unwrap_or_default(), kind)?,
        })
    }

    /// Returns whether there are no selectors, so that everything matches.
    pub(crate) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// Returns whether an object matches.
    pub(crate) fn matches(&self, object: &Object) -> bool {
        let has = |field: &Field| {
            object
                .fields
                .iter()
                .any(|(name, value)| *name == field.name && (*value == field.value) == field.equal)
        };
        self.fields.iter().all(has)
            && self
                .labels
                .iter()
                .all(|requirement| requirement.matches(&object.labels))
    }
}

impl Requirement {
    fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        let value = labels.get(&self.key);
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        match &self.test {
            Test::Exists => value.is_some(),
            Test::Missing => value.is_none(),
            Test::In(values) => value.is_some_and(|value| values.contains(value)),
            Test::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
            Test::Above(than) => number().is_some_and(|number| number > *than),
            Test::Below(than) => number().is_some_and(|number| number < *than),
        }
    }
}

/// Parses `a=b,c!=d`, where `\` escapes the next character (`fields.ParseSelector`).
fn fields(text: &str, kind: Kind) -> Result<Vec<Field>, Failure> {
    let known = Object::new(kind, serde_json::Value::Null, 0).fields;
    let mut selectors = Vec::new();
    for term in split_unescaped(text) {
        let invalid = || Failure::bad_request(format!("invalid selector: '{text}'; can't understand '{term}'"));
        let at = term.find("!=").or_else(|| term.find('=')).ok_or_else(invalid)?;
        let (name, rest) = term.split_at(at);
        let equal = !rest.starts_with("!=");
        let value = rest
            .strip_prefix("!=")
            .or(rest.strip_prefix("=="))
            .or(rest.strip_prefix('='))
            .unwrap_or(rest);
        if !known.iter().any(|(field, _)| *field == name) {
            return Err(Failure::bad_request(format!("field label not supported: {name}")));
        }
        selectors.push(Field {
            name: name.to_owned(),
            value: unescape(value).ok_or_else(invalid)?,
            equal,
        });
    }
    Ok(selectors)
}

fn split_unescaped(text: &str) -> Vec<&str> {
    let (mut terms, mut from, mut escaped) = (Vec::new(), 0, false);
    for (at, character) in text.char_indices() {
        if character == ',' && !escaped {
            terms.extend(text.get(from..at));
            from = at + 1;
        }
        escaped = character == '\\' && !escaped;
    }
    terms.extend(text.get(from..));
    terms.retain(|term| !term.is_empty());
    terms
}

fn unescape(value: &str) -> Option<String> {
    let (mut plain, mut characters) = (String::new(), value.chars());
    while let Some(character) = characters.next() {
        plain.push(match character {
            '\\' => characters.next().filter(|next| matches!(next, '\\' | ',' | '='))?,
            '=' => return None,
            other => other,
        });
    }
    Some(plain)
}

/// Parses an equality- or set-based label selector (`labels.Parse`).
fn labels(text: &str) -> Result<Vec<Requirement>, Failure> {
    let mut tokens = Tokens { text, rest: text };
    let mut requirements = Vec::new();
    if tokens.peek().is_none() {
        return Ok(requirements);
    }
    loop {
        requirements.push(tokens.requirement()?);
        match tokens.take() {
            None => return Ok(requirements),
            Some(",") => {}
            Some(other) => return Err(tokens.invalid(&format!("found '{other}', expected: ',' or 'end of string'"))),
        }
    }
}

struct Tokens<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    fn split(&self) -> Option<(&'a str, &'a str)> {
        let rest = self.rest.trim_start();
        let first = rest.chars().next()?;
        let operator = |character: char| "!=<>,()".contains(character);
        let end = if ["!=", "=="].iter().any(|pair| rest.starts_with(pair)) {
            2
        } else if operator(first) {
            1
        } else {
            rest.find(|character: char| operator(character) || character.is_whitespace())
                .unwrap_or(rest.len())
        };
        rest.split_at_checked(end)
    }

    fn peek(&self) -> Option<&'a str> {
        self.split().map(|(token, _)| token)
    }

    fn take(&mut self) -> Option<&'a str> {
        let (token, rest) = self.split()?;
        self.rest = rest;
        Some(token)
    }

    fn invalid(&self, why: &str) -> Failure {
        Failure::bad_request(format!(
            "unable to parse requirement: {why} in label selector \"{}\"",
            self.text
        ))
    }

    fn word(&mut self) -> Result<String, Failure> {
        let word = self
            .peek()
            .filter(|token| !token.starts_with(|first| "!=<>,()".contains(first)));
        let Some(word) = word else {
            let found = self.peek().unwrap_or_default();
            return Err(self.invalid(&format!("found '{found}', expected: identifier")));
        };
        let sane = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
        if word.len() > 317 || !word.bytes().all(sane) {
            return Err(self.invalid(&format!("Invalid value: \"{word}\"")));
        }
        self.take();
        Ok(word.to_owned())
    }

    fn requirement(&mut self) -> Result<Requirement, Failure> {
        if self.peek() == Some("!") {
            self.take();
            return Ok(Requirement {
                key: self.word()?,
                test: Test::Missing,
            });
        }
        let key = self.word()?;
        let test = match self.peek() {
            None | Some(",") => Test::Exists,
            Some("=" | "==") => Test::In([self.value()?].into()),
            Some("!=") => Test::NotIn([self.value()?].into()),
            Some(">") => Test::Above(self.number()?),
            Some("<") => Test::Below(self.number()?),
            Some("in") => Test::In(self.values()?),
            Some("notin") => Test::NotIn(self.values()?),
            Some(other) => {
                let why = format!("found '{other}', expected: in, notin, =, ==, !=, gt, lt");
                return Err(self.invalid(&why));
            }
        };
        Ok(Requirement { key, test })
    }

    /// Reads the value after an operator; empty if there is none.
    fn value(&mut self) -> Result<String, Failure> {
        self.take();
        match self.peek() {
            None | Some(",") => Ok(String::new()),
            Some(_) => self.word(),
        }
    }

    fn number(&mut self) -> Result<i64, Failure> {
        let value = self.value()?;
        value
            .parse()
            .map_err(|_| self.invalid("for 'Gt', 'Lt' operators, the value must be an integer"))
    }

    fn values(&mut self) -> Result<BTreeSet<String>, Failure> {
        self.take();
        if self.take() != Some("(") {
            return Err(self.invalid("found no '(' after the operator"));
        }
        let mut values = BTreeSet::new();
        loop {
            values.insert(match self.peek() {
                Some("," | ")") => String::new(),
                _ => self.word()?,
            });
            match self.take() {
                Some(",") => {}
                Some(")") => return Ok(values),
                _ => return Err(self.invalid("found no ')' after the values")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use serde_json::json;

    use super::*;

    fn matches(query: &str) -> Result<bool, String> {
        let pod = json!({"metadata": {"name": "web-1", "namespace": "shop", "labels": {"app": "web", "tier": "front", "rank": "3"}},
            "spec": {"nodeName": "n1"}, "status": {"phase": "Running"}});
        let selectors = Selectors::from_query(&Query::parse(query), Kind::Pod).map_err(|failure| failure.message)?;
        Ok(selectors.matches(&Object::new(Kind::Pod, pod, 1)))
    }

    #[test]
    fn selectors_choose_as_kubernetes_does() {
        for query in [
            "",
            "labelSelector=app=web",
            "labelSelector=app==web,tier",
            "labelSelector=!gone",
            "labelSelector=app!=db",
            "labelSelector=gone!=x",
            "labelSelector=app+in+(web,db),tier+notin+(back)",
            "labelSelector=gone+notin+(x)",
            "labelSelector=rank>2,rank<4",
            "fieldSelector=metadata.name=web-1",
            "fieldSelector=status.phase!=Failed,spec.nodeName==n1",
            "fieldSelector=spec.hostNetwork=false",
        ] {
            assert_eq!(matches(query), Ok(true), "{query}");
        }
        for query in [
            "labelSelector=app",
            "labelSelector=app=",
            "labelSelector=app=db",
            "labelSelector=!app",
            "labelSelector=gone+in+(x)",
            "labelSelector=rank>3",
            "labelSelector=app>1",
            "fieldSelector=metadata.namespace=other",
            "fieldSelector=status.phase=",
        ]
        .into_iter()
        .skip(1)
        {
            assert_eq!(matches(query), Ok(false), "{query}");
        }
    }

    #[test]
    fn invalid_selectors_are_refused() {
        for query in [
            "labelSelector=,",
            "labelSelector=app=a=b",
            "labelSelector=in+(a)+b",
            "labelSelector=app+in+a",
            "labelSelector=app+in+(a",
            "labelSelector=a+b",
            "labelSelector=app>x",
            "labelSelector=sp%C3%A4t=1",
            "fieldSelector=spec.nope=1",
            "fieldSelector=metadata.name",
            "fieldSelector=metadata.name=a=b",
        ] {
            assert!(matches(query).is_err(), "{query}");
        }
    }
}
