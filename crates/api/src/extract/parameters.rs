//! Strict reading of query parameters. A route refuses parameters that it does not know, so that a
//! typo never silently widens an answer.
//!
//! A route declares its parameters once, in a table that also feeds the OpenAPI document and the
//! bad-input tests. Names, repetition and values are checked against the table before a handler
//! sees them.

use std::collections::BTreeMap;

use axum::extract::FromRequestParts;
use http::request::Parts;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::ApiError;

/// The length in bytes from which on a value is refused.
pub(crate) const MAX_VALUE: usize = 4096;
/// The most pairs that a query may have.
const MAX_PAIRS: usize = 256;

/// The kind of value that a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// An RFC 3339 time.
    Time,
    /// A whole number within bounds, both inclusive.
    Int {
        /// The smallest value.
        min: u64,
        /// The largest value.
        max: u64,
    },
    /// `true` or `false`.
    Bool,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Some of these words, separated by commas.
    Words(&'static [&'static str]),
    /// As `Words`, and `label:KEY` for any key of a label.
    WordsAndLabels(&'static [&'static str]),
}

/// A parameter of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The parameter's name.
    pub name: &'static str,
    /// The kind of value that it takes.
    pub kind: Kind,
    /// Whether it may be repeated.
    pub repeatable: bool,
    /// How often it may be given at most, if there is a limit of its own.
    pub most: Option<usize>,
    /// The meaning, as a sentence for the documentation.
    pub doc: &'static str,
}

impl Parameter {
    /// Declares a parameter that may be given once.
    pub const fn one(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self {
            name,
            kind,
            repeatable: false,
            most: None,
            doc,
        }
    }

    /// Declares a parameter that may be repeated.
    pub const fn many(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self {
            name,
            kind,
            repeatable: true,
            most: None,
            doc,
        }
    }

    /// Declares a parameter that may be repeated, up to `most` times in all.
    pub const fn up_to(most: usize, name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self {
            name,
            kind,
            repeatable: true,
            most: Some(most),
            doc,
        }
    }
}

/// A type that is read from a route's parameters.
pub trait FromParameters: Sized + Send + 'static {
    /// The parameters of the type.
    const PARAMETERS: &'static [Parameter];

    /// Builds the value. Repetition and kind have been checked; only rules between parameters and
    /// the formats of texts are left to check.
    ///
    /// # Errors
    /// [`ApiError::Parameter`] that names the parameter.
    fn read(parameters: &Parameters) -> Result<Self, ApiError>;
}

/// The parameters of a route that has none.
impl FromParameters for () {
    const PARAMETERS: &'static [Parameter] = &[];

    fn read(_parameters: &Parameters) -> Result<Self, ApiError> {
        Ok(())
    }
}

/// The parameters of a query, checked against a table. An empty value counts as absent.
#[derive(Debug, Default)]
pub struct Parameters {
    values: BTreeMap<&'static str, Vec<String>>,
}

impl Parameters {
    /// Reads a raw query string (without `?`).
    ///
    /// # Errors
    /// [`ApiError::Parameter`] for a parameter that is unknown, repeated although it may not be,
    /// too long, not UTF-8, or not of its kind.
    pub fn parse(query: &str, known: &'static [Parameter]) -> Result<Self, ApiError> {
        let mut values: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
        for (count, pair) in query.split('&').filter(|pair| !pair.is_empty()).enumerate() {
            if count >= MAX_PAIRS {
                return Err(ApiError::Parameter(format!(
                    "the query has more than {MAX_PAIRS} parameters"
                )));
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name, || "the name of a parameter".to_owned())?;
            let parameter = find(&name, known)?;
            let value = decode(value, || format!("`{name}`"))?;
            add(&mut values, parameter, value)?;
        }
        Ok(Self::of(values))
    }

    /// Reads the parameters of a live query from a JSON object.
    ///
    /// Values are strings, numbers and booleans, or lists of these where a parameter may be
    /// repeated. `null` counts as absent.
    ///
    /// # Errors
    /// Those of [`Parameters::parse`], also for a value of another type.
    pub fn from_json(object: &Map<String, Value>, known: &[Parameter]) -> Result<Self, ApiError> {
        let mut values = BTreeMap::new();
        let mut pairs = 0;
        for (name, value) in object {
            let parameter = find(name, known)?;
            let several = match value {
                Value::Null => continue,
                Value::Array(several) if parameter.repeatable => several.as_slice(),
                one => std::slice::from_ref(one),
            };
            pairs += several.len();
            if pairs > MAX_PAIRS {
                return Err(ApiError::Parameter(format!(
                    "the query has more than {MAX_PAIRS} parameters"
                )));
            }
            for value in several {
                let text = match value {
                    Value::String(text) => text.clone(),
                    Value::Number(number) => number.to_string(),
                    Value::Bool(bool) => bool.to_string(),
                    Value::Null | Value::Array(_) | Value::Object(_) => {
                        return Err(ApiError::Parameter(format!(
                            "`{name}` must be a string, a number or a boolean{}",
                            if parameter.repeatable {
                                ", or a list of them"
                            } else {
                                ""
                            }
                        )));
                    }
                };
                add(&mut values, parameter, sane(text, || format!("`{name}`"))?)?;
            }
        }
        Ok(Self::of(values))
    }

    fn of(mut values: BTreeMap<&'static str, Vec<String>>) -> Self {
        for values in values.values_mut() {
            values.retain(|value| !value.is_empty());
        }
        Self { values }
    }

    /// Returns the value of a parameter that may be given once.
    pub fn one(&self, name: &str) -> Option<String> {
        self.values.get(name).and_then(|values| values.first()).cloned()
    }

    /// Returns the values of a repeatable parameter, in order.
    pub fn many(&self, name: &str) -> Vec<String> {
        self.values.get(name).cloned().unwrap_or_default()
    }

    /// Returns the value of a parameter of [`Kind::Int`].
    pub fn int(&self, name: &str) -> Option<u64> {
        self.one(name).and_then(|value| value.parse().ok())
    }

    /// Returns the value of a parameter of [`Kind::Int`] whose largest value fits into 32 bits.
    pub fn int32(&self, name: &str) -> Option<u32> {
        self.one(name).and_then(|value| value.parse().ok())
    }

    /// Returns the value of a parameter of [`Kind::Bool`].
    pub fn bool(&self, name: &str) -> Option<bool> {
        self.one(name).map(|value| value == "true")
    }
}

fn find<'a>(name: &str, known: &'a [Parameter]) -> Result<&'a Parameter, ApiError> {
    let found = known.iter().find(|parameter| parameter.name == name);
    found.ok_or_else(|| unknown(name, known))
}

/// Adds a value after checking it against its parameter.
fn add(values: &mut BTreeMap<&'static str, Vec<String>>, parameter: &Parameter, value: String) -> Result<(), ApiError> {
    let slot = values.entry(parameter.name).or_default();
    if !slot.is_empty() && !parameter.repeatable {
        return Err(ApiError::Parameter(format!(
            "`{}` is given more than once",
            parameter.name
        )));
    }
    if let Some(most) = parameter.most.filter(|most| slot.len() >= *most) {
        return Err(ApiError::Parameter(format!(
            "`{}` is given more than {most} times",
            parameter.name
        )));
    }
    check(parameter, &value)?;
    slot.push(value);
    Ok(())
}

/// Percent-decodes one name or value of a query.
fn decode(raw: &str, what: impl Fn() -> String) -> Result<String, ApiError> {
    let spaced = raw.replace('+', " ");
    let text = percent_decode_str(&spaced)
        .decode_utf8()
        .map_err(|_| ApiError::Parameter(format!("{} is not UTF-8", what())))?;
    sane(text.into_owned(), what)
}

/// Refuses a name or value that is too long or contains a NUL.
fn sane(text: String, what: impl Fn() -> String) -> Result<String, ApiError> {
    if text.len() >= MAX_VALUE {
        return Err(ApiError::Parameter(format!(
            "{} is longer than {} bytes",
            what(),
            MAX_VALUE - 1
        )));
    }
    if text.contains('\0') {
        return Err(ApiError::Parameter(format!("{} contains a NUL character", what())));
    }
    Ok(text)
}

fn unknown(name: &str, known: &[Parameter]) -> ApiError {
    let name: String = name.chars().take(64).collect();
    let known: Vec<String> = known.iter().map(|parameter| format!("`{}`", parameter.name)).collect();
    ApiError::Parameter(match known.as_slice() {
        [] => format!("there is no parameter `{name}`: this route takes no parameters"),
        _ => format!("there is no parameter `{name}`: this route takes {}", known.join(", ")),
    })
}

/// Checks that a value is of its parameter's kind. An empty value passes: it counts as absent.
fn check(parameter: &Parameter, value: &str) -> Result<(), ApiError> {
    if value.is_empty() {
        return Ok(());
    }
    let Parameter { name, kind, .. } = parameter;
    let problem = match kind {
        Kind::Text => return Ok(()),
        Kind::Time => value.parse::<jiff::Timestamp>().is_err().then(|| {
            format!(
                "`{name}` must be a time such as 2026-01-31T12:00:00Z, not `{}`",
                shown(value)
            )
        }),
        Kind::Int { min, max } => {
            // A number too large for 64 bits is out of range like any other.
            let number = value
                .bytes()
                .all(|b| b.is_ascii_digit())
                .then(|| value.parse().unwrap_or(u64::MAX));
            (!number.is_some_and(|number| (*min..=*max).contains(&number))).then(|| {
                format!(
                    "`{name}` must be a whole number from {min} to {max}, not `{}`",
                    shown(value)
                )
            })
        }
        Kind::Bool => (!matches!(value, "true" | "false"))
            .then(|| format!("`{name}` must be `true` or `false`, not `{}`", shown(value))),
        Kind::OneOf(words) => (!words.contains(&value))
            .then(|| format!("`{name}` must be one of {}, not `{}`", quoted(words), shown(value))),
        Kind::Words(words) | Kind::WordsAndLabels(words) => {
            let takes_labels = matches!(kind, Kind::WordsAndLabels(_));
            let is_label = |word: &str| takes_labels && word.strip_prefix("label:").is_some_and(|key| !key.is_empty());
            let other = value.split(',').find(|word| !words.contains(word) && !is_label(word));
            other.map(|other| {
                format!(
                    "`{name}` takes {}, separated by commas, not `{}`",
                    quoted(words),
                    shown(other)
                )
            })
        }
    };
    problem.map_or(Ok(()), |problem| Err(ApiError::Parameter(problem)))
}

fn quoted(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}

/// Shortens a value to its first 64 characters, to quote it in a message.
pub(crate) fn shown(value: &str) -> String {
    let end = value.char_indices().nth(64).map(|(end, _)| end);
    let shown = podgate_cluster::text::quote(value.get(..end.unwrap_or(value.len())).unwrap_or_default());
    match end {
        Some(_) => format!("{shown}…"),
        None => shown,
    }
}

/// Extractor: the query as a `T`.
#[derive(Debug)]
pub struct Params<T>(pub T);

impl<S: Send + Sync, T: FromParameters> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let parameters = Parameters::parse(parts.uri.query().unwrap_or_default(), T::PARAMETERS)?;
        T::read(&parameters).map(Self)
    }
}

#[cfg(test)]
mod tests;
