//! The words of the codes that say why a pod is unhealthy.

use podgate_index::ReasonCode;

/// The values of `reasonCode`, in the order of [`ReasonCode::ALL`].
pub(super) const REASON_CODES: &[(&str, ReasonCode)] = &[
    ("OutOfMemory", ReasonCode::OutOfMemory),
    ("CannotStart", ReasonCode::CannotStart),
    ("Image", ReasonCode::Image),
    ("Crash", ReasonCode::Crash),
    ("PodFailed", ReasonCode::PodFailed),
    ("Unscheduled", ReasonCode::Unscheduled),
    ("Warning", ReasonCode::Warning),
    ("NodeLost", ReasonCode::NodeLost),
    ("Waiting", ReasonCode::Waiting),
    ("NotStarted", ReasonCode::NotStarted),
    ("NotReady", ReasonCode::NotReady),
    ("Gate", ReasonCode::Gate),
    ("ContainersReady", ReasonCode::ContainersReady),
];

/// Returns the word of a code.
pub(super) fn reason_word(code: ReasonCode) -> &'static str {
    REASON_CODES.get(code as usize).map_or("", |(word, _)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_word() {
        assert_eq!(REASON_CODES.len(), ReasonCode::ALL.len());
        for code in ReasonCode::ALL {
            assert_eq!(reason_word(code), format!("{code:?}"));
        }
    }
}
