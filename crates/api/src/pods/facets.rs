//! Counts of a list's matches by a field.

use std::sync::Arc;

use podgate_access::pods::Pods;
use podgate_index::{Facet, FacetValue};

use crate::{Parameters, json};

/// What can be counted by in a list of one cluster. Each word is also the parameter that filters by a value of it.
pub(crate) const OF_CLUSTER: &[&str] = &["namespace", "status", "phase", "nodeName", "problem"];
/// What can be counted by in a list of several.
pub(crate) const OF_ALL: &[&str] = &["cluster", "namespace", "status", "phase", "nodeName", "problem"];

/// The most values of a facet that are told.
const MAX_VALUES: usize = 1000;

/// What to count by, each once, in the order asked for.
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

fn facet(word: &str) -> Facet {
    match word {
        "cluster" => Facet::Cluster,
        "namespace" => Facet::Namespace,
        "status" => Facet::Status,
        "phase" => Facet::Phase,
        "nodeName" => Facet::Node,
        _ => Facet::Problem,
    }
}

/// Appends the names of the fields of which not all values are told, beside the counts.
pub(crate) fn write_cut(out: &mut Vec<u8>, cut: Vec<&'static str>) {
    out.extend_from_slice(b",\"truncatedFacets\":");
    json::list(out, cut.into_iter(), json::text);
}

/// Appends an object: a list of values and counts for each facet, the most frequent first. Returns those that have more values than are told.
pub(crate) fn write(
    out: &mut Vec<u8>,
    facets: &[&'static str],
    pods: &Pods,
    mut counts: impl FnMut(Facet) -> Arc<Vec<(FacetValue, usize)>>,
) -> Vec<&'static str> {
    let mut cut = Vec::new();
    out.push(b'{');
    for (at, word) in facets.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        json::text(out, word);
        out.push(b':');
        let counts = counts(facet(word));
        if counts.len() > MAX_VALUES {
            cut.push(*word);
        }
        json::list(out, counts.iter().take(MAX_VALUES), |out, (value, count)| {
            out.extend_from_slice(b"{\"value\":");
            match value {
                FacetValue::Cluster(cluster) => json::text(out, pods.cluster_name(*cluster)),
                FacetValue::Text(text) => json::text(out, text),
                FacetValue::Problem(problem) => json::text(out, if *problem { "true" } else { "false" }),
            }
            out.extend_from_slice(b",\"count\":");
            json::number(out, *count as u64);
            out.push(b'}');
        });
    }
    out.push(b'}');
    cut
}
