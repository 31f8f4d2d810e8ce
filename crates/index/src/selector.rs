//! Kubernetes label selectors.
//!
//! Syntax, validation and meaning are those of `k8s.io/apimachinery/pkg/labels.Parse`. One difference: that function takes a NUL
//! for the end of the text and ignores what follows; here a NUL is refused.

mod parse;
mod valid;

/// A parsed label selector: requirements that must all hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Selector {
    requirements: Vec<Requirement>,
}

/// A label's key and what its value must be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Requirement {
    key: String,
    test: Test,
}

/// What a requirement asks of a label's value, or of its absence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Test {
    /// There is one.
    Exists,
    /// There is none.
    Absent,
    /// One of these.
    In(Vec<String>),
    /// None of these, or there is none.
    NotIn(Vec<String>),
    /// An integer above this.
    Above(i64),
    /// An integer below this.
    Below(i64),
}

impl Test {
    /// Whether a label's value passes; none: there is no such label.
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
    /// The values that it names.
    pub(crate) fn values(&self) -> &[String] {
        match self {
            Self::In(values) | Self::NotIn(values) => values,
            _ => &[],
        }
    }
}

/// Why a selector could not be parsed; its text names the offending part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SelectorError(pub String);

impl Selector {
    /// Parses a selector: equality-based (`a=b`, `a==b`, `a!=b`) and set-based (`a in (b,c)`, `a notin (b)`, `a`, `!a`), joined by
    /// commas, with the rules of `k8s.io/apimachinery/pkg/labels.Parse`; so also `a>1` and `a<1`.
    ///
    /// # Errors
    /// [`SelectorError`] for a text that Kubernetes would refuse.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        Ok(Self {
            requirements: parse::requirements(text)?,
        })
    }

    /// Returns whether labels (each key once) match. Where these are not the `whole` of an object's labels, nothing is known of those
    /// that are absent, and no requirement holds for them, `!key` and `key!=value` as little as `key`.
    pub fn matches(&self, labels: &[(String, String)], whole: bool) -> bool {
        self.accepts(labels.iter().map(|(key, value)| (&**key, &**value)), whole)
    }

    /// As [`Selector::matches`].
    pub(crate) fn accepts<'a>(&self, labels: impl Iterator<Item = (&'a str, &'a str)> + Clone, whole: bool) -> bool {
        self.requirements().all(|(key, test)| {
            let found = labels.clone().find(|(other, _)| *other == key);
            (whole || found.is_some()) && test.accepts(found.map(|(_, value)| value))
        })
    }

    /// The same requirements in one order, each once; none if there are none, for then everything matches.
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

    /// Keys and tests.
    pub(crate) fn requirements(&self) -> impl Iterator<Item = (&str, &Test)> {
        self.requirements
            .iter()
            .map(|requirement| (requirement.key.as_str(), &requirement.test))
    }
}
