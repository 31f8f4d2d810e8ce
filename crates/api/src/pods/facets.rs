//! Facets: counts of a list's matches by the values of a field.

use std::{borrow::Cow, sync::Arc};

use podgate_access::PodQuery;
use podgate_index::{Facet, FacetValue, Owner};

use super::{
    reason_codes::reason_word,
    words::{meaning, words},
};
use crate::{ApiError, Parameters, json};

/// The facets and their names. Each name except `cluster` is also the parameter that filters by a
/// value.
const FACETS: &[(&str, Facet)] = &[
    ("cluster", Facet::Cluster),
    ("namespace", Facet::Namespace),
    ("status", Facet::Status),
    ("phase", Facet::Phase),
    ("qosClass", Facet::QosClass),
    ("nodeName", Facet::Node),
    ("problem", Facet::Problem),
    ("reasonCode", Facet::ReasonCode),
    ("owner", Facet::Owner),
];

/// The facet of the keys of labels, which only a list has.
const LABEL: &str = "label";
/// Stands before the key of a label whose values are counted.
const LABEL_VALUES: &str = "label:";

/// The facets of a live query of several clusters.
pub(crate) const LIVE_OF_ALL: &[&str] = &words::<_, { FACETS.len() }>(FACETS);
/// The facets of a live query of one cluster: all except the first, `cluster`.
pub(crate) const LIVE_OF_CLUSTER: &[&str] = LIVE_OF_ALL.split_at(1).1;
/// The facets of a list of several clusters.
pub(crate) const OF_ALL: &[&str] = &with_labels();
/// The facets of a list of one cluster.
pub(crate) const OF_CLUSTER: &[&str] = OF_ALL.split_at(1).1;

const fn with_labels() -> [&'static str; FACETS.len() + 1] {
    let mut all = [LABEL; FACETS.len() + 1];
    let mut at = 0;
    while at < FACETS.len() {
        all[at] = LIVE_OF_ALL[at];
        at += 1;
    }
    all
}

/// The values of `facetMode`, and whether each counts beside a facet's own filters.
pub(crate) const MODES: &[(&str, bool)] = &[("matches", false), ("others", true)];

/// The most values of a facet that are listed.
const MAX_VALUES: usize = 1000;
/// The most labels whose values are counted at once.
const MAX_LABELS: usize = 4;

/// A field to count by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Field {
    /// A field of the index.
    Of(Facet),
    /// The keys of labels.
    Labels,
    /// The values of a label.
    Label(String),
}

impl Field {
    fn read(word: &str) -> Option<Self> {
        if word == LABEL {
            return Some(Self::Labels);
        }
        match word.strip_prefix(LABEL_VALUES) {
            Some(key) => Some(Self::Label(key.to_owned())),
            None => meaning(FACETS, word).map(Self::Of),
        }
    }

    fn word(&self) -> Cow<'static, str> {
        match self {
            Self::Of(facet) => {
                let known = FACETS.iter().find(|(_, meant)| meant == facet);
                Cow::Borrowed(known.map_or("", |(word, _)| word))
            }
            Self::Labels => Cow::Borrowed(LABEL),
            Self::Label(key) => Cow::Owned(format!("{LABEL_VALUES}{key}")),
        }
    }
}

/// A request for counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Asked {
    /// Each once, in the order of the request.
    pub(crate) fields: Vec<Field>,
    /// Whether each field is counted beside its own filters.
    pub(crate) others: bool,
    /// In lower case: only values that contain it.
    pub(crate) search: Option<String>,
}

impl Asked {
    /// Reads the facets to count.
    ///
    /// # Errors
    /// [`ApiError::Parameter`] for the values of too many labels, and for a search among the values
    /// of several facets or of none.
    pub(crate) fn read(parameters: &Parameters) -> Result<Self, ApiError> {
        let mut fields = Vec::new();
        for list in parameters.many("facets") {
            for field in list.split(',').filter_map(Field::read) {
                if !fields.contains(&field) {
                    fields.push(field);
                }
            }
        }
        let labels = fields.iter().filter(|field| matches!(field, Field::Label(_))).count();
        if labels > MAX_LABELS {
            return Err(ApiError::Parameter(format!(
                "`facets` takes `label:KEY` at most {MAX_LABELS} times, not {labels} times"
            )));
        }
        let search = parameters.one("facetSearch").map(|text| text.to_lowercase());
        if search.is_some() && fields.len() != 1 {
            return Err(ApiError::Parameter(format!(
                "`facetSearch` searches the values of one facet: give one in `facets`, not {}",
                fields.len()
            )));
        }
        let mode = parameters.one("facetMode");
        Ok(Self {
            fields,
            others: mode.and_then(|word| meaning(MODES, &word)).unwrap_or(false),
            search,
        })
    }
}

/// The counts of one field.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    pub(crate) values: Values,
    /// Over how many rows they were counted.
    pub(crate) total: usize,
}

/// The values of a field with their counts, the most frequent first.
#[derive(Clone, Debug)]
pub(crate) enum Values {
    Of(Arc<Vec<(FacetValue, usize)>>),
    Texts(Vec<(String, usize)>),
}

impl Values {
    /// Calls `each` with every value's text and count, as long as it returns whether it takes more.
    fn visit(&self, pods: &PodQuery, mut each: impl FnMut(&str, usize) -> bool) {
        match self {
            Self::Of(values) => {
                let _ = (values.iter()).all(|(value, count)| each(&text(value, pods), *count));
            }
            Self::Texts(values) => {
                let _ = values.iter().all(|(text, count)| each(text, *count));
            }
        }
    }
}

/// Returns a value as the parameter of its facet's name takes it.
fn text<'a>(value: &'a FacetValue, pods: &'a PodQuery) -> Cow<'a, str> {
    match value {
        FacetValue::Cluster(cluster) => Cow::Borrowed(pods.cluster_name(*cluster)),
        FacetValue::Text(text) => Cow::Borrowed(text),
        FacetValue::Problem(problem) => Cow::Borrowed(if *problem { "true" } else { "false" }),
        FacetValue::ReasonCode(code) => Cow::Borrowed(reason_word(*code)),
        FacetValue::Owner(Owner { kind, name }) => Cow::Owned(format!("{kind}/{name}")),
    }
}

/// Appends an object with each field's values and counts, then `facetTotals` and `truncatedFacets`.
/// `counts` returns the counts of the field at a place.
pub(crate) fn write(
    out: &mut Vec<u8>,
    asked: &Asked,
    pods: &PodQuery,
    mut counts: impl FnMut(usize, &Field) -> Counts,
) {
    let mut cut = Vec::new();
    let mut totals = Vec::with_capacity(asked.fields.len());
    out.push(b'{');
    for (at, field) in asked.fields.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let word = field.word();
        json::text(out, &word);
        out.push(b':');
        let Counts { values, total } = counts(at, field);
        if write_values(out, &values, pods, asked.search.as_deref()) {
            cut.push(word.clone());
        }
        totals.push((word, total));
    }
    out.extend_from_slice(b"},\"facetTotals\":{");
    for (at, (word, total)) in totals.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        json::text(out, &word);
        out.push(b':');
        json::number(out, total as u64);
    }
    out.extend_from_slice(b"},\"truncatedFacets\":");
    json::list(out, cut.into_iter(), |out, word| json::text(out, &word));
}

/// Appends the values that contain a text. Returns whether there are more than are listed.
fn write_values(out: &mut Vec<u8>, values: &Values, pods: &PodQuery, search: Option<&str>) -> bool {
    let mut listed = 0;
    let mut is_cut = false;
    out.push(b'[');
    values.visit(pods, |value, count| {
        if search.is_some_and(|search| !value.to_lowercase().contains(search)) {
            return true;
        }
        if listed == MAX_VALUES {
            is_cut = true;
            return false;
        }
        if listed > 0 {
            out.push(b',');
        }
        listed += 1;
        out.extend_from_slice(b"{\"value\":");
        json::text(out, value);
        out.extend_from_slice(b",\"count\":");
        json::number(out, count as u64);
        out.push(b'}');
        true
    });
    out.push(b']');
    is_cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_facet_has_one_word() {
        for facet in Facet::ALL {
            let words = FACETS.iter().filter(|(_, meant)| *meant == facet);
            assert_eq!(words.count(), 1, "{facet:?}");
        }
        assert_eq!(FACETS[0], ("cluster", Facet::Cluster));
    }
}
