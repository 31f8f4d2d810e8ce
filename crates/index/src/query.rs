//! Queries and their answers.

use crate::{ClusterId, Pod, Selector};

/// Which namespaces of which clusters a caller may see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    #[default]
    All,
    /// Only these namespaces, of any cluster that the query names.
    Namespaces(Vec<String>),
}

/// What to sort by. Ties go by namespace, then name, both ascending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Time of creation.
    #[default]
    CreatedAt,
    /// Name.
    Name,
    /// Namespace.
    Namespace,
    /// Status.
    Status,
    /// Number of restarts.
    Restarts,
    /// Name of the node.
    NodeName,
}

/// The direction of a sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Smallest or oldest first.
    Asc,
    /// Largest or newest first.
    Desc,
}

/// A question to the index. Every filter that is set must match; within one filter any of its values.
#[derive(Clone, Debug)]
pub struct Query {
    /// The clusters to search.
    pub clusters: Vec<ClusterId>,
    /// What the caller may see.
    pub scope: Scope,
    /// Only these namespaces; empty: all.
    pub namespaces: Vec<String>,
    /// Only these statuses, compared without case; empty: all.
    pub statuses: Vec<String>,
    /// Only these phases, compared without case; empty: all.
    pub phases: Vec<String>,
    /// Only this node.
    pub node: Option<String>,
    /// Substring of name, namespace, node or pod IP, compared without case.
    pub search: Option<String>,
    /// A label selector.
    pub selector: Option<Selector>,
    /// What to sort by.
    pub sort: Sort,
    /// Direction.
    pub order: Order,
    /// Rows to skip.
    pub offset: usize,
    /// Rows to answer at most.
    pub limit: usize,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            clusters: Vec::new(),
            scope: Scope::All,
            namespaces: Vec::new(),
            statuses: Vec::new(),
            phases: Vec::new(),
            node: None,
            search: None,
            selector: None,
            sort: Sort::CreatedAt,
            order: Order::Desc,
            offset: 0,
            limit: 20,
        }
    }
}

/// A row of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The pod's cluster.
    pub cluster: ClusterId,
    /// The pod.
    pub pod: Pod,
}

/// The answer to a [`Query`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The rows, in the order asked for.
    pub rows: Vec<Row>,
    /// The number of matches before paging.
    pub total: usize,
}
