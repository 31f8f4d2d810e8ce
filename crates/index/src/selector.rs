//! Kubernetes label selectors.
//!
//! Syntax, validation and meaning are those of `k8s.io/apimachinery/pkg/labels.Parse`, with one
//! difference: that function takes a NUL for the end of the text and ignores the rest. Here a NUL
//! is refused.

mod parse;
mod valid;

/// A parsed label selector: requirements that must all hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Selector {
    requirements: Vec<Requirement>,
}

/// A label's key and the test that its value must pass.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Requirement {
    key: String,
    test: Test,
}

/// A test of a label's value or of its absence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Test {
    /// The label exists.
    Exists,
    /// The label does not exist.
    Absent,
    /// The value is one of these.
    In(Vec<String>),
    /// The value is none of these, or the label does not exist.
    NotIn(Vec<String>),
    /// The value is an integer above this.
    Above(i64),
    /// The value is an integer below this.
    Below(i64),
}

impl Test {
    /// Returns whether a label's value passes; `None` means that the label does not exist.
    pub(crate) fn accepts(&self, value: Option<&str>) -> bool {
        let is_in = |values: &[String]| value.is_some_and(|value| values.iter().any(|other| other == value));
        let integer = || value.and_then(|value| value.parse::<i64>().ok());
        match self {
            Self::Exists => value.is_some(),
            Self::Absent => value.is_none(),
            Self::In(values) => is_in(values),
            Self::NotIn(values) => !is_in(values),
            Self::Above(bound) => integer().is_some_and(|value| value > *bound),
            Self::Below(bound) => integer().is_some_and(|value| value < *bound),
        }
    }
}

impl Test {
    /// Returns the values that the test names.
    pub(crate) fn values(&self) -> &[String] {
        match self {
            Self::In(values) | Self::NotIn(values) => values,
            _ => &[],
        }
    }
}

/// The reason why a selector could not be parsed. Its text names the offending part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SelectorError(pub String);

impl Selector {
    /// Parses a selector by the rules of `k8s.io/apimachinery/pkg/labels.Parse`.
    ///
    /// Requirements are joined by commas: equality-based (`a=b`, `a==b`, `a!=b`), set-based (`a in
    /// (b,c)`, `a notin (b)`, `a`, `!a`), or numeric (`a>1`, `a<1`).
    ///
    /// # Errors
    /// [`SelectorError`] for a text that Kubernetes would refuse.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        Ok(Self {
            requirements: parse::requirements(text)?,
        })
    }

    /// Returns whether labels match. Each key occurs once.
    ///
    /// If the labels are not the `complete` ones of an object, any requirement on an absent key
    /// fails, even `!key` and `key!=value`: the label may be one of those left out.
    pub fn matches(&self, labels: &[(String, String)], complete: bool) -> bool {
        self.accepts(labels.iter().map(|(key, value)| (&**key, &**value)), complete)
    }

    /// Does what [`Selector::matches`] does, without copies.
    pub(crate) fn accepts<'a>(&self, labels: impl Iterator<Item = (&'a str, &'a str)> + Clone, complete: bool) -> bool {
        self.requirements().all(|(key, test)| {
            let found = labels.clone().find(|(other, _)| *other == key);
            (complete || found.is_some()) && test.accepts(found.map(|(_, value)| value))
        })
    }

    /// Returns the requirements sorted and each once, or `None` if there are none, so that every
    /// object matches.
    pub(crate) fn canonical(mut self) -> Option<Self> {
        for requirement in &mut self.requirements {
            if let Test::In(values) | Test::NotIn(values) = &mut requirement.test {
                values.sort_unstable();
                values.dedup();
            }
        }
        self.requirements.sort_unstable();
        self.requirements.dedup();
        (!self.requirements.is_empty()).then_some(self)
    }

    /// Returns the keys and tests.
    pub(crate) fn requirements(&self) -> impl Iterator<Item = (&str, &Test)> {
        self.requirements
            .iter()
            .map(|requirement| (requirement.key.as_str(), &requirement.test))
    }
}
