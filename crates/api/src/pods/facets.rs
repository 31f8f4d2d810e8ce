//! Facets: counts of a list's matches by the values of a field.

use std::sync::Arc;

use podgate_access::PodQuery;
use podgate_index::{Facet, FacetValue, Owner};

use super::{
    reason_codes::reason_word,
    words::{meaning, words},
};
use crate::{Parameters, json};

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

/// The facets of a list of several clusters.
pub(crate) const OF_ALL: &[&str] = &words::<_, { FACETS.len() }>(FACETS);
/// The facets of a list of one cluster: all except the first, `cluster`.
pub(crate) const OF_CLUSTER: &[&str] = OF_ALL.split_at(1).1;

/// The most values of a facet that are listed.
const MAX_VALUES: usize = 1000;

/// Returns the facets to count, each once, in the order of the request.
pub(crate) fn read(parameters: &Parameters) -> Vec<&'static str> {
    let mut facets = Vec::new();
    for list in parameters.many("facets") {
        for word in list.split(',') {
            let known = OF_ALL.iter().find(|known| **known == word);
            facets.extend(known.filter(|known| !facets.contains(*known)));
        }
    }
    facets
}

/// Appends the names of the facets whose value lists were cut off.
pub(crate) fn write_cut(out: &mut Vec<u8>, cut: Vec<&'static str>) {
    out.extend_from_slice(b",\"truncatedFacets\":");
    json::list(out, cut.into_iter(), json::text);
}

/// Appends an object with each facet's values and counts, the most frequent first. Returns the
/// facets whose value lists were cut off.
pub(crate) fn write(
    out: &mut Vec<u8>,
    facets: &[&'static str],
    pods: &PodQuery,
    mut counts: impl FnMut(Facet) -> Arc<Vec<(FacetValue, usize)>>,
) -> Vec<&'static str> {
    let mut cut = Vec::new();
    out.push(b'{');
    // `read` admits no other names.
    let known = facets.iter().filter_map(|word| Some((*word, meaning(FACETS, word)?)));
    for (at, (word, facet)) in known.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        json::text(out, word);
        out.push(b':');
        let counts = counts(facet);
        if counts.len() > MAX_VALUES {
            cut.push(word);
        }
        json::list(out, counts.iter().take(MAX_VALUES), |out, (value, count)| {
            out.extend_from_slice(b"{\"value\":");
            match value {
                FacetValue::Cluster(cluster) => json::text(out, pods.cluster_name(*cluster)),
                FacetValue::Text(text) => json::text(out, text),
                FacetValue::Problem(problem) => json::text(out, if *problem { "true" } else { "false" }),
                FacetValue::ReasonCode(code) => json::text(out, reason_word(*code)),
                FacetValue::Owner(Owner { kind, name }) => json::text(out, &format!("{kind}/{name}")),
            }
            out.extend_from_slice(b",\"count\":");
            json::number(out, *count as u64);
            out.push(b'}');
        });
    }
    out.push(b'}');
    cut
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
