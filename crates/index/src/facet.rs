//! The fields that queries count by.

use crate::{ClusterId, Owner, ReasonCode, listed::listed_enum};

listed_enum! {
    /// A field to count by.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Facet {
        /// The cluster.
        Cluster,
        /// The namespace, regardless of the cluster.
        Namespace,
        /// [`crate::Pod::status`].
        Status,
        /// [`crate::Pod::phase`].
        Phase,
        /// [`crate::Pod::qos_class`].
        QosClass,
        /// [`crate::Pod::node`].
        Node,
        /// Whether there is a [`crate::Pod::reason`].
        Problem,
        /// The code of [`crate::Pod::reason`]; healthy pods are not counted.
        ReasonCode,
        /// [`crate::Pod::owner`]; pods without one are not counted.
        Owner,
    }
}

impl Facet {
    /// Returns the facet that stands for this one's group of filters, as [`crate::Query`] lists
    /// them.
    pub(crate) fn group(self) -> Self {
        match self {
            Self::Problem | Self::ReasonCode => Self::Status,
            other => other,
        }
    }
}

/// A value of a [`Facet`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FacetValue {
    /// A value of [`Facet::Cluster`].
    Cluster(ClusterId),
    /// A value of a facet whose values are texts.
    Text(String),
    /// A value of [`Facet::Problem`].
    Problem(bool),
    /// A value of [`Facet::ReasonCode`].
    ReasonCode(ReasonCode),
    /// A value of [`Facet::Owner`].
    Owner(Owner),
}
