//! Kubernetes label selectors.

/// A parsed label selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {}

/// Why a selector could not be parsed; its text names the offending part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SelectorError(pub String);

impl Selector {
    /// Parses a selector: equality-based (`a=b`, `a==b`, `a!=b`) and set-based (`a in (b,c)`, `a notin (b)`, `a`, `!a`), joined by
    /// commas, with the rules of `k8s.io/apimachinery/pkg/labels.Parse`.
    ///
    /// # Errors
    /// [`SelectorError`] for a text that Kubernetes would refuse.
    pub fn parse(_text: &str) -> Result<Self, SelectorError> {
        todo!()
    }

    /// Whether labels (sorted by key) match.
    pub fn matches(&self, _labels: &[(String, String)]) -> bool {
        todo!()
    }
}
