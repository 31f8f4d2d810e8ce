//! The parameters of a list, as a query for the index.

use jiff::Timestamp;
use podgate_index::{Order, Owner, Query, Selector, Sort};

use super::{
    facets,
    reason_codes::REASON_CODES,
    words::{meaning, words},
};
use crate::{ApiError, Kind, Parameter, Parameters, extract::parameters::shown};

/// The most rows of a page.
const MAX_PAGE_SIZE: u32 = 1000;
/// The most rows of a page of identities alone.
const MAX_IDENTITIES: u32 = 5000;
/// The default rows of a page.
const PAGE_SIZE: u32 = 20;

/// The values of `sort`, and the column that each sorts by.
const SORTS: &[(&str, Sort)] = &[
    ("createdAt", Sort::CreatedAt),
    ("name", Sort::Name),
    ("namespace", Sort::Namespace),
    ("status", Sort::Status),
    ("restarts", Sort::Restarts),
    ("nodeName", Sort::NodeName),
    ("qosClass", Sort::QosClass),
    ("problem", Sort::Problem),
    ("lastRestartAt", Sort::LastRestartAt),
];
/// The values of `order`.
const ORDERS: &[(&str, Order)] = &[("asc", Order::Asc), ("desc", Order::Desc)];

/// The parameters of a list of one cluster.
pub(crate) const OF_CLUSTER: &[Parameter] =
    &concat::<{ COMMON.len() + PAGED.len() + 1 }>(&[COMMON, PAGED, &[listed_facets(facets::OF_CLUSTER)]]);
/// The parameters of a list of several clusters.
pub(crate) const OF_ALL: &[Parameter] =
    &concat::<{ 1 + COMMON.len() + PAGED.len() + 1 }>(&[&[CLUSTER], COMMON, PAGED, &[listed_facets(facets::OF_ALL)]]);
/// The parameters of a live query of one cluster.
pub(crate) const LIVE_OF_CLUSTER: &[Parameter] =
    &concat::<{ COMMON.len() + 1 }>(&[COMMON, &[live_facets(facets::LIVE_OF_CLUSTER)]]);
/// The parameters of a live query of several clusters.
pub(crate) const LIVE_OF_ALL: &[Parameter] =
    &concat::<{ 1 + COMMON.len() + 1 }>(&[&[CLUSTER], COMMON, &[live_facets(facets::LIVE_OF_ALL)]]);

const CLUSTER: Parameter = Parameter::many(
    "cluster",
    Kind::Text,
    "Only pods of this cluster, by its number or its unique name.",
);

const COMMON: &[Parameter] = &[
    Parameter::many("namespace", Kind::Text, "Only pods in this namespace."),
    Parameter::many(
        "status",
        Kind::Text,
        "Only pods with this status, as `kubectl get pods` shows it under STATUS; case-insensitive.",
    ),
    Parameter::many("phase", Kind::Text, "Only pods in this phase; case-insensitive."),
    Parameter::many(
        "qosClass",
        Kind::Text,
        "Only pods in this QoS class (`Guaranteed`, `Burstable`, `BestEffort`); case-insensitive.",
    ),
    Parameter::up_to(100, "nodeName", Kind::Text, "Only pods on this node."),
    Parameter::up_to(
        20,
        "owner",
        Kind::Text,
        "Only pods of this controlling owner, as `KIND/NAME`, such as `ReplicaSet/web-5b9c7d`.",
    ),
    Parameter::many(
        "reasonCode",
        Kind::OneOf(&words::<_, { REASON_CODES.len() }>(REASON_CODES)),
        "Only unhealthy pods with this `reasonCode`.",
    ),
    Parameter::one("name", Kind::Text, "Only pods of exactly this name."),
    Parameter::one(
        "restartedSince",
        Kind::Time,
        "Only pods of which a container last restarted at this time or later.",
    ),
    Parameter::one("createdSince", Kind::Time, "Only pods created at this time or later."),
    Parameter::one("createdBefore", Kind::Time, "Only pods created before this time."),
    Parameter::up_to(
        8,
        "search",
        Kind::Text,
        "Only pods with this text in their name, namespace, node or one of their IPs; case-insensitive. If it is \
         repeated, each text must be found.",
    ),
    Parameter::one(
        "labelSelector",
        Kind::Text,
        "Only pods whose labels match this Kubernetes label selector, equality- or set-based.",
    ),
    Parameter::one(
        "problem",
        Kind::Bool,
        "`true`: only unhealthy pods, which are those with a `reason`.",
    ),
    Parameter::one(
        "sort",
        Kind::OneOf(&words::<_, { SORTS.len() }>(SORTS)),
        "The field to sort by; default `createdAt`. Ties are ordered by namespace, then name. `problem` sorts by how \
         bad `reasonCode` is; by `lastRestartAt`, pods that never restarted come last in both directions.",
    ),
    Parameter::one(
        "order",
        Kind::OneOf(&words::<_, { ORDERS.len() }>(ORDERS)),
        "The direction of the sort; default `desc` (newest or worst first) by `createdAt`, `lastRestartAt` and \
         `problem`, else `asc`.",
    ),
    Parameter::one(
        "facetMode",
        Kind::OneOf(&words::<_, { facets::MODES.len() }>(facets::MODES)),
        "`matches` (default): facets count the matches. `others`: each facet counts the rows that match every filter \
         except those of the facet's own group: cluster; namespace; nodeName; phase; qosClass; owner; and status, \
         problem and reasonCode together.",
    ),
];

/// The parameters of a list that a live query does not have.
const PAGED: &[Parameter] = &[
    Parameter::one(
        "page",
        Kind::Int {
            min: 1,
            max: u32::MAX as u64,
        },
        "The number of the page, starting at 1; default 1.",
    ),
    Parameter::one(
        "pageSize",
        Kind::Int {
            min: 1,
            max: MAX_IDENTITIES as u64,
        },
        "Pods per page; default 20, at most 1000, or 5000 with `fields=id`.",
    ),
    Parameter::one(
        "fields",
        Kind::OneOf(&[IDENTITY]),
        "`id`: items have only what identifies a pod: name, namespace, uid, and the cluster in a list of several.",
    ),
    Parameter::one(
        "facetSearch",
        Kind::Text,
        "With exactly one facet: only values that contain this text; case-insensitive.",
    ),
];

/// The value of `fields` for identities alone.
const IDENTITY: &str = "id";

const fn listed_facets(facets: &'static [&'static str]) -> Parameter {
    Parameter::many(
        "facets",
        Kind::WordsAndLabels(facets),
        "Fields to count all matches by, separated by commas. `label` counts the keys of labels, `label:KEY` the \
         values of one (at most 4 of these).",
    )
}

const fn live_facets(facets: &'static [&'static str]) -> Parameter {
    Parameter::many(
        "facets",
        Kind::Words(facets),
        "Fields to count all matches by, separated by commas.",
    )
}

/// Joins lists of parameters. Compiles only if `N` is their total number.
const fn concat<const N: usize>(lists: &[&[Parameter]]) -> [Parameter; N] {
    let mut all = [CLUSTER; N];
    let (mut list, mut at) = (0, 0);
    while list < lists.len() {
        let mut of_list = 0;
        while of_list < lists[list].len() {
            all[at] = lists[list][of_list];
            (of_list, at) = (of_list + 1, at + 1);
        }
        list += 1;
    }
    assert!(at == N);
    all
}

/// A page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Page {
    /// From 1.
    pub(crate) number: u32,
    /// Rows.
    pub(crate) size: u32,
}

impl Page {
    /// Reads the page that a list's parameters name.
    ///
    /// # Errors
    /// [`ApiError::Parameter`] for more rows than a page of whole pods may have.
    pub(crate) fn read(parameters: &Parameters) -> Result<Self, ApiError> {
        let size = parameters.int32("pageSize").unwrap_or(PAGE_SIZE);
        if size > MAX_PAGE_SIZE && !is_identity(parameters) {
            return Err(ApiError::Parameter(format!(
                "`pageSize` must be a whole number from 1 to {MAX_PAGE_SIZE}, not `{size}`; with `fields=id` it may be up to {MAX_IDENTITIES}"
            )));
        }
        Ok(Self {
            number: parameters.int32("page").unwrap_or(1),
            size,
        })
    }

    /// Returns the number of rows before it.
    pub(crate) fn offset(self) -> usize {
        (self.number as usize - 1).saturating_mul(self.size as usize)
    }
}

/// Returns whether a list's items have only what identifies a pod.
pub(crate) fn is_identity(parameters: &Parameters) -> bool {
    parameters.one("fields").as_deref() == Some(IDENTITY)
}

/// Reads a list's parameters. The caller sets clusters, scope and page.
///
/// # Errors
/// [`ApiError::Parameter`] for an invalid label selector or owner.
pub(crate) fn read(parameters: &Parameters) -> Result<Query, ApiError> {
    let selector = parameters
        .one("labelSelector")
        .map(|text| Selector::parse(&text))
        .transpose()
        .map_err(|e| ApiError::Parameter(format!("`labelSelector` is not a label selector: {e}")))?;
    let sort = parameters.one("sort").and_then(|word| meaning(SORTS, &word));
    let sort = sort.unwrap_or_default();
    let order = parameters.one("order").and_then(|word| meaning(ORDERS, &word));
    let Query {
        clusters,
        scope,
        offset,
        limit,
        ..
    } = Query::default();
    // Every field is named, so that a new filter can't be forgotten here.
    Ok(Query {
        clusters,
        scope,
        namespaces: parameters.many("namespace"),
        statuses: parameters.many("status"),
        phases: parameters.many("phase"),
        qos_classes: parameters.many("qosClass"),
        nodes: parameters.many("nodeName"),
        owners: parameters
            .many("owner")
            .iter()
            .map(|text| owner(text))
            .collect::<Result<_, _>>()?,
        reason_codes: (parameters.many("reasonCode").iter())
            .filter_map(|word| meaning(REASON_CODES, word))
            .collect(),
        name: parameters.one("name"),
        restarted_since: seconds(parameters, "restartedSince"),
        created_since: seconds(parameters, "createdSince"),
        created_before: seconds(parameters, "createdBefore"),
        searches: parameters.many("search"),
        selector,
        problem: parameters.bool("problem").unwrap_or(false),
        sort,
        order: order.unwrap_or(sort.natural()),
        offset,
        limit,
    })
}

/// Reads an owner.
fn owner(text: &str) -> Result<Owner, ApiError> {
    let parts = text
        .split_once('/')
        .filter(|(kind, name)| !kind.is_empty() && !name.is_empty());
    let (kind, name) = parts.ok_or_else(|| {
        let shown = shown(text);
        ApiError::Parameter(format!(
            "`owner` must be `KIND/NAME`, such as `ReplicaSet/web-5b9c7d`, not `{shown}`"
        ))
    })?;
    Ok(Owner {
        kind: kind.to_owned(),
        name: name.to_owned(),
    })
}

/// Returns a time in seconds since the epoch, rounded up: pods have whole seconds, so that no
/// fraction lies between one of them and the time.
fn seconds(parameters: &Parameters, name: &str) -> Option<i64> {
    let time: Timestamp = parameters.one(name)?.parse().ok()?;
    Some(time.as_second() + i64::from(time.subsec_nanosecond() > 0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn queried(query: &str) -> Query {
        read(&Parameters::parse(query, OF_ALL).unwrap()).unwrap()
    }

    #[test]
    fn every_sort_has_one_word() {
        for sort in Sort::ALL {
            let words: Vec<_> = SORTS.iter().filter(|(_, meant)| *meant == sort).collect();
            assert_eq!(words.len(), 1, "{sort:?}: {words:?}");
            assert_eq!(queried(&format!("sort={}", words[0].0)).sort, sort);
        }
    }

    #[test]
    fn owners_times_and_numbers_of_values_are_checked() {
        let refused = |query: &str| read(&Parameters::parse(query, OF_ALL)?).map(|_| ());
        for bad in [
            "owner=web",
            "owner=/web",
            "owner=Job/",
            "createdSince=yesterday",
            "reasonCode=Bad",
        ] {
            assert!(refused(bad).is_err(), "{bad}");
        }
        for (name, most) in [("search", 8), ("owner", 20), ("nodeName", 100)] {
            let many = |number: usize| vec![format!("{name}=Job/x"); number].join("&");
            assert!(
                refused(&many(most)).is_ok() && refused(&many(most + 1)).is_err(),
                "{name}"
            );
        }
        for (time, second) in [("00.5Z", 1), ("00Z", 0), ("01.000000001Z", 2)] {
            let since = queried(&format!("createdSince=1970-01-01T00:00:{time}")).created_since;
            assert_eq!(since, Some(second), "{time}");
        }
        assert_eq!(queried("createdBefore=1969-12-31T23:59:59.5Z").created_before, Some(0));
    }

    #[test]
    fn every_facet_but_the_cluster_is_a_parameter_that_filters() {
        for facet in facets::LIVE_OF_CLUSTER {
            let value = match *facet {
                "problem" => "true",
                "reasonCode" => "Crash",
                "owner" => "Job/x",
                _ => "x",
            };
            assert_ne!(queried(&format!("{facet}={value}")), queried(""), "{facet}");
        }
    }

    #[test]
    fn every_parameter_of_the_rows_reaches_the_query() {
        // The list reads these itself: they name clusters and pages.
        let elsewhere = [
            "cluster",
            "page",
            "pageSize",
            "facets",
            "facetMode",
            "facetSearch",
            "fields",
        ];
        for Parameter { name, kind, .. } in OF_ALL.iter().filter(|known| !elsewhere.contains(&known.name)) {
            let values: &[&str] = match kind {
                Kind::Bool => &["true"],
                Kind::OneOf(words) => words,
                Kind::Time => &["2026-01-01T00:00:00Z"],
                _ if *name == "owner" => &["Job/x"],
                _ => &["x"],
            };
            let is_read = |value: &&str| queried(&format!("{name}={value}")) != queried("");
            assert!(values.iter().any(is_read), "{name}");
        }
    }
}
