//! What a list's parameters ask of the index.

use podgate_index::{Order, Query, Selector, Sort};

use super::facets;
use crate::{ApiError, Kind, Parameter, Parameters};

/// The most rows of a page.
const MAX_PAGE_SIZE: u64 = 1000;
/// The rows of a page unless asked otherwise.
const PAGE_SIZE: u32 = 20;

/// The parameters of a list of one cluster.
pub(crate) const OF_CLUSTER: &[Parameter] = &parameters(facets::OF_CLUSTER);
/// Those of a list of several.
pub(crate) const OF_ALL: &[Parameter] = &{
    let parameters = parameters(facets::OF_ALL);
    let mut all = [CLUSTER; 1 + COUNT];
    let mut at = 0;
    while at < COUNT {
        all[1 + at] = parameters[at];
        at += 1;
    }
    all
};

const COUNT: usize = 12;
const CLUSTER: Parameter = Parameter::many(
    "cluster",
    Kind::Text,
    "Only pods of this cluster, by its number or its unique name.",
);

const fn parameters(facets: &'static [&'static str]) -> [Parameter; COUNT] {
    [
        Parameter::many("namespace", Kind::Text, "Only pods in this namespace."),
        Parameter::many(
            "status",
            Kind::Text,
            "Only pods with this status, as `kubectl get pods` shows it under STATUS; compared without case.",
        ),
        Parameter::many("phase", Kind::Text, "Only pods in this phase; compared without case."),
        Parameter::one("nodeName", Kind::Text, "Only pods on this node."),
        Parameter::one(
            "search",
            Kind::Text,
            "Only pods with this text in their name, namespace, node or one of their IPs; compared without case.",
        ),
        Parameter::one(
            "labelSelector",
            Kind::Text,
            "Only pods whose labels match this Kubernetes label selector, equality- or set-based.",
        ),
        Parameter::one(
            "problem",
            Kind::Bool,
            "`true`: only pods that are not well, those with a `reason`.",
        ),
        Parameter::one(
            "sort",
            Kind::OneOf(&["createdAt", "name", "namespace", "status", "restarts", "nodeName"]),
            "What to sort by; default `createdAt`. Ties go by namespace, then name.",
        ),
        Parameter::one(
            "order",
            Kind::OneOf(&["asc", "desc"]),
            "The direction of the sort; default `desc` (newest first) by `createdAt`, else `asc`.",
        ),
        Parameter::one(
            "page",
            Kind::Int {
                min: 1,
                max: u32::MAX as u64,
            },
            "The page, from 1; default 1.",
        ),
        Parameter::one(
            "pageSize",
            Kind::Int {
                min: 1,
                max: MAX_PAGE_SIZE,
            },
            "Pods a page; default 20.",
        ),
        Parameter::many(
            "facets",
            Kind::Words(facets),
            "Fields to count all matches by, separated by commas.",
        ),
    ]
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
    /// The page that a list's parameters name.
    pub(crate) fn read(parameters: &Parameters) -> Self {
        Self {
            number: parameters.int32("page").unwrap_or(1),
            size: parameters.int32("pageSize").unwrap_or(PAGE_SIZE),
        }
    }

    /// The rows before it.
    pub(crate) fn offset(self) -> usize {
        (self.number as usize - 1).saturating_mul(self.size as usize)
    }
}

/// What a list's parameters ask for, but for clusters, page and facets.
///
/// # Errors
/// [`ApiError::Parameter`] for a label selector that is none.
pub(crate) fn read(parameters: &Parameters) -> Result<Query, ApiError> {
    let sort = sort(parameters.one("sort").as_deref());
    let selector = parameters
        .one("labelSelector")
        .map(|text| Selector::parse(&text))
        .transpose()
        .map_err(|e| ApiError::Parameter(format!("`labelSelector` is not a label selector: {e}")))?;
    Ok(Query {
        namespaces: parameters.many("namespace"),
        statuses: parameters.many("status"),
        phases: parameters.many("phase"),
        node: parameters.one("nodeName"),
        search: parameters.one("search"),
        selector,
        problem: parameters.bool("problem").unwrap_or(false),
        sort,
        order: order(parameters.one("order").as_deref(), sort),
        ..Query::default()
    })
}

fn sort(word: Option<&str>) -> Sort {
    match word {
        Some("name") => Sort::Name,
        Some("namespace") => Sort::Namespace,
        Some("status") => Sort::Status,
        Some("restarts") => Sort::Restarts,
        Some("nodeName") => Sort::NodeName,
        _ => Sort::CreatedAt,
    }
}

fn order(word: Option<&str>, sort: Sort) -> Order {
    match (word, sort) {
        (Some("asc"), _) => Order::Asc,
        (Some("desc"), _) | (_, Sort::CreatedAt) => Order::Desc,
        _ => Order::Asc,
    }
}
